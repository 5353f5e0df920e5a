"""What a digest says of other dates, and of judgements that are not final."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from reports.say import Say, say, short_date
from vocwatch.clock import day_window
from vocwatch.settings import Settings
from vocwatch.store import Connection, assessments, digests, facts, leases

LATE_DAYS = 7
MAX_MERGED = 7


def belated_notes(
    settings: Settings, connection: Connection, date: dt.date, audience: str, now: dt.datetime
) -> list[Say]:
    """Return the notes of a date: older dates that this digest makes up for, what was read after the last digest was
    made (补录), and how much only the words have judged.
    """
    notes = [
        _merged(older, digests.load(connection, older, audience) or digests.load(connection, older, "qa"))
        for older in leases.merged_into(connection, date)[-MAX_MERGED:]
    ]
    start, end = day_window(date, settings.app.zone)
    told = digests.generated(connection, date - dt.timedelta(days=1), audience)
    if told is not None:
        since = start - dt.timedelta(days=LATE_DAYS)
        texts, negative = facts.read_late(connection, since, start, seen=(told, now))
        if texts:
            notes.append(say("note.late", texts=texts, negative=negative))
    waiting = assessments.standing_in(connection, start, end)
    if waiting:
        notes.append(say("note.standby", texts=waiting))
    return notes


def _merged(date: dt.date, told: Mapping[str, Any] | None) -> Say:
    """One older date in a sentence."""
    if told is None:
        return say("note.merged_empty", date=short_date(date))
    risks = told.get("risks", [])
    title = str(risks[0].get("title", "")) if risks else ""
    key = "note.merged" if risks else "note.merged_quiet"
    return say(
        key, date=short_date(date), level=str(told.get("level", "")), count=len(risks) + int(told.get("more_risks", 0)),
        title=title, alerts=len(told.get("alerts", [])),
    )
