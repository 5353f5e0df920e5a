"""What is only suspected is for a person to say; mere displeasure has no topic; who did it decides the leaf."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from sentiment.clauses import split
from sentiment.judge import Judge
from sentiment.normalise import normalise
from sentiment.redlines import SURE, SUSPECTED
from sentiment.topic_model import RED_LINES, TopicModel, load
from sentiment.topics import OTHER, Findings, Taxonomy
from tests.sentiment.test_taxonomy import SHIPPED, TAXONOMY
from vocwatch.hit_words import hit_words
from vocwatch.lang import set_language
from vocwatch.models import Assessment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches

NO_WATCHES = Watches.model_validate({"watches": []})


def find(text: str, taxonomy: Taxonomy = TAXONOMY) -> Findings:
    form = normalise(text).text
    return taxonomy.find(form, split(form))


def hearing(name: str, odds: float) -> TopicModel:
    """A model that hears one red line in every text."""
    known = load(RED_LINES)
    biases = tuple(odds if head == f"!{name}" else -9.0 for head in known.heads)
    return TopicModel(known.heads, biases, known.steps, known.keys, np.zeros_like(known.table))


def judged(text: str, red: TopicModel | None = None) -> Assessment:
    judge = Judge(NO_WATCHES, SHIPPED)
    if red is not None:
        judge._taxonomy = Taxonomy(SHIPPED, red=red)
    return judge.assess([TextInput("1", text)])[0]


def test_a_red_line_that_the_model_only_suspects_is_reviewed_and_does_not_fire() -> None:
    unsure, sure = hearing("假货", (SURE + SUSPECTED) / 2), hearing("假货", SURE + 1)
    findings = find("买来就这样", Taxonomy(SHIPPED, red=unsure))
    assert findings.alarms == () and [alarm.line.name for alarm in findings.suspected] == ["假货"]
    assert findings.complaints == ()
    doubtful = judged("垃圾，太差了，垃圾", unsure)
    assert doubtful.review and doubtful.red_lines == () and doubtful.severity < 3
    assert not judged("垃圾，太差了，垃圾", hearing("假货", SUSPECTED - 1)).review
    assert [line.name for line in judged("垃圾，太差了，垃圾", sure).red_lines] == ["假货"]


def test_what_the_model_alone_hears_in_praise_is_reviewed_and_does_not_fire() -> None:
    found = judged("特别好，非常满意，很喜欢", hearing("员工不当言行", SURE + 1))
    assert found.sentiment == "positive" and found.red_lines == () and found.review


@pytest.mark.parametrize("text", [
    "收件人[姓名]，电话[手机号]，地址[地址]，麻烦改一下", "订单[订单号]，微信[微信号]，身份证[身份证号]，银行卡[银行卡号]",
    "给你们留了[手机号]，说好回电一直没打",
])
def test_masks_alone_are_no_leak(text: str) -> None:
    assert judged(text).red_lines == ()


def test_mere_displeasure_has_no_topic() -> None:
    assert judged("太坑了，再也不来了").topics == ()
    assert judged("太坑了，气死我了").topics == ()


def test_without_a_model_every_unexplained_complaint_is_other() -> None:
    judge = Judge(NO_WATCHES, SHIPPED, topic_model=TopicModel.empty())
    assert judge.assess([TextInput("1", "太差了，再也不买了")])[0].topics == (OTHER,)


@pytest.mark.parametrize(("text", "topic"), [
    ("快递小哥服务态度很好", "物流/配送服务差"), ("客服服务态度很好", "客服服务/态度差"),
    ("骑手态度恶劣", "物流/配送服务差"), ("店员态度恶劣", "客服服务/态度差"),
])
def test_who_did_it_decides_the_leaf(text: str, topic: str) -> None:
    assert {aspect.topic for aspect in find(text).aspects} == {topic}


def test_a_leaf_can_take_only_from_one_that_is_there() -> None:
    told = SHIPPED.model_dump()
    told["topics"][0]["leaves"][0]["who_of"] = ["没有/这个"]
    with pytest.raises(ValidationError, match="who_of"):
        Topics.model_validate(told)


def test_what_is_feared_or_asked_is_no_complaint_that_the_model_hears() -> None:
    assert all(aspect.how != "model" for aspect in find("怕尺码不合适要换").aspects)


@pytest.mark.parametrize("text", ["用了再看是不是正品", "还没试好不好用", "先问下贵不贵"])
def test_half_of_a_question_is_no_statement(text: str) -> None:
    assert not find(text).complaints
    assert not [aspect for aspect in find(text).aspects if aspect.how in ("praise", "denied")]


def test_less_than_before_is_no_praise() -> None:
    assert judged("感觉没以前厚实").topics == ("产品质量/材质差",)


def test_every_leaf_has_a_name_for_praise() -> None:
    assert SHIPPED.shown("物流/物流慢", praised=True) == "物流/物流速度"
    assert SHIPPED.shown("物流/物流慢", praised=False) == "物流/物流慢"
    assert not [leaf.name for group in SHIPPED.topics for leaf in group.leaves if not leaf.aspect]


def test_rules_of_hits_in_words() -> None:
    assert [hit_words(rule) for rule in ("squeezed", "pattern3", "ambiguous+context", "unheard-of")] == [
        "字间夹了符号", "自定义写法", "多义词，上下文像在说它", "unheard-of"
    ]
    set_language("en")
    try:
        assert hit_words("name+brand") == "name, beside the brand"
    finally:
        set_language("zh")
