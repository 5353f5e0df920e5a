"""Taking stored texts and bodies away: the parts that retention and requests for deletion share.

Rows go first, in one transaction with the row of `erasures` that proves it; files follow. A kill in between leaves
files that no row names, and the next sweep takes them away.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from markupsafe import escape
from sqlalchemy import Connection

from vocwatch.store import cases
from vocwatch.store.desk.words import compact
from vocwatch.store.engine import Store, chunks
from vocwatch.store.pages import evidence_path
from vocwatch.store.people_schema import objections
from vocwatch.store.schema import (
    alerts,
    assessments,
    digests,
    engagement,
    erasures,
    feedback,
    hits,
    incident_days,
    incident_members,
    incidents,
    mentions,
    pages,
    revisions,
    shots,
)

DELETED = "（原帖已删除，按规定清除）"
EXPIRED = "（已过保留期，按规定清除）"
ASKED = "（应当事人要求，按规定清除）"
PLACEHOLDERS = frozenset({DELETED, EXPIRED, ASKED})
BATCH = 500


@contextmanager
def erasing(store: Store) -> Iterator[Connection]:
    """Open a transaction in which SQLite overwrites what is deleted instead of only letting go of it."""
    with store.begin() as connection:
        if store.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        yield connection


def settle(store: Store) -> None:
    """Write the word index without what was taken out of it, and empty SQLite's write-ahead log, which still holds the
    pages as they were.
    """
    if store.dialect == "sqlite":
        with erasing(store) as connection:
            compact(connection)
        with store.engine.connect() as plain:
            raw = plain.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()


def record(connection: Connection, why: str, source: str | None, subject: str, rows: int, now: dt.datetime) -> None:
    """Prove a deletion: one row of `erasures`."""
    connection.execute(erasures.insert().values(why=why, source=source, subject=subject[:200], rows=rows, at=now))


def subject_hash(*parts: str) -> str:
    """Return how a person or address is named in the proof of its deletion."""
    return "sha256:" + hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


# -- texts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that one mention ever said: its address and the texts of its revisions (title and text)."""

    mention_id: int
    url: str
    texts: tuple[str, ...]


def said(connection: Connection, ids: Sequence[int]) -> list[Said]:
    """Return what these mentions said, as far as it is still stored."""
    texts: dict[int, list[str]] = defaultdict(list)
    urls: dict[int, str] = {}
    for part in chunks(list(ids)):
        query = sa.select(mentions.c.id, mentions.c.url, revisions.c.title, revisions.c.text).join(
            revisions, revisions.c.mention_id == mentions.c.id
        ).where(mentions.c.id.in_(part))
        for row in connection.execute(query):
            urls[row.id] = row.url
            text = f"{row.title}\n{row.text}" if row.title else row.text
            if text.strip():
                texts[row.id].append(text)
    return [Said(key, url, tuple(texts[key])) for key, url in urls.items()]


def blank(connection: Connection, ids: Sequence[int], now: dt.datetime, *, unlink: bool) -> None:
    """Empty all texts of mentions and what quotes them; counts, topics and scores stay.

    `unlink` also takes the hash of the text away, so that a post that comes back is read as new; without it a post
    that still stands is recognised and not stored again.
    """
    for part in chunks(list(ids), BATCH):
        values: dict[str, Any] = {"title": None, "text": ""}
        if unlink:
            values["text_sha"] = sa.literal("purged-").concat(sa.cast(revisions.c.id, sa.String))
        connection.execute(revisions.update().where(revisions.c.mention_id.in_(part)).values(values))
        connection.execute(mentions.update().where(mentions.c.id.in_(part)).values(purged_at=now, author_key=None, order_key=None))
        _blank_judgement(connection, part, unlink)
        connection.execute(shots.delete().where(shots.c.mention_id.in_(part)))
        told = sa.and_(feedback.c.subject_kind == "mention", feedback.c.subject_id.in_([str(key) for key in part]))
        contested = objections.c.feedback_id.in_(sa.select(feedback.c.id).where(told))
        connection.execute(objections.update().where(contested).values(reason="", note=None))
        connection.execute(feedback.update().where(told).values(note=None))  # it may quote
        cases.forget(connection, part)


def _blank_judgement(connection: Connection, ids: Sequence[int], unlink: bool) -> None:
    a, h = assessments.c, hits.c
    if unlink:
        connection.execute(assessments.update().where(a.text_kind == "mention", a.ref_id.in_(ids)).values(text_sha=""))
    connection.execute(hits.update().where(h.text_kind == "mention", h.ref_id.in_(ids)).values(matched=""))
    query = sa.select(a.id, a.red_lines).where(a.text_kind == "mention", a.ref_id.in_(ids))
    updates = [
        {"which": row.id, "lines": [{**line, "matched": ""} for line in row.red_lines]}
        for row in connection.execute(query) if row.red_lines
    ]
    if updates:
        connection.execute(
            assessments.update().where(a.id == sa.bindparam("which")).values(red_lines=sa.bindparam("lines")), updates
        )


