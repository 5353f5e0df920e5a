"""An invented store of forty days: a brand of cups and warmers, four sources, customer service, and what
befell them.

Nothing here is real. `PLANTED` tells what happens on which day of 2026-10-07 to 2026-11-15.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import random
from dataclasses import dataclass
from typing import Any

from tests.reports.brand import (
    BURN,
    EVERYDAY,
    FILLER,
    FIRST,
    GOOD,
    LAST,
    LEAK,
    LENGTH,
    PLANTED,
    PRODUCTS,
    QUIET_DAYS,
    RUMOUR,
    SOURCES,
    ZONE,
    day,
    make_settings,
)
from vocwatch.fingerprint import fingerprint
from vocwatch.store import Store
from vocwatch.store import schema as s

__all__ = [
    "BURN",
    "FIRST",
    "LAST",
    "LEAK",
    "LENGTH",
    "PLANTED",
    "PRODUCTS",
    "QUIET_DAYS",
    "SOURCES",
    "ZONE",
    "Text",
    "World",
    "burn",
    "day",
    "forty_days",
    "make_settings",
    "quiet_days",
    "rumour",
]


@dataclass
class Text:
    """What the factory knows of one text."""

    text: str
    topics: tuple[str, ...] = ()
    sentiment: str = "negative"
    severity: int = 1
    clause: str = ""
    red_line: str = ""


class World:
    """Writes invented rows; every call adds one thing. Seeded: the same calls give the same rows."""

    def __init__(self, store: Store, seed: int = 1):
        self.store = store
        self.random = random.Random(seed)
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("mentions", "revisions", "assessments", "hits", "sessions", "turns", "runs")
        }
        self.mentions = 0
        self.sessions = 0

    def at(self, date: dt.date, hour: float | None = None) -> dt.datetime:
        hours = self.random.uniform(7, 22.5) if hour is None else hour
        moment = dt.datetime.combine(date, dt.time(), tzinfo=ZONE) + dt.timedelta(hours=hours)
        return moment.replace(microsecond=0).astimezone(dt.UTC)

    def dress(self, clause: str) -> str:
        """Put everyday sentences around a clause, so that no two people write the same."""
        before, after = self.random.sample(FILLER, 2)
        return f"{before}，{clause}。{after}，编号{self.random.randrange(10**6)}"

    def mention(
        self,
        date: dt.date,
        said: Text,
        source: str = "",
        sku: str | None = None,
        author: str | None = "",
        hour: float | None = None,
        **columns: Any,
    ) -> int:
        """Add one judged mention; returns its row id. An empty author is a new one, None an unknown one."""
        self.mentions += 1
        ref = self.mentions
        source = source or self.random.choice(sorted(SOURCES))
        published = columns.pop("published_at", self.at(date, hour))
        url = f"https://{source}.example.com/post/{ref}"
        extra = {
            name: columns.pop(name, default)
            for name, default in (
                ("voice", "customer"),
                ("brand_match", True),
                ("title", None),
                ("hits", None),
                ("confidence", 0.9),
            )
        }
        self.rows["mentions"].append(
            {
                "id": ref,
                "source": source,
                "native_id": f"{source}-{ref}",
                "url": url,
                "kind": "post",
                "parent": None,
                "author_key": f"a{ref}" if author == "" else author,
                "published_at": published,
                "precision": "minute",
                "first_seen_at": published or self.at(date, 23),
                "last_seen_at": self.at(date, 23.5),
                "gone_at": None,
                "rating": None,
                "likes": 3,
                "replies": 0,
                "shares": 0,
                "views": None,
                "product": None,
                "sku": sku,
                "shop": None,
                "revision_id": ref,
                **columns,
            }
        )
        sha = hashlib.sha256(said.text.encode("utf-8", "replace")).hexdigest()
        self.rows["revisions"].append(
            {
                "id": ref,
                "mention_id": ref,
                "text_sha": sha,
                "title": extra["title"],
                "text": said.text,
                "seen_at": self.at(date, 23),
                "page_sha": hashlib.sha256(url.encode()).hexdigest(),
            }
        )
        full = f"{extra['title']}\n{said.text}" if extra["title"] else said.text
        self._assess("mention", ref, said, full, extra, ref)
        names = extra["hits"] if extra["hits"] is not None else [("songguoxia", "brand", 0)]
        self.rows["hits"] += [
            {
                "text_kind": "mention",
                "ref_id": ref,
                "watch": watch,
                "kind": kind,
                "rule": "alias",
                "start": start,
                "end": start + 2,
                "matched": watch,
            }
            for watch, kind, start in names
        ]
        return ref

    def session(
        self, date: dt.date, said: Text, path: str = "非满意", sku: str | None = "PC-B2", **columns: Any
    ) -> int:
        """Add one judged session; returns its row id."""
        self.sessions += 1
        ref = self.sessions
        values: dict[str, Any] = {
            "id": ref,
            "native_id": f"KF{ref:05d}",
            "path": path,
            "started_at": self.at(date),
            "shop": "松果匣旗舰店",
            "platform": None,
            "sku": sku,
            "product": None,
            "order_key": None,
            "agent_key": None,
            "buyer_key": f"b{ref}",
            "rating": None,
            "stars": None,
            "return_reason": None,
            "violation": None,
            "amount": None,
            "review": None,
            "response_seconds": None,
            "resolved": None,
            "run_id": 1,
            "text_sha": f"{ref:064d}",
            "imported_at": self.at(date, 23),
            **columns,
        }
        self.rows["sessions"].append(values)
        self.rows["turns"] += [
            {"session_id": ref, "seq": 0, "role": "customer", "text": said.text, "at": None},
            {"session_id": ref, "seq": 1, "role": "agent", "text": "亲，这边帮您核实一下", "at": None},
        ]
        self._assess(
            "session",
            ref,
            said,
            said.text,
            {"voice": "customer", "brand_match": True, "confidence": 0.9},
            None,
        )
        return ref

    def run(
        self, date: dt.date, source: str, outcome: str = "ok", hour: float = 23.6, **columns: Any
    ) -> None:
        """Add one finished crawl."""
        started = self.at(date, hour)
        self.rows["runs"].append(
            {
                "kind": "crawl",
                "subject": source,
                "status": "done",
                "outcome": outcome,
                "reason": None,
                "started_at": started,
                "finished_at": started + dt.timedelta(minutes=3),
                "stats": {"read": 20, "expected": 20},
                **columns,
            }
        )

    def runs(self, date: dt.date, **outcomes: str) -> None:
        """Add one crawl of every source; those named end as told, with a reason."""
        for source in SOURCES:
            outcome = outcomes.get(source, "ok")
            blind = (
                {}
                if outcome == "ok"
                else {"reason": "网站要求安全验证（461）", "stats": {"read": 0, "expected": 20}}
            )
            self.run(date, source, outcome, **blind)

    def unread(self, date: dt.date, source: str) -> None:
        """Move what was added for a source on a date to a source that was read: nothing came from the blind one."""
        for row in self.rows["mentions"]:
            if row["source"] == source and row["first_seen_at"].astimezone(ZONE).date() == date:
                row["source"], row["url"] = "forum", row["url"].replace(source, "forum")

    def background(self, date: dt.date, scale: int = 1, sessions: int = 12) -> None:
        """An ordinary day: mostly praise, a few scattered mild complaints, and customer service as usual."""
        for _ in range(18 * scale):
            self.mention(
                date,
                Text(self.dress(self.random.choice(GOOD)), sentiment="positive", severity=0),
                sku=self.random.choice(sorted(PRODUCTS)),
            )
        cells = [(topic, sku) for topic in EVERYDAY for sku in sorted(PRODUCTS)]
        for topic, sku in self.random.sample(cells, 5 * scale):
            self.mention(date, self.complaint(topic, EVERYDAY[topic]), sku=sku)
        for topic, sku in self.random.sample(cells, sessions):
            self.session(
                date,
                self.complaint(topic, EVERYDAY[topic]),
                self.random.choice(["非满意", "中差评", "品退", "流失"]),
                sku,
            )

    def complaint(self, topic: str, clause: str, severity: int = 1, red_line: str = "") -> Text:
        """A dressed complaint with its clause."""
        return Text(self.dress(clause), (topic,), "negative", severity, clause, red_line)

    def _assess(
        self, kind: str, ref: int, said: Text, full: str, extra: dict[str, Any], revision: int | None
    ) -> None:
        start = full.find(said.clause) if said.clause else -1
        span = (
            []
            if start < 0
            else [
                {
                    "start": start,
                    "end": start + len(said.clause),
                    "topic": topic,
                    "sentiment": said.sentiment,
                    "severity": said.severity,
                }
                for topic in said.topics
            ]
        )
        lines = (
            [
                {
                    "name": said.red_line,
                    "rule": "word",
                    "start": max(start, 0),
                    "end": max(start, 0) + 2,
                    "matched": said.red_line,
                }
            ]
            if said.red_line
            else []
        )
        self.rows["assessments"].append(
            {
                "text_kind": kind,
                "ref_id": ref,
                "revision_id": revision,
                "text_sha": f"{kind}{ref}",
                "model_version": "m1",
                "brand_match": extra["brand_match"],
                "sentiment": said.sentiment,
                "score": {"negative": -0.8, "neutral": 0.0, "positive": 0.8}[said.sentiment],
                "confidence": extra["confidence"],
                "mixed": False,
                "severity": said.severity,
                "topics": list(said.topics),
                "red_lines": lines,
                "spans": span,
                "voice": extra["voice"],
                "fingerprint": fingerprint(full),
                "refused": None,
                "assessed_at": dt.datetime(2026, 11, 16, tzinfo=dt.UTC),
            }
        )

    def save(self) -> None:
        """Write what was added since the last call."""
        with self.store.begin() as connection:
            for name in ("mentions", "revisions", "assessments", "hits", "sessions", "turns", "runs"):
                if self.rows[name]:
                    connection.execute(getattr(s, name).insert(), self.rows[name])
                    self.rows[name] = []


def quiet_days(store: Store) -> World:
    """Twenty-three ordinary days, not saved yet."""
    world = World(store, 7)
    for number in range(1, QUIET_DAYS + 1):
        world.background(day(number))
        world.runs(day(number))
    return world


def forty_days(store: Store, seed: int = 1) -> World:
    """Fill a store with the whole story."""
    world = World(store, seed)
    for number in range(1, LENGTH + 1):
        date = day(number)
        world.background(date, scale=4 if date == PLANTED["campaign"] else 1)
        if date == PLANTED["blind"]:
            world.runs(date, notes="blocked")
            world.unread(date, "notes")
        else:
            world.runs(date)
    for number, inside, outside in (
        (26, 4, 0),
        (27, 6, 0),
        (28, 6, 3),
        (29, 5, 7),
        (30, 4, 9),
        (31, 2, 4),
        (32, 1, 2),
        (39, 3, 5),
    ):
        for _ in range(inside):
            world.session(day(number), world.complaint("产品质量/漏水", world.random.choice(LEAK), 2), "品退")
        for _ in range(outside):
            world.mention(
                day(number),
                world.complaint("产品质量/漏水", world.random.choice(LEAK), 2),
                sku="PC-B2",
                likes=40,
            )
    rumour(world, PLANTED["rumour"])
    for clause in BURN:
        burn(world, PLANTED["burn"], clause)
    world.save()
    return world


def burn(world: World, date: dt.date, clause: str, hour: float = 20.5) -> int:
    """One report of an injury."""
    return world.mention(
        date,
        world.complaint("商品安全/烫伤", clause, 3, "人身伤害"),
        "notes",
        "PC-H1",
        hour=hour,
        likes=260,
        replies=40,
    )


def rumour(world: World, date: dt.date, copies: int = 30, accounts: int = 5) -> None:
    """One text, and near-identical copies of it by few accounts within hours."""
    said = Text(RUMOUR, ("宣传/假货",), "negative", 3, "松果匣旗舰店卖的全是假货", "假货")
    world.mention(date, said, "forum", author="army0", hour=9)
    for number in range(copies):
        copy = dataclasses.replace(said, text=f"{RUMOUR}{'！' * (number % 3)}")
        world.mention(date, copy, "forum", author=f"army{number % accounts}", hour=9.1 + number / 10)
