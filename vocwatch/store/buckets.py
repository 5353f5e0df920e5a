"""Token buckets in the database: one rate limit for all processes that send."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.delivery_schema import buckets
from vocwatch.store.engine import insert_into

MINUTE = 60.0
LEAST_WAIT = dt.timedelta(seconds=1)
MAX_BLOCK = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """What a channel bears: never more than `per_minute` messages in any 60 seconds (0: no limit), `per_day` a day.

    A bucket of `burst` tokens that fills at `per_minute − burst` a minute gives at most `per_minute` in any minute,
    wherever the minute begins.
    """

    per_minute: int = 0
    per_day: int = 0

    @property
    def burst(self) -> int:
        """Messages that may go at once."""
        return max(1, min(5, self.per_minute // 4))

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return max(0.5, self.per_minute - self.burst - 1) / MINUTE


def take(
    connection: Connection, name: str, limit: Limit, count: int, *, now: dt.datetime, day: dt.date, tomorrow: dt.datetime
) -> dt.datetime | None:
    """Take `count` tokens; returns None, or, where there are too few and none was taken, when to ask again.

    `day` is the business date that the message counts for, `tomorrow` the moment it ends. More than a burst at once
    is given when the bucket is full, and owed.
    """
    c = buckets.c
    fresh = {"name": name, "tokens": float(limit.burst), "filled_at": now, "day": day, "sent": 0, "blocked_until": None}
    connection.execute(insert_into(connection, buckets).values(**fresh).on_conflict_do_nothing(index_elements=["name"]))
    row = connection.execute(sa.select(buckets).where(c.name == name).with_for_update()).one()
    # A clock that was set back leaves moments far ahead: they bind nobody.
    if row.blocked_until and now < row.blocked_until <= now + MAX_BLOCK:
        blocked: dt.datetime = row.blocked_until
        return blocked
    sent = row.sent if row.day == day else 0
    if limit.per_day and sent + count > limit.per_day:
        return tomorrow
    passed = max(0.0, (now - row.filled_at).total_seconds())
    tokens = min(float(limit.burst), row.tokens + passed * limit.rate)
    wanted = min(count, limit.burst)
    if limit.per_minute and tokens < wanted - 1e-9:
        return now + max(LEAST_WAIT, dt.timedelta(seconds=(wanted - tokens) / limit.rate))
    left = tokens - count if limit.per_minute else tokens
    connection.execute(buckets.update().where(c.name == name).values(
        tokens=left, filled_at=now, day=day, sent=sent + count, blocked_until=None
    ))
    return None


def block(connection: Connection, name: str, until: dt.datetime) -> None:
    """Send nothing there until then: the other side has said that it is too much."""
    connection.execute(buckets.update().where(buckets.c.name == name).values(blocked_until=until, tokens=0.0))
