"""What stays below an incident, what two days make of it, and what is one trouble though it is told in several ways."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from reports.baseline import Baseline, Cell, Day, base_days
from reports.complaint import Complaint
from reports.facts import build_facts
from reports.incidents import Group, find
from reports.judgement import Finding
from reports.run import build_incidents
from reports.stories import merged
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import Text, World, day
from tests.reports.test_clusters import heard
from vocwatch.settings import Settings
from vocwatch.settings.topics import RedLineClass, Topics
from vocwatch.store import Store, alerts, incidents

NEXT = day(factory.QUIET_DAYS + 1)
EVE = NEXT - dt.timedelta(days=1)
FAKE = "宣传/假货"
SLOW = "物流/物流慢"


def build(cups: Settings, world: World, date: dt.date = NEXT) -> dict[str, Finding]:
    world.save()
    return {f.topic: f for f in build_incidents(cups, world.store, date, now=morning(date)).findings}


def doubt(world: World, date: dt.date, number: int, **more: Any) -> None:
    for n in range(number):
        world.mention(date, world.complaint(FAKE, f"瓶身印字和去年那瓶差{n}处，是假货吧", 2, "假货"), "forum", **more)


def with_topics(cups: Settings, **changes: Any) -> Settings:
    data = cups.topics.model_dump()
    for name, value in changes.items():
        if name == "red_lines":
            data["red_lines"] = [*data["red_lines"], *value]
        for group in data["topics"]:
            if group["name"] == name:
                group.update(value)
    return dataclasses.replace(cups, topics=Topics.model_validate(data))


def test_a_single_doubt_is_shown_to_be_checked_and_ranks_nowhere(small: World, cups: Settings) -> None:
    doubt(small, NEXT, 1)
    found = build(cups, small)
    assert found[FAKE].watched and found[FAKE].level.value == "蓝"
    facts = build_facts(cups, small.store, NEXT, now=morning(NEXT))
    assert facts.risks == () and [r.topic for r in facts.to_check] == [FAKE]
    assert any(a.what.key == "action.check" for a in facts.actions)
    with small.store.read() as connection:
        assert alerts.listed(connection) == []


def test_a_second_voice_the_next_day_makes_it_an_incident_with_both(small: World, cups: Settings) -> None:
    doubt(small, EVE, 1)
    first = build(cups, small, EVE)[FAKE]
    doubt(small, NEXT, 1)
    second = build(cups, small)[FAKE]
    assert first.watched and not second.watched and second.id == first.id
    assert second.level.value == "黄" and second.state.value == "升级"
    with small.store.read() as connection:
        assert len(incidents.members(connection, [first.id])) == 2


def test_three_voices_of_a_second_class_red_line_are_orange_and_no_more(small: World, cups: Settings) -> None:
    doubt(small, NEXT, 4)
    assert build(cups, small)[FAKE].level.value == "橙"


def test_what_only_the_model_suspects_of_the_first_class_is_checked_first(small: World, cups: Settings) -> None:
    factory.burn(small, NEXT, factory.BURN[0])
    small.rows["assessments"][-1]["red_lines"][0]["rule"] = "model"
    found = build(cups, small)["商品安全/烫伤"]
    assert found.watched and found.level.value == "蓝"
    with small.store.read() as connection:
        assert [a["level"] for a in alerts.listed(connection)] == ["蓝"]  # harm to people is told at once all the same


@pytest.mark.parametrize("eve", [0, 5])
def test_two_days_together_tell_what_one_does_not(small: World, cups: Settings, eve: int) -> None:
    for date, number in ((EVE, eve), (NEXT, 2)):
        for n in range(number):
            small.mention(date, small.complaint(SLOW, f"第{n + 3}天还没发出来", 2), sku="PC-S4")
    found = build(cups, small).get(SLOW)
    if not eve:
        assert found is None
        return
    assert found is not None and not found.watched and found.product == "PC-S4"
    assert len([c for c in found.members if c.day == EVE]) == 5
    told = next(w for w in found.why if w.key == "why.two_days")
    assert dict(told.values)["seen"] == 7


def test_texts_that_name_no_product_speak_for_the_one_that_the_others_name(small: World, cups: Settings) -> None:
    for n in range(2):
        small.mention(NEXT, small.complaint(SLOW, f"第{n + 3}天还没发出来", 2), sku="PC-S4")
    for n in range(3):
        small.mention(NEXT, small.complaint(SLOW, f"催了{n + 2}回也不发", 2))
    found = build(cups, small)[SLOW]
    assert found.product == "PC-S4" and found.mentions == 5 and not found.watched


def test_a_handful_that_may_be_chance_is_a_rise_not_a_risk(small: World, cups: Settings) -> None:
    for n in range(3):
        small.mention(NEXT, small.complaint(SLOW, f"第{n + 3}天还没发出来", 2), sku="PC-S4")
    small.runs(NEXT)
    found = build(cups, small)
    facts = build_facts(cups, small.store, NEXT, now=morning(NEXT))
    assert found[SLOW].watched and facts.risks == () and [e.topic for e in facts.emerging] == [SLOW]
    assert facts.verdict[0].key == "verdict.watch"


def test_trouble_that_is_the_brands_by_its_kind_is_not_split_over_products(small: World, cups: Settings) -> None:
    for n in range(10):
        sku = sorted(factory.PRODUCTS)[n % 2]
        small.mention(NEXT, small.complaint("售后/退款难", f"退款卡了{n + 5}天", 2), sku=sku)
    split = build(with_topics(cups, 售后={"brand_wide": True}), small)["售后/退款难"]
    assert split.product is None and split.mentions == 10


def test_a_kind_of_trouble_that_is_the_brands_is_one_products_where_nearly_all_name_it(small: World, cups: Settings) -> None:
    for n in range(10):
        small.mention(NEXT, small.complaint("售后/退款难", f"退款卡了{n + 5}天", 2), sku="PC-S4" if n else None)
    whole = build(with_topics(cups, 售后={"brand_wide": True}), small)["售后/退款难"]
    assert whole.product == "PC-S4" and whole.mentions == 10


def test_a_crowd_belongs_to_what_it_is_angry_about(small: World, cups: Settings) -> None:
    crowd = {"name": "集体维权", "words": ["维权群"], "first_class": False}
    settings = with_topics(cups, red_lines=[crowd])
    for n in range(6):
        small.mention(NEXT, small.complaint(SLOW, f"第{n + 3}天还没发，进维权群了", 2, "集体维权"), sku="PC-S4")
    small.mention(NEXT, Text(small.dress("已经建了维权群"), (), "negative", 2, "维权群", "集体维权"))
    found = build(settings, small)
    assert set(found) == {SLOW} and found[SLOW].red_line and found[SLOW].mentions == 7


def test_one_cry_for_the_press_does_not_make_a_whole_incident_as_grave_as_itself(small: World, cups: Settings) -> None:
    settings = with_topics(cups, red_lines=[{"name": "媒体监管介入", "words": ["找记者"], "first_class": False}])
    for n in range(9):
        line = "媒体监管介入" if n == 0 else ""
        small.mention(NEXT, small.complaint(SLOW, f"第{n + 3}天还没发，要找记者", 2, line), sku="PC-S4")
    found = build(settings, small)[SLOW]
    assert found.parts.sensitivity < 0.5


@pytest.mark.parametrize(("number", "listed"), [(2, False), (3, True)])
def test_without_history_a_second_class_red_line_needs_one_voice_more(
    sqlite_store: Store, cups: Settings, number: int, listed: bool
) -> None:
    world = World(sqlite_store, 3)
    world.background(day(1))
    world.runs(day(1))
    doubt(world, day(1), number)
    found = build(cups, world, day(1))
    assert (FAKE in found and not found[FAKE].watched) is listed


@pytest.mark.parametrize("same", [True, False])
def test_one_story_under_two_topics_is_one_incident(small: World, cups: Settings, same: bool) -> None:
    for n in range(14):
        small.mention(NEXT, small.complaint(SLOW, f"周年庆预售的锅{n + 5}天不发货", 2))
    for n in range(12):
        clause = f"周年庆预售付了钱又退不掉，{n + 2}次被拒" if same else f"付了钱又退不掉，{n + 2}次被拒"
        small.mention(NEXT, small.complaint("售后/退款难", clause, 2))
    found = build(cups, small)
    assert set(found) == ({SLOW} if same else {SLOW, "售后/退款难"})
    assert found[SLOW].mentions == (26 if same else 14)


@pytest.mark.parametrize(("usual", "number", "left"), [
    ("杯盖刚到手就裂了", 60, 1),  # hardly anybody used these words before
    ("杯盖刚到手就裂了", 40, 2),  # too few texts to tell
    ("年货套装的赠品没给", 60, 2),  # everybody did
])
def test_nothing_is_merged_where_it_is_not_known_what_is_usual(usual: str, number: int, left: int) -> None:
    said = {SLOW: "年货套装还没发货", FAKE: "年货套装像翻新的"}
    groups = [
        Group(None, topic, [telling(topic, text, 100 * place + n) for n in range(8)], None)
        for place, (topic, text) in enumerate(said.items())
    ]
    before = [telling(SLOW, usual, 1000 + n) for n in range(number)]
    assert len(merged(groups, lambda: before)) == left


def telling(topic: str, text: str, ref: int) -> Complaint:
    return Complaint(heard(ref, text), NEXT, None, (topic,), (), f"v{ref}", ref)


def test_however_rare_a_doubt_is_one_voice_of_it_is_no_incident() -> None:
    line = RedLineClass(name="假货", words=("假货",), topic=FAKE, first_class=False)
    said = [dataclasses.replace(telling(FAKE, "瓶身印字不一样，是假货吧", ref), red_lines=(line,)) for ref in (1, 2)]
    never = Baseline(NEXT, {(None, FAKE): {}}, {"notes": set(base_days(NEXT))})
    for voices, isolated in ((1, True), (2, False)):
        (group,) = find(NEXT, said[:voices], never, [])
        assert group.isolated is isolated and group.topic == FAKE


def test_of_two_days_as_much_is_expected_as_of_both() -> None:
    days = base_days(NEXT)
    counts: dict[Cell, dict[Day, int]] = {("PC-S4", SLOW): {("notes", date): 2 for date in days}}
    baseline = Baseline(NEXT, counts, {"notes": set(days)})
    one, two = (baseline.expect(("PC-S4", SLOW), 5, window=window) for window in (1, 2))
    assert one is not None and two is not None
    assert two.mean == pytest.approx(2 * one.mean) and two.p > one.p and two.window == 2
