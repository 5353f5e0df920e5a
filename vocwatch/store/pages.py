"""Evidence and memory of the crawl: raw pages, which detail pages are read, what a source remembers.

The body of a page lies in the evidence folder under its own sha256, gzip'd. It is written and synced before the
row that names it, so that no row ever points at nothing.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import os
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.exits import StorageError
from vocwatch.lang import tr
from vocwatch.store.engine import chunks, upsert
from vocwatch.store.schema import pages, source_state, visits

PACKING = 3  # a third of level 6's extra time buys two thirds of its extra smallness
SECOND_LOOK = dt.timedelta(hours=24)  # from finding a page removed to settling it


@dataclass(frozen=True, slots=True)
class PageRow:
    """One body seen at one address; `sha256` is that of the decompressed body, `size` its bytes."""

    url: str
    final_url: str
    status: int
    headers: Mapping[str, str]
    sha256: str
    size: int
    fetched_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A detail page that was read to its end; `published_at` None marks a page of many posts.

    `changed_at` is when reading it again last brought something new, `missing_since` when it was first found
    removed.
    """

    url: str
    visited_at: dt.datetime
    native_id: str | None = None
    published_at: dt.datetime | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    changed_at: dt.datetime | None = None
    missing_since: dt.datetime | None = None
    whole: bool = False  # this reading brought as many comments as the post says it has; not stored


@dataclass(frozen=True, slots=True)
class Known:
    """The body that an address gave last, and what the site lets us ask about it."""

    sha256: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SourceState:
    """What a source remembers between runs."""

    high_water: dt.datetime | None = None
    next_allowed_at: dt.datetime | None = None
    blocks: int = 0  # blocked runs in a row


def evidence_path(folder: Path, sha256: str) -> Path:
    """Return where the evidence of that hash lies."""
    return folder / sha256[:2] / f"{sha256[2:]}.gz"


def keep_evidence(folder: Path, body: bytes) -> str:
    """Store a body under its own hash (once) and return the sha256. Raises StorageError when it can't be written."""
    sha256 = hashlib.sha256(body).hexdigest()
    write_evidence(evidence_path(folder, sha256), body)
    return sha256


