"""`source new` over real sites on loopback: the practice web, and sites that refuse."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawlers.propose import Proposal, ProposeError, propose, write_source
from crawlers.runner import CrawlResult, crawl
from crawlers.saved import differences, read_saved
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Site
from vocwatch.browser import find_browser
from vocwatch.exits import Exit
from vocwatch.models import SourceStatus
from vocwatch.practice import NOW, practice_web
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.settings.edit import set_key
from vocwatch.store import open_store

PATHS = {
    "reviews": "/item/SG-C203/reviews?page=1", "notes": "/", "forum": "/b/muying",
    "complaints": "/api/complaints?page=1&size=50", "news": "/rss.xml", "video": "/feed?page=1",
}


@dataclass
class Outcome:
    """What one address came to: the proposal, its file, and a dry run of it without any editing."""

    proposal: Proposal
    file: Path
    crawled: CrawlResult
    settings: Settings

    @property
    def full(self) -> list[dict[str, Any]]:
        return [row for row in self.crawled.records if row["text"] and row["published_at"]]


def _home(folder: Path) -> Path:
    shutil.copytree(ROOT / "examples" / "practice" / "config", folder / "config", ignore=shutil.ignore_patterns("sources"))
    return folder


def _settings(home: Path) -> Settings:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return load_settings(read_environment({
        **kept, "VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": NOW,
    }))


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, ready_workers: None
) -> Iterator[dict[str, Outcome | ProposeError]]:
    """Every site proposed, written, switched on and crawled dry, two at a time."""
    root = tmp_path_factory.mktemp("propose")

    def one(name: str, url: str) -> Outcome | ProposeError:
        home = _home(root / name)
        settings = _settings(home)
        try:
            proposal = propose(settings, name, url, title=name, owner="值班QA", basis="练习网站")
        except ProposeError as error:
            return error
        file = write_source(settings, proposal)
        set_key(file, "enabled", True)
        settings = _settings(home)
        store = open_store(f"sqlite:///{home / 'test.sqlite3'}")
        try:
            return Outcome(proposal, file, crawl(settings, store, [name], limit=8, dry_run=True)[0], settings)
        finally:
            store.close()

    with practice_web(port=0) as variables, ThreadPoolExecutor(3) as pool:
        names = [name for name in PATHS if name != "notes" or find_browser(_settings(_home(root / "look")).env)]
        urls = [variables[f"PRACTICE_{name.upper()}"] + PATHS[name] for name in names]
        yield dict(zip(names, pool.map(one, names, urls), strict=True))


def _good(outcomes: dict[str, Outcome | ProposeError], name: str) -> Outcome:
    found = outcomes[name]
    assert isinstance(found, Outcome), f"{name}: {found}"
    return found


@pytest.mark.parametrize(("name", "kind", "least"), [
    ("reviews", "重复区块", 20), ("forum", "主帖加楼层", 15),
    ("complaints", "JSON 接口", 7), ("news", "RSS/Atom", 7),
])
def test_a_source_works_without_editing(
    outcomes: dict[str, Outcome | ProposeError], name: str, kind: str, least: int
) -> None:
    found = _good(outcomes, name)
    assert kind in found.proposal.kind
    assert found.proposal.robots == "允许（User-agent: * 的规则里没有一行提到这个地址）"
    assert found.crawled.status in (SourceStatus.OK, SourceStatus.DEGRADED), found.crawled.reason
    if found.crawled.status is SourceStatus.DEGRADED:
        assert "达到页数上限" in (found.crawled.reason or "")
    assert len(found.full) >= least
    # The shop's answers on the review site have no time of their own.
    assert len(found.full) == sum(row["kind"] != "reply" for row in found.crawled.records)


@pytest.mark.browser
def test_a_shell_is_opened_in_the_browser(outcomes: dict[str, Outcome | ProposeError]) -> None:
    if "notes" not in outcomes:
        pytest.skip("no browser here")
    found = _good(outcomes, "notes")
    source = found.proposal.source
    assert source.transport == "browser"
    assert source.browser.wait_for == source.browser.scroll_until == "section.note-card"
    assert source.detail is not None
    assert source.detail.transport == "http"
    assert source.detail.state == "window.__INITIAL_STATE__"
    assert len(found.full) >= 7


def test_a_captcha_behind_the_list_is_reported_as_blocked(outcomes: dict[str, Outcome | ProposeError]) -> None:
    found = _good(outcomes, "video")
    assert found.crawled.status is SourceStatus.BLOCKED
    assert len(found.full) == 4


def test_what_is_written_is_off_commented_and_loads(outcomes: dict[str, Outcome | ProposeError]) -> None:
    for name in outcomes:
        found = _good(outcomes, name)
        text = found.file.read_text(encoding="utf-8")
        assert found.proposal.source.enabled is False
        assert "robots.txt：允许" in text
        assert "2026-11-16" in text
        assert found.settings.sources[name].access.reviewer == "值班QA"
        assert "path:\n" not in text


def test_the_saved_page_reads_the_same_again(outcomes: dict[str, Outcome | ProposeError]) -> None:
    found = _good(outcomes, "reviews")
    folder = found.settings.env.data / "sources" / "reviews"
    expected = json.loads((folder / "listing.expected.json").read_text(encoding="utf-8"))
    _, again = read_saved(found.settings, found.proposal.source, folder / "listing.html", url=expected["url"])
    assert [record.text for record in again.records] == [record["text"] for record in expected["records"]]
    assert expected["records"]
    assert all(record["author"].startswith("用户") for record in expected["records"] if record["kind"] == "review")
    assert differences(found.settings, found.proposal.source, folder) == (1, [])


def test_the_shops_answers_are_read_too(outcomes: dict[str, Outcome | ProposeError]) -> None:
    rows = _good(outcomes, "reviews").crawled.records
    ids = {row["native_id"] for row in rows if row["kind"] == "review"}
    answers = [row for row in rows if row["kind"] == "reply"]
    assert answers
    assert all(row["parent"] in ids for row in answers)


# -- refusals -----------------------------------------------------------------------------------------------------

CAPTCHA = "<!doctype html><title>安全验证</title><p>请拖动滑块完成验证</p>"
WELCOME = "<!doctype html><title>首页</title><p>欢迎光临</p>"
LOGIN = {"Location": "/login?from=x"}
RULES: dict[str, tuple[str, Callable[[str], Answer | None]]] = {
    "disallowed": ("/trap/page", lambda path: None),
    "captcha": ("/list", lambda path: Answer(CAPTCHA, headers={"Content-Type": "text/html; charset=utf-8"})),
    "login": ("/list", lambda path: Answer("", 302, LOGIN) if path == "/list" else None),
    "missing": ("/nothing", lambda path: None),
    "empty": ("/list", lambda path: Answer(WELCOME, headers={"Content-Type": "text/html; charset=utf-8"})),
}


@pytest.fixture(scope="module")
def refusals(
    tmp_path_factory: pytest.TempPathFactory, ready_workers: None
) -> dict[str, tuple[ProposeError, list[str]]]:
    """Each refusing site, asked two at a time: the error and what the site was asked for."""
    root = tmp_path_factory.mktemp("refused")
    sites = {name: Site() for name in [*RULES, "robots_down", "closed"]}
    for name, (_, rule) in RULES.items():
        sites[name].rule = rule
    sites["robots_down"].robots = Answer("no", 503)
    sites["closed"].close()

    def one(name: str) -> tuple[ProposeError, list[str]]:
        settings = _settings(_home(root / name))
        url = sites[name].url + RULES.get(name, ("/list", None))[0]
        with pytest.raises(ProposeError) as caught:
            propose(settings, "site", url, title="站点", owner="值班QA", basis="公开页面")
        assert not (settings.env.config / "sources" / "site.yaml").exists()
        return caught.value, list(sites[name].log)

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(sites, pool.map(one, sites), strict=True))
    for name, site in sites.items():
        if name != "closed":
            site.close()
    return found


@pytest.mark.parametrize(("name", "code", "words"), [
    ("disallowed", Exit.BLOCKED, ("robots.txt", "不允许", "RSS")),
    ("robots_down", Exit.BLOCKED, ("robots.txt：读不到（按不允许处理）",)),
    ("captcha", Exit.BLOCKED, ("安全验证", "官方开放接口", "后台导出")),
    ("login", Exit.BLOCKED, ("登录",)),
    ("missing", Exit.USAGE, ("404", "核对网址")),
    ("closed", Exit.INCOMPLETE, ("连接被拒绝", "再试")),
    ("empty", Exit.INCOMPLETE, ("没有认出", "可见文字")),
])
def test_refusals_say_why_and_what_else(
    refusals: dict[str, tuple[ProposeError, list[str]]], name: str, code: Exit, words: tuple[str, ...]
) -> None:
    error, _ = refusals[name]
    assert error.code is code, str(error)
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize(("name", "asked"), [
    ("disallowed", ["/robots.txt"]), ("captcha", ["/robots.txt", "/list"]), ("login", ["/robots.txt", "/list"]),
    ("empty", ["/robots.txt", "/list"]),
])
def test_no_more_than_one_page_is_asked_for(
    refusals: dict[str, tuple[ProposeError, list[str]]], name: str, asked: list[str]
) -> None:
    assert refusals[name][1] == asked


def test_what_is_wrong_with_the_words_is_said_before_anything_is_fetched(lab: Lab, make_site: Callable[..., Site]) -> None:
    site = make_site()
    lab.forum("taken", site.url)
    settings = lab.settings()
    cases = [
        ("new", "ftp://example.com/x", "http"), ("new", "example.com", "http"), ("new", "http://u:p@example.com/", "密码"),
        ("坏 名字", site.url, "name"), ("../x", site.url, "name"), ("taken", site.url, "已经存在"),
    ]
    for name, url, word in cases:
        with pytest.raises(ProposeError, match=word) as caught:
            propose(settings, name, url, title="站点", owner="值班QA", basis="公开页面")
        assert caught.value.code is Exit.USAGE
    assert site.log == []


def test_private_hosts_are_not_asked(lab: Lab, make_site: Callable[..., Site]) -> None:
    site = make_site()
    with pytest.raises(ProposeError, match="allow_private_hosts") as caught:
        propose(lab.settings(), "inside", site.url + "/list", title="站点", owner="值班QA", basis="公开页面")
    assert caught.value.code is Exit.USAGE
    assert site.log == []
