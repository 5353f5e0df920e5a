"""F31, F32, F38 over the desk's pages: what is scraped is shown as text, leads nowhere it hides, and breaks no layout."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from reports.desk.ask import Desk
from tests.desk.chrome import Chrome, chrome_over, settle
from tests.desk.hostile import ADDRESSES, configured, hostile
from tests.reports.conftest import copy_of
from tests.web.login import client_of
from vocwatch.settings import Settings


class Enemy:
    """A desk full of hostile rows, and the pages that show them."""

    def __init__(self, desk: Desk, ids: list[int], incident: str, session: int):
        self.desk = desk
        self.ids = ids
        self.pages = (
            "/", "/?view=now", "/today/changes?date=2026-11-15", "/incidents", f"/incidents/{incident}", f"/incidents/{incident}/explain",
            "/mentions?product=PC-H1&since=2026-11-15", "/mentions/facets?product=PC-H1", "/topics", "/sessions", f"/sessions/{session}",
            "/sessions/overview", *(f"/mentions/{number}" for number in ids[:3]),
        )


@pytest.fixture(scope="module")
def enemy(console_file: Path, brand: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enemy]:
    store = copy_of(console_file, tmp_path_factory.mktemp("enemy"))
    settings = configured(brand)
    yield Enemy(Desk(settings, store), *hostile(settings, store))
    store.close()


def pages(enemy: Enemy) -> Iterator[tuple[str, str]]:
    with client_of(enemy.desk.settings, enemy.desk.store, "admin") as client:
        for path in enemy.pages:
            for _ in range(50):
                answer = client.get(path)
                assert answer.status_code == 200, path
                if "正在按现有数据计算" not in answer.text:
                    break
            yield path, answer.text
        for number in enemy.ids:
            answer = client.get(f"/mentions/{number}")
            assert answer.status_code == 200, number
            yield f"/mentions/{number}", answer.text


def test_F31_hostile_text_makes_no_element_and_no_attribute(enemy: Enemy) -> None:
    for path, text in pages(enemy):
        tree = LexborHTMLParser(text)
        scripts = tree.css("script")
        assert sum("src" in one.attributes for one in scripts) == 2, path
        assert all("src" in one.attributes or one.attributes.get("type") == "application/json" for one in scripts), path
        assert not tree.css("img, svg, iframe, style, math, base, object, embed, [http-equiv], [srcdoc], [style]"), path
        named = {name for one in tree.css("*") for name in one.attributes}
        assert not [name for name in named if name.startswith("on")], path
        assert not [one.attributes["hx-get"] for one in tree.css("[hx-get]") if "account" in one.attributes["hx-get"] or "logout" in one.attributes["hx-get"]]
        assert "pwned" in text and "49{" not in text
        for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S):
            assert "<" not in data and ">" not in data and "&" not in data, path


def test_F32_links_lead_to_the_web_only_and_show_where(enemy: Enemy) -> None:
    for path, text in pages(enemy):
        for attributes, href, inner in re.findall(r'<a ([^>]*?)href="([^"]*)"([^>]*>.*?)</a>', text, re.S):
            if re.match(r"[a-z]+:|//", href, re.I):
                assert href.startswith(("https://", "http://")) and "@" not in href.split("/")[2], (path, href)
                assert 'rel="noopener noreferrer nofollow"' in attributes + inner and 'target="_blank"' in attributes + inner, (path, href)
                host = re.search(r'<span class="host">([^<]+)</span>', inner)
                assert host and host.group(1).isascii(), (path, href)
    with client_of(enemy.desk.settings, enemy.desk.store, "reader") as client:
        looks_like = client.get(f"/mentions/{enemy.ids[ADDRESSES.index('https://аpple.com.evil.example/x')]}").text
    assert "xn--pple-43d.com.evil.example" in looks_like


def test_F38_pages_of_monsters_are_small_and_quick(enemy: Enemy) -> None:
    for path, text in pages(enemy):
        assert len(text) < 400_000 and "\u202e" not in text and "\x00" not in text and "\x1b" not in text, (path, len(text))
    with client_of(enemy.desk.settings, enemy.desk.store, "reader") as client:
        client.get("/mentions?product=PC-H1")
        began = time.process_time()
        client.get("/mentions?product=PC-H1")
        assert time.process_time() - began < 5  # some 0.1 s; a text of combining marks that is gone through again and again takes minutes


@pytest.mark.browser
def test_F31_F32_F38_nothing_runs_loads_or_breaks_in_a_browser(enemy: Enemy) -> None:
    with chrome_over(enemy.desk) as chrome:
        _look_at(chrome, enemy)
        assert not chrome.elsewhere and not [line for line in chrome.wrong if "status of 40" not in line]


def _look_at(chrome: Chrome, enemy: Enemy) -> None:
    with chrome.page("admin", width=390) as page:
        for path in enemy.pages:
            page.goto(path)
            settle(page)
            assert page.evaluate("window.pwned") is None, path
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
            assert page.evaluate("document.querySelectorAll('main script:not([type]), main iframe, main img, main style, main [onerror]').length") == 0, path
            tall = page.evaluate("Math.max(...[...document.querySelectorAll('main mark, main .said')].map(e => e.getBoundingClientRect().width))")
            assert tall <= 390, path
