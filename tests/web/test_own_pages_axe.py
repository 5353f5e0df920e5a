"""The pages of people, of the API and of the first run: readable at 390 px, and nothing that axe finds fault with."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.web.login import browser_page, somebody
from vocwatch.settings import Settings
from vocwatch.store import Store
from vocwatch.store.access import log, tokens

AXE = (ROOT / "tests" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
PAGES = ("/users", "/account", "/audit", "/api", "/setup/brand", "/setup/sources", "/setup/sources?name=rss", "/setup/recipients", "/setup/run", "/login")
LOOK = "axe.run().then(found => found.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"


@pytest.mark.browser
def test_own_pages_are_accessible_and_fit_a_phone(settings: Settings, sqlite_store: Store) -> None:
    user = somebody(settings, sqlite_store, "admin")
    with sqlite_store.begin() as connection:
        tokens.new(connection, user, "看板", "reader", settings.clock.now())
        log.add(connection, "分析乙", "password", "export", "api/mentions?" + "topic=产品质量/掉色&" * 8, settings.clock.now(), b"key")
    wrong: dict[str, object] = {}
    with browser_page(settings, sqlite_store, "admin", width=390) as page:
        for path in PAGES:
            page.goto(path)
            page.evaluate(AXE)
            if found := page.evaluate(LOOK):
                wrong[path] = found
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong[f"{path} overflows"] = page.evaluate("document.documentElement.scrollWidth")
    assert not wrong
