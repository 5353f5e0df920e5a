"""Proposing how JSON is read: where the records stand in it, and which key is which field."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from crawlers.extractors.jsonpage import search
from crawlers.propose_draft import Draft, guess_kind
from crawlers.propose_keys import FEW, MAX_KEYS, fields_of
from crawlers.propose_nested import Below, below, everywhere, parent_of, quoted, spoken_answers

MORE = 1.1  # what a draft gains that reads the answers too
MANY_TAGS = 12  # a string with fewer is a formatted text, not a piece of a page
MAX_DEPTH, MAX_PLACES, SAMPLE = 10, 400, 40
STATE_NAMES = (
    "window.__INITIAL_STATE__",
    "__NEXT_DATA__",
    "window.__NUXT__",
    "__NUXT_DATA__",
    "window.__APOLLO_STATE__",
    "RENDER_DATA",
    "window.__PRELOADED_STATE__",
    "window.__data",
    "window.__STORE__",
)
_ASSIGNED = re.compile(
    r"(?:^|[\s;>])((?:window|self|globalThis)\.[A-Za-z_$][\w$]{1,50}|(?:var|let|const)\s+[A-Za-z_$][\w$]{2,50})\s*=\s*(?:[{\[]|JSON\.parse\(|decodeURIComponent\()"
)
_SCRIPT_ID = re.compile(r"""<script\b[^>]{0,200}\bid=["']([\w$.-]{2,60})["'][^>]{0,200}>\s*[{\[%]""", re.I)
_ID_KEY = re.compile(r"^(?:\d+|(?=.*\d)[0-9A-Za-z_-]{8,})$")
_PAGE_PARAMS = (
    "page",
    "p",
    "pn",
    "pageno",
    "page_no",
    "pagenum",
    "page_num",
    "pageindex",
    "page_index",
    "currentpage",
)
_OFFSET_PARAMS = ("offset", "start", "skip", "from")


@dataclass(frozen=True)
class Place:
    """Objects of one kind in a JSON document: their JMESPath, and the objects."""

    path: str
    items: list[dict[str, Any]]
    single: bool = False


def drafts_of(
    root: Any, base: str, now: dt.datetime, zone: ZoneInfo, state: str | None = None
) -> Iterator[Draft]:
    """Yield ways to read a JSON document as records: each list, each single object, and an object with its comments."""
    lists: list[tuple[float, Place, dict[str, Any]]] = []
    singles: list[tuple[float, Place, dict[str, Any]]] = []
    for place in _places(root):
        fields = fields_of(place.items[:SAMPLE], base, now, zone)
        if not ({"text", "title"} & fields.keys()) or not (
            fields.keys() - {"text", "title", "native_id", "url"}
        ):
            continue
        weight = _weight(place, fields)
        (singles if place.single else lists).append((weight, place, fields))
    lists.sort(key=lambda found: -found[0])
    singles.sort(key=lambda found: -found[0])
    for _, place, fields in lists[:6]:
        following = _following(root, place, base)
        for records, bonus in _with_answers(root, place, fields, base, now, zone):
            yield Draft(_step(state, records), following=following, bonus=bonus)
        if "url" in fields:
            yield Draft(_step(state, [], _links(place, fields)), following=following, links=True)
    for _, place, fields in singles[:4]:
        main = {"kind": guess_kind(base, place.path), "fields": _from_root(place.path, fields)}
        yield Draft(_step(state, [main]), whole=True)
        for _, other, inner in lists[:3]:
            known = _own_ids(inner, other, _path_of(_from_root(place.path, fields).get("native_id")))
            comments = {**_record(other, known, base), "kind": "comment"}
            yield Draft(_step(state, [main, comments]), whole=True)


def _own_ids(fields: dict[str, Any], place: Place, post: str | None) -> dict[str, Any]:
    """Ids that only count the comments of one post get the post's own before them, or are left out."""
    values = [str(value) for value in _ids(place.items, fields)]
    if not values or any(len(re.sub(r"[^0-9A-Za-z]", "", value)) > FEW for value in values):
        return fields
    rest = {name: spec for name, spec in fields.items() if name != "native_id"}
    if post is None:
        return rest
    return {"native_id": {"path": _path_of(fields["native_id"]), "template": f"{{$.{post}}}-{{value}}"}, **rest}


def _with_answers(
    root: Any, place: Place, fields: dict[str, Any], base: str, now: dt.datetime, zone: ZoneInfo
) -> Iterator[tuple[list[dict[str, Any]], float]]:
    """The records alone, with what hangs below them, and with all objects of their kind however deep."""
    main = _record(place, fields, base)
    yield [main], 1.0
    ids = _ids(place.items, fields)
    extra: list[dict[str, Any]] = []
    for one in below(place.items):
        inner = fields_of(one.items[:SAMPLE], base, now, zone)
        if "text" in inner:
            extra.append(_answers(place, fields, one, inner, main["kind"], ids))
    extra += [_answer(place, fields, key, main["kind"]) for key in spoken_answers(place.items)]
    if extra:
        yield [main, *extra], MORE
    found = everywhere(root, place.items, fields)
    if found is not None:
        path, objects = found
        parent = parent_of(objects, _path_of(fields.get("native_id")), _ids(objects, fields))
        whole = {**fields, "parent": parent} if parent else fields
        kind = "comment" if parent and main["kind"] == "post" else main["kind"]
        yield [{"kind": kind, "items": path, "fields": whole}], MORE * MORE


def _answers(
    place: Place, fields: dict[str, Any], one: Below, inner: dict[str, Any], above: str, ids: list[Any]
) -> dict[str, Any]:
    """A record specification for what hangs below; a single object is read from the record that holds it."""
    kind = one.kind(above)
    if one.many:
        spec = {name: value for name, value in inner.items() if name not in ("title", "rating")}
        parent = parent_of(one.items, _path_of(inner.get("native_id")), ids)
        return {"kind": kind, "items": f"{_listed(place.path)}.{one.key}[]", "fields": {**spec, **({"parent": parent} if parent else {})}}
    below_it = _from_root(one.key, {name: value for name, value in inner.items() if name in ("text", "author", "published_at")})
    return {"kind": kind, "items": place.path, "where": one.key, "fields": {**_belongs(fields, kind), **below_it}}


def _answer(place: Place, fields: dict[str, Any], key: str, above: str) -> dict[str, Any]:
    kind = "append" if Below(key, [], False).kind(above) == "append" else "reply"
    return {"kind": kind, "items": place.path, "where": quoted(key), "fields": {**_belongs(fields, kind), "text": quoted(key)}}


def _belongs(fields: dict[str, Any], kind: str) -> dict[str, Any]:
    """The id of a follow-up or answer is that of its record, with a word behind it."""
    path = _path_of(fields.get("native_id"))
    return {"native_id": {"path": path, "template": f"{{value}}-{kind}"}, "parent": path} if path else {}


def _path_of(spec: Any) -> str | None:
    path = spec.get("path") if isinstance(spec, dict) else spec
    return path if isinstance(path, str) else None


def _ids(items: list[dict[str, Any]], fields: dict[str, Any]) -> list[Any]:
    path = _path_of(fields.get("native_id"))
    return [value for item in items if path and (value := search(path, item)) is not None]


def _listed(path: str) -> str:
    return path if path.endswith("]") else "[]" if path == "@" else f"{path}[]"


def _from_root(path: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The page is the record: its fields are looked up from the top of the document."""
    return {
        name: {**spec, "path": f"{path}.{spec['path']}"} if isinstance(spec, dict) else f"{path}.{spec}"
        for name, spec in fields.items()
    }


def markup_in(root: Any) -> list[tuple[str, str]]:
    """Return path and text of the pieces of a page that travel as strings: `data.html`, or one in each entry."""
    found: dict[str, list[str]] = {}
    todo: list[tuple[str, Any, int]] = [("", root, 0)]
    while todo and len(found) < MAX_KEYS:
        path, node, depth = todo.pop()
        if isinstance(node, dict) and depth < MAX_DEPTH:
            todo += [(f"{path}.{quoted(str(k))}" if path else quoted(str(k)), v, depth + 1) for k, v in node.items()]
        elif isinstance(node, list) and depth < MAX_DEPTH:
            todo += [(f"{path}[]", inner, depth + 1) for inner in node[:SAMPLE]]
        elif isinstance(node, str) and path and len(re.findall(r"<(?:li|div|article|tr|dl|section)\b", node[:100_000])) >= 1:
            found.setdefault(path, []).append(node)
    joined = [(path, "\n".join(pieces)) for path, pieces in found.items()]
    return sorted((one for one in joined if one[1].count("<") >= MANY_TAGS), key=lambda one: -len(one[1]))[:2]


def state_names(text: str) -> list[str]:
    """Return the names of state objects that a web page seems to carry, the usual ones first."""
    found = [name for name in STATE_NAMES if name.rsplit(".", 1)[-1] in text]
    found += [match.group(1).split()[-1] for match in _ASSIGNED.finditer(text)]
    found += [match.group(1) for match in _SCRIPT_ID.finditer(text)]
    return list(dict.fromkeys(found))[:12]


def _step(
    state: str | None, records: list[dict[str, Any]], links: dict[str, Any] | None = None
) -> dict[str, Any]:
    step: dict[str, Any] = {"extract": "json"}
    if state:
        step["state"] = state
    if links:
        step["links"] = links
    return {**step, "records": records} if records else step


def _record(place: Place, fields: dict[str, Any], base: str) -> dict[str, Any]:
    return {"kind": guess_kind(base, place.path, fields), "items": place.path, "fields": fields}


def _links(place: Place, fields: dict[str, Any]) -> dict[str, Any]:
    carried = {
        name: fields[name]
        for name in ("url", "native_id", "title", "author", "published_at", "shop", "sku", "product")
        if name in fields
    }
    return {"items": place.path, "fields": carried}


def _weight(place: Place, fields: dict[str, Any]) -> float:
    return (len(fields) + 2 * ("text" in fields) + 2 * ("published_at" in fields)) * math.sqrt(
        min(len(place.items), 20)
    )


# -- places -------------------------------------------------------------------------------------------------------


def _places(root: Any) -> Iterator[Place]:
    """Walk the document, outer before inner; a mapping keyed by ids is walked as if it were a list (`many`)."""
    todo: list[tuple[str, Any, int, bool]] = [("", root, 0, False)]
    count = 0
    while todo and count < MAX_PLACES:
        path, node, depth, many = todo.pop(0)
        count += 1
        if isinstance(node, list):
            objects = [item for item in node if isinstance(item, dict)]
            if objects and len(objects) * 2 > len(node):
                yield Place(f"{path}[]" if many else path or "@", objects)
            if len(node) <= FEW and not many:  # an answer in parts, not a list of records
                parts = enumerate(objects)
                todo += [found for index, part in parts for found in _inside(f"{path}[{index}]", part, depth, many)]
        elif isinstance(node, dict) and depth < MAX_DEPTH:
            if _keyed_by_id(node):
                values, joined = list(node.values()), f"values({path or '@'})[]"
                yield Place(joined, values, single=len(values) == 1)
                todo += _inside(joined, values[0], depth, True)
                continue
            if path and not re.search(r"\[\d", path) and any(isinstance(value, str) for value in node.values()):
                yield Place(path, [node], single=True)
            todo += _inside(path, node, depth, many)


def _inside(path: str, node: dict[str, Any], depth: int, many: bool) -> list[tuple[str, Any, int, bool]]:
    return [
        (f"{path}.{quoted(key)}" if path else quoted(key), inner, depth + 1, many)
        for key, inner in node.items()
        if isinstance(inner, (dict, list)) and inner and len(key) <= 60
    ]


def _keyed_by_id(node: dict[str, Any]) -> bool:
    return bool(node) and all(isinstance(v, dict) and v and _ID_KEY.match(str(k)) for k, v in node.items())


# -- following page -----------------------------------------------------------------------------------------------


def _following(root: Any, place: Place, base: str) -> dict[str, Any] | None:
    """Say how the next page is asked for: an address in the answer, a cursor, or a counted parameter."""
    query = [part.partition("=")[0] for part in base.partition("?")[2].split("&") if part]
    outer = dict(_scalars(root)) if isinstance(root, dict) else {}
    link = next(
        (
            path
            for path, value in outer.items()
            if _last(path) in ("next", "nexturl", "nextpageurl")
            and isinstance(value, str)
            and value.startswith(("http", "/"))
        ),
        None,
    )
    if link:
        return {"link": link}
    more = next(
        (
            path
            for path, value in outer.items()
            if _last(path) in ("hasmore", "hasnext", "more", "hasnextpage") and isinstance(value, bool)
        ),
        None,
    )
    spec: dict[str, Any] | None = None
    cursors = {
        _last(path): path
        for path, value in outer.items()
        if _last(path) in ("cursor", "nextcursor", "endcursor", "after")
        and isinstance(value, (str, int))
        and not isinstance(value, bool)
    }
    for name in query:
        plain = re.sub(r"[^a-z]", "", name.lower())
        if name.lower() in _PAGE_PARAMS:
            spec = {"param": name}
        elif name.lower() in _OFFSET_PARAMS:
            spec = {"param": name, "first": 0, "by": len(place.items)}
        elif plain in ("cursor", "after") and cursors:
            spec = {"param": name, "cursor": next(iter(cursors.values()))}
        if spec:
            break
    if spec and more:
        spec["more"] = more
    return spec


def _scalars(root: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in root.items():
        path = f"{prefix}.{quoted(key)}" if prefix else quoted(key)
        if isinstance(value, dict) and depth < 5:
            yield from _scalars(value, path, depth + 1)
        elif not isinstance(value, (dict, list)):
            yield path, value


def _last(path: str) -> str:
    return re.sub(r"[^a-z]", "", path.rsplit(".", 1)[-1].lower())
