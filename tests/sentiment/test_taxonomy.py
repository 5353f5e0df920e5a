"""The shipped taxonomy: its own examples, red lines and their look-alikes."""

from __future__ import annotations

import pytest

from sentiment.clauses import split
from sentiment.judge import Judge
from sentiment.normalise import normalise
from sentiment.rules import Needs, tokens
from sentiment.topics import COMPLAINT, OTHER, PRAISED, Taxonomy
from tests.sentiment.conftest import ROOT
from tests.sentiment.red_line_cases import FIRES, QUIET
from vocwatch.models import Assessment, Sentiment, TextInput
from vocwatch.settings.topics import Leaf, RedLineClass, Topics
from vocwatch.settings.yamlfile import load_model

SHIPPED = load_model(ROOT / "config" / "topics.yaml", Topics, {})
TAXONOMY = Taxonomy(SHIPPED)
LEAVES = [(f"{group.name}/{leaf.name}", leaf) for group in SHIPPED.topics for leaf in group.leaves]
MUST_HAVE = {
    "产品质量": "掉色 起球 开线 异味 破损 材质差 性能故障 漏水 掉漆 变形 噪音大 续航差 做工粗糙 缩水 临期旧货",
    "尺码版型": "尺码不符 版型差", "商品安全": "过敏 烫伤 漏电 异物 起火冒烟 爆炸鼓包 变质 割伤夹伤",
    "物流": "物流慢 丢件 错发 少发漏发 配送服务差 物流信息不更新", "包装": "包装破损 包装简陋",
    "客服服务": "态度差 响应慢 推诿 答非所问 辱骂顾客 承诺不兑现",
    "售后": "退款难 拒绝退货 运费纠纷 换货慢 维修难", "价格": "降价 不保价 虚假优惠 价格贵",
    "宣传": "描述不符 虚假宣传 假货 色差", "隐私": "信息泄露 骚扰电话",
    "活动规则": "赠品缺失 规则复杂 会员权益", "平台支付": "支付扣款异常 平台系统问题 发票问题",
    "使用体验": "不好用 口味不好 效果差 不舒服 安装说明差", "环境设施": "环境卫生差 设施陈旧", "其他": "其他",
}


def assess(judge: Judge, text: str, **more: object) -> Assessment:
    return judge.assess([TextInput(id="1", body=text, **more)])[0]  # type: ignore[arg-type]


def test_the_agreed_leaves_are_there_with_examples() -> None:
    names = {name for name, _ in LEAVES}
    assert {f"{group}/{leaf}" for group, leaves in MUST_HAVE.items() for leaf in leaves.split()} <= names
    assert len(MUST_HAVE) >= 10 and len(names) >= 60
    for name, leaf in LEAVES:
        kinds = (leaf.examples, leaf.counter_examples, leaf.praise_examples)
        assert name == OTHER or all(len(set(texts)) >= 2 for texts in kinds), name
    assert all(len(line.examples) >= 2 and len(line.counter_examples) >= 2 for line in SHIPPED.red_lines)


@pytest.mark.parametrize(("name", "leaf"), LEAVES, ids=[name for name, _ in LEAVES])
def test_each_leaf_knows_its_examples(judge: Judge, name: str, leaf: Leaf) -> None:
    for text in leaf.examples:
        assert name in assess(judge, text).topics, text
    for text in leaf.counter_examples:
        assert name not in assess(judge, text).topics, text


def polarities(name: str, text: str) -> set[int]:
    form = normalise(text).text
    found = TAXONOMY.find(form, split(form))
    return {aspect.polarity for aspect in found.aspects if aspect.topic == name}


@pytest.mark.parametrize(("name", "leaf"), LEAVES, ids=[name for name, _ in LEAVES])
def test_each_leaf_knows_its_praise(name: str, leaf: Leaf) -> None:
    for text in leaf.praise_examples:
        found = polarities(name, text)
        assert PRAISED in found and COMPLAINT not in found, text
    for text in leaf.examples:
        assert COMPLAINT in polarities(name, text), text


@pytest.mark.parametrize("line", SHIPPED.red_lines, ids=[line.name for line in SHIPPED.red_lines])
def test_each_red_line_knows_its_examples(judge: Judge, line: RedLineClass) -> None:
    for text in line.examples:
        assert line.name in {found.name for found in assess(judge, text).red_lines}, text
    for text in line.counter_examples:
        assert line.name not in {found.name for found in assess(judge, text).red_lines}, text


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FIRES.items() for text in texts])
def test_what_happened_fires(judge: Judge, name: str, text: str) -> None:
    found = assess(judge, text)
    assert name in {line.name for line in found.red_lines}
    assert found.severity == 3 and found.sentiment is Sentiment.NEGATIVE
    assert all(text[line.start:line.end] == line.matched and line.rule for line in found.red_lines)


