"""Watches, sources and settings in a real Chromium: the tasks as a person does them, and every page under axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.desk.kit import APP, settings_at, write_config
from tests.reports import factory
from tests.web.login import secret_of, served_at, somebody
from vocwatch.browser import find_browser, launch_options
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.practice import practice_web
from vocwatch.settings import Settings
from vocwatch.store import Store, open_store

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
PAGES = (
    "/watches", "/watches/songguoxia", "/watches/new", "/watches/red/假货", "/settings", "/settings?file=watches.yaml", "/settings/history",
    "/sources", "/sources/forum", "/sources/new",
)


@dataclass
class Console:
    """A console with tools on loopback, and a browser."""

    settings: Settings
    store: Store
    address: str
    browser: Browser
    wrong: list[str]

    @contextmanager
    def page(self, role: str = "editor", width: int = 1280, **more: Any) -> Iterator[Page]:
        """A page logged in as somebody of a role; script errors and breaches of the policy are kept."""
        context = self.browser.new_context(base_url=self.address, viewport={"width": width, "height": 900}, locale="zh-CN", **more)
        secret = secret_of(self.settings, self.store, somebody(self.settings, self.store, role))
        context.add_cookies([{"name": "vocwatch", "value": secret, "url": self.address, "httpOnly": True, "sameSite": "Lax"}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.wrong.append(f"{page.url}: {said.text}") if "Content Security" in said.text else None)
        try:
            yield page
        finally:
            context.close()

    def file(self, name: str = "watches.yaml") -> str:
        """What a configuration file says now."""
        return (self.settings.env.config / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One console and one browser for all tests here."""
    settings = settings_at(tmp_path_factory.mktemp("console"))
    binary = find_browser(settings.env)
    if binary is None:
        pytest.skip("no Chromium")
    store = open_store(settings.env.database_url)
    factory.forty_days(store)
    with served_at(settings, store, DeskTools) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(binary))
        yield Console(settings, store, address, browser, [])
        browser.close()
    store.close()


@pytest.fixture
def console(running: Console) -> Iterator[Console]:
    """The console over the configuration as it was at first; no script may fail."""
    write_config(running.settings.env.config)
    running.wrong.clear()
    yield running
    assert not running.wrong


def test_a_word_is_added_and_seen_to_catch(console: Console) -> None:
    with console.page() as page:
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
    assert "aliases: [倒着放会渗]" in console.file()


def test_a_rule_that_is_too_broad_is_told_while_it_is_typed(console: Console) -> None:
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


def test_without_scripts_a_button_tries(console: Console) -> None:
    with console.page(java_script_enabled=False) as page:
        page.goto("/watches/leak")
        page.get_by_role("button", name="试一试").click()
        expect(page.locator('[data-figure="caught"]')).to_have_text(re.compile(r"^\d+$"))
        assert page.get_by_label("名称").input_value() == "漏水"


def test_a_red_line_takes_the_second_person(console: Console) -> None:
    with console.page() as page:
        page.goto("/watches/burn")
        page.get_by_label("别名、昵称").fill("烫起泡")
        page.get_by_role("button", name="提交，等人同意").click()
        expect(page.get_by_text("要由另一位编辑或管理员同意")).to_be_visible()
        place = page.url
    assert "烫起泡" not in console.file()
    with console.page("admin") as page:
        page.goto(place)
        expect(page.locator("pre.diff .add")).to_contain_text("烫起泡")
        page.get_by_role("button", name="同意并生效").click()
        expect(page.get_by_role("status").filter(has_text="已保存")).to_be_visible()
    assert "烫起泡" in console.file()


def test_a_bad_change_is_rolled_back(console: Console) -> None:
    with console.page() as page:
        page.goto("/settings")
        page.get_by_label("日报几点发").fill("23:30")
        page.get_by_role("button", name="保存").click()
        expect(page.locator("pre.diff .add")).to_contain_text("23:30")
        page.goto("/settings/history?file=vocwatch.yaml")
        page.locator("tbody tr").nth(1).locator("a[data-main]").click()
        page.get_by_role("button", name="退回到这一版").click()
        expect(page.get_by_role("status").filter(has_text="已保存")).to_be_visible()
    assert console.file("vocwatch.yaml") == APP


def test_a_source_is_added_by_its_address(console: Console) -> None:
    folder = console.settings.env.config
    (folder / "vocwatch.yaml").write_text(APP.replace("vocwatch'}", "vocwatch', allow_private_hosts: [127.0.0.1], default_delay_seconds: 0}"), encoding="utf-8")
    with practice_web(port=0) as sites, console.page() as page:
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
    assert "enabled: false" in console.file("sources/tousu.yaml") and "李四" in console.file("sources/tousu.yaml")
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
def test_axe_finds_nothing_and_nothing_overflows(console: Console, width: int, scheme: Any, pages: tuple[str, ...]) -> None:
    found: dict[str, Any] = {}
    script = AXE.read_text(encoding="utf-8")
    with console.page(width=width, color_scheme=scheme) as page:
        for address in pages:
            page.goto(address)
            if "/watches/" in address and "red" not in address and "new" not in address:
                expect(page.locator('[data-figure="caught"]')).to_be_visible()
            page.evaluate(script)
            violations = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
            wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if violations or wide > 0:
                found[address] = [(v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in violations] + ([f"{wide} px too wide"] if wide > 0 else [])
    assert not found
