"""What alarms stand, what was said of them, who has acknowledged them, and what is silenced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.lang import tr
from vocwatch.models import Level
from vocwatch.store.delivery_schema import alarms, silences
from vocwatch.store.engine import chunks, upsert
from vocwatch.store.incidents import placed_at
from vocwatch.store.schema import alerts, incident_days, incidents, mentions


@dataclass(frozen=True, slots=True)
class Told:
    """What was said last of an incident."""

    level: str
    state: str
    round: int
    first_told_at: dt.datetime
    told_at: dt.datetime
    lower_since: dt.datetime | None = None
    acked_at: dt.datetime | None = None
    acked_by: str | None = None
    acked_level: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident with a raised alert, as it stands now, and what was said of it."""

    incident: str
    title: str
    product: str | None
    topic: str
    shop: str | None
    owner: str
    level: str
    state: str
    score: float
    day: dt.date
    authors: int
    raised_at: dt.datetime
    mention_ids: tuple[int, ...]
    session_ids: tuple[int, ...]
    told: Told | None


def standing(
    connection: Connection, since: dt.date, late: tuple[dt.date, dt.datetime] | None = None
) -> list[Standing]:
    """Return the incidents that raised an alert on a business date from `since` on, most serious first.

    `late` adds those of earlier dates, from its date on, that were raised only since its moment: read after an outage.
    Level, state and score are those of the incident's newest date; the texts those of its newest alert.
    """
    a, d = alerts.c, incident_days.c
    wanted: sa.ColumnElement[bool] = a.day >= since
    if late is not None:
        wanted = sa.or_(wanted, sa.and_(a.day >= late[0], a.raised_at >= late[1]))
    newest: dict[str, Any] = {}
    for row in connection.execute(sa.select(alerts).where(wanted).order_by(a.day, a.raised_at, a.id)):
        newest[row.incident_id] = row
    days: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    told: dict[str, Told] = {}
    for part in chunks(sorted(newest)):
        for row in connection.execute(sa.select(incident_days).where(d.incident_id.in_(part)).order_by(d.day)):
            days[row.incident_id] = row
        rows |= {row.id: row for row in connection.execute(sa.select(incidents).where(incidents.c.id.in_(part)))}
        told |= all_told(connection, part)
    found = [_standing(rows[key], days[key], newest[key], told.get(key)) for key in newest if key in rows and key in days]
    return sorted(found, key=lambda one: (Level(one.level).rank, -one.score, one.incident))


def _standing(incident: Any, day: Any, alert: Any, told: Told | None) -> Standing:
    return Standing(
        incident.id, incident.title, incident.product, incident.topic, incident.shop, incident.owner, day.level,
        day.state, day.score, day.day, day.authors, alert.raised_at, tuple(alert.mention_ids), tuple(alert.session_ids),
        told,
    )


def all_told(connection: Connection, ids: Sequence[str]) -> dict[str, Told]:
    """Return what was said of these incidents, by their id."""
    query = sa.select(alarms).where(alarms.c.incident_id.in_(list(ids)))
    return {
        row.incident_id: Told(**{name: getattr(row, name) for name in Told.__slots__})
        for row in connection.execute(query)
    }


def where_said(connection: Connection, ids: Sequence[int]) -> tuple[list[tuple[str, int]], dt.datetime | None]:
    """Return how many of these mentions stand on each source, most first, and when the first was published."""
    counts: dict[str, int] = {}
    first: dt.datetime | None = None
    for part in chunks(list(ids)):
        query = sa.select(mentions.c.source, placed_at().label("at")).where(mentions.c.id.in_(part))
        for row in connection.execute(query):
            counts[row.source] = counts.get(row.source, 0) + 1
            first = row.at if first is None or row.at < first else first
    return sorted(counts.items(), key=lambda item: (-item[1], item[0])), first


def keep(connection: Connection, incident: str, told: Told) -> None:
    """Write down what was said of an incident."""
    row = {"incident_id": incident, **{name: getattr(told, name) for name in Told.__slots__}}
    upsert(connection, alarms, [row], ("incident_id",), list(Told.__slots__))


def keep_lower(connection: Connection, incident: str, since: dt.datetime | None) -> None:
    """Write down since when an incident has been calmer than was told."""
    connection.execute(alarms.update().where(alarms.c.incident_id == incident).values(lower_since=since))


def acknowledge(connection: Connection, incident: str, *, who: str, now: dt.datetime, note: str = "") -> bool:
    """Take note of an alarm: it is not repeated any more at this level. False where nothing was told of it yet.

    Whoever was first stays named; a later one at a more serious level takes its place.
    """
    known = all_told(connection, [incident]).get(incident)
    if known is None:
        return False
    if known.acked_at is None or known.acked_level != known.level:
        connection.execute(alarms.update().where(alarms.c.incident_id == incident).values(
            acked_at=now, acked_by=who[:100], acked_level=known.level, note=note or None
        ))
    return True


@dataclass(frozen=True, slots=True)
class Silence:
    """What is not told until it expires. `level` is the most serious level that it covers."""

    id: int
    incident_id: str | None
    topic: str | None
    product: str | None
    level: str
    reason: str
    who: str
    created_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None

    def covers(self, one: Standing, now: dt.datetime) -> bool:
        """Whether it keeps this alarm from being told now."""
        if not self.created_at <= now < self.expires_at or self.ended_at is not None:
            return False
        if Level(one.level).rank < Level(self.level).rank:
            return False
        if self.incident_id is not None:
            return one.incident == self.incident_id
        if self.topic is not None:
            return one.topic == self.topic or one.topic.startswith(f"{self.topic}/")
        return self.product is not None and one.product == self.product


def silence(
    connection: Connection, *, reason: str, who: str, level: str, now: dt.datetime, expires_at: dt.datetime,
    incident: str | None = None, topic: str | None = None, product: str | None = None,
) -> int:
    """Add a silence over one incident, topic or product; returns its id.

    Raises ValueError without a reason, with an end that is not to come, or without exactly one thing to silence.
    """
    if not reason.strip():
        raise ValueError(tr("静音要写原因", "A silence needs a reason"))
    if expires_at <= now:
        raise ValueError(tr("静音要有将来的到期时间", "A silence needs an end that is to come"))
    if sum(value is not None for value in (incident, topic, product)) != 1:
        raise ValueError(tr("静音的对象要写且只写一个：事件、主题或商品", "Name exactly one to silence: incident, topic or product"))
    row = connection.execute(silences.insert().values(
        incident_id=incident, topic=topic, product=product, level=Level(level).value, reason=reason.strip()[:300],
        who=who[:100], created_at=now, expires_at=expires_at, ended_at=None,
    ))
    key = row.inserted_primary_key
    assert key is not None
    return int(key[0])


def end_silence(connection: Connection, number: int, now: dt.datetime) -> bool:
    """Take a silence back; False where there is none that still holds."""
    s = silences.c
    held = sa.and_(s.id == number, s.ended_at.is_(None), s.expires_at > now)
    return bool(connection.execute(silences.update().where(held).values(ended_at=now)).rowcount)


def all_silences(connection: Connection, active_at: dt.datetime | None = None) -> list[Silence]:
    """Return the silences, newest first; with `active_at` those that hold at that moment."""
    s = silences.c
    query = sa.select(silences).order_by(s.id.desc())
    if active_at is not None:
        query = query.where(s.ended_at.is_(None), s.expires_at > active_at, s.created_at <= active_at)
    return [Silence(**{name: getattr(row, name) for name in Silence.__slots__}) for row in connection.execute(query)]
