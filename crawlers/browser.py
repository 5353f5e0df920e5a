"""What a source over `transport: browser` asks of Scrapy; light, so that plain HTTP sources load no browser."""

from __future__ import annotations

from typing import Any

from vocwatch.settings import Settings, Source

READY = "browser_ready"  # meta key of requests that go through the browser: what to wait for and how far to scroll
SHOT = "browser_shot"  # meta key: the greatest height of a picture; afterwards the picture (base64) and its height
FLAG = "browser"  # flag of responses that were drawn
PAGES = "BROWSER_PAGES"  # Scrapy setting: how many tabs
PICTURES = "BROWSER_PICTURES"  # Scrapy setting: whether pictures and fonts are loaded
MAX_PAGES = 4


def needed(source: Source) -> bool:
    """Whether any step of the source is read in a browser."""
    steps = (source.listing, source.detail, source.comments)
    return any((step.transport or source.transport) == "browser" for step in steps if step)


def concurrency(source: Source) -> int:
    """How many requests of a source are under way at once: each browser page is a whole browser's work."""
    return min(source.rate.concurrency, MAX_PAGES) if needed(source) else source.rate.concurrency


def browser_meta(source: Source) -> dict[str, Any]:
    """Return the request meta that sends a page through the browser."""
    return {READY: source.browser}


def scrapy_settings(settings: Settings, source: Source) -> dict[str, Any]:
    """Return the Scrapy settings of a crawl with a browser. Raises NoBrowser where there is none to be started."""
    from vocwatch.browser import NoBrowser, candidates, not_found

    if not candidates(settings.env):
        raise NoBrowser(not_found([]))
    handler = "crawlers.browser_handler.BrowserHandler"
    return {
        "DOWNLOAD_HANDLERS": {
            "http": handler, "https": handler, "file": None, "ftp": None, "s3": None, "data": None,
        },
        PAGES: concurrency(source),
    }
