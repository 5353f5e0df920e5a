"""The mail in a real browser: nothing sticks out, the first screen holds what matters, everything can be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.mail import many
from reports.digest import fitted, render_html
from reports.facts import build_facts
from reports.shape import Facts
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED
from vocwatch.browser import find_browser, launch_options
from vocwatch.settings import Settings, read_environment
from vocwatch.store import Store

PHONE = {"width": 390, "height": 844}
# The contrast of each piece of text against the nearest background that is painted behind it.
CONTRAST = """() => {
  const light = c => { const [r,g,b] = c.match(/[\\d.]+/g).map(Number).map(v => (v/=255) <= 0.04045 ? v/12.92 : ((v+0.055)/1.055)**2.4);
                       return 0.2126*r + 0.7152*g + 0.0722*b };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const text = node.textContent.trim(), owner = node.parentElement;
    if (!text || !owner.getClientRects().length || parseFloat(getComputedStyle(owner).fontSize) < 14) continue;
    let behind = owner; while (behind && /rgba\\(.*, 0\\)/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const a = light(getComputedStyle(owner).color), b = light(behind ? getComputedStyle(behind).backgroundColor : 'rgb(255,255,255)');
    found.push([(Math.max(a,b)+0.05)/(Math.min(a,b)+0.05), text.slice(0, 20)]);
  }
  return found }"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = find_browser(read_environment())
    if found is None:
        pytest.skip("no browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**launch_options(found))
        yield started
        started.close()


@pytest.fixture
def told(cups: Settings, story: Store) -> Facts:
    return build_facts(cups, story, PLANTED["burn"], now=morning(PLANTED["burn"]))


def test_on_phone_and_desk_in_light_and_dark_all_of_it_can_be_read(browser: Browser, told: Facts) -> None:
    heavy = fitted(many(told, 50))
    assert len(heavy.actions) == 5
    asked: list[str] = []
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport=PHONE, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.set_content(render_html(heavy))
        assert all(sticks_out(page, width) == 0 for width in (320, 390, 640, 1280))
        worst = min(page.evaluate(CONTRAST))
        assert worst[0] >= 4.5, worst
        page.close()
    assert asked == [], "a mail loads nothing"


def sticks_out(page: Page, width: int) -> int:
    page.set_viewport_size({"width": width, "height": 844})
    return max(0, int(page.evaluate("document.documentElement.scrollWidth")) - width)


def test_verdict_actions_and_figures_are_on_the_first_screen_of_a_phone(browser: Browser, told: Facts) -> None:
    page = browser.new_page(viewport=PHONE)
    page.set_content(render_html(fitted(many(told, 50))))
    assert page.locator("td.box").count() == 4
    assert max(box["y"] + box["height"] for box in (cell.bounding_box() for cell in page.locator("td.box").all()) if box) <= PHONE["height"]


def test_without_a_style_sheet_nothing_is_lost(browser: Browser, told: Facts) -> None:
    """Some mailboxes drop <style> and classes: colours, sizes and widths stand in the elements."""
    page = browser.new_page(viewport=PHONE)
    page.set_content(render_html(told))
    page.evaluate("document.querySelectorAll('style').forEach(s => s.remove()); document.querySelectorAll('[class]').forEach(e => e.removeAttribute('class'))")
    assert min(page.evaluate(CONTRAST))[0] >= 4.5 and sticks_out(page, 390) == 0
    assert page.locator("td[bgcolor='#C62828']").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(198, 40, 40)"
