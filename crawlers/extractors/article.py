"""Articles without a specification: title, text, author and time of a news or blog page.

Structured data first (JSON-LD, OpenGraph, meta), then what the page shows, then trafilatura; where that
finds little, the block with the densest text.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from crawlers.extractors.documents import HtmlDocument
from crawlers.extractors.htmltext import html_to_text, node_to_text
from crawlers.extractors.limits import cut
from crawlers.extractors.structured import find_typed
from crawlers.extractors.times import parse_time
from crawlers.extractors.values import clean_line, clean_text

ENOUGH = 120
MAX_PAGE = 3_000_000
_BODIES = (
    "#js_content",
    '[itemprop="articleBody"]',
    ".article-content",
    ".article_content",
    "#artibody",
    "#ArticleContent",
    ".post_body",
    "#p-detail",
    ".news_txt",
    ".content.all-txt",
    ".article-body",
    ".entry-content",
    ".post-content",
    ".rich_media_content",
    ".TRS_Editor",
    "#endText",
    "#content_area",
    ".main-article",
    "#mp-editor",
    ".rm_txt_con",
    ".left_zw",
    "#paragraph",
    ".content-article",
    'section[data-type="rtext"]',
    ".article_con",
    ".art_content",
    ".detail-content",
    "#articleContent",
    "td.content",
)
_TITLES = ("#activity-name", "h1.title", "h1", ".article-title", ".main-title", ".news_title", "h2.title")
_META_TIMES = (
    'meta[property="article:published_time"]',
    'meta[property="og:article:published_time"]',
    'meta[name="publishdate"]',
    'meta[name="PubDate"]',
    'meta[itemprop="datePublished"]',
    'meta[property="og:release_date"]',
    'meta[name="pubdate"]',
    'meta[name="weibo:article:create_at"]',
    'meta[name="date"]',
    'meta[itemprop="dateUpdate"]',
)
_META_AUTHORS = (
    'meta[name="author"]',
    'meta[property="article:author"]',
    'meta[property="og:article:author"]',
)
_SHOWN_TIME = (
    ".pubtime",
    "#pubtime",
    ".publish-time",
    ".publish_time",
    "#publish_time",
    ".article-time",
    ".h-time",
    ".post-time",
    ".time",
    ".date",
    ".info",
    ".article-source",
    "time[datetime]@datetime",
    ".ep-time-soure",
    ".post_info",
    ".news_about",
)
_SHOWN_AUTHOR = (
    "#js_name",
    ".author-name",
    ".article-author",
    ".author a",
    ".author",
    "#source",
    ".source",
    ".editor",
    ".ly",
    ".news_about p",
    "#author_baidu",
    "#source_baidu",
    ".user-info h4",
    ".media-name",
    ".name",
)
_SCRIPT_TIME = re.compile(
    r"""\b(?:ct|publish_time|publishTime|pubtime|ptime)["']?\s*[:=]\s*["']?"""
    r"""(\d{10,13}|20\d\d-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)"""
)
_SCRIPT_SOURCE = re.compile(r'"(?:media|mediaName|media_name|source_name|author_name)"\s*:\s*"([^"\\]{2,30})"')
_FULL_TIME = re.compile(
    r"20\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?\s*(?:[ T　]\s*)?\d{1,2}:\d{2}(?::\d{2})?"
)
_SITE_SUFFIX = re.compile(r"(?:\s+[-–—|]\s+|[_|])[^_|–—]{2,24}$|-[^-]{2,8}[网报站]$")
_EMPTY_AUTHOR = re.compile(
    r"^(?:name\b.*|author|admin|未知|匿名|.*@.*|.*\bemail\b.*|https?://.*|[\w-]+(?:\.[\w-]+)+|.{40,}|\W*)$",
    re.I,
)
_NAMED = re.compile(r"(?:作者|记者|文|by)\s*[:：/|｜]\s*([^\s:：|｜/（）()，,。]{2,20})", re.I)
_BY = re.compile(r"(?:作者|记者|文|来源|编辑|by)\s*[:：/|｜]\s*([^\s:：|｜/（）()，,。]{2,20})", re.I)


