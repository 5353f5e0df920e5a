"""The whole judgement: polarity, voice, hostile input, the JSON line."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.engines.base import Probabilities
from sentiment.engines.rules import RulesEngine
from sentiment.engines.snownlp import SnowNlpEngine
from sentiment.judge import Judge, to_line
from sentiment.ready import ENGINES, make_engine
from tests.sentiment.conftest import WATCHES
from tests.sentiment.test_normalise import HOSTILE
from vocwatch.models import Assessment, Sentiment, TextInput
from vocwatch.settings.topics import Topics

NEGATIVE, NEUTRAL, POSITIVE = Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE


def assess(judge: Judge, text: str, **more: object) -> Assessment:
    return judge.assess([TextInput(id="1", body=text, **more)])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "sentiment"), [
    ("质量很好，物流也快，推荐", POSITIVE), ("太差了，退货", NEGATIVE),
    ("送的挺快，苹果不好，不值得买", NEGATIVE), ("性价比不高", NEGATIVE),
    ("不是很满意", NEGATIVE), ("没有想象中好用", NEGATIVE), ("一点也不差", POSITIVE),
    ("[泪][抓狂]等了半个月", NEGATIVE), ("😡😡😡", NEGATIVE),
    ("谢谢你们让我见识了什么叫质量，洗一次就起球👏", NEGATIVE), ("今天下单了", NEUTRAL),
    ("质量很差吗？", NEUTRAL), ("好用吗？", NEUTRAL),
    ("不掉色不起球，回购了", POSITIVE), ("避雷！别买", NEGATIVE), ("非常满意，会回购", POSITIVE),
    ("不要太好用哦", POSITIVE),
    ("看着挺好，结果用两天就坏了", NEGATIVE),
])
def test_polarity_by_rules(judge: Judge, text: str, sentiment: Sentiment) -> None:
    found = assess(judge, text)
    assert found.sentiment is sentiment, found.score
    assert -1 <= found.score <= 1 and 0 <= found.confidence <= 1


def test_praise_and_blame_are_mixed(judge: Judge) -> None:
    assert assess(judge, "面料很舒服，颜色也好看，就是洗一次就掉色").mixed
    assert not assess(judge, "面料很舒服，颜色也好看").mixed


def test_stars_are_a_prior(judge: Judge) -> None:
    scores = [assess(judge, "收到了", kind="review", rating=float(stars)).score for stars in range(1, 6)]
    assert scores == sorted(scores) and scores[0] < 0 < scores[-1]
    odd = [assess(judge, "收到了", rating=rating).score for rating in (float("nan"), 9.5, -1.0)]
    assert odd == [0, 0, 0]


@pytest.mark.parametrize(("text", "kind", "voice"), [
    ("用了两天就坏了", "post", "customer"), ("转发抽三位送保温杯", "post", "lottery"),
    ("想要的加微信abc12345", "post", "ad"),
    ("亲，非常抱歉给您带来不便，请联系客服为您处理", "review", "merchant"), ("谢谢支持", "reply", "merchant"),
    ("产品下月上市", "article", "media"), ("本报讯 记者从公司获悉新品上市", "post", "media"),
    ("诚聘店员，月薪5000，五险一金", "post", "recruit"),
])
def test_voices(judge: Judge, text: str, kind: str, voice: str) -> None:
    assert assess(judge, text, kind=kind).voice == voice


def test_advertising_and_merchants_raise_no_red_line(judge: Judge) -> None:
    assert not assess(judge, "转发抽奖！怕被烫伤？被烫伤过的姐妹看过来").red_lines
    assert not assess(judge, "您好，得知您被烫伤，我们非常抱歉", kind="reply").red_lines


@pytest.mark.parametrize("text", [
    "充到一半冒烟了，客服回复说正常", "充电时冒烟了，客服说没事，别自己吓自己", "充到一半冒烟了，店家回复亲这是正常现象，感谢您的反馈",
    "充电时冒烟了，客服就一句没事，别自己吓自己",
])
def test_a_red_line_stands_whatever_the_shop_said_to_it(judge: Judge, text: str) -> None:
    assert [line.name for line in assess(judge, text, kind="comment").red_lines] == ["起火冒烟"]


def test_who_has_tried_it_and_calms_others_raises_no_red_line(judge: Judge) -> None:
    assert not assess(judge, "有人说炖锅会自燃，我试过一次，自动断了，没冒烟没焦味，别自己吓自己").red_lines


@pytest.mark.parametrize(("text", "refused"), [
    ("", "空文本"), (" \u200b\n", "空文本"), ("https://a.example/x?y=1", "只有链接"), ("……！！", "没有文字"),
    ("QUJD" * 100, "不是自然语言（编码数据）"), ("\ud800\udfff", "空文本"),
])
def test_what_cannot_be_judged_says_why(judge: Judge, text: str, refused: str) -> None:
    found = assess(judge, text)
    assert (found.refused, found.sentiment, found.topics, found.confidence) == (refused, NEUTRAL, (), 0.0)


@pytest.mark.parametrize("text", [
    "漏", "1", "漏水" * 2_500_000, "e" + "\u0301" * 100_000, "😡" * 5_000, "a" * 100_000, "(" * 50_000,
    "不" * 30_000,
    "烫" * 20_000, "没有、" * 8_000, "，" * 30_000, "松 " * 20_000, "\u202e漏水\u202c",
    "これは悪い商品です", "very bad product",
], ids=lambda text: f"{text[:3]!r}x{len(text)}")
def test_hostile_texts_are_judged(judge: Judge, text: str) -> None:
    found = assess(judge, text)
    assert found.truncated is (len(text) > 20_000 and "\u0301" not in text)
    assert json.loads(json.dumps(to_line(found)))["id"] == "1"


@settings(deadline=None, max_examples=300)
@given(HOSTILE, st.one_of(st.none(), HOSTILE), st.one_of(st.none(), HOSTILE))
def test_never_raises_and_offsets_are_valid(
    judge: Judge, body: str, title: str | None, parent: str | None
) -> None:
    item = TextInput(id="1", body=body, title=title, parent=parent, context=(body[:20],))
    found = judge.assess([item])[0]
    for span in found.spans:
        assert 0 <= span.start < span.end <= len(item.text)
    for hit in found.hits:
        assert item.text[hit.start:hit.end] == hit.matched
    for line in found.red_lines:
        assert item.text[line.start:line.end] == line.matched
    assert not (found.refused or "").startswith("判定出错")


class Poisoned(TextInput):
    """A text that breaks whoever reads it."""

    @property
    def text(self) -> str:
        """Raise."""
        raise RuntimeError("poison")


def test_one_poison_text_is_refused_and_the_batch_goes_on(judge: Judge) -> None:
    found = judge.assess([TextInput("1", "漏水"), Poisoned("2", "x"), TextInput("3", "漏水")])
    assert [item.id for item in found] == ["1", "2", "3"]
    assert found[1].refused and "RuntimeError" in found[1].refused
    assert found[0].topics == found[2].topics == ("产品质量/漏水",)


class Counting:
    """An engine that remembers what it was asked."""

    name, version = "counting", "1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        """Everything is fine."""
        self.asked.extend(texts)
        return np.tile([0.01, 0.0, 0.99], (len(texts), 1))


def test_the_engine_is_asked_once_for_a_text_and_decides_where_rules_are_silent(topics: Topics) -> None:
    engine = Counting()
    judge = Judge(WATCHES, topics, engine)
    texts = ["今天下单了", "今天下单了", "", "洗一次就掉色，太差了"]
    found = judge.assess([TextInput(str(number), text) for number, text in enumerate(texts)])
    assert engine.asked == ["今天下单了", "洗一次就掉色，太差了", "洗一次就掉色", "太差了"]
    assert [item.sentiment for item in found][:3] == [POSITIVE, POSITIVE, NEUTRAL]
    assert judge.version.startswith("counting-1+rules-")


@pytest.mark.parametrize(("odds", "review"), [([0.45, 0.1, 0.45], True), ([0.01, 0.0, 0.99], False)])
def test_what_could_be_either_is_for_review(topics: Topics, odds: list[float], review: bool) -> None:
    class Wavering(Counting):
        def polarity(self, texts: Sequence[str]) -> Probabilities:
            return np.tile(odds, (len(texts), 1))

    assert Judge(WATCHES, topics, Wavering()).assess([TextInput("1", "今天下单了")])[0].review is review


def test_snownlp_is_not_asked_twice() -> None:
    class Watched(SnowNlpEngine):
        calls = 0

        def _ask(self, text: str) -> float:
            self.calls += 1
            return super()._ask(text)

    engine = Watched()
    once = engine.polarity(["这个很好", "这个很好", " ", "🙂"])
    assert engine.polarity(["这个很好"])[0, 2] == once[0, 2] > 0.5
    assert engine.calls == 3 and once.min() >= 0 and once.max() <= 1


def test_snownlp_is_retrained_beside_what_it_knows() -> None:
    lessons = [(f"第{number}次都拔草", 0) for number in range(40)] + [("无所谓", 1), ("很满意，推荐", 2)]
    shipped, taught = SnowNlpEngine(), SnowNlpEngine(lessons)
    odd, known = "拔草", ("质量很好，推荐", "太差了，再也不买")
    assert taught.polarity([odd])[0, 0] > shipped.polarity([odd])[0, 0] + 0.2
    assert [row.argmax() for row in taught.polarity(known)] == [row.argmax() for row in shipped.polarity(known)] == [2, 0]
    assert len({shipped.version, taught.version, SnowNlpEngine(lessons[1:]).version}) == 3


def test_rules_work_without_loading_snownlp() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from sentiment.ready import make_engine;"
        "make_engine('snownlp'); make_engine('rules').polarity(['好']); sys.exit('snownlp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_engines_by_name() -> None:
    names = {name: make_engine(name).name for name in ENGINES}
    assert names == {
        "auto": "linear", "linear": "linear", "snownlp": "snownlp", "snownlp-retrained": "snownlp", "rules": "rules",
    }
    assert make_engine("snownlp").version != make_engine("snownlp-retrained").version
    with pytest.raises(ValueError, match="没有这个判定引擎"):
        make_engine("best")


def test_the_version_names_the_configuration(judge: Judge, topics: Topics) -> None:
    same = Judge(WATCHES, topics, RulesEngine(), own_pages=("SG-77", "松果匣旗舰店"))
    other = Judge(WATCHES, topics.model_copy(update={"version": "x"}), RulesEngine())
    assert same.version == judge.version != other.version
    assert len(judge.version) <= 80


def test_the_line_has_what_the_command_promises(judge: Judge) -> None:
    line = to_line(assess(judge, "松果匣的杯子漏水，把我手烫出水泡"))
    promised = "id sentiment score topics severity red_lines spans watches voice"
    assert set(promised.split()) <= set(line)
    assert line["watches"] == ["pine"] and line["sentiment"] == "negative" and line["severity"] == 3
    assert [item["name"] for item in line["red_lines"]] == ["烫伤烧伤"]


@pytest.mark.parametrize("text", [
    "厂家直供，一件代发，招代理，加薇信了解", "还在为起球烦恼？代购正品羊绒衫，加微信了解，手慢无",
    "别再被垃圾产品坑了，太差太难用。厂家直供一件代发，加微信",
])
def test_who_sells_praises_and_the_score_says_the_same(judge: Judge, text: str) -> None:
    found = assess(judge, text)
    assert found.voice != "customer"
    assert found.sentiment is POSITIVE and found.score >= 0
