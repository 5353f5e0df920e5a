"""Lives of a scheduler: `python -m benchmarks.schedule.life FOLDER` forks one for each line it reads, and sees it die.

A line is a JSON plan: `point`, `when`, `at` (the process ends itself before or after the at-th call of that function)
`hours` and `later` (kill -9 so many hours of the world after the start and so many seconds later, if it still lives). Everything is the real
thing but the crawl: a source gives what the world has published by then. Answers with how the life ended.
"""

from __future__ import annotations

import datetime as dt
import functools
import gc
import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import vocwatch.schedule.digests
import vocwatch.schedule.judging
import vocwatch.schedule.sending
import vocwatch.schedule.work
from benchmarks.schedule.shared import SharedClock
from benchmarks.schedule.world import World, draw
from crawlers.runner import CrawlResult
from sentiment.ready import make_judge
from vocwatch.models import SourceStatus
from vocwatch.schedule import Engine
from vocwatch.schedule.tasks import Task
from vocwatch.schedule.work import tasks_of
from vocwatch.settings import Settings, Source, load_settings, read_environment
from vocwatch.store import Store, assessments, digests, leases, mentions, open_store, outbox, runs
from vocwatch.store.mentions import MentionRow

GRID = dt.timedelta(minutes=60)
DONE = 7  # exit code of a life that came to the end of the world
POINTS: dict[str, tuple[Any, str]] = {
    "slot claimed": (leases, "claim"), "slot closed": (leases, "finish"), "asked for": (leases, "ask"),
    "mentions saved": (mentions, "save"), "texts judged": (assessments, "save"), "judging": (vocwatch.schedule.judging, "analyse"),
    "incidents built": (vocwatch.schedule.judging, "build_incidents"), "alerts told": (vocwatch.schedule.sending, "notify"),
    "digest written": (vocwatch.schedule.digests, "write_digest"), "digest enqueued": (vocwatch.schedule.sending, "enqueue_digest"),
    "digest sealed": (digests, "seal"), "dates merged": (leases, "merge"), "put into the outbox": (outbox, "enqueue"),
    "message claimed": (outbox, "claim"), "on the wire": (outbox, "begin_wire"), "message settled": (outbox, "settle"),
}
MOST_CALLS = {
    **dict.fromkeys(POINTS, 20), "slot claimed": 60, "slot closed": 60, "digest written": 2, "digest enqueued": 2,
    "digest sealed": 2, "dates merged": 2, "put into the outbox": 4, "on the wire": 4, "message settled": 4,
}
"""A life ends at the latest at so many calls of a point; some come by once a day."""


class Inline(Executor):
    """Runs a task where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def arm(point: str, when: str, at: int) -> None:
    """Let this process end at a point: no clean-up, nothing flushed, as after kill -9."""
    owner, name = POINTS[point]
    real, calls = getattr(owner, name), itertools.count(1)

    @functools.wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        number = next(calls)
        if number == at and when == "before":
            os._exit(9)
        result = real(*args, **kwargs)
        if number == at:
            os._exit(9)
        return result

    setattr(owner, name, wrapped)


def publish(world: World, clock: SharedClock) -> Callable[..., CrawlResult]:
    """Return a crawl that stores what the world has published."""

    def crawl_one(settings: Settings, store: Store, source: Source, **_: Any) -> CrawlResult:
        now = clock.now()
        blocked = world.down(source.name, now)
        with store.begin() as connection:
            runs.abandon_unfinished(connection, "crawl", source.name, now)
            run = runs.start(connection, "crawl", source.name, now)
        rows = [
            MentionRow(post.native_id, f"https://{source.name}.example/{post.native_id}", "post", post.text, author_key=post.native_id,
                       published_at=post.at, precision="minute")
            for post in world.posts if post.source == source.name and post.at <= now
        ]
        status, reason = (SourceStatus.BLOCKED, "返回 403，拒绝访问") if blocked else (SourceStatus.OK, None)
        with store.begin() as connection:
            if not blocked:
                mentions.save(connection, source.name, rows[-60:], now)
        with store.begin() as connection:
            runs.finish(connection, run, now, outcome=status, reason=reason, stats={"records": len(rows)})
        return CrawlResult(source.name, status, reason, {}, run)

    return crawl_one


def paces(settings: Settings) -> dict[str, Task]:
    """The real tasks, the quick ones on a coarser grid: sixty days have to pass in minutes."""
    from dataclasses import replace

    return {
        name: task if task.crawls else replace(task, every=max(task.every, GRID))
        for name, task in tasks_of(settings).items()
    }


def live(settings: Settings, folder: Path, plan: dict[str, Any], seed: int, days: int) -> int:
    """One life; returns the exit code."""
    world, clock = draw(seed, days), SharedClock(folder / "clock")
    settings = settings.with_clock(clock)
    vocwatch.schedule.work.crawl_one = publish(world, clock)  # type: ignore[assignment]
    vocwatch.schedule.work.look_after = lambda *_: None  # type: ignore[assignment] # no browser for screenshots here
    store = open_store(settings.env.database_url)
    arm(plan["point"], plan["when"], plan["at"])
    engine = Engine(settings, store, tasks=paces, seconds=clock.seconds, pool=Inline(), chance=random.Random(plan["chance"]))
    parent = os.getppid()
    while clock.now() < world.end and os.getppid() == parent:  # nobody waits for an orphan
        if world.down("service", clock.now()):
            clock.step(world.until("service", clock.now()) - clock.now())
            return 0  # it was stopped; who starts it again does so later
        if not engine.tick():
            with store.read() as connection:
                slots = [row.due_at for row in leases.current(connection).values() if row.due_at is not None]
            ahead = [slot - clock.now() for slot in slots if slot > clock.now()]
            clock.step(min([*ahead, GRID], default=GRID) + dt.timedelta(seconds=1))
    return DONE


def main(folder: Path, seed: int, days: int) -> None:
    """Fork a life for each plan, one after the other."""
    settings = load_settings(read_environment(json.loads((folder / "variables.json").read_text())))
    make_judge(settings)  # read what every life needs, once
    gc.freeze()
    clock = SharedClock(folder / "clock")
    for line in sys.stdin:
        plan = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(live(settings, folder, plan, seed, days))
        until: dt.datetime | None = clock.now() + dt.timedelta(hours=plan["hours"])
        ended, status = os.waitpid(child, os.WNOHANG)
        while not ended:
            if until is not None and clock.now() > until:
                time.sleep(plan["later"])  # in the middle of anything
                os.kill(child, signal.SIGKILL)  # not reaped yet, so the id is still its own
                until = None
            time.sleep(0.01)
            ended, status = os.waitpid(child, os.WNOHANG)
        sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
