"""What people say of findings, and the texts that may be learned from: rated ones, and those that people spoke of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import MentionKind, Sentiment, TextKind
from vocwatch.store.engine import chunks, upsert
from vocwatch.store.people_schema import objections
from vocwatch.store.schema import (
    assessments,
    feedback,
    incident_days,
    incidents,
    mentions,
    revisions,
    sessions,
)

RIGHT, WRONG, FALSE_ALARM, MISSED, REPEATED = "准", "不准", "误报", "漏报", "重复"
HANDED_ON, DONE = "已转派", "已处置"
SPOKEN = (RIGHT, WRONG, FALSE_ALARM, MISSED, REPEATED)
"""Verdicts that say whether a finding was right; the others say what was done about it."""
VERDICTS = (*SPOKEN, HANDED_ON, DONE)
CODES = {"right": RIGHT, "wrong": WRONG, "false": FALSE_ALARM, "missed": MISSED, "repeat": REPEATED, "handed": HANDED_ON,
         "done": DONE}
"""Each verdict's name in addresses and for those who type no Chinese."""
RULED = "settled"
"""Channel of the word with which a second person settled an objection: it counts before all others on its subject."""
EXCLUDING = (FALSE_ALARM, REPEATED)
"""Verdicts that keep a text out of what is learned from stars, and out of what may count as a finding."""
INCIDENT = "incident"
DAY_MARK = "/"
"""Feedback on an incident is about one of its days: the subject is `INC-…/2026-11-15`."""
LEVELS = ("红", "橙", "黄", "蓝", "无")
"""What level a person may say an incident's day deserved; 无: it should not have been listed."""
_CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Subject:
    """What feedback is about, with what was judged of it; `text_sha` and `model_version` are None for incidents."""

    kind: str
    id: str
    text_sha: str | None
    model_version: str | None
    judged: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One person's word on a subject; `label` is the right sentiment of a text, or the right level of an incident's day."""

    subject: Subject
    verdict: str
    who: str
    channel: str
    at: dt.datetime
    label: str | None = None
    topics: tuple[str, ...] | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A text with what is known of it: stars, or the newest feedback."""

    text: str
    stars: float | None = None
    verdict: str | None = None
    label: str | None = None
    topics: tuple[str, ...] | None = None
    judged: dict[str, Any] | None = None


def find(connection: Connection, name: str, day: dt.date | None = None) -> list[Subject]:
    """Return what a name may mean: an incident's id, a mention's id or address, a session's own number.

    Of an incident its listed day `day`, the last one where none is named.
    """
    found = _incident(connection, name, day)
    m, s = mentions.c, sessions.c
    by_id = [m.id == int(name)] if name.isascii() and name.isdigit() and len(name) < 18 else []
    wanted = sa.select(m.id).where(sa.or_(m.url == name, *by_id)).order_by(m.id)
    found += _subjects(connection, TextKind.MENTION, list(connection.execute(wanted).scalars()))
    inside = sa.select(s.id).where(s.native_id == name).order_by(s.id)
    return found + _subjects(connection, TextKind.SESSION, list(connection.execute(inside).scalars()))


def _incident(connection: Connection, name: str, day: dt.date | None) -> list[Subject]:
    d = incident_days.c
    query = (
        sa.select(incidents.c.topic, incidents.c.product, incident_days)
        .join(incident_days, d.incident_id == incidents.c.id).where(incidents.c.id == name)
    )
    last = connection.execute((query.where(d.day == day) if day else query).order_by(d.day.desc()).limit(1)).first()
    if last is None:
        return []
    judged = {"topic": last.topic, "product": last.product, "day": last.day.isoformat(), "level": last.level,
              "score": last.score, "formula": last.formula}
    return [Subject(INCIDENT, f"{name}{DAY_MARK}{last.day.isoformat()}", None, None, judged)]


def _subjects(connection: Connection, kind: TextKind, ids: Sequence[int]) -> list[Subject]:
    a = assessments.c
    rows = connection.execute(sa.select(assessments).where(a.text_kind == kind.value, a.ref_id.in_(ids)))
    judged = {row.ref_id: row for row in rows}
    return [
        Subject(
            kind.value, str(key), row.text_sha if row else None, row.model_version if row else None,
            {"sentiment": row.sentiment, "topics": row.topics, "severity": row.severity} if row else {},
        )
        for key in ids for row in [judged.get(key)]
    ]


def save(connection: Connection, entry: Feedback) -> None:
    """Write one word of feedback; the same person's same verdict on the same subject is kept once, the newer one."""
    row = {
        "subject_kind": entry.subject.kind, "subject_id": entry.subject.id, "verdict": entry.verdict,
        "label": entry.label, "topics": None if entry.topics is None else list(entry.topics), "note": entry.note,
        "who": entry.who[:100], "channel": entry.channel, "text_sha": entry.subject.text_sha,
        "model_version": entry.subject.model_version, "judged": entry.subject.judged, "at": entry.at,
    }
    key = ["subject_kind", "subject_id", "who", "verdict"]
    upsert(connection, feedback, [row], key, [name for name in row if name not in key])