def delete(connection: Connection, ids: Sequence[int]) -> dict[str, int]:
    """Delete mentions and every row that speaks of them; returns how many rows went, by table.

    An incident that consisted of nothing else goes with them; others keep their counts.
    """
    gone: dict[str, int] = defaultdict(int)
    for part in chunks(list(ids), BATCH):
        met = list(connection.execute(sa.select(incident_members.c.incident_id).distinct().where(
            incident_members.c.text_kind == "mention", incident_members.c.ref_id.in_(part)
        )).scalars())
        m = incident_members.c
        connection.execute(incident_members.update().where(m.text_kind == "mention", m.cluster.in_(part)).values(
            cluster=m.ref_id
        ))
        for table in (hits, assessments, incident_members):
            where = sa.and_(table.c.text_kind == "mention", table.c.ref_id.in_(part))
            gone[table.name] += connection.execute(table.delete().where(where)).rowcount
        for table in (engagement, shots, revisions):
            gone[table.name] += connection.execute(table.delete().where(table.c.mention_id.in_(part))).rowcount
        told = sa.and_(feedback.c.subject_kind == "mention", feedback.c.subject_id.in_([str(key) for key in part]))
        gone["feedback"] += connection.execute(feedback.delete().where(told)).rowcount
        cases.forget(connection, part)
        gone["mentions"] += connection.execute(mentions.delete().where(mentions.c.id.in_(part))).rowcount
        gone["incidents"] += _drop_hollow(connection, met)
    _forget_in_alerts(connection, set(ids))
    return {name: number for name, number in gone.items() if number}


def _drop_hollow(connection: Connection, ids: Sequence[str]) -> int:
    gone = 0
    for part in chunks(list(ids), BATCH):
        filled = sa.select(incident_members.c.incident_id).where(incident_members.c.incident_id.in_(part))
        hollow = [key for key in part if key not in set(connection.execute(filled).scalars())]
        connection.execute(alerts.delete().where(alerts.c.incident_id.in_(hollow)))
        connection.execute(incident_days.delete().where(incident_days.c.incident_id.in_(hollow)))
        gone += connection.execute(incidents.delete().where(incidents.c.id.in_(hollow))).rowcount
    return gone


def _forget_in_alerts(connection: Connection, ids: set[int]) -> None:
    for row in connection.execute(sa.select(alerts.c.id, alerts.c.mention_ids)).all():
        left = [key for key in row.mention_ids if key not in ids]
        if len(left) < len(row.mention_ids):
            connection.execute(alerts.update().where(alerts.c.id == row.id).values(mention_ids=left))


# -- digests --------------------------------------------------------------------------------------------------


def redact_digests(connection: Connection, gone: Iterable[Said], words: str, *, links: bool = False) -> int:
    """Put `words` in the place of quotes from these mentions in stored digests; returns how many were replaced.

    `links` takes their addresses out as well.
    """
    by_url: dict[str, list[str]] = defaultdict(list)
    for one in gone:
        by_url[one.url] += one.texts or ("",)
    if not by_url:
        return 0
    replaced = 0
    for row in connection.execute(sa.select(digests.c.id, digests.c.content)).all():
        content = json.loads(json.dumps(row.content))
        found = _redact(content, by_url, words, links)
        if content != row.content:
            connection.execute(digests.update().where(digests.c.id == row.id).values(content=content))
        replaced += found
    return replaced


def _redact(content: dict[str, Any], by_url: Mapping[str, Sequence[str]], words: str, links: bool) -> int:
    replaced = 0
    for risk in _told(content):
        for quote in risk.get("quotes", ()):
            texts = by_url.get(quote.get("url", ""))
            if texts is not None and quote["text"] not in PLACEHOLDERS and _quoted(quote["text"], texts):
                quote["text"] = words
                replaced += 1
                if links:
                    quote["url"], quote["evidence"] = "", None
    if links:
        for part in _naming(content):
            part["mention_urls"] = [url for url in part["mention_urls"] if url not in by_url]
        for link in content.get("exposures", {}).get("links", ()):
            link["url"] = "" if link.get("url") in by_url else link.get("url")
    return replaced


