"""Watches, sources and settings in a real Chromium: the tasks as a person does them, and every page under axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reports.desk.ask import Desk
from tests.desk.chrome import Chrome, axe, chrome_over
from tests.desk.kit import APP, settings_at, write_config
from tests.reports import factory
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.practice import practice_web
from vocwatch.store import open_store

PAGES = (
    "/watches", "/watches/songguoxia", "/watches/new", "/watches/red/假货", "/settings", "/settings?file=watches.yaml", "/settings/history",
    "/sources", "/sources/forum", "/sources/new",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One console and one browser for all tests here."""
    settings = settings_at(tmp_path_factory.mktemp("console"))
    store = open_store(settings.env.database_url)
    factory.forty_days(store)
    with chrome_over(Desk(settings, store), DeskTools) as made:
        yield made
    store.close()


@pytest.fixture
def console(running: Chrome) -> Iterator[Chrome]:
    """The console over the configuration as it was at first; no script may fail, nothing may come from elsewhere."""
    write_config(folder_of(running))
    running.wrong.clear()
    yield running
    assert not running.wrong and not running.elsewhere


def folder_of(console: Chrome) -> Path:
    """Where the configuration lies."""
    return console.desk.settings.env.config


def said(console: Chrome, name: str = "watches.yaml") -> str:
    """What a configuration file says now."""
    return (folder_of(console) / name).read_text(encoding="utf-8")


def test_a_word_is_added_and_seen_to_catch(console: Chrome) -> None:
    with console.page("editor") as page:
        page.goto("/watches/leak")
        figure = page.locator('[data-figure="caught"]')
        expect(figure).to_have_text(re.compile(r"^\d+$"))
        before = int(figure.inner_text())
        page.get_by_label("别名、昵称").fill("倒着放会渗")
        expect(figure).not_to_have_text(str(before))
        expect(page.locator("#lab .part", has_text="多抓的").locator("mark.hit", has_text="倒着放会渗").first).to_be_visible()
        assert page.url.endswith("/watches/leak")
        page.locator("#watch-form [name=note]").fill("渗也是漏")
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_role("status").filter(has_text="已保存")).to_be_visible()
        expect(page.locator("pre.diff .add")).to_contain_text("倒着放会渗")
    assert "aliases: [倒着放会渗]" in said(console)


def test_a_rule_that_is_too_broad_is_told_while_it_is_typed(console: Chrome) -> None:
    with console.page("analyst") as page:
        page.goto("/watches/new")
        page.get_by_label("名称").fill("的")
        page.get_by_label("编号").fill("de")
        alert = page.locator("#lab [role=alert]")
        expect(alert).to_contain_text("只有一个字")
        expect(page.locator("#lab")).to_contain_text(re.compile(r"条里，\d+ 条有“的”"))
        page.get_by_label("名称").fill("掉漆")
        expect(alert).to_have_count(0)
        expect(page.get_by_role("button", name="保存")).to_have_count(0)  # an analyst tries, an editor saves


def test_without_scripts_a_button_tries(console: Chrome) -> None:
    with console.page("editor", scripts=False) as page:
        page.goto("/watches/leak")
        page.get_by_role("button", name="试一试").click()
        expect(page.locator('[data-figure="caught"]')).to_have_text(re.compile(r"^\d+$"))
        assert page.get_by_label("名称").input_value() == "漏水"


def test_a_red_line_takes_the_second_person(console: Chrome) -> None:
    with console.page("editor") as page:
        page.goto("/watches/burn")
        page.get_by_label("别名、昵称").fill("烫起泡")
        page.get_by_role("button", name="提交，等人同意").click()
        expect(page.get_by_text("要由另一位编辑或管理员同意")).to_be_visible()
        place = page.url
    assert "烫起泡" not in said(console)
    with console.page("admin") as page:
        page.goto(place)
        expect(page.locator("pre.diff .add")).to_contain_text("烫起泡")
        page.get_by_role("button", name="同意并生效").click()
        expect(page.get_by_role("status").filter(has_text="已保存")).to_be_visible()
    assert "烫起泡" in said(console)


def test_a_bad_change_is_rolled_back(console: Chrome) -> None:
    with console.page("editor") as page:
        page.goto("/settings")
        page.get_by_label("日报几点发").fill("23:30")
        page.get_by_role("button", name="保存").click()
        expect(page.locator("pre.diff .add")).to_contain_text("23:30")
        page.goto("/settings/history?file=vocwatch.yaml")
        page.locator("tbody tr").nth(1).locator("a[data-main]").click()
        page.get_by_role("button", name="退回到这一版").click()
        expect(page.get_by_role("status").filter(has_text="已保存")).to_be_visible()
    assert said(console, "vocwatch.yaml") == APP


def test_a_source_is_added_by_its_address(console: Chrome) -> None:
    folder = folder_of(console)
    (folder / "vocwatch.yaml").write_text(APP.replace("vocwatch'}", "vocwatch', allow_private_hosts: [127.0.0.1], default_delay_seconds: 0}"), encoding="utf-8")
    with practice_web(port=0) as sites, console.page("editor") as page:
        page.goto("/sources")
        page.get_by_role("link", name="按网址加来源").click()
        page.get_by_label("网址").fill(sites["PRACTICE_COMPLAINTS"] + "/api/complaints?page=1&size=50")
        page.get_by_label("来源编号").fill("tousu")
        page.get_by_role("button", name="去看看").click()
        _answered(page)
        expect(page.locator("#step")).to_contain_text("robots.txt")
        expect(page.locator("#step .list .said").first).not_to_be_empty()
        page.locator("[name=owner]").fill("李四")
        page.locator("[name=basis]").fill("公开页面，无需登录")
        page.get_by_role("button", name="保存来源").click()
        expect(page.get_by_role("heading", level=2, name="启用")).to_be_visible()
    assert "enabled: false" in said(console, "sources/tousu.yaml") and "李四" in said(console, "sources/tousu.yaml")
    (folder / "sources" / "tousu.yaml").unlink()


def _answered(page: Page) -> None:
    """Take the first answer to whatever is asked until the proposal stands."""
    done, asking = page.get_by_role("button", name="保存来源"), page.get_by_role("button", name="就选这个")
    for _ in range(6):
        expect(done.or_(asking)).to_be_visible(timeout=60_000)
        if done.is_visible():
            return
        asking.click()


@pytest.mark.parametrize(("width", "scheme", "pages"), [(390, "dark", PAGES), (1280, "light", ("/watches", "/watches/leak", "/sources"))])
def test_axe_finds_nothing_and_nothing_overflows(console: Chrome, width: int, scheme: Any, pages: tuple[str, ...]) -> None:
    found: dict[str, Any] = {}
    with console.page("editor", width=width, color_scheme=scheme) as page:
        for address in pages:
            page.goto(address)
            if "/watches/" in address and "red" not in address and "new" not in address:
                expect(page.locator('[data-figure="caught"]')).to_be_visible()
            wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
            wrong = [*axe(page), *([f"{wide} px too wide"] if wide > 0 else [])]
            if wrong:
                found[address] = wrong
    assert not found
