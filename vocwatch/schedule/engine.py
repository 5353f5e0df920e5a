"""The engine of the schedule: finds what is due, takes its lease, has it done, and writes down the next slot."""

from __future__ import annotations

import datetime as dt
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

from vocwatch.clock import Leaps
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.schedule import digests
from vocwatch.schedule.agenda import amend
from vocwatch.schedule.leash import Leash
from vocwatch.schedule.tasks import Progress, Shift, Task
from vocwatch.schedule.work import tasks_of
from vocwatch.scheduler import Busy, only_one
from vocwatch.settings import Settings
from vocwatch.store import StorageError, Store, leases
from vocwatch.store.leases import DONE, FAILED, Due, Lease, Lost, Scheduler

SIGN_SECONDS = 30.0
BUSY_SECONDS = 15.0  # a person is at work on the same data: look again after this
STEADY_SECONDS = 600.0  # no digest before the clock has gone on for this long after a leap forward
AT_A_TIME = 40
LONE_TASKS = 5  # tasks beside the crawls that may run at the same time
BACK_OFF = (dt.timedelta(minutes=1), dt.timedelta(minutes=15))
FORGET = dt.timedelta(days=7)
Tasks = Callable[[Settings], Mapping[str, Task]]


class Engine:
    """One scheduler. Several may work on one database: each slot is done by one of them, once.

    `seconds` measures durations and must not leap; `chance` draws the jitter; `pool` runs the tasks (a thread pool
    of its own where none is given); `reload` returns changed settings, or None.
    """

    def __init__(
        self, settings: Settings, store: Store, *, progress: Progress = lambda line: None, tasks: Tasks = tasks_of,
        seconds: Callable[[], float] = time.monotonic, chance: random.Random | None = None,
        pool: Executor | None = None, reload: Callable[[], Settings | None] = lambda: None,
        problem: Callable[[], str | None] = lambda: None,
    ):
        self.settings, self._store, self._progress = settings, store, progress
        self._tasks_of, self._seconds, self._chance = tasks, seconds, chance or random.Random()  # noqa: S311
        self._reload, self._problem = reload, problem
        self._tasks = tasks(settings)
        self._pool = pool or ThreadPoolExecutor(settings.app.schedule.crawls_at_once + LONE_TASKS)
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{random.SystemRandom().randrange(16**8):08x}"
        self._leash = Leash(seconds)
        self._leaps = Leaps(seconds)
        self._me = Scheduler(self.name, settings.clock.now(), settings.clock.now(), "running", None)
        self._signed = float("-inf")
        self._lock = threading.Lock()
        self._under_way: dict[str, tuple[Task, Shift]] = {}
        self._not_before: dict[str, float] = {}
        self._undelivered: list[Callable[[], None]] = []
        self.stopping = False

    def tick(self) -> int:
        """Do what has to be done at this moment; returns how many slots were begun. Never raises for the database."""
        try:
            self._take_over_settings()
            now = self.settings.clock.now()
            leap = self._leaps.look(now)
            if leap:
                self._progress(tr(f"系统时钟跳了 {leap:+.0f} 秒", f"The system clock has leapt by {leap:+.0f} seconds"))
            self._settle_accounts()
            self._sign(now)
            self._keep_alive()
            if self.stopping:
                return 0
            with self._store.read() as connection:
                rows = leases.current(connection)
                held = leases.held(connection)
                changes = amend(self.settings, self._tasks, rows, connection, now)
            if changes:
                with self._store.begin() as connection:
                    changes.apply(connection, now)
                    rows = leases.current(connection)
            self._leash.look(held.values())
            return sum(self._begin(row, now) for row in self._in_order(rows, now))
        except StorageError as error:
            self._progress(str(error))
            return 0

    @property
    def under_way(self) -> list[str]:
        """The jobs that this scheduler is doing."""
        with self._lock:
            return sorted(self._under_way)

    def stop(self) -> None:
        """Begin nothing any more."""
        self.stopping = True

    def cancel(self, crawls_only: bool = True) -> None:
        """Ask what is under way to end: crawls at once, the others after their present step."""
        with self._lock:
            for task, shift in self._under_way.values():
                if task.crawls or not crawls_only:
                    shift.stop.set()

    def close(self) -> None:
        """Wait for what is under way, give everything back, sign off."""
        self.stop()
        self._pool.shutdown(wait=True)
        try:
            self._settle_accounts()
            self._sign(self.settings.clock.now(), "stopped")
        except StorageError as error:
            self._progress(str(error))

    def _take_over_settings(self) -> None:
        fresh = self._reload()
        if fresh is not None:
            self.settings = fresh
            self._tasks = self._tasks_of(fresh)

    def _sign(self, now: dt.datetime, state: str = "") -> None:
        """Show that this scheduler lives; not at every tick."""
        if not state and self._seconds() - self._signed < SIGN_SECONDS:
            return
        self._signed = self._seconds()
        self._me = replace(
            self._me, seen_at=now, state=state or ("stopping" if self.stopping else "running"), problem=self._problem()
        )
        with self._store.begin() as connection:
            leases.sign(connection, self._me)
            leases.forget_schedulers(connection, now - FORGET)

    def _keep_alive(self) -> None:
        """Raise the beat of the leases held; a shift that has lost its own is told to end."""
        with self._lock:
            mine = list(self._under_way.values())
        if not mine or not self._leash.time_to_renew():
            return
        with self._store.begin() as connection:
            for _, shift in mine:
                if not leases.renew(connection, shift.lease) and shift.lease.job in self._under_way:
                    shift.lost = True
                    shift.stop.set()

    def _in_order(self, rows: Mapping[str, Due], now: dt.datetime) -> list[Due]:
        """The slots to try for now, the most urgent first. Of several digests only the newest is one.

        Among equals chance decides, so that several schedulers don't all want the same ones; and not too many at a
        time, for others take some meanwhile.
        """
        due = [row for row in rows.values() if row.due_at is not None and row.due_at <= now]
        due = [row for row in due if self._not_before.get(row.job, 0.0) <= self._seconds()]
        late = [row for row in due if digests.is_digest(row.job)]
        if self._leaps.seconds_since < STEADY_SECONDS:
            due = [row for row in due if row not in late]
        else:
            due = [row for row in due if row not in late[:-1]]  # by name, and so by date
        ranks = {row.job: task.rank for row in due if (task := self._task(row.job)) is not None}
        draw = self._chance.random
        return sorted((row for row in due if row.job in ranks), key=lambda row: (ranks[row.job], row.due_at, draw()))[:AT_A_TIME]

    def _task(self, job: str) -> Task | None:
        return digests.task(job) if digests.is_digest(job) else self._tasks.get(job)

    def _begin(self, row: Due, now: dt.datetime) -> int:
        task = self._task(row.job)
        if task is None or self.stopping or self._crowded(task):
            return 0
        with self._store.begin() as connection:
            lease = leases.claim(connection, row, self.name, now, self._leash.dead(task.lane))
        if lease is None:
            return 0
        shift = Shift(self.settings, self._store, lease, self._progress)
        with self._lock:
            self._under_way[task.job] = (task, shift)
        self._pool.submit(self._do, task, shift)
        return 1

    def _crowded(self, task: Task) -> bool:
        """Whether this scheduler has its hands full for this kind of task."""
        with self._lock:
            running = [other for other, _ in self._under_way.values()]
        if any(other.lane == task.lane for other in running):
            return True
        if not task.crawls:
            return False
        at_once = sum(other.crawls for other in running) >= self.settings.app.schedule.crawls_at_once
        return at_once or (task.browser and any(other.browser for other in running))

    def _do(self, task: Task, shift: Shift) -> None:
        """Do one slot and write down how it ended. Nothing that a task raises ends the scheduler."""
        lease = shift.lease
        try:
            with only_one(shift.settings, shared=True) if task.locked else nullcontext():
                task.run(shift)
            ended = self._ending(task, shift, DONE, None)
        except Busy:
            self._not_before[task.job] = self._seconds() + BUSY_SECONDS
            ended = self._given_back(lease)
        except Lost:
            self._progress(tr(f"{task.job}：租约已被接手，这边停下", f"{task.job}: somebody else has taken it over; left alone here"))
            ended = None
        except Exception as error:
            why = one_line(f"{type(error).__name__}: {error}", 500)
            self._progress(tr(f"{task.job} 没做成：{why}", f"{task.job} failed: {why}"))
            ended = self._ending(task, shift, FAILED, why)
        if ended is not None and shift.stop.is_set() and self.stopping and task.crawls:
            ended = self._given_back(lease)  # cut short: its slot is still to be done
        if ended is not None:
            self._write_down(ended)
        with self._lock:
            self._under_way.pop(task.job, None)

    def _ending(self, task: Task, shift: Shift, outcome: str, note: str | None) -> Callable[[], None]:
        now = shift.now()
        next_at = None if digests.is_digest(task.job) else now + self._pace(task)
        if outcome == FAILED:
            pause = min(BACK_OFF[0] * 2 ** min(shift.lease.failures, 10), BACK_OFF[1])
            next_at = now + (pause if next_at is None else min(pause, task.every))

        def write() -> None:
            with self._store.begin() as connection:
                leases.finish(connection, shift.lease, now, next_at, outcome, note)

        return write

    def _pace(self, task: Task) -> dt.timedelta:
        return task.every * (1 + self._chance.uniform(-task.jitter, task.jitter))

    def _given_back(self, lease: Lease) -> Callable[[], None]:
        def write() -> None:
            with self._store.begin() as connection:
                leases.give_back(connection, lease)

        return write

    def _write_down(self, ended: Callable[[], None]) -> None:
        """Write how a slot ended; while the database is away, it is tried again at each tick."""
        try:
            ended()
        except Lost as lost:
            self._progress(tr(f"{lost}：做完时租约已被接手", f"{lost}: taken over by somebody else meanwhile"))
        except StorageError:
            with self._lock:
                self._undelivered.append(ended)

    def _settle_accounts(self) -> None:
        with self._lock:
            waiting, self._undelivered = self._undelivered, []
        for ended in waiting:
            self._write_down(ended)
