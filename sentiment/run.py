"""The analysis stage: judges what is new in the store. It can be killed at any moment and run again."""

from __future__ import annotations

import datetime as dt
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sentiment.judge import Judge
from sentiment.refine import Refiner, RefineReport
from sentiment.standby import Standby, dependable, standby
from sentiment.workers import Asked, Workers, wanted
from vocwatch.models import Assessment, RunStatus
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, assessments, runs
from vocwatch.store.assessments import Pending
from vocwatch.store.desk import rollup

STOPPED = "人为停止"
BATCH = 500
SUBJECT, REBUILD = "all", "rebuild"
WINDOW = 5_000
"""The past is judged again so many texts at a time, the newest first; among them posts before their comments."""


@dataclass(frozen=True, slots=True)
class AnalyseReport:
    """What a run did: texts judged, texts refused among them, texts still waiting, by which model version.

    `refined` says what the language model was asked; None where none is set up. `problem` says why the team's own
    model was not used though it was chosen.
    """

    assessed: int
    refused: int
    left: int
    model_version: str
    refined: RefineReport | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How the past is judged again: only texts published `since`, at most `rate` a second (None: no limit).

    `sleep` and `seconds` are what waits and what measures.
    """

    since: dt.datetime | None = None
    rate: float | None = None
    sleep: Callable[[float], None] = time.sleep
    seconds: Callable[[], float] = time.monotonic


def analyse(
    settings: Settings, store: Store, *, rebuild: bool = False, engine: str = "auto", batch: int = BATCH,
    on_progress: Callable[[int, int], None] | None = None, judge: Judge | None = None, pace: Pace | None = None,
    patience: float | None = None,
) -> AnalyseReport:
    """Judge every text whose newest version has no judgement; with `rebuild` also those of another version.

    Works in batches, one transaction each, and can be stopped anywhere: what is judged stays judged, and what was
    said before stands until it is replaced. `on_progress` is told (judged so far, still waiting). `judge`, where
    given, is used instead of one made from the settings and `engine`; `pace` is for `rebuild`. At the end the
    uncertain texts are read again by a language model, where `llm` is switched on; it is asked for at most about
    `patience` seconds (None: as long as it takes). A judge that can't be used is stood in for: what the words alone say
    is stored, marked 待复核, and judged again by the first run whose judge is in order.
    """
    problems: list[str] = []
    work = _Work(settings, store, judge, rebuild, pace or Pace(), engine, problems)
    subject = REBUILD if rebuild else SUBJECT
    with store.begin() as connection:
        runs.abandon_unfinished(connection, "analyse", subject, settings.clock.now())
        run_id = runs.start(connection, "analyse", subject, settings.clock.now())
        waiting = work.left(connection)

    def saved() -> None:
        if rebuild:
            with store.begin() as connection:
                runs.note(connection, run_id, work.stats())
        if on_progress:
            on_progress(work.done, max(0, waiting - work.done))

    try:
        work.judge_all(waiting, batch, saved)
        refined = work.refiner.run(store, patience) if work.refiner else None
    except (Exception, KeyboardInterrupt) as error:
        reason = STOPPED if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"[:500]
        with store.begin() as connection:
            runs.finish(
                connection, run_id, settings.clock.now(), RunStatus.FAILED, reason=reason, stats=work.stats()
            )
        raise
    with store.begin() as connection:
        left = work.left(connection)
        runs.finish(
            connection, run_id, settings.clock.now(), reason=problems[0] if problems else None,
            stats={**work.stats(), "left": left},
        )
    rollup.refresh(store, settings.app.zone)
    return AnalyseReport(
        work.done, work.refused, left, work.version, refined, problems[0] if problems else None
    )


class _Work:
    """One run: what waits, and what has become of it."""

    def __init__(
        self, settings: Settings, store: Store, judge: Judge | None, rebuild: bool, pace: Pace, engine: str,
        problems: list[str],
    ):
        self._settings, self._store, self._rebuild, self._pace = settings, store, rebuild, pace
        self._own, self._problems = judge is None, problems  # a judge that was handed in has nobody standing in
        self._judge = judge = judge or dependable(settings, engine, problems.append)
        self._again = not isinstance(judge, Standby)
        self._engine = engine
        self._asked: deque[tuple[list[Pending], Asked | None]] = deque()
        self.refiner = Refiner(settings, judge.version) if settings.app.llm.enabled and self._again else None
        current = (judge.version, self.refiner.version) if self.refiner else (judge.version,)
        self._other_than = current if rebuild else None
        self.done = self.refused = 0

    @property
    def version(self) -> str:
        """The model version of whoever judges."""
        return self._judge.version

    def stats(self) -> dict[str, int | str]:
        """Return what the run row keeps."""
        return {"assessed": self.done, "refused": self.refused, "model_version": self._judge.version}

    def left(self, connection: Connection) -> int:
        """Return how many texts wait."""
        since = self._pace.since if self._rebuild else None
        return assessments.count_pending(connection, self._other_than, since, self._again)

    def judge_all(self, waiting: int, size: int, saved: Callable[[], None]) -> None:
        """Judge and save what waits, batch by batch; `saved` is called after each. So many `waiting` texts may be worth
        other processes: they judge what is ahead.
        """
        alone = not self._own or not self._again or self._pace.rate
        workers = Workers(self._settings, self._engine, self._judge.version, 0 if alone else wanted(waiting))

        def settle(ahead: int = 0) -> None:
            while len(self._asked) > ahead:
                self._judge_batch(workers, *self._asked.popleft())
                saved()

        try:
            for pending in self._batches(size, settle):
                self._asked.append((pending, workers.ask([waiting.item for waiting in pending])))
                settle(workers.ahead)
            settle()
        finally:
            workers.close()

    def _batches(self, size: int, settle: Callable[[], None]) -> Iterator[list[Pending]]:
        """Yield what waits; each text at most once, but for comments on a post that was judged after them: before they
        are read, `settle` has to save what was yielded.
        """
        if self._rebuild:
            yield from _newest_first(self._store, size, self._other_than, self._pace.since, settle)
            settle()
        if not self._rebuild or self._pace.since is None:
            yield from _batches(self._store, size, self._other_than, self._again, settle)

    def _judge_batch(self, workers: Workers, pending: Sequence[Pending], asked: Asked | None) -> None:
        """Judge and save one batch, then wait where the pace asks for it. Judging is outside the transaction."""
        began = self._pace.seconds()
        found = workers.answer(asked)
        if found is None:
            found = self._assess(pending)
        now = self._settings.clock.now()
        with self._store.begin() as connection:
            assessments.save(connection, zip(pending, found, strict=True), now)
        if self.refiner and not isinstance(self._judge, Standby):
            self.refiner.offer(zip(pending, found, strict=True), now)
        self.done += len(pending)
        self.refused += sum(assessment.refused is not None for assessment in found)
        if self._rebuild and self._pace.rate:
            rest = len(pending) / self._pace.rate - (self._pace.seconds() - began)
            if rest > 0:
                self._pace.sleep(rest)

    def _assess(self, pending: Sequence[Pending]) -> list[Assessment]:
        """Ask the judge, or where it breaks down, from now on its stand-in. Raises what the stand-in raises."""
        items = [waiting.item for waiting in pending]
        if self._own and not isinstance(self._judge, Standby):
            try:
                return self._judge.assess(items)
            except Exception as error:
                self._judge = standby(self._settings, f"{type(error).__name__}: {error}", self._problems.append)
        return self._judge.assess(items)


def _newest_first(
    store: Store, size: int, other_than: assessments.Versions, since: dt.datetime | None, settle: Callable[[], None],
) -> Iterator[list[Pending]]:
    """The newest texts first: WINDOW by WINDOW posts, then what hangs on them, then sessions."""
    with store.read() as connection:
        found = assessments.waiting(connection, other_than, since)
    waiting = sorted(
        ((moment, -phase, key) for phase, part in enumerate(found) for moment, key in part), reverse=True
    )
    for first in range(0, len(waiting), WINDOW):
        window = waiting[first:first + WINDOW]
        for phase, fetch in enumerate(PHASES):
            settle()
            ids = [key for _, which, key in window if which == -phase]
            for start in range(0, len(ids), size):
                with store.read() as connection:
                    pending = fetch(connection, other_than=other_than, only=ids[start:start + size])
                if pending:
                    yield pending


def _batches(
    store: Store, size: int, other_than: assessments.Versions, again: bool, settle: Callable[[], None]
) -> Iterator[list[Pending]]:
    """Posts first, then what hangs on them, then sessions; each text at most once a run."""
    for fetch in PHASES:
        settle()
        after = 0
        while True:
            with store.read() as connection:
                pending = fetch(connection, after=after, limit=size, other_than=other_than, again=again)
            if not pending:
                break
            after = pending[-1].ref_id
            yield pending


PHASES: tuple[Callable[..., list[Pending]], ...] = (
    partial(assessments.pending_mentions, replies=False),
    partial(assessments.pending_mentions, replies=True),
    assessments.pending_sessions,
)
