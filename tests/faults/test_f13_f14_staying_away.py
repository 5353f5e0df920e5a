"""F13, F14: sites that say "later" and sites that shut the door, over hours of simulated time and real workers.

Whoever asked for time gets it, whoever blocks is asked once an hour at most, ever more rarely, and nobody is ever
shown as having nothing to say.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from crawlers.runner import CrawlResult, crawl
from reports.coverage import coverage
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Site
from vocwatch.models import SourceStatus
from vocwatch.store import Store, open_store, runs

BEGIN = dt.datetime.fromisoformat("2026-11-16T08:30:00+08:00")
SLIDER = Answer('{"code": 461, "msg": "请按住滑块完成验证"}', headers={"Content-Type": "application/json"})
WALL = Answer(
    "<!doctype html><meta charset=utf-8><title>论坛</title><body><form action=/login><input name=phone>"
    "<input type=password><button>登录后查看更多内容</button></form>",
    headers={"Content-Type": "text/html; charset=utf-8"},
)
DOORS = {
    "later": Answer("slow down", 429, {"Retry-After": "600"}),
    "dated": Answer("slow down", 429, {"Retry-After": "Mon, 16 Nov 2026 03:30:00 GMT"}),  # three hours on
    "absurd": Answer("slow down", 429, {"Retry-After": "1000000000000"}),
    "forbidden": Answer("no", 403), "wall": WALL, "slider": SLIDER,
}
# Hours after the first run at which somebody impatient tries again.
TRIES = (0.15, 0.98, 1.22, 2.0, 2.95, 3.05, 3.7)


@dataclass
class Watch:
    """What the sites saw in the first run, and at each of the later tries."""

    lab: Lab
    store: Store
    sites: dict[str, Site]
    first: dict[str, CrawlResult] = field(default_factory=dict)
    at_once: dict[str, int] = field(default_factory=dict)
    asked: dict[str, list[int]] = field(default_factory=dict)
    later: list[CrawlResult] = field(default_factory=list)

    def crawl(self, hours: float, names: list[str] | None = None) -> list[CrawlResult]:
        now = (BEGIN + dt.timedelta(hours=hours)).isoformat()
        return crawl(self.lab.settings(self.store.url, now=now), self.store, names)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory, ready_workers: None) -> Iterator[Watch]:
    home = tmp_path_factory.mktemp("away")
    shutil.copytree(ROOT / "config", home / "config")
    lab, sites = Lab(home), {name: Site(posts=12) for name in DOORS}
    for name, site in sites.items():
        site.rule = lambda path, answer=DOORS[name]: answer  # type: ignore[misc]
        lab.forum(name, site.url, start="/list?page=1\", \"" + site.url + "/list?page=2")
    watch = Watch(lab, open_store(f"sqlite:///{home / 'test.sqlite3'}"), sites)
    watch.first = {result.source: result for result in watch.crawl(0)}
    watch.at_once = {name: len(site.content_log) for name, site in sites.items()}
    watch.asked = {name: [] for name in sites}
    for hours in TRIES:
        before = {name: len(site.content_log) for name, site in sites.items()}
        watch.later += watch.crawl(hours)
        for name, site in sites.items():
            watch.asked[name].append(len(site.content_log) - before[name])
    yield watch
    watch.store.close()
    for site in sites.values():
        site.close()


def test_f13_f14_each_is_blocked_and_the_challenge_is_the_last_thing_asked(watch: Watch) -> None:
    assert {result.status for result in watch.first.values()} == {SourceStatus.BLOCKED}, watch.first
    assert all(count <= 2 for count in watch.at_once.values()), watch.at_once  # one may have been under way


@pytest.mark.parametrize(("name", "hours"), [("later", 1.0), ("dated", 3.0), ("absurd", 24.0)])
def test_f13_no_request_in_the_window(watch: Watch, name: str, hours: float) -> None:
    in_window = [count for moment, count in zip(TRIES, watch.asked[name], strict=True) if moment < hours]
    assert sum(in_window) == 0, watch.asked[name]


def test_f13_the_window_ends(watch: Watch) -> None:
    assert watch.asked["dated"] == [0, 0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("name", ["later", "forbidden", "wall", "slider"])
def test_f14_blocked_sites_are_probed_with_one_request_and_ever_more_rarely(watch: Watch, name: str) -> None:
    assert watch.asked[name] == [0, 0, 1, 0, 0, 0, 1]  # after 1 to 1.2 hours, and 2 to 2.4 hours after that


def test_f14_no_disguise(watch: Watch) -> None:
    assert all(len(site.agents) == 1 and "vocwatch" in next(iter(site.agents)) for site in watch.sites.values())
    assert all(path in ("/robots.txt", "/list?page=1", "/list?page=2") for site in watch.sites.values() for path in site.log)


def test_f14_never_shown_as_zero(watch: Watch) -> None:
    quiet = (SourceStatus.OK, SourceStatus.EMPTY)
    assert not [result for result in (*watch.first.values(), *watch.later) if result.status in quiet]
    settings = watch.lab.settings(watch.store.url, now="2026-11-16T13:00:00")
    with watch.store.read() as connection:
        past = [run for name in DOORS for run in reversed(runs.history(connection, "crawl", name))]
    shown = coverage(settings, dt.date(2026, 11, 16), past, settings.clock.now())
    assert shown.percent == 0 and {source.name for source in shown.blind} == set(DOORS)


def test_f13_the_site_that_lets_us_in_again_is_read_whole(watch: Watch) -> None:
    site = watch.sites["forbidden"]
    site.rule = lambda path: None
    site.log.clear()
    [result] = watch.crawl(30, ["forbidden"])
    assert result.status is SourceStatus.OK and result.stats["details"] == 12
