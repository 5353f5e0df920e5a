"""Alerts that were raised: one for each incident, level and day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import upsert
from vocwatch.store.schema import alerts, incidents


def raise_one(
    connection: Connection,
    incident: str,
    level: str,
    day: dt.date,
    *,
    now: dt.datetime,
    mention_ids: Sequence[int],
    session_ids: Sequence[int],
) -> None:
    """Record a red-line alert; one that was raised already keeps its time and gets the newest members."""
    upsert(
        connection,
        alerts,
        [
            {
                "incident_id": incident,
                "level": level,
                "day": day,
                "raised_at": now,
                "mention_ids": list(mention_ids),
                "session_ids": list(session_ids),
            }
        ],
        ("incident_id", "level", "day"),
        ("mention_ids", "session_ids"),
    )


def listed(connection: Connection, since: dt.date | None = None) -> list[dict[str, Any]]:
    """Return the raised alerts with their incident's title, newest first."""
    query = sa.select(alerts, incidents.c.title).join(incidents, incidents.c.id == alerts.c.incident_id)
    if since:
        query = query.where(alerts.c.day >= since)
    return [
        dict(row._mapping)
        for row in connection.execute(query.order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()))
    ]
