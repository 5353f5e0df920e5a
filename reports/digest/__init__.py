"""The digest: facts in, files out."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from reports.digest.contract import as_dict, to_json
from reports.digest.fit import fitted
from reports.digest.render import render_html
from reports.digest.subject import subject
from reports.digest.text import render_text
from reports.digest.views import Reader, view
from reports.facts import build_facts
from reports.shape import Facts
from vocwatch.settings import Settings
from vocwatch.store import Store, digests

__all__ = ["DigestFiles", "Reader", "fitted", "render_html", "render_text", "to_json", "view", "write_digest"]


@dataclass(frozen=True)
class DigestFiles:
    """Where a digest was written, and what it says. `facts` is the whole, `shown` what the reader is shown of it."""

    html: Path
    text: Path
    json: Path
    facts: Facts
    subject: str
    shown: Facts


def write_digest(
    settings: Settings,
    store: Store,
    date: dt.date,
    *,
    now: dt.datetime,
    audience: str = "qa",
    lang: str = "zh",
    out: Path | None = None,
    reader: Reader | None = None,
) -> DigestFiles:
    """Write the digest of a business date as HTML, text and JSON and keep it in the store.

    Without `out` it goes to the data folder's `digests`. Each file appears whole or not at all. Files of
    other audiences carry the audience in their name. A digest that was sent stays as it was, in the store and in that
    folder; what the rows say by now goes into files beside it (…-revised). With a `reader`, the page and the text are
    that reader's view; what is kept in the store is the whole.
    """
    facts = build_facts(settings, store, date, now=now, audience=audience)
    folder = out or settings.env.data / "digests"
    folder.mkdir(parents=True, exist_ok=True)
    with store.begin() as connection:
        kept = digests.save(connection, date, audience, now, as_dict(facts))
    reader = reader or Reader(lang)
    stem = f"digest-{date.isoformat()}" + _ending(audience, reader) + ("" if kept or out else "-revised")
    seen = view(facts, reader)
    shown = fitted(seen, reader.lang)
    contents = {
        "html": render_html(shown, reader.lang), "txt": render_text(shown, reader.lang), "json": to_json(seen),
    }
    paths = {suffix: folder / f"{stem}.{suffix}" for suffix in contents}
    for suffix, content in contents.items():
        _write_whole(paths[suffix], content)
    line = subject(shown, reader.lang, settings.app.digest.subject_prefix)
    return DigestFiles(paths["html"], paths["txt"], paths["json"], facts, line, seen)


def _ending(audience: str, reader: Reader) -> str:
    """Return what tells files of other readers apart. Anything but letters and digits of an owner's name is dropped."""
    owner = "".join(c for c in reader.owner if c.isalnum())[:40]
    return "".join(
        f"-{part}" for part in ("" if audience == "qa" else audience, owner, "private" if reader.privacy else "") if part
    )


def _write_whole(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(content, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
