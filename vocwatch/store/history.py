"""How an incident was judged on each of its days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.engine import chunks
from vocwatch.store.schema import incident_days, incident_members, incidents


def days_of(connection: Connection, incident: str) -> list[dict[str, Any]]:
    """Return the days of an incident with that day's judgement, oldest first; empty for an unknown id."""
    d = incident_days.c
    query = (
        sa.select(incidents, incident_days)
        .join(incident_days, d.incident_id == incidents.c.id)
        .where(incidents.c.id == incident)
        .order_by(d.day)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def days_between(connection: Connection, since: dt.date, until: dt.date) -> list[dict[str, Any]]:
    """Return the incident days of [since, until], oldest first."""
    d = incident_days.c
    query = (
        sa.select(incidents, incident_days)
        .join(incident_days, d.incident_id == incidents.c.id)
        .where(d.day >= since, d.day <= until)
        .order_by(d.day, incidents.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def member_counts(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many mentions and sessions incidents have gathered on all their days, by id."""
    m = incident_members.c
    found: dict[str, tuple[int, int]] = {}
    for part in chunks(list(ids)):
        outside = sa.func.sum(sa.case((m.text_kind == TextKind.MENTION.value, 1), else_=0))
        query = sa.select(m.incident_id, outside.label("outside"), sa.func.count().label("all")).where(m.incident_id.in_(part))
        found |= {row.incident_id: (int(row.outside), int(row.all - row.outside)) for row in connection.execute(query.group_by(m.incident_id))}
    return found
