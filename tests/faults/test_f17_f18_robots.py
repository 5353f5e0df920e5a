"""F17 and F18: robots.txt that changes, names us, asks for patience, breaks, or is something else."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from crawlers.runner import CrawlResult, crawl_one
from tests.crawlers.site import CAPTCHA, Answer, Site
from tests.faults.kit import Watched
from vocwatch.models import SourceStatus

TEXT = {"Content-Type": "text/plain"}
OPEN = Answer("User-agent: *\nDisallow: /trap/\n", headers=TEXT)
NOW, LATER, TOO_LATE = "2026-11-16T08:30:00", "2026-11-17T08:00:00", "2026-11-17T09:00:00"
# What stands in the place of robots.txt, and whether content may be fetched then without a copy.
PAGE = Answer("<!doctype html><title>首页</title><div id=app></div>", headers={"Content-Type": "text/html"})
BROKEN: dict[str, Answer] = {
    "503": Answer("busy", 503), "500": Answer("error", 500), "429": Answer("slow down", 429), "hang": Answer(hang=9),
    "drip": Answer(b"x" * 400, drip=True), "six redirects": Answer(), "reset": Answer(write=lambda out: None),
    "captcha": CAPTCHA, "bomb": Answer(b"U" * 2_000_000, headers=TEXT),
}
OTHER: dict[str, Answer] = {
    "soft 404": PAGE, "404": Answer("gone", 404), "403": Answer("no", 403), "redirect": Answer(),
    "501 KiB": Answer(
        "User-agent: *\nDisallow: /p/1\n" + "# filler\n" * 56_900 + "\nDisallow: /p/2\n", headers=TEXT
    ),
    "names us": Answer("User-agent: *\nDisallow: /\n\nUser-agent: VocWatch\nDisallow: /p/3\n", headers=TEXT),
    "forbids us": Answer("User-agent: *\nAllow: /\n\nUser-agent: vocwatch\nDisallow: /\n", headers=TEXT),
    "html with rules": Answer("<p>\nUser-agent: *\nDisallow: /p/1\n</p>", headers={"Content-Type": "text/html"}),
    "garbage": Answer(b"\xff\xfe\x00garbage\n" * 50 + b"\nUser-agent: *\nDisallow: /p/1\n", headers=TEXT),
}


@dataclass
class Robots:
    """Three days of one source over many sites: healthy, broken within a day, broken after a day."""

    lab: Watched
    sites: dict[str, Site]
    seen: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    results: dict[str, CrawlResult] = field(default_factory=dict)

    def run(self, when: str, moment: str, source: str) -> None:
        for site in self.sites.values():
            site.log.clear()
        self.results[when] = self.lab.crawl([source], moment)[source]
        self.seen[when] = {name: site.content_log for name, site in self.sites.items()}


def _source(lab: Watched, name: str, sites: list[Site]) -> None:
    lab.forum(name, sites[0].url, allow=False, concurrency=16, extra="reread_hours: [0.1, 1000]")
    path = lab.home / f"config/sources/{name}.yaml"
    urls = ", ".join(f'"{site.url}/list?page=1"' for site in sites)
    path.write_text(path.read_text().replace(f'"{sites[0].url}/list?page=1"', urls))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Robots]:
    lab = Watched(tmp_path_factory.mktemp("robots"))
    lab.timeout = 1
    made = Robots(lab, {name: lab.site(posts=3) for name in (*BROKEN, *OTHER, "newly")})
    _source(lab, "days", list(made.sites.values()))
    for site in made.sites.values():
        site.robots = OPEN
    made.run("healthy", NOW, "days")
    for name, answer in {**BROKEN, **OTHER}.items():
        made.sites[name].robots = answer
    for name, last in (("six redirects", 6), ("redirect", 5)):
        _redirecting(made.sites[name], last)
    made.sites["newly"].robots = Answer("User-agent: *\nDisallow: /\n", headers=TEXT)
    made.run("within a day", LATER, "days")
    made.run("after a day", TOO_LATE, "days")
    yield made
    lab.close()


def _redirecting(site: Site, last: int) -> None:
    """robots.txt after so many redirects."""
    site.robots = Answer(status=302, headers={"Location": "/robots/1"})

    def rule(path: str) -> Answer | None:
        if not path.startswith("/robots/"):
            return None
        number = int(path.rpartition("/")[2])
        if number == last:
            return Answer("User-agent: *\nDisallow: /p/1\n", headers=TEXT)
        return Answer(status=302, headers={"Location": f"/robots/{number + 1}"})

    site.rule = rule


def _content(paths: list[str]) -> list[str]:
    return [path for path in paths if not path.startswith("/robots/")]


def test_F18_broken_robots_fetch_no_content(days: Robots) -> None:
    fetched = {name: _content(days.seen["after a day"][name]) for name in BROKEN}
    print(f"F18 broken in {len(BROKEN)} ways, content fetches {sum(map(len, fetched.values()))}")
    assert not any(fetched.values()), fetched
    result = days.results["after a day"]
    assert result.stats["errors"]["robots_unreachable"] >= len(BROKEN) and result.status is SourceStatus.DEGRADED


def test_F18_the_last_good_copy_serves_for_a_day(days: Robots) -> None:
    assert all(_content(days.seen["healthy"][name]) for name in (*BROKEN, *OTHER))
    within = {name: _content(days.seen["within a day"][name]) for name in BROKEN}
    assert all("/list?page=1" in paths for paths in within.values()), within
    assert not any("/trap/1" in paths for paths in within.values())


def test_F18_what_is_no_robots_file_says_nothing(days: Robots) -> None:
    for name in ("soft 404", "404", "403"):
        assert "/list?page=1" in days.seen["after a day"][name], name


def test_F18_the_first_500_kib_count(days: Robots) -> None:
    asked = days.seen["after a day"]["501 KiB"]
    assert "/list?page=1" in asked and "/p/1" not in asked and "/p/2" in asked


def test_F18_five_redirects_are_followed(days: Robots) -> None:
    asked = _content(days.seen["after a day"]["redirect"])
    assert "/p/2" in asked and "/p/1" not in asked


def test_F18_rules_are_found_among_garbage(days: Robots) -> None:
    for name in ("html with rules", "garbage"):
        asked = days.seen["after a day"][name]
        assert "/p/2" in asked and "/p/1" not in asked, name


def test_F17_newly_disallowed_is_left_alone(days: Robots) -> None:
    asked = days.seen["within a day"]["newly"] + days.seen["after a day"]["newly"]
    print(f"F17 fetched before {len(days.seen['healthy']['newly'])}, after the refresh {len(asked)}")
    assert days.seen["healthy"]["newly"] and not asked
    assert days.results["after a day"].stats["errors"]["robots"] >= 2  # "newly" and "forbids us"


def test_F17_the_group_that_names_us_counts(days: Robots) -> None:
    asked = days.seen["after a day"]["names us"]
    assert "/p/1" in asked and "/p/2" in asked and "/p/3" not in asked
    assert not days.seen["after a day"]["forbids us"]


def test_F17_crawl_delay_is_waited_out(days: Robots) -> None:
    """30 seconds: nothing but robots.txt while another source is read whole. 0.6: no two requests come closer."""
    lab = days.lab
    patient, quick = lab.site(posts=5), lab.site(posts=2)
    asked = threading.Event()

    def wait_30(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\nUser-agent: *\nCrawl-delay: 30\n\n")
        asked.set()

    patient.robots = Answer(write=wait_30)
    quick.robots = Answer("User-agent: *\nCrawl-delay: 0.6\n", headers=TEXT)
    moments: list[float] = []

    def note(path: str) -> None:
        moments.append(time.monotonic())

    quick.rule = note
    for name, site in (("patient", patient), ("quick", quick)):
        lab.forum(name, site.url, allow=False, concurrency=16)
    settings = lab.watched()
    before = {line.name for line in lab.folder.glob("*.jsonl")}
    waiting = threading.Thread(target=crawl_one, args=(settings, lab.store, settings.sources["patient"]))
    waiting.start()
    assert asked.wait(60)
    [worker] = {line.name for line in lab.folder.glob("*.jsonl")} - before
    crawl_one(settings, lab.store, settings.sources["quick"])
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(worker.removesuffix(".jsonl")), signal.SIGKILL)
    waiting.join()
    gaps = [later - sooner for sooner, later in itertools.pairwise(moments)]
    print(f"F17 crawl-delay 30: {len(patient.content_log)} pages; 0.6: gaps {[round(gap, 2) for gap in gaps]}")
    assert patient.log == ["/robots.txt"]
    assert len(moments) == 3 and min(gaps) > 0.5


def test_F17_a_delay_longer_than_the_run_is_said_so(days: Robots) -> None:
    lab = days.lab
    site = lab.site(posts=5)
    site.robots = Answer("User-agent: *\nCrawl-delay: 86400\n", headers=TEXT)
    lab.forum("slowest", site.url, allow=False)
    result = lab.crawl(["slowest"])["slowest"]
    assert site.log == ["/robots.txt"]
    assert result.status is SourceStatus.NOT_RUN and "Crawl-delay" in str(result.reason)
