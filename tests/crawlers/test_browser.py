"""Pages that only scripts can draw, in a real Chromium; and what happens without one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlers.runner import crawl
from tests.crawlers.kit import Lab, rows
from tests.crawlers.site import Answer, Canary, Site
from vocwatch import browser
from vocwatch.models import SourceStatus
from vocwatch.settings import read_environment
from vocwatch.store import Store

MakeSite = Callable[..., Site]
HTML = {"Content-Type": "text/html; charset=gbk"}  # a lie: the pages below are UTF-8 with a meta tag
FEED = """<!doctype html><meta charset=utf-8><style>li{{height:500px}}</style><ul id=feed></ul><script>
let page = 0, busy = false;
async function more() {{ if (busy || page >= 4) return; busy = true; page++;
  for (const n of await (await fetch('/more?page=' + page)).json()) {{
    const li = document.createElement('li'); li.className = 'item';
    li.innerHTML = '<a href="/p/' + n + '" data-id="' + n + '">帖子</a>';
    document.getElementById('feed').append(li); }}
  busy = false; }}
more();
addEventListener('scroll', () => {{ if (innerHeight + scrollY > document.body.offsetHeight - 50) more(); }});
fetch('{canary}').catch(() => 0); new Image().src = '/picture.png'; window.open('/popup');
</script>"""


@pytest.fixture(scope="module")
def chromium() -> None:
    if browser.find_browser(read_environment()) is None:
        pytest.skip("这台机器没有能启动的浏览器")


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_a_page_drawn_by_scripts_is_read_to_its_end(
    sqlite_store: Store, lab: Lab, make_site: MakeSite, canary: Canary
) -> None:
    site, slow = make_site(posts=12), threading.Event()

    def rule(path: str) -> Answer | None:
        if path.startswith("/list"):
            return Answer(FEED.format(canary=canary.url), headers=HTML)
        if path.startswith("/more"):
            number = int(path[-1])
            if number == 3:
                slow.wait(1.5)  # longer than the looks without anything new after which a page has ended
            first = 12 - (number - 1) * 3
            return Answer(json.dumps([first, first - 1, first - 2]), headers={"Content-Type": "application/json"})
        if path == "/p/7":
            return Answer(status=302, headers={"Location": canary.url})
        return None

    site.rule = rule
    lab.forum("video", site.url, transport="browser", extra=(
        "browser: {wait_for: 'li.item, p.text', scroll_until: 'li.item', max_scrolls: 50, settle_ms: 250}"
    ))
    settings = lab.settings(sqlite_store.url)
    [result] = crawl(settings, sqlite_store)
    assert result.stats["listed"] == 12, result
    assert result.stats["errors"] == {"private": 1}
    texts = {row[1]: row[10] for row in rows(sqlite_store)["texts"] if row[3] == "post"}
    assert texts == {str(n): site.posts[n].text for n in range(1, 13) if n != 7}
    assert not canary.touched
    assert "/picture.png" not in site.log and "/trap/1" not in site.log
    assert all(agent.startswith("vocwatch/") for agent in site.agents)
    assert not _with_mark(str(settings.env.data))


def _with_mark(mark: str) -> list[str]:
    """Processes whose environment names our folder: none may outlive the crawl."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes() and int(entry.name) != os.getpid():
                found.append((entry / "comm").read_text())
        except OSError:
            continue
    return found


def test_without_a_browser_the_rest_goes_on(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=2)
    lab.forum("plain", site.url)
    lab.forum("video", site.url, transport="browser")
    settings = lab.settings(sqlite_store.url, VOCWATCH_CHROMIUM="/nowhere/chromium")
    plain, video = crawl(settings, sqlite_store)
    assert plain.status is SourceStatus.OK
    assert video.status is SourceStatus.NOT_RUN
    assert "playwright install --with-deps chromium" in str(video.reason)
    with pytest.raises(browser.NoBrowser, match="VOCWATCH_CHROMIUM"):
        browser.require_browser(settings.env)


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_a_picture_is_as_wide_as_asked(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><meta charset=utf-8><body style='margin:0;height:2000px'>日报", encoding="utf-8")
    out = browser.screenshot(page, tmp_path / "shots" / "page.png", 390, scale=2)
    header = out.read_bytes()[:24]
    assert header[1:4] == b"PNG"
    assert (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")) == (780, 4000)
