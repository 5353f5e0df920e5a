"""Which key of a JSON object is which field of a mention: by its name, and by what its values look like."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from typing import Any
from zoneinfo import ZoneInfo

from crawlers.extractors import parse_count, parse_rating, parse_time
from crawlers.extractors.values import absolute_url
from crawlers.propose_names import LAST_WORDS, NAMES
from crawlers.propose_nested import scalars

FEW, MAX_KEYS = 3, 200
_OF_PEOPLE = re.compile(
    r"(?:^|[._])(?:user|account|author|member|owner|creator|profile|avatar|badge|vip|medal)\w*\.|(?:user|member|author|account)_?id$",
    re.I,
)
_ASIDE = re.compile(
    r"repl|append|seller|merchant|service|official|quote|parent|target|response|image|pic|sub_|"
    r"err|toast|tips?$|expire|current|server|due|birth|login|regist",
    re.I,
)


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
