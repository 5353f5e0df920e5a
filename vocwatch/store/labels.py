"""What people said of incidents and mentions, beside what had been told of them: the material of `vocwatch calibrate`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.engine import chunks
from vocwatch.store.feedback import DAY_MARK, INCIDENT, newest
from vocwatch.store.schema import incident_days, incident_members, incidents, mentions


@dataclass(frozen=True, slots=True)
class IncidentWord:
    """A person's newest word on one day of an incident, with that day as it was written down.

    `level` is the level that the person would have given (红 橙 黄 蓝 无), None where none was said. `sources` are
    those of the incident's mentions up to that day, and "sessions".
    """

    incident: str
    day: dt.date
    verdict: str
    level: str | None
    topic: str
    product: str | None
    told: str
    score: float
    parts: dict[str, float]
    formula: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MentionWord:
    """A person's newest word on a mention, with its source and the topics it had been given."""

    source: str
    topics: tuple[str, ...]
    verdict: str


def incident_words(
    connection: Connection, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> tuple[list[IncidentWord], int]:
    """Return what was said of incidents' days, oldest day first, and on how many days that aren't stored any more.

    `since` and `until` hold it to words said in that half-open span.
    """
    said: dict[tuple[str, dt.date], Any] = {}
    lost = 0
    for (kind, name), row in newest(connection, until).items():
        if kind == INCIDENT and (since is None or row.at >= since):
            incident, _, day = name.partition(DAY_MARK)
            if day:
                said[incident, dt.date.fromisoformat(day)] = row
            else:
                lost += 1
    ids = sorted({incident for incident, _ in said})
    stored, sources = _days(connection, ids), _sources(connection, ids)
    found = []
    for (incident, date), row in sorted(said.items(), key=lambda item: (item[0][1], item[0][0])):
        told = stored.get((incident, date))
        if told is None:
            lost += 1
            continue
        found.append(IncidentWord(
            incident, date, row.verdict, row.label, told.topic, told.product, told.level, told.score, dict(told.parts),
            told.formula, tuple(sorted({name for joined, name in sources.get(incident, ()) if joined <= date})),
        ))
    return found, lost


def _days(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, dt.date], Any]:
    found: dict[tuple[str, dt.date], Any] = {}
    for part in chunks(ids):
        query = (
            sa.select(incident_days, incidents.c.topic, incidents.c.product)
            .join(incidents, incidents.c.id == incident_days.c.incident_id)
            .where(incident_days.c.incident_id.in_(part))
        )
        found |= {(row.incident_id, row.day): row for row in connection.execute(query)}
    return found


def _sources(connection: Connection, ids: Sequence[str]) -> dict[str, list[tuple[dt.date, str]]]:
    """Return for each incident (day it joined, source) of its texts."""
    m = incident_members.c
    found: dict[str, list[tuple[dt.date, str]]] = defaultdict(list)
    for part in chunks(ids):
        query = (
            sa.select(m.incident_id, m.day, m.text_kind, mentions.c.source).distinct()
            .select_from(incident_members)
            .outerjoin(mentions, sa.and_(m.text_kind == TextKind.MENTION.value, mentions.c.id == m.ref_id))
            .where(m.incident_id.in_(part))
        )
        for row in connection.execute(query):
            found[row.incident_id].append((row.day, row.source or "sessions"))
    return found


def mention_words(
    connection: Connection, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> list[MentionWord]:
    """Return what was said of single mentions, in [since, until) where these are given."""
    said = {
        int(name): row for (kind, name), row in newest(connection, until).items()
        if kind == TextKind.MENTION and (since is None or row.at >= since)
    }
    found = []
    for part in chunks(sorted(said)):
        for row in connection.execute(sa.select(mentions.c.id, mentions.c.source).where(mentions.c.id.in_(part))):
            word = said[row.id]
            found.append(MentionWord(row.source, tuple((word.judged or {}).get("topics") or ()), word.verdict))
    return found
