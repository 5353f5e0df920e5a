"""What there is at all: the oldest mention of each source, and what waits for its judgement."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.desk_schema import desk_mentions
from vocwatch.store.schema import mentions


def first_mentions(connection: Connection) -> dict[str, dt.datetime]:
    """Return the minute of each source's oldest judged mention."""
    d = desk_mentions.c
    query = sa.select(d.source, sa.func.min(d.key)).group_by(d.source)
    return {source: dt.datetime.fromtimestamp((key >> 32) * 60, dt.UTC) for source, key in connection.execute(query)}


def unjudged(connection: Connection) -> int:
    """Return how many stored mentions wait for their judgement, and are counted nowhere."""
    stored = sa.select(sa.func.count()).select_from(mentions).scalar_subquery()
    judged = sa.select(sa.func.count()).select_from(desk_mentions).scalar_subquery()
    return int(connection.execute(sa.select(stored - judged)).scalar_one())
