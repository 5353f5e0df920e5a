"""Objections: a word of feedback that somebody contests, and how a second person settles it.

While an objection is open nothing is learned from its subject. Settling writes the word that stands (a ruling), which
counts before all other words on the subject, until it is objected to itself.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.lang import tr
from vocwatch.store.engine import insert_into
from vocwatch.store.feedback import RULED, SPOKEN, VERDICTS
from vocwatch.store.people_schema import objections
from vocwatch.store.schema import feedback

OPEN, UPHELD, OVERRULED, WITHDRAWN = "open", "upheld", "overruled", "withdrawn"
STATES = (OPEN, UPHELD, OVERRULED, WITHDRAWN)


class ObjectionError(ValueError):
    """An objection that can't be raised or settled so, in words for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A contested subject: the words on it, and the objection (None where two people just said opposite things)."""

    subject_kind: str
    subject_id: str
    judged: dict[str, Any]
    words: tuple[dict[str, Any], ...]
    objection: dict[str, Any] | None


def raise_one(connection: Connection, feedback_id: int, who: str, reason: str, now: dt.datetime) -> int:
    """Object to a word; returns the objection's id.

    Raises ObjectionError where there is no such word, it is one's own, no reason is given, or it is contested already.
    """
    word = _word(connection, feedback_id)
    if _same(word.who, who):
        raise ObjectionError(tr("这是你自己说的；要改，再反馈一次即可", "That is your own word; to change it, give another"))
    if word.verdict not in SPOKEN:
        raise ObjectionError(tr(f"“{word.verdict}”是处理状态，不必提异议", f"{word.verdict} is what was done, nothing to contest"))
    if not reason.strip():
        raise ObjectionError(tr("异议要写理由", "Say why you object"))
    made = connection.execute(insert_into(connection, objections).values(
        feedback_id=feedback_id, reason=reason.strip(), who=who[:100], at=now, state=OPEN
    ).on_conflict_do_nothing().returning(objections.c.id)).scalar()
    if made is None:
        raise ObjectionError(tr("已经有人对它提了异议，还没裁定", "Somebody has objected to it already; it is not settled yet"))
    return int(made)


def settle(
    connection: Connection, number: int, verdict: str, who: str, now: dt.datetime, *, note: str = "",
    label: str | None = None, topics: tuple[str, ...] | None = None,
) -> str:
    """Settle an objection with the verdict that is to stand; returns upheld (the contested word was wrong) or overruled.

    `label` and `topics` are the right ones where they are known; without them those of the contested word stand as long
    as its verdict does. Raises ObjectionError for who gave the word or objects to it: a second person settles.
    """
    found = _open(connection, number)
    word = _word(connection, found.feedback_id)
    if verdict not in SPOKEN:
        raise ObjectionError(tr(f"裁定要写：{'、'.join(SPOKEN)}", f"Settle with one of {', '.join(SPOKEN)}"))
    if _same(word.who, who):
        raise ObjectionError(tr(
            f"{word.who} 是被异议的一方，要由另一个人裁定", f"{word.who} gave the contested word: somebody else has to settle it"
        ))
    if _same(found.who, who):
        raise ObjectionError(tr(
            f"{found.who} 是提异议的一方，要由另一个人裁定；不再坚持可以撤回（--withdraw）",
            f"{found.who} raised the objection: somebody else has to settle it, or take it back (--withdraw)",
        ))
    stands = verdict == word.verdict
    ruling = _rule(connection, word, verdict, who, now, note, label or (word.label if stands else None),
                   list(topics) if topics else word.topics if stands else None)
    state = OVERRULED if stands and (label is None or label == word.label) else UPHELD
    connection.execute(objections.update().where(objections.c.id == number).values(
        state=state, settled_by=who[:100], settled_at=now, note=note.strip() or None, ruling_id=ruling
    ))
    return state


