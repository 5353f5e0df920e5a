"""Digests as written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import upsert
from vocwatch.store.schema import digests


def save(
    connection: Connection, day: dt.date, audience: str, generated_at: dt.datetime, content: dict[str, Any]
) -> None:
    """Keep a digest as written last for its day and audience."""
    upsert(
        connection,
        digests,
        [{"day": day, "audience": audience, "generated_at": generated_at, "content": content}],
        ("day", "audience"),
        ("generated_at", "content"),
    )


def load(connection: Connection, day: dt.date, audience: str) -> dict[str, Any] | None:
    """Return the digest JSON of a day and audience."""
    query = sa.select(digests.c.content).where(digests.c.day == day, digests.c.audience == audience)
    found = connection.execute(query).scalar_one_or_none()
    return dict(found) if found is not None else None
