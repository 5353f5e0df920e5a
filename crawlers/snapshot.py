"""Screenshots as evidence: `take` from outside, `python -m crawlers.snapshot` inside.

The child process opens each address in the browser as a crawl would (robots.txt, address rules, politeness, limits),
with pictures, and leaves a PNG and a line about it in a folder. What is a wall or an error is not photographed.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import json
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from scrapy import Request
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from crawlers import browser
from crawlers.browser_launch import WIDTH
from crawlers.context import RunContext
from crawlers.extractors.charset import decode
from crawlers.extractors.signs import judge
from crawlers.fetch import WORDS, kind_of
from crawlers.reader import as_page
from crawlers.runner import GRACE_SECONDS, in_process
from crawlers.spider import SourceSpider
from crawlers.worker import end_with_parent, project_settings
from vocwatch.browser import NoBrowser
from vocwatch.settings import Settings, Source, load_settings
from vocwatch.settings.sources import Browser

MAX_HEIGHT = 4000  # CSS pixels, which are those of the picture too
MAX_BYTES = 16 * 1024 * 1024
SETTLE_MS = 3000  # pictures take their time; a page that is quiet sooner is taken sooner
_INDEX = "shots.jsonl"
_WALLS = {"captcha": "出现验证页，没有截图", "blocked": "被拦截，没有截图", "login": "要求登录，没有截图"}


@dataclass(frozen=True)
class Shot:
    """One screenshot. `url` is where the page came from in the end, `taken_at` is aware, sizes are in pixels."""

    png: bytes
    url: str
    taken_at: dt.datetime
    width: int
    height: int


def take(settings: Settings, source: Source, urls: Sequence[str]) -> dict[str, Shot | str]:
    """Photograph addresses of a source in a process of their own; what failed has the reason in its place.

    The page is drawn 1280 wide and cut at 4000 pixels of height. Never raises for what the network does.
    """
    if not urls:
        return {}
    with tempfile.TemporaryDirectory(prefix="vocwatch-") as folder:
        asked = Path(folder) / "urls.json"
        asked.write_text(json.dumps(list(urls)), encoding="utf-8")
        delay = source.rate.delay_seconds
        delay = settings.app.crawler.default_delay_seconds if delay is None else delay
        each = settings.app.crawler.timeout_seconds * 2 + delay
        ended = in_process(
            settings, ["crawlers.snapshot", f"--source={source.name}", f"--folder={folder}"],
            GRACE_SECONDS + min(each * len(urls), source.rate.max_minutes * 60),
        )
        why = "超时" if ended.killed else ended.last_line or f"截图进程异常退出（{ended.code}）"
        found = _told(Path(folder))
    return {url: found.get(url, why) for url in urls}


def _told(folder: Path) -> dict[str, Shot | str]:
    """Read what the child has left, as far as it came."""
    found: dict[str, Shot | str] = {}
    index = folder / _INDEX
    for line in index.read_text(encoding="utf-8").splitlines() if index.exists() else ():
        try:
            told = json.loads(line)
        except ValueError:
            break  # the child was killed while it wrote
        if told["error"]:
            found[told["asked"]] = str(told["error"])
        else:
            found[told["asked"]] = Shot(
                (folder / told["file"]).read_bytes(), told["url"], dt.datetime.fromisoformat(told["taken_at"]),
                told["width"], told["height"],
            )
    return found


class Photographer(SourceSpider):
    """Opens the addresses one after the other and keeps a picture of each; it follows nothing."""

    folder: ClassVar[Path]

    def __init__(self, context: RunContext, **kwargs: Any):
        super().__init__(context, **kwargs)
        self._number = 0

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Put every address through the browser, whatever the source is otherwise read with, one at a time."""
        super().update_settings(settings)
        wanted = {**browser.scrapy_settings(cls.config, cls.source), browser.PICTURES: True, browser.PAGES: 1}
        settings.update({**wanted, "CONCURRENT_REQUESTS": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}, priority="spider")

    async def start(self) -> AsyncIterator[Request]:
        """Yield a request for each address."""
        given = self.source.browser
        ready = Browser(wait_for=given.wait_for, settle_ms=max(given.settle_ms, SETTLE_MS))
        for url in json.loads((self.folder / "urls.json").read_text(encoding="utf-8")):
            yield Request(
                url, self.on_page, errback=self.on_error, dont_filter=True, cb_kwargs={"asked": url},
                meta={browser.READY: ready, browser.SHOT: MAX_HEIGHT},
            )

    def on_page(self, response: Response, asked: str) -> None:
        """Keep the picture, unless it shows a wall or an error."""
        page, shot = as_page(response, self.context.now()), response.meta.get(browser.SHOT)
        wall = _WALLS.get(judge(page, decode(page), self.source).state or "")
        if 300 <= response.status < 400:
            self._tell(asked, _WALLS["login"])
        elif response.status != 200:
            self._tell(asked, f"返回 {response.status}，没有截图")
        elif wall or not isinstance(shot, tuple):
            self._tell(asked, wall or "没有截到")
        else:
            self._keep(asked, response.url, base64.b64decode(shot[0]), shot[1])

    def on_error(self, failure: Failure) -> None:
        """Keep why there is no picture."""
        request: Request = failure.request  # type: ignore[attr-defined]
        kind = kind_of(failure.value)
        told = str(failure.value) if kind in ("robots_unreachable", "no_browser", "browser") else WORDS.get(kind, kind)
        self._tell(request.cb_kwargs["asked"], told)

    def _keep(self, asked: str, url: str, png: bytes, height: int) -> None:
        if len(png) > MAX_BYTES:
            self._tell(asked, WORDS["too_large"])
            return
        self._number += 1
        file = f"{self._number}.png"
        (self.folder / file).write_bytes(png)
        moment = self.context.now().isoformat()
        self._tell(asked, "", url=url, file=file, taken_at=moment, width=WIDTH, height=height)

    def _tell(self, asked: str, error: str, **more: Any) -> None:
        with (self.folder / _INDEX).open("a", encoding="utf-8") as index:
            index.write(json.dumps({"asked": asked, "error": error, **more}) + "\n")


def _photograph(settings: Settings, source: Source, folder: Path) -> None:
    """Take the pictures in this process. Raises NoBrowser."""
    spider = type("PhotographerSpider", (Photographer,), {
        "name": source.name, "source": source, "config": settings, "folder": folder,
    })
    configured = project_settings()
    configured.set("ITEM_PIPELINES", {}, priority="cmdline")
    process = CrawlerProcess(configured)
    context = RunContext(settings, source)
    process.crawl(process.create_crawler(spider), context=context)
    process.start()
    context.audit.close()


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the child; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m crawlers.snapshot")
    parser.add_argument("--source", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    given = parser.parse_args(arguments)
    if given.with_parent:
        threading.Thread(target=end_with_parent, daemon=True).start()
    settings = load_settings()
    source = settings.sources.get(given.source)
    if source is None:
        sys.stderr.write(f"没有这个来源：{given.source}\n")
        return 4
    try:
        _photograph(settings, source, given.folder)
    except NoBrowser as error:
        sys.stderr.write(f"{error}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
