"""Repeated blocks of a web page: which elements repeat, what hangs below them, and how one is told from the others."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborNode

from crawlers.extractors.documents import HtmlDocument
from crawlers.propose_columns import MAX_PARTS, Column, Fields, columns_of, field_paths, own_text
from crawlers.propose_selectors import container, signatures

SAMPLE, GROUPS, MAX_NODES, MAX_BELOW = 24, 16, 30_000, 2
_OUTSIDE = frozenset(
    ("nav", "footer", "script", "style", "head", "noscript", "template", "form", "select", "svg")
)
_ASIDE = re.compile(
    r"(?:^|[-_ ])(?:nav|menu|sidebar|side|aside|footer|breadcrumb|pager|pagination|tabs?|recommend|related|hot|rank|ads?|banner|share|toolbar|sponsored|promo)(?:$|[-_ ])",
    re.IGNORECASE,
)
_FIRST_WORDS = ("楼主", "主楼", "1楼", "1#", "#1", "一楼", "沙发前")
_APPEND = re.compile(r"append|follow|additional|zhui|supplement", re.IGNORECASE)
_REPLY = re.compile(r"seller|merchant|official|shop|vendor|owner|business|response|company", re.IGNORECASE)
_COMMENT = re.compile(r"comment|reply|cmt|pinglun|huifu", re.IGNORECASE)
_BELOW = re.compile(r"append|follow|zhui|repl|respon|seller|merchant|answer|comment|child|sub|lzl|cmt|floor", re.IGNORECASE)


@dataclass(frozen=True)
class Below:
    """What hangs below a block: a record specification without its kind; `single` means at most one in each block."""

    selector: str
    kind: str
    fields: dict[str, Any]
    nodes: list[LexborNode]
    single: bool


@dataclass(frozen=True)
class Group:
    """Elements that repeat, the selector that finds them, and what their parts are."""

    selector: str
    nodes: list[LexborNode]
    columns: dict[str, Column]
    fields: Fields
    below: tuple[Below, ...]

    @property
    def talk(self) -> bool:
        """Whether people say something in them: words with a name or a time beside them."""
        return "text" in self.fields.found and bool({"author", "published_at"} & self.fields.found.keys())

    def holds(self, node: LexborNode) -> bool:
        """Whether the element stands in one of the blocks."""
        return _within_any(node, {own.mem_id for own in self.nodes})


def outside(node: LexborNode) -> bool:
    """Whether the element belongs to the frame around the content."""
    step: LexborNode | None = node
    while step is not None and step.tag not in ("body", "html"):
        names = f"{step.attributes.get('class') or ''} {step.attributes.get('id') or ''}"
        if step.tag in _OUTSIDE or _ASIDE.search(names):
            return True
        step = step.parent
    return False


def groups_of(document: HtmlDocument, base: str, now: dt.datetime, zone: ZoneInfo) -> list[Group]:
    """Find what repeats; by class first, else by tag under a container that has a name."""
    body = document.tree.body
    if body is None:
        return []
    named: dict[str, list[LexborNode]] = {}
    for count, node in enumerate(body.traverse(include_text=False)):
        if count > MAX_NODES:
            break
        if node.tag in _OUTSIDE or not node.tag or node.tag.startswith(("-", "_", "!")) or outside(node):
            continue
        for name in signatures(node) or [found for found in (container(node),) if found]:
            named.setdefault(name, []).append(node)
    ranked = []
    alone = [(name, nodes) for name, nodes in named.items() if len(nodes) == 1 and _COMMENT.search(name)]
    for name, nodes in _different(named):
        if len(nodes) < 2 or (_nested(nodes) and not _BELOW.search(name)):
            continue
        texts = [own_text(node) for node in nodes[:SAMPLE]]
        length = min(statistics.median(map(len, texts)), 400)
        different = len(set(texts)) / len(texts)
        if length >= 6 and different > 0.5:
            ranked.append((min(len(nodes), 40) * length * different, name, nodes))
    ranked.sort(key=lambda one: -one[0])
    repeated = [_looked_into(name, nodes, base, now, zone) for _, name, nodes in ranked[:GROUPS]]
    return [*repeated, *_only_ones([_looked_into(name, nodes, base, now, zone) for name, nodes in alone[:GROUPS]])]


def _only_ones(groups: list[Group]) -> list[Group]:
    """A page's only comment: the innermost element that is called so and has words, a name and a time."""
    whole = [group for group in groups if {"text", "author", "published_at"} <= group.fields.found.keys()]
    return [one for one in whole if not any(other is not one and one.holds(other.nodes[0]) for other in whole)]


def _different(named: dict[str, list[LexborNode]]) -> Iterator[tuple[str, list[LexborNode]]]:
    """Yield the groups; of several names for the same elements the first."""
    known: set[tuple[int, ...]] = set()
    for name, nodes in named.items():
        key = tuple(node.mem_id for node in nodes)
        if key not in known:
            known.add(key)
            yield name, nodes


def _looked_into(name: str, nodes: list[LexborNode], base: str, now: dt.datetime, zone: ZoneInfo) -> Group:
    sample = nodes[:SAMPLE]
    below = _below(sample, base, now, zone)
    # Blocks of the same name inside a block are blocks of their own.
    skip = frozenset(node.mem_id for node in nodes) | {node.mem_id for one in below for node in one.nodes}
    above = _above(below, {node.mem_id for node in nodes})
    columns = {
        path: column for path, column in columns_of(sample, skip).items() if not any(node.mem_id in above for node in column.nodes)
    }
    return Group(name, nodes, columns, field_paths(columns, sample, base, now, zone), below)


