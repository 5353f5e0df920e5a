"""Shares with their counts and intervals, and the formulas of satisfaction. Pure.

A share without a denominator has no value, and says why. Intervals are Wilson's 95 % (`reports.rates.wilson`); for CSI,
a difference of two shares of one sample, the variance of a multinomial (Agresti, Categorical Data Analysis, §1.4).
客户满意度 and CSI are those of the trade's quality teams (the design's §4); `FORMULAS` prints them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.rates import wilson
from vocwatch.lang import tr

_Z95 = 1.96

FORMULAS: Mapping[str, tuple[str, str]] = {
    "客户满意度": ("（评价总数 − 不满意评价数）÷ 评价总数", "(ratings − unsatisfied) ÷ ratings"),
    "差评率": ("差评数 ÷ 评价数", "bad reviews ÷ reviews"),
    "品退率": ("品质退货数 ÷ 订单数", "quality returns ÷ orders"),
    "退货率": ("退货数 ÷ 订单数", "returns ÷ orders"),
    "差评会话率": ("差会话数 ÷ 会话总数", "bad sessions ÷ all sessions"),
    "解决率": ("一次解决的会话 ÷ 记了是否解决的会话", "sessions solved at once ÷ sessions of which it is known"),
}
"""Name → formula in words, Chinese and English; that of CSI is chosen, see `CSI_FORMULAS`."""
ENGLISH: Mapping[str, str] = {
    "客户满意度": "satisfaction", "CSI": "CSI", "差评率": "bad reviews", "品退率": "quality returns", "退货率": "returns",
    "差评会话率": "bad sessions", "解决率": "solved at once",
}
"""Name → what it is called in English."""
CSI_FORMULAS: Mapping[str, tuple[str, str]] = {
    "满意-一般满意": ("（满意 − 一般满意）÷ 总反馈", "(satisfied − fairly satisfied) ÷ all feedback"),
    "满意-不满意": ("（满意 − 不满意）÷ 总反馈", "(satisfied − unsatisfied) ÷ all feedback"),
    "满意": ("满意 ÷ 总反馈", "satisfied ÷ all feedback"),
}
"""`csi` of vocwatch.yaml → formula in words."""


@dataclass(frozen=True)
class Share:
    """A share, 0 to 1 (CSI: −1 to 1), with its counts and 95 % interval.

    `value` is None where it cannot be said; `why` is then no-numerator, no-denominator, none (nothing to divide by) or
    contradiction.
    """

    name: str
    part: int | None
    whole: int | None
    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON, rounded to four digits."""
        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, 4)

        return {"name": self.name, "part": self.part, "whole": self.whole, "value": rounded(self.value),
                "low": rounded(self.low), "high": rounded(self.high), "why": self.why or None}

    def text(self) -> str:
        """Return value, interval and counts in one line, or the reason why there is none."""
        if self.value is None or self.low is None or self.high is None:
            return reason(self.why)
        return f"{self.value:.1%}（{self.low:.1%}–{self.high:.1%}，{self.part}/{self.whole}）"


def reason(why: str) -> str:
    """Return in words why a share has no value."""
    return {
        "no-numerator": tr("没有分子", "no numerator"), "no-denominator": tr("没有分母", "no denominator"),
        "none": tr("总数为 0", "nothing to divide by"), "contradiction": tr("分子大于分母，两份数据对不上", "the counts contradict each other"),
    }.get(why, "")


def share(name: str, part: int | None, whole: int | None) -> Share:
    """Return part ÷ whole; without a value where a count is missing or the two contradict each other."""
    why = _lack(part, whole)
    if why or part is None or not whole:
        return Share(name, part, whole, None, why=why)
    if not 0 <= part <= whole:
        return Share(name, part, whole, None, why="contradiction")
    return Share(name, part, whole, part / whole, *wilson(part, whole))


def _lack(part: int | None, whole: int | None) -> str:
    if whole is None:
        return "no-denominator"
    if part is None:
        return "no-numerator"
    return "" if whole else "none"


def client_satisfaction(rated: int | None, unsatisfied: int | None) -> Share:
    """Return 客户满意度 = (rated − unsatisfied) ÷ rated."""
    return share("客户满意度", None if rated is None or unsatisfied is None else rated - unsatisfied, rated)


def csi(satisfied: int | None, against: int | None, feedback: int | None) -> Share:
    """Return CSI = (satisfied − against) ÷ feedback, −1 to 1; `against` are the fairly satisfied, unless another formula
    is chosen (the unsatisfied, or none: 0).

    Var = (p₁ + p₂ − (p₁ − p₂)²) ÷ n for two shares of one multinomial sample.
    """
    difference = None if satisfied is None or against is None else satisfied - against
    why = _lack(difference, feedback)
    if why or satisfied is None or against is None or not feedback:
        return Share("CSI", difference, feedback, None, why=why)
    if min(satisfied, against) < 0 or satisfied + against > feedback:
        return Share("CSI", difference, feedback, None, why="contradiction")
    value = (satisfied - against) / feedback
    room = _Z95 * math.sqrt(max(0.0, (satisfied + against) / feedback - value * value) / feedback)
    return Share("CSI", difference, feedback, value, max(-1.0, value - room), min(1.0, value + room))


@dataclass(frozen=True)
class Spread:
    """How long something took, in seconds: `known` of `of` rows say it."""

    known: int
    of: int
    median: float | None = None
    p90: float | None = None
    mean: float | None = None


def spread(seconds: Sequence[float], of: int) -> Spread:
    """Return median, 90th percentile and mean; empty without values. Negative and endless ones are no durations."""
    values = sorted(value for value in seconds if math.isfinite(value) and value >= 0)
    if not values:
        return Spread(0, of)
    return Spread(len(values), of, quantile(values, 0.5), quantile(values, 0.9), fmean(values))


def quantile(ordered: Sequence[float], q: float) -> float:
    """Return the q-quantile of ordered values, interpolated (type 7 of Hyndman & Fan 1996)."""
    place = (len(ordered) - 1) * q
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
