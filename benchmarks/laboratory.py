"""How fast the keyword laboratory answers over 100,000 stored mentions.

    python -m benchmarks.laboratory [--texts 100000] [--out FILE]

Writes an invented store (SQLite), judged texts and all, reads it into the laboratory and tries rules as somebody would
type them. The figures are milliseconds of one process; nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentiment.bench import Bench
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from tests.desk.kit import settings_at
from tests.reports.brand import EVERYDAY, FILLER, GOOD
from vocwatch.clock import FixedClock
from vocwatch.models import TextInput
from vocwatch.settings import Settings
from vocwatch.store import Store, open_store
from vocwatch.store import schema as s

NOW = dt.datetime(2026, 11, 16, 1, tzinfo=dt.UTC)
DAYS, TIMES, BATCH = 28, 5, 5_000
NAMES = ("松果匣", "宋果匣", "松.果.匣", "松果", "songguoxia", "小胖壶", "云朵杯", "隔壁家")
LIMIT_MS = 500.0

RULES: dict[str, tuple[dict[str, Any], str]] = {
    "保存的规则原样": ({"id": "leak", "kind": "keyword", "name": "漏水", "exclude": ["不漏水"]}, "leak"),
    "加一个别名": ({"id": "leak", "kind": "keyword", "name": "漏水", "aliases": ["会渗"], "exclude": ["不漏水"]}, "leak"),
    "加一个很宽的别名": ({"id": "leak", "kind": "keyword", "name": "漏水", "aliases": ["客服"]}, "leak"),
    "品牌加条件": ({"id": "songguoxia", "kind": "brand", "name": "松果匣", "aliases": ["松果家"], "ambiguous": ["松果"], "require": {"all": ["@ NEAR/12 (漏 OR 渗)"]}}, "songguoxia"),
    "新品牌，带变体": ({"id": "new", "kind": "brand", "name": "云朵杯"}, ""),
    "新关键词，表达式": ({"id": "new", "kind": "keyword", "name": "渗水", "query": "(裂缝 OR 掉漆) NEAR/8 (杯 OR 壶 OR 到手)"}, ""),
    "正则": ({"id": "new", "kind": "keyword", "name": "渗水", "patterns": ["杯.{0,6}漆"]}, ""),
    "要命的正则 (a+)+$": ({"id": "new", "kind": "keyword", "name": "渗水", "patterns": ["(a+)+$"]}, ""),
    "一个字：的": ({"id": "new", "kind": "keyword", "name": "的"}, ""),
    "一万个词": ({"id": "new", "kind": "keyword", "name": "渗水", "aliases": [f"词{n:05d}号" for n in range(10_000)]}, ""),
}


def fill(store: Store, settings: Settings, texts: int) -> None:
    """Write invented judged mentions of the last 28 days."""
    drawn = random.Random(1)
    matcher = Matcher(settings.watches)
    rows: dict[str, list[dict[str, Any]]] = {"mentions": [], "revisions": [], "assessments": [], "hits": []}
    for ref in range(1, texts + 1):
        first, second = drawn.sample(FILLER, 2)
        name = drawn.choice(NAMES) if drawn.random() < 0.5 else ""
        text = f"{first}，{drawn.choice(GOOD)}{name}。{second}，{drawn.choice(list(EVERYDAY.values()))}，编号{drawn.randrange(10**6)}"
        _add(rows, matcher, ref, text, NOW - dt.timedelta(minutes=ref * DAYS * 1440 / (texts + 1)), drawn.random() < 0.01)
        if ref % BATCH == 0 or ref == texts:
            with store.begin() as connection:
                for table, found in rows.items():
                    if found:
                        connection.execute(getattr(s, table).insert(), found)
                    found.clear()


def _add(rows: dict[str, list[dict[str, Any]]], matcher: Matcher, ref: int, text: str, at: dt.datetime, red: bool) -> None:
    rows["mentions"].append({
        "id": ref, "source": "forum", "native_id": str(ref), "url": f"https://a.example/{ref}", "kind": "post", "published_at": at,
        "precision": "minute", "first_seen_at": at, "last_seen_at": at, "revision_id": ref, "author_key": f"a{ref % 9000}",
    })
    rows["revisions"].append({"id": ref, "mention_id": ref, "text_sha": f"{ref:064d}", "text": text, "seen_at": at})
    rows["assessments"].append({
        "text_kind": "mention", "ref_id": ref, "revision_id": ref, "text_sha": f"{ref:064d}", "model_version": "m1", "brand_match": False,
        "sentiment": "negative", "score": -0.5, "confidence": 0.9, "mixed": False, "severity": 1, "topics": [],
        "red_lines": [{"name": "人身伤害", "rule": "word", "start": 0, "end": 1, "matched": "x"}] if red else [], "spans": [], "voice": "customer",
        "fingerprint": b"", "assessed_at": at,
    })
    hits = {(hit.watch, hit.start): hit for hit in matcher.match(TextInput(str(ref), text), normalise(text)).hits}
    rows["hits"] += [
        {"text_kind": "mention", "ref_id": ref, "watch": hit.watch, "kind": hit.kind, "rule": hit.rule, "start": hit.start, "end": hit.end,
         "matched": hit.matched} for hit in hits.values()
    ]


def measured(ask: Callable[[], Any]) -> tuple[list[float], list[float], Any]:
    """Return the milliseconds of some answers, on the clock and of processor time, and the last of them."""
    clock, processor = [], []
    answer: Any = None
    for _ in range(TIMES):
        began, spent = time.perf_counter(), time.process_time()
        answer = ask()
        clock.append(1000 * (time.perf_counter() - began))
        processor.append(1000 * (time.process_time() - spent))
    return clock, processor, answer


def main() -> None:
    """Measure and print a table; the exit code is 1 where the slowest median misses the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vocwatch-lab-") as place:
        settings = settings_at(Path(place)).with_clock(FixedClock(NOW))
        store = open_store(settings.env.database_url)
        fill(store, settings, options.texts)
        bench = Bench(lambda: settings, store)
        began = time.perf_counter()
        bench.try_fields(*RULES["保存的规则原样"], days=DAYS)
        lines = [f"{options.texts} 条提及，{DAYS} 天；第一次读入 {time.perf_counter() - began:.1f} 秒", "",
                 "| 试什么 | 处理器 ms（中位数） | 时钟 ms（中位数） | 命中 | 看了/可能受影响 |", "|---|---|---|---|---|"]
        worst = 0.0
        for label, (fields, replaces) in RULES.items():
            clock, processor, report = measured(lambda fields=fields, replaces=replaces: bench.try_fields(fields, replaces, DAYS))  # type: ignore[misc]
            middle = statistics.median(processor)
            worst = max(worst, middle)
            said = f"{report.caught.count}{' ±' + str(report.caught.margin) if report.caught.margin else ''}" if not report.problems else "不收"
            lines.append(f"| {label} | {middle:.0f} | {statistics.median(clock):.0f} | {said} | {report.looked}/{report.worth} |")
        store.close()
    lines += ["", f"最慢的中位数 {worst:.0f} ms，上限 {LIMIT_MS:.0f} ms：{'达到' if worst <= LIMIT_MS else '没达到'}"]
    table = "\n".join(lines)
    print(table)
    if options.out:
        options.out.write_text(table + "\n", encoding="utf-8")
    raise SystemExit(worst > LIMIT_MS)


if __name__ == "__main__":
    main()
