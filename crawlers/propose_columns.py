"""What stands in repeated blocks, column by column, and which column is which field."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from crawlers.extractors import parse_count, parse_rating, parse_time
from crawlers.extractors.jsonpage import lenient
from crawlers.extractors.values import absolute_url, clean_line
from crawlers.propose_keys import fields_of
from crawlers.propose_selectors import head_of, last_of, relatives

MAX_PARTS = 400  # elements looked at in one block
MAX_ATTRIBUTE = 20_000
_SKIP = frozenset(("script", "style", "template", "noscript", "svg", "option", "input", "button"))
_TIME = re.compile(r"time|date|when|publish|pub-|created|posted|-at$|ago", re.IGNORECASE)
_AUTHOR = (
    re.compile(r"author|nick", re.IGNORECASE),
    re.compile(r"user-?_?name|uname|poster|writer|reviewer|commenter", re.IGNORECASE),
    re.compile(r"user|member|(?:^|\.|[-_])by(?:$|[-_])|owner|people", re.IGNORECASE),
    re.compile(r"(?<!file)(?<!product)(?<!shop)name$", re.IGNORECASE),
    re.compile(r"source|byline|来源", re.IGNORECASE),
    re.compile(r"(?:^|[.#-])up(?:$|-)", re.IGNORECASE),
)
_CLOCK = re.compile(r"\d[-/.:月]\d")
_CLASS_STARS = re.compile(r"(?:star|rating|score|rate|rank)[a-z]*[-_]?(\d{1,2})(?!\d)", re.IGNORECASE)
_INLINE = frozenset(("a", "span", "b", "em", "strong", "cite", "i", "small", "td", "dd"))
_COUNTED = re.compile(r"\d|次|浏览|阅读|评论|回复|点赞|分享|举报|views?|repl", re.IGNORECASE)
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


def columns_of(items: list[LexborNode], skip: frozenset[int] = frozenset()) -> dict[str, Column]:
    """Return relative selector → column, in document order; elements in `skip`, and what they hold, are left out.

    Where a block holds several elements of one name, the last of them makes a column of its own.
    """
    columns: dict[str, Column] = {}
    for row, item in enumerate(items):
        seen: dict[str, LexborNode] = {}
        last: dict[str, LexborNode] = {}
        for path, node in _parts(item, skip):
            if path in seen:
                last[path] = node
                continue
            seen[path] = node
            _put(columns, path, node, row)
        for path, node in last.items():
            name = last_of(path)
            if name is not None:
                _put(columns, name, node, row)
    return columns


def _parts(item: LexborNode, skip: frozenset[int]) -> Iterator[tuple[str, LexborNode]]:
    """Yield the elements of a block with the selectors that find them."""
    for count, node in enumerate(item.traverse(include_text=False)):
        if count > MAX_PARTS:
            return
        tag = node.tag
        if node.mem_id == item.mem_id or not tag or tag.startswith(("-", "_", "!")) or tag in _SKIP:
            continue
        if skip and _inside(node, item, skip):
            continue
        for path in relatives(node, item):
            yield path, node


def _inside(node: LexborNode, item: LexborNode, skip: frozenset[int]) -> bool:
    step: LexborNode | None = node
    while step is not None and step.mem_id != item.mem_id:
        if step.mem_id in skip:
            return True
        step = step.parent
    return False


def _put(columns: dict[str, Column], path: str, node: LexborNode, row: int) -> None:
    column = columns.setdefault(path, Column(path))
    column.nodes.append(node)
    column.rows.append(row)
    column.texts.append(own_text(node))


def field_paths(
    columns: dict[str, Column], items: list[LexborNode], base: str, now: dt.datetime, zone: ZoneInfo
) -> Fields:
    """Say which column is which field."""
    total = len(items)
    common = [column for column in columns.values() if len(column.nodes) >= 0.6 * total]
    time = _time(common, now, zone)
    author = _author([column for column in common if time is None or column.path != head_of(time)])
    rating, likes = _rating(common), _likes(common)
    link, link_values, anchor = _link(common, items, base)
    plain = [path["path"] if isinstance(path, dict) else path for path in (time, author, rating, likes)]
    used = [columns[head_of(path)] for path in plain if path and head_of(path) in columns]
    text = _text(common, used)
    if author is None and time is not None and head_of(time) in columns:
        author = _beside(columns[head_of(time)], [column for column in common if column is not text and column not in used])
    title = next((one for one in common if _TITLE.search(one.path) or one.path in ("h1", "h2", "h3", "h4")), None)
    shop = next(
        (one for one in common if _SHOP.search(one.path) and 2 <= one.length <= 40 and one not in (text, title)), None
    )
    titled = text is not None and title is not None and text.path != title.path and 2 <= title.length <= 120
    pairs = (
        ("native_id", _native_id(items)),
        ("title", title.path if titled and title is not None and title not in used else None),
        ("text", text.path if text else None),
        ("author", author),
        ("published_at", time),
        ("rating", rating),
        ("likes", likes),
        ("shop", shop.path if shop else None),
    )
    found: dict[str, Any] = {name: path for name, path in pairs if path}
    for name, path in _in_attributes(common, items, base, now, zone).items():
        found.setdefault(name, path)
    if "native_id" in found:
        found = {"native_id": found.pop("native_id"), **found}
    replies = next((one.path for one in common if _REPLIES.search(one.path) and _looks_counted(one)), None)
    linked = text is not None and _is_linked(text)
    return Fields(found, link, link_values, _link_title(common, anchor, title), linked, replies)


# -- single fields ------------------------------------------------------------------------------------------------


def _time(columns: Iterable[Column], now: dt.datetime, zone: ZoneInfo) -> str | None:
    best, mark = None, 2.0
    for column in columns:
        for attribute in (None, "datetime", "title", "data-time", "data-timestamp"):
            if attribute is not None and column.path.startswith("xpath:"):
                break
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
            said = not all(map(_NUMBER.fullmatch, column.texts)) and not all(map(_CLOCK.search, column.texts))
            if short and said and pattern.search(column.path):
                return column.path
    linked = [column for column in columns if _to_profile(column)]
    return linked[0].path if linked else None


def _beside(time: Column, columns: list[Column]) -> str | None:
    """A short name that stands right beside the time, whatever it is called."""
    parents = {node.parent.mem_id for node in time.nodes if node.parent is not None}
    for column in columns:
        close = all(node.parent is not None and node.parent.mem_id in parents for node in column.nodes)
        short = all(2 <= len(text) <= 20 and not _COUNTED.search(text) for text in column.texts)
        inline = column.nodes[0].tag in _INLINE and not column.path.startswith("xpath:")
        if column.path != time.path and close and short and inline:
            return column.path
    return None


def _to_profile(column: Column) -> bool:
    hrefs = [node.attributes.get("href") or "" for node in column.nodes if node.tag == "a"]
    return (
        bool(hrefs)
        and 1 <= column.length <= 30
        and all(re.search(r"(?:^|/)(?:user|people|u|profile|member|author|space|home)s?[/?=@-]", href) for href in hrefs)
    )


def _rating(columns: Iterable[Column]) -> Any:
    for column in columns:
        if not _RATING.search(column.path):
            continue
        coded = _in_class(column)
        if coded is not None:
            return coded
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


def _in_class(column: Column) -> dict[str, Any] | None:
    """Stars that are drawn by the class alone: `star-4`, `allstar40`."""
    named = [_CLASS_STARS.search(node.attributes.get("class") or "") for node in column.nodes]
    values = [int(match.group(1)) for match in named if match]
    if column.path.startswith("xpath:") or len(values) < 0.8 * len(column.nodes) or len(set(column.texts) - {""}) > 1:
        return None
    pattern = _CLASS_STARS.pattern.replace("(?:star", "(?i:star", 1)
    if all(0 <= value <= 5 for value in values):
        return {"path": f"{column.path}@class", "regex": pattern}
    tens = all(value % 5 == 0 and value <= 50 for value in values)
    return {"path": f"{column.path}@class", "regex": pattern, "best": 50} if tens else None


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
    best, mark = None, 2.0
    for column in columns:
        if column in used or _holds(column.nodes[0], taken):
            continue
        here = (
            column.length * (1.5 if _TEXT.search(column.path) else 1.0) * (0.6 if _is_linked(column) else 1.0)
        )
        here *= len(set(column.texts)) / len(column.texts) * (0.6 if column.path.startswith("xpath:") else 1.0)
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


def _in_attributes(
    columns: list[Column], items: list[LexborNode], base: str, now: dt.datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """Fields from an attribute that holds JSON, of the block itself or of an element in each block."""
    places = [("", items), *((column.path, column.nodes) for column in columns if not column.path.startswith("xpath:"))]
    for path, nodes in places:
        for name in nodes[0].attributes:
            parsed = [lenient(node.attributes.get(name) or "") for node in nodes if _json_like(node.attributes.get(name))]
            objects = [value for value in parsed if isinstance(value, dict)]
            if len(objects) >= 0.6 * len(items) and len(objects) >= 2:
                fields = fields_of(objects, base, now, zone)
                return {field: _piped(f"{path}@{name}", spec) for field, spec in fields.items() if field not in ("url", "title")}
    return {}


def _json_like(value: str | None) -> bool:
    return bool(value) and str(value).lstrip().startswith("{") and len(str(value)) < MAX_ATTRIBUTE


def _piped(place: str, spec: Any) -> Any:
    if isinstance(spec, dict):
        return {**spec, "path": f"{place} |> {spec['path']}"}
    return f"{place} |> {spec}"


def _native_id(items: list[LexborNode]) -> str | None:
    """An attribute of the block that names it for good: different everywhere and long enough to be no counter."""
    names = [name for name in items[0].attributes if _ID_ATTRIBUTE.search(name)]
    for name in sorted(names, key=lambda name: name == "id"):
        values = [node.attributes.get(name) or "" for node in items]
        digits = [re.sub(r"\D", "", value) for value in values]
        if all(values) and len(set(values)) == len(values) and _no_counter(values, digits):
            return f"@{name}"
    return None


def _no_counter(values: list[str], digits: list[str]) -> bool:
    """Whether they are ids: long, or numbers that do not just count the blocks of the page."""
    if all(len(number) >= 4 for number in digits):
        return True
    return all(digits) and max(int(number[:18]) for number in digits) > 100 * len(values)
