"""Invented texts in bulk, for `benchmarks.day`."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from sqlalchemy import Table

from vocwatch.fingerprint import fingerprints
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store
from vocwatch.store import schema as s
from vocwatch.store.engine import upsert

DAY = dt.date(2026, 11, 20)
BATCH = 5000
DAYS = 30
COPIES = 50  # one text in so many is a copy of another
SAID = (
    "用了两天盖子就开始渗水", "颜色和图上差得有点多", "退款拖了好几天没有动静", "快递放在门口纸箱压扁了", "客服半天才回一句",
    "边上有一圈毛刺划手", "味道散了一周还在", "少发了一个配件", "价格第二天就降了", "尺寸比标的小了一圈",
)
PRAISED = (
    "用了两天很顺手", "颜色和图上一样好看", "发货很快", "包装得很严实", "客服回得很及时", "做工细致", "没有异味很放心",
    "配件齐全", "买得很划算", "尺寸刚刚好",
)
LETTERS = "天地人大小多少上下左右来去买卖用说看听做穿洗晒收发退换等问答写拍好坏新旧长短轻重冷热快慢早晚里外前后高低红黄蓝绿白黑门窗桌椅床灯水火风雨山石田土花草木叶"
LIFE = ("周末刚拆的", "同事推荐的", "放在办公室用", "给家里老人买的", "搬家时添的", "第一次在这家买", "群里有人也提到过", "比了三家才下单")


class Filler:
    """Writes invented rows; the same calls give the same rows."""

    def __init__(self, settings: Settings, store: Store, negative: float):
        self._settings = settings
        self._store = store
        self._negative = negative
        self._draw = random.Random(20)
        leaves = [f"{group.name}/{leaf.name}" for group in settings.topics.topics for leaf in group.leaves]
        self._topics = leaves[:40]
        self._sources = sorted(settings.sources)[:6] or ["forum"]
        self._brand = settings.app.brand.watch
        self._name = next(watch.name for watch in settings.watches.watches if watch.id == self._brand)
        self._copied = [self._text(True) for _ in range(2000)]

    def history(self, mentions: int, judged: bool = True) -> None:
        """Write the days before, judged or not, and their crawls and the day's."""
        days = [DAY - dt.timedelta(days=back) for back in range(DAYS, 0, -1)]
        each = mentions // len(days)
        for number, day in enumerate(days):
            self._day(day, number * each + 1, each, judged)
        with self._store.begin() as connection:
            connection.execute(s.runs.insert(), [
                {"kind": "crawl", "subject": name, "status": "done", "outcome": "ok", "reason": None,
                 "started_at": self._at(day, 23), "finished_at": self._at(day, 23.2), "stats": {"read": 9, "expected": 9}}
                for name in self._sources for day in [*days, DAY]
            ])

    def day(self, mentions: int) -> None:
        """Write the day's texts, not judged."""
        self._day(DAY, 10_000_001, mentions, judged=False)

    def _day(self, day: dt.date, first: int, count: int, judged: bool) -> None:
        for start in range(first, first + count, BATCH):
            self._mentions(day, range(start, min(start + BATCH, first + count)), judged)
        for start in range(first // 10 + 1, first // 10 + 1 + count // 10, BATCH):
            self._sessions(day, range(start, min(start + BATCH, first // 10 + 1 + count // 10)), judged)

    def _at(self, day: dt.date, hour: float) -> dt.datetime:
        start = dt.datetime.combine(day, dt.time(), tzinfo=self._settings.app.zone)
        return (start + dt.timedelta(hours=hour)).astimezone(dt.UTC)

    def _text(self, bad: bool) -> str:
        said = self._draw.choice(SAID if bad else PRAISED)
        own = "".join(self._draw.choices(LETTERS, k=24))  # people's own words: what makes texts unlike each other
        return f"{self._draw.choice(LIFE)}，{self._name}的，{said}，{own[:12]}，{own[12:]}"

    def _mentions(self, day: dt.date, numbers: range, judged: bool) -> None:
        bad = [self._draw.random() < self._negative for _ in numbers]
        texts = [self._copied[n % 2000] if n % COPIES == 0 and b else self._text(b) for n, b in zip(numbers, bad, strict=True)]
        times = [self._at(day, self._draw.uniform(0, 22)) for _ in numbers]
        with self._store.begin() as connection:
            self._write(connection, s.mentions, [self._mention(n, at) for n, at in zip(numbers, times, strict=True)], ["id"])
            self._write(connection, s.revisions, [
                {"id": n, "mention_id": n, "text_sha": f"{n:064d}", "title": None, "text": text, "seen_at": at,
                 "page_sha": f"{n:064d}"} for n, text, at in zip(numbers, texts, times, strict=True)
            ], ["id"])
            if judged:
                self._write(connection, s.assessments, self._assessments("mention", numbers, texts, bad), ["text_kind", "ref_id"])
                self._write(connection, s.hits, [
                    {"text_kind": "mention", "ref_id": n, "watch": self._brand, "kind": "brand", "rule": "alias",
                     "start": 0, "end": 2, "matched": "x"} for n in numbers
                ], ["text_kind", "ref_id", "watch", "start"])

    def _write(self, connection: Connection, table: Table, rows: list[dict[str, Any]], key: list[str]) -> None:
        upsert(connection, table, rows, key)

    def _mention(self, n: int, at: dt.datetime) -> dict[str, Any]:
        source = self._sources[n % len(self._sources)]
        return {
            "id": n, "source": source, "native_id": f"n{n}", "url": f"https://{source}.example.com/{n}", "kind": "post",
            "parent": None, "author_key": f"a{self._draw.randrange(10**7)}", "published_at": at, "precision": "minute",
            "first_seen_at": at, "last_seen_at": at, "gone_at": None, "rating": None, "likes": n % 50, "replies": 0,
            "shares": 0, "views": None, "product": None, "sku": f"SKU-{self._draw.randrange(60)}", "shop": None,
            "revision_id": n,
        }

    def _assessments(self, kind: str, numbers: range, texts: list[str], bad: list[bool]) -> list[dict[str, Any]]:
        made = fingerprints(texts)
        return [self._assessment(kind, n, print_, b) for n, print_, b in zip(numbers, made, bad, strict=True)]

    def _assessment(self, kind: str, n: int, fingerprint: bytes, bad: bool) -> dict[str, Any]:
        topic = self._topics[min(int(self._draw.expovariate(0.12)), len(self._topics) - 1)]
        return {
            "text_kind": kind, "ref_id": n, "revision_id": n if kind == "mention" else None, "text_sha": f"{n:064d}",
            "model_version": "bench", "brand_match": True, "sentiment": "negative" if bad else "positive",
            "score": -0.8 if bad else 0.8, "confidence": 0.9, "mixed": False, "severity": int(bad),
            "topics": [topic] if bad else [], "red_lines": [],
            "spans": [{"start": 0, "end": 12, "topic": topic, "sentiment": "negative", "severity": 1}] if bad else [],
            "voice": "customer", "fingerprint": fingerprint, "refused": None, "truncated": False, "review": False,
            "assessed_at": self._at(DAY, 0),
        }

    def _sessions(self, day: dt.date, numbers: range, judged: bool) -> None:
        texts = [self._text(True) for _ in numbers]
        with self._store.begin() as connection:
            upsert(connection, s.sessions, [
                {"id": n, "native_id": f"KF{n}", "path": ("非满意", "品退", "中差评", "流失")[n % 4],
                 "started_at": self._at(day, self._draw.uniform(8, 22)), "shop": None, "sku": f"SKU-{self._draw.randrange(60)}",
                 "buyer_key": f"b{n}", "run_id": 1, "text_sha": f"{n:064d}", "imported_at": self._at(day, 23)}
                for n in numbers
            ], ["id"])
            upsert(connection, s.turns, [
                {"session_id": n, "seq": 0, "role": "customer", "text": text, "at": None}
                for n, text in zip(numbers, texts, strict=True)
            ], ["session_id", "seq"])
            if judged:
                rows = self._assessments("session", numbers, texts, [True] * len(texts))
                upsert(connection, s.assessments, rows, ["text_kind", "ref_id"])
