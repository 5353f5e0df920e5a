"""How many independent voices were to be expected, and how surprising today's number is.

Negative-binomial counts (NB2: variance = μ + α·μ²) with one dispersion α pooled over all cells, by the
method of moments: α = Σ((x − μ)² − x) / Σμ² (Cameron & Trivedi, Regression Analysis of Count Data, §3.3).
The mean is that of the 28 days before a guard gap of 2 days, shrunk towards the mean of all cells, and its
four same weekdays count again. Busy campaign days enter as an offset: μ per day is voices ÷ Σ exposure, and the
expectation is μ × today's exposure × the share of the channel that was read today.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count, islice
from statistics import median

BASE_DAYS = 28
GUARD_DAYS = 2
WARM_UP_DAYS = 14
SHRINK_DAYS = 7.0
WEEKDAY_WEIGHT = 8.0
MIN_ALPHA, MAX_ALPHA = 0.1, 2.0
POISSON_ALPHA = 1e-6

Cell = tuple[str | None, str]  # product (None: the whole brand) and topic
UNNAMED = ""  # the product of texts that name none
Day = tuple[str, dt.date]  # channel (source, or "sessions") and business date


@dataclass(frozen=True)
class Expectation:
    """What was to be expected in a cell today, or today and yesterday (`window` 2). `p` is P(X ≥ seen) at the pooled
    dispersion `alpha`; `days` the usable days behind the mean and `before` the voices heard on them.
    """

    mean: float
    seen: int
    p: float
    days: int
    before: int
    alpha: float = 0.0
    window: int = 1


def base_days(day: dt.date) -> list[dt.date]:
    """Return the 28 dates that end before the guard gap."""
    return [day - dt.timedelta(days=back) for back in range(BASE_DAYS + GUARD_DAYS, GUARD_DAYS, -1)]


def same_weekdays(day: dt.date, weeks: int = 4) -> list[dt.date]:
    """Return the same weekday of the last four weeks, newest first."""
    return [day - dt.timedelta(weeks=back) for back in range(1, weeks + 1)]


class Baseline:
    """Expectations of one business date.

    `counts[cell][(channel, date)]` are independent voices; `usable[channel]` the dates on which that
    channel was read (a blind day is no zero and leaves the base); `frozen[cell]` the dates on which the
    cell had an incident; `exposures` by how much more than usual is said on campaign days, in the base as today;
    `shares` which part of a channel was read today, where that isn't all.
    """

    def __init__(
        self,
        day: dt.date,
        counts: Mapping[Cell, Mapping[Day, int]],
        usable: Mapping[str, AbstractSet[dt.date]],
        frozen: Mapping[Cell, AbstractSet[dt.date]] | None = None,
        exposures: Mapping[dt.date, float] | None = None,
        shares: Mapping[str, float] | None = None,
    ):
        self.day = day
        self._counts = counts
        self._days = base_days(day)
        self._weekdays = {d for d in self._days if d.weekday() == day.weekday()}
        self._usable = {channel: [d for d in self._days if d in dates] for channel, dates in usable.items()}
        self._frozen = frozen or {}
        self._exposures = {d: max(1.0, factor) for d, factor in (exposures or {}).items()}
        self._shares = shares or {}
        self._usual: dict[Cell, tuple[float, int]] = {}

    @cached_property
    def history(self) -> int:
        """Usable days of the channel that has most."""
        return max((len(dates) for dates in self._usable.values()), default=0)

    @property
    def cells(self) -> int:
        """How many cells were ever heard of: what a day's tests are many of."""
        return sum(product != UNNAMED for product, _ in self._counts)

    def expect(self, cell: Cell, seen: int, *more: Cell, window: int = 1) -> Expectation | None:
        """Return mean and p-value for `seen` voices of today, or of today and yesterday, in one cell or several
        together; None while there are fewer than 14 days of history.
        """
        if self.history < WARM_UP_DAYS:
            return None
        busy = sum(self._exposures.get(self.day - dt.timedelta(days=back), 1.0) for back in range(window))
        usual = [self._usual_of(one) for one in (cell, *more)]
        mean = sum(mean for mean, _ in usual) * busy
        before = sum(voices for _, voices in usual)
        p = nb_tail(seen, mean, self.alpha)
        return Expectation(mean, seen, p, self.history, before, self.alpha, window)

    def _usual_of(self, cell: Cell) -> tuple[float, int]:
        """A cell's mean and the voices behind it; a day asks for each many times."""
        if cell not in self._usual:
            self._usual[cell] = self._mean(cell), sum(number for _, _, number in self.heard_before(cell))
        return self._usual[cell]

    def heard_before(self, cell: Cell) -> list[tuple[str, dt.date, int]]:
        """Return the voices behind a cell's mean as (channel, date, number), oldest first."""
        return sorted(
            (
                (channel, day, number)
                for (channel, day), number in self._counts.get(cell, {}).items()
                if number and day in self._usable.get(channel, ())
            ),
            key=lambda found: (found[1], found[0]),
        )

    def _mean(self, cell: Cell) -> float:
        frozen = self._frozen.get(cell, frozenset())
        total = 0.0
        for channel, days in self._usable.items():
            live = [d for d in days if d not in frozen] or days
            if live:
                mean = self._channel_mean(
                    self._counts.get(cell, {}), channel, live, self._pooled.get(channel, 0.0)
                )
                total += mean * self._shares.get(channel, 1.0)
        return total

    def _channel_mean(
        self, counts: Mapping[Day, int], channel: str, days: Sequence[dt.date], pooled: float
    ) -> float:
        mean = (sum(counts.get((channel, d), 0) for d in days) + SHRINK_DAYS * pooled) / (
            self._weight(days) + SHRINK_DAYS
        )
        same = [d for d in days if d in self._weekdays]
        heard = sum(counts.get((channel, d), 0) for d in same)
        return (heard + WEEKDAY_WEIGHT * mean) / (self._weight(same) + WEEKDAY_WEIGHT)

    def _weight(self, days: Iterable[dt.date]) -> float:
        """Days, each counted as many times as it was busier than usual."""
        return math.fsum(self._exposures.get(d, 1.0) for d in days)

    @cached_property
    def _pooled(self) -> dict[str, float]:
        """Mean voices per cell and day, over every cell that was ever seen."""
        cells = [counts for cell, counts in self._counts.items() if cell[0]]
        return {
            channel: sum(counts.get((channel, d), 0) for counts in cells for d in days)
            / (len(cells) * self._weight(days))
            for channel, days in self._usable.items()
            if days and cells
        }

    @cached_property
    def alpha(self) -> float:
        """The pooled dispersion, kept within [0.1, 2]."""
        over = squares = 0.0
        for cell, counts in self._counts.items():
            if cell[0] == UNNAMED:  # already in the brand's
                continue
            frozen = self._frozen.get(cell, frozenset())
            for channel, usable in self._usable.items():
                days = [d for d in usable if d not in frozen]
                values = [(counts.get((channel, d), 0), self._exposures.get(d, 1.0)) for d in days]
                if not any(x for x, _ in values):
                    continue
                mean = sum(x for x, _ in values) / self._weight(days)
                over += sum((x - mean * busy) ** 2 - x for x, busy in values)
                squares += sum((mean * busy) ** 2 for _, busy in values)
        return min(MAX_ALPHA, max(MIN_ALPHA, over / squares)) if squares else MIN_ALPHA


