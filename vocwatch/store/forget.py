"""Deleting what somebody has asked to be deleted: rows, bodies, samples, quotes in digests.

The refusal list comes first (`vocwatch.settings.refusals.append`), so that nothing is collected anew meanwhile; then
the rows, in one transaction with the proof; then the files. Each step can be repeated: what a kill leaves is found by
asking for the same once more.
"""

from __future__ import annotations

import datetime as dt
import gzip
import html
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.settings import Refusals, Settings
from vocwatch.store import StorageError, erase, outbox
from vocwatch.store.engine import Store, chunks
from vocwatch.store.pages import read_evidence
from vocwatch.store.schema import mentions, pages, revisions, shots, visits

MIN_RUN = 4
TELLING = 12  # a run of so many letters is nobody else's
PIECES = 12
Pieces = tuple[str, ...]  # all of them together tell a text
_WORDS = re.compile(r"[^\W_]+(?:[，、,][^\W_]+)*")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass
class ForgetReport:
    """What went, or in a dry run would go: rows by table, raw pages, files of samples and digests, quotes, unsent mails."""

    rows: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    shared: int = 0
    bodies: int = 0
    samples: int = 0
    quotes: int = 0
    letters: int = 0
    urls: list[str] = field(default_factory=list)


def forget(
    settings: Settings, store: Store, asked: Refusals, now: dt.datetime, *, dry_run: bool = False
) -> ForgetReport:
    """Delete everything stored that `asked` names. Raises StorageError, OSError.

    A raw page goes when it holds one of the texts, also when other mentions were read from it (`shared`): a page
    can't be proved genuine and be changed at the same time. Aggregates (counts of days and topics) stay.
    """
    report = ForgetReport()
    with store.read() as connection:
        ids = _asked_for(connection, asked)
        texts = erase.said(connection, ids)
        report.urls = sorted({one.url for one in texts})
    probes = sorted({pieces for one in texts for text in one.texts for pieces in pieces_of(text)})
    evidence = settings.env.data / "evidence"
    found = _pages(store, evidence, asked, ids, probes)
    report.pages, report.shared = len(found.ids), found.shared
    # Before the rows: without them nothing tells any more which samples hold their words.
    samples = list(_samples(settings, probes))
    report.samples = len(samples)
    if dry_run:
        report.rows = {"mentions": len(ids)} if ids else {}
        return report
    for path in samples:
        path.unlink(missing_ok=True)
    with erase.erasing(store) as connection:
        report.quotes = erase.redact_digests(connection, texts, erase.ASKED, links=True)
        report.letters = outbox.withdraw(connection, _letters(connection, probes), now)
        taken = set(_shots(connection, ids)) | found.shas
        _drop_visits(connection, ids, asked)
        for part in chunks(found.ids):
            connection.execute(pages.delete().where(pages.c.id.in_(part)))
        report.rows = erase.delete(connection, ids)
        if ids or found.ids:
            erase.record(connection, "request", None, _subject(asked), sum(report.rows.values()), now)
    report.bodies = erase.drop_bodies(store, evidence, taken)
    if evidence.is_dir():
        report.bodies += erase.sweep(store, evidence)
    erase.redact_files(store, settings.env.data / "digests")
    erase.settle(store)
    return report


def _subject(asked: Refusals) -> str:
    names = [e.url for e in asked.urls] + [e.author for e in asked.authors]
    return erase.subject_hash(*names, *(f"{e.source} {e.id}" for e in asked.ids))


def _asked_for(connection: Connection, asked: Refusals) -> list[int]:
    """Row ids of the mentions that the list names, with what belongs to a post named by address or number."""
    m = mentions.c
    query = sa.select(m.id, m.source, m.native_id, m.parent, m.url, m.author_key)
    rows = connection.execute(query).all()
    found, roots = set(), set()
    for row in rows:
        if asked.refuses(row.source, row.native_id, row.url, row.author_key, row.parent):
            found.add(row.id)
            if row.parent is None and not asked.authors:
                roots.add((row.source, row.native_id))
    found.update(row.id for row in rows if (row.source, row.parent) in roots)
    return sorted(found)


def _shots(connection: Connection, ids: Sequence[int]) -> Iterator[str]:
    for part in chunks(list(ids)):
        yield from connection.execute(sa.select(shots.c.sha256).where(shots.c.mention_id.in_(part))).scalars()


