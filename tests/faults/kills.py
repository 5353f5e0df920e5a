"""kill -9 of crawl workers, and what must hold after each and at the end. Used by the suite and by `benchmarks.kills`."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crawlers.runner import crawl
from tests.conftest import ROOT
from tests.crawlers.kit import Lab, rows
from tests.crawlers.site import Post, Site
from tests.faults.killed_worker import BATCH_PAGES, POINTS
from vocwatch.models import SourceStatus
from vocwatch.store import Store, open_store, runs
from vocwatch.store.pages import read_evidence
from vocwatch.store.schema import pages, visits

CONCURRENCY = 4
KILLED = -9
WHENS = ("before", "after")
# Points that a crawl comes by once, at its begin or end.
ONCE = frozenset({"robots kept", "run judged", "state written", "run closed", "audit written"})


@dataclass
class Strike:
    """One kill: what the worker had asked for, and how much of it was done."""

    plan: dict[str, Any]
    code: int
    fetched: int
    unfinished: int
    again: int


@dataclass
class Figures:
    """What came of a row of kills."""

    strikes: list[Strike] = field(default_factory=list)

    @property
    def killed(self) -> int:
        return sum(strike.code == KILLED for strike in self.strikes)

    @property
    def most_unfinished(self) -> int:
        """The most pages that a kill cost: fetched, and to be fetched again."""
        return max(strike.unfinished for strike in self.strikes)

    @property
    def fetched_twice(self) -> int:
        """Pages that were done with and were fetched all the same."""
        return sum(strike.again for strike in self.strikes)


def forum(posts: int) -> Site:
    """A site whose posts and comments all differ."""
    site = Site()
    site._server.handle_error = lambda *_: None  # type: ignore[method-assign] # the dead don't hang up politely
    grow(site, posts)
    return site


def grow(site: Site, posts: int) -> None:
    """Add new posts, the newest first on the list."""
    for number in range(len(site.posts) + 1, len(site.posts) + posts + 1):
        site.posts[number] = Post(number, f"第{number}个保温杯，用了{number}天，杯盖有点漏水",
                                  [f"我的第{number}-{place}个也这样" for place in range(number % 4)])


class Range:
    """A site, a home and a database that workers are killed over."""

    def __init__(self, home: Path, site: Site):
        self.lab, self.site = Lab(home), site
        self.lab.forum("forum", site.url, concurrency=CONCURRENCY)
        self.database = home / "var" / "kills.sqlite3"
        self.store: Store = open_store(f"sqlite:///{self.database}")
        self.settings = self.lab.settings(self.store.url)
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killed_worker"], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**self.settings.env.variables, "VOCWATCH_DATABASE_URL": self.store.url, "PYTHONPATH": str(ROOT)},
        )

    def strike(self, **plan: Any) -> Strike:
        """Crawl until killed, and look at what is left. The site's log tells what was fetched."""
        with self.store.begin() as connection:
            runs.abandon_unfinished(connection, "crawl", "forum", self.settings.clock.now())
            run_id = runs.start(connection, "crawl", "forum", self.settings.clock.now())
        done = self._done()
        self.site.log.clear()
        plan["arguments"] = ["--source", "forum", "--run-id", str(run_id)]
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(plan).encode() + b"\n")
        self._parent.stdin.flush()
        told = json.loads(self._parent.stdout.readline())
        asked = [path for path in self.site.log if path.startswith("/p/")]
        left = self._done()
        self.check()
        return Strike(plan, told["code"], len(asked), len(set(asked) - left), len(set(asked) & done))

    def _done(self) -> set[str]:
        with self.store.read() as connection:
            return {url.removeprefix(self.site.url) for url in connection.execute(sa.select(visits.c.url)).scalars()}

    @property
    def undone(self) -> int:
        """How many posts of the site are not done with."""
        return len(self.site.posts) - len({url for url in self._done() if url.startswith("/p/")})

    def check(self) -> None:
        """The database is whole, and every page that it names lies in the evidence folder with its own hash."""
        with sqlite3.connect(self.database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert not connection.execute("PRAGMA foreign_key_check").fetchall()
        connection.close()
        with self.store.read() as reading:
            hashes = set(reading.execute(sa.select(pages.c.sha256)).scalars())
        for sha256 in hashes:
            read_evidence(self.settings.env.data / "evidence", sha256)

    def finish(self) -> dict[str, list[Any]]:
        """Crawl to the end, undisturbed, and return everything that is stored."""
        [result] = crawl(self.settings, self.store)
        assert result.status is SourceStatus.OK, result
        self.check()
        return rows(self.store)

    def close(self) -> None:
        """Let go of the workers' parent and of the database."""
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.wait(30)
        self._parent.stdout.close()
        self.store.close()


def allowed_unfinished() -> int:
    """A kill costs at most a batch (two, while the first waits for the disk) and the pages under way."""
    return 2 * BATCH_PAGES + CONCURRENCY


__all__ = ["BATCH_PAGES", "KILLED", "ONCE", "POINTS", "WHENS", "Figures", "Range", "Strike", "allowed_unfinished", "forum", "grow"]
