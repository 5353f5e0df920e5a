"""From the publication of a red line on the practice web to its acceptance by a channel.

The practice web's forum is really crawled (a process for each crawl), judged and told by mail to a real server on
loopback. Work takes as long as it takes; only waiting for the next slot is skipped, and counted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vocwatch.schedule.work
from benchmarks.schedule.life import Inline
from benchmarks.schedule.servers import Accepted, serving
from benchmarks.schedule.world import FILLER, PRODUCTS, RED
from crawlers.runner import crawl_one
from vocwatch import practice
from vocwatch.schedule import Engine
from vocwatch.schedule.work import tasks_of
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import leases, open_store

EVERY_MINUTES = 10
BEGIN = dt.datetime(2026, 11, 16, 2, tzinfo=dt.UTC)
APART = dt.timedelta(days=6)  # so that each is an incident of its own
DUTY = "duty@example.com"


class SkippingClock:
    """Real time, from which waiting is left out: it passes at once, and counts."""

    def __init__(self) -> None:
        self._began, self._skipped = time.monotonic(), 0.0

    def seconds(self) -> float:
        return time.monotonic() - self._began + self._skipped

    def now(self) -> dt.datetime:
        return BEGIN + dt.timedelta(seconds=self.seconds())

    def step(self, by: dt.timedelta) -> None:
        self._skipped += by.total_seconds()


@dataclass(frozen=True)
class Trial:
    """Minutes from publication to acceptance, and the seconds of work in them: from the begin of the crawl that saw it."""

    minutes: float
    work_seconds: float


@contextmanager
def forum(clock: SkippingClock) -> Iterator[tuple[str, Any]]:
    """Serve the practice forum; yields its address and a function that publishes a thread."""
    sys.path.insert(0, str(practice.folder()))
    try:
        pages, serve, world_module = (importlib.import_module(name) for name in ("pages", "serve", "world"))
    finally:
        sys.path.pop(0)
    world = world_module.World(BEGIN)
    server = serve.SiteServer(("127.0.0.1", 0), serve.AccessLog(None))
    url = f"http://127.0.0.1:{server.server_port}"
    server.site = pages.Forum(world, url)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def publish(number: int, text: str) -> None:
        world.now = clock.now().astimezone(world_module.ZONE)
        post = {
            "id": f"forum-{900000 + number}", "site": "forum", "path": f"/t/{900000 + number}", "at": world.now.isoformat(),
            "author": f"读者{number}", "title": "说个事", "text": text, "board": "家电", "views": 3, "comments": [],
            "labels": {}, "modified": world.now, "edited": None,
        }
        world.by_path["forum", post["path"]] = post
        world.by_site["forum"].insert(0, post)

    try:
        yield url, publish
    finally:
        server.shutdown()
        server.server_close()


def prepare(folder: Path, url: str, port: int) -> dict[str, str]:
    """Write the configuration of one source that is read every ten minutes."""
    config = folder / "config"
    shutil.copytree(practice.folder() / "config", config, ignore=shutil.ignore_patterns("sources"))
    (config / "sources").mkdir()
    text = (practice.folder() / "config" / "sources" / "forum.yaml").read_text(encoding="utf-8")
    (config / "sources" / "forum.yaml").write_text(f"{text}every_minutes: {EVERY_MINUTES}\n", encoding="utf-8")
    app = (config / "vocwatch.yaml").read_text(encoding="utf-8").split("digest:")[0] + f"alerts: {{to: [{DUTY}]}}\n"
    (config / "vocwatch.yaml").write_text(app, encoding="utf-8")
    return {
        "PRACTICE_FORUM": url, "VOCWATCH_HOME": str(folder), "VOCWATCH_CONFIG": str(config), "VOCWATCH_DATA": str(folder / "var"),
        "VOCWATCH_SECRET": "redline", "VOCWATCH_SMTP_HOST": "127.0.0.1", "VOCWATCH_SMTP_PORT": str(port),
        "VOCWATCH_SMTP_SECURITY": "none", "VOCWATCH_SMTP_FROM": "vocwatch@mail.example.com",
    }


def trials(folder: Path, count: int, seed: int) -> list[Trial]:
    """Publish `count` red lines, each at a random moment of the crawl's cycle, and see when they are accepted."""
    clock, accepted, chance = SkippingClock(), Accepted(), random.Random(seed)
    begun = [clock.now()]

    def crawl_now(settings: Any, store: Any, source: Any, **more: Any) -> Any:
        begun.append(clock.now())
        env = dataclasses.replace(settings.env, now=clock.now().isoformat())  # the worker's clock
        return crawl_one(dataclasses.replace(settings, env=env).with_clock(clock), store, source, **more)

    vocwatch.schedule.work.crawl_one = crawl_now  # type: ignore[assignment]
    found = []
    with forum(clock) as (url, publish), serving(accepted, lambda what: False) as (port, _):
        settings = load_settings(read_environment(prepare(folder, url, port))).with_clock(clock)
        store = open_store(settings.env.database_url)
        with store.begin() as connection:  # no digests here
            leases.plan(connection, [("digest:2222-01-01", "judge", clock.now())])
            leases.retire(connection, ["digest:2222-01-01"])
        engine = Engine(
            settings, store, seconds=clock.seconds, pool=Inline(), chance=chance,
            tasks=lambda settings: {name: task for name, task in tasks_of(settings).items() if name not in ("watch", "care")},
        )
        for number in range(count):
            pass_time(engine, store, clock, clock.now() + chance.random() * dt.timedelta(minutes=EVERY_MINUTES))
            before, published = len(accepted.mails), clock.now()
            text = RED[number % len(RED)].format(p=PRODUCTS[number % len(PRODUCTS)])
            publish(number, f"{chance.choice(FILLER)}，{text}。{chance.choice(FILLER)}，编号{number}")
            deadline = published + dt.timedelta(hours=2)
            while len(accepted.mails) == before and clock.now() < deadline:
                pass_time(engine, store, clock, clock.now(), one=True)
            took = (clock.now() - published).total_seconds()
            work = (clock.now() - begun[-1]).total_seconds()
            found.append(Trial(took / 60 if len(accepted.mails) > before else float("inf"), work))
            clock.step(APART)
        store.close()
    return found


