"""Time and memory of judging one day over a long history: `python -m benchmarks.day --mentions 10000 --sessions 1000`.

A store is filled with invented, already judged mentions and sessions: `--history` of them over the thirty days before,
`--mentions` and `--sessions` on the day itself. Measured, each in a process of its own: incidents (clusters, baseline,
joining, score), facts, and the digest's JSON. `--sizes 10000,100000` prints the growth between sizes.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from reports.digest.contract import to_json
from reports.facts import build_facts
from reports.run import build_incidents
from vocwatch.fingerprint import fingerprint
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store
from vocwatch.store import schema as s

ROOT = Path(__file__).resolve().parents[2]
DAY = dt.date(2026, 11, 20)
BATCH = 5000
SAID = (
    "用了两天盖子就开始渗水", "颜色和图上差得有点多", "退款拖了好几天没有动静", "快递放在门口纸箱压扁了", "客服半天才回一句",
    "边上有一圈毛刺划手", "味道散了一周还在", "少发了一个配件", "价格第二天就降了", "尺寸比标的小了一圈",
)
LETTERS = "天地人大小多少上下左右来去买卖用说看听做穿洗晒收发退换等问答写拍好坏新旧长短轻重冷热快慢早晚里外前后高低红黄蓝绿白黑门窗桌椅床灯水火风雨山石田土花草木叶"
LIFE = ("周末刚拆的", "同事推荐的", "放在办公室用", "给家里老人买的", "搬家时添的", "第一次在这家买", "群里有人也提到过", "比了三家才下单")


def main() -> None:
    """Parse the command line; measure, or run the sizes one after another."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mentions", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, help="default: a tenth of the mentions")
    parser.add_argument("--history", type=int, help="default: ten times the mentions")
    parser.add_argument("--sizes", help="several numbers of mentions, as 2500,10000")
    parser.add_argument("--negative", type=float, default=0.25, help="share of mentions that complain")
    options = parser.parse_args()
    if options.sizes:
        sizes(options)
        return
    sessions = options.sessions if options.sessions is not None else options.mentions // 10
    history = options.history if options.history is not None else options.mentions * 10
    print(json.dumps(measure(options.mentions, sessions, history, options.negative), ensure_ascii=False))


def sizes(options: argparse.Namespace) -> None:
    """Measure each size in a process of its own and print the growth."""
    rows = []
    for size in (int(part) for part in options.sizes.split(",")):
        command = [sys.executable, "-m", "benchmarks.day", "--mentions", str(size), "--negative", str(options.negative)]
        if options.history is not None:
            command += ["--history", str(options.history)]
        rows.append(json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout))
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    for one, two in pairwise(rows):
        growth = two["seconds"] / one["seconds"]
        print(f"{one['mentions']} → {two['mentions']}: × {two['mentions'] / one['mentions']:.1f} mentions, × {growth:.1f} seconds")


def measure(mentions: int, sessions: int, history: int, negative: float) -> dict[str, object]:
    """Fill a store and judge its last day; returns seconds by step and the peak resident memory in MB."""
    settings = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "bench"}))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = dataclasses.replace(settings, env=dataclasses.replace(settings.env, data=home))
        store = open_store(f"sqlite:///{home / 'day.sqlite3'}")
        began = time.perf_counter()
        Filler(settings, store, negative).fill(mentions, sessions, history)
        filled = time.perf_counter() - began
        before = peak()
        now = dt.datetime.combine(DAY + dt.timedelta(days=1), dt.time(8, 30), tzinfo=settings.app.zone)
        steps: dict[str, float] = {}
        began = time.perf_counter()
        report = build_incidents(settings, store, DAY, now=now)
        steps["incidents"] = time.perf_counter() - began
        began = time.perf_counter()
        facts = build_facts(settings, store, DAY, now=now)
        steps["facts"] = time.perf_counter() - began
        began = time.perf_counter()
        size = len(to_json(facts))
        steps["json"] = time.perf_counter() - began
        store.close()
    return {
        "mentions": mentions, "sessions": sessions, "history": history, "negative": negative,
        "seconds": round(sum(steps.values()), 2), **{name: round(spent, 2) for name, spent in steps.items()},
        "findings": len(report.findings), "json_kb": size // 1024, "peak_mb": round(peak()), "peak_before_mb": round(before),
        "filled_in": round(filled, 1),
    }