def _told(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The incidents of a digest that may carry quotes: cards, those behind the cards, red lines to be checked."""
    return [risk for key in ("risks", "others", "to_check") for risk in content.get(key, ())]


def _naming(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a digest that name mentions by their addresses."""
    parts = [_told(content), *(content.get(key, ()) for key in ("alerts", "emerging", "movers"))]
    parts.append(content.get("internal", {}).get("reasons", ()))
    return [part for each in parts for part in each if part.get("mention_urls")]


def _quoted(quote: str, texts: Sequence[str]) -> bool:
    """Whether a quote was cut from one of the texts (several mentions may share an address)."""
    core = "".join(quote.strip("…").split())
    return any(not text or core in "".join(text.split()) for text in texts) or not core


def redact_files(store: Store, folder: Path) -> int:
    """Take quotes that are gone from stored digests out of the files written of them, whoever they were written for;
    returns how many files changed. Pictures, PDFs and workbooks of the day are deleted: they are made anew in a moment.

    The JSON file is changed last: while it still holds a quote, the others are looked at again.
    """
    with store.read() as connection:
        rows = connection.execute(sa.select(digests.c.day, digests.c.audience, digests.c.content)).all()
    changed = 0
    for row in rows:
        stem = f"digest-{row.day.isoformat()}" + ("" if row.audience == "qa" else f"-{row.audience}")
        path = folder / f"{stem}.json"
        with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
            written = json.loads(path.read_text(encoding="utf-8"))
            lost, links = _lost_quotes(row.content, written), _links(written) - _links(row.content) - {"#"}
            if lost or links:
                beside = sorted(set(folder.glob(f"digest-{row.day.isoformat()}*")) - {path}, key=lambda p: (p.suffix == ".json", p))
                changed += sum(_clean(one, lost, links) for one in (*beside, path))
    return changed


def _clean(path: Path, lost: Mapping[str, str], links: set[str]) -> bool:
    if path.suffix in (".html", ".txt", ".json"):
        return _replace_in(path, lost, links)
    path.unlink(missing_ok=True)
    return True


def _lost_quotes(stored: dict[str, Any], written: dict[str, Any]) -> dict[str, str]:
    lost = {}
    old = {(r["incident"], n): q["text"] for r in _told(written) for n, q in enumerate(r.get("quotes", ()))}
    for risk in _told(stored):
        for number, quote in enumerate(risk.get("quotes", ())):
            before = old.get((risk["incident"], number))
            if quote["text"] in PLACEHOLDERS and before is not None and before != quote["text"]:
                lost[before] = quote["text"]
    return lost


def _links(content: dict[str, Any]) -> set[str]:
    """The addresses of mentions that a digest names."""
    named = {url for part in _naming(content) for url in part["mention_urls"]}
    named |= {link["url"] for link in content.get("exposures", {}).get("links", ()) if link["url"]}
    return named | {quote["url"] for risk in _told(content) for quote in risk.get("quotes", ()) if quote["url"]}


def _replace_in(path: Path, lost: Mapping[str, str], links: set[str]) -> bool:
    try:
        before = text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    for quote, words in lost.items():
        in_json = json.dumps(quote, ensure_ascii=False)[1:-1]
        in_html = quote.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for form in (str(escape(quote)), in_html, in_json, quote):
            text = text.replace(form, words)
    for url in links:
        for form in {str(escape(url)), url}:
            text = re.sub(re.escape(form) + r"(?![\w/?=&%#.~-])", "#", text)
    if text == before:
        return False
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return True


# -- bodies ---------------------------------------------------------------------------------------------------


def named(connection: Connection, shas: Iterable[str]) -> set[str]:
    """Return those of the hashes that a page or a screenshot still names."""
    found: set[str] = set()
    for part in chunks(sorted(set(shas))):
        for column in (pages.c.sha256, shots.c.sha256):
            found.update(connection.execute(sa.select(column).where(column.in_(part))).scalars())
    return found


def drop_bodies(store: Store, folder: Path, shas: Iterable[str]) -> int:
    """Remove the bodies that no row names any more; returns how many files went."""
    wanted = set(shas)
    with store.read() as connection:
        left = wanted - named(connection, wanted)
    gone = 0
    for sha256 in left:
        with contextlib.suppress(FileNotFoundError):
            evidence_path(folder, sha256).unlink()
            gone += 1
    return gone


def sweep(store: Store, folder: Path, before: dt.datetime | None = None, *, dry_run: bool = False) -> int:
    """Remove evidence files that no row names and that were written before `before` (any time); returns how many.

    Such files are what a kill between rows and files leaves, or a crawl that was killed before its batch was written.
    """
    gone = 0
    for place in sorted(folder.glob("??")):
        files = {f"{place.name}{path.name.removesuffix('.gz')}": path for path in place.iterdir()
                 if before is None or path.stat().st_mtime < before.timestamp()}
        with store.read() as connection:
            known = named(connection, [key for key in files if len(key) == 64])
        for key, path in files.items():
            if key not in known:
                gone += 1
                if not dry_run:
                    path.unlink(missing_ok=True)
    return gone