def pass_time(engine: Engine, store: Any, clock: SkippingClock, until: dt.datetime, one: bool = False) -> None:
    """Work and skip the waiting up to a moment (`one`: up to the next thing that is done)."""
    while True:
        if engine.tick():
            if one:
                return
            continue
        with store.read() as connection:
            slots = [row.due_at for row in leases.current(connection).values() if row.due_at is not None]
        ahead = min((slot for slot in slots if slot > clock.now()), default=clock.now() + dt.timedelta(minutes=1))
        if not one and ahead > until:
            clock.step(max(until - clock.now(), dt.timedelta()))
            return
        clock.step(ahead - clock.now())


def report(found: list[Trial]) -> str:
    """Return median and 95th percentile as Markdown."""
    def quantile(values: list[float], share: float) -> float:
        return sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))]

    minutes, work = [trial.minutes for trial in found], [trial.work_seconds for trial in found]
    return "\n".join([
        f"| {len(found)} red lines, source read every {EVERY_MINUTES} min | median | p95 | longest |", "|---|---:|---:|---:|",
        f"| publication → accepted by the mail server, minutes | {quantile(minutes, 0.5):.1f} | {quantile(minutes, 0.95):.1f} | {max(minutes):.1f} |",
        f"| begin of the crawl that saw it → accepted, seconds | {quantile(work, 0.5):.1f} | {quantile(work, 0.95):.1f} | {max(work):.1f} |",
        f"not told: {sum(trial.minutes == float('inf') for trial in found)}",
    ])
