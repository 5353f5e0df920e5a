"""Short CSS selectors that a person would write: tag and class, never positions where a name will do."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{1,40}$")
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


def signature(node: LexborNode) -> str | None:
    """Return `tag.class` (or the tag with its microdata property); None where the element has no telling name."""
    named = classes(node)
    if named:
        return f"{node.tag}.{named[0]}"
    prop = node.attributes.get("itemprop") or ""
    return f'{node.tag}[itemprop="{prop}"]' if _NAME.match(prop) else None


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


def relative(node: LexborNode, item: LexborNode) -> str | None:
    """Return how the element is found within its item; None for one that only its position tells."""
    own = signature(node)
    if own is not None:
        return own
    tag, parent = str(node.tag), node.parent
    if parent is None or not re.fullmatch(r"[a-z][a-z0-9-]*", tag):
        return None
    if tag in ("td", "dd", "th"):
        tag = f"{tag}:nth-child({_position(node)})"
    if parent.mem_id == item.mem_id:
        return tag
    above = signature(parent)
    return f"{above} > {tag}" if above else tag


def _position(node: LexborNode) -> int:
    count, step = 1, node.prev
    while step is not None:
        count += not (step.tag or "").startswith("-")
        step = step.prev
    return count
