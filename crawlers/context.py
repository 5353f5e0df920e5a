"""One run of one source: its clock, its memory of earlier runs, its budget, and whether it has been halted."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from crawlers.audit import AuditLog, Decision
from crawlers.due import horizon, is_due, stretches
from crawlers.history import History, mode_of
from crawlers.hosts import HostRules
from crawlers.stop import StopSwitch
from crawlers.tally import Tally
from vocwatch.models import SourceStatus
from vocwatch.settings import Settings, Source
from vocwatch.store import StorageError, Store, mentions, pages, runs

HISTORY = 20
GOOD_HISTORY = 40  # however many bad runs have come since: a source blocked for a week still knows itself


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
        self.audit = AuditLog.of(settings, source.name, run_id)
        self.refused_list = 0  # links and texts left out because somebody asked for it
        self._switch = StopSwitch(settings)
        self._deadline = time.monotonic() + source.rate.max_minutes * 60
        self._sent = 0
        past = self._past()
        self.spec = spec_key(source)
        self.started = self.now()
        self.history = History.of(past, self.now(), self.spec, self._accepted())
        # A source file that reads pages otherwise than before has to see all of them again.
        self._changed = next((r.stats["spec"] for r in past if "spec" in r.stats), self.spec) != self.spec
        self._walked = frozenset() if self._changed else self._walked_before(past)
        self._known: dict[str, pages.Known] | None = None
        self.state = self._state()
        self._floor = self._due_floor(past)

    def now(self) -> dt.datetime:
        """The present moment by the injected clock."""
        return self.settings.clock.now()

    # -- halts and budget ---------------------------------------------------------------------------------

    def halt(self, kind: str, reason: str, retry_after: float | None = None) -> None:
        """Stop the run: no further request is sent. The first reason stands."""
        if self.halted is None:
            self.halted = Halt(kind, reason, retry_after)
            self.tally.halted = (kind, reason)

    def look_at_switch(self) -> None:
        """Halt when the global kill switch has been thrown since the last look."""
        reason = self._switch.reason()
        if reason is not None:
            self.halt("stopped", f"已按总开关停止：{reason}")

    def audited(self, decision: Decision, url: str, why: str = "", robots: str = "") -> None:
        """Write a decision down; where that fails nothing more is fetched."""
        try:
            self.audit.record(decision, url, why, robots)
        except StorageError as error:
            self.fatal = str(error)
            self.halt("storage", str(error))

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

    @property
    def seconds_left(self) -> float:
        """Seconds until the time budget of the run is used up."""
        return self._deadline - time.monotonic()

    # -- memory -------------------------------------------------------------------------------------------

    def _past(self) -> list[runs.Run]:
        if self.store is None:
            return []
        with self.store.read() as connection:
            last = runs.history(connection, "crawl", self.source.name, HISTORY)
            good = runs.history(connection, "crawl", self.source.name, GOOD_HISTORY, SourceStatus.OK)
        known = {run.id for run in last}
        return [*last, *(run for run in good if run.id not in known)]

    def _accepted(self) -> dt.datetime | None:
        """From when on the source is what somebody said is normal."""
        if self.store is None:
            return None
        with self.store.read() as connection:
            return runs.accepted_at(connection, self.source.name)

    @staticmethod
    def _walked_before(past: Sequence[runs.Run]) -> frozenset[str]:
        """Start addresses that the last run walked to the end; none if it did not end well.

        A run that was only put off read nothing and changes nothing.
        """
        last = next((run for run in past if run.outcome is not SourceStatus.NOT_RUN), None)
        if last is None or last.outcome is not SourceStatus.OK:
            return frozenset()
        return frozenset(last.stats.get("starts", ()))

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

    def due(self, visit: pages.Visit | None, listed: Mapping[str, Any] | None = None) -> bool:
        """Whether a page is to be read: never read before, or its time has come."""
        return visit is None or is_due(visit, self.now(), self.source.reread_hours, listed)

    def due_visits(self) -> list[pages.Visit]:
        """Pages read before whose time to be read again has come, whatever the listings name."""
        if self.store is None:
            return []
        since = horizon(self.now(), self.source.reread_hours)
        with self.store.read() as connection:
            watched = pages.watched_visits(connection, self.source.name, since)
        return [visit for visit in watched if self.due(visit)]

    def absent(self) -> list[mentions.Unseen]:
        """Posts with an address of their own that earlier runs have seen, and whose time to be looked at has come."""
        if self.store is None:
            return []
        since = horizon(self.now(), self.source.reread_hours)
        with self.store.read() as connection:
            found = mentions.unseen(connection, self.source.name, self.started, since)
        return [
            post for post in found if "#" not in post.url and is_due(
                pages.Visit(post.url, post.last_seen_at, post.native_id, post.published_at or post.last_seen_at,
                            missing_since=post.missing_since),
                self.now(), self.source.reread_hours,
            )
        ]

    def all_known(self, native_ids: Sequence[str]) -> bool:
        """Whether all these mentions are stored, and nothing below them has come due to be read again."""
        if self.store is None or not native_ids or self._changed:
            return False
        with self.store.read() as connection:
            known = mentions.known_since(connection, self.source.name, native_ids)
        if any(key not in known for key in native_ids):
            return False
        return self._floor is None or min(known.values()) < self._floor

    def known_page(self, url: str) -> pages.Known | None:
        """What the address gave last, if the site lets us ask whether it has changed."""
        if self._known is None:
            self._known = self._validators()
        return self._known.get(url)

    def _validators(self) -> dict[str, pages.Known]:
        if self.store is None:
            return {}
        kept = dt.timedelta(days=self.source.raw_days or self.settings.app.retention.raw_days)
        with self.store.read() as connection:
            return pages.validators(connection, self.source.name, self.now() - kept)

    def _state(self) -> pages.SourceState:
        if self.store is None:
            return pages.SourceState()
        with self.store.read() as connection:
            return pages.read_state(connection, self.source.name)

    def _due_floor(self, past: Sequence[runs.Run]) -> dt.datetime | None:
        """How far down a list of posts has to be walked: to the oldest that has come due since the last good run."""
        last = next((run.started_at for run in past if run.outcome is SourceStatus.OK), None)
        if self.store is None or last is None:
            return None
        with self.store.read() as connection:
            return mentions.earliest_between(
                connection, self.source.name, stretches(last, self.now(), self.source.reread_hours)
            )

    @property
    def evidence(self) -> Path:
        """Where raw pages are kept."""
        return self.settings.env.data / "evidence"

    def evidence_stats(self) -> Mapping[str, object]:
        """What the run's row keeps of the audit log and the refusal list. Raises StorageError."""
        return {"audit": self.audit.seal(), "refused_list": self.refused_list}

    def stats(self) -> Mapping[str, object]:
        """The statistics of the run, for its row."""
        mode = mode_of(self.incremental)
        counted = self.tally.stats(self.history.expected(mode), mode, self.history.hours)
        return {**counted, "spec": self.spec, **self.evidence_stats()}


def spec_key(source: Source) -> str:
    """A short name for how a source reads its pages: start addresses and steps, not owner or rate."""
    # Without what is not said: a new setting with a default must not make every source be read anew.
    read = {"start", "keywords", "listing", "detail", "comments", "transport", "charset"}
    parts = source.model_dump_json(include=read, exclude_defaults=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def start_key(url: str) -> str:
    """A short name for a start address in the statistics."""
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:12]


def context_of(spider: object) -> RunContext:
    """Return the run that a spider belongs to."""
    return cast(RunContext, spider.context)  # type: ignore[attr-defined]
