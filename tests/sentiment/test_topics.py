"""Aspects with their polarity, the trained model beside the rules, merged leaves, trying a taxonomy."""

from __future__ import annotations

import numpy as np
import pytest

from sentiment.clauses import split
from sentiment.judge import Judge
from sentiment.modelfile import ModelError
from sentiment.normalise import normalise
from sentiment.ready import make_engine
from sentiment.topic_model import (
    SHIPPED,
    TopicModel,
    TopicScorer,
    features,
    from_bytes,
    load,
)
from sentiment.topics import BY_NAME, COMPLAINT, MENTION, PRAISED, Findings, Passage, Taxonomy
from sentiment.training.corpus import own_texts
from sentiment.training.topics import train
from sentiment.trial import check, compare
from tests.sentiment.test_taxonomy import SHIPPED as TOPICS
from tests.sentiment.test_taxonomy import TAXONOMY
from vocwatch.models import Sentiment, TextInput
from vocwatch.settings.topics import Group, Leaf, Topics
from vocwatch.settings.watches import Watches

RULES = Taxonomy(TOPICS, TopicModel.empty())


def find(text: str, taxonomy: Taxonomy = RULES) -> Findings:
    form = normalise(text).text
    return taxonomy.find(form, split(form))


@pytest.mark.parametrize(("text", "topic", "polarity"), [
    ("物流真快", "物流/物流慢", PRAISED), ("快递太慢了", "物流/物流慢", COMPLAINT),
    ("物流一般吧", "物流/物流慢", MENTION),
    ("性价比高", "价格/价格贵", PRAISED), ("价格偏高", "价格/价格贵", COMPLAINT),
    ("价格我看看再说", "价格/价格贵", MENTION),
    ("不掉色", "产品质量/掉色", PRAISED), ("会不会掉色？", "产品质量/掉色", MENTION),
    ("包装精美", "包装/包装简陋", PRAISED), ("服务不热情", "客服服务/态度差", COMPLAINT),
    ("味道没有很好吃", "使用体验/口味不好", COMPLAINT),
])
def test_what_a_clause_says_of_an_aspect(text: str, topic: str, polarity: int) -> None:
    assert {item.polarity for item in find(text).aspects if item.topic == topic} == {polarity}


def test_beside_a_stated_fault_a_name_is_only_a_mention() -> None:
    found = {item.topic: item.how for item in find("洗一次就掉色，质量啊").aspects}
    assert found["产品质量/掉色"] != "about" and found["产品质量/材质差"] == "beside"
    assert {item.how for item in find("质量啊").aspects} == {"about"}


@pytest.mark.parametrize(("text", "group"), [
    ("垃圾玩意退货", "售后"), ("这破纸箱恶心死了", "包装"), ("花399元拿下", "价格"), ("昨天下单今天到手", "物流"),
])
def test_what_is_named_in_passing_is_spoken_of_and_never_complained_of(text: str, group: str, topics: Topics) -> None:
    assert {item.topic.partition("/")[0] for item in find(text).aspects if item.how == BY_NAME} == {group}
    judge = Judge(Watches(watches=()), topics, make_engine("auto"))
    spans = judge.assess([TextInput("1", text), TextInput("2", "纸箱很漂亮我喜欢")])
    assert not [topic for topic in spans[0].topics if topic.startswith(group)]
    assert [(span.topic, span.sentiment) for span in spans[1].spans] == [("包装/包装破损", Sentiment.POSITIVE)]


def test_a_clause_that_names_nobody_goes_on_about_those_before_it() -> None:
    def topics_of(text: str) -> set[str]:
        return {item.topic for item in find(text).aspects if "态度" in text[item.start:item.end]}

    assert topics_of("快递小哥很准时，态度也很好") == {"物流/配送服务差"}
    assert topics_of("快递小哥很准时，客服态度很好") == {"客服服务/态度差"}


@pytest.mark.parametrize("text", ["非常非常非常好", "推荐赞赞赞", "不错不错不错不错"])
def test_praise_that_names_nothing_speaks_of_no_aspect(text: str) -> None:
    assert find(text, TAXONOMY).aspects == ()


