"""Schedulers in processes of their own, let at the same slots. Used by the suite and by `benchmarks.schedule slots`.

`python -m tests.schedule.racers FOLDER URL SCHEDULERS SLOTS` has everything imported, forks the schedulers, and lets all
of them begin at the same moment. Each is the real engine with its real clock and its own threads; the one invented
thing is the task, which writes down that it was run.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from vocwatch.schedule import Engine
from vocwatch.schedule.tasks import Shift, Task
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import leases, open_store

DAY = dt.timedelta(days=1)
PREFIX = "slot:"


@dataclass(frozen=True)
class Race:
    """What came of it: how often each slot was run, by whom, and what the schedulers complained of."""

    runs: Counter[str]
    by: Counter[str]
    complaints: list[str]
    seconds: float

    def wrong(self, slots: int) -> dict[str, int]:
        """Return the slots that were not run exactly once."""
        return {name: self.runs[name] for name in names(slots) if self.runs[name] != 1}


def names(slots: int) -> list[str]:
    """The jobs, each with one slot."""
    return [f"{PREFIX}{number:04d}" for number in range(slots)]


def race(folder: Path, url: str, schedulers: int, slots: int) -> Race:
    """Let so many processes at so many slots of one database (migrated here), and return what they did."""
    store = open_store(url)
    now = dt.datetime.now(dt.UTC)
    with store.begin() as connection:
        leases.plan(connection, [("digest:2222-01-01", "judge", now)])  # no digests here
        leases.retire(connection, ["digest:2222-01-01"])
        leases.plan(connection, [(name, name, now) for name in names(slots)])
    store.close()
    command = [sys.executable, "-m", "tests.schedule.racers", str(folder), url, str(schedulers), str(slots)]
    began = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise AssertionError(f"a scheduler ended with {ended.returncode}: {ended.stderr[-2000:]}")
    lines = [json.loads(line) for path in sorted(folder.glob("run-*")) for line in path.read_text().splitlines()]
    return Race(
        Counter(job for job, _ in lines), Counter(who for _, who in lines), ended.stderr.splitlines(),
        time.monotonic() - began,
    )


def compete(settings: Settings, url: str, log: Path, slots: int, ready: int, waiting: int) -> None:
    """One scheduler: begin when all are ready, and work until every slot is done by somebody."""
    store = open_store(url)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def run(shift: Shift) -> None:
        os.write(written, json.dumps([shift.lease.job, log.name]).encode() + b"\n")

    tasks: Mapping[str, Task] = {name: Task(name, name, DAY, run, locked=False) for name in names(slots)}
    engine = Engine(settings, store, tasks=lambda _: tasks, progress=lambda line: print(line, file=sys.stderr))
    os.write(ready, b".")
    os.close(ready)
    os.read(waiting, 1)  # ends when the parent lets go
    while True:
        if not engine.tick():
            time.sleep(0.005)
        with store.read() as connection:
            if all(row.done for row in leases.jobs(connection, PREFIX)):
                break
    engine.close()
    store.close()


def main(folder: Path, url: str, schedulers: int, slots: int) -> int:
    """Fork the schedulers and let them go together; returns how many did not end well."""
    settings = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_DATA": str(folder), "VOCWATCH_SECRET": "x"}))
    waiting, go = os.pipe()
    heard, ready = os.pipe()
    children = []
    for number in range(schedulers):
        child = os.fork()
        if child == 0:
            os.close(go)
            try:
                compete(settings, url, folder / f"run-{number}", slots, ready, waiting)
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(ready)
    left = schedulers
    while left and (some := os.read(heard, left)):  # empty where one has ended before it was ready
        left -= len(some)
    os.close(go)
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
