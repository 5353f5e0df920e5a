"""robots.txt with the semantics of RFC 9309: what cannot be read for the server's fault forbids everything.

What the RFC leaves open is decided against us: more than five redirects, an answer above the size cap, "too many
requests" and a challenge in the place of the file count as unreachable. A web page in its place (a "soft 404") holds
no rules, but does not undo those of the last good copy before that copy is 24 hours old.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawlers.audit import ROBOTS_VERDICT
from crawlers.context import context_of
from crawlers.extractors.charset import decode
from crawlers.extractors.signs import judge
from crawlers.fetch import WORDS, Refusal, kind_of
from crawlers.guard import ROBOTS
from crawlers.hosts import Denied, host_and_port
from vocwatch.models import Page

TOKEN = "vocwatch"  # noqa: S105 - the product token that robots.txt groups are matched against
MAX_BYTES = 500 * 1024
MAX_AGE = dt.timedelta(hours=24)
_RULE = re.compile(r"^[ \t]*(?:user-?agent|disallow|allow|sitemap|crawl-delay)[ \t]*:", re.IGNORECASE | re.MULTILINE)
_OUT_OF_REACH = frozenset({"dns", "refused", "tls", "private", "address"})
_FORBIDDING = frozenset({"captcha", "blocked", "login"})


@dataclass(frozen=True)
class Rules:
    """What one origin allows; `unreachable` says why nothing is allowed, `kind` under which error kind."""

    parser: Protego | None = None
    unreachable: str | None = None
    kind: str = "robots_unreachable"

    def allows(self, url: str) -> bool:
        """Whether the rules let us fetch the URL."""
        return self.parser is None or bool(self.parser.can_fetch(url, TOKEN))

    def refusal(self, url: str) -> Refusal | None:
        """Return why the URL is not to be fetched: kind robots, robots_unreachable, or why the host is out of reach."""
        if self.unreachable:
            return Refusal(self.kind, self.unreachable)
        return None if self.allows(url) else Refusal("robots")

    @property
    def crawl_delay(self) -> float:
        """Seconds that the site asks to be left between two requests."""
        return float((self.parser and self.parser.crawl_delay(TOKEN)) or 0.0)


class Robots:
    """Fetches robots.txt once for each origin and run, and drops what it does not allow."""

    def __init__(self, crawler: Crawler):
        self._crawler = crawler
        self._asked: dict[str, asyncio.Future[Rules]] = {}
        self._turns: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Robots:
        """Scrapy's constructor."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise Refusal."""
        if ROBOTS in request.meta:
            return
        rules = await self.rules(request.url)
        refused = rules.refusal(request.url)
        if refused is not None:
            raise refused
        request.meta[ROBOTS_VERDICT] = "allow" if rules.parser is not None else "none"
        if rules.crawl_delay:
            self._slow_down(request, rules.crawl_delay)

    async def rules(self, url: str, *, apart: bool = False) -> Rules:
        """Return the rules of a URL's origin; its robots.txt is fetched where this run has not done so.

        `apart`: not in the host's own download slot, which whoever asks may be holding.
        """
        origin = origin_of(url)
        if origin not in self._asked:
            self._asked[origin] = asyncio.ensure_future(self._ask(origin, apart))
        return await asyncio.shield(self._asked[origin])

    async def allowed(self, url: str) -> str | None:
        """Return None when robots.txt lets us fetch the URL, else the kind of the refusal (`Rules.refusal`).

        For requests that do not come through Scrapy: what a browser is about to open.
        """
        refused = (await self.rules(url, apart=True)).refusal(url)
        return refused.kind if refused is not None else None

    def known(self, url: str) -> Rules | None:
        """Return what this run has read of the URL's origin; None while it has not been asked."""
        asked = self._asked.get(origin_of(url))
        return asked.result() if asked is not None and asked.done() and not asked.cancelled() else None

    # -- reading ------------------------------------------------------------------------------------------

    async def _ask(self, origin: str, apart: bool) -> Rules:
        engine = self._crawler.engine
        assert engine is not None
        request = Request(
            f"{origin}/robots.txt", callback=NO_CALLBACK, meta={ROBOTS: True, "max_retry_times": 1}, priority=1000
        )
        if apart:
            request.meta["download_slot"] = f"robots {origin}"
        try:
            response = await engine.download_async(request)
        except Exception as error:
            kind = kind_of(error)
            rules = self._last_good(origin, WORDS.get(kind, "读取失败"))
            # The whole host is out of reach then, and that is the better reason.
            return replace(rules, kind=kind) if rules.unreachable and kind in _OUT_OF_REACH else rules
        return self._read(origin, response)

    def _read(self, origin: str, response: Response) -> Rules:
        if 400 <= response.status < 500 and response.status != 429:
            return Rules()
        if response.status >= 300:
            return self._last_good(origin, f"返回 {response.status}")
        body = response.body
        if len(body) > MAX_BYTES:
            body = body[:MAX_BYTES].rpartition(b"\n")[0]
        text = body.decode("utf-8-sig", "replace")
        if text.lstrip()[:1] == "<" and not _RULE.search(text):
            return self._web_page(origin, response)
        self._keep(origin, text)
        return Rules(Protego.parse(text))

    def _web_page(self, origin: str, response: Response) -> Rules:
        """A web page where robots.txt should be: a wall forbids, any other page says nothing."""
        context = context_of(self._crawler.spider)
        page = Page(
            url=response.url, body=response.body, fetched_at=context.now(), status=response.status,
            headers={"content-type": (response.headers.get("Content-Type") or b"").decode("latin-1")},
        )
        if judge(page, decode(page), context.source).state in _FORBIDDING:
            return self._last_good(origin, "被验证或拦截页挡住")
        return self._copied(origin) or Rules()

    # -- patience -----------------------------------------------------------------------------------------

    def _slow_down(self, request: Request, delay: float) -> None:
        """Make the download slot of this host wait at least `delay` seconds between two requests.

        Raises Refusal when the turn of this request would come after the end of the run.
        """
        context, engine = context_of(self._crawler.spider), self._crawler.engine
        assert engine is not None
        key, slot = engine.downloader._get_slot(request)
        if slot.delay < delay:
            slot.delay, slot.concurrency = delay, 1
            # The slot is thrown away when idle; a new one has to begin with the same patience.
            engine.downloader.per_slot_settings[key] = {"delay": delay, "concurrency": 1, "jitter": 0.0}
        now = time.monotonic()
        turn = max(now, self._turns.get(key, now) + delay)
        if turn - now > context.seconds_left:
            context.tally.budget = (
                f"robots.txt 要求两次请求间隔 {delay:g} 秒（Crawl-delay），{context.source.rate.max_minutes} 分钟"
                "（rate.max_minutes）内没有读完"
            )
            raise Refusal("budget", context.tally.budget)
        self._turns[key] = turn

    # -- the last good copy -------------------------------------------------------------------------------

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
        return self._copied(origin) or Rules(unreachable=f"{origin}/robots.txt {why}，按不允许处理")

    def _copied(self, origin: str) -> Rules | None:
        try:
            stored = json.loads(self._copy(origin).read_text(encoding="utf-8"))
            age = context_of(self._crawler.spider).now() - dt.datetime.fromisoformat(stored["fetched_at"])
            return Rules(Protego.parse(stored["text"])) if dt.timedelta(0) <= age <= MAX_AGE else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no usable copy


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL in one form, whatever the form they were written in."""
    parts = urlsplit(url)
    try:
        host, port = host_and_port(url)
    except Denied:
        return f"{parts.scheme}://{parts.netloc.lower()}"
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" if port == default else f"{parts.scheme}://{shown}:{port}"
