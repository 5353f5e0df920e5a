"""Cases that should be done by now: what the next digest reminds of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vocwatch.store import Connection, cases


@dataclass(frozen=True)
class Overdue:
    """A case that is open after its due date; `days` says for how many business dates. `owner` None: given to nobody."""

    case: int
    kind: str
    subject: str
    title: str
    owner: str | None
    due_on: dt.date
    days: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "case": self.case, "kind": self.kind, "subject": self.subject, "title": self.title, "owner": self.owner,
            "due_on": self.due_on.isoformat(), "days": self.days,
        }


def overdue(connection: Connection, date: dt.date) -> tuple[Overdue, ...]:
    """Return the open cases that were due on `date` or before, the longest overdue first.

    The digest of a business date is read the morning after, when that date is over.
    """
    return tuple(
        Overdue(one.id, one.subject_kind, one.subject_id, one.title, one.owner, one.due_on, (date - one.due_on).days + 1)
        for one in cases.listed(connection, due_by=date) if one.due_on
    )


def oldest(found: Sequence[Overdue]) -> Overdue:
    """Return the one that has waited longest."""
    return min(found, key=lambda one: (one.due_on, one.case))
