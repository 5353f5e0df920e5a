"""What people marked, for many findings at once; and taking a mark back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.engine import chunks
from vocwatch.store.feedback import Subject, _subjects
from vocwatch.store.people_schema import objections
from vocwatch.store.schema import feedback, mentions, sessions


def of_subjects(connection: Connection, kind: str, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the words of feedback on subjects of a kind, by subject, newest first."""
    f = feedback.c
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for part in chunks(list(ids)):
        query = sa.select(feedback).where(f.subject_kind == kind, f.subject_id.in_(part)).order_by(f.at.desc(), f.id.desc())
        for row in connection.execute(query):
            found[row.subject_id].append(dict(row._mapping))
    return found


def withdraw(connection: Connection, number: int, who: str, since: dt.datetime) -> dict[str, Any] | None:
    """Take back a word that `who` gave at or after `since`, as if it had not been said; returns it.

    None where there is no such word of theirs, it is older, or somebody has objected to it: that has to be settled.
    """
    f = feedback.c
    contested = sa.exists().where(objections.c.feedback_id == f.id)
    row = connection.execute(
        sa.select(feedback).where(f.id == number, f.who == who[:100], f.at >= since, sa.not_(contested))
    ).first()
    if row is None:
        return None
    connection.execute(feedback.delete().where(f.id == number))
    return dict(row._mapping)


def subjects(connection: Connection, kind: str, ids: Sequence[int]) -> list[Subject]:
    """Return what feedback on these mentions or sessions is about; those that are not stored are left out."""
    table = mentions if kind == TextKind.MENTION.value else sessions
    found: list[Subject] = []
    for part in chunks(list(ids)):
        known = connection.execute(sa.select(table.c.id).where(table.c.id.in_(part))).scalars()
        found += _subjects(connection, TextKind(kind), list(known))
    return found
