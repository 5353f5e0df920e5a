"""How an incident was judged on each of its days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.schema import incident_days, incidents


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
