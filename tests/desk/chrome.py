"""The console over the forty days in a real Chromium: one server and one browser for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from reports.desk.ask import Desk
from tests.web.login import secret_of, served_at, somebody
from vocwatch.browser import find_browser, launch_options

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"


@dataclass
class Chrome:
    """A browser beside a console. Pages watch for errors, breaches of the policy, and requests to anywhere else."""

    desk: Desk
    address: str
    browser: Browser
    wrong: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @contextmanager
    def page(self, role: str = "analyst", *, width: int = 1280, name: str = "", scripts: bool = True, **more: Any) -> Iterator[Page]:
        """A page logged in as somebody of a role."""
        context = self.browser.new_context(
            base_url=self.address, viewport={"width": width, "height": 900}, locale="zh-CN", java_script_enabled=scripts, **more
        )
        secret = secret_of(self.desk.settings, self.desk.store, somebody(self.desk.settings, self.desk.store, role, name))
        context.add_cookies([{"name": "vocwatch", "value": secret, "url": self.address, "httpOnly": True, "sameSite": "Lax"}])
        try:
            yield self._watched(context)
        finally:
            context.close()

    def _watched(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.wrong.append(f"{page.url}: {said.text}") if said.type in ("error", "warning") else None)
        page.on("response", self._answered)
        page.on("dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        return page

    def _answered(self, response: Response) -> None:
        if not response.url.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(response.url)


@contextmanager
def chrome_over(desk: Desk, tools: Any = None) -> Iterator[Chrome]:
    """A Chromium and a console over a desk (with the other stages' tools); skips where there is no browser."""
    binary = find_browser(desk.settings.env)
    if binary is None:
        pytest.skip("no Chromium")
    with served_at(desk.settings, desk.store, tools) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(binary))
        try:
            yield Chrome(desk, address, browser)
        finally:
            browser.close()


@lru_cache(maxsize=1)
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def settle(page: Page) -> None:
    """Wait until nothing is being fetched or counted, and charts stand."""
    page.wait_for_function(
        "() => !document.querySelector('.htmx-request') && !document.body.innerText.includes('正在按现有数据计算')"
        " && !document.querySelector('[hx-trigger=\"load\"]:not([data-htmx-powered])')"
    )
    page.wait_for_function("() => [...document.querySelectorAll('figure[data-chart]')].every(f => f.dataset.drawn || f.querySelector('.canvas').hidden)")


def axe(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong with the page, in short (by some rules only, where they are named)."""
    page.evaluate(_axe())
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [f"{v['id']}: {v['help']} {[n['html'][:150] for n in v['nodes'][:3]]}" for v in found["violations"]]
