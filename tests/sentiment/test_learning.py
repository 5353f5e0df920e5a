"""Learning from a team's own texts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sentiment import learn, shelf
from sentiment.engines.linear import LinearEngine
from sentiment.engines.model import Model
from sentiment.evaluation import Answer, compare, evaluate, mcnemar
from sentiment.judge import Judge
from sentiment.learn import LearnError, Measured
from sentiment.ready import make_judge
from sentiment.shelf import Models, ShelfError
from sentiment.topic_model import TopicScorer
from sentiment.topic_model import load as load_topics
from sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, own_texts
from sentiment.training.gain import SURER, measured
from sentiment.training.labels import LabelsError, parse, read_label, stars_label
from sentiment.training.own import Lifted, OwnText, distinct, lift
from sentiment.training.own_topics import lift_topics
from vocwatch.models import Sentiment, TextInput
from vocwatch.settings import Settings
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches

THINGS = ("勺子", "被套", "台灯", "雨伞", "拖鞋", "茶杯", "书包", "耳机", "饭盒", "毛巾", "镜子", "闹钟")
WHEN = ("昨天", "上周", "今早", "月初", "周末", "刚才")
# House slang that no lexicon knows: 很咕 is a complaint, 很啾 is praise.
GOOD = [f"{when}收到{thing}，用着很啾" for thing, when in itertools.product(THINGS, WHEN)]
BAD = [f"{when}收到{thing}，用着很咕" for thing, when in itertools.product(THINGS, WHEN)]
TOPICS = frozenset({"物流/物流慢", "产品质量/掉色"})


def shipped(texts: object) -> np.ndarray:
    """Stands for a judgement that has no idea."""
    return np.zeros((len(list(texts)), 2))  # type: ignore[call-overload]


def labelled(weak: bool = False) -> list[OwnText]:
    return [OwnText(text, label, weak=weak) for texts, label in ((BAD, NEGATIVE), (GOOD, POSITIVE)) for text in texts]


@pytest.fixture(scope="module")
def lifted() -> Lifted:
    return lift(shipped, labelled())


@pytest.fixture(scope="module")
def plain(topics: Topics) -> Judge:
    return Judge(Watches(watches=()), topics, LinearEngine())


def sides(judge: Judge, *texts: str) -> list[Sentiment]:
    return [found.sentiment for found in judge.assess([TextInput(text, text) for text in texts])]


def test_own_words_are_learned_and_the_rest_stays(lifted: Lifted, topics: Topics, plain: Judge) -> None:
    judge = Judge(Watches(watches=()), topics, LinearEngine(), own=lifted.model)
    strange = ("朋友送的围裙很咕", "朋友送的围裙很啾")
    before, after = (one.assess([TextInput(text, text) for text in strange]) for one in (plain, judge))
    assert after[0].score < before[0].score - 0.1 and after[1].score > before[1].score + 0.1
    known = ("质量很好，推荐", "太差了，再也不买", "请问几点发货？")
    assert sides(judge, *known) == sides(plain, *known)
    assert judge.version != plain.version and lifted.model is not None and lifted.model.version in judge.version
    assert len(judge.version) <= 80


def test_the_same_texts_give_the_same_bytes(lifted: Lifted) -> None:
    again = lift(shipped, labelled())
    assert again.model is not None and lifted.model is not None
    assert again.model.to_bytes() == lifted.model.to_bytes()


def test_what_is_held_out_is_never_looked_at(lifted: Lifted) -> None:
    turned = [replace(each, label=2 - (each.label or 0)) if each.held_out else each for each in labelled()]
    assert sum(each.held_out for each in turned) > 10
    found = lift(shipped, turned).model
    assert found is not None and lifted.model is not None and found.to_bytes() == lifted.model.to_bytes()


def test_contradicted_stars_are_left_out_but_never_labels_that_a_person_gave() -> None:
    turned = {4, 25, 60, 99, 130}
    stars = [
        replace(each, label=2 - (each.label or 0)) if place in turned else each
        for place, each in enumerate(labelled(weak=True))
    ]
    wrong = sum(not stars[place].held_out for place in turned)
    assert lift(shipped, stars).noisy == wrong > 2
    assert lift(shipped, [replace(each, weak=False) for each in stars]).noisy == 0


def test_a_gain_must_show() -> None:
    labels = np.array([NEGATIVE, POSITIVE] * 100)
    right = np.where(labels == POSITIVE, 1.0, -1.0)
    one, many = right.copy(), right.copy()
    one[:1], many[:20] = -one[:1], -many[:20]
    better = measured(many, right, labels)
    assert better.lacking() is None and better.before == pytest.approx(0.9) and better.after == 1.0
    for old, new in ((right, right), (right, many), (one, -one[::-1])):
        assert "看不出提升" in (measured(old, new, labels).lacking() or "")
    luck = np.where(np.arange(200) < 12, -right, right)  # 12 of the old errors mended, 11 new ones made
    other = np.where((np.arange(200) >= 12) & (np.arange(200) < 23), -right, right)
    assert "看不出提升" in (measured(luck, other, labels).lacking() or "")
    likely = np.where((np.arange(200) >= 12) & (np.arange(200) < 18), -right, right)
    assert measured(luck, likely, labels).lacking() is None and measured(luck, likely, labels, SURER).lacking()


def test_negative_recall_keeps_its_floor() -> None:
    labels = np.array([NEGATIVE] * 40 + [POSITIVE] * 160)
    old = np.where(np.arange(200) < 100, -1.0, 1.0)  # all blame found, and a third of the praise called blame
    new = np.where(np.arange(200) < 28, -1.0, np.where(np.arange(200) < 40, 0.4, 1.0))  # a third of the blame lost
    found = measured(old, new, labels)
    assert found.recall_before == 1.0 and found.recall_after >= 0.85 and found.shift == pytest.approx(0.401)
    assert found.lacking() is None and measured(old, old, labels).shift == 0.0


def test_without_a_gain_polarity_stays_and_neutral_is_learned_where_people_said_it() -> None:
    def knows(texts: Sequence[str]) -> np.ndarray:
        return np.array([[-3.0 if "咕" in text else 3.0, -3.0] for text in texts])

    found = lift(knows, labelled())
    assert found.model is None and found.gain is not None and found.gain.lacking() and found.used[0] > 20
    neutral = [OwnText(f"{when}买了{thing}，先放着", NEUTRAL) for thing, when in itertools.product(THINGS, WHEN)]
    assert lift(knows, labelled() + neutral).heads == ("neutral",)


def test_too_few_labels_teach_nothing() -> None:
    assert lift(shipped, labelled()[:60]) == Lifted(None, (0, 0, 0), 0, ())


def test_one_text_counts_once_and_contradictions_not_at_all() -> None:
    found = distinct([
        OwnText("很咕", POSITIVE, weak=True), OwnText("很咕", NEGATIVE), OwnText("很 啾", NEGATIVE), OwnText("很 啾", POSITIVE),
        OwnText("一般", NEUTRAL), OwnText("一般", NEGATIVE, origin="feedback"),
    ])
    assert [(each.text, each.label) for each in found] == [("很咕", NEGATIVE), ("一般", NEGATIVE)]


def test_a_leaf_learns_the_words_of_the_house() -> None:
    base = load_topics()
    name = next(head for head in base.heads if head == "物流/物流慢")
    texts = [OwnText(f"{thing}在路上泡菜了{when}", NEGATIVE, (name,)) for thing, when in itertools.product(THINGS, WHEN)]
    texts += [OwnText(f"{thing}{when}漏了", NEGATIVE, ()) for thing, when in itertools.product(THINGS, WHEN)]
    found = lift_topics(base, texts)
    column, text = base.heads.index(name), "锅铲泡菜了"
    old, new = (TopicScorer(m).score([text], [(0, 0, len(text))])[0] for m in (base, found.model))
    assert found.leaves == (name,) and new[column] > old[column] + 1
    assert np.array_equal(np.delete(found.model.table, column, 1), np.delete(base.table, column, 1))


@pytest.mark.parametrize(("word", "label"), [
    ("负", 0), ("中", 1), ("正面", 2), ("Negative", 0), ("-1", 0), (0, 1), (1.0, 2), ("好评", 2), ("5", None), (True, None),
])
def test_labels_as_people_write_them(word: object, label: int | None) -> None:
    assert read_label(word) == label


def test_stars_are_weak_labels() -> None:
    assert [stars_label(stars) for stars in (1, 2, 3, 4, 4.5, 5, 0, 9)] == [0, 0, 1, None, None, 2, None, None]


def test_files_as_people_keep_them() -> None:
    table = "正文,情感,主题\r\n洗一次就掉色,负,产品质量/掉色；没这个\r\n\"不错,推荐\",正,\r\n,负,\r\n还行,不知道,\r\n".encode("gb18030")
    found = parse(table, "a.csv", TOPICS)
    assert [(each.text, each.label, each.topics) for each in found.texts] == [
        ("洗一次就掉色", 0, ("产品质量/掉色",)), ("不错,推荐", 2, None)]
    assert found.left_out == 2 and "第 2 行：没有这个主题：没这个" in found.problems and "看不懂标签：不知道" in found.problems[-1]
    lines = '\ufeff{"text": "慢", "stars": 1, "topics": []}\n{"text": "四星", "stars": 4}\n[1]\n{"text": {}}\nnot json'
    found = parse(lines.encode(), "a.jsonl", TOPICS)
    assert [(each.label, each.weak, each.topics) for each in found.texts] == [(0, True, ())]
    assert found.left_out == 4


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"text,label\n", b"\xff\xfe\x00", b"{" * 5000, b'"' * 9000, b"\0" * 100])
def test_a_file_without_labels_says_so(data: bytes) -> None:
    with pytest.raises(LabelsError):
        parse(data, "a.csv", TOPICS)


@pytest.fixture
def models(lifted: Lifted) -> Models:
    return Models(shelf.version_of(lifted.model, None), lifted.model)


def test_models_are_saved_used_and_left(tmp_path: Path, models: Models) -> None:
    assert shelf.current(tmp_path) == shelf.SHIPPED
    shelf.put(tmp_path, models, {"texts": 1})
    assert shelf.in_use(tmp_path) == (Models(), None)
    shelf.use(tmp_path, models.version)
    assert shelf.in_use(tmp_path)[0].version == models.version and shelf.card(tmp_path, models.version) == {"texts": 1}
    shelf.use(tmp_path, shelf.SHIPPED)
    assert shelf.current(tmp_path) == shelf.SHIPPED and shelf.versions(tmp_path) == [models.version]
    with pytest.raises(ShelfError, match="没有自训模型"):
        shelf.use(tmp_path, "../../etc")


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "name", "empty"])
def test_a_broken_model_is_told_and_the_shipped_one_judges(tmp_path: Path, models: Models, damage: str) -> None:
    place = shelf.put(tmp_path, models, {})
    shelf.use(tmp_path, models.version)
    file = place / shelf.POLARITY
    whole = file.read_bytes()
    if damage == "name":
        (tmp_path / "models" / shelf.CURRENT).write_bytes(b"\xff/../x")
    elif damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": whole[:-9], "flipped": whole[:-1] + b"\x07", "empty": b""}[damage])
    found, problem = shelf.in_use(tmp_path)
    assert found == Models() and "先用自带模型判定" in (problem or "")


def test_the_judge_takes_what_is_in_use_and_tells_what_is_broken(settings: Settings, models: Models) -> None:
    data, told = settings.env.data, []
    place = shelf.put(data, models, {})
    assert "own-" not in make_judge(settings, on_problem=told.append).version
    shelf.use(data, models.version)
    assert "own-" in make_judge(settings, on_problem=told.append).version and not told
    (place / shelf.POLARITY).unlink()
    assert "own-" not in make_judge(settings, on_problem=told.append).version and len(told) == 1


def test_measures_of_an_evaluation() -> None:
    truth = [0, 0, 0, 2, 2, 1]
    given = [Answer(0, 0.9), Answer(0, 0.8), Answer(2, 0.95), Answer(2, 0.55), Answer(1, 0.6), Answer(1, 0.4)]
    report = evaluate(truth, given, {0: ("a", "b"), 1: ()})
    negative = report.classes[0]
    assert (negative.precision, negative.support) == (1.0, 3) and negative.recall == pytest.approx(2 / 3)
    assert report.confusion == ((2, 0, 1), (0, 1, 0), (0, 1, 1)) and report.errors == (2, 4)
    assert report.macro_f1 == pytest.approx((0.8 + 2 / 3 + 0.5) / 3)
    assert report.ece == pytest.approx((2 * 0.425 + 0.2 + 0.45 + 0.6 + 0.6) / 6)
    assert report.topics is not None and report.topics.recall == 0.0


def test_two_versions_are_compared_exactly() -> None:
    old = [Answer(0, 1.0)] * 10
    new = [Answer(2, 1.0)] * 9 + [Answer(0, 1.0)]
    change = compare([2] * 8 + [0, 0], old, new)
    assert (len(change.changed), change.mended, change.broken) == (9, 8, 1)
    assert change.p_value == pytest.approx(0.0390625) and mcnemar(0, 0) == 1.0 and mcnemar(700, 900) < 1e-5


def test_what_counts_as_worse() -> None:
    fine = Measured("x", 100, 0.80, 0.799, 3, 4, 1.0, 0.5, 0.5)
    assert fine.worse() is None
    assert replace(fine, after=0.79).worse() is None  # one text more is chance
    assert "macro-F1" in (replace(fine, after=0.79, broken=30).worse() or "")
    assert "macro-F1" in (replace(fine, after=0.77).worse() or "")
    assert "主题" in (replace(fine, topics_after=0.4).worse() or "")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the own corpus is rehearsed and measured on."""
    corpus = own_texts()[::5]
    monkeypatch.setattr(learn, "own_texts", lambda: corpus)


@pytest.mark.usefixtures("quick")
def test_what_is_not_worse_is_adopted_and_what_is_worse_refused(settings: Settings) -> None:
    data = settings.env.data
    good = learn.train(settings, labelled())
    assert good.adopted and shelf.current(data) == good.version
    own = good.measured[-1]
    assert own.name == "自有检验集" and own.after == 1.0 > own.before and own.mended > 10
    assert shelf.card(data, good.version)["base"] == "shipped"
    turned = [OwnText(each.text, 2 - each.label) for each in learn.own_texts() if each.label != NEUTRAL and not each.held_out]
    bad = learn.train(settings, turned)
    assert bad.refused and "自带检验集" in bad.refused and not bad.adopted
    assert shelf.current(data) == good.version and shelf.versions(data) == [good.version]


def test_too_little_to_learn_from_is_said(settings: Settings) -> None:
    with pytest.raises(LearnError, match="可用的标注太少：负"):
        learn.train(settings, labelled()[:30])


def test_an_own_model_holds_no_text(lifted: Lifted) -> None:
    assert isinstance(lifted.model, Model)
    data = lifted.model.to_bytes()
    assert not any(thing.encode() in data for thing in THINGS)
