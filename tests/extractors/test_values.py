"""Counts, ratings, text, addresses, and HTML to text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extractors import canonical_url, parse_count, parse_rating
from crawlers.extractors.htmltext import html_to_text
from crawlers.extractors.values import absolute_url, clean_text


@pytest.mark.parametrize(("value", "count"), [
    (12, 12), ("1,234", 1234), ("1.2万", 12000), ("3万+", 30000), ("100万+", 1_000_000), ("10+", 10), ("1千+", 1000), ("3.4k", 3400),
    ("2.1w", 21000), ("1.5亿", 150_000_000), ("转发[240492]", 240492), ("赞(1)", 1), ("359回复", 359), (-3, -3), (0, 0), (5.0, 5),
    ("12 people found this helpful", 12), ("One person found this helpful", 1), ("赞", None), ("", None), (None, None), (True, None),
    ("１２", 12), ("3 km", 3), (float("nan"), None), (float("inf"), None),
])
def test_counts(value: object, count: int | None) -> None:
    assert parse_count(value) == count


@pytest.mark.parametrize(("value", "best", "stars"), [
    (5, None, 5.0), ("4.5", None, 4.5), ("3.0 out of 5 stars", None, 3.0), ("4/5", None, 4.0), ("87", 100.0, 4.35), ("80%", None, 4.0),
    (460, 500.0, 4.6), ("★★★☆☆", None, 3.0), ("0", None, 0.0), ("4,5", None, 4.5), ("6", None, None), ("-1", None, None), ("好评", None, None),
    (None, None, None), (True, None, None), ("8/10", None, 4.0),
])
def test_ratings(value: object, best: float | None, stars: float | None) -> None:
    assert parse_rating(value, best) == stars


@pytest.mark.parametrize(("url", "canonical"), [
    ("HTTPS://Example.COM:443/a?b=2&a=1#x", "https://example.com/a?a=1&b=2"),
    ("https://example.com/a?utm_source=x&id=3&spm=1.2&share_from=app", "https://example.com/a?id=3"),
    ("https://www.xiaohongshu.com/explore/1?xsec_token=AB&xsec_source=pc", "https://www.xiaohongshu.com/explore/1"),
    ("https://example.com", "https://example.com/"), ("https://example.com/%E6%9D%AF", "https://example.com/%E6%9D%AF"),
    ("https://example.com/杯", "https://example.com/%E6%9D%AF"), ("https://example.com/#!/t/1", "https://example.com/#!/t/1"),
    ("not an address", "not an address"), ("http://[::1", "http://[::1"),
])
def test_canonical_addresses(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(("value", "url"), [
    ("/t/1#r", "https://example.com/t/1#r"), ("//cdn.example.com/x", "https://cdn.example.com/x"), ("t?q=杯 子", "https://example.com/b/t?q=%E6%9D%AF%20%E5%AD%90"),
    ("javascript:alert(1)", None), ("data:text/html,x", None), ("file:///etc/passwd", None), ("#top", None), ("", None), ("http://", None),
    ("http://a:b", None),
])
def test_absolute_addresses(value: str, url: str | None) -> None:
    assert absolute_url(value, "https://example.com/b/c") == url


@pytest.mark.parametrize(("markup", "text"), [
    ("<p>一</p><p>二</p>", "一\n\n二"), ("一<br/>二 <b>三</b>", "一\n二 三"), ('好<img alt="[泪]" src="x">哭', "好[泪]哭"),
    ('<img class="emoji" alt="😀">', "😀"), ('<img src="a.jpg" alt="商品大图">买了', "买了"), ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
    ("<script>x()</script><style>p{}</style>字", "字"), ("<p>a\n  b</p>", "a b"), ("只有&hellip;\n换行", "只有…\n换行"), ("<td>1</td><td>2</td>", "1 2"),
    ("1 < 2 且 3 > 2", "1 < 2 且 3 > 2"), ('<a title="x>y">链接</a>', "链接"), ("<p>未闭合", "未闭合"), ("", ""),
])
def test_html_to_text(markup: str, text: str) -> None:
    assert html_to_text(f"<table><tr>{markup}</tr></table>" if markup.startswith("<td") else markup) == text


def test_a_picture_stands_for_itself_only_where_there_are_no_words() -> None:
    assert html_to_text('<img src="a.jpg">', picture=True) == "[图片]"
    assert html_to_text('<img class="BDE_Smiley" src="e.png">', picture=True) == "[表情]"
    assert html_to_text('<video src="a.mp4"></video>', picture=True) == "[视频]"
    assert html_to_text('<img src="a.jpg">字', picture=True) == "字"


def test_hostile_text_is_cleaned() -> None:
    assert clean_text("a\x00b\x1b[31m\u202ec\ud83d\ufeff \r\n\n\n\n d") == "ab[31mc\n\nd"
    assert len(clean_text("长" * 300_000)) == 100_000


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=200)
def test_nothing_raises_and_cleaning_is_stable(text: str) -> None:
    parse_count(text)
    parse_rating(text)
    assert canonical_url(canonical_url(text)) == canonical_url(text)
    absolute_url(text, "https://example.com/")
    cleaned = clean_text(html_to_text(text))
    assert clean_text(cleaned) == cleaned


def test_unclosed_quotes_take_linear_time() -> None:
    assert html_to_text('<a "' * 50_000 + "字") is not None
