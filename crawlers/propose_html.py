"""Proposing how a web page is read: repeated blocks, lists of links, or the one post that the page is."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from crawlers.extractors.documents import HtmlDocument
from crawlers.extractors.values import absolute_url, clean_line
from crawlers.propose_columns import Column, Fields, columns_of, field_paths, own_text
from crawlers.propose_draft import Draft, guess_kind
from crawlers.propose_selectors import container, signature

SAMPLE, GROUPS, MAX_NODES = 24, 14, 30_000
_OUTSIDE = frozenset(
    ("nav", "footer", "script", "style", "head", "noscript", "template", "form", "select", "svg")
)
_ASIDE = re.compile(
    r"(?:^|[-_ ])(?:nav|menu|sidebar|side|aside|footer|breadcrumb|pager|pagination|tabs?|recommend|related|hot|rank|ads?|banner|share|toolbar)(?:$|[-_ ])",
    re.IGNORECASE,
)
_NEXT = (
    'a[rel="next"]',
    "a.next",
    "li.next a",
    ".next > a",
    ".pagination-next a",
    "a.nxt",
    "a.page-next",
    "a.next-page",
    'link[rel="next"]',
)
_FIRST_WORDS = ("楼主", "主楼", "1楼", "1#", "#1", "一楼")
_NEXT_WORDS = ("下一页", "下页", "后一页", "Next", "next")


@dataclass(frozen=True)
class Group:
    """Elements that repeat, and the selector that finds them."""

    selector: str
    nodes: list[LexborNode]


def drafts_of(document: HtmlDocument, base: str, now: dt.datetime, zone: ZoneInfo) -> Iterator[Draft]:
    """Yield ways to read the page, most promising first within each kind."""
    following = _following(document, base)
    for group in _groups(document):
        columns = columns_of(group.nodes[:SAMPLE])
        fields = field_paths(columns, group.nodes[:SAMPLE], base, now, zone)
        if fields.link is not None and (links := _links(group, fields, base)):
            yield Draft(
                {"extract": "html", "links": links}, "列表页（点进去才是正文）", following, links=True
            )
        if "text" in fields.found:
            yield _blocks(document, group, columns, fields, base, following)
    yield from _single(document, base, now, zone, following)


# -- repeated blocks ----------------------------------------------------------------------------------------------


def _groups(document: HtmlDocument) -> list[Group]:
    """Find what repeats; by class first, else by tag under a container that has a name."""
    body = document.tree.body
    if body is None:
        return []
    named: dict[str, list[LexborNode]] = {}
    for count, node in enumerate(body.traverse(include_text=False)):
        if count > MAX_NODES:
            break
        if node.tag in _OUTSIDE or not node.tag or node.tag.startswith(("-", "_", "!")) or _outside(node):
            continue
        name = signature(node) or container(node)
        if name is not None:
            named.setdefault(name, []).append(node)
    ranked = []
    for name, nodes in named.items():
        if len(nodes) < 2 or _nested(nodes):
            continue
        texts = [own_text(node) for node in nodes[:SAMPLE]]
        length = min(statistics.median(map(len, texts)), 400)
        different = len(set(texts)) / len(texts)
        if length >= 6 and different > 0.5:
            ranked.append((min(len(nodes), 40) * length * different, Group(name, nodes)))
    ranked.sort(key=lambda pair: -pair[0])
    return [group for _, group in ranked[:GROUPS]]


def _outside(node: LexborNode) -> bool:
    """Whether the element belongs to the frame around the content."""
    step: LexborNode | None = node
    while step is not None and step.tag not in ("body", "html"):
        if step.tag in _OUTSIDE or _ASIDE.search(
            f"{step.attributes.get('class') or ''} {step.attributes.get('id') or ''}"
        ):
            return True
        step = step.parent
    return False


def _nested(nodes: list[LexborNode]) -> bool:
    known = {node.mem_id for node in nodes}
    inside = 0
    for node in nodes:
        step = node.parent
        while step is not None:
            if step.mem_id in known:
                inside += 1
                break
            step = step.parent
    return inside > 0.2 * len(nodes)


def _blocks(
    document: HtmlDocument,
    group: Group,
    columns: dict[str, Column],
    fields: Fields,
    base: str,
    following: dict[str, Any] | None,
) -> Draft:
    found = dict(fields.found)
    if fields.link is not None:
        found.setdefault("url", fields.link)
    spec = {"items": group.selector, "fields": found}
    first = _first_floor(group, columns)
    if first is None or "rating" in found:
        kind = guess_kind(group.selector, base, found)
        return Draft(
            {"extract": "html", "records": [{"kind": kind, **spec}]},
            "重复区块",
            following,
            in_link=fields.in_link,
        )
    titled = {"title": "page:h1", **found} if document.tree.css_first("h1") is not None else found
    records = [
        {"kind": "post", "items": group.selector, "where": first, "fields": titled},
        {"kind": "comment", "items": group.selector, "where": f"!{first}", "fields": found},
    ]
    return Draft(
        {"extract": "html", "records": records}, "主帖加楼层", following, whole=True, in_link=fields.in_link
    )


def _first_floor(group: Group, columns: dict[str, Column]) -> str | None:
    """A sign that only the thread's own text carries: an attribute that counts from one, or the words for it."""
    for name, value in group.nodes[0].attributes.items():
        if not re.search(r"floor|index|num|no$|position|seq", name) or value not in ("0", "1"):
            continue
        numbers = [node.attributes.get(name) or "" for node in group.nodes]
        if all(number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers):
            # The item counts among its own matches, so the condition has to name it whole.
            return f'{group.selector.split(" ")[-1]}[{name}="{value}"]'
    for column in columns.values():
        word = column.texts[0] if column.rows[0] == 0 else ""
        if word in _FIRST_WORDS and word not in column.texts[1:]:
            return f"xpath:.//*[normalize-space()='{word}']"
    return None


