"""F30: a keyword that hits everything, ten thousand keywords, a pattern that explodes, a megabyte of text."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import pytest
from pydantic import ValidationError

from sentiment.conditions import Patterns
from sentiment.matching import MAX_HITS, Matcher
from sentiment.normalise import MAX_CHARS, normalise
from vocwatch.models import Hit, TextInput
from vocwatch.settings.watches import Watches


def watches(*items: dict[str, object]) -> Watches:
    return Watches.model_validate({"watches": items})


def hits(matcher: Matcher, text: str) -> tuple[Hit, ...]:
    return matcher.match(TextInput("1", text), normalise(text)).hits


@pytest.mark.parametrize("word", ["的", "了", "我们", "this", "！", "", "\u200b的"])
def test_a_word_that_hits_everything_is_refused_with_what_to_do(word: str) -> None:
    with pytest.raises(ValidationError, match=r"watches\.yaml|请写完整的叫法|没有文字"):
        watches({"id": "a", "kind": "keyword", "name": word})


def test_as_an_ambiguous_name_with_context_a_single_character_is_taken() -> None:
    one = Matcher(watches({"id": "a", "kind": "brand", "name": "朴", "ambiguous": ["朴"], "context": {"any": ["旗舰店"]}}))
    assert [hit.rule for hit in hits(one, "朴旗舰店")] == ["ambiguous+context"] and not hits(one, "朴素的人")


def test_ten_thousand_keywords_find_what_each_alone_would() -> None:
    names = [f"{chr(0x4E00 + n % 97)}{chr(0x5200 + n // 97)}屋" for n in range(10_000)]
    many = Matcher(watches(*({"id": f"w{n}", "kind": "keyword", "name": name} for n, name in enumerate(names))))
    for n in (0, 96, 97, 5_000, 9_999):
        assert [hit.watch for hit in hits(many, f"买了{names[n]}的杯子")] == [f"w{n}"]
    assert not hits(many, "今天天气不错")


EXPLODING = """
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from vocwatch.models import TextInput
from vocwatch.settings.watches import Watches
pattern = "(a+)+$"
one = Matcher(Watches.model_validate({"watches": [{"id": "a", "kind": "keyword", "name": "漏水", "patterns": [pattern]}]}))
for text in ("a" * 19_999 + "b", "x" * 100 + "a" * 50):
    print(len(one.match(TextInput("1", text), normalise(text)).hits))
"""


def test_a_pattern_that_explodes_elsewhere_ends_here() -> None:
    # A backtracking engine needs longer than the universe has; the bound only says that it did not hang.
    done = subprocess.run([sys.executable, "-c", EXPLODING], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["0", "1"]


def test_many_patterns_at_once_find_what_each_alone_would() -> None:
    patterns = [f"漏{n}水" for n in range(250)]
    made = watches(*({"id": f"w{n}", "kind": "keyword", "name": "杯子漏水", "patterns": [p]} for n, p in enumerate(patterns)))
    found = Patterns(made.watches).find("漏7水，漏130水，漏249水")
    assert [(item.watch, item.start) for item in found] == [(7, 0), (130, 4), (249, 10)]


def test_a_megabyte_is_matched_like_its_beginning() -> None:
    one = Matcher(watches({"id": "a", "kind": "brand", "name": "松果匣", "patterns": ["松.{0,3}匣子"]}))
    text = "松果匣漏水，" * 170_000
    form = normalise(text)
    assert form.truncated and len(form.text) == MAX_CHARS
    found = one.match(TextInput("1", text), form).hits
    assert 1 <= len(found) <= MAX_HITS and found[0].start == 0


def test_a_flood_of_one_word_does_not_hide_another() -> None:
    one = Matcher(watches({"id": "a", "kind": "brand", "name": "松果匣"}, {"id": "b", "kind": "competitor", "name": "栗子屋"}))
    found = hits(one, "栗子屋" * 3_000 + "松果匣")
    assert {hit.watch for hit in found} == {"a", "b"}


@pytest.mark.parametrize("text", ["松*" * 10_000, "sgx" * 6_000, "宋果匣" * 6_000, "松果" * 9_999, "s o n g g u o x i a " * 900, "🌲果匣" * 5_000,
                                  "松*匣" * 6_000, "@$!" * 6_000, "\u0410" * 20_000, "松" * 20_000 + "果匣"])
def test_floods_of_near_names_cost_no_more_than_long_texts(text: str) -> None:
    one = Matcher(watches({"id": "a", "kind": "brand", "name": "松果匣", "aliases": ["Songguoxia"]}))
    start = time.process_time()
    assert len(hits(one, text)) <= MAX_HITS
    assert time.process_time() - start < 20  # a stall, not a measure


def test_hits_of_one_text_are_bounded() -> None:
    one = Matcher(watches(*({"id": f"w{n}", "kind": "keyword", "name": "漏水"} for n in range(50))))
    found = hits(one, "漏水，" * 6_000)
    assert len(found) == MAX_HITS
    assert max(Counter(hit.start for hit in found).values()) == 50
