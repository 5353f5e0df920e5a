"""The rates of the trade (差评率, 品退率, 非满意率 …), each with its counts, and against the weeks before.

rate = numerator ÷ denominator of one business date, with its 95 % Wilson interval (Wilson 1927). The comparison is with
the days of the base on which both counts are known, added up; a day without a denominator is no day of zero and stays
out. Days scatter more than coin tosses do: the variance is scaled by the base's own Pearson χ² ÷ (days − 1), at least 1
(McCullagh & Nelder, Generalized Linear Models, §4.5).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.baseline import GUARD_DAYS, WARM_UP_DAYS, nb_tail
from reports.say import Say, say
from vocwatch.store.totals import ALL_SHOPS, Total

UNUSUAL_P = 0.01
_Z95 = 1.96
_NORMAL_FROM = 5.0  # expected counts from which the normal approximation holds
_BAD_SESSIONS = "bad_sessions"


@dataclass(frozen=True)
class Kind:
    """A rate: which count over which. Where the numerator's total is unknown, the imported sessions of `path` stand in
    for it.
    """

    name: str
    over: str
    under: str
    path: str | None = None


KINDS = (
    Kind("差评率", "bad_reviews", "reviews", "中差评"),
    Kind("品退率", "quality_returns", "orders", "品退"),
    Kind("退货率", "returns", "orders"),
    Kind("非满意率", "unsatisfied", "rated", "非满意"),
    Kind("差评会话率", _BAD_SESSIONS, "sessions"),
    Kind("解决率", "resolved", "answered"),
)


@dataclass(frozen=True)
class Base:
    """The days before that a rate is compared with: their counts added up, and which days lack a count."""

    numerator: int
    denominator: int
    days: tuple[dt.date, ...]
    missing: tuple[dt.date, ...]

    @property
    def rate(self) -> float | None:
        """Numerator ÷ denominator; None for nothing."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Rate:
    """One rate of one business date; `value` None with the reason in `note` where a count is unknown.

    `basis`: "given" by a table of daily totals; "counted" in exports of all sessions (a lower bound); "sessions" where
    the numerator is the imported sessions named in `session_ids`. `change` is today's rate minus that of the base.
    """

    name: str
    over: str
    under: str
    numerator: int | None
    denominator: int | None
    basis: str | None
    low: float | None
    high: float | None
    base: Base
    judgement: str
    note: Say | None
    rows: tuple[Total, ...]
    session_ids: tuple[str, ...]

    @property
    def value(self) -> float | None:
        """Numerator ÷ denominator; None where it is unknown."""
        if self.note is not None or self.numerator is None or not self.denominator:
            return None
        return self.numerator / self.denominator

    @property
    def change(self) -> float | None:
        """Today's rate minus that of the base; None without enough days."""
        before = self.base.rate
        if self.value is None or before is None or len(self.base.days) < WARM_UP_DAYS:
            return None
        return self.value - before


@dataclass(frozen=True)
class _Count:
    value: int
    rows: tuple[Total, ...] = ()
    session_ids: tuple[str, ...] = ()


class Counts:
    """What is known of each day: totals, and the imported sessions by path (distinct ids)."""

    def __init__(self, totals: Iterable[Total], sessions: Mapping[dt.date, Mapping[str, set[str]]]):
        self._totals: dict[tuple[dt.date, str], dict[str, Total]] = defaultdict(dict)
        for row in totals:
            self._totals[row.day, row.what][row.shop] = row
        self._sessions = sessions

    def denominator(self, day: dt.date, what: str) -> _Count | None:
        """A day's total: that of all shops together, else the sum of its shops; None where there is no row."""
        found = self._totals.get((day, what), {})
        rows = (found[ALL_SHOPS],) if ALL_SHOPS in found else tuple(found[shop] for shop in sorted(found))
        return _Count(sum(row.value for row in rows), rows) if rows else None

    def numerator(self, day: dt.date, kind: Kind) -> _Count | None:
        """A day's numerator by totals, else by sessions; None where no session of the day was imported either."""
        total = self.denominator(day, kind.over)
        if total is not None or not self._sessions.get(day):
            return total
        paths = self._sessions[day]
        if kind.over == _BAD_SESSIONS:
            found = set().union(*paths.values())
        elif kind.path:
            found = paths.get(kind.path, set())
        else:
            return None
        return _Count(len(found), session_ids=tuple(sorted(found)))