def _drop_visits(connection: Connection, ids: Sequence[int], asked: Refusals) -> None:
    """The memory of having read a page goes too, unless the author alone is refused: then it keeps us from asking."""
    wanted: set[tuple[str, str]] = set()
    for part in chunks(list(ids)):
        query = sa.select(mentions.c.source, mentions.c.native_id).where(mentions.c.id.in_(part))
        wanted.update((row.source, row.native_id) for row in connection.execute(query))
    for row in connection.execute(sa.select(visits.c.source, visits.c.url, visits.c.native_id)).all():
        named = asked.refuses(row.source, row.native_id, row.url)
        if named or (row.source, row.native_id) in wanted:
            where = sa.and_(visits.c.source == row.source, visits.c.url == row.url)
            if named:
                connection.execute(visits.delete().where(where))
            else:
                connection.execute(visits.update().where(where).values(carried={}))


# -- raw pages --------------------------------------------------------------------------------------------------


@dataclass
class _Found:
    ids: list[int] = field(default_factory=list)
    shas: set[str] = field(default_factory=set)
    shared: int = 0


def _pages(store: Store, folder: Path, asked: Refusals, ids: Sequence[int], probes: Sequence[Pieces]) -> _Found:
    """The stored pages that these mentions were read from, whose address is refused, or that hold their words."""
    found = _Found()
    with store.read() as connection:
        own: set[str] = set()
        sources: set[str] = set()
        for part in chunks(list(ids)):
            query = sa.select(revisions.c.page_sha).where(revisions.c.mention_id.in_(part))
            own.update(sha for sha in connection.execute(query).scalars() if sha)
            query = sa.select(mentions.c.source).distinct().where(mentions.c.id.in_(part))
            sources.update(connection.execute(query).scalars())
        p = pages.c
        rows = connection.execute(sa.select(p.id, p.source, p.sha256, p.url, p.final_url)).all()
    held: dict[str, bool] = {}
    for row in rows:
        if row.sha256 not in held:
            looked = probes if row.source in sources else ()
            held[row.sha256] = row.sha256 in own or (bool(looked) and _holds(folder, row.sha256, looked))
        if held[row.sha256] or asked.refuses_url(row.url) or asked.refuses_url(row.final_url):
            found.ids.append(row.id)
            found.shas.add(row.sha256)
    with store.read() as connection:
        gone = set(ids)
        for part in chunks(sorted(found.shas)):
            query = sa.select(revisions.c.mention_id, revisions.c.page_sha).where(revisions.c.page_sha.in_(part))
            others = {row.page_sha for row in connection.execute(query) if row.mention_id not in gone}
            found.shared += len(others)
    return found


def _holds(folder: Path, sha256: str, probes: Sequence[Pieces]) -> bool:
    try:
        return holds(read_evidence(folder, sha256), probes)
    except StorageError:
        return False  # nothing readable there


def pieces_of(text: str) -> list[Pieces]:
    """Return the pieces by which a text, or an excerpt of it, is found again in a raw page: any twelve letters in a
    row from its long runs, or all of its shorter ones together; nothing for a text that others write as well.
    """
    runs = [run for run in _WORDS.findall(text) if len(run) >= MIN_RUN]
    windows = [run[at:at + TELLING] for run in runs for at in range(0, len(run) - TELLING + 1, TELLING)]
    if windows:
        return [(window,) for window in dict.fromkeys(windows[:PIECES])]
    longest = sorted(dict.fromkeys(runs), key=len, reverse=True)[:PIECES]
    return [tuple(longest)] if sum(map(len, longest)) >= TELLING else []


def holds(body: bytes, probes: Sequence[Pieces]) -> bool:
    """Whether a raw page holds one of the texts, as UTF-8 or GB18030, in HTML or JSON escapes."""
    for encoding in ("utf-8", "gb18030"):
        plain = body.decode(encoding, "ignore")
        views = [plain]
        if "&" in plain:
            views.append(html.unescape(plain))
        if "\\u" in plain:
            views.append(_ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), plain))
        if any(all(piece in view for piece in pieces) for view in views for pieces in probes):
            return True
    return False


def _letters(connection: Connection, probes: Sequence[Pieces]) -> list[int]:
    """Messages that are not sent yet and hold the words."""
    return [number for number, text in outbox.unsent_texts(connection) if holds(text.encode(), probes)] if probes else []


def _samples(settings: Settings, probes: Sequence[Pieces]) -> Iterator[Path]:
    """Files that `source new` has saved and that hold the words."""
    for path in sorted((settings.env.data / "sources").glob("*/*")) if probes else ():
        try:
            body = path.read_bytes()
            body = gzip.decompress(body) if path.suffix == ".gz" else body
        except (OSError, EOFError, zlib.error):
            continue
        if holds(body, probes):
            yield path
