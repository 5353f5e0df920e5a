"""F15, F16 on real sites with real workers: searches that hide, decoys, canaries, and markup that changes in part."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from crawlers.runner import CrawlResult, crawl
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Post, Site
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.store import Store, open_store, runs

DEGRADED, OK, EMPTY = SourceStatus.DEGRADED, SourceStatus.OK, SourceStatus.EMPTY
MORNING = dt.datetime.fromisoformat("2026-11-16T08:30:00+08:00")
SEARCH = "/s?q={keyword}"
EXTRA = 'keywords: ["松果 匣", "杯盖"]\nexpect: {{canary_query: "保温杯"{more}}}'


def searching(site: Site, found: Callable[[str], bool] = lambda word: True) -> None:
    """Let the site answer searches: newest posts that hold the word, or whatever `found` hides."""
    def rule(path: str) -> Answer | None:
        if not path.startswith("/s?"):
            return None
        word = parse_qs(urlsplit(path).query)["q"][0].replace(" ", "")
        hits = [post for post in site.posts.values() if word in post.text] if found(word) else []
        rows = "".join(f'<li class=item><a href="/p/{post.number}" data-id="{post.number}">帖子</a></li>' for post in hits)
        return site._html(f"<ul>{rows or '<p>没有找到相关内容</p>'}</ul>")

    site.rule = rule


def decoys(site: Site) -> None:
    """Whatever is asked for, the same posts about something else come back."""
    for post in site.posts.values():
        post.text = f"第{post.number}天跑步打卡，今天膝盖有点酸"
    rows = "".join(f'<li class=item><a href="/p/{n}" data-id="{n}">帖子</a></li>' for n in site.posts)
    site.rule = lambda path: site._html(f"<ul>{rows}</ul>") if path.startswith("/s?") else None


def garbled(site: Site, share: int) -> None:
    """Every `share`-th post tells its time in a way that nobody can read."""
    for post in site.posts.values():
        if post.number % share == 0:
            post.posted = "第七个时辰"


def renamed(site: Site, share: int, title: bool = True) -> None:
    """Every `share`-th post has its markup renamed; its title's only if `title` says so."""
    def rule(path: str) -> Answer | None:
        if path.startswith("/p/") and int(path[3:]) % share == 0:
            answer = site._post(int(path[3:]))
            assert isinstance(answer.body, bytes)
            body = answer.body.replace(b"class=text", b"class=x9")
            return Answer(body.replace(b"h1>", b"h3>") if title else body, headers=answer.headers)
        return None

    site.rule = rule


@dataclass
class Ward:
    lab: Lab
    store: Store
    sites: dict[str, Site]
    first: dict[str, CrawlResult]
    then: dict[str, CrawlResult]


NAMES = ("honest", "decoy", "hidden", "quiet", "lost", "dates", "turned", "part", "titles", "gone")


