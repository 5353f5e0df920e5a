"""Rates have a denominator or a reason; keyword classes are counted by session; every number opens its rows."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from reports.digest import render_html, render_text
from reports.digest.contract import as_dict
from reports.digest.text import posted
from reports.facts import build_facts
from reports.keyword_classes import KeywordDay
from reports.rates import Counts, rates, wilson
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import Text, day
from tests.reports.ledger import Ledger, unaccounted
from vocwatch.store import keywords, totals
from vocwatch.store.keywords import KeywordHit
from vocwatch.store.schema import sessions
from vocwatch.store.totals import Total

DATE = day(24)
BEFORE = [DATE - dt.timedelta(days=back) for back in range(28, 0, -1)]


def given(days, shop="", **counts):
    return [Total(d, shop, what, value, "given") for d in days for what, value in counts.items()]


def rate(name, rows, heard=None):
    return {r.name: r for r in rates(Counts(rows, heard or {}), DATE, [*BEFORE, DATE])}.get(name)


def test_a_rate_is_compared_with_the_days_before_added_up():
    rows = [*given(BEFORE, quality_returns=10, orders=1000), *given([DATE], quality_returns=30, orders=1000)]
    found = rate("品退率", rows)
    assert found.value == pytest.approx(0.03) and (found.base.numerator, found.base.denominator) == (260, 26_000)
    assert found.change == pytest.approx(0.02) and found.judgement == "偏高" and found.basis == "given"
    assert found.low < 0.03 < found.high and {row.day for row in found.rows} == {DATE}
    usual = rate("品退率", [*given(BEFORE, quality_returns=10, orders=1000), *given([DATE], quality_returns=12, orders=1000)])
    assert usual.judgement == "正常波动"
    low = rate("品退率", [*given(BEFORE, quality_returns=40, orders=1000), *given([DATE], quality_returns=12, orders=1000)])
    assert low.judgement == "偏低" and low.change < 0


def test_scattered_days_make_a_rise_less_surprising():
    wild = [row for n, d in enumerate(BEFORE) for row in given([d], quality_returns=2 + 36 * (n % 2), orders=1000)]
    assert rate("品退率", [*wild, *given([DATE], quality_returns=40, orders=1000)]).judgement == "正常波动"


def test_a_missing_denominator_is_no_zero():
    known = [*given(BEFORE[:20], bad_reviews=2, reviews=100)]
    found = rate("差评率", known)
    assert found.value is None and found.denominator is None and found.change is None
    assert found.note.text() == f"{DATE:%m-%d} 没有评价总数，算不出" and "reviews on" in found.note.text("en")
    some = rate("差评率", [*known, *given([DATE], bad_reviews=2, reviews=100)])
    assert some.base.days == tuple(BEFORE[:20]) and some.base.missing == tuple(BEFORE[20:26])
    assert some.base.rate == pytest.approx(0.02)
    assert rate("差评率", given([DATE], bad_reviews=3, orders=50)) is None  # never heard of: not even a line


def test_few_known_days_are_no_baseline_and_impossible_figures_are_no_rate():
    few = rate("差评率", given([*BEFORE[:13], DATE], bad_reviews=2, reviews=100))
    assert few.value == 0.02 and few.change is None and few.judgement == "基线不足"
    clash = rate("差评率", given([DATE], bad_reviews=30, reviews=20))
    assert clash.value is None and "口径不一" in clash.note.text()
    assert rate("差评率", given([DATE], bad_reviews=0, reviews=0)).value is None


def test_shops_are_added_up_unless_the_whole_is_told():
    shops = [*given([DATE], "一店", bad_reviews=1, reviews=10), *given([DATE], "二店", bad_reviews=2, reviews=30)]
    assert rate("差评率", shops).value == pytest.approx(3 / 40)
    assert rate("差评率", [*shops, *given([DATE], reviews=50, bad_reviews=4)]).value == pytest.approx(4 / 50)


def test_sessions_stand_in_for_a_numerator_and_are_named():
    heard = {DATE: {"品退": {"k1", "k2"}, "流失": {"k2", "k3"}}}
    found = rate("品退率", given([DATE], orders=100), heard)
    assert (found.numerator, found.basis, found.session_ids) == (2, "sessions", ("k1", "k2"))
    assert rate("差评会话率", given([DATE], sessions=60), heard).value == pytest.approx(3 / 60)
    assert rate("品退率", given([DATE], orders=100)).value is None  # no session imported: unknown, not 0


def test_wilsons_interval():
    low, high = wilson(10, 100)
    assert low == pytest.approx(0.0552, abs=1e-4) and high == pytest.approx(0.1744, abs=1e-4)
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == pytest.approx(1)


@pytest.fixture
def told(cups, small):
    """A day whose denominators are known but for those of reviews, and on which five customers threaten."""
    small.background(DATE)
    small.runs(DATE)
    threats = [small.session(DATE, Text(small.dress("再不管我就去曝光")), "非满意", "PC-B2") for _ in range(5)]
    small.save()
    with small.store.begin() as connection:
        totals.save(connection, given([*BEFORE, DATE], sessions=400, orders=900, quality_returns=9), 1, morning(DATE))
        totals.save(connection, given(BEFORE[:20], bad_reviews=2, reviews=100), 1, morning(DATE))
        searched = {key: [] for key in connection.execute(sa.select(sessions.c.id)).scalars()}
        hit = [KeywordHit(0, "曝光维权", "曝光", 0, 2)]
        keywords.save(connection, cups.keywords.version, {**searched, **dict.fromkeys(threats, hit)})
    return build_facts(cups, small.store, DATE, now=morning(DATE))


def test_rates_and_keywords_stand_in_the_digest_in_both_languages(told):
    named = {r.name: r for r in told.internal.rates}
    assert named["品退率"].value == pytest.approx(0.01) and named["差评率"].value is None
    (first, *_) = told.internal.keywords
    assert (first.name, first.sessions, first.judgement) == ("曝光维权", 5, "偏高") and first.words == ("曝光",)
    for shown in (render_text(told), render_html(told)):
        assert "9/900" in shown and "没有评价总数，算不出" in shown and "曝光维权" in shown and "▲ 偏高" in shown
    for shown in (render_text(told, "en"), render_html(told, "en")):
        assert "9 of 900" in shown and "no figure for reviews" in shown and "Quality-return rate" in shown


def test_every_number_of_rates_and_keywords_opens_its_rows(told, small):
    value = as_dict(told)
    assert unaccounted(Ledger(small.store, value, factory.ZONE)) == []
    rate_of = {r["name"]: r for r in value["internal"]["rates"]}
    assert rate_of["品退率"]["base"]["missing"] == [] and len(rate_of["差评率"]["base"]["missing"]) == 6
    value["internal"]["rates"][0]["base"]["numerator"] += 1
    value["internal"]["keywords"][0]["session_ids"].pop()
    assert len(unaccounted(Ledger(small.store, value, factory.ZONE))) == 2


def test_a_day_without_sessions_has_no_keyword_figures_and_waiting_ones_are_told(cups, small):
    small.save()
    assert build_facts(cups, small.store, DATE, now=morning(DATE)).internal.keywords == ()
    told = build_facts(cups, small.store, day(23), now=morning(day(23)))
    assert told.internal.unsearched == 12 and "还有 12 个会话没按现在的关键词查过" in render_text(told)


@pytest.mark.parametrize(("sessions", "p", "judgement"), [(2, 0.0001, "零星"), (3, 0.0001, "偏高"), (3, 0.5, "正常波动"), (3, None, "基线不足")])
def test_a_keyword_that_few_but_unusually_many_used_is_not_called_normal(sessions: int, p: float | None, judgement: str) -> None:
    assert KeywordDay("人身伤害", 1, sessions, 0.01, p, (), ()).judgement == judgement


def test_a_date_without_a_time_is_shown_without_one() -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    assert posted(dt.datetime(2026, 11, 14, tzinfo=zone)) == "11-14"
    assert posted(dt.datetime(2026, 11, 14, 0, 5, tzinfo=zone)) == "11-14 00:05"
