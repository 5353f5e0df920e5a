"""A schedule under a clock that steps: nothing waits, and everything that waits is stepped over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from vocwatch.schedule import Engine
from vocwatch.schedule.tasks import Shift, Task
from vocwatch.settings import Settings
from vocwatch.store import Store, leases

BEGIN = dt.datetime(2026, 11, 16, 0, 0, tzinfo=dt.UTC)  # 08:00 in Shanghai
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


class Stepping:
    """Wall clock and stop-watch; only the wall clock can leap."""

    def __init__(self, begin: dt.datetime = BEGIN):
        self._now, self._seconds = begin, 1000.0

    def now(self) -> dt.datetime:
        return self._now

    def seconds(self) -> float:
        return self._seconds

    def step(self, by: dt.timedelta) -> None:
        self._now += by
        self._seconds += by.total_seconds()

    def leap(self, by: dt.timedelta) -> None:
        self._now += by


class Inline(Executor):
    """Runs a task where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def engine(settings: Settings, store: Store, clock: Stepping, digests: bool = False, **more: Any) -> Engine:
    """A scheduler whose tasks run within its ticks; without `digests` none comes due."""
    if not digests:
        with store.begin() as connection:
            leases.plan(connection, [("digest:2222-01-01", "judge", BEGIN)])
            leases.retire(connection, ["digest:2222-01-01"])
    return Engine(settings.with_clock(clock), store, seconds=clock.seconds, pool=Inline(), **more)


def until_idle(scheduler: Engine, most: int = 50) -> int:
    """Tick until nothing is due; returns how many slots were begun."""
    begun = 0
    for _ in range(most):
        now = scheduler.tick()
        if not now:
            return begun
        begun += now
    raise AssertionError(f"still at work after {most} ticks: {scheduler.under_way}")


def task(job: str, run: Callable[[Shift], None], every: dt.timedelta = HOUR, **more: Any) -> Task:
    """A task in a lane of its own."""
    return Task(job, more.pop("lane", job), every, run, locked=False, **more)
