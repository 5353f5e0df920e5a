"""robots.txt with the semantics of RFC 9309: what cannot be read for the server's fault forbids everything."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawlers.context import context_of
from crawlers.fetch import WORDS, Refusal, kind_of
from crawlers.guard import ROBOTS

TOKEN = "vocwatch"  # noqa: S105 - the product token that robots.txt groups are matched against
MAX_BYTES = 500 * 1024
MAX_AGE = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Rules:
    """What one origin allows; `unreachable` says why nothing is allowed."""

    parser: Protego | None = None
    unreachable: str | None = None

    def allows(self, url: str) -> bool:
        """Whether the rules let us fetch the URL."""
        return self.parser is None or bool(self.parser.can_fetch(url, TOKEN))

    @property
    def crawl_delay(self) -> float:
        """Seconds that the site asks to be left between two requests."""
        return float((self.parser and self.parser.crawl_delay(TOKEN)) or 0.0)


class Robots:
    """Fetches robots.txt once for each origin and run, and drops what it does not allow."""

    def __init__(self, crawler: Crawler):
        self._crawler = crawler
        self._asked: dict[str, asyncio.Future[Rules]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Robots:
        """Scrapy's constructor."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise Refusal."""
        if ROBOTS in request.meta:
            return
        origin = _origin(request.url)
        if origin not in self._asked:
            self._asked[origin] = asyncio.ensure_future(self._ask(origin))
        rules = await self._asked[origin]
        if rules.unreachable:
            raise Refusal("robots_unreachable", rules.unreachable)
        if not rules.allows(request.url):
            raise Refusal("robots")
        if rules.crawl_delay:
            self._slow_down(request, rules.crawl_delay)

    def known(self, url: str) -> Rules | None:
        """Return what this run has read of the URL's origin; None while it has not been asked."""
        asked = self._asked.get(_origin(url))
        return asked.result() if asked is not None and asked.done() and not asked.cancelled() else None

    async def _ask(self, origin: str) -> Rules:
        engine = self._crawler.engine
        assert engine is not None
        request = Request(
            f"{origin}/robots.txt", callback=NO_CALLBACK, meta={ROBOTS: True, "max_retry_times": 1}, priority=1000
        )
        try:
            response = await engine.download_async(request)
        except Exception as error:
            return self._last_good(origin, WORDS.get(kind_of(error), "读取失败"))
        return self._read(origin, response)

    def _read(self, origin: str, response: Response) -> Rules:
        if 400 <= response.status < 500:
            return Rules()
        if response.status >= 300:
            return self._last_good(origin, f"返回 {response.status}")
        body = response.body
        if len(body) > MAX_BYTES:
            body = body[:MAX_BYTES].rpartition(b"\n")[0]
        text = body.decode("utf-8-sig", "replace")
        self._keep(origin, text)
        return Rules(Protego.parse(text))

    def _slow_down(self, request: Request, delay: float) -> None:
        """Make the download slot of this host wait at least `delay` seconds between two requests."""
        engine = self._crawler.engine
        assert engine is not None
        key, slot = engine.downloader._get_slot(request)
        if slot.delay < delay:
            slot.delay, slot.concurrency = delay, 1
            # The slot is thrown away when idle; a new one has to begin with the same patience.
            engine.downloader.per_slot_settings[key] = {"delay": delay, "concurrency": 1, "jitter": 0.0}

    def _copy(self, origin: str) -> Path:
        folder = context_of(self._crawler.spider).settings.env.data / "robots"
        return folder / f"{hashlib.sha256(origin.encode('utf-8', 'replace')).hexdigest()[:32]}.json"

    def _keep(self, origin: str, text: str) -> None:
        context = context_of(self._crawler.spider)
        if context.dry_run:
            return
        path = self._copy(origin)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{id(self)}.tmp")
        stored = {"origin": origin, "fetched_at": context.now().isoformat(), "text": text}
        draft.write_text(json.dumps(stored), encoding="utf-8")
        draft.replace(path)

    def _last_good(self, origin: str, why: str) -> Rules:
        """The last good copy for at most 24 hours; after that, nothing is allowed."""
        try:
            stored = json.loads(self._copy(origin).read_text(encoding="utf-8"))
            age = context_of(self._crawler.spider).now() - dt.datetime.fromisoformat(stored["fetched_at"])
            if dt.timedelta(0) <= age <= MAX_AGE:
                return Rules(Protego.parse(stored["text"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no usable copy
        return Rules(unreachable=f"{origin}/robots.txt {why}，按不允许处理")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
