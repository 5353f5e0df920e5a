"""What there is at all: the oldest mention of each source, and what waits for its judgement."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.clock import day_window
from vocwatch.store.desk import rollup
from vocwatch.store.desk.keep import key_of
from vocwatch.store.desk.scope import Scope
from vocwatch.store.desk_schema import desk_days, desk_mentions
from vocwatch.store.schema import mentions


def first_mentions(connection: Connection, scope: Scope) -> dict[str, dt.datetime]:
    """Return when the first business date began that each source has a judged mention of."""
    live = rollup.uncounted(connection, scope)
    d, t = desk_mentions.c, desk_days.c
    if live is None:
        query = sa.select(d.source, sa.func.min(d.key)).group_by(d.source)
        return {source: dt.datetime.fromtimestamp((key >> 32) * 60, dt.UTC) for source, key in connection.execute(query)}
    first = dict(connection.execute(sa.select(t.source, sa.func.min(t.day)).group_by(t.source)).all())
    for day in live:
        start, end = day_window(day, scope.zone)
        own = sa.select(d.source).distinct().where(d.key >= key_of(start), d.key < key_of(end))
        for source in connection.execute(own).scalars():
            first[source] = min(first.get(source, day.toordinal()), day.toordinal())
    return {source: day_window(dt.date.fromordinal(day), scope.zone)[0] for source, day in first.items()}


def unjudged(connection: Connection) -> int:
    """Return how many stored mentions wait for their judgement, and are counted nowhere."""
    stored = sa.select(sa.func.count()).select_from(mentions).scalar_subquery()
    judged = sa.select(sa.func.count()).select_from(desk_mentions).scalar_subquery()
    return int(connection.execute(sa.select(stored - judged)).scalar_one())
