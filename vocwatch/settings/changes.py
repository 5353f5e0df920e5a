"""Changes to the text of a configuration file, kept as data: they can be shown, wait, and be made again later.

Only the lines that have to change do: what ruamel would lay out differently elsewhere stays as the person wrote it.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from vocwatch.lang import tr
from vocwatch.settings.yamlfile import ConfigError

PLACE = "<file>"
"""Stands for the file's path in the problems that are told of a text."""
WATCH, RED_LINE = "watch:", "red:"
_FLOW = 100


@dataclass(frozen=True)
class Change:
    """One change. `op`: `watch` (`entry` watch:ID, `item` its keys or None to take it out), `red_line` (`entry` red:NAME,
    `item` its keys), `keys` (`values`: dotted key -> value, None takes it out; `remark` is put above the first, where it
    is a top-level one), `content` (the whole text).
    """

    op: str
    entry: str = ""
    item: Mapping[str, Any] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    content: str = ""
    remark: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return json.loads(json.dumps(asdict(self), ensure_ascii=False))  # type: ignore[no-any-return]

    @staticmethod
    def of(plain: Mapping[str, Any]) -> Change:
        """Return what `plain` gave."""
        return Change(**plain)


def apply_change(text: str, change: Change) -> str:
    """Return the text with the change made. Raises ConfigError, naming `PLACE` and the line, and ValueError."""
    if change.op == "content":
        return change.content
    steps: dict[str, Callable[[Any], None]] = {
        "watch": lambda tree: _set_entry(tree, "watches", "id", change, WATCH),
        "red_line": lambda tree: _set_entry(tree, "red_lines", "name", change, RED_LINE),
        "keys": lambda tree: _set_keys(tree, change.values, change.remark),
    }
    return edit_text(text, steps[change.op])


