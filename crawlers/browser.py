"""What a source over `transport: browser` asks of Scrapy; light, so that plain HTTP sources load no browser."""

from __future__ import annotations

from typing import Any

from vocwatch import __version__
from vocwatch.settings import Settings, Source

READY = "browser_ready"  # meta key: what to wait for and how far to scroll


def needed(source: Source) -> bool:
    """Whether any step of the source is read in a browser."""
    steps = (source.listing, source.detail, source.comments)
    return any((step.transport or source.transport) == "browser" for step in steps if step)


def browser_meta(source: Source, timeout: int) -> dict[str, Any]:
    """Return the request meta that sends a page through the browser."""
    return {
        "playwright": True,
        "playwright_page_goto_kwargs": {"wait_until": "domcontentloaded", "timeout": timeout * 1000},
        READY: source.browser,
    }


def scrapy_settings(settings: Settings) -> dict[str, Any]:
    """Return the Scrapy settings of a crawl with a browser. Raises NoBrowser."""
    from vocwatch.browser import launch_options, require_browser

    choice = require_browser(settings.env)
    crawler = settings.app.crawler
    return {
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.browser_handler.BrowserHandler", "https": "crawlers.browser_handler.BrowserHandler",
            "file": None, "ftp": None, "s3": None, "data": None,
        },
        "PLAYWRIGHT_BROWSER_TYPE": "chromium",
        "PLAYWRIGHT_LAUNCH_OPTIONS": launch_options(choice),
        # One page at a time: memory, and the politeness of a single reader.
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": 1,
        "PLAYWRIGHT_MAX_CONTEXTS": 1,
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": crawler.timeout_seconds * 1000,
        "PLAYWRIGHT_CONTEXTS": {"default": {
            "user_agent": f"vocwatch/{__version__} (+{crawler.contact})", "locale": "zh-CN",
            "timezone_id": settings.app.timezone, "accept_downloads": False, "service_workers": "block",
            "viewport": {"width": 1280, "height": 900},
        }},
        # The browser sends its own headers; Scrapy's would also go to every script and picture.
        "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,
    }
