"""Incidents with red-line alerts, planted as rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.delivery.kit import NOW
from tests.reports.factory import ZONE
from vocwatch.store import Store, alerts, incidents

FIRST = dt.date(2026, 11, 16)


def alarm(
    store: Store, incident: str = "inc-burn", level: str = "橙", *, state: str = "新增", day: dt.date = FIRST,
    at: dt.datetime = NOW, product: str | None = "PC-H1", topic: str = "商品安全/烫伤", title: str = "暖手宝外壳发烫把手烫伤",
    score: float = 70.0, authors: int = 2, mention_ids: tuple[int, ...] = (1, 2), sessions: tuple[int, ...] = (),
) -> str:
    """Save an incident as it stands on a business date, and raise its alert."""
    row: dict[str, Any] = {
        "id": incident, "brand": "songguoxia", "product": product, "topic": topic, "title": title, "shop": None,
        "owner": "何雨", "first_day": day, "last_day": day, "first_seen_at": at, "recurs_of": None,
    }
    day_row = {
        "incident_id": incident, "day": day, "level": level, "state": state, "score": score, "parts": {}, "why": [],
        "authors": authors, "mentions": len(mention_ids), "sessions": len(sessions), "expected": None, "p_value": None,
        "formula": "1", "watched": False,
    }
    with store.begin() as connection:
        incidents.save_incident(connection, row, day_row, [])
        alerts.raise_one(
            connection, incident, level, day, now=at, mention_ids=list(mention_ids), session_ids=list(sessions)
        )
    return incident


def at(hour: int, minute: int = 0, day: dt.date = FIRST) -> dt.datetime:
    """A moment of the business day."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=ZONE)
