"""The normal form and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.clauses import MAX_CLAUSE, split
from sentiment.normalise import MAX_CHARS, normalise

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("松果匣漏水了，。！ ABC雲朵裡ﬀ①㎏\u200b\u202e\u0301\ufe0f👍\ud800\x00\n但是"),
    ), max_size=200,
)


@pytest.mark.parametrize(("original", "normal"), [
    ("ＳＧＸ牌", "sgx牌"), ("松\u200b果\u2060匣", "松果匣"), ("雲朵裡的軟體", "云朵里的软件"),
    ("差\ufeff评\x00", "差评"),
    ("☁️朵里", "☁朵里"), ("好，不好！", "好，不好！"), ("㎏", "kg"), ("İ", "i"), ("\ud800漏水", "漏水"),
    ("", ""),
])
def test_forms(original: str, normal: str) -> None:
    assert normalise(original).text == normal


def test_a_flood_of_combining_marks_is_cut() -> None:
    form = normalise("漏" + "\u0301" * 10_000 + "水了")
    assert form.text == "漏水了"
    assert form.original_span(0, 3) == (0, 10_003)


def test_the_way_back_spans_what_was_removed() -> None:
    original = "这杯子漏\u200b\u200b水了"
    form = normalise(original)
    start = form.text.index("漏水")
    left, right = form.original_span(start, start + 2)
    assert original[left:right] == "漏\u200b\u200b水"


def test_an_overlong_text_is_cut_and_says_so() -> None:
    form = normalise("漏" * (MAX_CHARS + 1))
    assert form.truncated and len(form.text) == MAX_CHARS
    assert not normalise("漏" * MAX_CHARS).truncated


@settings(deadline=None, max_examples=300)
@given(HOSTILE)
def test_offsets_lie_in_the_original_and_grow(original: str) -> None:
    form = normalise(original)
    last = 0
    for place in range(len(form.text)):
        start, end = form.original_span(place, place + 1)
        assert last <= start < end <= len(original)
        last = start
    assert normalise(form.text).text == form.text or not form.text.isascii()


@pytest.mark.parametrize(("text", "pieces"), [
    ("面料舒服，就是洗一次就掉色，客服还不理人", ["面料舒服", "就是洗一次就掉色", "客服还不理人"]),
    ("挺好看但是掉色", ["挺好看", "但是掉色"]), ("不但掉色，再好不过", ["不但掉色", "再好不过"]),
    ("掉色、起球！差", ["掉色、起球", "差"]),
    ("", []), ("。。。", []), ("质量好\n物流快", ["质量好", "物流快"]),
])
def test_clauses(text: str, pieces: list[str]) -> None:
    assert [text[clause.start:clause.end] for clause in split(text)] == pieces


@settings(deadline=None, max_examples=200)
@given(HOSTILE)
def test_clauses_are_ordered_and_bounded(text: str) -> None:
    last = 0
    for clause in split(text):
        assert last <= clause.start < clause.end <= clause.sentence_end <= len(text)
        assert clause.end - clause.start <= MAX_CLAUSE
        last = clause.end
