"""Counts for facets, lines and heat maps."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports.desk.blind import Sight, sight
from reports.desk.groups import OF_MENTIONS, asked, counts, link, numbers
from reports.desk.handle import Desk
from vocwatch.lang import listed, tr
from vocwatch.plain import one_line
from vocwatch.store.desk import counts as store_counts
from vocwatch.store.desk.question import Question, QuestionError

STEPS = ("day", "week", "month")
MAX_LINES = 12
MAX_STEPS = 800
_OWN = {
    "topic": "topics", "major": "topics", "source": "sources", "product": "products", "watch": "watches", "sentiment": "sentiments",
    "level": "levels", "shop": "shops", "voice": "voices", "red_line": "red_lines",
}


def facets(desk: Desk, question: Question, by: str | Sequence[str]) -> list[dict[str, Any]]:
    """Count the mentions of a question by one value or by two crossed, largest first.

    One value: as if the question had no condition on it, so that what else there is can be seen; `chosen` says which
    it asks for. Each row has the values under their names, `mentions` and `link`.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    _known(names)
    lifted = names[0] if len(names) == 1 else ""
    chosen = getattr(question, _OWN[lifted]) if lifted in _OWN else ()
    if lifted in _OWN:
        question = replace(question, **{_OWN[lifted]: ()})  # type: ignore[arg-type]
    with desk.read() as connection:
        found = store_counts.grouped(connection, desk.scope(connection, question), names, authors=False)
    rows = [{**dict(zip(names, c.values, strict=True)), "mentions": c.mentions} for c in found]
    for row in rows:
        row["link"] = link(question, names, row)
        row["chosen"] = bool(chosen) and row[names[0]] in chosen
    return sorted(rows, key=lambda row: (-row["mentions"], *(str(row[name]) for name in names)))


@dataclass(frozen=True)
class Line:
    """One line of a chart: its value (topic, source …; empty for all) and a count for each step, None where blind."""

    value: str
    values: tuple[int | None, ...]

    @property
    def total(self) -> int:
        """What was counted altogether."""
        return sum(value or 0 for value in self.values)


@dataclass(frozen=True)
class Series:
    """Lines over time. `steps` are the first days; `partial` those of which some source was not read in full."""

    question: Question
    split: str
    step: str
    steps: tuple[dt.date, ...]
    partial: tuple[bool, ...]
    lines: tuple[Line, ...]
    more: int
    """Lines that were left out, the smallest ones."""

    def link(self, line: Line, place: int) -> list[tuple[str, str]] | None:
        """Return the parameters of the rows behind one point."""
        names = (self.step, self.split) if self.split else (self.step,)
        return link(self.question, names, {self.step: self.steps[place], self.split: line.value})


def series(
    desk: Desk, question: Question, split: str = "", step: str = "day", *, subject: str = "mentions", most: int = MAX_LINES
) -> Series:
    """Count over time, split by a group's values (the `most` largest), or whole. Raises QuestionError.

    `subject` is mentions, topics or sessions. Without `since` the last 90 days. A step whose sources were all blind and
    of which nothing is known is None.
    """
    if step not in STEPS:
        raise QuestionError("step", tr(f"可用：{listed(STEPS)}", f"use one of {listed(STEPS)}"))
    until = question.until or desk.today
    question = replace(asked(subject, question), since=question.since or until - dt.timedelta(days=89), until=until)
    assert question.since
    steps = _steps(question.since, until, step)
    if len(steps) > MAX_STEPS:
        raise QuestionError("since", tr(f"最多画 {MAX_STEPS} 个点，请缩短时间或按周、按月", f"at most {MAX_STEPS} points; take fewer days, weeks or months"))
    groups = (step, *((split,) if split else ()))
    cells: dict[str, dict[dt.date, int]] = defaultdict(dict)
    with desk.read() as connection:
        if subject == "sessions":
            for row in counts(desk, connection, subject, question, groups):
                cells[str(row[split]) if split else ""][row[step]] = row[numbers(subject, False)[0]]
            seen = Sight((), {}, {})
        else:
            _known(groups)
            for c in store_counts.grouped(connection, desk.scope(connection, question), groups, authors=False):
                cells[str(c.values[1]) if split else ""][c.values[0]] = c.mentions
            seen = sight(desk, connection, question.since, until, question.sources)
    if not split:
        cells.setdefault("", {})
    every = [Line(name, _line(own, steps, seen, name if split == "source" else "", step)) for name, own in cells.items()]
    every.sort(key=lambda line: (-line.total, line.value))
    partial = tuple(any(seen.unread(day) for day in _within(first, step, seen)) for first in steps)
    return Series(question, split, step, steps, partial, tuple(every[:most]), max(0, len(every) - most))


