"""Proposing how JSON is read: where the records stand in it, and which key is which field."""

from __future__ import annotations

import datetime as dt
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from crawlers.extractors import parse_count, parse_rating, parse_time
from crawlers.extractors.jsonpage import search
from crawlers.extractors.values import absolute_url
from crawlers.propose_draft import Draft, guess_kind
from crawlers.propose_names import LAST_WORDS, NAMES
from crawlers.propose_nested import Below, below, everywhere, parent_of, quoted, scalars, spoken_answers

FEW = 3
MORE = 1.1  # what a draft gains that reads the answers too
MANY_TAGS = 12  # a string with fewer is a formatted text, not a piece of a page
MAX_DEPTH, MAX_PLACES, MAX_KEYS, SAMPLE = 10, 400, 200, 40
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
_OF_PEOPLE = re.compile(
    r"(?:^|[._])(?:user|account|author|member|owner|creator|profile|avatar|badge|vip|medal)\w*\.|(?:user|member|author|account)_?id$",
    re.I,
)
_ASIDE = re.compile(
    r"repl|append|seller|merchant|service|official|quote|parent|target|response|image|pic|sub_|"
    r"err|toast|tips?$|expire|current|server|due|birth|login|regist",
    re.I,
)
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


# -- fields -------------------------------------------------------------------------------------------------------


def fields_of(items: list[dict[str, Any]], base: str, now: dt.datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Map record fields to JMESPaths within the items; a name must fit, and so must the values."""
    columns = _columns(items)
    checks = {
        "text": lambda value: isinstance(value, str) and len(value.strip()) >= 2,
        "title": lambda value: isinstance(value, str) and 2 <= len(value.strip()) <= 300,
        "author": lambda value: isinstance(value, str) and 1 <= len(value.strip()) <= 60,
        "published_at": lambda value: parse_time(value, now, zone)[0] is not None,
        "rating": lambda value: parse_rating(value) is not None and _small(value),
        "likes": _is_count,
        "replies": _is_count,
        "views": _is_count,
        "url": lambda value: isinstance(value, str) and absolute_url(value, base) is not None,
        "native_id": lambda value: (
            isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip() != ""
        ),
    }
    found: dict[str, Any] = {}
    taken: set[str] = set()
    for field, names in NAMES.items():
        check = checks.get(field, lambda value: isinstance(value, str) and bool(value.strip()))
        path = next(
            (
                path
                for name in names
                for path, values in columns.items()
                if path not in taken
                and _called(path, name)
                and not (field in ("text", "title") and _OF_PEOPLE.search(path))
                and _fits(values, check, len(items), field)
                and (field != "rating" or name != "score" or _stars(values))
            ),
            None,
        )
        if path is not None:
            found[field] = path
            taken.add(path)
    for field, words in LAST_WORDS.items():
        if field not in found and (path := _by_last_word(field, words, columns, taken, checks[field], len(items))):
            found[field] = path
            taken.add(path)
    if "text" not in found and (path := _longest(columns, taken)):
        found["text"] = path
    return _finished(found, columns)


def _by_last_word(
    field: str, words: tuple[str, ...], columns: dict[str, list[Any]], taken: set[str], check: Any, total: int
) -> str | None:
    """The key that ends in a telling word (rateContent, gmt_create_time); of several texts the longest."""
    fitting = [
        path
        for path, values in columns.items()
        if path not in taken and _last_word(path) in words and not _ASIDE.search(path)
        and not (field in ("text", "title", "native_id") and _OF_PEOPLE.search(path)) and _fits(values, check, total, field)
    ]
    if field == "text":
        return max(fitting, key=lambda path: statistics.mean(len(str(value)) for value in columns[path]), default=None)
    return next(iter(sorted(fitting, key=lambda path: words.index(_last_word(path)))), None)


def _last_word(path: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path.rsplit(".", 1)[-1].strip('"'))
    return re.split(r"[^A-Za-z]+", spaced.strip("_"))[-1].lower()


def _finished(found: dict[str, Any], columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Add what the values ask for: HTML turned into text."""
    ordered = (
        "native_id",
        "url",
        "title",
        "text",
        "author",
        "published_at",
        "rating",
        "likes",
        "replies",
        "views",
        "product",
        "sku",
        "shop",
    )
    result: dict[str, Any] = {}
    for field in ordered:
        if field not in found:
            continue
        path = found[field]
        values = [value for value in columns[path] if isinstance(value, str)]
        markup = field == "text" and any(
            re.search(r"<(?:p|br|a|div|span|img)\b|&(?:#\d+|[a-z]+);", value) for value in values
        )
        result[field] = {"path": path, "html": True} if markup else path
    return result


def _columns(items: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return path → plain values over the items, three objects deep; empty texts are no values."""
    columns: dict[str, list[Any]] = {}
    for item in items:
        for path, value in scalars(item):
            if value != "" and (path in columns or len(columns) < MAX_KEYS):
                columns.setdefault(path, []).append(value)
    return columns


def _called(path: str, name: str) -> bool:
    plain = re.sub(r"\.(?:label|value|rendered|plain)$", "", re.sub(r"[^a-z0-9.]", "", path.lower()))
    return plain == name or plain.endswith(f".{name}")


def _fits(values: list[Any], check: Any, total: int, field: str) -> bool:
    good = sum(1 for value in values if check(value))
    enough = 0.6 if field in ("native_id", "url") else 0.3
    if field == "native_id" and len(set(map(str, values))) < len(values):
        return False
    return good >= max(1, enough * total) and good >= 0.8 * len(values)


def _longest(columns: dict[str, list[Any]], taken: set[str]) -> str | None:
    """The key whose values read most like sentences, whatever it is called."""
    best, length = None, 11.0
    for path, values in columns.items():
        words = [
            value
            for value in values
            if isinstance(value, str) and not value.startswith(("http", "/", "data:"))
        ]
        spoken = [value for value in words if re.search(r"[\u4e00-\u9fff]|\w \w+ \w", value)]
        if path not in taken and not _ASIDE.search(path) and spoken and len(spoken) >= 0.5 * len(values):
            mean = sum(map(len, spoken)) / len(spoken)
            best, length = (path, mean) if mean > length else (best, length)
    return best


def _is_count(value: Any) -> bool:
    return not isinstance(value, float) and parse_count(value) is not None and len(str(value)) <= 12


def _stars(values: list[Any]) -> bool:
    """A "score" is stars on shops and votes on forums: stars where enough values keep to one to five."""
    return len(values) >= FEW and all(re.fullmatch(r"[1-5](?:\.\d)?", str(value)) for value in values)


def _small(value: Any) -> bool:
    return bool(re.fullmatch(r"[0-5](?:\.\d{1,2})?", str(value).strip())) or "★" in str(value)


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
