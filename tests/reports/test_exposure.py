"""Threats to go public, and the posts that followed: linked by product, reason, wording and time, with a probability."""

from __future__ import annotations

import random

import pytest

from reports.digest.contract import as_dict
from reports.facts import build_facts
from reports.run import build_incidents
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import Text, World, day
from tests.reports.ledger import Ledger, unaccounted
from vocwatch.store import schema as s

NEXT = day(factory.QUIET_DAYS + 1)
STORY = "退货签收整整十天，两百三十元退款一直卡着，客服阿橘让我去找快递要"


def threaten(world: World, date, text: str, word: str = "发小红书", sku: str = "PC-S4", name: str = "曝光维权", **more) -> str:
    ref = world.session(date, Text(f"{text}，再不处理我就{word}", ("售后/退款难",), "negative", 2), sku=sku, **more)
    native = world.rows["sessions"][-1]["native_id"]
    world.save()
    with world.store.begin() as connection:
        connection.execute(s.session_keywords.insert(), [
            {"session_id": ref, "seq": 0, "start": 0, "end": 4, "name": name, "word": word}
        ])
    return native


def post(world: World, text: str, source: str = "notes", sku: str | None = "PC-S4", hour: float = 15) -> str:
    world.mention(NEXT, Text(text, ("售后/退款难",), "negative", 2), source, sku, hour=hour)
    return world.rows["mentions"][-1]["url"]


def told_of(cups, world: World):
    world.save()
    return build_facts(cups, world.store, NEXT, now=morning(NEXT))


def test_the_post_that_carried_out_a_threat_is_linked_and_told(small, cups):
    small.background(NEXT)
    threatened = threaten(small, day(22), STORY)
    url = post(small, f"避雷这家店！{STORY}，我真是服了")
    told = told_of(cups, small)
    (link,) = told.exposures.links
    assert (link.session_id, link.url) == (threatened, url) and 0.6 < link.probability < 1
    assert link.shared == ("product", "reason", "wording", "place") and 24 < link.lag_hours < 72
    assert any(f"会话 {threatened} 提过「发小红书」" in note.text() for note in told.notes)


@pytest.mark.parametrize("what", ["no threat", "other product and reason", "before", "too late"])
def test_what_does_not_fit_is_not_linked(small, cups, what):
    small.background(NEXT)
    if what == "no threat":
        small.session(day(22), Text(STORY, ("售后/退款难",), "negative", 2), sku="PC-S4")
    else:
        threaten(small, {"before": NEXT, "too late": day(12)}.get(what, day(22)), STORY, started_at=small.at(
            {"before": NEXT, "too late": day(12)}.get(what, day(22)), 20))
    if what == "other product and reason":
        small.mention(NEXT, small.complaint("产品质量/掉漆", "杯盖边上掉漆了"), "notes", "PC-B2")
    else:
        post(small, f"避雷这家店！{STORY}")
    assert told_of(cups, small).exposures.links == ()


def test_one_of_many_alike_is_no_certainty(small, cups):
    small.background(NEXT)
    threaten(small, day(22), "退款一直不到账")
    for number in range(30):
        post(small, small.dress(f"退款拖了{number + 3}天"), hour=8 + number / 3)
    assert all(link.probability < 0.5 for link in told_of(cups, small).exposures.links)


def test_each_session_and_each_post_is_linked_once(small, cups):
    small.background(NEXT)
    for _ in range(3):
        threaten(small, day(22), STORY)
    post(small, f"避雷这家店！{STORY}")
    links = told_of(cups, small).exposures.links
    assert len(links) <= 1


def test_the_order_of_rows_plays_no_part(small, cups):
    from reports.exposure import link, threats
    from reports.texts import Reader
    from vocwatch.clock import day_window
    from vocwatch.store import incidents, keywords

    small.background(NEXT)
    for number in range(4):
        sku = sorted(factory.PRODUCTS)[number]
        threaten(small, day(21 + number % 2), f"{STORY}，第{number}次找你们", sku=sku)
        post(small, f"避雷这家店！{STORY}，已经{number}次了", sku=sku, hour=9 + number)
    small.save()
    start, end = day_window(NEXT, factory.ZONE)
    with small.store.read() as connection:
        said = threats(keywords.keyword_sessions(connection, day_window(day(17), factory.ZONE)[0], end))
        reader = Reader(cups)
        inside = reader.complaints(incidents.sessions_by_id(connection, said), {})
        outside = reader.complaints(incidents.complaints(connection, start, end), {})
    expected = link(inside, outside, said, {})
    draw = random.Random(3)
    for _ in range(5):
        draw.shuffle(inside)
        draw.shuffle(outside)
        assert link(inside, outside, said, {}) == expected != ()


def test_the_days_threats_are_counted_by_their_rows(small, cups):
    small.background(NEXT)
    ids = {threaten(small, NEXT, STORY), threaten(small, NEXT, "漏水没人管", "打12315", name="监管投诉")}
    threaten(small, NEXT, "东西还行", "退货", name="退款纠纷")
    told = as_dict(told_of(cups, small))
    assert set(told["exposures"]["session_ids"]) == ids and told["exposures"]["threats"] == 2
    assert unaccounted(Ledger(small.store, told, factory.ZONE)) == []


def test_the_lead_is_told_with_path_place_and_days(story, cups):
    row = next(r for r in build_incidents(cups, story, day(28), now=morning(day(28))).findings if r.topic == "产品质量/漏水")
    line = next(w.text() for w in row.why if w.key == "why.inside_first")
    assert line.startswith(f"品退 {day(26):%m-%d} 周日先升，") and f"{day(28):%m-%d} 周二才出现，客服早 2 天" in line