def rates(counts: Counts, date: dt.date, days: Iterable[dt.date]) -> tuple[Rate, ...]:
    """Return the rates of a date; `days` may stand in the base (those of the guard gap are left out).

    A rate whose denominator was never heard of, on no day at all, is left out.
    """
    before = [day for day in days if (date - day).days > GUARD_DAYS]
    found = [_rate(counts, kind, date, before) for kind in KINDS]
    return tuple(rate for rate in found if rate.denominator is not None or rate.base.days)


def _rate(counts: Counts, kind: Kind, date: dt.date, before: Sequence[dt.date]) -> Rate:
    over, under = counts.numerator(date, kind), counts.denominator(date, kind.under)
    known: list[tuple[dt.date, int, int]] = []
    for day in before:
        one, all_ = counts.numerator(day, kind), counts.denominator(day, kind.under)
        if one is not None and all_ is not None and one.value <= all_.value:
            known.append((day, one.value, all_.value))
    days = tuple(day for day, _, _ in known)
    base = Base(
        sum(n for _, n, _ in known), sum(d for _, _, d in known), days, tuple(d for d in before if d not in set(days))
    )
    note = _lack(kind, date, over, under)
    low = high = None
    if over and under and note is None:
        low, high = wilson(over.value, under.value)
    return Rate(
        kind.name, kind.over, kind.under, over.value if over else None, under.value if under else None,
        _basis(over, under), low, high, base,
        _judge(over.value, under.value, base, known) if over and under and note is None else "基线不足", note,
        (*(over.rows if over else ()), *(under.rows if under else ())), over.session_ids if over else (),
    )


def _lack(kind: Kind, date: dt.date, over: _Count | None, under: _Count | None) -> Say | None:
    """Why there is no rate."""
    day = f"{date:%m-%d}"
    if under is None:
        return say("rates.lacks", day=day, what=kind.under)
    if over is None:
        return say("rates.lacks", day=day, what=kind.over)
    if not under.value:
        return say("rates.nothing", day=day, what=kind.under)
    if over.value > under.value:
        return say("rates.clash", over=kind.over, numerator=over.value, under=kind.under, denominator=under.value)
    return None


def _basis(over: _Count | None, under: _Count | None) -> str | None:
    if over is None or under is None:
        return None
    if not over.rows:
        return "sessions"
    return "counted" if any(row.basis == "counted" for row in (*over.rows, *under.rows)) else "given"


def _judge(numerator: int, denominator: int, base: Base, known: Sequence[tuple[dt.date, int, int]]) -> str:
    """正常波动, 偏高 or 偏低 (two-sided at 1 %), 基线不足 under 14 known days."""
    if len(known) < WARM_UP_DAYS or not base.denominator:
        return "基线不足"
    usual = (base.numerator + 0.5) / (base.denominator + 1.0)
    spread = max(1.0, _pearson(known, usual))
    mean = usual * denominator
    if min(mean, denominator - mean) >= _NORMAL_FROM:
        room = usual * (1 - usual) * (1 / denominator + 1 / base.denominator)
        z = (numerator / denominator - usual) / math.sqrt(spread * room)
        if abs(z) < 2.576:
            return "正常波动"
        return "偏高" if z > 0 else "偏低"
    alpha = (spread - 1) / mean
    if nb_tail(numerator, mean, alpha) < UNUSUAL_P / 2:
        return "偏高"
    return "偏低" if 1 - nb_tail(numerator + 1, mean, alpha) < UNUSUAL_P / 2 else "正常波动"


def _pearson(known: Sequence[tuple[dt.date, int, int]], usual: float) -> float:
    """Pearson χ² of the base's days ÷ (days − 1): 1 where they scatter like coin tosses."""
    variance = usual * (1 - usual)
    square = math.fsum((n - d * usual) ** 2 / (d * variance) for _, n, d in known if d)
    return square / max(1, len(known) - 1)


def wilson(numerator: int, denominator: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a proportion."""
    share = numerator / denominator
    shrink = 1 + _Z95**2 / denominator
    centre = share + _Z95**2 / (2 * denominator)
    room = _Z95 * math.sqrt(share * (1 - share) / denominator + _Z95**2 / (4 * denominator**2))
    return max(0.0, (centre - room) / shrink), min(1.0, (centre + room) / shrink)
