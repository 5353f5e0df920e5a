"""F40: thousands of copies by few accounts, and a rating bomb.

One voice, one alert at most, told as 疑似水军 with its reasons; nothing is hidden, and the other items keep their rank.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reports.facts import build_facts
from reports.run import build_incidents
from tests.reports import factory
from tests.reports.conftest import copy_of, morning
from tests.reports.conftest import cups as cups
from tests.reports.conftest import quiet_file as quiet_file
from tests.reports.conftest import shipped as shipped
from tests.reports.factory import Text, World, day
from vocwatch.settings import Settings
from vocwatch.store import alerts, incidents

NEXT = day(factory.QUIET_DAYS + 1)
COPIES, ACCOUNTS = 5000, 40  # the row's own figures
HEADS = ("内部消息", "刚刚听说", "真相来了", "别再被骗了", "实锤了", "爆个料", "厂里朋友说的", "大家注意")
SAID = ("旗舰店里一大半都是仿的", "店里卖的全是贴牌假货", "官方店真货假货掺着卖", "线上发的根本不是正品")
PROOF = ("拿去柜台人家不给验", "吊牌扫出来是假页面", "线上线下根本两个货", "专柜一看就摇头不认")
TAILS = ("赶紧退货", "转给身边买过的人", "扩散出去", "买过的都来看看", "收藏好别被删了")


@pytest.fixture
def ordinary(quiet_file: Path, tmp_path: Path):
    """Ordinary days, then one with two real troubles, of which one is a red line."""
    store = copy_of(quiet_file, tmp_path)
    world = World(store, 11)
    world.mentions = world.sessions = 10_000
    for clause in factory.BURN[:2]:
        factory.burn(world, NEXT, clause)
    for number in range(7):
        world.mention(NEXT, world.complaint("产品质量/漏水", factory.LEAK[number], 2), sku="PC-B2")
    world.save()
    yield world
    store.close()


def army(world: World, number: int = COPIES, accounts: int = ACCOUNTS, spell_hours: float = 11) -> None:
    """Texts filled into one template, by few accounts, within a day."""
    draw = random.Random(5)
    for n in range(number):
        clause = draw.choice(SAID)
        text = f"{draw.choice(HEADS)}，松果匣{clause}，{draw.choice(PROOF)}，{draw.choice(TAILS)}{'！' * (n % 4)}"
        said = Text(text, ("宣传/假货",), "negative", 3, clause, "假货")
        world.mention(NEXT, said, "forum", author=f"army{n % accounts}", hour=9 + spell_hours * n / number)


def bomb(world: World, number: int = 600, accounts: int = 20) -> None:
    """One-star reviews of a few words each."""
    for n in range(number):
        said = Text(("垃圾", "差评", "别买", "骗子")[n % 4] + "。" * (n % 3), ("产品质量/破损",), "negative", 1)
        world.mention(NEXT, said, "reviews", "PC-K3", author=f"bomb{n % accounts}", hour=9 + n / 60, rating=1)


def listed(settings: Settings, world: World) -> list[dict]:
    build_incidents(settings, world.store, NEXT, now=morning(NEXT))
    with world.store.read() as connection:
        return incidents.incident_list(connection, NEXT)


def test_f40_an_army_is_one_voice_and_changes_nobodys_rank(ordinary: World, cups: Settings) -> None:
    before = {(r["topic"], r["product"]): (r["level"], r["score"], r["authors"]) for r in listed(cups, ordinary)}
    assert {"商品安全/烫伤", "产品质量/漏水"} <= {topic for topic, _ in before}
    army(ordinary)
    bomb(ordinary)
    ordinary.save()
    rows = listed(cups, ordinary)
    after = {(r["topic"], r["product"]): (r["level"], r["score"], r["authors"]) for r in rows}
    assert {key: after[key] for key in before} == before
    order = [(r["topic"], r["product"]) for r in rows]
    assert [key for key in order if key in before] == list(before)
    (rumour,) = [r for r in rows if r["topic"] == "宣传/假货"]
    assert rumour["authors"] == 1 and not [r for r in rows if r["topic"] == "产品质量/破损" and r["authors"] > 2]
    with ordinary.store.read() as connection:
        raised = [a for a in alerts.listed(connection) if a["incident_id"] == rumour["id"]]
        members = incidents.members(connection, [rumour["id"]])
    assert len(raised) == 1 and len(members) == COPIES and len({m.cluster for m in members}) == 1


def test_f40_it_is_told_with_its_reasons_and_hides_nothing(ordinary: World, cups: Settings) -> None:
    army(ordinary, 400, 20)
    ordinary.save()
    listed(cups, ordinary)
    (risk,) = [r for r in build_facts(cups, ordinary.store, NEXT, now=morning(NEXT)).risks if r.topic == "宣传/假货"]
    told = next(s for s in risk.why if s.key == "why.copies")
    values = dict(told.values)
    assert (values["texts"], values["accounts"], values["most"]) == (400, 20, 20)
    assert values["hours"] == 11 and values["alike"] >= 390
    assert "疑似水军" in told.text() and "内容照列" in told.text()
    assert len(risk.mention_urls) == 400 and risk.quotes and (risk.authors, risk.copies) == (1, 399)


def test_f40_many_people_with_the_same_trouble_are_no_army(ordinary: World, cups: Settings) -> None:
    for number in range(40):
        clause = factory.LEAK[number % len(factory.LEAK)]
        ordinary.mention(NEXT, ordinary.complaint("产品质量/漏水", clause, 2), "reviews", "PC-B2", hour=9 + number / 10)
    ordinary.save()
    (leak,) = [r for r in listed(cups, ordinary) if r["topic"] == "产品质量/漏水"]
    assert leak["authors"] >= 40 and "why.copies" not in {w["key"] for w in leak["why"]}


def test_f40_template_texts_of_accounts_that_post_twice_are_told_apart_by_their_likeness(ordinary: World, cups: Settings) -> None:
    army(ordinary, 40, 16)  # half the accounts write but two: only the template gives those away
    ordinary.save()
    (rumour,) = [r for r in listed(cups, ordinary) if r["topic"] == "宣传/假货"]
    assert rumour["authors"] == 1 and "why.copies" in {w["key"] for w in rumour["why"]}
