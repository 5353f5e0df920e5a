"""One run of one source: its clock, its memory of earlier runs, its budget, and whether it has been halted."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from crawlers.health import History, Tally
from crawlers.hosts import HostRules
from vocwatch.models import SourceStatus
from vocwatch.settings import Settings, Source
from vocwatch.store import Store, mentions, pages, runs

HISTORY = 20


@dataclass(frozen=True)
class Halt:
    """Why a run was stopped before its end."""

    kind: str
    reason: str
    retry_after: float | None = None


class RunContext:
    """What spider, middlewares and pipeline share. Without a store (dry run) there is no memory and no trace."""

    def __init__(
        self, settings: Settings, source: Source, store: Store | None = None, run_id: int | None = None,
        limit: int | None = None, dry_run: Path | None = None,
    ):
        self.settings, self.source, self.store, self.run_id = settings, source, store, run_id
        self.limit, self.dry_run = limit, dry_run
        self.tally = Tally()
        self.hosts = HostRules(settings.app.crawler.allow_private_hosts)
        self.halted: Halt | None = None
        self.fatal: str | None = None
        self._deadline = time.monotonic() + source.rate.max_minutes * 60
        self._sent = 0
        past = self._past()
        self.history = History.of(past)
        self.spec = spec_key(source)
        # A source file that reads pages otherwise than before has to see all of them again.
        self._changed = next((r.stats["spec"] for r in past if "spec" in r.stats), self.spec) != self.spec
        self._walked = frozenset() if self._changed else self._walked_before(past)
        self.cutoff = self.now() - dt.timedelta(days=source.revisit_days)

    def now(self) -> dt.datetime:
        """The present moment by the injected clock."""
        return self.settings.clock.now()

    # -- halts and budget ---------------------------------------------------------------------------------

    def halt(self, kind: str, reason: str, retry_after: float | None = None) -> None:
        """Stop the run: no further request is sent. The first reason stands."""
        if self.halted is None:
            self.halted = Halt(kind, reason, retry_after)
            self.tally.halted = (kind, reason)

    def spend(self) -> bool:
        """Take one page from the budget; False (and noted) when it is used up."""
        allowed = min(self.source.rate.max_pages, self.limit or self.source.rate.max_pages)
        if self._sent >= allowed:
            setting = "--limit" if self.limit and self.limit <= self.source.rate.max_pages else "rate.max_pages"
            self.tally.budget = f"达到页数上限 {allowed}（{setting}），没有读完"
        elif time.monotonic() > self._deadline:
            self.tally.budget = f"达到时间上限 {self.source.rate.max_minutes} 分钟（rate.max_minutes），没有读完"
        else:
            self._sent += 1
            return True
        return False

    # -- memory -------------------------------------------------------------------------------------------

    def _past(self) -> list[runs.Run]:
        if self.store is None:
            return []
        with self.store.read() as connection:
            return runs.history(connection, "crawl", self.source.name, HISTORY)

    @staticmethod
    def _walked_before(past: Sequence[runs.Run]) -> frozenset[str]:
        """Start addresses that the last run walked to the end; none if it did not end well."""
        if not past or past[0].outcome is not SourceStatus.OK:
            return frozenset()
        return frozenset(past[0].stats.get("starts", ()))

    @property
    def incremental(self) -> bool:
        """Whether this run may stop where known ground begins (somewhere at least)."""
        return bool(self._walked)

    def may_stop_early(self, start: str) -> bool:
        """Whether the listing that begins at `start` may be left where everything is known and old."""
        return start_key(start) in self._walked

    def visits(self, urls: Sequence[str]) -> dict[str, pages.Visit]:
        """Which of these detail pages were read to their end by earlier runs."""
        if self.store is None or not urls or self._changed:
            return {}
        with self.store.read() as connection:
            return pages.find_visits(connection, self.source.name, urls)

    def recent_visits(self) -> list[pages.Visit]:
        """Detail pages young enough to be read again."""
        if self.store is None:
            return []
        with self.store.read() as connection:
            return pages.recent_visits(connection, self.source.name, self.cutoff)

    def all_old(self, native_ids: Sequence[str]) -> bool:
        """Whether all these mentions are stored and older than the revisit window."""
        if self.store is None or not native_ids:
            return False
        with self.store.read() as connection:
            known = mentions.known_since(connection, self.source.name, native_ids)
        return all(key in known and known[key] < self.cutoff for key in native_ids)

    @property
    def evidence(self) -> Path:
        """Where raw pages are kept."""
        return self.settings.env.data / "evidence"

    def stats(self) -> Mapping[str, object]:
        """The statistics of the run, for its row."""
        return {**self.tally.stats(self.history, self.incremental), "spec": self.spec}


def spec_key(source: Source) -> str:
    """A short name for how a source reads its pages: start addresses and steps, not owner or rate."""
    parts = source.model_dump_json(include={"start", "keywords", "listing", "detail", "comments", "transport", "charset"})
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def start_key(url: str) -> str:
    """A short name for a start address in the statistics."""
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:12]


def context_of(spider: object) -> RunContext:
    """Return the run that a spider belongs to."""
    return cast(RunContext, spider.context)  # type: ignore[attr-defined]
