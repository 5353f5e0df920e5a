"""Mentions counted by day: what is asked most is read from some thousands of counts instead of a million rows.

Days whose mentions have changed since are counted from their rows, until `refresh` has counted them anew.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.clock import business_date, day_window
from vocwatch.store.desk.keep import key_of
from vocwatch.store.desk.scope import Scope, topic_is
from vocwatch.store.desk_schema import (
    desk_calendar,
    desk_days,
    desk_dirty,
    desk_mentions,
    desk_topic_days,
    desk_topics,
    desk_zone,
)
from vocwatch.store.engine import Store, chunks
from vocwatch.store.schema import sessions

TIMES = ("day", "week", "month")
MOST_LIVE = 40
"""With more days than this to be counted from their rows, all are."""
BATCH = 30
_CONDITIONS = frozenset({"since", "until", "sources", "brand"})
_NEGATIVE = "negative"
Cells = dict[tuple[Any, ...], list[int]]  # values of the groups -> mentions, negative ones


# -- keeping --------------------------------------------------------------------------------------------------


def refresh(store: Store, zone: ZoneInfo) -> int:
    """Count the days anew whose mentions have changed; all of them after the zone has. Returns how many."""
    with store.begin() as connection:
        _alone(connection)
        stored = connection.execute(sa.select(desk_zone.c.zone)).scalar()
        if stored != zone.key:
            for table in (desk_days, desk_topic_days, desk_zone, desk_dirty, desk_calendar):
                connection.execute(table.delete())
            hours = desk_mentions.c.key.op("/")(60 << 32).label("hour")
            connection.execute(desk_dirty.insert().from_select(["hour"], sa.select(hours).distinct()))
            connection.execute(desk_zone.insert().values(zone=zone.key))
        _keep_calendar(connection, zone)
    done = 0
    while days := _refresh_some(store, zone):
        done += days
    return done


def _keep_calendar(connection: Connection, zone: ZoneInfo) -> None:
    """Say where each business date begins, from the first mention or session to a year after the last."""
    d, s, c = desk_mentions.c, sessions.c, desk_calendar.c
    low, high = connection.execute(sa.select(sa.func.min(d.key), sa.func.max(d.key))).one()
    began, ended = connection.execute(sa.select(sa.func.min(s.started_at), sa.func.max(s.started_at))).one()
    keys = [key for key in (low, high, began and key_of(began), ended and key_of(ended)) if key]
    if not keys:
        return
    first, last = (dt.datetime.fromtimestamp((key >> 32) * 60, dt.UTC).astimezone(zone).date() for key in (min(keys), max(keys)))
    known = connection.execute(sa.select(sa.func.min(c.day), sa.func.max(c.day))).one()
    if known[0] and known[0] <= first and last + dt.timedelta(days=30) <= known[1]:
        return
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 400)]
    connection.execute(desk_calendar.delete())
    connection.execute(desk_calendar.insert(), [
        {"first_key": key_of(day_window(day, zone)[0]), "day": day, "number": day.toordinal()} for day in days
    ])


def ready(store: Store, zone: ZoneInfo) -> None:
    """Count the days for the first time, or for another zone; nothing to do afterwards."""
    with store.read() as connection:
        stored = connection.execute(sa.select(desk_zone.c.zone)).scalar()
    if stored != zone.key:
        refresh(store, zone)


def _refresh_some(store: Store, zone: ZoneInfo) -> int:
    with store.begin() as connection:
        _alone(connection)
        by_day: dict[int, list[int]] = defaultdict(list)
        for hour in connection.execute(sa.select(desk_dirty.c.hour).distinct()).scalars():
            for day in _days_of(hour, zone):
                by_day[day].append(hour)
        days = sorted(by_day)[:BATCH]
        last = connection.execute(sa.select(sa.func.max(desk_dirty.c.id))).scalar()
        for day in days:
            _count(connection, day, zone)
        left = {hour for day in sorted(by_day)[BATCH:] for hour in by_day[day]}
        done = sorted({hour for day in days for hour in by_day[day]} - left)
        for part in chunks(done):
            connection.execute(desk_dirty.delete().where(desk_dirty.c.hour.in_(part), desk_dirty.c.id <= last))
    return len(days)


def _alone(connection: Connection) -> None:
    """One process at a time: SQLite lets no other write anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE desk_zone IN EXCLUSIVE MODE")


def _days_of(hour: int, zone: ZoneInfo) -> set[int]:
    start = dt.datetime.fromtimestamp(hour * 3600, dt.UTC)
    return {business_date(moment, zone).toordinal() for moment in (start, start + dt.timedelta(minutes=59))}