def entry_mark(text: str, file: str, change: Change) -> str:
    """Return a mark of the entry that a change is about: the same as long as nobody changes that entry."""
    try:
        tree = plain_tree(text)
    except ConfigError:
        return "broken-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    key, name, prefix = ("watches", "id", WATCH) if change.op == "watch" else ("red_lines", "name", RED_LINE)
    found = _entries(tree, key, name).get(change.entry.removeprefix(prefix))
    return hashlib.sha256(json.dumps(found, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


def guarded(file: str, before: str, after: str) -> bool:
    """Whether a change touches a red line: a class of topics.yaml, or a watch that is or becomes one."""
    try:
        old = plain_tree(before) if before else {}
    except ConfigError:
        old = {}
    new = plain_tree(after) if after else {}
    if file == "topics.yaml":
        return bool(_entries(old, "red_lines", "name") != _entries(new, "red_lines", "name"))
    if file == "watches.yaml":
        was, will = _entries(old, "watches", "id"), _entries(new, "watches", "id")
        return any(
            was.get(name) != will.get(name) and any((one or {}).get("red_line") for one in (was.get(name), will.get(name)))
            for name in {*was, *will}
        )
    return False


@lru_cache(maxsize=16)
def plain_tree(text: str) -> Any:
    """Return a YAML text as plain values, not to be changed. Raises ConfigError naming `PLACE` and the line."""
    return _read(YAML(typ="safe", pure=True), text)


def edit_text(text: str, step: Callable[[Any], None]) -> str:
    """Return a YAML text in which `step` has changed the tree; lines that it leaves alone stay as they are."""
    tree = _read(_yaml(), text)
    if not isinstance(tree, CommentedMap):
        raise ConfigError([tr(f"{PLACE}:1: 应为“键: 值”的写法", f"{PLACE}:1: expected “key: value” lines")])
    layout = _layout_of(text)
    before = _dumped(tree, layout)
    step(tree)
    after = _dumped(tree, layout)
    if before == text:
        return after
    meant = plain_tree(after)
    for whole in (False, True):
        made = _grafted(text, before, after, layout[1] if whole else None)
        try:
            if plain_tree(made) == meant:
                return made
        except ConfigError:
            continue  # pieces of two layouts that do not fit together
    return after


def _read(yaml: YAML, text: str) -> Any:
    try:
        return yaml.load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or type(error).__name__
        raise ConfigError([tr(f"{PLACE}:{mark.line + 1 if mark else 1}: YAML 写法有误：{problem}",
                              f"{PLACE}:{mark.line + 1 if mark else 1}: not valid YAML: {problem}")]) from error


def _layout_of(text: str) -> tuple[int, int]:
    """How far a person puts in keys below keys, and lists below keys: (mapping, list)."""
    mapping, listed, last = 2, 2, ""
    found_map = found_list = False
    for line in text.splitlines():
        bare = line.lstrip()
        if not bare or bare.startswith("#"):
            continue
        far = len(line) - len(bare)
        if last.split("#", maxsplit=1)[0].rstrip().endswith(":") and not last.startswith((" ", "-")):
            if bare.startswith("- ") and not found_list:
                listed, found_list = far, True
            elif not bare.startswith("-") and far and not found_map:
                mapping, found_map = far, True
        last = line
    return min(mapping, 8), min(listed, 8)


def _yaml(layout: tuple[int, int] = (2, 2)) -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=layout[0], sequence=layout[1] + 2, offset=layout[1])
    return yaml


def _dumped(tree: Any, layout: tuple[int, int]) -> str:
    buffer = io.StringIO()
    _yaml(layout).dump(tree, buffer)
    return buffer.getvalue()


def _grafted(text: str, before: str, after: str, listed: int | None) -> str:
    """Carry the lines that differ between `before` and `after` over to `text`, which is `before` laid out another way.

    `listed`: how far the entries of the list stand in of which one is replaced whole; None: line by line.
    """
    own, old, new = text.splitlines(), before.splitlines(), after.splitlines()
    places: dict[int, int] = {-1: -1, len(old): len(own)}
    bare, written = (["".join(line.split()) for line in lines] for lines in (old, own))
    alike = difflib.SequenceMatcher(None, bare, written, autojunk=False)
    for one, two, size in alike.get_matching_blocks():
        places.update({one + step: two + step for step in range(size)})
    regions = [
        (left, right, first, last) for tag, left, right, first, last
        in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if tag != "equal"
    ]
    if listed is not None and regions:
        regions = [_whole_entry(old, regions[0], regions[-1], " " * listed + "- ")]
    made: list[str] = []
    at = 0
    for left, right, first, last in regions:
        start, stop = left, right
        while start - 1 not in places:
            start -= 1
        while stop not in places:
            stop += 1
        made += own[at:places[start - 1] + 1]
        made += [*old[start:left], *new[first:last], *old[right:stop]]
        at = places[stop]
    return "\n".join([*made, *own[at:]]) + "\n"


_Region = tuple[int, int, int, int]


def _whole_entry(old: list[str], one: _Region, other: _Region, mark: str) -> _Region:
    left, right, first, last = one[0], other[1], one[2], other[3]
    while left > 0 and not (left < len(old) and old[left].startswith(mark)):
        left, first = left - 1, first - 1
    while right < len(old) and not old[right].startswith(mark):
        right, last = right + 1, last + 1
    return left, right, first, last


# -- entries and keys ---------------------------------------------------------------------------------------------


def _entries(tree: Any, key: str, name: str) -> dict[str, Any]:
    listed = tree.get(key) if isinstance(tree, dict) else None
    return {str(item.get(name)): item for item in listed or () if isinstance(item, dict)} if isinstance(listed, list) else {}


def _set_entry(tree: Any, key: str, name: str, change: Change, prefix: str) -> None:
    wanted = change.entry.removeprefix(prefix)
    if not isinstance(tree.get(key), list):
        tree[key] = CommentedSeq()
    listed = tree[key]
    place = next((at for at, item in enumerate(listed) if isinstance(item, dict) and str(item.get(name)) == wanted), None)
    if change.item is None:
        if place is not None:
            del listed[place]
    elif place is None:
        listed.append(_made(change.item))
    else:
        _update(listed[place], change.item)


def _set_keys(tree: Any, values: Mapping[str, Any], remark: str = "") -> None:
    for dotted, value in values.items():
        *path, last = dotted.split(".")
        node = tree
        for part in path:
            if not isinstance(node.get(part), dict):
                if value is None:
                    break
                node[part] = CommentedMap()
            node = node[part]
        else:
            if value is None:
                node.pop(last, None)
            else:
                _update(node, {last: value}, only=True)
    if remark and values:
        tree.yaml_set_comment_before_after_key(next(iter(values)), before=remark)


def _update(node: Any, wanted: Mapping[str, Any], only: bool = False) -> None:
    """Make a mapping say what is wanted; what says it already is left alone. `only`: other keys stay."""
    for key in () if only else [key for key in node if key not in wanted]:
        del node[key]
    for key, value in wanted.items():
        known = node.get(key)
        if key in node and _same(known, value):
            continue
        if isinstance(known, dict) and isinstance(value, Mapping):
            _update(known, value)
        elif isinstance(known, CommentedSeq) and isinstance(value, Sequence) and not isinstance(value, str):
            _update_list(known, list(value))
        else:
            node[key] = _made(value)


def _update_list(node: CommentedSeq, wanted: list[Any]) -> None:
    for at in reversed(range(len(node))):
        if not any(_same(node[at], value) for value in wanted):
            del node[at]
    for value in wanted:
        if not any(_same(one, value) for one in node):
            node.append(_made(value))
    if not _same(node, wanted):  # another order
        node[:] = [_made(value) for value in wanted]


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, default=str, sort_keys=True) == json.dumps(other, default=str, sort_keys=True)


def _made(value: Any) -> Any:
    """A value as ruamel lays it out: short lists of plain values on one line."""
    if isinstance(value, Mapping):
        made = CommentedMap((key, _made(one)) for key, one in value.items())
        return made
    if isinstance(value, list | tuple):
        listed = CommentedSeq(_made(one) for one in value)
        short = sum(len(str(one)) + 2 for one in value) <= _FLOW or not any(len(str(one)) > 20 for one in value)
        if short and all(not isinstance(one, dict | list | tuple) for one in value):
            listed.fa.set_flow_style()
        return listed
    return value
