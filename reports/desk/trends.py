"""What rose and what fell: topics of a period against the period of equal length before."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.desk.blind import Sight, sight
from reports.desk.groups import asked, link
from reports.desk.handle import Desk
from reports.trade.ratio import Channel, RateRatio, rate_ratio
from vocwatch.lang import tr
from vocwatch.store.desk import counts
from vocwatch.store.desk.question import Question

DAYS = 28
FEW = 5
"""Fewer mentions than this in both periods together say nothing."""
Cells = Mapping[tuple[str, dt.date], int]  # (source, day) -> mentions


def trend_rows(desk: Desk, question: Question) -> list[dict[str, Any]]:
    """Return a row for each topic of either period, the surest rises first, then by mentions.

    Without `since` the last 28 days that are over. `change`, `low` and `high` are relative (0.5 is half as much again).
    """
    now = _period(desk, asked("trends", question))
    assert now.since and now.until
    length = (now.until - now.since).days + 1
    whole = replace(now, since=now.since - dt.timedelta(days=length))
    with desk.read() as connection:
        scope = desk.scope(connection, whole)
        cells: dict[str, dict[tuple[str, dt.date], int]] = defaultdict(dict)
        for cell in counts.grouped(connection, scope, ("topic", "source", "day"), authors=False):
            topic, source, day = cell.values
            cells[topic][source, day] = cell.mentions
        scope = desk.scope(connection, now)
        authors = {c.values[0]: c.authors for c in counts.grouped(connection, scope, ("topic",))}
        seen = sight(desk, connection, whole.since or now.since, now.until, question.sources)
    rows = [_row(topic, own, authors.get(topic, 0) or 0, seen, now) for topic, own in cells.items()]
    return sorted(rows, key=lambda row: (_ORDER[row["trend"]], -row["mentions"], row["topic"]))


_ORDER = {"up": 0, "flat": 1, "few": 1, "down": 2}


def _period(desk: Desk, question: Question) -> Question:
    last = desk.today - dt.timedelta(days=1)
    until = question.until or (last if question.since is None else max(last, question.since))
    return replace(question, since=question.since or until - dt.timedelta(days=DAYS - 1), until=until)


def _row(topic: str, cells: Cells, authors: int, seen: Sight, now: Question) -> dict[str, Any]:
    assert now.since and now.until
    after = sum(number for (_, day), number in cells.items() if day >= now.since)
    before = sum(cells.values()) - after
    ratio = rate_ratio(_channels(cells, seen, now.since))
    trend = _trend(ratio, before + after)
    return {
        "topic": topic, "mentions": after, "authors": authors, "before": before, "change": _less_one(ratio.value),
        "low": _less_one(ratio.low), "high": _less_one(ratio.high), "p": ratio.p, "trend": trend, "verdict": _WORDS[trend](),
        "values": _values(cells, seen, now), "link": link(now, ("topic",), {"topic": topic}),
    }


def _channels(cells: Cells, seen: Sight, since: dt.date) -> list[Channel]:
    return [
        Channel(name, *(
            [(cells.get((name, day), 0), 1.0) for day in seen.days if day in days and (day >= since) is later]
            for later in (False, True)
        ))
        for name, days in sorted(seen.read.items())
    ]


def _values(cells: Cells, seen: Sight, now: Question) -> list[int | None]:
    assert now.since and now.until
    by_day: dict[dt.date, int] = defaultdict(int)
    for (_, day), number in cells.items():
        by_day[day] += number
    days: Sequence[dt.date] = [now.since + dt.timedelta(days=n) for n in range((now.until - now.since).days + 1)]
    return [by_day[day] if by_day.get(day) or not seen.dark(day) else None for day in days]


def _trend(ratio: RateRatio, number: int) -> str:
    if number < FEW or ratio.low is None or ratio.high is None:
        return "few"
    return "up" if ratio.low > 1 else "down" if ratio.high < 1 else "flat"


def _less_one(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else value - 1


_WORDS = {
    "up": lambda: tr("上升", "up"), "down": lambda: tr("下降", "down"), "flat": lambda: tr("没有明显变化", "no clear change"),
    "few": lambda: tr("样本不足", "too few"),
}