@pytest.mark.parametrize("text", QUIET)
def test_look_alikes_stay_quiet(judge: Judge, text: str) -> None:
    assert assess(judge, text).red_lines == ()


def test_there_are_enough_look_alikes() -> None:
    assert len(set(QUIET)) >= 60


@pytest.mark.parametrize("text", [
    "一点也不掉漆", "不掉色不起球", "没有起球、开线、异味", "会不会掉色？", "掉不掉色？",
    "怕掉色所以分开洗", "如果掉色就退", "掉色问题完全不存在",
    "以前买的别家的一洗就掉色，这个没有", "隔壁牌子起球严重", "噪音不大", "没觉得卡顿，客服没有不耐烦",
])
def test_denied_asked_feared_and_others_faults_are_no_topics(judge: Judge, text: str) -> None:
    assert assess(judge, text).topics == ()


@pytest.mark.parametrize(("text", "expected"), [
    ("面料舒服，就是洗一次就掉色，客服还不理人", {"产品质量/掉色", "客服服务/响应慢"}),
    ("为什么掉色这么严重？", {"产品质量/掉色"}),
    ("不是掉色就是起球", {"产品质量/掉色", "产品质量/起球"}),
    ("不仅掉色，还起球", {"产品质量/掉色", "产品质量/起球"}),
    ("没洗两次就起球", {"产品质量/起球"}), ("洗到第3次，裤腿开线", {"产品质量/开线"}),
    ("这個杯子漏水", {"产品质量/漏水"}),
    ("松果匣比栗子屋还容易掉色", {"产品质量/掉色"}), ("以前没问题，这次买的掉色", {"产品质量/掉色"}),
])
def test_stated_faults_are_topics(judge: Judge, text: str, expected: set[str]) -> None:
    assert expected <= set(assess(judge, text).topics)


def test_a_competitors_fault_is_not_ours(judge: Judge) -> None:
    assert assess(judge, "栗子屋那款洗一次就掉色，松果匣的还行").topics == ()
    assert assess(judge, "栗子屋还行，松果匣洗一次就掉色").topics == ("产品质量/掉色",)


def test_spans_cut_the_clause_out_of_the_original(judge: Judge) -> None:
    text = "👍🏻面料舒服，就是洗一次就掉\u200b色，客服还不理人"
    spans = {
        span.topic: text[span.start:span.end] for span in assess(judge, text).spans
        if span.sentiment is Sentiment.NEGATIVE
    }
    assert spans == {"产品质量/掉色": "就是洗一次就掉\u200b色", "客服服务/响应慢": "客服还不理人"}


def test_a_negative_text_that_no_leaf_explains_is_other(judge: Judge) -> None:
    assert assess(judge, "你们的海报抄袭别人的插画，真恶心").topics == (OTHER,)
    assert assess(judge, "挺满意的，下次还来").topics == ()


def test_mild_words_make_a_small_complaint(judge: Judge) -> None:
    assert assess(judge, "有点起球").severity == 1
    assert assess(judge, "起球严重").severity == 2


def test_a_patterns_needs_never_hide_a_match() -> None:
    import re

    samples = [text for _, leaf in LEAVES for text in leaf.examples]
    samples += [text for texts in FIRES.values() for text in texts]
    patterns = [pattern for _, leaf in LEAVES for pattern in (*leaf.patterns, *leaf.named_patterns)]
    patterns += [pattern for line in SHIPPED.red_lines for pattern in line.patterns]
    patterns += ["a|b", "x*", "[^a]b", "(ab)?c", r"\d{2}", "(甲|乙{0,2})", "(?:好|[坏差])极"]
    matched = 0
    for pattern in patterns:
        needs = Needs(pattern)
        for text in [*samples, "a", "b", "xb", "c", "12", "乙", "好极", "差极", ""]:
            if re.search(pattern, text):
                matched += 1
                assert needs.met(tokens(text)), (pattern, text)
    assert matched > 100


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", ".*.*.*x", "(.+)*", "(?:x*y)*"])
def test_patterns_that_could_stall_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="上限"):
        Leaf(name="x", patterns=(pattern,))


def test_ordinary_patterns_are_taken() -> None:
    assert Leaf(name="x", patterns=("洗.{0,8}(褪|掉)色", "第[0-9]+天", "(?:今天|昨天).*掉色")).patterns
