"""Proposing how a web page is read: repeated blocks, lists of links, or the one post that the page is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from crawlers.extractors.documents import HtmlDocument
from crawlers.extractors.values import absolute_url, clean_line
from crawlers.propose_blocks import SAMPLE, Group, first_floor, groups_of, outside, records_of
from crawlers.propose_columns import Column, columns_of, field_paths, own_text
from crawlers.propose_draft import Draft, guess_kind
from crawlers.propose_json import MORE
from crawlers.propose_selectors import head_of, signature
from vocwatch.lang import tr

MAX_ANCHORS = 2000
REVIEWS = re.compile(r"评价|评论|点评|口碑|回复|review|comment|rating", re.IGNORECASE)
PAGE_PARAM = re.compile(r"p|pn|pg|page|page_?(?:no|num|index)|cur(?:rent)?_?page", re.IGNORECASE)
STEPS = re.compile(r"step|timeline|progress|track|status|history|log$", re.IGNORECASE)  # what became of it, nobody's words
GUESSED = 0.8  # what a page loses whose parts have no names that could be read
MAX_TALKS = 3  # groups of comments tried on the page of one post
COMMENTS = re.compile(r"comment|repl|answer|floor|cmt|pinglun|huifu|discuss|talk|review|message", re.IGNORECASE)

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
_NEXT_WORDS = ("下一页", "下页", "后一页", "Next", "next")


def drafts_of(document: HtmlDocument, base: str, now: dt.datetime, zone: ZoneInfo) -> Iterator[Draft]:
    """Yield ways to read the page, most promising first within each kind."""
    following = _following(document, base)
    groups = groups_of(document, base, now, zone)
    for group in [group for group in groups if len(group.nodes) > 1]:
        if group.fields.link is not None and (links := _links(group, base)):
            step = {"extract": "html", "links": links}
            yield Draft(step, tr("列表页（点进去才是正文）", "a list (the texts stand behind it)"), following, links=True)
        if "text" in group.fields.found:
            yield from _blocks(document, group, base, following)
    for single in _single(document, base, now, zone, groups):
        node = _place_of(document, single)
        own = dataclasses.replace(single, bonus=single.bonus * _alone(node, groups))
        yield own
        yield from _with_comments(own, node, groups, following)


def _place_of(document: HtmlDocument, single: Draft) -> LexborNode | None:
    """Return the element that holds the post's words, where the draft names it by a selector."""
    path = single.step["records"][0].get("fields", {}).get("text")
    usable = isinstance(path, str) and " |> " not in path and not path.startswith("xpath:")
    return document.tree.css_first(head_of(path)) if usable else None


def _alone(node: LexborNode | None, groups: list[Group]) -> float:
    """What people say in blocks is not one text, however long it is together; nor is one of the blocks the page."""
    talks = [group for group in groups if group.talk and len(group.nodes) > 1]
    if node is None:
        return GUESSED if talks else 1.0
    inside = any(group.holds(node) or sum(_within(one, node) for one in group.nodes) > 1 for group in talks)
    return 0.5 if inside else 1.0


# -- repeated blocks ----------------------------------------------------------------------------------------------


def _blocks(
    document: HtmlDocument, group: Group, base: str, following: dict[str, Any] | None
) -> Iterator[Draft]:
    """The blocks as records; as a thread where the first of them is its beginning."""
    first = first_floor(group)
    kind = guess_kind(group.selector, base, group.fields.found)
    records = records_of(group, kind)
    linked = group.fields.in_link
    if first is None or "rating" in group.fields.found:
        if len(records) > 1:
            step = {"extract": "html", "records": records}
            yield Draft(step, tr("重复区块", "repeated blocks"), following, in_link=linked, bonus=MORE)
        yield Draft({"extract": "html", "records": records[:1]}, tr("重复区块", "repeated blocks"), following, in_link=linked)
        return
    main = records[0]
    titled = main["fields"]
    if document.tree.css_first("h1") is not None:
        titled = {"title": "page:h1", **titled}
    records = [
        {**main, "kind": "post", "where": first, "fields": titled},
        {**main, "kind": "comment", "where": f"!{first}"},
        *records[1:],
    ]
    yield Draft({"extract": "html", "records": records}, tr("主帖加楼层", "a post and its floors"), following, whole=True, in_link=linked)


def _with_comments(
    single: Draft, node: LexborNode | None, groups: list[Group], following: dict[str, Any] | None
) -> Iterator[Draft]:
    """The page as a post with comments: blocks that people speak in and that do not hold the post itself."""
    main = single.step["records"][0]
    talks = [group for group in groups if group.talk and not group.fields.in_link and not STEPS.search(group.selector)]
    talks = [group for group in talks if node is None or not group.holds(node)]
    named = [group for group in talks if COMMENTS.search(group.selector)]
    # Blocks with pages of their own are more posts, not comments on this one.
    sure = [group for group in talks if {"author", "published_at"} <= group.fields.found.keys() and not group.fields.link]
    for group in list({id(group): group for group in (*named, *sure)}.values())[:MAX_TALKS]:
        records = records_of(group, "comment")
        for record in records:
            record["fields"] = {key: value for key, value in record["fields"].items() if key not in ("title", "shop")}
        step = {"extract": "html", "records": [main, *records]}
        yield Draft(step, tr(f"{single.label}加评论", f"{single.label} with comments"), following, whole=True, bonus=single.bonus)


