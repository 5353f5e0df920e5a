"""Traces: in short what each judged text adds to volumes, baselines and clusters of its day.

Triggers note in `changes` every text that was judged, moved or erased. `reports.traces` makes their traces anew, so
that judging a day reads narrow rows of the past instead of texts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import BATCH, MANY, among, chunks, upsert
from vocwatch.store.incidents import VOICES, placed_at
from vocwatch.store.schema import assessments, changes, day_words, mentions, traces

FETCH = 20_000
_KEY = ("text_kind", "ref_id")
Key = tuple[str, int]


@dataclass(slots=True)
class Trace:
    """One row of `traces`; see there for the columns. `signature` are 64 little-endian numbers of 4 bytes."""

    text_kind: str
    ref_id: int
    day: int
    made_with: int
    channel: str
    counted: bool
    negative: bool
    complains: bool
    moment: int
    native_id: str | None = None
    parent: str | None = None
    author: str | None = None
    product: str | None = None
    topics: str | None = None
    signature: bytes | None = None
    clauses: bytes | None = None
    twins: str | None = None


_NAMES = tuple(field.name for field in fields(Trace))
_values = attrgetter(*_NAMES)


class Basics(NamedTuple):
    """What decides whether a mention has a trace, and which."""

    ref_id: int
    source: str
    placed: dt.datetime
    counted: bool
    complains: bool
    negative: bool


def queued(connection: Connection, limit: int | None = None) -> tuple[list[int], set[Key]]:
    """Return the oldest waiting rows of the queue, and the texts that they name."""
    c = changes.c
    rows = connection.execute(sa.select(c.id, c.text_kind, c.ref_id).order_by(c.id).limit(limit)).all()
    return [number for number, _, _ in rows], {(kind, ref) for _, kind, ref in rows}


def enqueue_stale(connection: Connection, since: int, until: int, made_with: int) -> None:
    """Put the texts of the days [since, until] whose traces were made with other settings into the queue."""
    t = traces.c
    stale = sa.select(t.text_kind, t.ref_id).where(t.day >= since, t.day <= until, t.made_with != made_with)
    connection.execute(changes.insert().from_select(_KEY, stale))


def stale(connection: Connection, since: int, until: int, made_with: int) -> set[Key]:
    """Return the texts of the days [since, until] whose traces were made with other settings."""
    t = traces.c
    query = sa.select(t.text_kind, t.ref_id).where(t.day >= since, t.day <= until, t.made_with != made_with)
    return {(row.text_kind, row.ref_id) for row in connection.execute(query)}


def replace(
    connection: Connection, keys: Collection[Key], rows: Sequence[Trace], done: Sequence[int] = (), days: Collection[int] = (),
) -> None:
    """Write the traces of texts; those of `keys` without a row lose theirs. `done` leaves the queue.

    The words of the days that this changes have to be counted anew: those of the `days` on which the mentions stood.
    """
    kept = {(row.text_kind, row.ref_id) for row in rows}
    forget_words(connection, {*days, *(row.day for row in rows if row.text_kind == "mention")})
    for kind in ("mention", "session"):
        for part in chunks(sorted(ref for owner, ref in set(keys) - kept if owner == kind), MANY):
            connection.execute(traces.delete().where(traces.c.text_kind == kind, among(connection, traces.c.ref_id, part)))
    ordered = sorted(rows, key=attrgetter(*_KEY))
    for some in chunks(ordered, BATCH):  # not all at once: a day's rows would take much room
        values = [dict(zip(_NAMES, _values(row), strict=True)) for row in some]
        upsert(connection, traces, values, _KEY, [name for name in _NAMES if name not in _KEY])
    for part in chunks(done, MANY):
        connection.execute(changes.delete().where(among(connection, changes.c.id, part)))


def basics(connection: Connection, ids: Collection[int]) -> list[Basics]:
    """Return what is judged of mentions, by row id; those without a judgement are left out."""
    m, a = mentions.c, assessments.c
    heard = sa.and_(a.refused.is_(None), a.voice.in_(VOICES))
    negative = a.sentiment == "negative"
    query = (
        sa.select(
            m.id, m.source, placed_at().label("placed"), sa.and_(heard, a.brand_match),
            sa.and_(heard, sa.or_(a.brand_match, m.parent.is_not(None)), sa.or_(negative, a.severity >= 1)), negative,
        )
        .join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
    )
    return [
        Basics._make(row) for part in chunks(sorted(ids), MANY)
        for row in connection.execute(query.where(among(connection, m.id, part)))
    ]


WINDOW = (
    "text_kind", "ref_id", "day", "channel", "negative", "moment", "native_id", "parent", "author", "product", "topics",
    "clauses", "twins",
)


def window(connection: Connection, since: int, until: int) -> Iterator[Sequence[Any]]:
    """Yield the complaints of the days [since, until] as tuples of the WINDOW columns, in no order."""
    t = traces.c
    query = sa.select(*(t[name] for name in WINDOW)).where(t.complains, t.day >= since, t.day <= until)
    for part in connection.execute(query.execution_options(yield_per=FETCH)).partitions():
        yield from part


def window_of(connection: Connection, keys: Collection[Key]) -> Iterator[Sequence[Any]]:
    """Yield the same of single texts."""
    t = traces.c
    query = sa.select(*(t[name] for name in WINDOW)).where(t.complains)
    for kind in ("mention", "session"):
        for part in chunks(sorted(ref for owner, ref in keys if owner == kind), MANY):
            yield from connection.execute(query.where(t.text_kind == kind, among(connection, t.ref_id, part)))


def ties(connection: Connection, since: int, until: int) -> Iterator[Sequence[tuple[int, bytes | None, str | None]]]:
    """Yield (mention id, signature, twins) of those of the days [since, until] that have either, some thousands at a time."""
    t = traces.c
    signed = sa.and_(t.complains, t.signature.is_not(None))
    query = sa.select(t.ref_id, sa.case((signed, t.signature)), t.twins).where(
        t.day >= since, t.day <= until, t.text_kind == "mention", sa.or_(signed, t.twins.is_not(None))
    )
    for part in connection.execute(query.execution_options(yield_per=FETCH)).partitions():
        yield [(ref, bare, twins) for ref, bare, twins in part]


def negatives(connection: Connection, since: int, until: int) -> list[int]:
    """Return the brand's negative mentions of the days [since, until]: their row ids, in no order."""
    t = traces.c
    query = sa.select(t.ref_id).where(
        t.day >= since, t.day <= until, t.counted, t.negative, t.text_kind == "mention", t.channel != "sessions"
    )
    return list(connection.execute(query).scalars())


