from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reports.baseline import Baseline, base_days, benjamini_hochberg, judge_count, nb_tail, same_weekdays

DAY = dt.date(2026, 11, 15)
CELL = ("PC-B2", "产品质量/漏水")


@pytest.mark.parametrize(
    ("seen", "mean", "alpha", "expected"),
    [
        (1, 2.0, 0.0, 1 - math.exp(-2)),
        (3, 1.0, 0.0, 1 - math.exp(-1) * 2.5),
        (1, 2.0, 1.0, 2 / 3),  # geometric: P(X ≥ k) = (μ / (1 + μ))^k
        (3, 2.0, 1.0, (2 / 3) ** 3),
        (2, 1.0, 0.5, 1 - (2 / 3) ** 2 * (1 + 2 / 3)),  # r = 2, q = 1/3
        (0, 5.0, 0.3, 1.0),
        (4, 0.0, 0.3, 0.0),
    ],
)
def test_nb_tail_known_values(seen, mean, alpha, expected):
    assert nb_tail(seen, mean, alpha) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_nb_tail_far_out_keeps_its_digits():
    assert nb_tail(60, 1.0, 1.0) == pytest.approx(0.5**60, rel=1e-9)
    assert nb_tail(40, 2.0, 0.0) == pytest.approx(
        math.fsum(math.exp(-2 + k * math.log(2) - math.lgamma(k + 1)) for k in range(40, 120)), rel=1e-6
    )


@given(st.integers(0, 200), st.floats(0.01, 300), st.floats(0, 2))
@hypothesis_settings(deadline=None, max_examples=100)
def test_nb_tail_is_a_probability_and_falls(seen, mean, alpha):
    p, further = nb_tail(seen, mean, alpha), nb_tail(seen + 1, mean, alpha)
    assert 0 <= further <= p + 1e-9 <= 1 + 2e-9


def test_base_leaves_a_guard_gap_of_two_days():
    days = base_days(DAY)
    assert (
        len(days) == 28 and days[-1] == DAY - dt.timedelta(days=3) and days[0] == DAY - dt.timedelta(days=30)
    )
    assert {d.weekday() for d in same_weekdays(DAY)} == {DAY.weekday()}


def counts(per_day: int, days: list[dt.date], source: str = "notes") -> dict:
    return {CELL: {(source, d): per_day for d in days}, ("PC-H1", "物流/错发"): {("notes", days[0]): 1}}


def test_under_fourteen_days_there_is_no_baseline():
    days = base_days(DAY)
    assert Baseline(DAY, counts(1, days), {"notes": set(days[:13])}).expect(CELL, 5) is None
    found = Baseline(DAY, counts(1, days), {"notes": set(days[:14])}).expect(CELL, 5)
    assert found is not None and found.days == 14


def test_steady_counts_are_expected_and_a_jump_is_not():
    days = base_days(DAY)
    baseline = Baseline(DAY, counts(2, days), {"notes": set(days)})
    usual, jump = baseline.expect(CELL, 2), baseline.expect(CELL, 14)
    assert usual.mean == pytest.approx(2, abs=0.3) and usual.p > 0.3
    assert jump.p < 0.001


def test_blind_days_leave_the_base_instead_of_counting_as_zero():
    days = base_days(DAY)
    seen = {CELL: {("notes", d): 4 for d in days[:14]}}
    blind = Baseline(DAY, seen, {"notes": set(days[:14])}).expect(CELL, 4)
    zero = Baseline(DAY, seen, {"notes": set(days)}).expect(CELL, 4)
    assert blind.mean > 1.5 * zero.mean


def test_an_incident_does_not_raise_its_own_baseline():
    days = base_days(DAY)
    seen = {
        CELL: {("notes", d): (9 if d in days[10:15] else 0) for d in days},
        ("PC-H1", "x/y"): {("notes", days[0]): 1},
    }
    free = Baseline(DAY, seen, {"notes": set(days)}).expect(CELL, 4)
    frozen = Baseline(DAY, seen, {"notes": set(days)}, {CELL: set(days[10:15])}).expect(CELL, 4)
    assert frozen.mean < free.mean / 2 and frozen.p < free.p


def test_a_campaign_scales_the_expectation():
    days = base_days(DAY)
    plain = Baseline(DAY, counts(2, days), {"notes": set(days)})
    busy = Baseline(DAY, counts(2, days), {"notes": set(days)}, exposures={DAY: 4.0})
    assert busy.expect(CELL, 8).mean == pytest.approx(4 * plain.expect(CELL, 8).mean)
    assert busy.expect(CELL, 8).p > 0.1 > plain.expect(CELL, 8).p


def test_benjamini_hochberg_counts_cells_nobody_spoke_of():
    assert benjamini_hochberg([0.001, 0.5], 2)[0.001] == pytest.approx(0.002)
    assert benjamini_hochberg([0.001, 0.5], 300)[0.001] == pytest.approx(0.3)
    assert benjamini_hochberg([0.001, 0.01], 10)[0.01] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("value", "past", "word"),
    [
        (10, [9, 10, 11, 12], "正常波动"),
        (40, [9, 10, 11, 12], "偏高"),
        (0, [30, 31, 32, 33], "偏低"),
        (5, [5, 5], "基线不足"),
    ],
)
def test_judgement_of_an_indicator(value, past, word):
    assert judge_count(value, past)[1] == word