def read_article(page: HtmlDocument, now: dt.datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return the raw values found of title, text, author and published_at; what is not found is left out."""
    linked = (find_typed(page, "Article") or [{}])[0]
    extracted = _trafilatura(page.text)
    found = {
        "title": _title(page, linked, extracted),
        "text": _text(page, linked, extracted),
        "author": _author(page, linked, extracted),
        "published_at": _time(page, linked, extracted, now, zone),
    }
    # Where the block holds the heading too, the text must not say it twice.
    found["text"] = found["text"].removeprefix(found["title"]).lstrip() or found["text"]
    return {name: value for name, value in found.items() if value}


def _trafilatura(text: str) -> Any | None:
    from trafilatura import bare_extraction  # slow to import, and only articles need it
    from trafilatura.settings import Document as Extracted

    if len(text) > MAX_PAGE:
        cut(f"网页超过 {MAX_PAGE // 1_000_000} 百万字，正文只在前面找")
    try:
        found = bare_extraction(
            text[:MAX_PAGE],
            with_metadata=True,
            include_comments=False,
            include_tables=True,
            favor_precision=True,
        )
    except (ValueError, TypeError, AttributeError, RecursionError, LookupError):
        return None  # hostile markup: the page is read without it
    return found if isinstance(found, Extracted) else None


def _title(page: HtmlDocument, linked: dict[str, Any], extracted: Any | None) -> str:
    candidates = [_string(linked.get("headline"))]
    shown = [clean_line(node.text()) for selector in _TITLES for node in page.tree.css(selector)[:2]]
    head = page.tree.css_first("title")
    whole = clean_line(head.text()) if head is not None else ""
    # A heading counts when the page's own title agrees; logos and section names do not.
    candidates += [text for text in shown if text and len(text) >= 4 and (text in whole or not whole)]
    unmarked = [_meta(page, 'meta[property="og:title"]'), getattr(extracted, "title", None) or "", whole]
    candidates += [_SITE_SUFFIX.sub("", text) for text in unmarked]
    return next((clean_line(text) for text in candidates if text and text.strip()), "")


def _text(page: HtmlDocument, linked: dict[str, Any], extracted: Any | None) -> str:
    body = html_to_text(_string(linked.get("articleBody")))
    known = [node_to_text(node) for selector in _BODIES for node in page.tree.css(selector)[:3]]
    best_known = max(known, key=len, default="")
    by_library = clean_text(getattr(extracted, "text", "") or "")
    if len(best_known) >= max(ENOUGH, len(by_library) * 0.6):
        return max(best_known, body, key=len)
    if len(body) >= max(ENOUGH, len(by_library) * 0.6):
        return body
    dense = _densest(page)
    # The library at times picks a comment list; the article is the block that holds most of the sentences.
    if len(dense) >= ENOUGH and (
        len(by_library) < ENOUGH or (dense[:30] not in by_library and len(dense) > len(by_library))
    ):
        return dense
    return by_library or dense or best_known or body


def _densest(page: HtmlDocument) -> str:
    """Return the text of the element whose own paragraphs hold most sentence text outside links."""
    scores: dict[int, float] = {}
    nodes: dict[int, LexborNode] = {}
    for paragraph in page.tree.css("p, br, section > span, div > span")[:5000]:
        parent = paragraph.parent
        if parent is None:
            continue
        own = clean_text(paragraph.text()) if paragraph.tag != "br" else ""
        linked = sum(len(link.text() or "") for link in paragraph.css("a"))
        weight = len(own) - 2 * linked + 8 * sum(own.count(mark) for mark in "，。！？；,")
        for step, share in ((parent, 1.0), (parent.parent, 0.5)):
            if step is not None and step.tag not in ("body", "html") and weight > 20:
                scores[step.mem_id] = scores.get(step.mem_id, 0.0) + weight * share
                nodes[step.mem_id] = step
    if not scores:
        return ""
    best = max(scores, key=lambda key: scores[key])
    return node_to_text(nodes[best])


def _author(page: HtmlDocument, linked: dict[str, Any], extracted: Any | None) -> str:
    candidates = [_string(linked.get("author")), _string(linked.get("creator"))]
    candidates += [_meta(page, selector) for selector in _META_AUTHORS]
    candidates += [
        clean_line(node.text()) for selector in _SHOWN_AUTHOR for node in page.tree.css(selector)[:1]
    ]
    candidates += [getattr(extracted, "author", None) or "", _string(linked.get("publisher"))]
    shown = page.tree.body.text(separator=" ")[:20_000] if page.tree.body is not None else ""
    candidates.append(shown)
    candidates += [match.group(1) for match in _SCRIPT_SOURCE.finditer(page.text[:MAX_PAGE])][:1]
    candidates += [_meta(page, 'meta[property="og:site_name"]'), getattr(extracted, "sitename", None) or ""]
    for text in candidates:
        whole = clean_line(text, 20_000)
        bare = re.sub(r"^(?:作者|记者|来源|责任编辑|编辑|by)\s*[:：]?\s*", "", whole, flags=re.I).strip(
            " ⋅·|-—,，"
        )
        labelled = [match.group(1) for pattern in (_NAMED, _BY) for match in pattern.finditer(whole)]
        for name in labelled if text is shown else [*labelled, bare]:
            if name and not _EMPTY_AUTHOR.match(name):
                return name
    return ""


def _time(
    page: HtmlDocument, linked: dict[str, Any], extracted: Any | None, now: dt.datetime, zone: ZoneInfo
) -> str:
    """Return the first readable time, one with a clock before one that is only a date."""
    candidates = [_string(linked.get(key)) for key in ("datePublished", "dateCreated", "uploadDate")]
    candidates += [_meta(page, selector) for selector in _META_TIMES]
    candidates += [match.group(1) for match in _SCRIPT_TIME.finditer(page.text[:MAX_PAGE])][:1]
    for selector in _SHOWN_TIME:
        candidates += [
            clean_line(value)[:60] for value in page.read(None, selector)[:1] if not value.startswith("<")
        ]
        candidates += [
            html_to_text(value)[:60] for value in page.read(None, selector)[:2] if value.startswith("<")
        ]
    shown = page.tree.body.text(separator=" ")[:20_000] if page.tree.body is not None else ""
    date = getattr(extracted, "date", None) or ""
    candidates += [match.group() for match in _FULL_TIME.finditer(shown)][:3]
    parsed = [(text, *parse_time(text, now, zone)) for text in candidates if text]
    readable = [(text, moment, precision) for text, moment, precision in parsed if moment is not None]
    precise = [text for text, _, precision in readable if precision in ("minute", "second")]
    return next(iter([*precise, *(text for text, _, _ in readable), date]), "")


def _meta(page: HtmlDocument, selector: str) -> str:
    node = page.tree.css_first(selector)
    return clean_line(node.attributes.get("content") or "") if node is not None else ""


def _string(value: Any) -> str:
    """The text of a schema.org value: a string, a named thing, or the first of a list."""
    if isinstance(value, list):
        return _string(value[0]) if value else ""
    if isinstance(value, dict):
        return _string(value.get("name"))
    return value if isinstance(value, str) else ""
