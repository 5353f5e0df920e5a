"""JSON Lines, a JSON array, or an object with a list of records; nested keys become dotted columns."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sessions.delimited import broken_off, find_encoding
from sessions.problems import ImportRefused, RowProblem
from sessions.tables import Row, Table
from vocwatch.lang import tr

MAX_DOCUMENT = 200 * 1024 * 1024  # bytes of one JSON document; JSON Lines have no limit but this one per line
_PEEK = 500
_DEPTH = 4
_USUAL_LISTS = ("sessions", "records", "rows", "data", "list", "items", "results", "tickets", "conversations")

Numbered = tuple[int, dict[str, Any]] | RowProblem


def open_json(path: Path, lists: Sequence[str] = ()) -> Table:
    """Return the records as one table, the header first. Raises ImportRefused."""
    encoding = find_encoding(path)
    records = _lines(path, encoding) if _is_lines(path, encoding) else _document(path, encoding, lists)
    peeked = list(itertools.islice(records, _PEEK))
    header: dict[str, None] = {}
    for item in peeked:
        if not isinstance(item, RowProblem):
            header.update(dict.fromkeys(flatten(item[1])))
    return Table(None, _rows(list(header), itertools.chain(peeked, records)), headed=True)


def _rows(header: list[str], records: Iterable[Numbered]) -> Iterator[Row | RowProblem]:
    yield 0, header
    for item in records:
        if isinstance(item, RowProblem):
            yield item
            continue
        flat = flatten(item[1])
        yield item[0], [flat.get(name) for name in header]


def flatten(record: dict[str, Any], prefix: str = "", depth: int = _DEPTH) -> dict[str, Any]:
    """Return the record with nested objects as dotted keys; lists stay lists."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        flat[name] = value
        if isinstance(value, dict) and depth > 1:
            flat.update(flatten(value, f"{name}.", depth - 1))
    return flat


def _is_lines(path: Path, encoding: str) -> bool:
    """Say whether the first line with text is an object by itself, so that the file is JSON Lines."""
    with path.open(encoding=encoding) as file:
        for line in file:
            if not line.strip():
                continue
            if line.lstrip().startswith("["):
                return False
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                return '":' in line and line.rstrip().endswith("}")
            # An object on one line that holds the list of records is a document.
            if not isinstance(record, dict):
                return False
            found = _records(record, ())
            return not (found and found != [record] and _is_records(found))
    return True


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _lines(path: Path, encoding: str) -> Iterator[Numbered]:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            if len(line) > MAX_DOCUMENT:
                yield RowProblem(number, None, None, tr("这一行太长，没有读", "this line is too long and was not read"))
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                if not line.endswith("\n") and number > 1:
                    raise broken_off(path, number) from error
                yield RowProblem(number, None, None, tr(f"不是正确的 JSON：{_why(error)}", f"not valid JSON: {_why(error)}"))
                continue
            if isinstance(record, dict):
                yield number, record
            else:
                yield RowProblem(number, None, None, tr("这一行应为一个 JSON 对象 {…}", "this line should be a JSON object {…}"))


def _document(path: Path, encoding: str, lists: Sequence[str]) -> Iterator[Numbered]:
    if path.stat().st_size > MAX_DOCUMENT:
        raise ImportRefused(tr(
            f"{path}: JSON 超过 {MAX_DOCUMENT >> 20} MB。请改用一行一条的 JSONL，或分日导出",
            f"{path}: JSON above {MAX_DOCUMENT >> 20} MB. Use JSONL, one record a line, or export day by day",
        ))
    try:
        whole = json.loads(path.read_text(encoding=encoding))
    except (ValueError, RecursionError) as error:
        raise ImportRefused(tr(
            f"{path}: JSON 不完整或写法有误：{_why(error)}。请重新导出",
            f"{path}: the JSON is incomplete or malformed: {_why(error)}. Export it again",
        )) from error
    if isinstance(whole, dict):
        whole = _records(whole, lists)
    for number, record in enumerate(whole, 1):
        if isinstance(record, dict):
            yield number, record
        else:
            yield RowProblem(number, None, None, tr("这一条应为一个 JSON 对象 {…}", "this record should be a JSON object {…}"))


def _records(whole: dict[str, Any], lists: Sequence[str]) -> list[Any]:
    """Return the list of records of a document: at a known key, or at one inside a known key; else the document."""
    names = (*lists, *_USUAL_LISTS)
    outer = [whole, *(part for name in names if isinstance(part := whole.get(name), dict))]
    for place in outer:
        for name in names:
            found = place.get(name)
            if isinstance(found, list):
                return found
    return [whole]


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return tr(f"第 {error.lineno} 行第 {error.colno} 个字符附近", f"near line {error.lineno}, character {error.colno}")
    return tr("嵌套太深", "nested too deep")
