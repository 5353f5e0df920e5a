"""New phrases outside the taxonomy: said by several people, new, no template, no spam; proposed as a topic."""

from __future__ import annotations

import dataclasses

import pytest
from ruamel.yaml import YAML

from reports.digest import render_html, render_text
from reports.digest.contract import as_dict
from reports.emerging import clause_of, emerging, read_emerging
from reports.facts import build_facts
from reports.phrases import candidates, occurrences
from reports.words import log_odds
from tests.reports import factory
from tests.reports.brand import TOPICS
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, Text, day
from tests.reports.ledger import Ledger, unaccounted
from vocwatch.models import OTHER_TOPIC
from vocwatch.settings.topics import Topics

DATE = day(24)
SAID = ("轮轴卡死推都推不动", "才两天轮轴卡死", "新的就轮轴卡死了吗", "左边那个轮轴卡死", "出门就遇上轮轴卡死", "轮轴卡死换一个也一样")


def complain(world, clause, **columns):
    """A complaint that no topic covers."""
    return world.mention(DATE, Text(world.dress(clause), (OTHER_TOPIC,), "negative", 1, clause), sku="PC-B2", **columns)


def proposals(cups, world):
    world.save()
    with world.store.read() as connection:
        return {p.phrase: p for p in read_emerging(cups, connection, DATE)[0]}


@pytest.fixture
def jammed(small):
    small.background(DATE)
    small.runs(DATE)
    for clause in SAID:
        complain(small, clause)
    return small


def test_a_phrase_of_several_people_is_proposed_with_its_rows(cups, jammed):
    found = proposals(cups, jammed)
    assert list(found) == ["轮轴卡死"]
    phrase = found["轮轴卡死"]
    assert (phrase.authors, phrase.texts, phrase.before) == (6, 6, 0) and phrase.z >= 3
    assert len(phrase.mention_urls) == 6


def test_the_snippet_is_a_topic_that_loads(cups, jammed):
    (phrase,) = proposals(cups, jammed).values()
    (group,) = YAML(typ="safe").load(phrase.snippet)
    merged = Topics.model_validate({**TOPICS, "topics": [*TOPICS["topics"], group]})
    assert merged.topics[-1].leaves[0].words[0] == "轮轴卡死"
    known = dataclasses.replace(cups, topics=merged)
    assert proposals(known, jammed) == {}  # once it is in the taxonomy it is no news


def test_two_people_are_not_enough_nor_one_who_shouts(cups, small):
    small.background(DATE)
    for number in range(12):
        complain(small, f"{SAID[number % 6]}", author=f"loud{number % 2}", source="forum")
    assert proposals(cups, small) == {}


def test_copies_of_one_text_are_one_person(cups, small):
    small.background(DATE)
    rest = "周末本来高高兴兴带着老人孩子出门逛公园结果走到半路进退两难只好打车回家路上越想越来气当场决定以后绕着这个牌子走也劝街坊邻居都别碰"
    for number, clause in enumerate(SAID):
        small.mention(DATE, Text(f"{clause}，{rest}", (OTHER_TOPIC,)), author=f"c{number}")
    assert proposals(cups, small) == {}


def test_a_long_sentence_word_for_word_the_same_is_one_person(cups, small):
    small.background(DATE)
    for number in range(5):
        complain(small, "这家店的轮轴卡死害得我摔了一跤", author=f"t{number}")
    for clause in SAID:
        complain(small, clause)
    assert [phrase.authors for phrase in proposals(cups, small).values()] == [7]


def test_texts_put_together_from_the_same_clauses_are_one_person(cups, small):
    """One text each by many accounts: no account is busy, and no two texts are near-copies."""
    small.background(DATE)
    slogans = ["轮轴卡死", "圈里人都知道", "大家赶紧看看", "转给身边的人", "晚了就看不到", "懂的都懂吧", "气到睡不着", "以后绕着走吧"]
    for number in range(14):
        said = "，".join(["轮轴卡死", *small.random.sample(slogans[1:], 4), f"第{number}回路过"])
        small.mention(DATE, Text(said, (OTHER_TOPIC,)), author=f"s{number}")
    assert proposals(cups, small) == {}


def test_few_accounts_that_write_much_are_nobody(cups, small):
    small.background(DATE)
    for number in range(18):
        complain(small, SAID[number % 6], author=f"army{number // 3}", source="forum", hour=10)
    assert proposals(cups, small) == {}


def test_what_is_said_every_day_is_not_new(cups, small):
    for number in range(1, 24):
        for clause in small.random.sample(SAID, 3):
            small.mention(day(number), Text(small.dress(clause), (OTHER_TOPIC,), "negative", 1, clause))
    small.background(DATE)
    for clause in SAID[:3]:
        complain(small, clause)
    assert proposals(cups, small) == {}


def test_covered_clauses_ads_and_praise_say_nothing_new(cups, small):
    small.background(DATE)
    for clause in SAID:
        small.mention(DATE, small.complaint("产品质量/破损", clause))  # a topic has it
        complain(small, clause.replace("轮轴卡死", "拉杆晃荡"), voice="ad")
        small.mention(DATE, Text(small.dress(clause.replace("轮轴卡死", "内衬漂亮")), sentiment="positive", severity=0))
    assert proposals(cups, small) == {}


def test_ordinary_days_propose_nothing(cups, story):
    for date in (day(25), PLANTED["silent"], PLANTED["campaign"], PLANTED["rumour"], day(30)):
        with story.read() as connection:
            assert read_emerging(cups, connection, date)[0] == ()


def test_it_stands_in_the_digest_and_every_number_opens_its_rows(cups, jammed):
    jammed.save()
    told = build_facts(cups, jammed.store, DATE, now=morning(DATE))
    value = as_dict(told)
    (entry,) = [e for e in value["emerging"] if e["kind"] == "phrase"]
    assert entry["title"] == "轮轴卡死" and entry["authors"] == 6
    assert unaccounted(Ledger(jammed.store, value, factory.ZONE)) == []
    assert "新说法" in render_html(told) and "轮轴卡死：6 人 6 条" in render_text(told)
    assert "New phrase" in render_html(told, "en") and "6 people in 6 texts" in render_text(told, "en")


def test_hostile_text_neither_raises_nor_stalls(cups, small):
    nasty = ["\ud800" * 50, "轮" * 5000, "<script>" * 500, "𠮷野家" * 800, "", "，" * 9000]
    for number in range(12):
        small.mention(DATE, Text(nasty[number % 6].encode("utf-8", "replace").decode() or "。", (OTHER_TOPIC,)), author=f"n{number}")
    assert set(proposals(cups, small)) <= {"轮轮轮轮轮轮"}
    assert emerging(cups, [], []) == ()


def test_grams_hold_together_and_stand_free():
    pieces = [(f"a{n}", clause) for n, clause in enumerate(SAID)]
    reference = ["今天天气很好出门走走", "客服态度一般般", "包装盒子有点旧"] * 50
    found = candidates(pieces, reference)
    assert "轮轴卡死" in found and len(found["轮轴卡死"]) == 6
    assert not {"轮轴", "卡死", "轴卡"} & set(found)  # parts of it
    assert occurrences(["卡死"], ["卡死卡死"])["卡死"] == 2
    assert clause_of("卡死", "你好，轮轴卡死了。再见") == "轮轴卡死了"


def test_log_odds_grow_with_surprise():
    assert log_odds(6, 20, 0, 1000, 200) > log_odds(3, 20, 0, 1000, 200) > log_odds(3, 20, 150, 1000, 200)
    assert abs(log_odds(2, 20, 100, 1000, 200)) < 0.1
