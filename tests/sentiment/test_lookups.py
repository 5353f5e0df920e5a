"""What is looked up for a whole batch at once is what a look at each text alone would find."""

from __future__ import annotations

import re

import pytest

from sentiment import frames, idioms, phrases, scope
from sentiment.clauses import split
from sentiment.normalise import normalise
from sentiment.phrases import _alternatives
from sentiment.rules import Joined, Match, Needs, Rule, RuleBook, hint, tokens
from sentiment.signs import MOST, signs
from sentiment.topic_model import TopicScorer, load
from sentiment.training.corpus import own_texts
from tests.conftest import ROOT
from vocwatch.settings.topics import Topics
from vocwatch.settings.yamlfile import load_model

ODD = [
    "", "a", "。", "掉色", "退。退", "不退", "掉\n色", "色掉。洗一次就掉色，白衣服都染了！", "肿" * 2000, "过敏。" * 900, "𠮷野家的毛巾掉色",
    "客服说这是正常现象，一律不退。不给换", "e" * 3000, "手机充电时冒烟，插头烫手，手烫伤了",
    "过敏。" * 900 + "插头冒烟",
]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [normalise(text).text for text in [*ODD, *(text.text for text in own_texts()[::29])]]


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    topics = load_model(ROOT / "config" / "topics.yaml", Topics, {})
    return [
        *(Rule(leaf.words, leaf.patterns, leaf.cancel, leaf.praise, leaf.about, leaf.named)
          for group in topics.topics for leaf in group.leaves),
        *(Rule(line.words, line.patterns, line.cancel) for line in topics.red_lines),
    ]


def by_hand(rules: list[Rule], text: str) -> list[tuple[int, int, int, str]]:
    """Every pattern tried on every sentence."""
    found: set[tuple[int, int, int, str]] = set()
    for start, end in {(clause.sentence_start, clause.sentence_end) for clause in split(text)}:
        for number, rule in enumerate(rules):
            for place, pattern in enumerate(rule.patterns, 1):
                found.update(
                    (match.start(), number, -match.end(), f"pattern{place}")
                    for match in re.compile(pattern).finditer(text, start, end) if match.end() > match.start()
                )
    return sorted(found)


def test_no_pattern_is_passed_over(texts: list[str], rules: list[Rule]) -> None:
    book = RuleBook([Rule((), rule.patterns, ()) for rule in rules])
    few = [text for text in texts if len(text) < 200][:90]
    found = book.find_many([(text, split(text)) for text in few])
    assert [
        sorted((match.start, match.rule, -match.end, match.how) for match in matches) for matches in found
    ] == [by_hand(rules, text) for text in few]
    assert sum(map(len, found)) > 20


def test_a_batch_finds_what_each_text_alone_does(texts: list[str], rules: list[Rule]) -> None:
    book = RuleBook(rules)
    together = book.find_many([(text, split(text)) for text in texts])
    assert together == [book.find(text, split(text)) for text in texts]
    assert all(matches == sorted(matches, key=lambda match: (match.start, match.rule, -match.end)) for matches in together)


def test_words_do_not_reach_over_the_border_of_two_texts() -> None:
    book = RuleBook([Rule(("掉色",), ("掉.?色",), ())])
    assert book.find_many([("掉", split("掉")), ("色", split("色"))]) == [[], []]
    assert book.find("掉色", split("掉色")) == [Match(0, 0, 2, "word"), Match(0, 0, 2, "pattern1")]


@pytest.mark.parametrize(("pattern", "text", "met"), [
    ("(一律|就是)不退|不给(退|换)", "不给换", True), ("(一律|就是)不退|不给(退|换)", "一律不换", False),
    ("[红蓝]色", "红的色", True), ("起.{0,3}球", "气球", False), ("x?", "", True),
])
def test_needs_are_necessary(pattern: str, text: str, met: bool) -> None:
    assert Needs(pattern).met(tokens(text)) is met
    assert met or re.search(pattern, text) is None


def test_a_hint_finds_wherever_its_expressions_do(texts: list[str]) -> None:
    before = (scope._ASKED_BEFORE, scope._NEGATED, scope._NEGATED_LIST, scope._FEARED, scope._SUPPOSED, scope._MIGHT)
    pieces = [text[clause.start:end] for text in texts[:250] for clause in split(text)[:12] for end in range(clause.start, clause.end + 1)]
    assert all(scope._BEFORE.search(piece) for piece in pieces if any(one.search(piece) for one in before))
    assert hint(re.compile("a?")).search("") is not None


def test_phrases_match_where_their_expressions_do(texts: list[str]) -> None:
    groups = (
        (idioms._PHRASES, (idioms._REPROACH, idioms._MOCKERY, idioms._WORSE, idioms._BETTER, idioms._ENQUIRY)),
        (frames._FRAMES, (
            frames._ADVICE, frames._SUPPOSITION, frames._RUMOUR_ENDED, frames._PLAN, frames._EXPECTED, frames._WHY_BOUGHT,
        )),
        (scope._ELSEWHERE, (scope._OTHER, scope._HEARSAY)),
    )
    heard = [0] * len(groups)
    for text in texts:
        for number, (together, alone) in enumerate(groups):
            found = together.found(text)
            assert found == {place for place, expression in enumerate(alone) if expression.search(text)}, text
            heard[number] += bool(found)
    assert all(heard)


@pytest.mark.parametrize(("pattern", "parts"), [
    ("a|b", ["a", "b"]), ("(?:a|b)c|d", ["(?:a|b)c", "d"]), (r"[|]|\||\(|]", ["[|]", r"\|", r"\(", "]"]),
    ("[]|]|[^]|(]|x", ["[]|]", "[^]|(]", "x"]), (r"(a)|(b)\2", [r"(a)|(b)\2"]),
])
def test_an_expression_is_cut_at_its_outermost_bars(pattern: str, parts: list[str]) -> None:
    assert list(_alternatives(re.compile(pattern))) == parts


def test_phrases_that_need_nothing_are_always_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "_made", [])
    phrases._all.cache_clear()
    try:
        some, more = phrases.Phrases(re.compile("^.$"), re.compile("掉色|起球")), phrases.Phrases(re.compile("起.?球"))
        assert [some.found(text) for text in ("掉", "不掉色", "起个球", "")] == [{0}, {1}, set(), set()]
        assert [more.found(text) for text in ("起球", "起个球" * 400, "球起")] == [{0}, {0}, set()]
    finally:
        phrases._all.cache_clear()


def test_signs_of_a_batch_are_those_of_each_text(texts: list[str]) -> None:
    number, feature = signs().features_of(texts)
    found: list[set[int]] = [set() for _ in texts]
    for text, one in zip(number.tolist(), feature.tolist(), strict=True):
        found[text].add(one)
    assert found == [signs().features(signs().find(text)) for text in texts]
    assert any(len(signs().find(text)) >= MOST for text in texts)


def test_joined_texts_keep_their_places() -> None:
    joined = Joined(["掉色", "", "不掉色"])
    assert joined.first.tolist() == [0, 3, 4]
    assert bytes(joined.codes()).decode("utf-32-le") == "掉色\x01\x01不掉色"


def test_the_shipped_model_reads_pieces_alike_in_any_batch(texts: list[str]) -> None:
    scorer, some = TopicScorer(load()), [text for text in texts[:60] if text]
    together = scorer.score(some, [(number, 0, len(text)) for number, text in enumerate(some)])
    alone = [scorer.score([text], [(0, 0, len(text))])[0] for text in some]
    assert [row.tolist() for row in together] == [row.tolist() for row in alone]
