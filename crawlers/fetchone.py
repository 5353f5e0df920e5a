"""One page, read with a crawl's own manners: `fetch_page` from outside, `python -m crawlers.fetchone` inside.

The child process runs the project's Scrapy stack (address rules, robots.txt, redirects, size cap, TLS) over a single
address and leaves the page in one file and what is known of it in another beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from protego import Protego
from protego._utils import _quote_path
from scrapy import Request
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.context import RunContext
from crawlers.fetch import WORDS, kind_of
from crawlers.reader import as_page
from crawlers.requests import make_request
from crawlers.robots import TOKEN, Robots, Rules
from crawlers.runner import GRACE_SECONDS, in_process
from crawlers.spider import SourceSpider
from crawlers.worker import end_with_parent, project_settings
from vocwatch.browser import NoBrowser
from vocwatch.models import Page
from vocwatch.settings import Settings, Source, load_settings

ALLOWED, REFUSED, UNREADABLE = "允许", "不允许", "读不到（按不允许处理）"
SETTLE_MS = 1000  # an unknown page: as long as something is added in this time, its scripts are not done
SCROLLS = 6
MAX_REQUESTS = 10  # redirects and retries of the one page


@dataclass(frozen=True)
class Fetched:
    """What came of asking for one page.

    `page` is None where nothing came; then `error` is one of the keys of `fetch.WORDS` (or no_browser) and `why` a
    sentence. `robots` is the verdict in words, empty where robots.txt was never asked; `rule` the line of robots.txt
    that decided; `crawl_delay` in seconds.
    """

    page: Page | None = None
    robots: str = ""
    rule: str = ""
    crawl_delay: float = 0.0
    error: str | None = None
    why: str = ""


def fetch_page(settings: Settings, url: str, transport: str = "http") -> Fetched:
    """Fetch one page (and its robots.txt) in a process of its own. Never raises for what the network does."""
    with tempfile.TemporaryDirectory(prefix="vocwatch-") as folder:
        out = Path(folder) / "page"
        command = ["crawlers.fetchone", f"--url={url}", f"--out={out}", f"--transport={transport}"]
        ended = in_process(settings, command, settings.app.crawler.timeout_seconds * 3 + GRACE_SECONDS)
        facts = _told(out)
        if not facts:
            why = "超时" if ended.killed else ended.last_line or f"采集进程异常退出（{ended.code}）"
            return Fetched(error="network", why=why)
        page = None
        if facts["page"] is not None:
            fetched_at = dt.datetime.fromisoformat(facts["page"].pop("fetched_at"))
            page = Page(body=out.read_bytes(), fetched_at=fetched_at, **facts["page"])
    return Fetched(page, facts["robots"], facts["rule"], facts["crawl_delay"], facts["error"], facts["why"])


def _told(out: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(out.with_suffix(".json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}  # the child ended before it could say anything


class OnePage(SourceSpider):
    """Asks for one address and keeps what comes; it follows nothing."""

    address: ClassVar[str] = ""

    def __init__(self, context: RunContext, **kwargs: Any):
        super().__init__(context, **kwargs)
        self.found = Fetched()

    async def start(self) -> AsyncIterator[Request]:
        """Yield the one request."""
        step = self.source.listing
        assert step is not None
        yield make_request(
            self.source,
            step,
            self.address,
            self.config.app.crawler.timeout_seconds,
            callback=self.on_page,
            errback=self.on_error,
        )

    def on_page(self, response: Response) -> None:
        """Keep the page."""
        self._keep(Fetched(as_page(response, self.context.now())))

    def on_error(self, failure: Failure) -> None:
        """Keep why nothing came."""
        error = failure.value or RuntimeError("unknown")
        kind = kind_of(error)
        why = str(error) if kind in ("robots_unreachable", "no_browser", "browser") else WORDS.get(kind, kind)
        self._keep(Fetched(error=kind, why=why))

    def _keep(self, found: Fetched) -> None:
        robots = self.crawler.get_downloader_middleware(Robots)
        rules = robots.known(self.address) if robots is not None else None
        verdict = _verdict(rules, self.address)
        delay = rules.crawl_delay if rules is not None else 0.0
        rule = matching_rule(rules.parser, self.address) if rules is not None and rules.parser is not None else ""
        self.found = dataclasses.replace(found, robots=verdict, rule=rule, crawl_delay=delay)


def _verdict(rules: Rules | None, url: str) -> str:
    if rules is None:
        return ""
    if rules.unreachable:
        return UNREADABLE
    if not rules.allows(url):
        return REFUSED
    return ALLOWED if rules.parser is not None else f"{ALLOWED}（网站没有 robots.txt）"


def matching_rule(parser: Protego, url: str) -> str:
    """Return the line of robots.txt that decides over the URL, or that none speaks of it."""
    rules = parser._get_matching_rule_set(TOKEN)
    if rules is None:
        return "robots.txt 里没有管 vocwatch 的段落"
    asked = _quote_path(url)
    for rule in rules._rules:
        if rule.value.match(asked):
            return f"User-agent: {rules.user_agent} 的 {rule.field.capitalize()}: {rule.value._pattern}"
    return f"User-agent: {rules.user_agent} 的规则里没有一行提到这个地址"


def _source(settings: Settings, url: str, transport: str) -> Source:
    """A source file that exists for this one request only."""
    return Source.model_validate(
        {
            "name": "one-page",
            "title": "one page",
            "owner": settings.app.default_owner,
            "start": [url],
            "transport": transport,
            "browser": {"settle_ms": SETTLE_MS, "scroll_until": "body *", "max_scrolls": SCROLLS},
            "rate": {"max_pages": MAX_REQUESTS},
            "access": {"basis": "-", "robots": "-", "reviewer": "-", "date": settings.clock.now().date()},
            "listing": {"extract": "html"},
        }
    )


def _fetch(settings: Settings, url: str, transport: str) -> Fetched:
    context = RunContext(settings, _source(settings, url, transport))
    spider = type(
        "OnePageSpider",
        (OnePage,),
        {
            "name": "one-page",
            "source": context.source,
            "config": settings,
            "address": url,
        },
    )
    configured = project_settings()
    configured.set("ITEM_PIPELINES", {}, priority="cmdline")
    process = CrawlerProcess(configured)
    try:
        crawler = process.create_crawler(spider)
        process.crawl(crawler, context=context)
    except NoBrowser as error:
        return Fetched(error="no_browser", why=str(error))
    process.start()
    return (
        crawler.spider.found
        if isinstance(crawler.spider, OnePage)
        else Fetched(error="network", why="没有结果")
    )


def _write(found: Fetched, out: Path) -> None:
    page = None
    if found.page is not None:
        out.write_bytes(found.page.body)
        page = {
            "url": found.page.url,
            "request_url": found.page.request_url,
            "status": found.page.status,
            "headers": dict(found.page.headers),
            "fetched_at": found.page.fetched_at.isoformat(),
        }
    facts = {
        "page": page,
        "robots": found.robots,
        "rule": found.rule,
        "crawl_delay": found.crawl_delay,
        "error": found.error,
        "why": found.why,
    }
    out.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the child; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m crawlers.fetchone")
    parser.add_argument("--url", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--transport", choices=("http", "browser"), default="http")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    given = parser.parse_args(arguments)
    if given.with_parent:
        threading.Thread(target=end_with_parent, daemon=True).start()
    _write(_fetch(load_settings(), given.url, given.transport), given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