def write_evidence(path: Path, body: bytes) -> None:
    """Write, sync, then name: what bears its name is whole and on the disk. Raises StorageError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        if path.exists():
            return
        packer = zlib.compressobj(PACKING, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        packed = packer.compress(body) + packer.flush()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb", buffering=0) as file:
                while packed:
                    packed = packed[file.write(packed):]
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(tr(
            f"写不了证据文件 {path}：{error.strerror}。请检查磁盘空间和目录权限",
            f"Cannot write the evidence file {path}: {error.strerror}. Check disk space and permissions",
        )) from error


def read_evidence(folder: Path, sha256: str) -> bytes:
    """Return a stored body. Raises StorageError when it is missing or not what its name says."""
    path = evidence_path(folder, sha256)
    try:
        body = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise StorageError(tr(
            f"读不到证据文件 {path}：{error}。可能已过保留期，或文件已损坏",
            f"Cannot read the evidence file {path}: {error}. It may be past its time, or damaged",
        )) from error
    if hashlib.sha256(body).hexdigest() != sha256:
        raise StorageError(tr(
            f"证据文件 {path} 与其哈希不符，内容已被改动，不能作为证据",
            f"The evidence file {path} does not match its hash: it was altered and is no evidence",
        ))
    return body


def record_pages(connection: Connection, source: str, run_id: int, rows: Sequence[PageRow]) -> None:
    """Record bodies; one that was seen at its address before keeps its first moment and moves its last."""
    unique = {(row.url, row.sha256): row for row in rows}
    upsert(connection, pages, [
        dict(run_id=run_id, source=source, url=row.url, final_url=row.final_url, status=row.status,
             headers=dict(row.headers), sha256=row.sha256, size=row.size, fetched_at=row.fetched_at,
             seen_at=row.fetched_at)
        for row in unique.values()
    ], ["source", "url", "sha256"], ["seen_at", "headers", "final_url", "status"])


def validators(connection: Connection, source: str, since: dt.datetime) -> dict[str, Known]:
    """Return, by final address, the newest bodies seen since then that the site gave an ETag or a date with."""
    query = sa.select(pages.c.final_url, pages.c.sha256, pages.c.headers).where(
        pages.c.source == source, pages.c.seen_at >= since, pages.c.status == 200
    ).order_by(pages.c.seen_at, pages.c.id)
    found: dict[str, Known] = {}
    for row in connection.execute(query):
        if "etag" in row.headers or "last-modified" in row.headers:
            found[row.final_url] = Known(row.sha256, row.headers)
        else:
            found.pop(row.final_url, None)  # the newest body has none: asking about an older one misleads
    return found


def record_visits(connection: Connection, source: str, rows: Sequence[Visit]) -> None:
    """Mark detail pages as read to their end, and so as there; a first reading brings something new by nature."""
    unique = {row.url: row for row in rows}
    known = find_visits(connection, source, list(unique))
    upsert(connection, visits, [
        dict(source=source, url=row.url, native_id=row.native_id, published_at=row.published_at,
             visited_at=row.visited_at, carried=dict(row.carried), missing_since=None,
             changed_at=row.changed_at or (known[row.url].changed_at if row.url in known else row.visited_at))
        for row in unique.values()
    ], ["source", "url"],
        ["native_id", "published_at", "visited_at", "carried", "changed_at", "missing_since"],
        ["native_id", "published_at", "changed_at"])


def mark_missing_visits(connection: Connection, source: str, now: dt.datetime, gone: Sequence[Visit]) -> None:
    """Note pages that were found removed: when first, and (as `visited_at`) when a second look a day later said so too."""
    known = find_visits(connection, source, [visit.url for visit in gone])
    rows: dict[str, dict[str, Any]] = {}
    for visit in gone:
        before = known.get(visit.url, visit)
        since = before.missing_since or now
        settled = before.missing_since is not None and now - since >= SECOND_LOOK
        rows[visit.url] = dict(
            source=source, url=visit.url, native_id=visit.native_id, carried={}, missing_since=since,
            visited_at=now if settled else before.visited_at,
        )
    upsert(connection, visits, list(rows.values()), ["source", "url"], ["missing_since", "visited_at"])


def find_visits(connection: Connection, source: str, urls: Sequence[str]) -> dict[str, Visit]:
    """Return the visits of these addresses, by address."""
    found: dict[str, Visit] = {}
    for part in chunks(list(dict.fromkeys(urls))):
        rows = connection.execute(sa.select(visits).where(visits.c.source == source, visits.c.url.in_(part)))
        found.update((row.url, _visit(row)) for row in rows)
    return found


def watched_visits(connection: Connection, source: str, since: dt.datetime) -> list[Visit]:
    """Return the pages that may have to be read again: post, or first found missing, not before `since`."""
    rows = connection.execute(
        sa.select(visits).where(
            visits.c.source == source, sa.or_(visits.c.published_at >= since, visits.c.missing_since >= since)
        ).order_by(visits.c.published_at.desc(), visits.c.url)
    )
    return [_visit(row) for row in rows]


def _visit(row: Any) -> Visit:
    return Visit(
        row.url, row.visited_at, row.native_id, row.published_at, row.carried or {}, row.changed_at, row.missing_since
    )


def read_state(connection: Connection, source: str) -> SourceState:
    """Return what the source remembers."""
    row = connection.execute(sa.select(source_state).where(source_state.c.source == source)).first()
    return SourceState(row.high_water, row.next_allowed_at, row.blocks) if row else SourceState()


def write_state(
    connection: Connection, source: str, now: dt.datetime, high_water: dt.datetime | None = None,
    next_allowed_at: dt.datetime | None = None, blocks: int = 0,
) -> None:
    """Move the high-water mark (forward only; None keeps it) and set or clear the moment before which to stay away."""
    known = read_state(connection, source).high_water
    if known and (high_water is None or high_water < known):
        high_water = known
    upsert(connection, source_state, [
        dict(source=source, high_water=high_water, next_allowed_at=next_allowed_at, blocks=blocks, updated_at=now)
    ], ["source"], ["high_water", "next_allowed_at", "blocks", "updated_at"])


def count_pages(connection: Connection, run_id: int) -> int:
    """Return how many new bodies a run has brought."""
    return connection.execute(sa.select(sa.func.count()).where(pages.c.run_id == run_id)).scalar_one()
