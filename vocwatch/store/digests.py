"""Digests as written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.columns import UtcTime
from vocwatch.store.engine import upsert
from vocwatch.store.schema import digests


def save(
    connection: Connection, day: dt.date, audience: str, generated_at: dt.datetime, content: dict[str, Any]
) -> bool:
    """Keep a digest as written last for its day and audience; one that was sent stays as it was (False)."""
    d = digests.c
    where = sa.and_(d.day == day, d.audience == audience, d.sent_at.is_not(None))
    if connection.execute(sa.select(d.id).where(where)).first() is not None:
        return False
    upsert(
        connection,
        digests,
        [{"day": day, "audience": audience, "generated_at": generated_at, "content": content}],
        ("day", "audience"),
        ("generated_at", "content"),
    )
    return True


def seal(connection: Connection, day: dt.date, audience: str, now: dt.datetime) -> None:
    """Let the digest of a day and audience stay as it is: it is being sent."""
    d = digests.c
    where = sa.and_(d.day == day, d.audience == audience, d.sent_at.is_(None))
    connection.execute(digests.update().where(where).values(sent_at=now))


def sealed(connection: Connection, day: dt.date, audience: str | None = None) -> dt.datetime | None:
    """Return since when the digest of a day stays as it is for an audience (for any); None for one that was not sent."""
    query = sa.select(sa.func.min(digests.c.sent_at, type_=UtcTime())).where(digests.c.day == day)
    if audience is not None:
        query = query.where(digests.c.audience == audience)
    return connection.execute(query).scalar_one_or_none()


def generated(connection: Connection, day: dt.date, audience: str) -> dt.datetime | None:
    """Return when the stored digest of a day was made."""
    query = sa.select(digests.c.generated_at).where(digests.c.day == day, digests.c.audience == audience)
    return connection.execute(query).scalar_one_or_none()


def load(connection: Connection, day: dt.date, audience: str) -> dict[str, Any] | None:
    """Return the digest JSON of a day and audience."""
    query = sa.select(digests.c.content).where(digests.c.day == day, digests.c.audience == audience)
    found = connection.execute(query).scalar_one_or_none()
    return dict(found) if found is not None else None


def days(connection: Connection, audience: str, limit: int = 400) -> list[dt.date]:
    """Return the dates that have a digest for an audience, newest first."""
    d = digests.c
    query = sa.select(d.day).where(d.audience == audience).order_by(d.day.desc()).limit(limit)
    return list(connection.execute(query).scalars())
