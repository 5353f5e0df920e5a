"""Sites that refuse, lie, hang and change: each ends honestly, and none is shown as quiet.

All faults are crawled in one go (real workers, real sockets); each test looks at one of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from crawlers.runner import CrawlResult, crawl
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import CAPTCHA, Answer, Canary, Site
from vocwatch.models import SourceStatus
from vocwatch.store import Store, open_store
from vocwatch.store.schema import mentions, revisions

OK, DEGRADED, BLOCKED = SourceStatus.OK, SourceStatus.DEGRADED, SourceStatus.BLOCKED
EMPTY, NOT_RUN = SourceStatus.EMPTY, SourceStatus.NOT_RUN


@dataclass
class Ward:
    """All faulty sites, crawled once."""

    lab: Lab
    store: Store
    sites: dict[str, Site]
    results: dict[str, CrawlResult]
    canary: Canary

    def texts(self, name: str) -> list[str]:
        query = sa.select(revisions.c.text).join(mentions, revisions.c.mention_id == mentions.c.id)
        with self.store.read() as connection:
            return list(connection.execute(query.where(mentions.c.source == name)).scalars())


def _detail_broken(site: Site, share: int) -> None:
    """Rename the class of the text on every `share`-th post."""
    def rule(path: str) -> Answer | None:
        if path.startswith("/p/") and int(path[3:]) % share == 0:
            answer = site._post(int(path[3:]))
            assert isinstance(answer.body, bytes)
            body = answer.body.replace(b"class=text", b"class=x9")
            return Answer(body.replace(b"h1>", b"h3>") if share > 1 else body, headers=answer.headers)
        return None

    site.rule = rule


def _only(prefix: str, answer: Answer, site: Site) -> None:
    site.rule = lambda path: answer if path.startswith(prefix) else None


def _sites(canary: Canary) -> dict[str, Site]:
    names = (
        "captcha", "forbidden", "limited", "robots500", "robotsno", "robotsgone", "hang", "truncated",
        "drift", "drift5", "empty", "metadata", "server", "login", "gb", "stray", "one403", "busy",
    )
    sites = {name: Site(posts=20) for name in names}
    _only("/list?page=2", CAPTCHA, sites["captcha"])
    _only("/list", Answer("no", 403), sites["forbidden"])
    _only("/p/19", Answer("slow down", 429, {"Retry-After": "600"}), sites["limited"])
    sites["robots500"].robots = Answer("error", 500)
    sites["robotsno"].robots = Answer("User-agent: *\nAllow: /\nUser-agent: vocwatch\nDisallow: /\n")
    sites["robotsgone"].robots = Answer("nothing", 404)
    _only("/list", Answer(hang=4), sites["hang"])
    _only("/p/", Answer(b"<p class=text>half", claim=4000), sites["truncated"])
    _detail_broken(sites["drift"], 1)
    _detail_broken(sites["drift5"], 5)
    sites["empty"].posts.clear()
    inward = {"/p/4": "http://169.254.169.254/latest/meta-data/", "/p/7": canary.url, "/p/8": canary.url + "2"}
    sites["metadata"].rule = lambda path: (
        Answer(status=302, headers={"Location": inward[path]}) if path in inward else None
    )
    _only("/", Answer("oops", 500), sites["server"])
    _only("/list", Answer(status=302, headers={"Location": "/account/login?back=/list"}), sites["login"])
    sites["gb"].encoding, sites["gb"].content_type = "gb18030", "text/html; charset=utf-8"
    sites["gb"].posts = {1: type(sites["gb"].posts[1])(1, "这个杯盖朙显漏水，客服镕说不管")}
    _only("/p/13", Answer("gone", 404), sites["stray"])
    _only("/p/13", Answer("private", 403), sites["one403"])
    sites["one403"].posts = dict.fromkeys(range(1, 3), sites["one403"].posts[1]) | {
        n: type(sites["one403"].posts[1])(n, f"第{n}条") for n in range(3, 31)
    }
    _only("/list", Answer("maintenance", 503, {"Retry-After": "120"}), sites["busy"])
    return sites


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    home = tmp_path_factory.mktemp("ward")
    shutil.copytree(ROOT / "config", home / "config")
    canary, lab = Canary(), Lab(home)
    sites = _sites(canary)
    for name, site in sites.items():
        lab.forum(name, site.url)
    lab.forum("private", sites["stray"].url.replace("127.0.0.1", "localhost"), allow=False)
    dead = Site()
    dead.close()
    lab.forum("refused", dead.url)
    lab.source("down", (home / "config/sources/refused.yaml").read_text().replace("name: refused", "name: down")
               .replace(dead.url, "http://no-such-host.invalid"))
    store = open_store(f"sqlite:///{home / 'test.sqlite3'}")
    results = crawl(lab.settings(store.url), store)
    yield Ward(lab, store, sites, {result.source: result for result in results}, canary)
    store.close()
    for site in sites.values():
        site.close()
    canary.close()


@pytest.mark.parametrize(("name", "status", "word"), [
    ("captcha", BLOCKED, "验证"),
    ("forbidden", BLOCKED, "403"),
    ("limited", BLOCKED, "600 秒"),
    ("login", BLOCKED, "登录"),
    ("busy", NOT_RUN, "503"),
    ("robots500", NOT_RUN, "robots.txt 返回 500"),
    ("robotsno", NOT_RUN, "robots.txt 不允许"),
    ("hang", NOT_RUN, "超时"),
    ("refused", NOT_RUN, "连接被拒绝"),
    ("down", NOT_RUN, "域名解析不了"),
    ("server", NOT_RUN, "5xx"),
    ("private", NOT_RUN, "内网"),
    ("truncated", DEGRADED, "没收全"),
    ("drift", DEGRADED, "写法"),
    ("drift5", DEGRADED, "详情页"),
    ("metadata", DEGRADED, "内网"),
    ("empty", EMPTY, "空"),
    ("robotsgone", OK, ""),
    ("stray", OK, ""),
    ("one403", OK, ""),
    ("gb", OK, ""),
])
def test_every_fault_ends_as_what_it_is(ward: Ward, name: str, status: SourceStatus, word: str) -> None:
    result = ward.results[name]
    assert result.status is status, result
    assert word in (result.reason or ""), result
    assert (result.reason is None) == (status is OK)


def test_a_challenge_is_the_last_thing_asked(ward: Ward) -> None:
    log = ward.sites["captcha"].content_log
    assert len(log) - log.index("/list?page=2") <= 2  # one request may have been under way


def test_robots_refusals_fetch_no_content(ward: Ward) -> None:
    for name in ("robots500", "robotsno"):
        assert not ward.sites[name].content_log
    assert all(not any("/trap/" in path for path in site.log) for site in ward.sites.values())
    assert 1 <= ward.sites["stray"].log.count("/robots.txt") <= 2  # asked again only where the machine was too slow


def test_nothing_private_is_ever_connected_to(ward: Ward) -> None:
    assert not ward.canary.touched
    assert ward.results["metadata"].stats["errors"]["private"] == 3
    assert not any("localhost" in path for path in ward.sites["stray"].log)


def test_lying_charsets_are_seen_through(ward: Ward) -> None:
    assert ward.texts("gb") == ["这个杯盖朙显漏水，客服镕说不管"]


def test_what_could_be_read_is_kept(ward: Ward) -> None:
    assert len(ward.texts("drift5")) >= 16
    assert all(text.startswith("求助") for text in ward.texts("drift") if "同款" not in text)  # titles only
    assert len(ward.texts("stray")) == 19 + 6


def test_retry_after_outlives_the_run(ward: Ward) -> None:
    before = len(ward.sites["limited"].log)
    [soon] = crawl(ward.lab.settings(ward.store.url, now="2026-11-16T08:39:00"), ward.store, ["limited"])
    assert soon.status is BLOCKED and "11-16 09:" in str(soon.reason)  # an hour at least, whatever it asked for
    assert len(ward.sites["limited"].log) == before
    ward.sites["limited"].rule = lambda path: None
    [later] = crawl(ward.lab.settings(ward.store.url, now="2026-11-16T09:43:00"), ward.store, ["limited"])
    assert later.status is OK


def test_a_list_that_is_suddenly_empty_is_not_quiet(ward: Ward) -> None:
    site = ward.sites["robotsgone"]
    site.posts.clear()
    [result] = crawl(ward.lab.settings(ward.store.url), ward.store, ["robotsgone"])
    assert result.status is DEGRADED and "突然是空的" in str(result.reason)


def test_robots_last_good_copy_serves_for_a_day_and_no_longer(ward: Ward) -> None:
    site = ward.sites["stray"]
    site.robots = Answer("error", 500)
    [soon] = crawl(ward.lab.settings(ward.store.url, now="2026-11-17T08:00:00"), ward.store, ["stray"])
    assert soon.status is OK
    site.log.clear()
    [later] = crawl(ward.lab.settings(ward.store.url, now="2026-11-17T09:00:00"), ward.store, ["stray"])
    assert later.status is NOT_RUN and not site.content_log
