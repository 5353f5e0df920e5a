"""The hard sentences: their format, that the locked ones stay as they were written, and each class's floor."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from benchmarks.judgement import hard
from benchmarks.judgement.hard import CLASSES, FLOORS, FOLDER, PARTS, Result, Sentence
from tests.conftest import ROOT
from vocwatch.models import Assessment, RedLine, Sentiment, Span
from vocwatch.settings.topics import Topics
from vocwatch.settings.yamlfile import load_model

SENTENCES = hard.load()
_MARK = re.compile(r"\{([^{}|]+)\|[^{}|]+\|[^{}|]+\}")
_LETTERS = re.compile(r"[\W_]+")


@pytest.fixture(scope="session")
def results() -> dict[tuple[str, str], Result]:
    return hard.judge_all(hard.default_judge(), SENTENCES)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", CLASSES)
def test_no_class_falls_below_its_floor(kind: str, part: str, results: dict[tuple[str, str], Result]) -> None:
    result, floor = results[kind, part], hard.read_floors()[kind][part]
    failing = "\n".join(failure.line() for failure in result.failures)
    assert result.percent >= floor, f"{kind}/{part}: {result.percent} % < {floor} %\n{failing}"


def test_the_locked_sentences_are_those_first_written() -> None:
    pinned = YAML(typ="safe").load(FLOORS.read_text(encoding="utf-8"))["locked_sha256"]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (FOLDER / "locked").iterdir()}
    assert found == pinned


def test_numbers_of_sentences() -> None:
    by_part = Counter(sentence.part for sentence in SENTENCES)
    assert by_part["open"] >= 500 and by_part["locked"] >= 280
    by_class = Counter(sentence.kind for sentence in SENTENCES)
    locked = Counter(sentence.kind for sentence in SENTENCES if sentence.part == "locked")
    assert set(by_class) == set(CLASSES)
    assert not {kind: n for kind, n in by_class.items() if n < 40}
    assert not {kind: n for kind, n in locked.items() if not 0.3 <= n / by_class[kind] <= 0.4}
    assert not [name for name, n in Counter(sentence.id for sentence in SENTENCES).items() if n > 1]


def test_sentences_have_a_sensible_length_and_no_private_number() -> None:
    assert not [s.id for s in SENTENCES if not 1 <= len(s.text) <= 120]
    assert not [s.id for s in SENTENCES if s.kind == "short" and len(s.text) > 6]
    assert not [s.id for s in SENTENCES if re.search(r"\d{7,}|https?:", s.text)]


def test_every_red_line_has_sentences_in_both_parts() -> None:
    for part in PARTS:
        fired = {name for s in SENTENCES if s.part == part and s.kind == "redline" for name in s.red_lines or ()}
        assert fired == hard.RED_LINES


def test_topics_asked_for_are_in_the_shipped_taxonomy() -> None:
    topics = load_model(ROOT / "config" / "topics.yaml", Topics, {})
    known = {f"{group.name}/{leaf.name}" for group in topics.topics for leaf in group.leaves}
    asked = {name for s in SENTENCES for choice in s.topics for name in choice}
    assert asked | {name for s in SENTENCES for name in s.not_topics} <= known


def test_no_two_sentences_are_nearly_the_same() -> None:
    assert not list(_near([(s.id, s.text) for s in SENTENCES], [], 0.5))


def test_no_sentence_is_in_the_corpus() -> None:
    """The corpus trains; a sentence that measures must not be in it (very short ones are everybody's)."""
    corpus = []
    for path in sorted((ROOT / "sentiment" / "corpus").glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if " | " in line and not line.startswith(("#", "@")):
                corpus.append((f"{path.name}:{number}", _MARK.sub(r"\1", line.split(" | ", 1)[1])))
    assert corpus
    assert not list(_near([(s.id, s.text) for s in SENTENCES], corpus, 0.6))


def _near(ours: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]], limit: float) -> Iterator[tuple[str, str]]:
    """Yield pairs whose letters are equal, or whose sets of three letters overlap (Jaccard) by more than `limit`."""
    index: dict[str, list[int]] = defaultdict(list)
    seen: list[tuple[str, str, frozenset[str]]] = []
    rows = [(name, text, False) for name, text in others] + [(name, text, True) for name, text in ours]
    for name, text, is_ours in rows:
        letters = _LETTERS.sub("", text)
        grams = frozenset(letters[i:i + 3] for i in range(len(letters) - 2))
        if is_ours:
            shared = Counter(place for gram in grams for place in index[gram])
            for place, n in shared.items():
                where, other, theirs = seen[place]
                same = letters == other and (len(letters) > 6 or not others)
                if same or (len(letters) >= 8 and n / len(grams | theirs) > limit):
                    yield name, where
        if not others or not is_ours:
            for gram in grams:
                index[gram].append(len(seen))
            seen.append((name, letters, grams))


