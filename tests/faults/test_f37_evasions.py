"""F37: a brand's name written to slip past a filter, on a frozen set of invented names and sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentiment.matching import Matcher
from sentiment.normalise import normalise
from vocwatch.models import Hit, TextInput
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

FROZEN = Path(__file__).resolve().parents[1] / "sentiment" / "evasions"
FLOORS = {
    "homophone": 0.90, "split": 0.90, "initials": 0.90, "pinyin": 0.90, "homoglyph": 0.90, "reversed": 0.90,
    "zero-width": 0.99, "full-width": 0.99, "emoji-between": 0.90, "punctuation": 0.90, "traditional": 0.90,
    "circled": 0.90, "emoji-for-a-word": 0.90, "masked": 0.90,
}
RULES = {
    "homophone": {"homophone"}, "split": {"split"}, "initials": {"initials", "initials+context"},
    "pinyin": {"pinyin", "mixed-pinyin", "alias", "squeezed"}, "homoglyph": {"homoglyph", "name"},
    "reversed": {"reversed"}, "zero-width": {"name"}, "full-width": {"name", "alias"}, "emoji-between": {"squeezed"},
    "punctuation": {"squeezed"}, "traditional": {"name", "look-alike"}, "circled": {"name", "squeezed", "homoglyph"},
    "emoji-for-a-word": {"emoji"}, "masked": {"masked"},
}


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(load_model(FROZEN / "watches.yaml", Watches, {}))


def hits(matcher: Matcher, text: str) -> tuple[Hit, ...]:
    return matcher.match(TextInput("1", text), normalise(text)).hits


def rows(name: str) -> list[tuple[str, str]]:
    """Watch and text; a line break within a text stands in the file as it is, so rows begin at a known watch."""
    found: list[tuple[str, str]] = []
    for line in (FROZEN / f"{name}.txt").read_text(encoding="utf-8").split("\n"):
        watch, tab, text = line.partition("\t")
        if tab:
            found.append((watch, text))
        elif line:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line}")
    return found


@pytest.mark.parametrize("name", FLOORS)
def test_each_kind_of_evasion_is_recognised_and_explained(matcher: Matcher, name: str) -> None:
    frozen = rows(name)
    assert len(frozen) >= 40
    missed, told = [], 0
    for watch, text in frozen:
        found = [hit for hit in hits(matcher, text) if hit.watch == watch]
        if not found:
            missed.append((watch, text))
        told += any(hit.rule.partition("+")[0] in RULES[name] or hit.rule in RULES[name] for hit in found)
        for hit in found:
            assert text[hit.start:hit.end] == hit.matched
    assert 1 - len(missed) / len(frozen) >= FLOORS[name], missed
    assert told >= 0.85 * (len(frozen) - len(missed))


def test_what_only_looks_alike_is_left_alone(matcher: Matcher) -> None:
    negatives = (FROZEN / "negatives.txt").read_text(encoding="utf-8").splitlines()
    wrong = [(text, hit.watch, hit.rule, hit.matched) for text in negatives for hit in hits(matcher, text)]
    assert len({text for text, *_ in wrong}) <= 0.05 * len(negatives), wrong
    right = false = 0
    for name in FLOORS:
        for watch, text in rows(name):
            found = {hit.watch for hit in hits(matcher, text)}
            right += watch in found
            false += len(found - {watch})
    assert right / (right + false + len(wrong)) >= 0.95
