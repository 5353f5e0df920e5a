"""Real crawls in real subprocesses, on both databases: whole, repeated, edited, killed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlers.runner import _environment, crawl, crawl_one
from tests.crawlers.kit import Lab, rows
from tests.crawlers.site import Answer, Site
from vocwatch.models import SourceStatus
from vocwatch.settings import ConfigError, checkout_root
from vocwatch.store import Store, pages, runs

MakeSite = Callable[..., Site]
PHONE = "13800138000"


def test_a_crawl_is_whole_and_adds_nothing_the_second_time(store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=34)
    site.posts[5].text = f"客服电话 {PHONE} 打不通"
    lab.forum("forum", site.url)
    settings = lab.settings(store.url)
    told: list[dict[str, int]] = []
    [first] = crawl(settings, store, on_progress=lambda name, numbers: told.append(numbers))
    assert (first.status, first.reason) == (SourceStatus.OK, None)
    assert (first.stats["pages"], first.stats["listed"], first.stats["records"]) == (38, 34, 45)
    assert told[-1]["records"] == 45
    before = rows(store)
    assert len(before["texts"]) == 45 and len(before["visits"]) == 34
    assert PHONE not in str(before["texts"]) and "网友" not in str(before["texts"])
    comments = [text for text in before["texts"] if text[3] == "comment"]
    assert {text[4] for text in comments} == {str(n) for n in range(3, 35, 3)}
    assert site.agents == {"vocwatch/0.1.0 (+https://example.com/vocwatch)"}
    sha = next(page[1] for page in before["pages"] if page[0].endswith("/p/5"))
    assert PHONE.encode() in pages.read_evidence(settings.env.data / "evidence", sha)

    [second] = crawl(settings, store)
    assert (second.status, second.stats["new"], second.stats["changed"]) == (SourceStatus.OK, 0, 0)
    assert rows(store) == before


def test_edits_and_old_ground(store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=60)
    for number, post in site.posts.items():
        post.posted = "2026-11-14 12:00" if number > 45 else "2026-10-01 12:00"
    lab.forum("forum", site.url)
    crawl(lab.settings(store.url), store)
    site.posts[60].text = "更新：杯子炸了，孩子烫伤"
    site.posts[50].removed = True
    site.posts[61] = type(site.posts[1])(61, "新帖：掉漆")
    site.log.clear()
    [result] = crawl(lab.settings(store.url, now="2026-11-17T08:30:00"), store)
    assert (result.status, result.reason) == (SourceStatus.OK, None)
    assert (result.stats["new"], result.stats["changed"], result.stats["missing"]) == (1, 1, 1)
    # Two pages of known old posts in a row end the listing; old details are not asked for again.
    assert "/list?page=4" in site.log and "/list?page=5" not in site.log
    assert not {f"/p/{n}" for n in range(1, 46)} & set(site.log)
    assert {f"/p/{n}" for n in range(46, 62)} <= set(site.log)
    with store.read() as connection:
        state = pages.read_state(connection, "forum")
    assert state.high_water == dt.datetime(2026, 11, 14, 4, tzinfo=dt.UTC)


def test_a_crawl_killed_halfway_leaves_nothing_out(store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=150, per_page=150)  # more than a batch, so that something is written before the end
    lab.forum("forum", site.url)
    reached, go_on = threading.Event(), threading.Event()

    def stop_late(path: str) -> Answer | None:
        if path == "/p/20" and not reached.is_set():
            reached.set()
            go_on.wait(20)
        return None

    site.rule = stop_late
    settings = lab.settings(store.url)
    with store.begin() as connection:
        run_id = runs.start(connection, "crawl", "forum", settings.clock.now())
    worker = subprocess.Popen(
        [sys.executable, "-m", "crawlers.worker", "--source", "forum", "--run-id", str(run_id)],
        cwd=checkout_root(), env=_environment(settings, str(lab.home)), stderr=subprocess.DEVNULL,
    )
    assert reached.wait(30)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    go_on.set()
    halfway = rows(store)
    assert 20 <= len(halfway["visits"]) < 150

    [again] = crawl(settings, store)
    assert again.status is SourceStatus.OK
    with store.read() as connection:
        first = runs.get(connection, run_id)
    assert first is not None and (first.outcome, first.reason) == (SourceStatus.NOT_RUN, "上次运行被中断")
    after = rows(store)
    assert len(after["visits"]) == 150 and len(after["texts"]) == 200
    crawl(settings, store)
    assert rows(store) == after


def test_nothing_is_lost_after_a_run_that_ended_early(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=50)
    for post in site.posts.values():
        post.posted = "2026-09-01 12:00"
    lab.forum("forum", site.url)
    settings = lab.settings(sqlite_store.url)
    [cut] = crawl(settings, sqlite_store, limit=20)
    assert cut.status is SourceStatus.DEGRADED and "--limit" in str(cut.reason)
    [whole] = crawl(settings, sqlite_store)
    assert whole.status is SourceStatus.OK and whole.stats["skipped"] > 0
    assert len(rows(sqlite_store)["visits"]) == 50


def test_a_dry_run_shows_rows_and_stores_nothing(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=3)
    lab.forum("forum", site.url)
    lab.forum("off", site.url, extra="enabled: false")
    settings = lab.settings(sqlite_store.url)
    before = sorted(path for path in lab.home.rglob("*") if path.is_file())
    [result] = crawl(settings, sqlite_store, ["forum"], dry_run=True)
    assert result.status is SourceStatus.OK and result.run_id is None
    assert sorted(record["native_id"] for record in result.records) == ["1", "2", "3", "c3-0"]
    left = sorted(path for path in lab.home.rglob("*") if path.is_file() and "audit" not in path.parts)
    assert left == before  # what was fetched is written down all the same
    assert not rows(sqlite_store)["texts"]
    [off] = crawl(settings, sqlite_store, ["off"])
    assert (off.status, off.reason) == (SourceStatus.NOT_RUN, "已停用（enabled: false）")
    with pytest.raises(ConfigError, match="是不是 forum"):
        crawl(settings, sqlite_store, ["forun"])


def test_a_crawl_over_its_time_is_killed_and_closed(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=5)
    site.rule = lambda path: Answer(hang=3) if path == "/p/1" else None
    lab.forum("forum", site.url)
    settings = lab.settings(sqlite_store.url)
    result = crawl_one(settings, sqlite_store, settings.sources["forum"], time_limit=0.2)
    assert result.status is SourceStatus.NOT_RUN and "超时被终止" in str(result.reason)


def test_a_worker_that_breaks_leaves_its_last_words(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=3)
    lab.forum("forum", site.url)
    settings = lab.settings(sqlite_store.url)
    (settings.env.data).mkdir(parents=True, exist_ok=True)
    (settings.env.data / "evidence").write_text("a file where a folder should be")
    [result] = crawl(settings, sqlite_store)
    assert result.status is SourceStatus.NOT_RUN and "磁盘空间" in str(result.reason)
    lab.source("forum", "name: forum\ntitle: 写坏了\n")
    [broken] = crawl(settings, sqlite_store)
    assert broken.status is SourceStatus.NOT_RUN
    assert "采集进程异常退出（4）" in str(broken.reason) and "forum.yaml" in str(broken.reason)


def test_scrapy_knows_the_sources(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=2)
    lab.forum("forum", site.url)
    settings = lab.settings(sqlite_store.url)
    environment = _environment(settings, str(lab.home))
    subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "forum"], cwd=checkout_root(), env=environment, check=True,
        capture_output=True,
    )
    with sqlite_store.read() as connection:
        run = runs.latest(connection, "crawl", "forum")
    assert run is not None and run.outcome is SourceStatus.OK and run.stats["new"] == 2


def test_a_saved_page_is_read_as_the_source_would(lab: Lab, make_site: MakeSite, tmp_path: Path) -> None:
    from crawlers.saved import read_saved

    site = make_site(posts=3)
    lab.forum("forum", site.url)
    settings = lab.settings()
    for path, wanted in (("/p/3", "detail"), ("/list?page=1", "listing")):
        file = tmp_path / f"{wanted}.html"
        body = site.answer(path).body
        assert isinstance(body, bytes)
        file.write_bytes(body)
        step, found = read_saved(settings, settings.sources["forum"], file)
        assert (step, found.state) == (wanted, "ok")
    with pytest.raises(ConfigError, match="comments"):
        read_saved(settings, settings.sources["forum"], file, step="comments")
    with pytest.raises(ConfigError, match="读不到"):
        read_saved(settings, settings.sources["forum"], tmp_path / "none.html")
