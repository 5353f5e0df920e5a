"""Cases: an incident or a mention that somebody takes care of, until it has an outcome.

What a case is now stands in `cases`; every step is a row of `case_events`, and rows are only ever added there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.lang import tr
from vocwatch.models import TextKind
from vocwatch.plain import one_line
from vocwatch.store import feedback
from vocwatch.store.engine import chunks, insert_into
from vocwatch.store.feedback import DAY_MARK, FALSE_ALARM, INCIDENT, Feedback
from vocwatch.store.people_schema import case_events, cases
from vocwatch.store.schema import incidents, mentions, revisions

OUTCOMES = ("改评", "补偿", "下架", "澄清", "误报")
CODES = dict(zip(("review", "compensated", "removed", "clarified", "false"), OUTCOMES, strict=True))
"""Each outcome's name for those who type no Chinese."""
OPEN, CLOSED = "open", "closed"
FORGOTTEN = "（按规定清除）"
_TITLE = 200


class CaseError(ValueError):
    """A step that this case can't take, in words for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. `due_on` is the business date by whose end it is to be done."""

    id: int
    subject_kind: str
    subject_id: str
    title: str
    state: str
    owner: str | None
    due_on: dt.date | None
    outcome: str | None
    opened_at: dt.datetime
    closed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class By:
    """Who takes a step, through which channel (cli, mail, console), when."""

    who: str
    channel: str
    at: dt.datetime


def find_subject(connection: Connection, name: str) -> tuple[str, str, str]:
    """Return (kind, id, title) of an incident's id, a mention's id or address. Raises CaseError for anything else."""
    title = connection.execute(sa.select(incidents.c.title).where(incidents.c.id == name)).scalar()
    if title is not None:
        return INCIDENT, name, title
    m = mentions.c
    known = [m.id == int(name)] if name.isascii() and name.isdigit() and len(name) < 18 else []
    query = (
        sa.select(m.id, revisions.c.title, revisions.c.text).outerjoin(revisions, revisions.c.id == m.revision_id)
        .where(sa.or_(m.url == name, *known)).order_by(m.id).limit(2)
    )
    found = connection.execute(query).all()
    if len(found) != 1:
        raise CaseError(tr(
            f"没有这个事件或提及：{name}" if not found else f"不止一条提及叫 {name}，请写编号",
            f"No such incident or mention: {name}" if not found else f"More than one mention is called {name}: give its number",
        ))
    [row] = found
    return TextKind.MENTION.value, str(row.id), one_line(row.title or row.text or "", 60) or f"#{row.id}"


def open_case(connection: Connection, kind: str, subject: str, title: str, by: By, note: str = "") -> tuple[Case, bool]:
    """Open a case, or return the one that is open for the subject already; the second value says whether it is new."""
    row = {
        "subject_kind": kind, "subject_id": subject, "title": one_line(title, _TITLE), "state": OPEN, "owner": None,
        "due_on": None, "outcome": None, "opened_at": by.at, "closed_at": None,
    }
    # Two people may open it at once: the index lets one row in, and the other one finds it.
    made = connection.execute(insert_into(connection, cases).values(row).on_conflict_do_nothing().returning(cases.c.id)).scalar()
    if made is not None:
        _tell(connection, made, "opened", None, note, by)
        return get(connection, made), True
    c = cases.c
    query = sa.select(c.id).where(c.subject_kind == kind, c.subject_id == subject, c.state == OPEN)
    return get(connection, connection.execute(query).scalar_one()), False


def assign(connection: Connection, number: int, owner: str, by: By, note: str = "") -> Case:
    """Give a case to somebody. Raises CaseError where it is closed, unknown, or nobody is named."""
    owner = one_line(owner, 100).strip()
    if not owner:
        raise CaseError(tr("要写交给谁", "Say to whom"))
    return _step(connection, number, "assigned", {"owner": owner}, owner, note, by)


def set_due(connection: Connection, number: int, due_on: dt.date, by: By, note: str = "") -> Case:
    """Set the business date by whose end a case is to be done. Raises CaseError where it is closed or unknown."""
    return _step(connection, number, "due", {"due_on": due_on}, due_on.isoformat(), note, by)


