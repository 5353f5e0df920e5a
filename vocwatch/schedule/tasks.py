"""What a piece of standing work is, and what it is given to work with."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, leases
from vocwatch.store.leases import Lease, Lost

Progress = Callable[[str], None]


@dataclass
class Shift:
    """One slot of a task being done. `stop` is set when the scheduler stops, or has lost the lease."""

    settings: Settings
    store: Store
    lease: Lease
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    lost: bool = False

    def now(self) -> dt.datetime:
        """The present moment by the injected clock."""
        return self.settings.clock.now()

    def hold(self) -> None:
        """Make sure that this shift is still the one that does this slot. Raises Lost."""
        if self.lost:
            raise Lost(self.lease.job)
        with self.store.begin() as connection:
            self.hold_in(connection)

    def hold_in(self, connection: Connection) -> None:
        """As `hold`, for the rest of a transaction: until it ends nobody else can take over. Raises Lost."""
        leases.hold(connection, self.lease)

    def ask(self, job: str) -> None:
        """Let another task come due at once."""
        with self.store.begin() as connection:
            leases.ask(connection, job, self.now())


@dataclass(frozen=True)
class Task:
    """Work that comes again and again. `lane`: tasks of one lane never run together, whoever runs them.

    `every` is the pace, `jitter` the share by which it varies; the smaller `rank` goes first. `crawls` and `browser`
    count against what one scheduler does at a time; `locked` tasks respect the data folder's work lock.
    """

    job: str
    lane: str
    every: dt.timedelta
    run: Callable[[Shift], None]
    rank: int = 5
    jitter: float = 0.0
    crawls: bool = False
    browser: bool = False
    locked: bool = True
