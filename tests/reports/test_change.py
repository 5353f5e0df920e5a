"""Before and after: the interval by hand and by simulation, what is left out, and when nothing may be said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.trade.change import ChannelDays, as_dict, compare, judge
from reports.trade.ratio import Channel, against, dispersion, rate_ratio
from tests.reports.factory import PLANTED, World, day
from vocwatch.settings import Settings
from vocwatch.store import Store

LEAK = "产品质量/漏水"


def even(total: int, days: int) -> list[tuple[int, float]]:
    return [(total // days + (n < total % days), 1.0) for n in range(days)]


def test_one_channel_is_the_exact_conditional_test() -> None:
    # Clopper–Pearson of 10 in 30: 0.1729–0.5281; as odds with equal exposure 0.2090–1.1191. φ set aside by many days.
    told = rate_ratio([Channel("a", even(20, 20000), even(10, 20000))])
    assert (told.before, told.after, told.value) == (20, 10, 0.5)
    assert told.low == pytest.approx(0.2090, abs=1e-3) and told.high == pytest.approx(1.1191, abs=1e-3)
    assert told.p == pytest.approx(0.0987, abs=2e-3)
    half = rate_ratio([Channel("a", even(20, 20000), even(10, 10000))])
    assert half.value == pytest.approx(1.0) and half.low < 1 < half.high


def test_none_after_has_no_lower_end_but_an_upper_one() -> None:
    told = rate_ratio([Channel("a", even(12, 12000), even(0, 12000))])
    assert (told.value, told.low) == (0.0, 0.0) and told.high == pytest.approx((1 - 0.025 ** (1 / 12)) / 0.025 ** (1 / 12), rel=0.01)
    assert rate_ratio([Channel("a", even(0, 9), even(5, 9))]).high == math.inf
    assert rate_ratio([Channel("a", even(0, 9), even(0, 9))]).value is None


def test_a_channel_read_on_one_side_only_is_left_out_and_exposure_counts() -> None:
    one = Channel("a", even(20, 20), even(20, 20))
    assert rate_ratio([one, Channel("b", even(500, 20), [])]).before == 20
    busy = Channel("a", [(2, 1.0)] * 10, [(8, 4.0)] * 10)
    assert rate_ratio([busy]).value == pytest.approx(1.0)


def test_scattered_days_widen_the_interval() -> None:
    calm = rate_ratio([Channel("a", [(4, 1.0)] * 20, [(2, 1.0)] * 20)])
    wild = rate_ratio([Channel("a", [(40, 1.0), *[(0, 1.0)] * 9] * 2, [(20, 1.0), *[(0, 1.0)] * 9] * 2)])
    assert calm.value == wild.value == 0.5 and wild.dispersion > 10 > calm.dispersion >= 1
    assert calm.high < 1 < wild.high
    assert dispersion([Channel("a", [(100, 1.0)] * 9, [(100, 1.0)] * 9)]) == pytest.approx(1 + 0.1 * 100)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_equal_rates_are_called_different_in_one_of_twenty_at_most(alpha: float) -> None:
    chance = np.random.default_rng(7)
    wrong = 0
    for _ in range(400):
        means = chance.gamma(1 / alpha, alpha, size=42) * 3 if alpha else np.full(42, 3.0)
        counts = chance.poisson(means).tolist()
        told = rate_ratio([Channel("a", [(n, 1.0) for n in counts[:28]], [(n, 1.0) for n in counts[28:]])])
        wrong += not told.low <= 1 <= told.high
    assert wrong / 400 <= 0.06


def test_the_others_are_divided_out() -> None:
    own = rate_ratio([Channel("a", even(100, 20), even(50, 20))])
    others = rate_ratio([Channel("a", even(400, 20), even(200, 20))])
    told = against(own, others)
    assert told.value == pytest.approx(1.0) and told.low < 1 < told.high
    steady = against(own, rate_ratio([Channel("a", even(400, 20), even(400, 20))]))
    assert steady.value == pytest.approx(0.5) and steady.high < 1
    assert against(own, rate_ratio([])).value is None


def verdict(before: int, after: int, others: tuple[int, int] = (0, 0), days: tuple[int, int] = (28, 28)) -> tuple[str, tuple[str, ...]]:
    own = rate_ratio([Channel("a", even(before, days[0]), even(after, days[1]))])
    rest = rate_ratio([Channel("a", even(others[0], days[0]), even(others[1], days[1]))])
    return judge(own, against(own, rest), [ChannelDays("a", *days, before, after)])


def test_verdicts() -> None:
    assert verdict(60, 15) == ("fell", ()) and verdict(15, 60) == ("rose", ())
    assert verdict(12, 8) == ("unclear", ("interval",)) and verdict(400, 410) == ("same", ())
    assert verdict(6, 0) == ("too-little", ("voices",)) and verdict(60, 2, days=(28, 4)) == ("too-little", ("days-after",))
    assert verdict(60, 2, days=(9, 28))[1] == ("days-before",)
    assert verdict(60, 15, (300, 80)) == ("unclear", ("others",)) and verdict(60, 15, (300, 290)) == ("fell", ())


def plant(world: World, numbers: range, each: int, source: str = "notes", **columns: object) -> None:
    for number in numbers:
        for _ in range(each):
            world.mention(day(number), world.complaint(LEAK, "杯盖漏水", 2), source, "PC-B2", **columns)
    world.save()


def test_a_fix_that_works_is_seen_with_its_rows(small: World, cups: Settings) -> None:
    plant(small, range(1, 15), 3)
    found = compare(cups, small.store, LEAK, day(15), today=day(24), product="PC-B2")
    assert found.verdict == "fell" and found.ratio.high < 1
    notes = next(c for c in found.channels if c.name == "notes")
    assert (notes.days_before, notes.days_after) == (14, 8) and notes.voices_before >= 36
    assert "peak" not in found.cautions  # the days before the first crawl were not calm, but not read
    told = as_dict(found)
    assert told["ratio"]["before"] + told["ratio"]["after"] == len(told["rows"]["mentions"]) + len(told["rows"]["sessions"])
    assert compare(cups, small.store, "产品质量", day(15), today=day(24), product="PC-B2").ratio.before > found.ratio.before


def test_blocked_days_leave_both_sides(small: World, cups: Settings) -> None:
    plant(small, range(1, 15), 3)
    for number in range(16, 24):
        small.run(day(number), "notes", "blocked", hour=23.9)
    small.save()
    found = compare(cups, small.store, LEAK, day(15), today=day(24), product="PC-B2")
    assert "notes" in found.missing and "unread" in found.cautions
    assert next(c for c in found.channels if c.name == "notes").days_after == 0
    assert found.verdict == "too-little" or found.ratio.before < 42


def test_copies_are_no_voices_and_a_persistent_author_is_one_a_week(small: World, cups: Settings) -> None:
    base = compare(cups, small.store, LEAK, day(15), today=day(24), product="PC-B2").ratio.before
    plant(small, range(8, 15), 1, author="one")
    assert compare(cups, small.store, LEAK, day(15), today=day(24), product="PC-B2").ratio.before == base + 1
    text = small.complaint(LEAK, "杯盖漏水漏了一背包", 2)
    for _ in range(6):
        small.mention(day(9), text, "forum", "PC-B2")
    small.save()
    assert compare(cups, small.store, LEAK, day(15), today=day(24), product="PC-B2").ratio.before == base + 2


def test_a_change_that_everything_made_is_not_the_fixs(small: World, cups: Settings) -> None:
    plant(small, range(1, 15), 3)
    for number in range(1, 15):
        for _ in range(60):
            small.mention(day(number), small.complaint("物流/错发", "发错了颜色"), "notes", "PC-K3")
    small.save()
    found = compare(cups, small.store, LEAK, day(15), today=day(24), product="PC-B2")
    assert found.ratio.high < 1 and (found.verdict, found.why) == ("unclear", ("others",))


def test_a_peak_before_the_measure_is_told(cups: Settings, story: Store) -> None:
    found = compare(cups, story, LEAK, PLANTED["leak_end"], today=day(40), product="PC-B2")
    assert "peak" in found.cautions and "campaign" in found.cautions and found.usual is not None
    assert found.verdict in ("too-little", "unclear", "fell")


def test_nothing_to_compare_is_said(small: World, cups: Settings) -> None:
    found = compare(cups, small.store, "宣传/假货", day(15), today=day(19))
    assert found.verdict == "too-little" and set(found.why) == {"days-after", "voices"} and found.ratio.value is None
