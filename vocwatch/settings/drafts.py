"""A watch as somebody is writing it: what a form or a file gives, checked as the loader would, with plain words for
every fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from vocwatch.laboratory import Problem
from vocwatch.lang import tr
from vocwatch.settings.watches import Watch, Watches

MOST_WORDS = 20_000
"""Words of one watch."""
LISTS = ("aliases", "ambiguous", "exclude", "patterns", "examples", "counter_examples")
NESTED = {"require": ("all", "any", "none"), "context": ("any", "none")}
LINES = frozenset(("patterns", "examples", "counter_examples", "require.all", "require.any", "require.none"))
"""Lists of which an entry may hold blanks and commas: one a line."""
_SPLIT = re.compile(r"[\s,，、;；]+")
_NAMES = {
    "id": ("编号", "id"), "name": ("名称", "name"), "aliases": ("别名", "aliases"), "ambiguous": ("有歧义的叫法", "ambiguous"),
    "exclude": ("排除", "exclude"), "patterns": ("正则", "patterns"), "query": ("表达式", "query"), "require": ("条件", "require"),
    "context": ("上下文", "context"), "brand": ("所属品牌", "brand"), "kind": ("类别", "kind"), "variants": ("变体", "variants"),
}


class DraftError(ValueError):
    """A watch that can't be taken; `problems` say why, each with its field."""

    def __init__(self, problems: Sequence[Problem]):
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = list(problems)


def with_watch(watches: Watches, fields: Mapping[str, Any], replaces: str = "") -> tuple[Watches, Watch]:
    """Return the watches with one added, or put in the place of `replaces`, and that one. Raises DraftError."""
    words = sum(len(value) for value in fields.values() if isinstance(value, list | tuple))
    if words > MOST_WORDS:
        raise DraftError([Problem("aliases", tr(f"一共 {words} 个词，一条监测词最多 {MOST_WORDS} 个，请拆成几条",
                                                f"{words} words, at most {MOST_WORDS} in one watch: split it"))])
    try:
        watch = Watch.model_validate(dict(fields))
    except ValidationError as error:
        raise DraftError([_problem(fault, fields) for fault in error.errors()[:20]]) from error
    others = [one for one in watches.watches if one.id != replaces]
    place = next((number for number, one in enumerate(watches.watches) if one.id == replaces), len(others))
    try:
        made = Watches.model_validate({"watches": (*others[:place], watch, *others[place:]), "learned": watches.learned})
    except ValidationError as error:
        raise DraftError([_problem(fault, fields) for fault in error.errors()[:20]]) from error
    return made, watch


def _problem(fault: Any, fields: Mapping[str, Any]) -> Problem:
    where = [str(part) for part in fault["loc"] if str(part) != "watches"]
    key = where[0] if where and where[0] in Watch.model_fields else ""
    said = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "missing" or (key in ("id", "name") and not fields.get(key)):
        said = tr("要填", "is needed")
    elif fault["type"] == "literal_error":
        said = tr(f"只能是 {fault['ctx']['expected'].replace(' or ', '、').replace(chr(39), '')}", said)
    elif fault["type"] not in ("value_error", "assertion_error"):
        said = tr("写法不对", said)
    if not key and f"“{fields.get('name')}”" in said:
        key = "name"
    name, given = tr(*_NAMES[key]) if key in _NAMES else key, fault.get("input")
    quoted = isinstance(given, str) and 0 < len(given) <= 40 and given.isprintable() and given not in said
    shown = f"{name}“{given}”" if quoted else name
    return Problem(".".join(where[:2]) if key in NESTED else key, f"{shown}{tr('：', ': ') if shown else ''}{said}")


def split_words(text: str, lines: bool = False) -> list[str]:
    """Return the entries of a field as somebody typed them: one a line, or parted by blanks and commas too."""
    parts = text.splitlines() if lines else _SPLIT.split(text)
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def fields_of(form: Mapping[str, str]) -> dict[str, Any]:
    """Return a watch's keys from the fields of a form, `require.all` and the like among them; what is empty is left out."""
    found: dict[str, Any] = {}
    for key in ("id", "kind", "name", "query", "brand", "sku"):
        if value := form.get(key, "").strip():
            found[key] = value
    for key in LISTS:
        if words := split_words(form.get(key, ""), key in LINES):
            found[key] = words
    for key, parts in NESTED.items():
        inner: dict[str, Any] = {
            part: words for part in parts if (words := split_words(form.get(f"{key}.{part}", ""), f"{key}.{part}" in LINES))
        }
        if key == "context" and (within := form.get("context.within", "").strip()) and within != "40":
            inner["within"] = int(within) if within.isdigit() and len(within) < 6 else within
        if inner:
            found[key] = inner
    if (variants := form.get("variants", "")) in ("true", "false"):
        found["variants"] = variants == "true"
    elif variants == "list":
        found["variants"] = split_words(form.get("variant_rules", ""))
    for key in ("needs_brand", "red_line"):
        if form.get(key):
            found[key] = True
    return found


def plain(watch: Watch) -> dict[str, Any]:
    """Return a watch as its file would write it: what differs from the default alone."""
    found = watch.model_dump(mode="json", exclude_unset=True, exclude_defaults=True)
    return {key: value for key, value in found.items() if value not in (None, [], {}, "")}