def rows(
    connection: Connection, limit: int | None = None, *, subject: tuple[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return the feedback there is (on one subject: kind, id), newest first, with the state of the last objection to it."""
    f, o = feedback.c, objections.c
    last = sa.select(o.state).where(o.feedback_id == f.id).order_by(o.id.desc()).limit(1).scalar_subquery()
    query = sa.select(feedback, last.label("objection")).order_by(f.at.desc(), f.id.desc()).limit(limit)
    if subject:
        query = query.where(f.subject_kind == subject[0], f.subject_id == subject[1])
    return [dict(row._mapping) for row in connection.execute(query)]


def newest(connection: Connection, until: dt.datetime | None = None) -> dict[tuple[str, str], Any]:
    """Return for each subject (kind, id) the row that counts: the ruling if there is one, else the newest word.

    A subject that is disputed has none: nothing is learned from it until a second person has settled it. `until`: as if
    nothing had been said from that moment on.
    """
    f = feedback.c
    query = sa.select(feedback).where(f.verdict.in_(SPOKEN)).order_by(f.channel == RULED, f.at, f.id)
    if until is not None:
        query = query.where(f.at < until)
    found = {(row.subject_kind, row.subject_id): row for row in connection.execute(query)}
    for key in disputed(connection):
        found.pop(key, None)
    return found


def disputed(connection: Connection) -> set[tuple[str, str]]:
    """Return the subjects (kind, id) with an open objection."""
    query = (
        sa.select(feedback.c.subject_kind, feedback.c.subject_id)
        .join(objections, objections.c.feedback_id == feedback.c.id).where(objections.c.state == "open")
    )
    return {(row.subject_kind, row.subject_id) for row in connection.execute(query)}


def excluded(connection: Connection) -> set[tuple[str, str]]:
    """Return the subjects (kind, id) that people called a false alarm or a repetition: what is not to count."""
    return {key for key, row in newest(connection).items() if row.verdict in EXCLUDING}


def told(connection: Connection) -> list[Told]:
    """Return the mentions that people spoke of and whose text is still the one that was judged."""
    said = {int(key): row for (kind, key), row in newest(connection).items() if kind == TextKind.MENTION}
    found = []
    for part in chunks(sorted(said)):
        for row in _texts(connection, mentions.c.id.in_(part)):
            word = said[row.id]
            if word.text_sha in (None, row.text_sha):
                topics = None if word.topics is None else tuple(word.topics)
                found.append(Told(_whole(row), None, word.verdict, word.label, topics, word.judged))
    return found


def rated(connection: Connection, most: int) -> Iterator[Told]:
    """Yield the newest `most` reviews with stars; not those that are no customer's, nor those people spoke against."""
    against = {
        int(key) for (kind, key), row in newest(connection).items()
        if kind == TextKind.MENTION and row.verdict in (*EXCLUDING, WRONG, MISSED)
    } | {int(key) for kind, key in disputed(connection) if kind == TextKind.MENTION}
    a = assessments.c
    voices = sa.select(a.ref_id).where(a.text_kind == TextKind.MENTION.value, a.voice != _CUSTOMER)
    wanted = sa.and_(
        mentions.c.rating.is_not(None), mentions.c.kind == MentionKind.REVIEW.value, mentions.c.id.not_in(voices)
    )
    for row in _texts(connection, wanted, most):
        if row.id not in against:
            yield Told(_whole(row), row.rating)


def _texts(connection: Connection, wanted: Any, most: int | None = None) -> Iterator[Any]:
    query = (
        sa.select(mentions.c.id, mentions.c.rating, revisions.c.title, revisions.c.text, revisions.c.text_sha)
        .join(revisions, revisions.c.id == mentions.c.revision_id)
        .where(mentions.c.purged_at.is_(None), wanted).order_by(mentions.c.id.desc()).limit(most)
    )
    yield from connection.execute(query)


def _whole(row: Any) -> str:
    return f"{row.title}\n{row.text}" if row.title else str(row.text)


def label_of(entry: Told) -> str | None:
    """Return the class that feedback tells: the one that was said, else what the verdict means.

    准 confirms the judgement; 漏报 is a complaint that was not heard. 不准, 误报 and 重复 alone don't say what is right.
    """
    if entry.label:
        return entry.label
    if entry.verdict == MISSED:
        return Sentiment.NEGATIVE.value
    if entry.verdict == RIGHT and entry.judged:
        return entry.judged.get("sentiment")
    return None
