"""How many times a rate after is the rate before, with an interval that admits what days do. Pure.

Conditional on the sum n of both counts, the count after is binomial: Clopper & Pearson's interval of its share π̂, turned
into a rate ratio by θ = π̂/(1 − π̂) · (1 − π₀)/π₀, where π₀ is the share that equal rates would give it (Przyborowski &
Wilenski 1940). Several channels, each with its own days read: π₀ is their mean by counts; a sum of binomials of unequal
shares scatters less than one binomial of the mean share (Hoeffding 1956), so the interval stays on the safe side.
Days scatter more than Poisson counts: with the dispersion φ ≥ 1 both counts are divided by φ, the effective sample of
Korn & Graubard (1998). φ is Pearson's χ² over degrees of freedom (McCullagh & Nelder 1989, §4.5), and at least what the
baseline's least dispersion α = 0.1 gives at the mean count, 1 + α·μ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.baseline import MIN_ALPHA

_Z95 = 1.96
_TAIL = 0.025

Days = Sequence[tuple[int, float]]  # (count, exposure) of each usable day


@dataclass(frozen=True)
class Channel:
    """Counts of one channel on its usable days; exposure is 1 on an ordinary day, more on a campaign's."""

    name: str
    before: Days
    after: Days


@dataclass(frozen=True)
class RateRatio:
    """θ = rate after ÷ rate before with its 95 % interval and two-sided p; None where nothing was counted.

    `days_before`, `days_after`: exposure in channel-days. `dispersion` is φ.
    """

    before: int
    after: int
    days_before: float
    days_after: float
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    dispersion: float


def rate_ratio(channels: Sequence[Channel]) -> RateRatio:
    """Return the rate ratio over the channels that were read both before and after."""
    used = [c for c in channels if _exposure(c.before) > 0 and _exposure(c.after) > 0]
    before, after = sum(_count(c.before) for c in used), sum(_count(c.after) for c in used)
    days = sum(_exposure(c.before) for c in used), sum(_exposure(c.after) for c in used)
    number = before + after
    if not number:
        return RateRatio(0, 0, *days, None, None, None, None, 1.0)
    even = math.fsum(
        (_count(c.before) + _count(c.after)) * _exposure(c.after) / (_exposure(c.after) + _exposure(c.before)) for c in used
    ) / number
    phi = dispersion(used)
    low, high, p = _clopper_pearson(after / phi, number / phi, even)
    scale = (1 - even) / even
    value = after / before * scale if before else None
    return RateRatio(before, after, *days, value, _odds(low) * scale, _odds(high) * scale, p, phi)


def _clopper_pearson(part: float, whole: float, even: float) -> tuple[float, float, float]:
    """Return the interval of part ÷ whole, and twice the smaller tail at `even`, both by beta quantiles."""
    from scipy.special import betainc, betaincinv

    low = float(betaincinv(part, whole - part + 1, _TAIL)) if part > 0 else 0.0
    high = float(betaincinv(part + 1, whole - part, 1 - _TAIL)) if part < whole else 1.0
    upper = float(betainc(part, whole - part + 1, even)) if part > 0 else 1.0
    lower = 1 - float(betainc(part + 1, whole - part, even)) if part < whole else 1.0
    return low, high, min(1.0, 2 * min(upper, lower))


def _odds(share: float) -> float:
    return math.inf if share >= 1 else share / (1 - share)


def dispersion(channels: Sequence[Channel]) -> float:
    """Return φ: 1 where days scatter like Poisson counts, more where they scatter more."""
    square = freedom = 0.0
    total = days = 0.0
    for period in [p for c in channels for p in (c.before, c.after)]:
        rate = _count(period) / _exposure(period)
        total, days = total + _count(period), days + len(period)
        if rate > 0:
            square += math.fsum((count - rate * busy) ** 2 / (rate * busy) for count, busy in period)
            freedom += len(period) - 1
    least = 1 + MIN_ALPHA * total / days if days else 1.0
    return max(1.0, least, square / freedom if freedom >= 1 else 1.0)


def _count(days: Days) -> int:
    return sum(count for count, _ in days)


def _exposure(days: Days) -> float:
    return math.fsum(busy for _, busy in days)


@dataclass(frozen=True)
class AgainstOthers:
    """The ratio held against what other topics did in the same days: θ ÷ θ of the others, with a 95 % interval."""

    others: RateRatio
    value: float | None
    low: float | None
    high: float | None


def against(own: RateRatio, others: RateRatio) -> AgainstOthers:
    """Return the ratio of ratios by the log odds of the fourfold table, Woolf's (1955) variance inflated by the larger φ,
    each count half a unit more where one is 0 (Haldane 1956).
    """
    counts = [own.before, own.after, others.before, others.after]
    if own.before + own.after == 0 or others.before + others.after == 0 or not own.days_before or not others.days_before:
        return AgainstOthers(others, None, None, None)
    a, b, c, d = (count + (0.5 if 0 in counts else 0.0) for count in counts)
    exposure = (own.days_before / own.days_after) / (others.days_before / others.days_after)
    log = math.log(b / a / (d / c) * exposure)
    room = _Z95 * math.sqrt(max(own.dispersion, others.dispersion) * (1 / a + 1 / b + 1 / c + 1 / d))
    return AgainstOthers(others, math.exp(log), math.exp(log - room), math.exp(log + room))
