"""The small language for conditions over words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwatch.settings.grammar import GrammarError, needs_a_word, parse, words_of


def holds(expression: str, text: str) -> bool:
    def find(word: str) -> Sequence[tuple[int, int]]:
        return [match.span() for match in re.finditer(re.escape(word), text)]

    return parse(expression).holds(find)


@pytest.mark.parametrize(("expression", "text", "expected"), [
    ("漏水", "杯子漏水", True), ("漏水", "杯子好用", False),
    ("漏水 AND 杯", "杯子漏水", True), ("漏水 杯", "壶漏水", False),
    ("漏水 OR 渗水", "渗水了", True), ("杯 NOT 不漏", "杯子不漏", False), ("NOT 不漏 杯", "杯子漏", True),
    ("杯 AND (漏水 OR 掉漆)", "杯子掉漆", True), ("杯（漏水 OR 掉漆）", "杯子很好", False),
    ('"掉 漆"', "掉 漆", True), ("“掉 漆”", "掉漆", False),
    ("杯 NEAR/2 漏", "杯子漏", True), ("漏 NEAR/2 杯", "杯子漏", True), ("杯 NEAR/1 漏", "杯子也漏", False),
    ("杯 NEAR 漏", "杯" + "子" * 10 + "漏", True), ("杯 NEAR 漏", "杯" + "子" * 11 + "漏", False),
    ("杯 NEAR/3 (漏 OR 裂)", "杯子裂了", True), ("NOT (漏 OR 裂)", "好", True), ("NOT NOT 漏", "漏", True),
    ("a OR b c", "a", True), ("a OR b c", "b", False), ("漏 NEAR/3 漏", "漏水", False),
    ("漏 NEAR/3 漏", "漏了又漏", True), ("长杯子 NEAR/2 漏", "漏的长杯子", True),
])
def test_meaning(expression: str, text: str, expected: bool) -> None:
    assert holds(expression, text) is expected


@pytest.mark.parametrize(("expression", "told"), [
    ("", "空"), ("(漏", "括号"), ("漏)", "多了"), ('"漏', "引号"), ("AND 漏", "应当是一个词"), ("漏 OR", "缺一个词"),
    ("漏 NEAR/9999 水", "最多"), ("漏 NEAR NOT 水", "NOT"), ("(" * 50 + "漏" + ")" * 50, "层"),
    ("NOT " * 50 + "漏", "层"), ('""', "空"), ("漏" * 3000, "太长"), ("OR", "应当是一个词"),
])
def test_what_cannot_be_read_says_why(expression: str, told: str) -> None:
    with pytest.raises(GrammarError, match=told):
        parse(expression)


def test_words_and_whether_one_is_needed() -> None:
    assert set(words_of(parse("a NEAR/3 (b OR c) NOT d"))) == {"a", "b", "c"}
    assert needs_a_word(parse("a NOT b")) and needs_a_word(parse("a OR b"))
    assert not needs_a_word(parse("NOT a")) and not needs_a_word(parse("a OR NOT b"))


PIECES = ["漏", " ", "AND ", "OR ", "NOT ", "NEAR/3 ", "(", ")", '"', "“", "@"]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_read_or_refused(expression: str) -> None:
    try:
        node = parse(expression)
    except GrammarError:
        return
    node.holds(lambda _word: [(0, 1)])