# -- links --------------------------------------------------------------------------------------------------------


def _links(group: Group, fields: Fields, base: str) -> dict[str, Any] | None:
    """A list of links to pages of the same site."""
    host = urlsplit(base).hostname
    addresses = [address for value in fields.link_values if (address := absolute_url(value, base))]
    inside = {
        address
        for address in addresses
        if urlsplit(address).hostname == host and address.split("#")[0] != base.split("#", maxsplit=1)[0]
    }
    if len(inside) < max(2, 0.6 * len(group.nodes[:SAMPLE])):
        return None
    carried: dict[str, Any] = {"url": fields.link}
    if fields.link_title is not None:
        carried["title"] = fields.link_title
    for name in ("author", "published_at", "likes", "shop"):
        if name in fields.found:
            carried[name] = fields.found[name]
    if fields.replies is not None:
        carried["replies"] = fields.replies
    return {"items": group.selector, "fields": carried}


def _following(document: HtmlDocument, base: str) -> dict[str, Any] | None:
    for selector in _NEXT:
        node = document.tree.css_first(selector)
        href = node.attributes.get("href") if node is not None else None
        if href and (address := absolute_url(href, base)) and address != base:
            return {"link": selector}
    for anchor in document.tree.css("a[href]"):
        words = (anchor.text() or "").strip(" \n\t>»›→")
        if (
            words in _NEXT_WORDS
            and (address := absolute_url(anchor.attributes.get("href") or "", base))
            and address != base
        ):
            return {"link": f"xpath://a[contains(., '{words}')]/@href"}
    return None


# -- the page itself ----------------------------------------------------------------------------------------------


def _single(
    document: HtmlDocument, base: str, now: dt.datetime, zone: ZoneInfo, following: dict[str, Any] | None
) -> Iterator[Draft]:
    """The page as one post: named fields where they can be found, the article reader for the rest."""
    body = document.tree.body
    if body is None:
        return
    fields = _fields_of_page(document, body, base, now, zone)
    kind = guess_kind(urlsplit(base).path, fields)
    if "text" in fields:
        yield Draft(
            {"extract": "html", "records": [{"kind": kind, "fields": fields}]}, "单篇内容页", None, whole=True
        )
        if not {"title", "author", "published_at"} <= fields.keys():
            record = {"kind": kind, "article": True, "fields": fields}
            yield Draft({"extract": "html", "records": [record]}, "单篇内容页", None, whole=True)
    elif not _mostly_links(body):
        record = {"kind": "article" if kind == "post" else kind, "article": True}
        yield Draft({"extract": "html", "records": [record]}, "文章", None, whole=True)


def _mostly_links(body: LexborNode) -> bool:
    """Whether the page leads elsewhere rather than saying something itself."""
    linked = sum(len(own_text(anchor)) for anchor in body.css("a[href]"))
    return linked > 0.25 * len(clean_line(body.text(separator=" "), 100_000))


def _fields_of_page(
    document: HtmlDocument, body: LexborNode, base: str, now: dt.datetime, zone: ZoneInfo
) -> dict[str, Any]:
    roots = [
        node for selector in ("article", "main", '[role="main"]') for node in document.tree.css(selector)
    ]
    root = roots[0] if len(roots) == 1 or (roots and roots[0].tag == "article") else body
    columns = {path: column for path, column in columns_of([root]).items() if not _outside(column.nodes[0])}
    found = dict(field_paths(columns, [root], base, now, zone).found)
    found.pop("native_id", None)
    found.pop("url", None)
    text = _main_text(columns, found)
    if text is None:
        return {}
    head = document.tree.css_first("h1")
    title = signature(head) or "h1" if head is not None else found.get("title")
    order = {
        "title": title,
        "text": text,
        "author": found.get("author"),
        "published_at": found.get("published_at"),
        "likes": found.get("likes"),
        "rating": found.get("rating"),
    }
    return {name: path for name, path in order.items() if path}


def _main_text(columns: dict[str, Column], found: dict[str, Any]) -> str | None:
    """The element with most words outside links that holds no time, no author and no list of links."""
    others = [
        columns[str(path).split("@")[0]].nodes[0]
        for name, path in found.items()
        if name in ("author", "published_at", "title") and str(path).split("@")[0] in columns
    ]
    best, length = None, SAMPLE / 2
    for path, column in columns.items():
        node = column.nodes[0]
        if (
            node.tag in ("h1", "h2", "a", "time", "dl", "table", "ul", "ol", "header")
            or node.css_first("h1, time, form") is not None
        ):
            continue
        if any(_within(other, node) for other in others):
            continue
        links = sum(len(anchor.text() or "") for anchor in node.css("a"))
        words = len(own_text(node)) - 2 * links
        if words > length:
            best, length = path, words
    return best


def _within(node: LexborNode, outer: LexborNode) -> bool:
    step: LexborNode | None = node
    while step is not None:
        if step.mem_id == outer.mem_id:
            return True
        step = step.parent
    return False