def test_the_model_hears_what_no_rule_knows() -> None:
    text = "中转站显示包裹异常之后就再也没有下一行了"
    heard = {item.topic.partition("/")[0] for item in find(text, TAXONOMY).aspects}
    assert "物流" in heard


def test_topics_that_the_model_does_not_know_work_by_rules_alone() -> None:
    own = Topics(version="1", red_lines=(), topics=(Group(name="宠物", leaves=(Leaf(name="掉毛", words=("飞絮",)),)),))
    assert [item.topic for item in find("一开窗全是飞絮", Taxonomy(own)).aspects] == ["宠物/掉毛"]


def test_merged_leaves_go_by_the_others_name() -> None:
    merged = Taxonomy(TOPICS.merged({"宣传/色差": "宣传/描述不符"}), TopicModel.empty())
    topics = {item.topic for item in find("色差太大，和图片不一样", merged).aspects}
    assert "宣传/描述不符" in topics and "宣传/色差" not in topics
    with pytest.raises(ValueError, match="不存在的主题"):
        TOPICS.merged({"宣传/色差": "宣传/没有"})
    with pytest.raises(ValueError, match="不能再接收"):
        TOPICS.merged({"宣传/色差": "宣传/描述不符", "宣传/描述不符": "宣传/虚假宣传"})


def test_a_batch_gives_what_single_texts_give() -> None:
    texts = ["掉色", "", "物流停在揽收四天没动了", "🙂", "充电冒烟了，吓死", "味道不错，就是量少"]
    forms = [normalise(text).text for text in texts]
    batch = TAXONOMY.find_many([Passage(form, split(form)) for form in forms])
    assert batch == [find(text, TAXONOMY) for text in texts]


def test_the_model_file_is_small_and_holds_no_text() -> None:
    data = SHIPPED.read_bytes()
    assert len(data) <= 2_000_000
    model = load()
    assert from_bytes(data).to_bytes() == data and len(model.version) == 8
    assert len(model.keys) * len(model.heads) == model.table.size


@pytest.mark.parametrize("data", [b"", b"{}\n", b'{"magic": "vocwatch-topics", "format": 99}\n', SHIPPED.read_bytes()[:5000]])
def test_a_broken_model_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        from_bytes(data, "x.bin")


def test_n_grams_do_not_cross_texts() -> None:
    alone = features(["掉色"], [(0, 0, 2)])
    beside = features(["一二三", "掉色", "四五"], [(1, 0, 2)])
    assert (alone != beside).nnz == 0 and alone.nnz == 3


def test_training_twice_gives_the_same_bytes() -> None:
    texts = own_texts()[:300]
    few = Topics(version="1", red_lines=TOPICS.red_lines[:1], topics=tuple(
        Group(name=group.name, leaves=group.leaves[:1]) for group in TOPICS.topics[:3]
    ))
    first = train(texts, few)
    assert first.to_bytes() == train(texts, few).to_bytes()
    scores = TopicScorer(first).score(["洗一次就掉色"], [(0, 0, 6)])
    assert np.isfinite(scores).all() and scores.shape == (1, len(first.heads))


def edited(words: tuple[str, ...]) -> Topics:
    leaf = Leaf(name="掉色", words=words, examples=("洗一次就掉色",), counter_examples=("不掉色",))
    return Topics(version="2", red_lines=(), topics=(Group(name="产品质量", leaves=(leaf,)),))


def test_a_taxonomy_is_tried_before_it_is_saved() -> None:
    assert check(edited(("掉色",))) == []
    assert [item.text for item in check(edited(("褪色",)))] == ["洗一次就掉色"]
    read, changes = compare(edited(("掉色",)), edited(("褪色",)), ["掉色了", "褪色了", "很好", "褪色又掉色"])
    (change,) = changes
    assert (read, change.before, change.after, change.gained, change.lost) == (4, 2, 2, 1, 1)
    assert (change.gains, change.losses) == (["褪色了"], ["掉色了"])
