"""The first run: from the link that serve prints, over brand, sources and recipients, to the first digest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from reports.web.setup.first import first_path
from tests.conftest import ROOT
from tests.web.login import LoggedIn, client_of
from vocwatch import practice
from vocwatch.browser import BrowserChoice, find_browser, launch_options
from vocwatch.clock import FixedClock, parse_moment
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store
from vocwatch.store.access import log, users

PASSWORD = "第一个管理员的密码够长"


def new_home(folder: Path) -> Path:
    """A home as it is after installing, whose catalogue holds the practice web's sources."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("catalogue", "schema"))
    shutil.copytree(practice.folder() / "config" / "sources", config / "sources" / "catalogue")
    for path in (config / "sources" / "catalogue").glob("*.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace("tier:", "enabled: false\ntier:", 1), encoding="utf-8")
    main = (config / "vocwatch.yaml").read_text(encoding="utf-8")
    main = main.replace("default_delay_seconds: 2.0 ", 'allow_private_hosts: ["127.0.0.1"]\n  default_delay_seconds: 0.02 ')
    (config / "vocwatch.yaml").write_text(main, encoding="utf-8")
    return folder


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Settings, Store]]:
    """A fresh installation."""
    home = new_home(tmp_path / "fresh")
    (home / "config" / "topics.yaml").write_text("version: '1'\ntopics: []\nred_lines: []\n", encoding="utf-8")  # loads at once
    for path in (home / "config" / "sessions").glob("*.yaml"):
        path.unlink()
    settings = load_settings(read_environment({"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": practice.NOW}))
    store = open_store(settings.env.database_url)
    yield settings, store
    store.close()


@pytest.fixture
def client(fresh: tuple[Settings, Store]) -> Iterator[LoggedIn]:
    with client_of(*fresh) as made:
        yield made


def begin(client: LoggedIn, key: str, **more: str) -> int:
    """Send the first form."""
    found = re.search(r'name="_csrf" value="([^"]+)"', client.get(f"/setup?key={key}").text)
    data = {"_csrf": found[1] if found else "", "key": key, "name": "周楠", "password": PASSWORD, "again": PASSWORD, **more}
    return client.post("/setup", data=data).status_code


def test_the_link_is_good_once_for_ten_minutes_and_for_nobody_without_it(client: LoggedIn, fresh: tuple[Settings, Store]) -> None:
    settings, store = fresh
    assert "还没有任何用户" in client.get("/login").text
    key = first_path(client.app).partition("key=")[2]
    assert len(key) >= 32 and begin(client, "wrong") == 403 and begin(client, "") == 403
    assert begin(client, key, again="别的") == 400 and begin(client, key, password="short", again="short") == 400
    from reports.web.console import Console

    later = settings.with_clock(FixedClock(parse_moment("2026-11-16T08:40:00+08:00", settings.app.zone)))
    client.app.state.console = Console(later, store)
    assert begin(client, key) == 403 and "十分钟" in client.get(f"/setup?key={key}").text
    client.app.state.console = Console(settings, store)
    again = first_path(client.app).partition("key=")[2]
    assert begin(client, key) == 403 and begin(client, again) == 303
    assert client.get("/setup/brand").status_code == 200
    assert client.get(f"/setup?key={again}").headers["location"] == "./login" and first_path(client.app) == ""
    with store.read() as connection:
        [one] = users.everybody(connection)
        assert (one.name, one.role) == ("周楠", "admin") and [row.via for row in log.entries(connection)] == ["setup"]