def twins(connection: Connection) -> list[tuple[int, str]]:
    """Return (mention id, twins) of all copies."""
    query = sa.select(traces.c.ref_id, traces.c.twins).where(traces.c.text_kind == "mention", traces.c.twins.is_not(None))
    return [(row.ref_id, row.twins) for row in connection.execute(query)]


def days_of(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Return the day of those of the mentions that have a trace."""
    query = sa.select(traces.c.ref_id, traces.c.day).where(traces.c.text_kind == "mention")
    found: dict[int, int] = {}
    for part in chunks(sorted(ids), MANY):
        found.update((ref, day) for ref, day in connection.execute(query.where(among(connection, traces.c.ref_id, part))))
    return found


def forget_words(connection: Connection, days: Collection[int]) -> None:
    """Take the counted words of some days away."""
    connection.execute(day_words.delete().where(day_words.c.day.in_(sorted(days))))


def save_words(connection: Connection, day: int, made_with: int, words: Mapping[str, int]) -> None:
    """Keep the counted words of a day."""
    row = {"day": day, "made_with": made_with, "words": dict(sorted(words.items()))}  # the same text for the same words
    upsert(connection, day_words, [row], ["day"], ["made_with", "words"])


def words_of(connection: Connection, since: int, until: int, made_with: int) -> dict[int, dict[str, int]]:
    """Return the counted words of those of the days [since, until] that have them."""
    w = day_words.c
    query = sa.select(w.day, w.words).where(w.day >= since, w.day <= until, w.made_with == made_with)
    return {row.day: row.words for row in connection.execute(query)}


def volumes(
    connection: Connection, since: int, until: int, without: Collection[Key] = ()
) -> dict[tuple[int, str], tuple[int, int]]:
    """Return the mentions of the brand and the negative ones among them, by day and source, of [since, until]."""
    t = traces.c
    where = [t.day >= since, t.day <= until, t.counted, t.channel != "sessions"]
    query = (
        sa.select(t.day, t.channel, sa.func.count(), sa.func.sum(sa.cast(t.negative, sa.Integer)))
        .where(*where).group_by(t.day, t.channel)
    )
    found = {(day, channel): (total, int(bad)) for day, channel, total, bad in connection.execute(query)}
    single = sa.select(t.day, t.channel, t.negative).where(*where, t.text_kind == "mention")
    for part in chunks(sorted(ref for kind, ref in without if kind == "mention"), MANY):
        for day, channel, negative in connection.execute(single.where(among(connection, t.ref_id, part))):
            total, bad = found[day, channel]
            found[day, channel] = (total - 1, bad - negative)
    return {key: value for key, value in found.items() if value[0]}