@dataclass(frozen=True)
class Heat:
    """Counts of two groups crossed, `values[row][column]`."""

    question: Question
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[int, ...], ...]
    names: tuple[str, str]

    def link(self, row: int, column: int) -> list[tuple[str, str]] | None:
        """Return the parameters of the mentions behind one cell."""
        return link(self.question, self.names, {self.names[0]: self.rows[row], self.names[1]: self.columns[column]})


def heat(desk: Desk, question: Question, rows: str = "topic", cols: str = "product", *, most: int = 20) -> Heat:
    """Count the own brand's mentions by two groups, the `most` largest of each."""
    _known((rows, cols))
    question = asked("topics", question)
    with desk.read() as connection:
        found = store_counts.grouped(connection, desk.scope(connection, question), (rows, cols), authors=False)
    cells = {(str(c.values[0]), str(c.values[1])): c.mentions for c in found if None not in c.values}
    names = []
    for place in (0, 1):
        total: dict[str, int] = defaultdict(int)
        for pair, number in cells.items():
            total[pair[place]] += number
        names.append(tuple(sorted(total, key=lambda name: (-total[name], name))[:most]))
    values = tuple(tuple(cells.get((row, column), 0) for column in names[1]) for row in names[0])
    return Heat(question, names[0], names[1], values, (rows, cols))


def _known(names: Sequence[str]) -> None:
    for name in names:
        if name not in OF_MENTIONS:
            raise QuestionError("by", tr(f"不能按 {one_line(name, 30)} 分，可用：{listed(OF_MENTIONS)}", f"no group {one_line(name, 30)}; use {listed(OF_MENTIONS)}"))


def _steps(since: dt.date, until: dt.date, step: str) -> tuple[dt.date, ...]:
    if step == "week":
        since -= dt.timedelta(days=since.weekday())
    elif step == "month":
        since = since.replace(day=1)
    found = []
    while since <= until:
        found.append(since)
        since = _next(since, step)
    return tuple(found)


def _next(first: dt.date, step: str) -> dt.date:
    if step == "month":
        return (first + dt.timedelta(days=32)).replace(day=1)
    return first + dt.timedelta(days=7 if step == "week" else 1)


def _within(first: dt.date, step: str, seen: Sight) -> list[dt.date]:
    """The days of a step that are in sight."""
    after = _next(first, step)
    return [first + dt.timedelta(days=n) for n in range((after - first).days) if seen.days and seen.days[0] <= first + dt.timedelta(days=n) <= seen.days[-1]]


def _line(
    own: dict[dt.date, int], steps: Sequence[dt.date], seen: Sight, source: str, step: str
) -> tuple[int | None, ...]:
    return tuple(own[first] if own.get(first) else _nothing(first, step, seen, source) for first in steps)


def _nothing(first: dt.date, step: str, seen: Sight, source: str) -> int | None:
    """0 where it was looked at, None where all of it was blind."""
    days = _within(first, step, seen)
    if not days:
        return 0
    if source:
        return None if source in seen.read and all(day not in seen.read[source] for day in days) else 0
    return None if all(seen.dark(day) for day in days) else 0
