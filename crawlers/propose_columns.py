"""What stands in repeated blocks, column by column, and which column is which field."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from crawlers.extractors import parse_count, parse_rating, parse_time
from crawlers.extractors.values import absolute_url, clean_line
from crawlers.propose_selectors import relative

MAX_PARTS = 400  # elements looked at in one block
_SKIP = frozenset(("script", "style", "template", "noscript", "svg", "option", "input", "button"))
_TIME = re.compile(r"time|date|when|publish|pub-|created|posted|-at$|ago", re.IGNORECASE)
_AUTHOR = (
    re.compile(r"author|nick", re.IGNORECASE),
    re.compile(r"user-?_?name|uname|poster|writer|reviewer|commenter", re.IGNORECASE),
    re.compile(r"user|member|(?:^|\.|[-_])by(?:$|[-_])|owner|people", re.IGNORECASE),
    re.compile(r"(?<!file)(?<!product)(?<!shop)name$", re.IGNORECASE),
    re.compile(r"source|byline|来源", re.IGNORECASE),
)
_TEXT = re.compile(r"text|content|body|desc|comment|message|review|detail|summary|quote|正文", re.IGNORECASE)
_RATING = re.compile(r"star|rating|score|rate|评分", re.IGNORECASE)
_LIKES = re.compile(r"like|useful|helpful|vote|digg|zan|praise|thumb|upvote", re.IGNORECASE)
_REPLIES = re.compile(r"repl(?:y|ies)|comments?[-_]?(?:count|num)?$|reviews?-?count|回复|评论", re.IGNORECASE)
_TITLE = re.compile(r"title|subject|headline", re.IGNORECASE)
_SHOP = re.compile(r"shop|store|merchant|seller", re.IGNORECASE)
_LINK = re.compile(r"permalink|title|subject|detail|link|thread|headline", re.IGNORECASE)
_DATED = re.compile(
    r"\d{4}\s*[-/.年]|[月日号前天]|刚刚|今|ago|\d:\d\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[\d.,]+\s*(?:[万千kw+]|人)?", re.IGNORECASE)
_ID_ATTRIBUTE = re.compile(r"(?:^|-)(?:id|rid|cid|pid|tid|key)$", re.IGNORECASE)


@dataclass
class Column:
    """The elements that one relative selector finds, at most one in each block (`rows` says in which)."""

    path: str
    nodes: list[LexborNode] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def length(self) -> float:
        """Median number of characters."""
        return statistics.median(map(len, self.texts)) if self.texts else 0.0


@dataclass(frozen=True)
class Fields:
    """Paths of a record's fields; `link` leads to the block's own page, `in_link` says that the text is a link's."""

    found: dict[str, Any]
    link: str | None = None
    link_values: tuple[str, ...] = ()
    link_title: str | None = None
    in_link: bool = False
    replies: str | None = None


def own_text(node: LexborNode) -> str:
    """Return the element's words on one line (capped: only its length and its likeness matter)."""
    return clean_line(node.text(separator=" "), 3000)


def columns_of(items: list[LexborNode]) -> dict[str, Column]:
    """Return relative selector → column, in document order."""
    columns: dict[str, Column] = {}
    for row, item in enumerate(items):
        seen: set[str] = set()
        for count, node in enumerate(item.traverse(include_text=False)):
            if count > MAX_PARTS:
                break
            if (
                node.mem_id == item.mem_id
                or not node.tag
                or node.tag.startswith(("-", "_", "!"))
                or node.tag in _SKIP
            ):
                continue
            path = relative(node, item)
            if path is None or path in seen:
                continue
            seen.add(path)
            column = columns.setdefault(path, Column(path))
            column.nodes.append(node)
            column.rows.append(row)
            column.texts.append(own_text(node))
    return columns


