"""Short CSS selectors that a person would write: tag and class, never positions where a name will do."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

MAX_CLASSES = 3
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,40}$")
_NUMBERED = re.compile(r"^([A-Za-z][A-Za-z_-]{1,30}?[_-]?)\d{2,20}$")  # post_1001: the forum's own number behind a word
_PLAIN_ID = re.compile(r"^[A-Za-z][A-Za-z_-]{1,30}$")
# Layout and state say nothing of what stands there; build tools' hashes change with every release.
_LAYOUT = re.compile(
    r"^(?:active|hidden|hide|show|clearfix|cl|fl|fr|first|last|odd|even|row|col(?:-.*)?|pull-.*|mt-?\d+|mb-?\d+|"
    r"container|wrapper|wrap|left|right|center|selected|current|is-.*|has-.*|js-.*|flex|grid|d-.*|text-(?:left|right|center|sm|xs|lg).*)$",
    re.IGNORECASE,
)
_HASHED = re.compile(
    r"^(?:css|sc|jsx|styles?|_+)-?_*[A-Za-z0-9]*\d[A-Za-z0-9]*$|[-_]{1,2}(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{5,}$|^[a-z0-9]*\d[a-z0-9]*\d[a-z0-9]{3,}$"
)


def classes(node: LexborNode) -> list[str]:
    """Return the element's classes that mean something, as they stand."""
    listed = (node.attributes.get("class") or "").split()
    return [
        name for name in listed if _NAME.match(name) and not _LAYOUT.match(name) and not _HASHED.search(name)
    ]


def signatures(node: LexborNode) -> list[str]:
    """Return how the element may be called: `tag.class` for its classes, its microdata or test name, its numbered id."""
    found = [f"{node.tag}.{name}" for name in classes(node)[:MAX_CLASSES]]
    for attribute in ("itemprop", "data-hook", "data-testid"):
        value = node.attributes.get(attribute) or ""
        if _NAME.match(value):
            found.append(f'{node.tag}[{attribute}="{value}"]')
    own = node.attributes.get("id") or ""
    if _PLAIN_ID.match(own):
        found.append(f"{node.tag}#{own}")
    numbered = _NUMBERED.match(own)
    return [*found, f'{node.tag}[id^="{numbered.group(1)}"]'] if numbered else found


def signature(node: LexborNode) -> str | None:
    """Return the first of `signatures`; None where the element has no telling name."""
    return next(iter(signatures(node)), None)


def container(node: LexborNode) -> str | None:
    """Return `container > tag` for a nameless element: its nearest parent with a class or id, at most three up."""
    path, step = str(node.tag), node.parent
    for _ in range(3):
        if step is None or step.tag in ("body", "html"):
            return None
        own = signature(step) or (f"#{step.id}" if step.id and _NAME.match(step.id) else None)
        if own is not None:
            return f"{own} > {path}"
        path, step = f"{step.tag} > {path}", step.parent
    return None


def last_of(path: str) -> str | None:
    """Return how the last of several elements at `tag.class` is found; None for other selectors."""
    tag, _, name = path.partition(".")
    if not (tag.isalnum() and _NAME.match(name)):
        return None
    return f"xpath:(.//{tag}[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')])[last()]"


def head_of(path: str) -> str:
    """Return the selector of a path, without the attribute that it ends in."""
    return path if path.startswith("xpath:") else path.partition("@")[0]


def relatives(node: LexborNode, item: LexborNode) -> list[str]:
    """Return how the element is found within its item; nothing for one that only its position tells."""
    own = signatures(node)
    if own:
        return own
    tag, parent = str(node.tag), node.parent
    if parent is None or not re.fullmatch(r"[a-z][a-z0-9-]*", tag):
        return []
    if tag in ("td", "dd", "th"):
        tag = f"{tag}:nth-child({_position(node)})"
    if parent.mem_id == item.mem_id:
        return [tag]
    above = signature(parent)
    path = f"{above} > {tag}" if above else tag
    found = item.css_first(path)  # a bare tag may stand in several places
    return [path] if found is not None and found.mem_id == node.mem_id else []


def _position(node: LexborNode) -> int:
    count, step = 1, node.prev
    while step is not None:
        count += not (step.tag or "").startswith("-")
        step = step.prev
    return count
