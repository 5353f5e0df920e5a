"""Reading pages in a real browser through scrapy-playwright, with a watch on every request that a page makes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeout
from scrapy import Request, Spider
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawlers.browser import READY
from crawlers.context import context_of
from crawlers.fetch import Refusal, refuse_if_halted
from vocwatch.settings.sources import Browser

UNWANTED = frozenset({"Image", "Media", "Font", "Ping", "Prefetch", "CSPViolationReport"})
WAIT_SECONDS = 15
SCROLL_SECONDS = 90
STILL_ROUNDS = 2  # so many looks without anything new mean that the page has ended
_SIZE = "document.documentElement ? document.documentElement.outerHTML.length : 0"
_SCROLL = """css => {
    const count = document.querySelectorAll(css).length;
    window.scrollTo(0, document.body ? document.body.scrollHeight : 0);
    return count;
}"""
_NET_ERRORS: tuple[tuple[str, type[Exception]], ...] = (
    ("ERR_NAME_NOT_RESOLVED", CannotResolveHostError), ("ERR_CONNECTION_REFUSED", DownloadConnectionRefusedError),
    ("ERR_TIMED_OUT", DownloadTimeoutError), ("ERR_CONNECTION_TIMED_OUT", DownloadTimeoutError),
)


class BrowserHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """One page at a time, each under a total deadline."""

    async def download_request(self, request: Request) -> Response:
        """Fetch with the browser where the request says so, else over plain HTTP. Raises Scrapy's exceptions."""
        refuse_if_halted(self._crawler.spider, request)
        if not request.meta.get("playwright"):
            return await super().download_request(request)  # type: ignore[no-any-return]
        timeout = context_of(self._crawler.spider).settings.app.crawler.timeout_seconds
        try:
            return await asyncio.wait_for(
                super().download_request(request), timeout + WAIT_SECONDS + SCROLL_SECONDS + 10
            )
        except (TimeoutError, PlaywrightTimeout) as error:
            raise DownloadTimeoutError(str(error)) from error
        except PlaywrightError as error:
            known = next((kind for sign, kind in _NET_ERRORS if sign in error.message), DownloadFailedError)
            raise known(error.message.splitlines()[0][:200]) from error

    async def _download_request_with_page(self, request: Request, page: Page, spider: Spider) -> Response:
        watch = Watch(page, spider)
        await watch.begin()
        try:
            response: Response = await super()._download_request_with_page(request, page, spider)
        except (PlaywrightError, Refusal):
            await close_quietly(page)
            if watch.refused:
                raise Refusal(watch.refused) from None
            raise
        return response

    async def _get_response_and_download(self, request: Request, page: Page, spider: Spider) -> tuple[Any, Any]:
        response, download = await super()._get_response_and_download(request, page, spider)
        request.meta["answered"] = response.status if response else 0
        return response, download

    async def _apply_page_methods(self, page: Page, request: Request, spider: Spider) -> None:
        """Wait for what the source waits for, then scroll to the end; neither failing fails the page."""
        ready: Browser = request.meta[READY]
        if request.meta["answered"] >= 400:
            return  # an error page will not grow what we wait for
        if ready.wait_for:
            with contextlib.suppress(PlaywrightTimeout):
                await page.wait_for_selector(ready.wait_for, state="attached", timeout=WAIT_SECONDS * 1000)
        if ready.scroll_until and not await scroll(page, ready):
            request.meta["scroll_cut"] = True
        if not ready.scroll_until:
            await page.wait_for_timeout(ready.settle_ms)
        if await page.evaluate(_SIZE) > context_of(spider).settings.app.crawler.max_body_bytes:
            raise Refusal("too_large")


class Watch:
    """Looks at every request of a page, redirects included, before it leaves: no pictures, no private hosts."""

    def __init__(self, page: Page, spider: Spider):
        self._page, self._context = page, context_of(spider)
        self._limit = self._context.settings.app.crawler.max_body_bytes
        self._received: Counter[str] = Counter()
        self._session: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused: str | None = None

    async def begin(self) -> None:
        """Switch the watch on; raises PlaywrightError when it can't be, and then nothing is loaded."""
        self._page.on("popup", lambda popup: self._later(popup.close()))
        self._session = await self._page.context.new_cdp_session(self._page)
        self._session.on("Fetch.requestPaused", lambda event: self._later(self._decide(event)))
        self._session.on("Network.dataReceived", self._weigh)
        await self._session.send("Network.enable")
        await self._session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a page that closes under our hands is no news

    def _weigh(self, event: dict[str, Any]) -> None:
        """Give a page up when one of its answers unpacks to more than is ever read."""
        self._received[event["requestId"]] += event["dataLength"]
        if self._received[event["requestId"]] > self._limit and self.refused is None:
            self.refused = "too_large"
            self._later(self._page.close())

    async def _decide(self, event: dict[str, Any]) -> None:
        url, kind = event["request"]["url"], event["resourceType"]
        refused = None
        if kind not in UNWANTED and not url.startswith(("data:", "blob:", "about:")):
            refused = await self._context.hosts.refusal(url)
        if kind == "Document" and refused:
            self.refused = refused
        if refused or kind in UNWANTED:
            await self._session.send(
                "Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "BlockedByClient"}
            )
        else:
            await self._session.send("Fetch.continueRequest", {"requestId": event["requestId"]})


async def close_quietly(page: Page) -> None:
    """Close a page that may be gone already."""
    with contextlib.suppress(PlaywrightError):
        await page.close()


async def scroll(page: Page, ready: Browser) -> bool:
    """Scroll down until nothing is added any more; False when a limit came first."""
    deadline = time.monotonic() + SCROLL_SECONDS
    asked = 0

    def count_request(_: Any) -> None:
        nonlocal asked
        asked += 1

    page.on("request", count_request)
    still = 0.0
    for _ in range(ready.max_scrolls + 2 * STILL_ROUNDS):
        before = asked
        seen = await page.evaluate(_SCROLL, ready.scroll_until)
        try:
            await page.wait_for_function(
                "([css, seen]) => document.querySelectorAll(css).length > seen",
                arg=[ready.scroll_until, seen], timeout=max(ready.settle_ms, 50),
            )
            still = 0.0
        except PlaywrightTimeout:
            # A page that asked its server for something may only be slow: that round counts half.
            still += 1.0 if asked == before else 0.5
        if still >= STILL_ROUNDS:
            return True
        if time.monotonic() > deadline:
            break
    return False
