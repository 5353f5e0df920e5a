"""Slowing down whoever guesses passwords, without giving them the means to shut others out.

Attempts are counted before they are checked, so that many at once gain nothing. Counted are: a name from one address;
a name from anywhere; an address; and instead of the name from anywhere, a browser that this person has used before.
So whoever guesses at a name from many places shuts out other strangers, and not the person at their own desk. Every
block ends by itself after a quarter of an hour at most, and attempts during a block don't prolong it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.access.schema import attempts
from vocwatch.store.engine import upsert

MEMORY = dt.timedelta(hours=1)
FIRST_BLOCK = dt.timedelta(minutes=1)
LONGEST_BLOCK = dt.timedelta(minutes=15)
_LOCK = 7_201_813  # PostgreSQL: attempts are counted one after the other; SQLite has only one writer anyway


def admit(connection: Connection, limits: Mapping[str, int], now: dt.datetime) -> dt.datetime | None:
    """Count an attempt under each key; return until when it is refused, or None where it may be made.

    `limits` says for each key how many attempts without success are free; from there on each doubles the wait.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    connection.execute(attempts.delete().where(attempts.c.last_at <= now - MEMORY))
    known = {
        row.key: row for row in connection.execute(sa.select(attempts).where(attempts.c.key.in_(list(limits))))
    }
    blocked = [row.blocked_until for row in known.values() if row.blocked_until and row.blocked_until > now]
    if blocked:
        latest: dt.datetime = max(blocked)
        return latest
    counts = {key: (int(known[key]._mapping["count"]) if key in known else 0) + 1 for key in limits}
    rows = [
        {"key": key, "count": count, "last_at": now, "blocked_until": _until(count - limits[key], now)}
        for key, count in counts.items()
    ]
    upsert(connection, attempts, rows, ("key",), ("count", "last_at", "blocked_until"))
    return None


def _until(over: int, now: dt.datetime) -> dt.datetime | None:
    """Until when the next attempt waits, after one that was the `over`-th beyond what is free (0: the last free one)."""
    return now + min(FIRST_BLOCK * 2 ** min(over, 10), LONGEST_BLOCK) if over >= 0 else None


def succeeded(connection: Connection, forget: Sequence[str], take_back: Sequence[str]) -> None:
    """After a login: `forget` all that was counted under some keys, and `take_back` this attempt under others.

    An address is only given its own attempt back: else somebody with a password of their own could go on guessing.
    """
    a = attempts.c
    connection.execute(attempts.delete().where(a.key.in_(list(forget))))
    connection.execute(attempts.update().where(a.key.in_(list(take_back)), a.count > 0).values(count=a.count - 1, blocked_until=None))


def clear(connection: Connection) -> int:
    """Forget all attempts: an administrator lets everybody try again. Returns how many keys were blocked or counted."""
    return int(connection.execute(attempts.delete()).rowcount)