def field_paths(
    columns: dict[str, Column], items: list[LexborNode], base: str, now: dt.datetime, zone: ZoneInfo
) -> Fields:
    """Say which column is which field."""
    total = len(items)
    common = [column for column in columns.values() if len(column.nodes) >= 0.6 * total]
    found: dict[str, Any] = {}
    time = _time(common, now, zone)
    author = _author([column for column in common if time is None or column.path != time.partition("@")[0]])
    rating, likes = _rating(common), _likes(common)
    link, link_values, anchor = _link(common, items, base)
    used = [
        columns[path.partition("@")[0]]
        for path in (time, author, rating, likes)
        if path and path.partition("@")[0] in columns
    ]
    text = _text(common, used)
    title = next(
        (
            column
            for column in common
            if _TITLE.search(column.path) or column.path in ("h1", "h2", "h3", "h4")
        ),
        None,
    )
    if (
        text is not None
        and title is not None
        and text.path != title.path
        and 2 <= title.length <= 120
        and title not in used
    ):
        found["title"] = title.path
    pairs = (
        ("text", text.path if text else None),
        ("author", author),
        ("published_at", time),
        ("rating", rating),
        ("likes", likes),
    )
    found.update({name: path for name, path in pairs if path})
    shop = next(
        (
            column
            for column in common
            if _SHOP.search(column.path) and 2 <= column.length <= 40 and column not in (text, title)
        ),
        None,
    )
    if shop is not None:
        found["shop"] = shop.path
    native = _native_id(items)
    if native is not None:
        found = {"native_id": native, **found}
    replies = next(
        (column.path for column in common if _REPLIES.search(column.path) and _looks_counted(column)), None
    )
    linked = text is not None and _is_linked(text)
    return Fields(found, link, link_values, _link_title(common, anchor, title), linked, replies)


# -- single fields ------------------------------------------------------------------------------------------------


def _time(columns: Iterable[Column], now: dt.datetime, zone: ZoneInfo) -> str | None:
    best, mark = None, 2.0
    for column in columns:
        for attribute in (None, "datetime", "title", "data-time", "data-timestamp"):
            values = (
                column.texts
                if attribute is None
                else [node.attributes.get(attribute) or "" for node in column.nodes]
            )
            if not values or statistics.median(map(len, values)) > 45:
                continue
            parsed = [parse_time(value, now, zone) for value in values]
            share = sum(1 for moment, _ in parsed if moment is not None) / len(values)
            named = column.path.startswith("time") or bool(_TIME.search(column.path))
            dated = sum(
                1 for value in values if _DATED.search(value) or (attribute and value.isdigit())
            ) / len(values)
            if share < 0.8 or (dated < 0.8 and not named):
                continue
            fine = sum(1 for _, precision in parsed if precision in ("second", "minute")) / len(values)
            here = (
                2 * share + 2 * column.path.startswith("time") + 1.5 * bool(_TIME.search(column.path)) + fine
            )
            here += 0.5 * (attribute == "datetime") - statistics.median(map(len, values)) / 60
            if here > mark:
                best, mark = (column.path if attribute is None else f"{column.path}@{attribute}"), here
    return best


def _author(columns: list[Column]) -> str | None:
    for pattern in _AUTHOR:
        for column in columns:
            short = 1 <= column.length <= 30 and column.nodes[0].css_first("time, p, li") is None
            if short and pattern.search(column.path) and not all(map(_NUMBER.fullmatch, column.texts)):
                return column.path
    linked = [column for column in columns if _to_profile(column)]
    return linked[0].path if linked else None


def _to_profile(column: Column) -> bool:
    hrefs = [node.attributes.get("href") or "" for node in column.nodes if node.tag == "a"]
    return (
        bool(hrefs)
        and 1 <= column.length <= 30
        and all(re.search(r"/(?:user|people|u|profile|member|author|space)s?[/?=@-]", href) for href in hrefs)
    )


def _rating(columns: Iterable[Column]) -> str | None:
    for column in columns:
        if not _RATING.search(column.path):
            continue
        for attribute in (
            "data-stars",
            "data-star",
            "data-score",
            "data-rating",
            "data-rate",
            "data-value",
            "content",
            "title",
            None,
            "aria-label",
        ):
            values = (
                column.texts
                if attribute is None
                else [node.attributes.get(attribute) or "" for node in column.nodes]
            )
            good = [
                value for value in values if value and len(value) <= 24 and parse_rating(value) is not None
            ]
            if len(good) >= 0.8 * len(values) and good:
                return column.path if attribute is None else f"{column.path}@{attribute}"
    return None