@pytest.mark.parametrize("line", [
    "1 - | 太短的编号", "01 x | 没有的情感", "01 - s4 | 没有的程度", "01 - t:物流 | 没有小类", "01 - r:没有的 | 红线",
    "01 - v:nobody | 声源", "01 -", "01 - q:物流/物流慢 | 条件",
])
def test_a_line_that_cannot_be_read_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"@ irony\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.txt:2"):
        hard.read_file(path, "open")


def _said(sentiment: str = "negative", topics: Sequence[str] = (), severity: int = 0, red: Sequence[str] = ()) -> Assessment:
    spans = tuple(Span(0, 1, name, Sentiment.POSITIVE if name.startswith("+") else Sentiment.NEGATIVE) for name in topics)
    lines = tuple(RedLine(name, "", 0, 1, "") for name in red)
    return Assessment("", "", False, Sentiment(sentiment), 0.0, 0.0, False, severity, (), lines, spans, (), "customer", b"")


@pytest.mark.parametrize(("line", "said", "wrong"), [
    ("01 - | 句", _said(), []),
    ("01 0+ | 句", _said(), ["情感"]),
    ("01 * v:ad/other | 句", _said(), ["声源"]),
    ("01 - t:物流/丢件,物流/错发 | 句", _said(topics=["物流/错发"]), []),
    ("01 - t:物流/丢件 | 句", _said(topics=["物流/错发"]), ["主题"]),
    ("01 - x:物流/错发 | 句", _said(topics=["物流/错发"]), ["主题"]),
    ("01 - s2+ | 句", _said(severity=3), []),
    ("01 - s1- | 句", _said(severity=2), ["严重"]),
    ("01 - s2 | 句", _said(severity=3), ["严重"]),
    ("01 - r:none | 句", _said(red=["假货"]), ["红线"]),
    ("01 - r:假货 o:召回 | 句", _said(red=["假货", "召回"]), []),
    ("01 - r:假货 | 句", _said(red=["假货", "召回"]), ["红线"]),
])
def test_a_sentence_is_right_only_when_all_that_it_asks_for_is(line: str, said: Assessment, wrong: list[str]) -> None:
    assert list(hard.mistakes(hard.parse(line, "irony", "open"), said)) == wrong


def test_floors_only_rise(tmp_path: Path) -> None:
    path = tmp_path / "floors.yaml"
    path.write_text("# 说明\nlocked_sha256: {}\nfloors:\n  irony: {open: 60, locked: 30}\n", encoding="utf-8")
    sentence = hard.parse("01 - | 句", "irony", "open")
    half = Result(2, [hard.Failure(sentence, {"情感": "neutral"})])
    assert hard.raise_floors({("irony", "open"): half, ("irony", "locked"): half}, path) == 1
    assert hard.read_floors(path) == {"irony": {"open": 60, "locked": 50}}
    assert path.read_text(encoding="utf-8").startswith("# 说明\nlocked_sha256: {}\n")


def test_locked_sentences_are_not_printed() -> None:
    sentence = Sentence("locked/irony/01", "irony", "locked", "锁住的话", frozenset())
    assert "锁住的话" not in hard.Failure(sentence, {"情感": "neutral"}).line()
