"""Digests as written, and who was sent which."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.columns import UtcTime
from vocwatch.store.engine import upsert
from vocwatch.store.schema import deliveries, digests

LEASE = dt.timedelta(minutes=15)


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


def seal(connection: Connection, day: dt.date, now: dt.datetime) -> None:
    """Let the digests of a day, for every audience, stay as they are: they are being sent."""
    connection.execute(digests.update().where(digests.c.day == day, digests.c.sent_at.is_(None)).values(sent_at=now))


def sealed(connection: Connection, day: dt.date) -> dt.datetime | None:
    """Return since when the digest of a day stays as it is; None for one that was not sent."""
    query = sa.select(sa.func.min(digests.c.sent_at, type_=UtcTime())).where(digests.c.day == day)
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


def claim(
    connection: Connection, day: dt.date, audience: str, recipient: str, *, message_id: str, now: dt.datetime
) -> str | None:
    """Claim a delivery: "new", "retry" (failed, or a claim older than 15 minutes whose sender died); None
    if taken.

    After a retry of a claim nobody can know whether the server had accepted it; the Message-ID is the same.
    """
    d = deliveries.c
    fresh = {
        "day": day,
        "audience": audience,
        "recipient": recipient,
        "message_id": message_id,
        "state": "claimed",
        "error": None,
        "updated_at": now,
    }
    where = sa.and_(d.day == day, d.audience == audience, d.recipient == recipient)
    known = connection.execute(sa.select(d.state, d.updated_at).where(where).with_for_update()).first()
    if known is None:
        try:
            with connection.begin_nested():
                connection.execute(deliveries.insert().values(**fresh))
        except sa.exc.IntegrityError:
            return None  # another sender was first
        return "new"
    if known.state == "sent" or (known.state == "claimed" and now - known.updated_at < LEASE):
        return None
    connection.execute(deliveries.update().where(where).values(state="claimed", error=None, updated_at=now))
    return "retry"


def mark(
    connection: Connection,
    day: dt.date,
    audience: str,
    recipient: str,
    state: str,
    *,
    now: dt.datetime,
    error: str | None = None,
) -> None:
    """Record how a claimed delivery ended: "sent" or "failed"."""
    d = deliveries.c
    connection.execute(
        deliveries.update()
        .where(d.day == day, d.audience == audience, d.recipient == recipient)
        .values(state=state, error=error, updated_at=now)
    )


def delivered(connection: Connection, day: dt.date) -> list[dict[str, Any]]:
    """Return the deliveries of a day, by recipient."""
    query = (
        sa.select(deliveries)
        .where(deliveries.c.day == day)
        .order_by(deliveries.c.audience, deliveries.c.recipient)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