def withdraw(connection: Connection, number: int, who: str, now: dt.datetime, note: str = "") -> None:
    """Take an objection back. Raises ObjectionError for anybody but who raised it."""
    found = _open(connection, number)
    if not _same(found.who, who):
        raise ObjectionError(tr(f"只有提出的人（{found.who}）能撤回", f"Only {found.who}, who raised it, can take it back"))
    connection.execute(objections.update().where(objections.c.id == number).values(
        state=WITHDRAWN, settled_by=who[:100], settled_at=now, note=note.strip() or None
    ))


def _rule(
    connection: Connection, word: Any, verdict: str, who: str, now: dt.datetime, note: str, label: str | None,
    topics: list[str] | None,
) -> int:
    row = {
        "subject_kind": word.subject_kind, "subject_id": word.subject_id, "verdict": verdict, "label": label,
        "topics": topics, "note": note.strip() or None, "who": who[:100], "channel": RULED, "text_sha": word.text_sha,
        "model_version": word.model_version, "judged": word.judged, "at": now,
    }
    key = ("subject_kind", "subject_id", "who", "verdict")
    statement = insert_into(connection, feedback).values(row)
    changed = {name: statement.excluded[name] for name in row if name not in key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed).returning(feedback.c.id)
    return int(connection.execute(statement).scalar_one())


def _open(connection: Connection, number: int) -> Any:
    o = objections.c
    found = connection.execute(sa.select(objections).where(o.id == number).with_for_update()).first()
    if found is None or found.state != OPEN:
        raise ObjectionError(tr(
            f"没有待裁定的异议 {number}。现有的：vocwatch feedback disputes",
            f"No open objection {number}. See vocwatch feedback disputes",
        ))
    return found


def _word(connection: Connection, feedback_id: int) -> Any:
    found = connection.execute(sa.select(feedback).where(feedback.c.id == feedback_id)).first()
    if found is None:
        raise ObjectionError(tr(
            f"没有反馈 {feedback_id}。现有的：vocwatch feedback list", f"No feedback {feedback_id}. See vocwatch feedback list"
        ))
    return found


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()[:100]


def number_open(connection: Connection) -> int:
    """Return how many objections are open."""
    return connection.execute(sa.select(sa.func.count()).where(objections.c.state == OPEN)).scalar_one()


def disputes(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[Dispute]:
    """Return what a calibration meeting has to look at: subjects contested in [since, until), those still open from
    before, and those of which two people said opposite things. Open ones first, then by time.
    """
    o, f = objections.c, feedback.c
    raised = sa.or_(sa.and_(o.at >= since, o.at < until), sa.and_(o.state == OPEN, o.at < until))
    held = {row.feedback_id: dict(row._mapping) for row in connection.execute(sa.select(objections).where(raised).order_by(o.id))}
    words: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    query = sa.select(feedback).where(f.verdict.in_(SPOKEN), f.at < until).order_by(f.at, f.id)
    for row in connection.execute(query):
        words[row.subject_kind, row.subject_id].append(dict(row._mapping))
    found = []
    for (kind, name), said in words.items():
        mine = [held[word["id"]] for word in said if word["id"] in held]
        if mine or _opposite(said, since):
            objection = max(mine, key=lambda one: (one["state"] == OPEN, one["id"])) if mine else None
            found.append(Dispute(kind, name, said[-1]["judged"] or {}, tuple(said), objection))
    return sorted(found, key=lambda one: (_rank(one), one.words[-1]["at"], one.subject_kind, one.subject_id))


def _rank(one: Dispute) -> int:
    return 2 if one.objection is None else 0 if one.objection["state"] == OPEN else 1


def _opposite(said: list[dict[str, Any]], since: dt.datetime) -> bool:
    """Whether two people's newest words on a subject contradict each other, one of them said since, and none is a ruling."""
    newest = {word["who"]: word for word in said}.values()
    if any(word["channel"] == RULED for word in newest) or all(word["at"] < since for word in newest):
        return False
    return len({word["verdict"] == VERDICTS[0] for word in newest}) > 1
