"""One field: from its specification to a raw value, for all kinds of page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from crawlers.extractors import jsonpage
from crawlers.extractors.documents import Document, HtmlDocument, Markup, split_attribute, text_of
from crawlers.extractors.htmltext import html_to_text
from crawlers.extractors.limits import cut
from crawlers.extractors.values import clean_line
from vocwatch.settings.sources import FieldSpec

MAX_REGEX_INPUT = 20_000
MAX_PLANS = 1024
_PLACE = re.compile(r"\{([^{}]+)\}")


def read_fields(specs: Mapping[Any, FieldSpec], item: Any, document: Document) -> dict[str, Any]:
    """Return the raw values of a record's fields; those without a value are left out.

    Fields with a template are filled last, since they may name the others.
    """
    values: dict[str, Any] = {}
    page = document if isinstance(document, HtmlDocument) else None
    for name, spec, places in _plan(specs):
        if page is not None and places:
            value = page.first_text(item, places, name == "text")
        else:
            value = read_field(name, spec, item, document, values)
        if value is not None:
            values[name] = value
    return values


Plan = list[tuple[str, FieldSpec, tuple[tuple[str, str | None], ...]]]
_plans: dict[int, tuple[Mapping[Any, FieldSpec], Plan]] = {}


def _plan(specs: Mapping[Any, FieldSpec]) -> Plan:
    """The fields in their order, with the places of those that are nothing but the first text at a CSS path.

    Worked out once for each specification: a page asks for it hundreds of times.
    """
    known = _plans.get(id(specs))
    if known is None or known[0] is not specs:
        ordered = sorted(specs.items(), key=lambda pair: pair[1].template is not None)
        plan = [(name, spec, _places(spec)) for name, spec in ordered]
        if len(_plans) >= MAX_PLANS:
            _plans.clear()
        _plans[id(specs)] = known = (specs, plan)  # holding on to the specification keeps its id its own
    return known[1]


def _places(spec: FieldSpec) -> tuple[tuple[str, str | None], ...]:
    more = (spec.regex, spec.const, spec.template, spec.join)
    if spec.html or spec.map or any(part is not None for part in more):
        return ()
    if any(" |> " in path or path.startswith(("page:", "xpath:")) for path in spec.path):
        return ()
    return tuple(split_attribute(path.strip()) for path in spec.path)


def read_field(name: str, spec: FieldSpec, item: Any, document: Document, known: Mapping[str, Any]) -> Any:
    """Return one raw value (text, number, or None)."""
    value = _first(name, spec, item, document)
    if value is not None and spec.html:
        value = html_to_text(str(value), picture=name == "text") or None
    if value is not None and spec.regex is not None:
        value = _matched(spec.regex, str(value))
    if value is not None and spec.map:
        value = spec.map.get(clean_line(value), value)
    if value is None and spec.const is not None and spec.template is None:
        return spec.const
    if spec.template is not None:
        if (spec.path or spec.const is not None) and value is None:
            value = spec.const
            if value is None:
                return None
        return _fill(spec.template, value, item, document, known)
    return value


def _first(name: str, spec: FieldSpec, item: Any, document: Document) -> Any:
    for path in spec.path:
        head, _, piped = path.partition(" |> ")
        values = document.read(item, head.strip())
        if piped:
            values = [inner for value in values for inner in _inside(value, piped)]
        if spec.html:
            plain = [str(value) for value in values if _plain(value)]
        else:
            plain = [
                text
                for value in values
                if _plain(value) and (text := text_of(value, name == "text")) not in ("", None)
            ]
        if not plain:
            continue
        if spec.join is not None:
            return spec.join.join(str(value) for value in plain)
        return plain[0]
    return None


def _plain(value: Any) -> bool:
    """Objects and lists are no values; false says "none" in many APIs."""
    return isinstance(value, (str, int, float)) and value is not False and value is not True


def _inside(value: Any, path: str) -> list[Any]:
    """Look into a value that is itself JSON, such as a data attribute."""
    parsed = _parsed(str(text_of(value) if isinstance(value, Markup) else value))
    found = jsonpage.search(path, parsed, parsed)
    if isinstance(found, list):
        return [inner for inner in found if inner not in (None, "")]
    return [] if found is None or found == "" else [found]


@lru_cache(maxsize=128)
def _parsed(text: str) -> Any:
    return jsonpage.lenient(text)


@lru_cache(maxsize=1024)
def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


def _matched(regex: str, value: str) -> str | None:
    match = _pattern(regex).search(value[:MAX_REGEX_INPUT])
    if match is None:
        if len(value) > MAX_REGEX_INPUT:
            cut(f"regex 只看了值的前 {MAX_REGEX_INPUT} 个字，没有找到")
        return None
    groups = [group for group in match.groups() if group is not None]
    return groups[0] if groups else (None if match.groups() else match.group())


def _fill(template: str, value: Any, item: Any, document: Document, known: Mapping[str, Any]) -> str | None:
    """Fill a template; one empty place makes the whole empty."""
    missing = False

    def place(match: re.Match[str]) -> str:
        nonlocal missing
        name = match.group(1).strip()
        found = value if name == "value" else known.get(name)
        if found is None and name != "value":
            found = next(iter(document.read(item, name)), None)
        if found is None:
            missing = True
            return ""
        return clean_line(text_of(found), 2000)

    filled = _PLACE.sub(place, template)
    return None if missing else filled