def _begin(lab: Lab) -> dict[str, Site]:
    sites = {name: Site(posts=24) for name in NAMES}
    for name in ("honest", "decoy", "hidden", "quiet", "turned", "gone"):
        for post in sites[name].posts.values():
            post.text = f"松果匣保温杯第{post.number}次漏水，杯盖也松了"
        searching(sites[name])
        lab.forum(name, sites[name].url, start=SEARCH, extra=EXTRA.format(more=""))
    decoys(sites["decoy"])
    searching(sites["hidden"], lambda word: False)
    searching(sites["quiet"], lambda word: word == "保温杯")
    lab.forum("lost", sites["lost"].url, extra=f'expect: {{canary: "{sites["lost"].url}/p/99"}}')
    garbled(sites["dates"], 1)
    for name in ("dates", "part", "titles"):
        lab.forum(name, sites[name].url)
    return sites


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, ready_workers: None) -> Iterator[Ward]:
    home = tmp_path_factory.mktemp("search")
    shutil.copytree(ROOT / "config", home / "config")
    lab = Lab(home)
    sites = _begin(lab)
    store = open_store(f"sqlite:///{home / 'test.sqlite3'}")
    first = {result.source: result for result in crawl(lab.settings(store.url), store)}
    for name in ("turned", "part", "titles", "gone"):
        assert first[name].status is OK, first[name]
        _grow_history(store, first[name])
    decoys(sites["turned"])
    sites["turned"].posts.update({n: Post(n, f"第{n}天跑步打卡") for n in range(25, 37)})
    decoys(sites["turned"])
    searching(sites["gone"], lambda word: word != "杯盖")
    for name in ("part", "titles"):
        sites[name].posts.update({n: Post(n, f"第{n}个保温杯，杯盖有点漏水") for n in range(25, 50)})
        renamed(sites[name], 3, title=name == "part")
    again = crawl(lab.settings(store.url, now="2026-11-17T08:30:00"), store, ["turned", "part", "titles", "gone"])
    yield Ward(lab, store, sites, first, {result.source: result for result in again})
    store.close()
    for site in sites.values():
        site.close()


def _grow_history(store: Store, result: CrawlResult) -> None:
    """Six more runs like this one, on the days before it."""
    for days in range(1, 7):
        moment = MORNING - dt.timedelta(days=days)
        with store.begin() as connection:
            key = runs.start(connection, "crawl", result.source, moment)
            runs.finish(connection, key, moment, RunStatus.DONE, OK, None, result.stats)


@pytest.mark.parametrize(("name", "status", "fault", "word"), [
    ("honest", OK, None, ""),
    ("decoy", DEGRADED, "decoy", "凑数"),
    ("hidden", DEGRADED, "canary_query", "搜索被限制"),
    ("quiet", EMPTY, "empty", "探针词"),
    ("lost", DEGRADED, "canary", "探针页"),
    ("dates", DEGRADED, "invalid", "published_at"),
])
def test_f15_f16_told_in_the_very_first_run(ward: Ward, name: str, status: SourceStatus, fault: str | None, word: str) -> None:
    result = ward.first[name]
    assert result.status is status and word in (result.reason or ""), result
    assert next(iter(result.stats["faults"]), None) == fault


def test_f15_results_are_held_against_the_word_on_the_posts_own_pages(ward: Ward) -> None:
    assert ward.first["honest"].stats["relevance"] == [24, 24]  # found by two words, read once
    assert ward.first["decoy"].stats["relevance"] == [0, 24]


def test_f15_the_canary_word_is_no_source_of_mentions(ward: Ward) -> None:
    stats = ward.first["honest"].stats
    assert stats["canary"] == [24, None] and stats["starts"] and len(stats["by_start"]) == 2


@pytest.mark.parametrize(("name", "fault", "word"), [
    ("turned", "decoy", "含有关键词"), ("part", "partial_drift", "一部分页面写法变了"),
    ("titles", "partial_drift", "一部分页面写法变了"), ("gone", "soft_empty", "1 个突然没有内容"),
])
def test_f15_f16_told_in_the_run_where_it_begins(ward: Ward, name: str, fault: str, word: str) -> None:
    result = ward.then[name]
    assert result.status is DEGRADED and word in (result.reason or ""), result
    assert fault in result.stats["faults"]


@pytest.mark.parametrize("name", ["part", "titles"])
def test_f16_bad_rows_are_kept_out_and_asked_for_again(ward: Ward, name: str) -> None:
    broken = sum(n % 3 == 0 for n in range(25, 50))
    assert ward.then[name].stats["errors"]["drift"] >= broken
    assert ward.then[name].stats["new"] == 25 - broken
    ward.sites[name].rule = lambda path: None  # the site thinks better of it
    [result] = crawl(ward.lab.settings(ward.store.url, now="2026-11-17T09:30:00"), ward.store, [name])
    assert result.status is OK and result.stats["new"] == broken