def _above(below: tuple[Below, ...], items: set[int]) -> set[int]:
    """What stands between a block and what hangs below it: its words are not the block's own."""
    found: set[int] = set()
    for one in below:
        for node in one.nodes:
            step = node.parent
            while step is not None and step.mem_id not in items:
                found.add(step.mem_id)
                step = step.parent
    return found


def _nested(nodes: list[LexborNode]) -> bool:
    known = {node.mem_id for node in nodes}
    return sum(node.parent is not None and _within_any(node.parent, known) for node in nodes) > 0.2 * len(nodes)


def _within_any(node: LexborNode, known: set[int]) -> bool:
    step: LexborNode | None = node
    while step is not None:
        if step.mem_id in known:
            return True
        step = step.parent
    return False


# -- below --------------------------------------------------------------------------------------------------------


def _below(items: list[LexborNode], base: str, now: dt.datetime, zone: ZoneInfo) -> tuple[Below, ...]:
    """Follow-ups, answers and comments inside the blocks, the most frequent first."""
    own = {node.mem_id for node in items}
    listed: dict[str, list[tuple[int, LexborNode]]] = {}
    for row, item in enumerate(items):
        for node in item.css("[class]")[:200]:
            name = next((name for name in signatures(node) if _BELOW.search(name)), None)
            if node.mem_id not in own and name is not None:
                listed.setdefault(name, []).append((row, node))
    found: list[Below] = []
    for name, parts in sorted(listed.items(), key=lambda pair: -len(pair[1])):
        nodes, rows = [node for _, node in parts], [row for row, _ in parts]
        single = len(set(rows)) == len(rows)
        certain = bool(_APPEND.search(name) or _REPLY.search(name))
        if len(found) >= MAX_BELOW or (single and len(rows) == len(items) and not certain) or _overlap(nodes, found):
            continue
        fields = field_paths(columns_of(nodes[:SAMPLE]), nodes[:SAMPLE], base, now, zone).found
        if "text" in fields and (certain or "author" in fields or "published_at" in fields):
            kind = "append" if _APPEND.search(name) else "reply" if _REPLY.search(name) else "comment"
            wanted = ("native_id", "text", "author", "published_at", "likes")
            found.append(Below(name, kind, {key: fields[key] for key in wanted if key in fields}, nodes, single))
    return tuple(found)


def _overlap(nodes: list[LexborNode], found: list[Below]) -> bool:
    """Whether the elements stand in ones that are taken, or hold them."""
    taken = {node.mem_id for one in found for node in one.nodes}
    inner = {node.mem_id for node in nodes}
    return any(_within_any(node, taken) for node in nodes) or any(
        _within_any(node, inner) for one in found for node in one.nodes
    )


# -- records ------------------------------------------------------------------------------------------------------


def records_of(group: Group, kind: str) -> list[dict[str, Any]]:
    """Return the record specifications of the blocks: themselves, then what hangs below them."""
    found = dict(group.fields.found)
    if group.fields.link is not None:
        found.setdefault("url", group.fields.link)
    main = {"kind": kind, "items": group.selector, "fields": found}
    return [main, *(_below_spec(group, one, found) for one in group.below)]


def _below_spec(group: Group, one: Below, above: dict[str, Any]) -> dict[str, Any]:
    own_id = above.get("native_id")
    if not one.single or not isinstance(own_id, str):
        return {"kind": one.kind, "items": f"{group.selector} {one.selector}", "fields": dict(one.fields)}
    inner = {name: _under(one.selector, path) for name, path in one.fields.items() if name != "native_id"}
    known = {"native_id": {"path": own_id, "template": f"{{value}}-{one.kind}"}, "parent": own_id}
    if "url" in above:
        known["url"] = above["url"]
    if one.kind == "append" and "author" in above:
        inner.setdefault("author", above["author"])
    return {"kind": one.kind, "items": group.selector, "where": one.selector, "fields": {**known, **inner}}


def _under(selector: str, path: Any) -> Any:
    if isinstance(path, dict):
        return {**path, "path": _under(selector, path["path"])}
    if path.startswith("xpath:"):
        return path
    return f"{selector}{path}" if path.startswith("@") else f"{selector} {path}"


def first_floor(group: Group) -> str | None:
    """A sign that only the thread's own text carries: an attribute that counts from one, or the words for it."""
    for name, value in group.nodes[0].attributes.items():
        if not re.search(r"floor|index|num|no$|position|seq", name) or value not in ("0", "1"):
            continue
        numbers = [node.attributes.get(name) or "" for node in group.nodes]
        if all(number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers):
            # The item counts among its own matches, so the condition has to name it whole.
            return f'{group.selector.split(" ")[-1]}[{name}="{value}"]'
    here = _words_in(group.nodes[0])
    others = set().union(*(_words_in(node) for node in group.nodes[1:SAMPLE]))
    word = next((word for word in _FIRST_WORDS if word in here and word not in others), None)
    return f"xpath:.//*[normalize-space()='{word}']" if word else None


def _words_in(node: LexborNode) -> set[str]:
    """The shortest texts of a block, each that of one element: 楼主, 1楼."""
    return {text for inner in node.css("*")[:MAX_PARTS] if len(text := (inner.text() or "").strip()) <= 4}
