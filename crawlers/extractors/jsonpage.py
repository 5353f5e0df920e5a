"""JSON: bodies (JSONP too), state objects inside web pages, and JMESPath over them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import jmespath
import orjson
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from crawlers.extractors.jsliteral import double_quoted, to_json
from crawlers.extractors.limits import cut
from crawlers.extractors.result import SpecError

MAX_NODES = 500_000
# An unclosed string runs to the end, or each quote after it would be tried anew.
_UNDEFINED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|\bundefined\b|\bNaN\b|-?\bInfinity\b', re.S)
_TOKENS = re.compile(r'["\'`{}\[\]]')
_STRINGS = {
    quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*{quote}", re.S) for quote in ('"', "'", "`")
}
_JSONP = re.compile(r"\s*(?:/\*\*/\s*)?(?:try\s*\{\s*)?(?:window\.)?[\w$.]{0,80}\s*\(\s*(?=[{\[])")
_GUARD = re.compile(r"\s*(?:\)\]\}',?|while\s*\(1\);|for\s*\(;;\);|&&&START&&&)\s*")
_ASSIGN = re.compile(r"""\s*(?:["']\s*\])?\s*=(?!=)\s*""")
_PARSE_CALL = re.compile(r"""(?:window\.)?(?:JSON\.parse|decodeURIComponent)\s*\(\s*(?=["'])""")
_CONTAINERS = (
    "data", "list", "items", "results", "result", "hits", "comments", "replies", "statuses", "entries",
    "topics", "posts", "children",
)
_CDATA = re.compile(r"(?:/\*\s*|//\s*)?(?:<!--|-->|<!\[CDATA\[|\]\]>)(?:\s*\*/)?")


def parse_json(text: str) -> Any:
    """Return the value of a JSON or JSONP body. Raises ValueError where it is neither."""
    stripped = text.lstrip("\ufeff \t\r\n")
    if guard := _GUARD.match(stripped):
        stripped = stripped[guard.end() :]
    if wrapper := _JSONP.match(stripped):
        stripped = cut_balanced(stripped, wrapper.end()) or stripped
    if not stripped.startswith(("{", "[", '"')):
        raise ValueError("不是 JSON")
    return _loads(stripped)


def find_state(html: str, name: str) -> Any:
    """Return the state object called `name` in a web page: an assigned variable or a script element's id.

    `a || b` tries several names. Reads `name = {…}`, `name = [{…}][0]`, `window["name"] = …`,
    `JSON.parse("…")`, and `<script id="name">` whose content may be percent-encoded; bare `undefined`
    becomes null. Raises ValueError where none is found or none can be read.
    """
    for candidate in (part.strip() for part in name.split("||")):
        value = _find_one(html, candidate)
        if value is not None:
            return value
    raise ValueError(f"网页里没有可读的 {name}")


def _find_one(html: str, name: str) -> Any:
    name = name.removeprefix("var ").strip()
    short = name.rsplit(".", 1)[-1]
    for needle in dict.fromkeys((name, short)):
        position = html.find(needle)
        tries = 0
        while position >= 0 and tries < 50:
            tries += 1
            end = position + len(needle)
            value = _assigned(html, end) if not _inside_name(html, position, end) else None
            if value is None:
                value = _script_element(html, position, end)
            if value is not None:
                return value
            position = html.find(needle, end)
    return None


def _inside_name(html: str, start: int, end: int) -> bool:
    """`STATE` inside `MY_STATE_2` is another name."""
    before, after = html[start - 1 : start], html[end : end + 1]
    return bool(re.match(r"[\w$]", before)) or bool(re.match(r"[\w$]", after))


def _assigned(html: str, end: int) -> Any:
    match = _ASSIGN.match(html, end, end + 40)
    if match is None:
        return None
    start = match.end()
    if call := _PARSE_CALL.match(html, start, start + 60):
        start = call.end()
    if html[start : start + 1] in ('"', "'"):
        return _from_string(html, start)
    if html[start : start + 1] not in ("{", "["):
        return None
    value = _read_at(html, start)
    # [ {…} ][0] || {}: an array only to be indexed at once
    if isinstance(value, list) and len(value) == 1 and html[start] == "[" and isinstance(value[0], dict):
        return value[0]
    return value


def _script_element(html: str, start: int, end: int) -> Any:
    if html[start - 4 : start - 1].lower() != "id=" or html[start - 1 : start] not in ('"', "'"):
        return None
    opening = html.rfind("<", max(0, start - 300), start)
    if html[opening : opening + 7].lower() != "<script":
        return None
    begin = html.find(">", end)
    close = html.find("</script", begin)
    if begin < 0 or close < 0:
        return None
    content = html[begin + 1 : close].strip()
    if content.startswith(("%7B", "%5B", "%7b", "%5b")):
        content = unquote(content)
    try:
        return _loads(content)
    except ValueError:
        return None


def _from_string(html: str, start: int) -> Any:
    """A JSON text inside a JavaScript string literal."""
    quote = html[start]
    match = _STRINGS[quote].match(html, start + 1)
    if match is None:
        return None
    literal = html[start : match.end()]
    try:
        inner = json.loads(literal if quote == '"' else double_quoted(literal), strict=False)
        return _loads(unquote(inner) if inner.startswith("%") else inner)
    except (ValueError, AttributeError):
        return None


def _read_at(html: str, start: int) -> Any:
    """Read the object that begins at `start`: it runs to the end of its script, or is cut out."""
    close = html.find("</script", start)
    whole = html[start : close if close >= 0 else len(html)].strip().rstrip("; \n\t")
    try:
        return _strict(whole)
    except ValueError:
        chunk = cut_balanced(html, start)
    try:
        return _loads(chunk) if chunk else None
    except ValueError:
        return None


def cut_balanced(text: str, start: int) -> str | None:
    """Return the bracketed expression that begins at `start`, strings skipped; None where it never closes."""
    depth, position = 0, start
    while match := _TOKENS.search(text, position):
        mark, position = match.group(), match.end()
        if mark in _STRINGS:
            closing = _STRINGS[mark].match(text, position)
            if closing is None:
                return None
            position = closing.end()
        elif mark in "{[":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return text[start:position]
            if depth < 0:
                return None
    return None


def _loads(text: str) -> Any:
    """Parse as JSON, else as a JavaScript literal. Raises ValueError."""
    try:
        return _strict(text)
    except ValueError:
        pass
    try:
        return json.loads(to_json(text), strict=False)
    except (ValueError, RecursionError) as error:
        raise ValueError("JSON 不完整或写法有误") from error


def _strict(text: str) -> Any:
    """Parse JSON, `undefined` and the like counting as null. Raises ValueError."""
    try:
        return orjson.loads(text)
    except (ValueError, UnicodeEncodeError):
        pass
    try:
        # Python's reader takes raw control characters and lone surrogates, which orjson refuses.
        return json.loads(_UNDEFINED.sub(_null, text), strict=False)
    except RecursionError as error:
        raise ValueError("JSON 嵌套太深") from error


def _null(match: re.Match[str]) -> str:
    return match.group() if match.group()[0] == '"' else "null"


def lenient(text: str) -> Any:
    """Parse a JSON script as sites write them (comments, CDATA, semicolons); None where unreadable."""
    stripped = _CDATA.sub("", text).strip().rstrip(";").strip()
    if not stripped:
        return None
    try:
        return _loads(stripped)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def compiled(path: str) -> ParsedResult:
    """Compile a JMESPath once. Raises SpecError."""
    try:
        return jmespath.compile(path)
    except JMESPathError as error:
        raise SpecError(
            f"JMESPath 写法有误：{path}（{str(error).splitlines()[0]}）。请对照 jmespath.org 修改"
        ) from error


def search(path: str, item: Any, root: Any = None) -> Any:
    """Look `path` up in `item`, `$.…` in `root`, `**…` in the list of all objects below `item`.

    A path that does not fit the data (a function given the wrong type) finds None.
    """
    if path.startswith("$"):
        item, path = root, path[1:].removeprefix(".") or "@"
    if path.startswith("**"):
        item, path = descendants(item), path[2:].removeprefix(".").lstrip(" |") or "@"
    expression = compiled(path)
    try:
        return expression.search(item)
    except (JMESPathError, TypeError, ValueError, RecursionError):
        return None


def descendants(root: Any) -> list[dict[str, Any]]:
    """Return all objects of a document in document order, the outer before the inner."""
    found: list[dict[str, Any]] = []
    stack: list[Any] = [root]
    while stack and len(found) < MAX_NODES:
        node = stack.pop()
        if isinstance(node, dict):
            found.append(node)
            stack.extend(value for value in reversed(node.values()) if isinstance(value, (dict, list)))
        elif isinstance(node, list):
            stack.extend(value for value in reversed(node) if isinstance(value, (dict, list)))
    if stack:
        cut(f"JSON 里超过 {MAX_NODES} 个对象，后面的没有读")
    return found


def holds_empty_list(root: Any) -> bool:
    """Tell whether an API's usual container is there and empty: an honest "nothing"."""
    if root == []:
        return True
    parts = (root, root.get("data")) if isinstance(root, dict) else ()
    return any(part.get(name) == [] for part in parts if isinstance(part, dict) for name in _CONTAINERS)


def truthy(value: Any) -> bool:
    """JMESPath's truth: everything but null, false, and the empty string, list and object (0 is true)."""
    return value is not None and value is not False and value not in ("", [], {})
