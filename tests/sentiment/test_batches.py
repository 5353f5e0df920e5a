"""What is done for many texts at once says of each what it would say of it alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment import judge as judging
from sentiment.clauses import split
from sentiment.engines.base import Probabilities
from sentiment.engines.features import FAMILIES, buckets, encode, scales
from sentiment.engines.linear import LinearEngine
from sentiment.engines.model import Scorer, load
from sentiment.engines.reading import read
from sentiment.engines.rules import RulesEngine, Subject
from sentiment.judge import Judge
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from sentiment.voice import voice_of, voices_of
from tests.sentiment.conftest import WATCHES
from vocwatch.fingerprint import fingerprint, fingerprints
from vocwatch.models import TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches

TEXTS = (
    "松果匣的杯子漏水，客服不理人，退货还要自己出运费", "洗一次就掉色，但是物流很快！包装也好？", "", "好", "面料舒服", "[泪][抓狂]等了半个月",
    "SONGGUOXIA真好", "松\u200b果匣漏了", "松*果*匣避雷", "松🌰果🌰匣别买", "ѕοnggu0xia不好", "☁️果匣", "松果体检查", "栗子屋更好用",
    "诚聘店员，五险一金，月薪5000", "转发抽3位送暖手宝，关注加微信abc12345", "今天天气不错", "暖手宝不热", "拼音songguoxia", "送锅匣漏水",
    "松*匣漏水，客服不理", "松某匣漏水", "s0nggu0x!a不好", "ɐıxonƃƃuos",
    "软體很爛，客服不理人", "!!!", "https://a.example/b", "洗一次就掉色，但是物流很快！包装也好？", "\ud800坏了",
    "\x01\x01掉色\x01难看", "差" * 3000, "é" * 300, "A" * 300, "𠮷𠮷好", "e\u0301\u0301" * 50, "\x00",
)
PIECES = st.sampled_from([*"松果匣送锅栗子屋☁🌰*· -", "sgx", "songguoxia", "\u200b", "好", "不", "，", "保温杯", "客服", "松家果家"])
ODD = st.text(st.sampled_from("ab1é好坏😀𠮷ß。，а ё한\ud800"), max_size=30)


class Plain:
    """The default engine behind the plain interface: it reads everything itself."""

    name = "linear"

    def __init__(self) -> None:
        self._engine = LinearEngine()
        self.version = self._engine.version

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        return self._engine.polarity(texts)


def test_one_reading_for_rules_and_engine_changes_nothing(topics: Topics) -> None:
    items = [TextInput(str(number), text) for number, text in enumerate(TEXTS)]
    assert Judge(WATCHES, topics, LinearEngine()).assess(items) == Judge(WATCHES, topics, Plain()).assess(items)


def test_a_longer_reading_says_the_same_of_its_first_texts() -> None:
    texts = ["质量很差，呵呵，真好", "很好用", "不掉色"]
    subjects = [Subject(text, split(text)) for text in texts]
    assert RulesEngine().weigh(subjects, read([*texts, "太差了", "垃圾"])) == RulesEngine().weigh(subjects)


@pytest.mark.parametrize(("name", "value"), [("CHUNK", 1), ("CHUNK", 7), ("CHARACTERS", 30)])
def test_where_a_batch_is_cut_changes_nothing(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    items = [TextInput(str(number), text) for number, text in enumerate(TEXTS)]
    whole = judge.assess(items)
    monkeypatch.setattr(judging, name, value)
    assert judge.assess(items) == whole
    assert len(list(judging._parts(items))) > 3


@pytest.mark.parametrize("patterns", [True, False])
def test_no_text_that_matches_is_passed_over(patterns: bool) -> None:
    watches = WATCHES if patterns else Watches(watches=[
        watch.model_copy(update={"patterns": ()}) for watch in WATCHES.watches
    ])
    matcher = Matcher(watches)
    items = [TextInput("", text) for text in (*TEXTS, *TEXTS)] + [
        TextInput("", "漏水", about_brand=True), TextInput("", "漏水", context=("SG-02",)),
        TextInput("", "漏水", parent="松果匣怎么样"),
    ]
    forms = [normalise(item.text) for item in items]
    found = matcher.match_many(items, forms)
    assert found == [matcher.match(item, form) for item, form in zip(items, forms, strict=True)]
    assert sum(bool(matched.hits) for matched in found) > 10


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.lists(PIECES, max_size=10).map("".join), max_size=6))
def test_no_way_of_writing_a_name_is_passed_over(texts: list[str]) -> None:
    items = [TextInput("", text) for text in texts]
    forms = [normalise(text) for text in texts]
    alone = [_MATCHER.match(item, form) for item, form in zip(items, forms, strict=True)]
    assert _MATCHER.match_many(items, forms) == alone


_MATCHER = Matcher(WATCHES)


def test_voices_of_a_batch() -> None:
    kinds = ("post", "review", "comment", "reply", "article", "complaint")
    texts = [(normalise(text).text, kind, False) for text in TEXTS for kind in kinds]
    found = voices_of(texts)
    assert found == [voice_of(*text) for text in texts]
    assert {"customer", "recruit", "lottery", "merchant", "media"} <= set(found)
    assert voices_of([]) == []


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(ODD, max_size=8))
def test_signatures_of_a_batch(texts: list[str]) -> None:
    assert fingerprints(texts) == [fingerprint(text) for text in texts]


def test_signatures_of_common_texts() -> None:
    assert fingerprints(TEXTS) == [fingerprint(text) for text in TEXTS]
    assert fingerprints([]) == []


def test_both_heads_in_one_number_are_exact() -> None:
    scorer = Scorer(load())
    encoded = encode([normalise(text).text for text in TEXTS] + ["差" * 5000])
    total = np.zeros((len(encoded.codes), 2), dtype=np.int64)
    families = buckets(encoded, scorer.model.bits)
    for family in families:
        total += scorer.model.table[family]
    plain = np.add.reduceat(total, encoded.first[:-1], axis=0)
    steps = np.array([scorer.model.positive.step, scorer.model.neutral.step])
    assert len(families) == FAMILIES
    assert (scorer.n_grams(encoded) == plain * steps / scales(encoded)[:, None]).all()


@pytest.mark.parametrize(("text", "cut"), [
    ("很好 但是贵", ["很好", "但是贵"]), ("不但好而且便宜", ["不但好而且便宜"]), ("好用不过贵", ["好用", "不过贵"]),
    ("再好不过了", ["再好不过了"]), ("好，不就是贵", ["好", "不就是贵"]), ("不只是贵", ["不只是贵"]), ("好用只可惜贵", ["好用", "只可惜贵"]),
    ("好\n好", ["好", "好"]), ("好 \n 好", ["好", "好"]), ("a b 好", ["a b 好"]), ("  好  ", ["好"]), ("？？！", []),
    ("快唯一的不足贵", ["快", "唯一的不足贵"]), ("但但是", ["但", "但是"]), ("好" * 201, ["好" * 200, "好"]),
])
def test_where_clauses_are_cut(text: str, cut: list[str]) -> None:
    assert [text[clause.start:clause.end] for clause in split(text)] == cut


def test_a_question_is_its_whole_sentence() -> None:
    assert [(c.question, c.turn, c.sentence) for c in split("好吗，但是贵？！不贵。")] == [
        (True, False, 0), (True, True, 0), (False, False, 1)
    ]
