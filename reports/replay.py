"""Past days judged again: what would have changed. Nothing is written.

With new weights both sides are judged from what the store holds today, once with the weights in use and once with the
new ones, so that only the weights make a difference; levels and states follow from one replayed day to the next.
Without, what was written down then is held against what the weights in use say today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reports import score
from reports.day import judge_day, read_day
from reports.judgement import Finding
from reports.past import ReplayedPast
from vocwatch.settings import Settings
from vocwatch.settings.app import Risk
from vocwatch.store import Connection, Store, history


@dataclass(frozen=True)
class Change:
    """What one incident of one day would have been: None on the side where it isn't listed."""

    day: dt.date
    incident: str
    title: str
    product: str | None
    topic: str
    before: tuple[str, float] | None
    after: tuple[str, float] | None

    @property
    def moved(self) -> bool:
        """Its level is another, or it is listed on one side only."""
        return (self.before and self.before[0]) != (self.after and self.after[0])


@dataclass(frozen=True)
class Replay:
    """All incidents of the replayed days, and the formula versions of both sides."""

    since: dt.date
    until: dt.date
    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def moved(self) -> tuple[Change, ...]:
        """Only those whose level would have been another."""
        return tuple(change for change in self.changes if change.moved)


def replay(settings: Settings, store: Store, since: dt.date, until: dt.date, risk: Risk | None = None) -> Replay:
    """Judge the days [since, until] anew, with `risk` or the weights in use, and compare."""
    new = replace(settings, app=settings.app.model_copy(update={"risk": risk})) if risk else settings
    days = [since + dt.timedelta(days=n) for n in range((until - since).days + 1)]
    changes: list[Change] = []
    formulas: set[str] = set()
    with store.read() as connection:
        old_past, new_past = ReplayedPast(connection, since), ReplayedPast(connection, since)
        for day in days:
            if risk:
                before = _judged(settings, connection, day, old_past)
            else:
                rows = history.days_between(connection, day, day)
                formulas |= {row["formula"] for row in rows}
                before = {(row["product"], row["topic"]): _Listed.stored(row) for row in rows}
            changes += _compared(day, before, _judged(new, connection, day, new_past))
    in_use = score.version(settings.app.risk)
    return Replay(since, until, in_use if risk else "、".join(sorted(formulas)), score.version(new.app.risk), tuple(changes))


@dataclass(frozen=True)
class _Listed:
    """An incident's day on one side."""

    id: str
    title: str
    level: str
    score: float

    @classmethod
    def stored(cls, row: Mapping[str, Any]) -> _Listed:
        return cls(row["id"], row["title"], row["level"], row["score"])

    @classmethod
    def judged(cls, found: Finding) -> _Listed:
        return cls(found.id, found.title, found.level.value, found.score)


_Cells = dict[tuple[str | None, str], _Listed]


def _judged(settings: Settings, connection: Connection, day: dt.date, past: ReplayedPast) -> _Cells:
    findings, _ = judge_day(settings, read_day(settings, connection, day, past))
    past.add(day, findings)
    return {(f.product, f.topic): _Listed.judged(f) for f in findings}


def _compared(day: dt.date, before: _Cells, after: _Cells) -> Iterator[Change]:
    for cell in sorted({*before, *after}, key=lambda cell: (cell[1], cell[0] or "")):
        one, two = before.get(cell), after.get(cell)
        shown = before.get(cell) or after[cell]
        yield Change(
            day, shown.id, shown.title, cell[0], cell[1], (one.level, one.score) if one else None,
            (two.level, two.score) if two else None,
        )


def as_dict(told: Replay) -> dict[str, Any]:
    """Return the replay as JSON."""
    return {
        "since": told.since.isoformat(), "until": told.until.isoformat(), "formula": told.before, "replayed": told.after,
        "incident_days": len(told.changes), "moved": len(told.moved),
        "changes": [
            {
                "date": c.day.isoformat(), "incident": c.incident, "title": c.title, "product": c.product, "topic": c.topic,
                "level": c.before[0] if c.before else None, "score": c.before[1] if c.before else None,
                "new_level": c.after[0] if c.after else None, "new_score": c.after[1] if c.after else None,
                "moved": c.moved,
            }
            for c in told.changes
        ],
    }
