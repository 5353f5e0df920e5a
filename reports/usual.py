"""What each source usually brings in a day, against what was heard: blindness in numbers.

The usual number is that of `reports.baseline` for one source alone: its days of the last four weeks on which it was
read (blocked and half-read days are no part of it), the same weekday counted again. Of a source that was read in part
only that part is to be expected. Few at a source that calls itself well may mean that its pages have changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from reports.baseline import Baseline, Cell, Day, nb_tail
from reports.coverage import Coverage
from vocwatch.models import SourceStatus

FEW_P = 0.001
_CELL: Cell = ("source", "mentions")


@dataclass(frozen=True)
class Usual:
    """One source's day: `heard` brand mentions where `usual` are heard on a day read in full (None under 14 such days).

    `expected` is the usual number times the share that was read; `p_low` is P(X ≤ heard) at that.
    """

    name: str
    title: str
    ok: bool
    heard: int
    usual: float | None
    expected: float | None
    p_low: float | None
    days: int

    @property
    def few(self) -> bool:
        """Read in full by its own account, and yet strangely little."""
        return self.ok and self.p_low is not None and self.p_low < FEW_P


def usual(
    date: dt.date,
    days: Iterable[dt.date],
    heard: Mapping[tuple[dt.date, str], int],
    usable: Mapping[str, AbstractSet[dt.date]],
    covered: Coverage,
) -> dict[str, Usual]:
    """Return each enabled source's numbers by its name. `heard` counts mentions by date and source; of `days`, those
    on which a source was read (`usable`) may stand in its base.
    """
    by_source: dict[str, dict[Day, int]] = {source.name: {} for source in covered.sources}
    for (day, name), number in heard.items():
        if name in by_source:
            by_source[name][name, day] = number
    found = {}
    for source in covered.sources:
        name = source.name
        baseline = Baseline(date, {_CELL: by_source[name]}, {name: usable.get(name, set()) & set(days)})
        told = baseline.expect(_CELL, 1)
        now = heard.get((date, name), 0)
        expected = told.mean * source.share if told else None
        found[name] = Usual(
            name, source.title, source.status is SourceStatus.OK, now, _rounded(told.mean if told else None),
            _rounded(expected), max(0.0, 1 - nb_tail(now + 1, expected, told.alpha)) if told and expected else None,
            baseline.history,
        )
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
