"""Mentions and their revisions: written in batches, safe to write twice.

A mention is (source, native id). Its first sight stays, its last sight moves; a different text adds a revision
and becomes the newest one. A row read from a listing (`partial`) only fills what is missing and never replaces
what its own page said.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import chunks, upsert
from vocwatch.store.pages import SECOND_LOOK
from vocwatch.store.schema import engagement, mentions, revisions

PRECISIONS = ("none", "day", "hour", "minute", "second")  # from the coarsest to the finest
_NATIVE_ID_LENGTH = 300
_COUNTS = ("likes", "replies", "shares", "views")
_KEEP = ("parent", "author_key", "order_key", "rating", *_COUNTS, "product", "sku", "shop")
_UPDATE = ("url", "kind", "published_at", "precision", "last_seen_at", "missing_since", "gone_at", *_KEEP)
_counts, _kept = attrgetter(*_COUNTS), attrgetter(*_KEEP)
_UNCOUNTED = (None,) * len(_COUNTS)


@dataclass(slots=True)
class MentionRow:
    """One mention as it goes into the store: already masked, its author already a pseudonym."""

    native_id: str
    url: str
    kind: str
    text: str
    title: str | None = None
    author_key: str | None = None
    order_key: str | None = None
    published_at: dt.datetime | None = None
    precision: str = "none"
    rating: float | None = None
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None
    parent: str | None = None
    product: str | None = None
    sku: str | None = None
    shop: str | None = None
    page_sha: str | None = None
    partial: bool = False

    @property
    def text_sha(self) -> str:
        """Identity of the text, title included."""
        return hashlib.sha256(f"{self.title or ''}\n{self.text}".encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Saved:
    """What a batch changed: mentions that are new, known ones whose text is new, and the posts that this is about."""

    new: int = 0
    changed: int = 0
    touched: frozenset[str] = frozenset()


def identity(native_id: str) -> str:
    """Return a native id that fits its column: an overlong one is cut and closed with its hash."""
    if len(native_id) <= _NATIVE_ID_LENGTH:
        return native_id
    return f"{native_id[:_NATIVE_ID_LENGTH - 65]}~{hashlib.sha256(native_id.encode('utf-8', 'replace')).hexdigest()}"


def save(connection: Connection, source: str, rows: Iterable[MentionRow], now: dt.datetime) -> Saved:
    """Write a batch of mentions of one source with their texts; writing the same batch again changes nothing."""
    batch = _merged(rows)
    if not batch:
        return Saved()
    known = _known_rows(connection, source, list(batch))
    values = [_values(source, row, known.get(row.native_id), now) for row in batch.values()]
    upsert(connection, mentions, values, ["source", "native_id"], _UPDATE, _KEEP)
    fresh = [native_id for native_id in batch if native_id not in known]
    ids = {native_id: row.id for native_id, row in known.items()}
    ids.update(_ids(connection, source, fresh))
    changed = _save_revisions(connection, batch, known, ids, now)
    _save_engagement(connection, batch, known, ids, now)
    touched = frozenset(batch[native_id].parent or native_id for native_id in (*fresh, *changed))
    return Saved(len(fresh), len(changed), touched)


def _save_engagement(
    connection: Connection, batch: dict[str, MentionRow], known: dict[str, Any], ids: dict[str, int], now: dt.datetime
) -> None:
    """Add a row to the series of each mention whose counts have moved; a count that is not shown stays as it was."""
    rows = []
    for native_id, row in batch.items():
        before, new = known.get(native_id), _counts(row)
        old = _UNCOUNTED if before is None else _counts(before)
        if new != old:
            new = tuple(kept if fresh is None else fresh for kept, fresh in zip(old, new, strict=True))
        if new != old:
            rows.append({"mention_id": ids[native_id], "seen_at": now, **dict(zip(_COUNTS, new, strict=True))})
    upsert(connection, engagement, rows, ["mention_id", "seen_at"], _COUNTS)


def engagement_series(connection: Connection, mention_id: int) -> list[dict[str, Any]]:
    """Return how the counts of a mention went on, oldest first."""
    query = sa.select(engagement).where(engagement.c.mention_id == mention_id).order_by(engagement.c.seen_at)
    return [dict(row._mapping) for row in connection.execute(query)]


def _merged(rows: Iterable[MentionRow]) -> dict[str, MentionRow]:
    """One row for each mention: the page's own reading before the listing's, the later before the earlier."""
    batch: dict[str, MentionRow] = {}
    for row in rows:
        native_id, parent = identity(row.native_id), identity(row.parent) if row.parent else None
        fits = native_id == row.native_id and parent == row.parent
        fitted = row if fits else replace(row, native_id=native_id, parent=parent)
        earlier = batch.get(fitted.native_id)
        if earlier is None:
            batch[fitted.native_id] = fitted
        elif fitted.partial and not earlier.partial:
            batch[fitted.native_id] = _filled(earlier, fitted)
        else:
            batch[fitted.native_id] = _filled(fitted, earlier)
    return batch


def _filled(strong: MentionRow, weak: MentionRow) -> MentionRow:
    missing = {
        name.name: getattr(weak, name.name) for name in fields(MentionRow)
        if getattr(strong, name.name) is None and name.name not in ("title", "published_at")
    }
    if _finer(weak.published_at, weak.precision, strong.published_at, strong.precision):
        missing.update(published_at=weak.published_at, precision=weak.precision)
    return replace(strong, **missing)


def _finer(
    new: dt.datetime | None, new_precision: str, old: dt.datetime | None, old_precision: str
) -> bool:
    """Whether a newly read time replaces the stored one: there was none, or it is told more exactly."""
    if new is None:
        return False
    return old is None or PRECISIONS.index(new_precision) > PRECISIONS.index(old_precision)


def _values(source: str, row: MentionRow, known: Any | None, now: dt.datetime) -> dict[str, Any]:
    first_seen = known.first_seen_at if known else now
    published, precision = row.published_at, row.precision
    if known and not _finer(published, precision, known.published_at, known.precision):
        published, precision = known.published_at, known.precision
    value = dict(
        source=source, native_id=row.native_id, url=row.url, kind=row.kind, first_seen_at=first_seen,
        last_seen_at=max(now, known.last_seen_at) if known else now, missing_since=None, gone_at=None,
        published_at=min(published, first_seen) if published else None, precision=precision,
    )
    value.update(zip(_KEEP, _kept(row), strict=True))
    if known and known.purged_at and (row.partial or known.text_sha == row.text_sha):
        value["author_key"] = value["order_key"] = None  # past its time here, though it still stands there
    if known and row.partial:
        value.update((name, getattr(known, name)) for name in ("url", "kind", *_KEEP)
                     if getattr(known, name) is not None)
    return value


def _known_rows(connection: Connection, source: str, native_ids: Sequence[str]) -> dict[str, Any]:
    joined = mentions.outerjoin(revisions, revisions.c.id == mentions.c.revision_id)
    found: dict[str, Any] = {}
    for part in chunks(native_ids):
        query = sa.select(mentions, revisions.c.text_sha).select_from(joined).where(
            mentions.c.source == source, mentions.c.native_id.in_(part)
        )
        found.update((row.native_id, row) for row in connection.execute(query))
    return found


def _ids(connection: Connection, source: str, native_ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(native_ids):
        query = sa.select(mentions.c.native_id, mentions.c.id).where(
            mentions.c.source == source, mentions.c.native_id.in_(part)
        )
        found.update((native_id, number) for native_id, number in connection.execute(query))
    return found


def _save_revisions(
    connection: Connection, batch: dict[str, MentionRow], known: dict[str, Any], ids: dict[str, int],
    now: dt.datetime,
) -> list[str]:
    """Add the texts that are not the newest yet and point their mentions at them; returns known ones changed."""
    wanted: dict[int, tuple[str, MentionRow]] = {}
    changed: list[str] = []
    for native_id, row in batch.items():
        before = known.get(native_id)
        newest = before.text_sha if before is not None else None
        sha = row.text_sha
        if newest is not None and (row.partial or newest == sha):
            continue
        if newest is not None:
            changed.append(native_id)
        wanted[ids[native_id]] = (sha, row)
    upsert(connection, revisions, [
        dict(mention_id=mention_id, text_sha=sha, title=row.title, text=row.text, seen_at=now,
             page_sha=row.page_sha)
        for mention_id, (sha, row) in wanted.items()
    ], ["mention_id", "text_sha"])
    if wanted:
        newest_text = sa.select(revisions.c.id).where(
            revisions.c.mention_id == sa.bindparam("which"), revisions.c.text_sha == sa.bindparam("sha")
        )
        connection.execute(
            mentions.update().where(mentions.c.id == sa.bindparam("which"))
            .values(revision_id=newest_text.scalar_subquery(), purged_at=None),
            [{"which": mention_id, "sha": sha} for mention_id, (sha, _) in wanted.items()],
        )
    return changed


def known_since(connection: Connection, source: str, native_ids: Sequence[str]) -> dict[str, dt.datetime]:
    """Return, for those of the native ids that are stored, when they were published (or first seen)."""
    found: dict[str, dt.datetime] = {}
    fitted = {identity(native_id): native_id for native_id in native_ids}
    for part in chunks(list(fitted)):
        query = sa.select(mentions.c.native_id, mentions.c.published_at, mentions.c.first_seen_at).where(
            mentions.c.source == source, mentions.c.native_id.in_(part)
        )
        found.update(
            (fitted[row.native_id], row.published_at or row.first_seen_at) for row in connection.execute(query)
        )
    return found


@dataclass(frozen=True, slots=True)
class Missed:
    """What came of finding posts removed: how many rows were marked as missing, and how many as deleted."""

    missing: int = 0
    deleted: int = 0

    def __add__(self, other: Missed) -> Missed:
        return Missed(self.missing + other.missing, self.deleted + other.deleted)


def mark_missing(
    connection: Connection, source: str, now: dt.datetime, native_ids: Sequence[str] = (),
    urls: Sequence[str] = (),
) -> Missed:
    """Note that posts (and what belongs to them) were found removed.

    The first time they count as missing; found removed again at least 24 hours later, as deleted. Seen again in
    between, `save` makes them present.
    """
    roots: set[str] = set()
    for column, keys in ((mentions.c.native_id, [identity(key) for key in native_ids]), (mentions.c.url, urls)):
        for part in chunks(list(keys)):
            query = sa.select(mentions.c.native_id).where(mentions.c.source == source, column.in_(part))
            roots.update(connection.execute(query).scalars())
    missing = deleted = 0
    for part in chunks(sorted(roots)):
        theirs = sa.and_(
            mentions.c.source == source, mentions.c.gone_at.is_(None),
            sa.or_(mentions.c.native_id.in_(part), mentions.c.parent.in_(part)),
        )
        deleted += connection.execute(
            mentions.update().where(theirs, mentions.c.missing_since <= now - SECOND_LOOK).values(gone_at=now)
        ).rowcount
        missing += connection.execute(
            mentions.update().where(theirs, mentions.c.missing_since.is_(None)).values(missing_since=now)
        ).rowcount
    return Missed(missing, deleted)


def mark_missing_children(
    connection: Connection, source: str, now: dt.datetime, roots: Sequence[str], since: dt.datetime
) -> Missed:
    """The same for comments: of these posts, read whole since then, those that were not among what was read."""
    absent: list[str] = []
    for part in chunks([identity(root) for root in roots]):
        absent += connection.execute(sa.select(mentions.c.native_id).where(
            mentions.c.source == source, mentions.c.parent.in_(part), mentions.c.gone_at.is_(None),
            mentions.c.last_seen_at < since,
        )).scalars()
    return mark_missing(connection, source, now, absent)


@dataclass(frozen=True, slots=True)
class Unseen:
    """A stored post that a crawl has not come across."""

    native_id: str
    url: str
    published_at: dt.datetime | None
    last_seen_at: dt.datetime
    missing_since: dt.datetime | None


def unseen(connection: Connection, source: str, before: dt.datetime, since: dt.datetime) -> list[Unseen]:
    """Return the posts last seen before `before` and published (or found missing) since `since`, newest first."""
    query = sa.select(
        mentions.c.native_id, mentions.c.url, mentions.c.published_at, mentions.c.last_seen_at,
        mentions.c.missing_since,
    ).where(
        mentions.c.source == source, mentions.c.parent.is_(None), mentions.c.gone_at.is_(None),
        mentions.c.last_seen_at < before,
        sa.or_(mentions.c.published_at >= since, mentions.c.missing_since >= since),
    ).order_by(mentions.c.published_at.desc(), mentions.c.id)
    return [Unseen(*row) for row in connection.execute(query)]


def mark_present(connection: Connection, source: str, now: dt.datetime, native_ids: Sequence[str]) -> None:
    """Note that posts are still there, though nothing of them was read."""
    for part in chunks([identity(key) for key in native_ids]):
        connection.execute(
            mentions.update().where(mentions.c.source == source, mentions.c.native_id.in_(part))
            .values(last_seen_at=now, missing_since=None)
        )


def earliest_between(
    connection: Connection, source: str, stretches: Sequence[tuple[dt.datetime, dt.datetime]]
) -> dt.datetime | None:
    """Return the earliest publication time of a post in any of the stretches (after, until]."""
    if not stretches:
        return None
    published = mentions.c.published_at
    query = sa.select(sa.func.min(published)).where(
        mentions.c.source == source, mentions.c.parent.is_(None), mentions.c.gone_at.is_(None),
        sa.or_(*(sa.and_(published > after, published <= until) for after, until in stretches)),
    )
    earliest: dt.datetime | None = connection.execute(query).scalar_one()
    return earliest


def newest_published(connection: Connection, source: str) -> dt.datetime | None:
    """Return the newest publication time stored for a source."""
    query = sa.select(sa.func.max(mentions.c.published_at)).where(mentions.c.source == source)
    newest: dt.datetime | None = connection.execute(query).scalar_one()
    return newest
