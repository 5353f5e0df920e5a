"""How much of real pages the catalogue's sources read: `python -m benchmarks.payloads [FOLDER]`.

For each saved payload the records it holds are counted straight from the raw structure (elements of a JSON
array, CSS nodes), without the extractors; so are the records that hold an author, a time, a rating, likes or
a parent. The table shows both, and what the extractors made of it.

A file in a platform's folder that no case names (another capture) is read by each source and step that the
platform's cases use; the reading that brought most is shown, with the largest raw count that
any of the platform's counters finds, or – where none fits.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
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
FIELDS = ("text", "time", "author", "url", "rating", "likes", "parent")
NAMES = dict(zip(FIELDS, ("正文", "时间", "作者", "链接", "评分", "赞", "上级"), strict=True))
SUFFIXES = (".html", ".htm", ".json", ".xml", ".rss", ".js", ".txt")
STATES = ("ok", "removed", "captcha", "login", "blocked", "unavailable", "empty", "drift")
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


@lru_cache
def load_source(name: str) -> Source:
    """Load one source of the catalogue."""
    return load_model(CATALOGUE / f"{name}.yaml", Source, {})


def run_case(case: Case, folder: Path = FOLDER) -> Outcome:
    """Extract one payload and count."""
    body = (folder / case.file).read_bytes()
    result = read(case, body)
    rows = case.rows(body.decode("utf-8", "replace"))
    held = {name: sum(bool(test(row)) for row in rows) for name, test in case.held.items()}
    return Outcome(case, len(rows), held, len(result.records or result.links), _filled(result), result)


def read(case: Case, body: bytes) -> Extraction:
    """Extract one body by the case's source and step."""
    source = load_source(case.source)
    page = Page(url=case.url, body=body, fetched_at=NOW, request_url=case.url)
    return extract(page, getattr(source, case.step), source, NOW, ZONE)


def run_unknown(file: str, cases: Sequence[Case], folder: Path = FOLDER) -> Outcome | None:
    """Read a file that no case names: the best reading by any source and step of its platform's cases."""
    body = (folder / file).read_bytes()
    platform = file.partition("/")[0]
    own = [case for case in cases if case.file.startswith(f"{platform}/")]
    raw = _raw_counts(own, body.decode("utf-8", "replace"))
    best: Outcome | None = None
    for name, step in _readings(own):
        kin = [case for case in own if (case.source, case.step) == (name, step)]
        guess = replace(kin[0] if kin else Case(file, name, step), file=file, state="ok", rows=lambda text: [], held={})
        result = read(guess, body)
        extracted = len(result.records or result.links)
        expected, held = raw
        outcome = Outcome(guess, expected, held, extracted, _filled(result), result)
        if best is None or _rank(outcome) < _rank(best):
            best = outcome
    return best


def _readings(cases: Sequence[Case]) -> list[tuple[str, str]]:
    """All sources that the cases name, with each step they have, those of the cases first."""
    named = [(case.source, case.step) for case in cases]
    steps = ("listing", "detail", "comments")
    others = [(name, step) for name, _ in named for step in steps if getattr(load_source(name), step) is not None]
    return list(dict.fromkeys(named + others))


def _raw_counts(cases: Sequence[Case], text: str) -> tuple[int, dict[str, int]]:
    """The largest count that any counter of the platform finds in the file; −1 where none fits."""
    best: tuple[int, dict[str, int]] = (-1, {})
    for case in cases:
        try:
            rows = case.rows(text)
            held = {name: sum(bool(test(row)) for row in rows) for name, test in case.held.items()}
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            continue  # a counter for another kind of page
        if len(rows) > max(best[0], 0):
            best = (len(rows), held)
    return best


def _rank(outcome: Outcome) -> tuple[int, int, int]:
    """Most records first; where nothing was read, the most telling state first."""
    return (-outcome.extracted, STATES.index(outcome.result.state), -sum(outcome.filled.values()))


def _filled(result: Extraction) -> dict[str, int]:
    """Count the records that have each field; of a listing's links, what they carry."""
    names = {"time": "published_at"} | {name: name for name in FIELDS if name != "time"}
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
    head = "| 平台 | 文件 | 来源 | 状态 | 文件中条数 | 读出条数 | 正文 | 时间 | 作者 | 链接 | 评分 | 赞 | 上级 |"
    lines = [head, "|" + "---|" * 13]
    for outcome in outcomes:
        platform, _, name = outcome.case.file.partition("/")
        cells = [_cell(outcome, key) for key in FIELDS]
        counts = ["–" if outcome.expected < 0 else str(outcome.expected), str(outcome.extracted)]
        step = f"{outcome.case.source} {outcome.case.step}"
        lines.append(f"| {' | '.join([platform, name, step, outcome.result.state, *counts, *cells])} |")
    return "\n".join([*lines, "", totals(outcomes)])


def totals(outcomes: list[Outcome]) -> str:
    """Return one line: records read of those in the files, fields filled of those held."""
    counted = [outcome for outcome in outcomes if outcome.expected >= 0]
    wanted = sum(outcome.expected for outcome in counted)
    got = sum(min(outcome.extracted, outcome.expected) for outcome in counted)
    parts = [f"读出 {got}/{wanted} 条"]
    for name in FIELDS:
        held = sum(outcome.held.get(name, 0) for outcome in counted)
        full = sum(min(outcome.filled[name], outcome.held.get(name, 0)) for outcome in counted)
        parts.append(f"{NAMES[name]} {full}/{held}")
    return "；".join(parts)


def _cell(outcome: Outcome, name: str) -> str:
    filled, held = outcome.filled[name], outcome.held.get(name)
    return str(filled) if held is None else f"{filled}/{held}"


def main() -> None:
    """Print the table over a folder of payloads."""
    from benchmarks.payload_cases import CASES

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not folder.is_dir():
        raise SystemExit(f"没有这个目录：{folder}。用法：python -m benchmarks.payloads 目录")
    outcomes = [run_case(case, folder) for case in CASES if (folder / case.file).exists()]
    known = {case.file for case in CASES}
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.suffix in SUFFIXES)
    others = [run_unknown(name, CASES, folder) for name in found if name not in known]
    print(table(outcomes + [outcome for outcome in others if outcome is not None]))


if __name__ == "__main__":
    main()
