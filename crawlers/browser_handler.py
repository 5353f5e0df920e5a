"""Scrapy's way into the browser: pages that a source wants drawn go through a tab, all others over plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import HtmlResponse, Response

from crawlers.browser import FLAG, PAGES, PICTURES, READY, SHOT
from crawlers.browser_pool import Pool
from crawlers.browser_proxy import Connect
from crawlers.browser_tab import SCROLL_SECONDS, WAIT_SECONDS, Tab
from crawlers.browser_visit import Decision, Failed, Limits, Loaded, Slow
from crawlers.context import context_of
from crawlers.fetch import HttpHandler, Refusal, refuse_if_halted
from crawlers.guard import leads_to_login
from crawlers.robots import Robots
from vocwatch.browser import NoBrowser
from vocwatch.settings.sources import Browser

WIRE_FACTOR = 4  # a page with all it needs may be so many times as large as its largest answer
_FAILURES: tuple[tuple[str, type[Exception]], ...] = (
    ("dns", CannotResolveHostError), ("refused", DownloadConnectionRefusedError), ("timeout", DownloadTimeoutError),
    ("ERR_NAME_NOT_RESOLVED", CannotResolveHostError), ("ERR_CONNECTION_REFUSED", DownloadConnectionRefusedError),
    ("TIMED_OUT", DownloadTimeoutError),
)
_REFUSALS = (
    ("private", "private"), ("address", "address"), ("scheme", "scheme"), ("too_large", "too_large"),
    ("ERR_CERT_", "tls"), ("ERR_SSL_", "tls"), ("ERR_TOO_MANY_REDIRECTS", "redirects"),
)
# Of the request's headers only those that a source has set itself: the browser knows its own.
_BROWSERS_OWN = frozenset({
    "user-agent", "accept", "accept-language", "accept-encoding", "referer", "cookie", "host", "connection",
})
_UNPACKED = frozenset({"content-encoding", "content-length", "transfer-encoding", "content-type", "set-cookie"})


class BrowserHandler(HttpHandler):
    """A download handler with a browser beside Scrapy's own client."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._tabs: Pool | None = None

    async def download_request(self, request: Request) -> Response:
        """Fetch with the browser where the request says so, else over plain HTTP. Raises Scrapy's exceptions."""
        if READY not in request.meta:
            return await super().download_request(request)
        refuse_if_halted(self._crawler.spider, request)
        context = context_of(self._crawler.spider)
        seconds = context.settings.app.crawler.timeout_seconds
        pool = self._ready_pool()
        try:
            loaded = await pool.run(
                lambda tab: self._load(tab, request), seconds + WAIT_SECONDS + SCROLL_SECONDS + 20
            )
        except NoBrowser as error:
            context.halt("no_browser", str(error))
            raise Refusal("no_browser", str(error)) from error
        except Slow as error:
            raise DownloadTimeoutError(str(error)) from error
        except Failed as error:
            raise _as_scrapy_says(error) from error
        finally:
            self._tell(pool)
        return _response(request, loaded)

    async def close(self) -> None:
        """End the browser, then Scrapy's own client."""
        if self._tabs is not None:
            await self._tabs.close()
            self._tell(self._tabs)
        await super().close()

    def _ready_pool(self) -> Pool:
        if self._tabs is None:
            settings, given = context_of(self._crawler.spider).settings, self._crawler.settings
            crawler = settings.app.crawler
            limits = Limits(
                crawler.timeout_seconds, crawler.max_body_bytes, crawler.max_body_bytes * WIRE_FACTOR
            )
            self._tabs = Pool(
                settings.env, settings.app.timezone, context_of(self._crawler.spider).hosts,
                str(given.get("USER_AGENT")), limits, given.getint(PAGES, 1), given.getbool(PICTURES), self._on_connect,
            )
        return self._tabs

    def _on_connect(self, connect: Connect) -> None:
        if connect.refused in ("private", "address"):
            context_of(self._crawler.spider).audited("refuse", f"//{connect.host}:{connect.port}", connect.refused)

    def _tell(self, pool: Pool) -> None:
        assert self._crawler.stats is not None
        for name, number in pool.counts.items():
            self._crawler.stats.set_value(f"browser/{name}", number)

    async def _load(self, tab: Tab, request: Request) -> Loaded:
        ready: Browser = request.meta[READY]
        loaded = await tab.load(request.url, _own_headers(request), ready, self._may_open)
        if SHOT in request.meta and not loaded.location:
            request.meta[SHOT] = await tab.picture(request.meta[SHOT])
        return loaded

    async def _may_open(self, url: str, asked: str) -> Decision:
        """Decide on a document that the page we asked for (`asked`; empty: one of its frames) leads to."""
        if url.startswith(("data:", "blob:", "about:")):
            return Decision()  # holds its own content
        context = context_of(self._crawler.spider)
        if asked and leads_to_login(asked, url):
            context.audited("refuse", url, "login")
            return Decision(login=True)
        kind: str | None = "refused_list" if context.settings.refusals.refuses_url(url) else None
        kind = kind or await context.hosts.refusal(url)
        robots = self._crawler.get_downloader_middleware(Robots)
        if kind is None and robots is not None:
            kind = await robots.allowed(url)
        context.audited("refuse" if kind else "fetch", url, kind or "")
        return Decision(Refusal(kind) if kind else None)


def _own_headers(request: Request) -> Mapping[str, str]:
    return {
        name.decode("latin-1"): b", ".join(values).decode("latin-1")
        for name, values in request.headers.items() if name.decode("latin-1").lower() not in _BROWSERS_OWN
    }


def _as_scrapy_says(error: Failed) -> Exception:
    """Return Scrapy's exception, or our refusal, for what Chromium or the proxy reports."""
    text = error.kind or str(error)
    for sign, refusal in _REFUSALS:
        if sign in text:
            return Refusal(refusal)
    known = next((exception for sign, exception in _FAILURES if sign in text), DownloadFailedError)
    return known(text[:200])


def _response(request: Request, loaded: Loaded) -> Response:
    """Return the page as it was drawn, in UTF-8; a page that leads to a login as the redirect it was."""
    if loaded.location:
        return Response(request.url, status=302, headers={"Location": loaded.location}, request=request)
    if loaded.scroll_cut:
        request.meta["scroll_cut"] = True
    headers = {name: value.split("\n") for name, value in loaded.headers.items() if name.lower() not in _UNPACKED}
    return HtmlResponse(
        loaded.url, status=loaded.status, headers={**headers, "Content-Type": "text/html; charset=utf-8"},
        body=loaded.html.encode("utf-8", "replace"), encoding="utf-8", request=request, flags=[FLAG],
    )