@lru_cache(maxsize=1 << 14)
def nb_tail(seen: int, mean: float, alpha: float) -> float:
    """Return P(X ≥ seen) for NB2 counts of this mean and dispersion (Poisson where alpha is as good as 0).

    pmf(k) = Γ(k+r)/(Γ(r) k!) · (r/(r+μ))^r · (μ/(r+μ))^k with r = 1/α, summed in logs. A tail too small for
    1 − cdf is summed directly.
    """
    if seen <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    below = math.fsum(islice(_pmf(mean, alpha, 0), seen))
    if below < 0.999:
        return max(0.0, 1.0 - below)
    tail = 0.0
    for k, term in enumerate(_pmf(mean, alpha, seen), seen + 1):
        tail += term
        if k > mean and term <= tail * 1e-12:
            break
    return min(1.0, tail)


def _pmf(mean: float, alpha: float, first: int) -> Iterator[float]:
    """Yield P(X = first), P(X = first + 1) …"""
    exp, lgamma = math.exp, math.lgamma
    if alpha < POISSON_ALPHA:  # the gamma functions would cancel out
        rate = math.log(mean)
        for k in count(first):
            yield exp(k * rate - mean - lgamma(k + 1))
    r = 1.0 / alpha
    own, none, more = lgamma(r), r * math.log(r / (r + mean)), math.log(mean / (r + mean))
    for k in count(first):
        yield exp(lgamma(k + r) - own - lgamma(k + 1) + none + k * more)


def benjamini_hochberg(p_values: Iterable[float], tested: int) -> dict[float, float]:
    """Return the Benjamini–Hochberg q-value of each of the day's p-values; `tested` cells in all.

    Cells without a voice today are not among the p-values but count as tested.
    """
    ordered = sorted(p_values)
    found: dict[float, float] = {}
    q = 1.0
    for value in reversed(ordered):
        if value not in found:
            rank = bisect_right(ordered, value)
            q = min(q, value * max(tested, rank) / rank)
            found[value] = q
    return found


def judge_count(value: float, medians: Sequence[float]) -> tuple[float | None, str]:
    """Compare a day's count with the same weekdays: (median, 正常波动/偏高/偏低/基线不足).

    Three weekdays are needed. Within 30 % or two Poisson standard deviations of the median is normal.
    """
    if len(medians) < 3:
        return None, "基线不足"
    middle = median(medians)
    room = max(0.3 * middle, 2 * math.sqrt(max(middle, 1)))
    if abs(value - middle) <= room:
        return middle, "正常波动"
    return middle, "偏高" if value > middle else "偏低"