def comment(connection: Connection, number: int, note: str, by: By) -> Case:
    """Add a comment, also to a closed case. Raises CaseError where it is unknown or nothing is said."""
    if not note.strip():
        raise CaseError(tr("备注是空的", "The comment is empty"))
    found = get(connection, number)
    _tell(connection, number, "comment", None, note, by)
    return found


def close(connection: Connection, number: int, outcome: str, by: By, note: str = "") -> Case:
    """Close a case with its outcome. Raises CaseError where it is closed already, unknown, or without a known outcome.

    误报 is somebody's word on the finding as well, and is kept as feedback: it can be objected to like any other.
    """
    if outcome not in OUTCOMES:
        raise CaseError(tr(
            f"没有结果“{outcome}”，可写：{'、'.join(OUTCOMES)}", f"No outcome {outcome}; use one of {', '.join(CODES)}"
        ))
    values = {"state": CLOSED, "outcome": outcome, "closed_at": by.at}
    found = _step(connection, number, "closed", values, outcome, note, by)
    if outcome == FALSE_ALARM:
        for subject in feedback.find(connection, found.subject_id):
            if subject.kind == found.subject_kind:
                feedback.save(connection, Feedback(subject, FALSE_ALARM, by.who, by.channel, by.at, note=note or None))
    return found


def _step(
    connection: Connection, number: int, what: str, values: dict[str, Any], value: str, note: str, by: By
) -> Case:
    c = cases.c
    done = connection.execute(cases.update().where(c.id == number, c.state == OPEN).values(values))
    if not done.rowcount:
        found = get(connection, number)
        raise CaseError(tr(
            f"跟进 {number} 已以“{found.outcome}”结案，不能再改；还要跟进就再立一件",
            f"Case {number} was closed ({found.outcome}) and stays so; open another one",
        ))
    _tell(connection, number, what, value, note, by)
    return get(connection, number)


def _tell(connection: Connection, number: int, what: str, value: str | None, note: str, by: By) -> None:
    connection.execute(case_events.insert().values(
        case_id=number, what=what, value=value, note=note.strip() or None, who=by.who[:100], channel=by.channel, at=by.at
    ))


def get(connection: Connection, number: int) -> Case:
    """Return a case. Raises CaseError where there is none."""
    row = connection.execute(sa.select(cases).where(cases.c.id == number)).first()
    if row is None:
        raise CaseError(tr(f"没有跟进 {number}。现有的：vocwatch case list", f"No case {number}. See vocwatch case list"))
    return Case(**row._mapping)


def history(connection: Connection, number: int) -> list[dict[str, Any]]:
    """Return the steps of a case, oldest first."""
    e = case_events.c
    query = sa.select(e.at, e.who, e.channel, e.what, e.value, e.note).where(e.case_id == number).order_by(e.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def listed(
    connection: Connection, *, state: str | None = OPEN, owner: str | None = None, subject: str | None = None,
    due_by: dt.date | None = None,
) -> list[Case]:
    """Return cases: those due first before those due later or never. `due_by`: only those due on that date or before."""
    c = cases.c
    wanted = [
        *([c.state == state] if state else []), *([c.owner == owner] if owner else []),
        *([c.subject_id == subject] if subject else []), *([c.due_on <= due_by] if due_by else []),
    ]
    query = sa.select(cases).where(*wanted).order_by(c.due_on.is_(None), c.due_on, c.id)
    return [Case(**row._mapping) for row in connection.execute(query)]


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Empty what cases and their histories may quote of mentions that are erased."""
    kind = TextKind.MENTION.value
    for part in chunks([str(key) for key in ids]):
        mine = sa.and_(cases.c.subject_kind == kind, cases.c.subject_id.in_(part))
        numbers = sa.select(cases.c.id).where(mine)
        noted = sa.and_(case_events.c.case_id.in_(numbers), case_events.c.note.is_not(None))
        connection.execute(case_events.update().where(noted).values(note=FORGOTTEN))
        connection.execute(cases.update().where(mine).values(title=FORGOTTEN))


def of_incident(subject_id: str) -> str:
    """Return the incident of a feedback subject (`INC-…/2026-11-15`)."""
    return subject_id.partition(DAY_MARK)[0]
