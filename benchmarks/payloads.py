"""How much of real pages the catalogue's sources read: `python -m benchmarks.payloads [FOLDER]`.

For each saved payload the records it holds are counted straight from the raw structure (elements of a JSON
array, CSS nodes), without the extractors; so are the records that hold an author, a time, a rating or
likes. The table shows both, and what the extractors made of it.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from selectolax.lexbor import LexborHTMLParser

from crawlers.extractors import Extraction, extract
from vocwatch.models import Page
from vocwatch.settings.sources import Source
from vocwatch.settings.yamlfile import load_model

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "config" / "sources" / "catalogue"
FOLDER = ROOT.parent / "shared" / "payloads"
NOW = dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)
ZONE = ZoneInfo("Asia/Shanghai")
FIELDS = ("text", "time", "author", "url", "rating", "likes")
Rows = Callable[[str], list[Any]]
Held = Callable[[Any], object]


@dataclass(frozen=True)
class Case:
    """One saved payload: by which source and step it is read, and how its records are counted raw."""

    file: str
    source: str
    step: str = "listing"
    url: str = "https://example.com/page"
    rows: Rows = field(default=lambda text: [])
    held: dict[str, Held] = field(default_factory=dict)
    state: str = "ok"


@dataclass(frozen=True)
class Outcome:
    """What came of one case: raw counts, extracted counts, and the extraction itself."""

    case: Case
    expected: int
    held: dict[str, int]
    extracted: int
    filled: dict[str, int]
    result: Extraction


def load_source(name: str) -> Source:
    """Load one source of the catalogue."""
    return load_model(CATALOGUE / f"{name}.yaml", Source, {})


def run_case(case: Case, folder: Path = FOLDER) -> Outcome:
    """Extract one payload and count."""
    body = (folder / case.file).read_bytes()
    source = load_source(case.source)
    page = Page(url=case.url, body=body, fetched_at=NOW, request_url=case.url)
    result = extract(page, getattr(source, case.step), source, NOW, ZONE)
    rows = case.rows(body.decode("utf-8", "replace"))
    held = {name: sum(bool(test(row)) for row in rows) for name, test in case.held.items()}
    found: list[Any] = result.records or result.links
    return Outcome(case, len(rows), held, len(found), _filled(result), result)


def _filled(result: Extraction) -> dict[str, int]:
    """Count the records that have each field; of a listing's links, what they carry."""
    names = {
        "text": "text",
        "time": "published_at",
        "author": "author",
        "url": "url",
        "rating": "rating",
        "likes": "likes",
    }
    if result.records:
        return {
            name: sum(getattr(record, key) not in (None, "") for record in result.records)
            for name, key in names.items()
        }
    filled = {
        name: sum(link.carried.get(key) is not None for link in result.links) for name, key in names.items()
    }
    return {**filled, "url": len(result.links), "text": sum("title" in link.carried for link in result.links)}


def nodes(selector: str) -> Rows:
    """Count CSS nodes."""
    return lambda text: list(LexborHTMLParser(text).css(selector))


def has(selector: str) -> Held:
    """The node has such a descendant with text or attributes."""
    return lambda node: node.css_first(selector) is not None


def every(*names: str) -> dict[str, Held]:
    """All records of the file hold these fields."""
    return {name: lambda row: True for name in ("text", "url", *names)}


def rows(pick: Callable[[Any], list[Any]]) -> Rows:
    """Count the elements of a JSON array."""
    return lambda text: pick(orjson.loads(text))


def walk(root: Any, test: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
    """Return all objects of a document that pass the test."""
    found: list[dict[str, Any]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if test(node):
                found.append(node)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return found


def everywhere(test: Callable[[dict[str, Any]], object]) -> Rows:
    """Count the objects of a JSON document that pass the test."""
    return lambda text: walk(orjson.loads(text), test)


def count(pattern: str) -> Rows:
    """Count the matches of a pattern in the raw text."""
    return lambda text: re.findall(pattern, text)


def table(outcomes: list[Outcome]) -> str:
    """Return the table as Markdown."""
    head = "| 平台 | 文件 | 状态 | 文件中条数 | 读出条数 | 正文 | 时间 | 作者 | 链接 | 评分 | 赞 |"
    lines = [head, "|" + "---|" * 11]
    for outcome in outcomes:
        platform, _, name = outcome.case.file.partition("/")
        cells = [_cell(outcome, key) for key in FIELDS]
        counts = [outcome.result.state, str(outcome.expected), str(outcome.extracted)]
        lines.append(f"| {' | '.join([platform, name, *counts, *cells])} |")
    return "\n".join(lines)


def _cell(outcome: Outcome, name: str) -> str:
    filled, held = outcome.filled[name], outcome.held.get(name)
    return str(filled) if held is None else f"{filled}/{held}"


def main() -> None:
    """Print the table over a folder of payloads."""
    from benchmarks.payload_cases import CASES

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not folder.is_dir():
        raise SystemExit(f"没有这个目录：{folder}。用法：python -m benchmarks.payloads 目录")
    print(table([run_case(case, folder) for case in CASES if (folder / case.file).exists()]))


if __name__ == "__main__":
    main()
