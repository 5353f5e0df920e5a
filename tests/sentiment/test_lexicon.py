"""The polarity lexicon: its size, its form, and what a broken file is told."""

from __future__ import annotations

import pytest

from sentiment.lexicon import POLAR_FILES, Lexicon, LexiconError, build, lexicon
from sentiment.normalise import normal_form

_EMPTY = dict.fromkeys((*POLAR_FILES, "degree", "negators", "turns", "irony"), "")


def _with(**files: str) -> Lexicon:
    return build({**_EMPTY, **files})


def test_it_is_large_enough_to_carry_a_judgement() -> None:
    found = lexicon()
    by_sign = {sign: sum((w > 0) - (w < 0) == sign for w in found.weights.values()) for sign in (-1, 0, 1)}
    assert by_sign[1] >= 4000 and by_sign[-1] >= 6000 and by_sign[0] >= 600
    assert sum(bool(tags & {"bracket", "emoji", "kaomoji"}) for tags in found.tags.values()) >= 250
    assert sum(bool(tags & {"joy", "sadness", "anger", "fear", "weak"}) for tags in found.tags.values()) >= 800


def test_every_word_stands_in_the_normal_form_it_is_matched_in() -> None:
    found = lexicon()
    words = [*found.weights, *found.degrees, *found.degrees_after, *found.negators, *found.turns, *found.irony]
    assert [word for word in words if normal_form(word) != word] == []


@pytest.mark.parametrize("word", [
    "不错", "不赖", "没得说", "没毛病", "物美价廉", "无可挑剔", "无限回购", "真香", "宝藏", "良心", "yyds", "绝绝子",
    "不掉色", "没有异味", "好吃到哭", "不要太好吃", "油耗低", "省电", "👍", "❤", "[鼓掌]", "没得挑", "便宜得不像话",
])
def test_praise_weighs_to_the_good(word: str) -> None:
    assert lexicon().weights[word] > 0


@pytest.mark.parametrize("word", [
    "拉胯", "拔草", "踩雷", "避雷", "智商税", "大冤种", "翻车", "割韭菜", "下头", "辣鸡", "坑爹", "糊弄", "敷衍", "扯皮", "甩锅",
    "装死", "已读不回", "名不副实", "一言难尽", "大失所望", "不敢恭维", "不值得", "不推荐", "没法用", "不好用", "不怎么样",
    "没意思", "性价比不高", "😡", "💩", "[抓狂]", "[泪]", "[微笑]", "油耗高", "费电", "崩溃", "气死",
])
def test_blame_weighs_to_the_bad(word: str) -> None:
    assert lexicon().weights[word] < 0


@pytest.mark.parametrize("word", ["好几天", "好像", "不好意思", "差不多", "坏处", "快递", "好友", "美国", "假期", "死角", "新疆长绒棉"])
def test_words_that_hold_a_polar_character_and_mean_nothing_by_it_weigh_nothing(word: str) -> None:
    assert lexicon().weights[word] == 0


def test_the_words_around_are_known_too() -> None:
    found = lexicon()
    assert found.degrees["非常"] > 1 > found.degrees["有点"]
    assert found.degrees_after["极了"] > 1
    assert found.negators["不"] == -1 and found.negators["不仅"] == 1 and found.negator_kinds["不仅"] == "pseudo"
    assert -1 < found.negators["不太"] < 0
    assert found.turns["但是"].before < 1 < found.turns["但是"].after
    assert found.turns["虽然"].after < 1
    assert found.irony_kinds["真有你的"] == "sure" and found.irony["真有你的"] == 1
    assert "irony" in found.tags["[doge]"]


def test_latin_words_are_marked_for_word_boundaries() -> None:
    found = lexicon()
    assert "latin" in found.tags["bad"] and "latin" in found.tags["yyds"] and "latin" not in found.tags["不错"]


def test_the_same_word_with_another_weight_is_refused_with_both_places() -> None:
    with pytest.raises(LexiconError, match=r"blame\.txt:3: 给力: weight -1, but 1 at praise\.txt:1"):
        _with(praise="给力\t1\tgeneral", blame="# remark\n差\t-1\n给力\t-1\tgeneral")


def test_the_same_word_with_the_same_weight_unites_its_tags() -> None:
    found = _with(praise="开心\t1\tgeneral", mood="开心\t1\tjoy")
    assert found.weights == {"开心": 1.0} and found.tags["开心"] == {"general", "joy"}


@pytest.mark.parametrize(("name", "text", "message"), [
    ("praise", "好用", r"praise\.txt:1: word and 1 to 2 fields"),
    ("praise", "\n好用 1", r"praise\.txt:2: word and 1 to 2 fields"),
    ("praise", " 好用\t1", r"praise\.txt:1: word and"),
    ("praise", "好用\t很", r"praise\.txt:1: 好用: '很' is no number"),
    ("praise", "好用\tnan", r"praise\.txt:1: 好用: nan is not in"),
    ("praise", "好用\t3.5", r"praise\.txt:1: 好用: 3\.5 is not in -3…3"),
    ("praise", "好用\t1.2", r"by steps of 0\.5"),
    ("praise", "好用\t1\tnowhere", r"praise\.txt:1: 好用: unknown tag 'nowhere'"),
    ("praise", "好用\t0", r"weight 0 belongs to neutral\.txt"),
    ("neutral", "好友\t1", r"neutral\.txt:1: 好友: weight 0 belongs"),
    ("degree", "很\t2.5", r"degree\.txt:1: 很: 2\.5 is not in 0…2"),
    ("degree", "很\t1.3\n很\t1.3", r"degree\.txt:2: 很 stands twice"),
    ("negators", "不\t-1\tnegator soft", r"negators\.txt:1: 不: one kind expected"),
    ("negators", "不\t-1\twhatever", r"unknown tag 'whatever'"),
    ("turns", "但\t0.6\t1.5", r"turns\.txt:1: word and 3 to 3 fields"),
    ("turns", "但\t0.6\t1.5\tbend", r"unknown tag 'bend'"),
    ("irony", "呵呵\t1.5\tsure", r"irony\.txt:1: 呵呵: 1\.5 is not in 0…1"),
])
def test_a_broken_line_is_told_by_file_and_line(name: str, text: str, message: str) -> None:
    with pytest.raises(LexiconError, match=message):
        _with(**{name: text})


def test_the_lexicon_is_read_once_and_can_not_be_changed() -> None:
    found = lexicon()
    assert lexicon() is found
    with pytest.raises(TypeError):
        found.weights["好"] = 3.0  # type: ignore[index]
