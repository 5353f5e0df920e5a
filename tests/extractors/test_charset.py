"""Bytes to text when headers lie."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extractors import decode
from crawlers.extractors.charset import REPLACEMENT_LIMIT, replaced_share
from vocwatch.models import Page

CHINESE = "这只养生壶用了三天壶底就糊了，客服说是正常现象。退款拖了一周，镕铸工艺宣传是假的。"
RARE = "㖞口𠮷野家的杯子😀"  # only GB18030 has these among the GB encodings
TRADITIONAL = "這個保溫瓶的蓋子會漏水，客服說會處理，但是過了一個月還是沒有下文。"


def page(body: bytes, header: str = "") -> Page:
    headers = {"content-type": header} if header else {}
    return Page("https://example.com/", body, dt.datetime(2026, 11, 16, tzinfo=dt.UTC), headers=headers)


def html(text: str, meta: str) -> str:
    return f'<html><head><meta charset="{meta}"></head><body>{text}</body></html>'


@pytest.mark.parametrize("header", ["", "text/html; charset=utf-8", "text/html; charset=gb2312", "text/html;charset=ISO-8859-1"])
@pytest.mark.parametrize("meta", ["utf-8", "gb2312", "gbk", "big5", "no-such-charset"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_every_lie(header: str, meta: str, encoding: str) -> None:
    text = html(CHINESE + RARE, meta)
    assert decode(page(text.encode(encoding), header)) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_settles_it(encoding: str) -> None:
    assert decode(page(CHINESE.encode(encoding), "text/html; charset=gbk")) == CHINESE


def test_big5_is_told_by_its_declaration_and_without_one() -> None:
    assert decode(page(html(TRADITIONAL, "big5").encode("big5"))) == html(TRADITIONAL, "big5")
    assert decode(page((TRADITIONAL * 3).encode("big5"))) == TRADITIONAL * 3


def test_the_hint_goes_first_where_it_fits() -> None:
    assert decode(page(CHINESE.encode("gb18030")), "gbk") == CHINESE
    assert decode(page(CHINESE.encode("utf-8")), "shift_jis") == CHINESE


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_cut_off_character_does_not_turn_the_page(encoding: str) -> None:
    for cut in (1, 2, 3):
        text = decode(page(CHINESE.encode(encoding)[:-cut], "text/html; charset=utf-8"))
        assert CHINESE.startswith(text[:-2]) and len(text) >= len(CHINESE) - 3
        assert replaced_share(text) <= REPLACEMENT_LIMIT


def test_latin_pages_keep_their_accents() -> None:
    text = "Café déçu, der Becher ist undicht für 20 €"
    assert decode(page(text.encode("cp1252"), "text/html; charset=iso-8859-1")) == text


def test_one_broken_byte_costs_one_character() -> None:
    body = (CHINESE * 20).encode("utf-8")
    text = decode(page(body[:90] + b"\xff" + body[90:], "text/html; charset=utf-8"))
    assert text.replace("�", "") == CHINESE * 20


@given(st.binary(max_size=400), st.sampled_from(["", "utf-8", "gb2312", "rot13", "big5", "\x00"]))
@settings(deadline=None, max_examples=200)
def test_never_raises(body: bytes, charset: str) -> None:
    assert isinstance(decode(page(body, f"text/html; charset={charset}")), str)


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=4, max_size=60))
@settings(deadline=None, max_examples=100)
def test_utf8_is_never_taken_for_anything_else(text: str) -> None:
    assert decode(page(text.encode("utf-8"), "text/html; charset=gbk")) == text
