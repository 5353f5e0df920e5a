"""Kill switch, refusal list and audit log over real crawls of real workers; crawled once, looked at from many sides."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawlers import audit, stop
from crawlers.fetchone import fetch_page
from crawlers.runner import CrawlResult, crawl
from tests.crawlers.kit import Lab
from tests.crawlers.site import CAPTCHA, Answer, Canary, Site
from tests.store.kept import tiny_home
from vocwatch.models import SourceStatus
from vocwatch.pseudonym import Pseudonyms
from vocwatch.store import Store, open_store, pages
from vocwatch.store import schema as s
from vocwatch.store.evidence import audit_anchors


@dataclass
class Ward:
    """All sites, crawled twice (first without the refusal list)."""

    lab: Lab
    store: Store
    sites: dict[str, Site]
    results: dict[str, CrawlResult]
    again: dict[str, CrawlResult]
    fresh: Store

    @property
    def root(self) -> Path:
        return self.lab.home / "var" / "audit"

    def lines(self, name: str, run: CrawlResult | None = None) -> list[dict[str, Any]]:
        chosen = run or self.results[name]
        text = (self.root / chosen.stats["audit"]["file"]).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def texts(self, name: str) -> list[str]:
        query = sa.select(s.revisions.c.text).join(s.mentions, s.revisions.c.mention_id == s.mentions.c.id)
        with self.store.read() as connection:
            return list(connection.execute(query.where(s.mentions.c.source == name)).scalars())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tiny_home(tmp_path / "home")


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, ready_workers: None) -> Iterator[Ward]:
    home = tiny_home(tmp_path_factory.mktemp("policy"))
    lab, canary = Lab(home), Canary()
    sites = {name: Site(12) for name in ("plain", "asked", "wall", "robotsno", "halfway")}
    lab.forum("plain", sites["plain"].url, start="/list?page=1")
    sites["plain"].rule = lambda path: Answer(status=302, headers={"Location": canary.url}) if path == "/p/2" else None
    asked = sites["asked"].url
    sites["asked"].posts[9].text = "本人已要求不再采集的内容，很长很长的一段话"
    sites["wall"].rule = lambda path: CAPTCHA if path == "/p/9" else None
    sites["robotsno"].robots = Answer("User-agent: *\nDisallow: /\n", headers={"Content-Type": "text/plain"})
    for name in ("asked", "wall", "robotsno"):
        lab.forum(name, sites[name].url, max_pages=8 if name == "wall" else 500)
    lab.forum("off", sites["plain"].url, extra="enabled: false")
    lab.forum("halfway", sites["halfway"].url, concurrency=1)
    store = open_store(f"sqlite:///{home / 'a.sqlite3'}")
    settings = lab.settings(store.url)

    def throw_the_switch(path: str) -> Answer | None:
        if path == "/p/8" and not stop.path(settings).exists():
            stop.stop_all(settings, "法务要求\n暂停")
            threading.Event().wait(stop.LOOK_SECONDS)  # the switch is looked at once a second
        return None

    others = [name for name in sorted(lab.settings(store.url).sources) if name != "halfway"]
    results = {result.source: result for result in crawl(settings, store, others)}
    sites["halfway"].rule = throw_the_switch
    results |= {result.source: result for result in crawl(settings, store, ["halfway"])}
    again = {"plain stopped": crawl(settings, store, ["plain"])[0]}
    stop.resume_all(settings)
    author = Pseudonyms(b"test").of("asked", "网友5")  # 5 and 12
    (home / "config" / "refusals.yaml").write_text(
        f"urls:\n- {{url: '{asked}/p/7', date: 2026-11-16}}\nauthors:\n- {{author: {author}, date: 2026-11-16}}\n"
        "ids:\n- {source: asked, id: '9', date: 2026-11-16}\n", encoding="utf-8")
    fresh = open_store(f"sqlite:///{home / 'b.sqlite3'}")
    later = lab.settings(fresh.url, data="later")
    sites["asked"].log.clear()
    sites["asked"].rule = lambda path: Answer(status=302, headers={"Location": "/p/7"}) if path == "/p/2" else None
    again |= {result.source: result for result in crawl(later, fresh, ["asked"])}
    yield Ward(lab, store, sites, results, again, fresh)
    fresh.close()
    store.close()
    canary.close()
    for site in sites.values():
        site.close()


# -- audit ------------------------------------------------------------------------------------------------------


def test_each_request_that_reached_a_site_has_its_line_and_no_other(ward: Ward) -> None:
    for name in ("wall", "robotsno", "halfway"):
        fetched = Counter(line["url"] for line in ward.lines(name) if line["decision"] == "fetch")
        assert fetched == Counter(ward.sites[name].url + path for path in ward.sites[name].log), name


def test_what_was_not_fetched_says_why(ward: Ward) -> None:
    def whys(name: str) -> set[tuple[str, str]]:
        return {(line["decision"], line["why"]) for line in ward.lines(name)}

    assert ("refuse", "private") in whys("plain")
    assert whys("robotsno") == {("fetch", ""), ("refuse", "robots")}
    assert ("halt", "captcha") in whys("wall")
    assert whys("off") == {("skip", "已停用（enabled: false）")}
    assert whys("halfway") >= {("fetch", ""), ("halt", "stopped")}


def test_a_line_tells_when_where_and_what_robots_said(ward: Ward) -> None:
    lines = ward.lines("plain")
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    first, second = lines[0], lines[1]
    assert first["url"].endswith("/robots.txt") and first["robots"] == "robots_txt"
    assert (second["source"], second["run"], second["robots"]) == ("plain", str(ward.results["plain"].run_id), "allow")
    assert second["at"].startswith("2026-11-16T00:30:00") and second["decision"] == "fetch"
    assert [line["robots"] for line in ward.lines("robotsno") if line["decision"] == "refuse"] == ["disallow"]


def test_every_chain_holds_and_ends_where_its_run_says(ward: Ward) -> None:
    with ward.store.read() as connection:
        anchors = audit_anchors(connection)
    assert len(anchors) == len(ward.results) + 1
    for chain in audit.chains(ward.root):
        assert audit.compare(chain, anchors[chain.name][1]) == {"state": "ok", "why": ""}
    assert {chain.name for chain in audit.chains(ward.root, str(ward.results["wall"].run_id))} == {
        ward.results["wall"].stats["audit"]["file"]}


def test_the_log_is_a_small_part_of_the_crawl(ward: Ward) -> None:
    size = sum(path.stat().st_size for path in ward.root.rglob("*.jsonl"))
    assert size < 500 * sum(chain.lines for chain in audit.chains(ward.root))


def _damage(text: str, kind: str) -> str:
    lines = text.splitlines(keepends=True)
    return {
        "changed": text.replace('"decision":"fetch"', '"decision":"skip"', 1),
        "removed": "".join(lines[:2] + lines[3:]),
        "swapped": "".join([lines[0], lines[2], lines[1], *lines[3:]]),
        "added": text + lines[-1],
        "cut": "".join(lines[:-1]),
        "torn": text[:-20],
        "garbled": text.replace("{", "", 1),
        "emptied": "",
        "appended": text + '{"n":',
    }[kind]


@pytest.mark.parametrize("kind", ["changed", "removed", "swapped", "added", "cut", "torn", "garbled", "emptied", "appended"])
def test_every_tampering_breaks_the_chain(ward: Ward, tmp_path: Path, kind: str) -> None:
    kept = ward.results["plain"].stats["audit"]
    copy = tmp_path / kept["file"]
    copy.parent.mkdir()
    copy.write_text(_damage((ward.root / kept["file"]).read_text(encoding="utf-8"), kind), encoding="utf-8")
    assert audit.compare(audit.read_chain(tmp_path, kept["file"]), kept)["state"] == "broken"


def test_one_runs_log_does_not_pass_for_anothers(ward: Ward, tmp_path: Path) -> None:
    mine, theirs = ward.results["plain"].stats["audit"], ward.results["wall"].stats["audit"]
    copy = tmp_path / mine["file"]
    copy.parent.mkdir()
    shutil.copy(ward.root / theirs["file"], copy)
    assert audit.read_chain(tmp_path, mine["file"]).lines == 0


# -- kill switch ------------------------------------------------------------------------------------------------


def test_the_switch_stops_a_crawl_under_way(ward: Ward) -> None:
    result = ward.results["halfway"]
    assert result.status is SourceStatus.DEGRADED
    assert result.reason == "已按总开关停止：法务要求 暂停"
    log = ward.sites["halfway"].content_log
    assert len(log) - log.index("/p/8") <= 2  # one more may have been on its way


def test_nothing_is_asked_while_everything_is_stopped(ward: Ward) -> None:
    result = ward.again["plain stopped"]
    assert result.status is SourceStatus.NOT_RUN and result.reason == "已按总开关停止：法务要求 暂停"
    assert [line["decision"] for line in ward.lines("plain", result)] == ["skip"]


def test_the_switch_in_the_configuration_is_seen_without_a_restart(lab: Lab) -> None:
    settings = lab.settings()
    switch = stop.StopSwitch(settings)
    assert switch.reason() is None
    path = lab.home / "config" / "vocwatch.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("crawler:\n", "crawler:\n  stopped: true\n"), encoding="utf-8")
    switch._looked = float("-inf")
    assert "crawler.stopped" in (switch.reason() or "")
    path.write_text("crawler: [half written", encoding="utf-8")
    switch._looked = float("-inf")
    assert switch.reason() is not None  # what cannot be read changes nothing


@pytest.mark.parametrize(("content", "reason"), [
    ("", "没有写原因"), ("手工停\x1b[31m的\n两行", "手工停[31m的 两行"), ('{"reason": "演练"}', "演练"), ("[1]", "[1]"),
])
def test_any_stop_file_stops(lab: Lab, content: str, reason: str) -> None:
    settings = lab.settings()
    stop.path(settings).parent.mkdir(parents=True, exist_ok=True)
    stop.path(settings).write_text(content, encoding="utf-8")
    assert stop.stopped(settings) == reason
    assert stop.resume_all(settings) and stop.stopped(settings) is None and not stop.resume_all(settings)


# -- refusal list -----------------------------------------------------------------------------------------------


def test_what_is_refused_is_neither_asked_for_nor_stored(ward: Ward) -> None:
    result = ward.again["asked"]
    log = ward.sites["asked"].log
    assert "/p/7" not in log and "/p/9" not in log and "/p/5" in log  # an author is only known from his page
    assert result.status is SourceStatus.OK, result
    # One address, one number, two posts of the author, and a page that leads to that address.
    assert result.stats["refused_list"] == 5
    with ward.fresh.read() as connection:
        native = set(connection.execute(sa.select(s.mentions.c.native_id)).scalars())
        urls = set(connection.execute(sa.select(s.pages.c.url)).scalars())
        carried = dict(connection.execute(sa.select(s.visits.c.native_id, s.visits.c.carried)).all())
    assert not native & {"5", "7", "9", "12"} and {"1", "3", "4"} <= native
    assert "c12-0" in native  # what others said below stays
    assert not {url for url in urls if url.endswith(("/p/5", "/p/12", "/p/7", "/p/9"))}
    assert carried["5"] == {}
    folder = ward.lab.home / "later" / "evidence"
    bodies = [pages.read_evidence(folder, f"{p.parent.name}{p.name.removesuffix('.gz')}") for p in folder.glob("??/*.gz")]
    assert bodies and not any("求助5<" in body.decode() or "求助12<" in body.decode() for body in bodies)


def test_the_same_is_read_where_nobody_has_asked(ward: Ward) -> None:
    assert any("求助9" in text or "本人已要求" in text for text in ward.texts("asked"))
    assert ward.results["asked"].stats["refused_list"] == 0


def test_refusals_are_in_the_log(ward: Ward) -> None:
    path = ward.lab.home / "later" / "audit" / ward.again["asked"].stats["audit"]["file"]
    refused = {line["url"][-4:] for line in map(json.loads, path.read_text(encoding="utf-8").splitlines())
               if line["why"] == "refused_list"}
    assert refused == {"/p/7", "/p/9"}


# -- the log alone ----------------------------------------------------------------------------------------------


def log_of(lab: Lab, run: int = 1) -> audit.AuditLog:
    return audit.AuditLog.of(lab.settings(), "shop", run)


def test_secrets_and_control_characters_stay_out(lab: Lab) -> None:
    log = log_of(lab)
    log.record("fetch", "https://user:pass@a.example/x?key=SECRET&q=保温杯&access_token=TOKEN&page=2#frag\n{\"n\":9}")
    log.record("refuse", "https://a.example/\x1b[31m\udcff", "private\n{\"forged\": 1}")
    text = (lab.home / "var" / "audit" / log.close()["file"]).read_text(encoding="utf-8")
    assert len(text.splitlines()) == 2 and "\x1b" not in text
    for secret in ("SECRET", "TOKEN", "pass@", "frag"):
        assert secret not in text
    assert "q=保温杯" in text and "page=2" in text and "key=***" in text


def test_a_kill_leaves_whole_lines_and_the_next_run_begins_its_own(lab: Lab) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        log = log_of(lab)
        for number in range(audit.MAX_LINES + 50):
            log.record("fetch", f"https://a.example/{number}")
        os.write(writer, b"x")
        os.kill(os.getpid(), signal.SIGKILL)
    os.read(reader, 1)
    os.waitpid(child, 0)
    [chain] = audit.chains(lab.home / "var" / "audit")
    assert (chain.lines, chain.fault, chain.torn) == (audit.MAX_LINES, None, False)
    kept = audit.anchor(lab.settings(), "shop", 1)
    assert kept["lines"] == audit.MAX_LINES and audit.compare(chain, kept)["state"] == "ok"
    assert audit.compare(chain, {})["state"] == "open"
    second = log_of(lab)
    second.record("fetch", "https://a.example/")
    assert second.close()["file"].endswith("shop-1.2.jsonl")


def test_a_torn_line_counts_as_nothing(lab: Lab) -> None:
    log = log_of(lab)
    log.record("fetch", "https://a.example/1")
    log.record("fetch", "https://a.example/2")
    path = lab.home / "var" / "audit" / log.close()["file"]
    path.write_bytes(path.read_bytes()[:-15])
    chain = audit.read_chain(path.parents[1], f"{path.parent.name}/{path.name}")
    assert (chain.lines, chain.torn, chain.fault) == (1, True, None)
    assert audit.compare(chain, audit.anchor(lab.settings(), "shop", 1))["state"] == "ok"


def test_without_a_log_nothing_is_fetched(lab: Lab, make_site: Any, sqlite_store: Store) -> None:
    site = make_site(3)
    lab.forum("shop", site.url)
    (lab.home / "var").mkdir()
    (lab.home / "var" / "audit").write_text("in the way", encoding="utf-8")
    [result] = crawl(lab.settings(sqlite_store.url), sqlite_store, ["shop"])
    assert result.status is SourceStatus.NOT_RUN and "审计" in str(result.reason), result
    assert not site.log


def test_a_single_page_looked_at_is_in_the_log_too(lab: Lab, make_site: Any) -> None:
    site = make_site(3)
    lab.hosts.append(site.host)
    assert fetch_page(lab.settings(), f"{site.url}/p/1").page is not None
    [path] = (lab.home / "var" / "audit").glob("*/one-page-test-*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["decision"], line["url"].removeprefix(site.url)) for line in lines] == [("fetch", "/robots.txt"), ("fetch", "/p/1")]
