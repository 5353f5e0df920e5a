"""What hangs below the records of a JSON document: replies in lists of their own, follow-ups, the seller's answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crawlers.extractors.jsonpage import descendants

MAX_BELOW = 3  # kinds of things below one kind of record
PARENTS = (
    "parent", "parentid", "parentcommentid", "parentpostid", "replytoid", "inreplytoid", "inreplyto", "rootid", "root",
    "rootcommentid", "topicid", "replyid", "pid",
)
_APPEND = re.compile(r"append|additional|after|follow|supplement|zhuiping|追", re.IGNORECASE)
_REPLY = re.compile(r"seller|merchant|shop|official|business|vendor|owner|service|company|response|商家", re.IGNORECASE)
_ANSWERS = re.compile(r"repl|answer|comment|children|floor|sub|thread|respon|discuss", re.IGNORECASE)
_SPOKEN = re.compile(r"[\u4e00-\u9fff]{2}|\w \w+ \w")
_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,59}$")


@dataclass(frozen=True)
class Below:
    """Objects below the records: `key` is their path within a record; `many` tells a list from a single object."""

    key: str
    items: list[dict[str, Any]]
    many: bool

    def kind(self, above: str) -> str:
        """Say what they are to the record above (review, post, …), from the name of their key."""
        if _APPEND.search(self.key):
            return "append"
        if _REPLY.search(self.key) or (above in ("review", "complaint") and not self.many):
            return "reply"
        return "comment"


def quoted(key: str) -> str:
    """Return a key as JMESPath names it."""
    return key if _PLAIN_KEY.match(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def below(items: list[dict[str, Any]]) -> list[Below]:
    """Return the objects that stand at most two keys below the records, the most frequent first."""
    found: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for item in items:
        for path, value in _values(item):
            if isinstance(value, list):
                found.setdefault((path, True), []).extend(one for one in value if isinstance(one, dict))
            elif _APPEND.search(path) or _REPLY.search(path) or re.search(r"repl|answer", path, re.IGNORECASE):
                found.setdefault((path, False), []).append(value)
    listed = [Below(key, objects, many) for (key, many), objects in found.items() if objects]
    telling = [one for one in listed if _telling(one)]
    return sorted(telling, key=lambda one: -len(one.items))[:MAX_BELOW]


def _telling(one: Below) -> bool:
    """Whether what stands there is said by somebody: not pictures, tags or specifications."""
    named = _ANSWERS.search(one.key) or _APPEND.search(one.key) or _REPLY.search(one.key)
    spoken = sum(any(isinstance(value, str) and _SPOKEN.search(value) for _, value in scalars(item)) for item in one.items)
    return bool(named) and spoken * 2 >= len(one.items)


def _values(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in item.items():
        if len(str(key)) > 60 or not value:
            continue
        if isinstance(value, (list, dict)):
            yield quoted(str(key)), value
        if isinstance(value, dict):
            for inner, deep in value.items():
                if isinstance(deep, list) and deep and len(str(inner)) <= 60:
                    yield f"{quoted(str(key))}.{quoted(str(inner))}", deep


def scalars(item: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of the plain values of an object, three objects deep."""
    for key, value in item.items():
        path = f"{prefix}.{quoted(str(key))}" if prefix else quoted(str(key))
        if isinstance(value, dict) and depth < 2:
            yield from scalars(value, path, depth + 1)
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield path, value


def spoken_answers(items: list[dict[str, Any]]) -> list[str]:
    """Return the keys whose plain string is somebody's answer to the record: `reply: 亲，…`."""
    found: dict[str, int] = {}
    for item in items:
        for key, value in item.items():
            if isinstance(value, str) and len(value) >= 4 and _SPOKEN.search(value) and len(str(key)) <= 60:
                found[str(key)] = found.get(str(key), 0) + 1
    return [key for key in found if re.search(r"(?:^|_)(?:reply|answer|append)|(?:Reply|Answer|Append)(?:Content|Text)?$", key)][:2]


# -- the same kind of object at every depth -----------------------------------------------------------------------


def everywhere(root: Any, items: list[dict[str, Any]], fields: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]] | None:
    """Return the path of all objects that look like the records, however deep, where there are more of them.

    None where the records stand in one list only, or where the same keys mean something else elsewhere.
    """
    paths = [_bare(fields.get(name)) for name in ("native_id", "text", "author")]
    keys = [path for path in paths if path]
    if len(keys) < 2 or keys[0] != paths[0]:
        return None
    wanted = {id(item) for item in items} | {id(one) for item in items for one in descendants(item) if _has(one, keys)}
    all_there = [one for one in descendants(root) if _has(one, keys)]
    if len(wanted) <= len(items) or len(all_there) != len(wanted):
        return None
    return f"**[?{' && '.join(keys)}]", all_there


def _bare(spec: Any) -> str | None:
    path = spec.get("path") if isinstance(spec, dict) else spec
    return path if isinstance(path, str) else None


def _has(item: dict[str, Any], keys: list[str]) -> bool:
    known = dict(scalars(item))
    return all(known.get(key) not in (None, "") for key in keys)


def parent_of(items: list[dict[str, Any]], id_path: str | None, known: list[Any]) -> dict[str, Any] | None:
    """Return the field that names the record above: its values are ids of records that are there (or none: 0, null)."""
    ids = {str(value) for value in known}
    columns: dict[str, list[str]] = {}
    for item in items:
        for path, value in scalars(item):
            if path != id_path:
                columns.setdefault(path, []).append(str(value))
    for name in PARENTS:
        for path, values in columns.items():
            plain = re.sub(r"[^a-z0-9]", "", path.rsplit(".", 1)[-1].lower())
            named = [value for value in values if value not in ("0", "")]
            if plain == name and named and all(value in ids for value in named):
                return {"path": path, "regex": r"^(?!0$)(.+)$"} if len(named) < len(values) else {"path": path}
    return None
