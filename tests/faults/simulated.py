"""Sources whose runs are drawn by chance: volumes with weekdays, optional fields, odd pages, searches; and their faults."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from crawlers.fetch import WORDS
from crawlers.health import judge
from crawlers.history import History, mode_of
from crawlers.tally import Tally
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.settings import Source
from vocwatch.store.runs import Run

BEGIN = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
WEEK = (1.0, 1.05, 1.0, 0.95, 1.1, 0.65, 0.6)  # quieter weekends
FIELDS = {"text": 0.9995, "author": 0.97, "published_at": 0.999, "rating": 0.8, "likes": 0.6, "title": 0.995, "sku": 0.3}


@dataclass
class Simulated:
    """One source from run to run. `fault` may change what the next runs find."""

    seed: int
    source: Source
    posts_a_day: float = 40.0
    searches: int = 4
    every_hours: float = 24.0
    odd_page: float = 0.001
    fault: str = ""
    share: float = 1.0
    past: list[Run] = field(default_factory=list)
    known: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now = BEGIN
        self.scatter = self.random.uniform(0, 0.15)  # days differ by more than chance
        self.holds = self.random.uniform(0.6, 1.0)

    def poisson(self, mean: float) -> int:
        gamma = self.random.gammavariate(1 / self.scatter, mean * self.scatter) if self.scatter > 0.01 else mean
        count, left = 0, gamma
        while (left := left - self.random.expovariate(1.0)) > 0:
            count += 1
        return count

    def binomial(self, trials: int, share: float) -> int:
        return sum(self.random.random() < share for _ in range(trials))

    def run(self) -> tuple[SourceStatus, str]:
        """One more run; returns how it was judged."""
        spec, incremental = "s", bool(self.past)
        history = History.of(list(reversed(self.past))[:60], self.now, spec)
        tally = self._tally(incremental)
        status, reason = judge(tally, history, self.source, WORDS, incremental)
        mode = mode_of(incremental)
        stats: dict[str, Any] = {**tally.stats(history.expected(mode), mode, history.hours), "spec": spec}
        self.past.append(Run(len(self.past) + 1, "crawl", "s", RunStatus.DONE, status, reason, self.now, self.now, stats))
        self.now += dt.timedelta(hours=self.every_hours)
        return status, reason or ""

    def hit(self, kind: str) -> float:
        """The share of pages that the fault, if it is of this kind, has in its hands."""
        return self.share if self.fault == kind else 0.0

    def _tally(self, incremental: bool) -> Tally:
        tally = Tally(starts=self.searches, starts_read=self.searches)
        local = self.now + dt.timedelta(hours=8)
        days = self.every_hours / 24 if incremental else 60
        fresh = self.poisson(self.posts_a_day * days * WEEK[local.weekday()]) if self.posts_a_day else 0
        silent = self.random.random() < self.hit("soft_empty")
        fresh = 0 if silent or self.random.random() < self.hit("stale") else fresh
        self._listings(tally, silent, fresh)
        again = 0 if silent else self.poisson(self.posts_a_day * 0.8) if incremental else 0
        self._details(tally, fresh, again)
        return tally

    def _listings(self, tally: Tally, silent: bool, fresh: int) -> None:
        for number in range(self.searches):
            start = tally.start(f"k{number}")
            size = (20, 20, 14, 6)[number % 4]
            steady = number % 2 == 0
            dead = silent or (self.fault == "one_search" and number == 1)
            start.first = 0 if dead else size if steady else min(20, self.poisson(size))
            tally.first_page += start.first
            start.judged = self.binomial(min(fresh, 60), 0.3)
            start.matched = self.binomial(start.judged, self.holds * (1 - self.hit("decoy")))

    def _details(self, tally: Tally, fresh: int, again: int) -> None:
        tally.details = tally.listed = fresh + again
        for page in range(fresh + again):
            if self.random.random() < 0.004:
                tally.fail("detail", "timeout", f"t{page}")
            elif self.random.random() < self.odd_page:
                tally.fail("detail", "drift", f"o{len(self.past)}-{page}")
            elif self.random.random() < self.hit("drift"):
                tally.fail("detail", "drift", f"d{len(self.past)}-{page}")
            else:
                self._page(tally, page, page < fresh)

    def _page(self, tally: Tally, page: int, new: bool) -> None:
        empty = self.random.random() < max(0.002, self.hit("empty"))
        tally.read("detail", empty)
        if empty:
            return
        tally.records += 1
        tally.new += new
        walled = self.random.random() < self.hit("visitor")
        tally.told("请在客户端查看完整内容" if walled else "如题如题如题" if self.random.random() < 0.02 else f"正文 {len(self.past)} {page}")
        lost, garbled = self.hit("field"), self.hit("dates")
        for name, share in FIELDS.items():
            there = self.random.random() < share and not (name in ("author", "published_at") and self.random.random() < lost)
            valid = there and self.random.random() < 0.9995 and not (name == "published_at" and self.random.random() < garbled)
            tally.cover("detail", {name: (int(there), 1)})
            if there:
                tally.validate("detail", {name: (int(valid), 1)})
        if self.random.random() < 0.4:
            tally.promise(self.random.random() >= max(0.03, self.hit("comments")))
