"""Which watches a text matches, and by which rule."""

from __future__ import annotations

import pytest

from sentiment.judge import Judge
from vocwatch.models import Hit, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches


def hits(judge: Judge, text: str, **more: object) -> list[Hit]:
    return list(judge.match(TextInput(id="1", body=text, **more)))  # type: ignore[arg-type]


def brand(judge: Judge, text: str, **more: object) -> bool:
    return judge.assess([TextInput(id="1", body=text, **more)])[0].brand_match  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "rule", "matched"), [
    ("松果匣的杯子漏水", "name", "松果匣"), ("买了松果匣子", "alias", "松果匣子"),
    ("SONGGUOXIA真好", "alias", "SONGGUOXIA"),
    ("松果家的水壶", "pattern", "松果家"), ("松\u200b果匣漏了", "name", "松\u200b果匣"),
    ("松*果*匣避雷", "squeezed", "松*果*匣"),
    ("松 果 匣避雷", "squeezed", "松 果 匣"), ("松🌰果🌰匣别买", "squeezed", "松🌰果🌰匣"),
    ("松·果匣", "squeezed", "松·果匣"),
    ("ｓｏｎｇｇｕｏｘｉａ", "alias", "ｓｏｎｇｇｕｏｘｉａ"), ("☁️果匣", "alias", "☁️果匣"),
    ("松果的保温杯漏水", "ambiguous+context", "松果"),
    ("SGX客服不理人", "ambiguous+context", "SGX"), ("s-o-n-g-g-u-o-x-i-a", "squeezed", "s-o-n-g-g-u-o-x-i-a"),
])
def test_names_as_people_write_them(judge: Judge, text: str, rule: str, matched: str) -> None:
    found = [hit for hit in hits(judge, text) if hit.watch == "pine"]
    assert [(hit.rule, hit.matched) for hit in found] == [(rule, matched)]
    assert text[found[0].start:found[0].end] == matched


@pytest.mark.parametrize("text", [
    "周末去公园捡松果匣", "捡松果，客服", "松果体检查，退货", "内存SGX2保温杯", "msgx1客服", "松果掉了一地",
    "松果在森林里，保温杯带着",
    "摘了松果。匣子里放着", "松果，匣子", "买了松 果匣", "保温杯不错",
    "松果很远很远很远很远很远很远很远很远的保温杯", "参观松果匣展",
])
def test_homonyms_and_neighbours_do_not_match(judge: Judge, text: str) -> None:
    if text == "周末去公园捡松果匣":  # the exclusion covers 捡松果 only, not the longer name
        assert brand(judge, text)
        return
    assert not [hit for hit in hits(judge, text) if hit.watch == "pine"]
    assert not brand(judge, text)


def test_a_sure_name_makes_the_doubtful_ones_count(judge: Judge) -> None:
    rules = [hit.rule for hit in hits(judge, "松果匣出新品了，松果这次不错") if hit.watch == "pine"]
    assert rules == ["name", "ambiguous+brand"]


def test_generic_product_names_need_the_brand(judge: Judge) -> None:
    assert not [hit for hit in hits(judge, "保温杯漏水") if hit.watch == "cup"]
    assert [hit.rule for hit in hits(judge, "松果匣的保温杯漏水") if hit.watch == "cup"] == ["alias+brand"]
    inside = hits(judge, "保温杯漏水", about_brand=True)
    assert [hit.rule for hit in inside if hit.watch == "cup"] == ["alias+brand"]
    assert brand(judge, "小松暖手宝不热")  # a product name of its own needs nothing


def test_competitors_and_keywords_are_hits_but_not_the_brand(judge: Judge) -> None:
    found = {hit.watch: hit.kind for hit in hits(judge, "栗子屋的暖手宝")}
    assert found == {"rival": "competitor", "heat": "keyword"}
    assert not brand(judge, "栗子屋的暖手宝")
    assert brand(judge, "栗子屋比松果匣贵")


@pytest.mark.parametrize(("context", "text", "expected", "rule"), [
    (("SG-01",), "漏水", True, "sku"), (("sg-01",), "漏水", True, "sku"), (("SG-77",), "漏水", True, None),
    (("LZ-9", "栗子屋电热毯"), "漏水", False, "sku"), (("XX-1", "别的毯子"), "漏水", False, None),
    (("松果匣旗舰店",), "漏水", True, "page"), (("XX-2", "保温杯"), "漏水", False, None),
    ((), "漏水", False, None),
])
def test_the_page_ties_a_text_to_its_product(
    judge: Judge, context: tuple[str, ...], text: str, expected: bool, rule: str | None
) -> None:
    assert brand(judge, text, context=context) is expected
    rules = {hit.rule for hit in hits(judge, text, context=context)}
    assert rules == ({rule} if rule else set())


def test_a_comment_takes_over_the_brand_unless_it_names_another(judge: Judge) -> None:
    post = "松果匣的小松暖手宝怎么样"
    assert brand(judge, "我也漏了", parent=post)
    assert {hit.watch for hit in hits(judge, "我也漏了", parent=post)} >= {"pine", "warmer"}
    assert not brand(judge, "栗子屋好用多了", parent=post)
    assert brand(judge, "栗子屋比松果匣好用", parent=post)
    assert not brand(judge, "我也漏了", parent="今天天气不错")


def test_exclusions_belong_to_one_watch(topics: Topics) -> None:
    watches = Watches.model_validate({"watches": [
        {"id": "a", "kind": "brand", "name": "松果", "exclude": ["松果蛋糕"]},
        {"id": "b", "kind": "keyword", "name": "松果"},
    ]})
    assert [hit.watch for hit in Judge(watches, topics).match("松果蛋糕")] == ["b"]


def test_no_watches_at_all(topics: Topics) -> None:
    assert Judge(Watches(watches=()), topics).match("松果匣") == ()
