"""Who has asked not to get a list any more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.delivery_schema import outbox, pauses
from vocwatch.store.engine import upsert


def pause(
    connection: Connection, recipient: str, which: str, *, why: str, now: dt.datetime, until: dt.datetime | None = None
) -> bool:
    """Stop a list (`digest/<audience>` or `alert`) for a recipient; what waits for them waits on as paused.

    False where it was stopped already.
    """
    known = is_paused(connection, recipient, which, now)
    row = {"recipient": recipient, "list": which, "why": why[:200], "at": now, "until": until}
    upsert(connection, pauses, [row], ("recipient", "list"), ("why", "at", "until"))
    kind, _, audience = which.partition("/")
    o = outbox.c
    mine = sa.and_(o.kind == kind, o.recipient == recipient, o.state.in_(("waiting", "retry")))
    if audience:
        mine = sa.and_(mine, o.key.endswith(f"/{audience}", autoescape=True))
    connection.execute(outbox.update().where(mine).values(state="paused", error=why[:200], updated_at=now))
    return not known


def resume(connection: Connection, recipient: str, which: str) -> bool:
    """Take a pause back; False where there was none. What was not sent meanwhile stays unsent."""
    p = pauses.c
    return bool(connection.execute(pauses.delete().where(p.recipient == recipient, p.list == which)).rowcount)


def is_paused(connection: Connection, recipient: str, which: str, now: dt.datetime) -> bool:
    """Whether the recipient has stopped the list."""
    p = pauses.c
    query = sa.select(p.id).where(p.recipient == recipient, p.list == which, sa.or_(p.until.is_(None), p.until > now))
    return connection.execute(query).first() is not None


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Return all pauses, newest first."""
    return [dict(row._mapping) for row in connection.execute(sa.select(pauses).order_by(pauses.c.at.desc()))]