def peak() -> float:
    """Return the peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Filler:
    """Writes invented judged rows in bulk."""

    def __init__(self, settings: Settings, store: Store, negative: float):
        self._settings = settings
        self._store = store
        self._negative = negative
        self._draw = random.Random(20)
        leaves = [f"{group.name}/{leaf.name}" for group in settings.topics.topics for leaf in group.leaves]
        self._topics = leaves[:40]
        self._sources = sorted(settings.sources)[:6] or ["forum"]
        self._brand = settings.app.brand.watch
        self._signatures = [fingerprint(self._text(n)) for n in range(2000)]

    def fill(self, mentions: int, sessions: int, history: int) -> None:
        """Write history and day."""
        days = [DAY - dt.timedelta(days=back) for back in range(30, 0, -1)]
        number = 1
        for day in days:
            number = self._mentions(number, day, history // len(days))
        number = self._mentions(number, DAY, mentions)
        first = 1
        for day in days:
            first = self._sessions(first, day, sessions // 4)
        self._sessions(first, DAY, sessions)
        with self._store.begin() as connection:
            connection.execute(s.runs.insert(), [
                {"kind": "crawl", "subject": name, "status": "done", "outcome": "ok", "reason": None,
                 "started_at": self._at(day, 23), "finished_at": self._at(day, 23.2), "stats": {"read": 9, "expected": 9}}
                for name in self._sources for day in [*days, DAY]
            ])

    def _at(self, day: dt.date, hour: float) -> dt.datetime:
        start = dt.datetime.combine(day, dt.time(), tzinfo=self._settings.app.zone)
        return (start + dt.timedelta(hours=hour)).astimezone(dt.UTC)

    def _text(self, number: int) -> str:
        said = self._draw.choice(SAID)
        own = "".join(self._draw.choices(LETTERS, k=24))  # people's own words: what makes texts unlike each other
        return f"{self._draw.choice(LIFE)}，{said}，{own[:12]}，{own[12:]}"

    def _mentions(self, first: int, day: dt.date, count: int) -> int:
        for start in range(first, first + count, BATCH):
            rows = range(start, min(start + BATCH, first + count))
            with self._store.begin() as connection:
                at = [self._at(day, self._draw.uniform(0, 22)) for _ in rows]
                connection.execute(s.mentions.insert(), [self._mention(n, when) for n, when in zip(rows, at, strict=True)])
                connection.execute(s.revisions.insert(), [
                    {"id": n, "mention_id": n, "text_sha": f"{n:064d}", "title": None, "text": self._text(n), "seen_at": when,
                     "page_sha": f"{n:064d}"} for n, when in zip(rows, at, strict=True)
                ])
                connection.execute(s.assessments.insert(), [self._assessment("mention", n, n) for n in rows])
                connection.execute(s.hits.insert(), [
                    {"text_kind": "mention", "ref_id": n, "watch": self._brand, "kind": "brand", "rule": "alias", "start": 0,
                     "end": 2, "matched": "x"} for n in rows
                ])
        return first + count

    def _mention(self, n: int, at: dt.datetime) -> dict[str, object]:
        source = self._sources[n % len(self._sources)]
        return {
            "id": n, "source": source, "native_id": f"n{n}", "url": f"https://{source}.example.com/{n}", "kind": "post",
            "parent": None, "author_key": f"a{self._draw.randrange(10**7)}", "published_at": at, "precision": "minute",
            "first_seen_at": at, "last_seen_at": at, "gone_at": None, "rating": None, "likes": n % 50, "replies": 0, "shares": 0,
            "views": None, "product": None, "sku": f"SKU-{self._draw.randrange(60)}", "shop": None, "revision_id": n,
        }

    def _assessment(self, kind: str, n: int, revision: int | None) -> dict[str, object]:
        bad = kind == "session" or self._draw.random() < self._negative
        topic = self._topics[min(int(self._draw.expovariate(0.12)), len(self._topics) - 1)]
        return {
            "text_kind": kind, "ref_id": n, "revision_id": revision, "text_sha": f"{kind}{n}", "model_version": "bench",
            "brand_match": True, "sentiment": "negative" if bad else "positive", "score": -0.8 if bad else 0.8, "confidence": 0.9,
            "mixed": False, "severity": int(bad), "topics": [topic] if bad else [], "red_lines": [],
            "spans": [{"start": 0, "end": 12, "topic": topic, "sentiment": "negative", "severity": 1}] if bad else [],
            "voice": "customer", "fingerprint": fingerprint(self._text(n)) if n % 50 else self._signatures[n % 2000],
            "refused": None, "assessed_at": self._at(DAY, 23),
        }

    def _sessions(self, first: int, day: dt.date, count: int) -> int:
        for start in range(first, first + count, BATCH):
            rows = range(start, min(start + BATCH, first + count))
            with self._store.begin() as connection:
                connection.execute(s.sessions.insert(), [
                    {"id": n, "native_id": f"KF{n}", "path": ("非满意", "品退", "中差评", "流失")[n % 4],
                     "started_at": self._at(day, self._draw.uniform(8, 22)), "shop": None, "sku": f"SKU-{self._draw.randrange(60)}",
                     "buyer_key": f"b{n}", "run_id": 1, "text_sha": f"{n:064d}", "imported_at": self._at(day, 23)} for n in rows
                ])
                connection.execute(s.turns.insert(), [
                    {"session_id": n, "seq": 0, "role": "customer", "text": self._text(n), "at": None} for n in rows
                ])
                connection.execute(s.assessments.insert(), [self._assessment("session", n, None) for n in rows])
        return first + count


if __name__ == "__main__":
    main()