# -- links --------------------------------------------------------------------------------------------------------


def _links(group: Group, base: str) -> dict[str, Any] | None:
    """A list of links to pages of the same site."""
    host, fields = urlsplit(base).hostname, group.fields
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
    elif fields.link == "@href":
        carried["title"] = ":scope"
    for name in ("author", "published_at", "likes", "shop"):
        if name in fields.found:
            carried[name] = fields.found[name]
    if fields.replies is not None:
        carried["replies"] = fields.replies
    return {"items": group.selector, "fields": carried}


def more_in(document: HtmlDocument, base: str) -> str | None:
    """Return where a product's page keeps its reviews: a link to an address below its own, or one that says so."""
    own = urlsplit(base)
    name = own.path.rstrip("/").rpartition("/")[2]
    for anchor in document.tree.css("a[href]")[:MAX_ANCHORS]:
        words = f"{anchor.text() or ''} {anchor.attributes.get('class') or ''} {anchor.attributes.get('href')}"
        address = absolute_url(anchor.attributes.get("href") or "", base)
        there = urlsplit(address) if address else None
        if there is None or not REVIEWS.search(words) or there.netloc != own.netloc or there.path == own.path:
            continue
        if len(name) > 1 and name in f"{there.path}?{there.query}":
            return address
    return None


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
    return _counted(document, base)


def _counted(document: HtmlDocument, base: str) -> dict[str, Any] | None:
    """A pager of numbers: a link to this very page whose number is one higher."""
    here = urlsplit(base)
    mine = dict(parse_qsl(here.query))
    for anchor in document.tree.css("a[href]")[:MAX_ANCHORS]:
        address = absolute_url(anchor.attributes.get("href") or "", base)
        there = urlsplit(address) if address else None
        if there is None or (there.netloc, there.path) != (here.netloc, here.path):
            continue
        theirs = dict(parse_qsl(there.query))
        changed = {name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name)}
        if len(changed) == 1:
            name = changed.pop()
            if PAGE_PARAM.fullmatch(name) and theirs.get(name) == str(int(mine.get(name, "1")) + 1 if mine.get(name, "1").isdigit() else 2):
                return {"param": name}
    return None


# -- the page itself ----------------------------------------------------------------------------------------------


def _single(
    document: HtmlDocument, base: str, now: dt.datetime, zone: ZoneInfo, groups: list[Group]
) -> Iterator[Draft]:
    """The page as one post: named fields where they can be found, the article reader for the rest."""
    body = document.tree.body
    if body is None:
        return
    fields = _fields_of_page(document, body, base, now, zone, groups)
    kind = guess_kind(urlsplit(base).path, fields)
    if "text" in fields:
        yield Draft(
            {"extract": "html", "records": [{"kind": kind, "fields": fields}]}, tr("单篇内容页", "a single post"), None, whole=True
        )
        if not {"title", "author", "published_at"} <= fields.keys():
            record = {"kind": kind, "article": True, "fields": fields}
            yield Draft({"extract": "html", "records": [record]}, tr("单篇内容页", "a single post"), None, whole=True)
    elif not _mostly_links(body):
        record = {"kind": "article" if kind == "post" else kind, "article": True}
        yield Draft({"extract": "html", "records": [record]}, tr("文章", "an article"), None, whole=True, bonus=GUESSED)


def _mostly_links(body: LexborNode) -> bool:
    """Whether the page leads elsewhere rather than saying something itself."""
    linked = sum(len(own_text(anchor)) for anchor in body.css("a[href]"))
    return linked > 0.25 * len(clean_line(body.text(separator=" "), 100_000))


def _fields_of_page(
    document: HtmlDocument, body: LexborNode, base: str, now: dt.datetime, zone: ZoneInfo, groups: list[Group]
) -> dict[str, Any]:
    roots = [
        node for selector in ("article", "main", '[role="main"]') for node in document.tree.css(selector)
    ]
    root = roots[0] if len(roots) == 1 or (roots and roots[0].tag == "article") else body
    talks = [group.nodes for group in groups if group.talk and not _within(root, group.nodes[0])]
    said = frozenset(node.mem_id for nodes in talks for node in nodes)
    columns = {path: column for path, column in columns_of([root], said).items() if not outside(column.nodes[0])}
    found = dict(field_paths(columns, [root], base, now, zone).found)
    found.pop("native_id", None)
    found.pop("url", None)
    text = _main_text(columns, found, talks)
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


def _main_text(
    columns: dict[str, Column], found: dict[str, Any], talks: list[list[LexborNode]]
) -> str | None:
    """The element with most words outside links that holds no time, no author and no list of links."""
    others = [
        columns[head_of(str(path))].nodes[0]
        for name, path in found.items()
        if name in ("author", "published_at", "title") and head_of(str(path)) in columns
    ]
    best, length = None, SAMPLE / 2
    for path, column in columns.items():
        node = column.nodes[0]
        if (
            node.tag in ("h1", "h2", "a", "time", "dl", "table", "tbody", "tr", "ul", "ol", "header")
            or node.css_first("h1, time, form") is not None
        ):
            continue
        if any(_within(other, node) for other in others) or path.startswith("xpath:"):
            continue
        if any(sum(_within(one, node) for one in nodes) > 1 for nodes in talks):
            continue  # what holds the comments is not the post
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