def _likes(columns: Iterable[Column]) -> str | None:
    for column in columns:
        # The words beside the number would do no harm, but the number alone reads better.
        if _LIKES.search(column.path) and column.length <= 16 and _looks_counted(column):
            return column.path
    return None


def _looks_counted(column: Column) -> bool:
    return all(len(text) <= 16 and parse_count(text) is not None for text in column.texts)


def _text(columns: list[Column], used: list[Column]) -> Column | None:
    """The column with most words that holds none of the other fields; a telling name counts for half as much again."""
    taken = {node.mem_id for column in used for node in column.nodes}
    best, mark = None, 3.0
    for column in columns:
        if column in used or _holds(column.nodes[0], taken):
            continue
        here = (
            column.length * (1.5 if _TEXT.search(column.path) else 1.0) * (0.6 if _is_linked(column) else 1.0)
        )
        here *= len(set(column.texts)) / len(column.texts)
        if here > mark:
            best, mark = column, here
    return best


def _holds(node: LexborNode, taken: set[int]) -> bool:
    return any(inner.mem_id in taken for inner in node.traverse(include_text=False))


def _is_linked(column: Column) -> bool:
    """Whether the column's words are those of links."""
    node = column.nodes[0]
    step: LexborNode | None = node
    for _ in range(4):
        if step is None:
            break
        if step.tag == "a":
            return True
        step = step.parent
    linked = sum(len(anchor.text() or "") for anchor in node.css("a"))
    return linked > 0.7 * max(len(own_text(node)), 1)


def _link(
    columns: list[Column], items: list[LexborNode], base: str
) -> tuple[str | None, tuple[str, ...], Column | None]:
    """The address that belongs to the block: different in each, led to by its title or its words."""
    if all(item.tag == "a" and item.attributes.get("href") for item in items):
        values = tuple(item.attributes.get("href") or "" for item in items)
        return ("@href", values, None) if len(set(values)) >= 0.9 * len(values) else (None, (), None)
    best: tuple[float, Column, tuple[str, ...]] | None = None
    for column in columns:
        values = tuple(
            node.attributes.get("href") or ""
            for node in column.nodes
            if node.tag == "a" and not _is_trap(node)
        )
        good = [
            value for value in values if value and not value.startswith("#") and absolute_url(value, base)
        ]
        if (
            not good
            or len(good) < 0.6 * len(items)
            or len(set(good)) < 0.8 * len(good)
            or _to_profile(column)
        ):
            continue
        mark = column.length + 20 * bool(_LINK.search(column.path))
        if best is None or mark > best[0]:
            best = (mark, column, tuple(good))
    return (f"{best[1].path}@href", best[2], best[1]) if best is not None else (None, (), None)


def _is_trap(node: LexborNode) -> bool:
    """Links that people don't see are for catching robots."""
    style = (node.attributes.get("style") or "").replace(" ", "")
    return "nofollow" in (node.attributes.get("rel") or "") and (
        "display:none" in style or not own_text(node).strip(". ")
    )


def _link_title(columns: list[Column], anchor: Column | None, title: Column | None) -> str | None:
    if title is not None and 2 <= title.length <= 120:
        return title.path
    return anchor.path if anchor is not None and anchor.length >= 2 else None


def _native_id(items: list[LexborNode]) -> str | None:
    """An attribute of the block that names it for good: different everywhere and long enough to be no counter."""
    names = [name for name in items[0].attributes if _ID_ATTRIBUTE.search(name)]
    for name in sorted(names, key=lambda name: name == "id"):
        values = [node.attributes.get(name) or "" for node in items]
        digits = [re.sub(r"\D", "", value) for value in values]
        if all(values) and len(set(values)) == len(values) and all(len(value) >= 4 for value in digits):
            return f"@{name}"
    return None