def _count(connection: Connection, day: int, zone: ZoneInfo) -> None:
    start, end = day_window(dt.date.fromordinal(day), zone)
    d, t = desk_mentions.c, desk_topics.c
    own = (d.key >= key_of(start), d.key < key_of(end))
    for table in (desk_days, desk_topic_days):
        connection.execute(table.delete().where(table.c.day == day))
    whole = (
        sa.select(sa.literal(day), d.source, d.brand, d.voice, sa.func.coalesce(d.sentiment, ""), sa.func.count())
        .where(*own).group_by(d.source, d.brand, d.voice, d.sentiment)
    )
    connection.execute(desk_days.insert().from_select(["day", "source", "brand", "voice", "sentiment", "mentions"], whole))
    bad = sa.func.count(sa.case((d.sentiment == _NEGATIVE, 1)))
    by_topic = (
        sa.select(sa.literal(day), t.topic, d.source, d.brand, sa.func.count(), bad)
        .join(desk_topics, t.key == d.key).where(*own).group_by(t.topic, d.source, d.brand)
    )
    names = ["day", "topic", "source", "brand", "mentions", "negative"]
    connection.execute(desk_topic_days.insert().from_select(names, by_topic))


# -- reading --------------------------------------------------------------------------------------------------


def serves(scope: Scope, groups: Sequence[str]) -> bool:
    """Whether the counts of days can answer: few kinds of conditions, few kinds of groups."""
    by_topic = "topic" in groups
    allowed = _CONDITIONS | ({"topics"} if by_topic else {"sentiments", "voices"})
    return scope.question.asked() <= allowed and set(groups) <= {*TIMES, "source", *(("topic",) if by_topic else ("sentiment", "voice"))}


def uncounted(connection: Connection, scope: Scope) -> list[dt.date] | None:
    """Return the days within the question that have to be counted from their rows; None for all of them."""
    if connection.execute(sa.select(desk_zone.c.zone)).scalar() != scope.zone.key:
        return None
    hours = connection.execute(sa.select(desk_dirty.c.hour).distinct()).scalars()
    q = scope.question
    days = {dt.date.fromordinal(day) for hour in hours for day in _days_of(hour, scope.zone)}
    wanted = sorted(day for day in days if (q.since is None or day >= q.since) and (q.until is None or day <= q.until))
    return wanted if len(wanted) <= MOST_LIVE else None


def counted(connection: Connection, scope: Scope, groups: Sequence[str], but: Collection[dt.date]) -> Cells:
    """Return the counts by groups, without the days of `but`. The question must be one that this `serves`."""
    table = desk_topic_days if "topic" in groups else desk_days
    t = table.c
    columns = [t.day if name in TIMES else t[name] for name in groups]
    bad = t.negative if table is desk_topic_days else sa.case((t.sentiment == _NEGATIVE, t.mentions), else_=0)
    query = sa.select(*columns, sa.func.sum(t.mentions), sa.func.sum(bad)).where(*_where(table, scope, but))
    found: Cells = {}
    if columns:
        query = query.group_by(*dict.fromkeys(columns))
    for *values, number, negative in connection.execute(query):
        if number is None:
            continue
        key = tuple(_value(name, value) for name, value in zip(groups, values, strict=True))
        add(found, key, int(number), int(negative))
    if not columns:
        found.setdefault((), [0, 0])
    return found


def add(cells: Cells, key: tuple[Any, ...], number: int, negative: int) -> None:
    """Add to a cell."""
    cell = cells.setdefault(key, [0, 0])
    cell[0] += number
    cell[1] += negative


def _where(table: sa.Table, scope: Scope, but: Iterable[dt.date]) -> list[sa.ColumnElement[bool]]:
    q, t = scope.question, table.c
    found: list[sa.ColumnElement[bool]] = [
        *([t.day >= q.since.toordinal()] if q.since else []), *([t.day <= q.until.toordinal()] if q.until else []),
        *([t.source.in_(q.sources)] if q.sources else []),
        *([t.brand if q.brand else sa.not_(t.brand)] if q.brand is not None else []),
    ]
    if table is desk_topic_days and q.topics:
        found.append(topic_is(t.topic, q.topics))
    if table is desk_days:
        found += [t[name].in_(values) for name, values in (("sentiment", q.sentiments), ("voice", q.voices)) if values]
    numbers = [day.toordinal() for day in but]
    return [*found, t.day.not_in(numbers)] if numbers else found


def _value(name: str, value: Any) -> Any:
    if name not in TIMES:
        return None if name == "sentiment" and value == "" else value
    day = dt.date.fromordinal(int(value))
    if name == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if name == "month" else day
