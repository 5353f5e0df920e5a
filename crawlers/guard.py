"""What stands before every request (redirects and retries included): halts, budgets, addresses, patience."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.http import Response

from crawlers.context import context_of
from crawlers.fetch import Refusal

ROBOTS = "robots_txt"  # meta key of requests for robots.txt themselves
_LOGIN = re.compile(r"(?:^|[/._-])(?:login|log-in|signin|sign-in|passport|sso)(?:[/._-]|$)", re.IGNORECASE)


def is_login(url: str) -> bool:
    """Whether an address is, by its host or path, that of a login page."""
    parts = urlsplit(url)
    first_label = (parts.hostname or "").partition(".")[0]
    return bool(_LOGIN.search(parts.path)) or first_label in ("login", "passport", "sso", "signin")


def leads_to_login(asked: str, got: str) -> bool:
    """Whether we asked for something else and were sent to a login page."""
    return is_login(got) and not is_login(asked)


class Guard:
    """Refuses requests after a halt, over the budget, or to addresses that are none of our business."""

    def __init__(self, crawler: Crawler):
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Guard:
        """Scrapy's constructor."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise Refusal."""
        context = context_of(self._crawler.spider)
        context.look_at_switch()
        if context.halted:
            raise Refusal("halted", context.halted.reason)
        if context.settings.refusals.refuses_url(request.url):
            raise Refusal("refused_list")
        refused = await context.hosts.refusal(request.url)
        if refused:
            raise Refusal(refused)
        if ROBOTS not in request.meta and not context.spend():
            raise Refusal("budget", context.tally.budget or "")


class Retry(RetryMiddleware):
    """Two more tries for accidents, each after a longer wait; an answer with Retry-After is taken at its word."""

    async def process_request(self, request: Request) -> None:
        """Wait out the back-off of a retried request."""
        wait = request.meta.pop("backoff", 0.0)
        if wait:
            await asyncio.sleep(wait)

    # Scrapy no longer wants the spider argument that its own classes still have.
    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Retry server errors, unless the server says when to come back."""
        if response.headers.get("Retry-After"):
            return response
        return super().process_response(request, response)

    def _retry(self, request: Request, reason: str | Exception | type[Exception]) -> Request | None:
        again = super()._retry(request, reason)
        if again is not None:
            context_of(self.crawler.spider).tally.retried += 1
            delay = self.crawler.settings.getfloat("DOWNLOAD_DELAY")
            again.meta["backoff"] = delay * 2 ** again.meta["retry_times"]
        return again


class Redirect(RedirectMiddleware):
    """Follows up to five redirects, but never onto a login page: that answer is handed to the spider as it is."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Return the next request, or the response when it goes no further."""
        location = response.headers.get("Location")
        if location and 300 <= response.status < 400 and ROBOTS not in request.meta:
            target = urljoin(request.url, location.decode("latin-1"))
            if leads_to_login(request.url, target):
                return response
        return super().process_response(request, response)
