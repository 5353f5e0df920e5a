"""The measures of the trade: formulas by hand, denominators or none, missing days never zero, every number with its rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
import sqlalchemy as sa

from reports.trade.feedback_table import as_dicts, feedback_table
from reports.trade.measures import ALL, GroupMeasures, Measure, as_dict, measure
from reports.trade.shares import client_satisfaction, csi, share, spread
from tests.reports.factory import Text, World, day
from vocwatch.ratings import FAIR, SATISFIED, UNSATISFIED, grade
from vocwatch.settings import Settings
from vocwatch.store import schema, totals
from vocwatch.store.totals import Total

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def given(world: World, *rows: tuple[int, str, str, int]) -> None:
    with world.store.begin() as connection:
        totals.save(connection, [Total(day(number), shop, what, value, "given") for number, shop, what, value in rows], 1, NOW)


def of(group: GroupMeasures, name: str) -> Measure:
    return next(each for each in group.measures if each.share.name == name)


def test_the_formulas_by_hand() -> None:
    good = client_satisfaction(200, 30)
    assert (good.part, good.whole, good.value) == (170, 200, 0.85)
    assert good.low == pytest.approx(0.794, abs=1e-3) and good.high == pytest.approx(0.893, abs=1e-3)
    index = csi(120, 50, 200)
    assert index.value == 0.35 and index.low == pytest.approx(0.35 - 1.96 * ((0.85 - 0.35**2) / 200) ** 0.5)
    assert csi(0, 10, 10).value == -1.0 and csi(10, 0, 10).value == 1.0
    assert client_satisfaction(0, 0).why == "none" and csi(5, 6, 10).why == "contradiction" and csi(1, 1, None).why == "no-denominator"
    assert share("x", 3, None).why == "no-denominator" and share("x", None, 3).why == "no-numerator"
    assert share("x", 4, 3).value is None and share("x", 4, 3).why == "contradiction"


@pytest.mark.parametrize(
    ("rating", "stars", "told"),
    [
        ("非常不满意", None, UNSATISFIED), ("满意", None, SATISFIED), ("一般满意", None, FAIR), ("基本满意", None, FAIR), ("差评", 5, UNSATISFIED),
        ("好评", None, SATISFIED), ("", 5, SATISFIED), (None, 3, FAIR), (None, 1.5, UNSATISFIED), ("Unsatisfied", None, UNSATISFIED),
        ("很不一般", None, None), (None, None, None), ("已评", 0, None), ("good", None, SATISFIED),
    ],
)
def test_what_a_rating_says(rating: str | None, stars: float | None, told: str | None) -> None:
    assert grade(rating, stars) == told


def test_durations() -> None:
    told = spread([10, 20, 30, 40, float("inf"), -1], of=9)
    assert (told.known, told.of, told.median, told.mean) == (4, 9, 25, 25) and told.p90 == pytest.approx(37)
    assert spread([], 3).median is None


def test_rates_come_from_totals_and_a_day_without_is_missing_not_zero(small: World, cups: Settings) -> None:
    given(small, (1, "", "rated", 100), (1, "", "unsatisfied", 20), (1, "", "satisfied", 60), (1, "", "fair", 20),
          (3, "", "rated", 50), (3, "", "unsatisfied", 0), (3, "", "orders", 400), (3, "", "quality_returns", 8))
    [group] = measure(cups, small.store, day(1), day(3)).groups
    happy = of(group, "客户满意度")
    assert (happy.share.part, happy.share.whole, happy.days, happy.missing) == (130, 150, (day(1), day(3)), (day(2),))
    index = of(group, "CSI")
    assert index.share.value == 0.4 and index.days == (day(1),) and index.missing == (day(2), day(3))
    returns = of(group, "品退率")
    assert (returns.share.part, returns.share.whole, returns.basis) == (8, 400, "given") and len(returns.missing) == 2
    assert sum(row.value for row in returns.totals if row.what == "orders") == 400
    none = of(group, "退货率")
    assert none.share.value is None and none.share.why == "no-denominator" and none.missing == (day(1), day(2), day(3))


@pytest.mark.parametrize(
    ("formula", "by_totals", "by_stars"), [("满意-一般满意", 0.45, 2 / 6), ("满意-不满意", 0.4, 1 / 6), ("满意", 0.6, 3 / 6)]
)
def test_the_formula_of_csi_is_chosen_and_printed(
    small: World, cups: Settings, formula: str, by_totals: float, by_stars: float
) -> None:
    given(small, (1, "", "rated", 100), (1, "", "unsatisfied", 20), (1, "", "satisfied", 60), (1, "", "fair", 15))
    for stars in (5, 5, 5, 3, 1, 1):
        small.mention(day(2), Text("评价", sentiment="neutral", severity=0), "reviews", "PC-B2", kind="review", rating=float(stars))
    small.save()
    chosen = dataclasses.replace(cups, app=cups.app.model_copy(update={"csi": formula}))
    for number, value in ((1, by_totals), (2, by_stars)):
        window = measure(chosen, small.store, day(number), day(number))
        assert of(window.groups[0], "CSI").share.value == pytest.approx(value)
    assert formula.split("-")[-1] in as_dict(window)["formulas"]["CSI"]


def test_without_a_total_the_imported_sessions_are_the_numerator_and_are_named(small: World, cups: Settings) -> None:
    given(small, (2, "", "orders", 300))
    [group] = measure(cups, small.store, day(1), day(2)).groups
    returns = of(group, "品退率")
    with small.store.read() as connection:
        rows = connection.execute(sa.select(schema.sessions.c.native_id, schema.sessions.c.started_at).where(schema.sessions.c.path == "品退"))
        expected = sorted(r.native_id for r in rows if r.started_at.astimezone(cups.app.zone).date() == day(2))
    assert expected and returns.session_ids == tuple(expected)
    assert (returns.share.part, returns.share.whole, returns.basis, returns.days) == (len(expected), 300, "sessions", (day(2),))
    assert of(group, "差评会话率").share.why == "no-denominator" and of(group, "差评会话率").share.part == group.sessions


def test_a_day_on_which_nothing_was_imported_is_named(small: World, cups: Settings) -> None:
    given(small, (23, "", "orders", 100), (24, "", "orders", 100))
    told = measure(cups, small.store, day(23), day(24))
    assert told.silent == (day(24),)
    assert of(told.groups[0], "品退率").days == (day(23),) and of(told.groups[0], "品退率").missing == (day(24),)


def test_counts_that_contradict_each_other_make_no_rate(small: World, cups: Settings) -> None:
    given(small, (1, "", "orders", 5), (1, "", "returns", 9), (2, "", "orders", 50), (2, "", "returns", 5))
    [group] = measure(cups, small.store, day(1), day(2)).groups
    assert of(group, "退货率").clashing == (day(1),) and of(group, "退货率").share.value == 0.1
    [alone] = measure(cups, small.store, day(1), day(1)).groups
    assert of(alone, "退货率").share.why == "contradiction"


def test_by_shop_totals_and_sessions_meet_whatever_the_shop_is_called(small: World, cups: Settings) -> None:
    small.session(day(5), small.complaint("产品质量/漏水", "漏水"), "品退", shop="S2", response_seconds=30.0)
    small.session(day(5), small.complaint("产品质量/漏水", "漏水"), "品退", shop="松果匣家居店", response_seconds=90.0)
    small.save()
    given(small, (5, "S2", "orders", 40), (5, "松果匣旗舰店", "orders", 60), (5, "", "orders", 100))
    groups = {g.key: g for g in measure(cups, small.store, day(5), day(5), "shop").groups}
    assert of(groups["松果匣家居店"], "品退率").share.part == 2 and of(groups["松果匣家居店"], "品退率").share.whole == 40
    assert groups["松果匣家居店"].response.median == 60 and groups["松果匣家居店"].response.known == 2
    assert of(groups["松果匣旗舰店"], "品退率").share.whole == 60
    owners = {g.key: g for g in measure(cups, small.store, day(5), day(5), "owner").groups}
    assert of(owners["马川"], "品退率").share.whole == 40
    by_product = measure(cups, small.store, day(5), day(5), "product").groups
    assert all(of(g, "品退率").share.value is None for g in by_product) and {g.title for g in by_product} >= {"暖杯"}


def test_a_shop_without_bad_sessions_that_day_has_none_rather_than_an_unknown_number(small: World, cups: Settings) -> None:
    given(small, (5, "松果匣家居店", "orders", 40))
    groups = {g.key: g for g in measure(cups, small.store, day(5), day(5), "shop").groups}
    told = of(groups["松果匣家居店"], "品退率")
    assert (told.share.part, told.share.whole, told.missing) == (0, 40, ())


def test_stored_reviews_stand_in_only_where_there_are_no_totals(small: World, cups: Settings) -> None:
    for stars in (5, 5, 4, 3, 1):
        small.mention(day(6), Text("评价", sentiment="neutral", severity=0), "reviews", "PC-B2", kind="review", rating=float(stars))
    small.mention(day(6), Text("广告", sentiment="positive", severity=0), "reviews", kind="review", rating=5.0, voice="ad")
    small.save()
    [group] = measure(cups, small.store, day(6), day(6)).groups
    happy, bad, index = of(group, "客户满意度"), of(group, "差评率"), of(group, "CSI")
    assert (happy.share.part, happy.share.whole, happy.basis) == (4, 5, "reviews") and len(happy.mention_ids) == 5
    assert bad.share.value == 0.2 and index.share.value == (3 - 1) / 5
    given(small, (6, "", "reviews", 50), (6, "", "bad_reviews", 5))
    [group] = measure(cups, small.store, day(6), day(6)).groups
    assert (of(group, "差评率").share.value, of(group, "差评率").basis) == (0.1, "given")


def test_every_number_equals_the_rows_it_names(small: World, cups: Settings) -> None:
    given(small, *((n, "", "orders", 100 + n) for n in range(1, 5)), *((n, "", "sessions", 80) for n in range(1, 4)))
    told = json.loads(json.dumps(as_dict(measure(cups, small.store, day(1), day(4), "day"))))
    assert [g["key"] for g in told["groups"]] == [day(n).isoformat() for n in range(1, 5)]
    for group in told["groups"]:
        assert group["sessions"] == len(group["session_ids"]) and sum(group["paths"].values()) >= group["sessions"]
        for each in group["measures"]:
            if each["basis"] == "sessions":
                assert each["part"] == len(each["rows"]["sessions"])
                assert each["whole"] == sum(row["value"] for row in each["rows"]["totals"])


def test_the_feedback_table_counts_voices_texts_and_those_who_are_content(small: World, cups: Settings) -> None:
    leak = "产品质量/漏水"
    for author in ("ann", "ann", "bo"):
        small.mention(day(24), small.complaint(leak, "杯盖漏水", 2), "notes", "PC-B2", author=author)
    praised = Text("一点也不漏水，好用", (), "positive", 0)
    ref = small.mention(day(24), praised, "notes", "PC-B2")
    assessed = next(row for row in small.rows["assessments"] if row["ref_id"] == ref and row["text_kind"] == "mention")
    assessed["spans"] = [{"start": 0, "end": 4, "topic": leak, "sentiment": "positive", "severity": 0}]
    small.session(day(24), small.complaint(leak, "漏水，电话13800138000", 3), "品退", buyer_key="cy")
    small.mention(day(24), small.complaint(leak, "别家的杯子漏水"), "notes", brand_match=False)
    small.save()
    [row] = [r for r in feedback_table(cups, small.store, day(24), day(24), product="PC-B2") if r.content == "漏水"]
    assert (row.category, row.voices, row.texts, row.worst, row.severe) == ("产品质量", 3, 4, 3, 4)
    assert (row.satisfaction.part, row.satisfaction.whole) == (1, 5) and row.severity == pytest.approx(9 / 4)
    assert len(row.mention_ids) == 3 and len(row.session_ids) == 1
    assert "漏水" in row.quote and "13800138000" not in row.quote
    assert as_dicts([row])[0]["satisfaction"]["value"] == 0.2
    assert not feedback_table(cups, small.store, day(24), day(24), shop="别的店")
    quiet = feedback_table(cups, small.store, day(2), day(2))
    assert sum(len(r.mention_ids) + len(r.session_ids) for r in quiet) == sum(r.texts for r in quiet)


def test_groups_cover_every_session_once(small: World, cups: Settings) -> None:
    [whole] = measure(cups, small.store, day(1), day(7)).groups
    assert whole.key == ALL
    for by in ("shop", "owner", "product", "day"):
        assert sum(g.sessions for g in measure(cups, small.store, day(1), day(7), by).groups) == whole.sessions