def test_the_steps_write_the_same_files_with_their_comments(client: LoggedIn, fresh: tuple[Settings, Store]) -> None:
    settings, store = fresh
    assert begin(client, first_path(client.app).partition("key=")[2]) == 303
    from tests.web.login import log_in

    log_in(client, settings, store, "admin", "周楠")
    brand = {"name": "橡木匣", "aliases": "橡木家、xiangmuxia", "exclude": "橡木地板", "contact": "https://oak.example/voc", "owner": "何雨"}
    assert client.post("/setup/brand", data={**brand, "contact": ""}).status_code == 400
    broad = client.post("/setup/brand", data={**brand, "aliases": "的"})
    assert broad.status_code == 400 and "几乎每条文本都会命中" in broad.text and "橡木匣" in broad.text
    assert client.post("/setup/brand", data=brand).headers["location"] == "./../setup/sources"
    config = settings.env.config
    assert "# 写进 User-Agent" in (config / "vocwatch.yaml").read_text(encoding="utf-8")
    assert "songguoxia" not in (config / "watches.yaml").read_text(encoding="utf-8")
    assert (config / "watches.yaml").read_text(encoding="utf-8").startswith("# yaml-language-server")
    assert "闲谈院" in client.get("/setup/sources").text and "闲谈院" in client.get("/setup/sources", params={"name": "forum"}).text
    for bad in ({"name": "nothing"}, {"name": "forum", "owner": ""}, {"name": "../../vocwatch"}, {"name": "forum", "start": "https://example.com/x", "owner": "何雨"},
                {"name": "forum", "start": "", "owner": "何雨"}):
        assert client.post("/setup/sources", data=bad).status_code == 400, bad
    start = "http://127.0.0.1:8713/new?page=1"
    assert client.post("/setup/sources", data={"name": "forum", "start": start, "owner": "何雨"}).status_code == 303
    assert "头里却说 utf-8" in (config / "sources" / "forum.yaml").read_text(encoding="utf-8")
    assert client.post("/setup/recipients", data={"emails": "qa@oak.example，不是邮箱", "digest_at": "08:15"}).status_code == 400
    assert client.post("/setup/recipients", data={"emails": "qa@oak.example", "digest_at": "08:15"}).status_code == 303
    now = load_settings(settings.env)
    [watch] = now.watches.watches
    assert (now.app.brand.name, now.app.brand.watch, watch.id, watch.aliases, watch.exclude) == (
        "橡木匣", "xiangmuxia", "xiangmuxia", ("橡木家", "xiangmuxia"), ("橡木地板",))
    assert now.sources["forum"].enabled and now.sources["forum"].access.reviewer == now.app.default_owner == "何雨"
    assert ([one.email for one in now.app.digest.recipients], now.app.schedule.digest_at) == (["qa@oak.example"], "08:15")
    assert client.post("/setup/brand", data={**brand, "aliases": "橡木家"}).status_code == 303  # once more, and nothing doubles
    assert len(load_settings(settings.env).watches.watches) == 1


@pytest.mark.browser
def test_a_newcomer_comes_from_the_printed_link_to_the_first_digest(tmp_path: Path) -> None:
    home = new_home(tmp_path / "fresh")
    choice = find_browser(read_environment({"VOCWATCH_HOME": str(home)}))
    if choice is None:
        pytest.skip("no Chromium")
    with practice.practice_web(port=0) as addresses:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PLAYWRIGHT_BROWSERS_PATH") if name in os.environ}
        variables = {**kept, **addresses, "VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": practice.NOW}
        process = subprocess.Popen(
            [sys.executable, "-c", "from vocwatch.cli import main; main()", "serve", "--port", "0"], cwd=ROOT, env=variables,
            stderr=subprocess.PIPE, text=True,
        )
        try:
            assert process.stderr is not None
            link = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+/setup\?key=\S+", line)))
            _walk(link, choice)
        finally:
            process.terminate()
            process.wait(20)
            process.stderr.close()  # type: ignore[union-attr]


def _walk(link: str, choice: BrowserChoice) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(choice))
        page = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 900}).new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(link)
        page.get_by_label("名字").fill("周楠")
        for label in ("新密码", "再输一次"):
            page.get_by_label(label).fill(PASSWORD)
        page.get_by_role("button", name="建好").click()
        page.get_by_label("品牌名").fill("松果匣")
        page.get_by_label("还叫什么").fill("松果匣子、松果家")
        page.get_by_label("联系方式").fill("https://songguoxia.example/vocwatch")
        page.get_by_role("button", name="下一步").click()
        for title in ("早城网",):
            page.get_by_role("link", name=f"用这个 {title}").click()
            page.get_by_label("负责人").fill("周楠")
            page.get_by_role("button", name="启用").click()
            page.locator("li", has_text=title).wait_for()
        page.get_by_role("link", name="下一步").click()
        page.get_by_label("收件人").fill("qa@songguoxia.example")
        page.get_by_role("button", name="下一步").click()
        page.get_by_role("button", name="现在跑一遍").click()
        page.get_by_role("link", name="看第一份日报").click(timeout=120_000)
        page.locator("main h1").first.wait_for()
        assert "2026-11-15" in page.url and "松果匣" in page.locator("body").inner_text()
        assert not wrong
        browser.close()
