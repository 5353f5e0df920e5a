"""The one spider: start → listing → detail → comments, as a source file describes it.

Every page it reads becomes one item (`CrawledPage`) with its records. Detail pages are marked as visited with the
last page that belongs to them, so that a run that is cut short leaves nothing half-read behind unnoticed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from crawlers import browser
from crawlers.context import RunContext, start_key
from crawlers.fetch import WORDS, kind_of
from crawlers.pipeline import CrawledPage
from crawlers.reader import Reader
from crawlers.requests import fill, make_request, start_urls, with_page
from vocwatch import __version__
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings import Settings, Source
from vocwatch.settings.sources import Step
from vocwatch.store.pages import Visit

# Finish what is begun before beginning more: a budget or a kill then costs the oldest pages, not the newest.
PRIORITY = {"canary": 30, "comments": 20, "detail_next": 20, "detail": 10, "start": 5, "listing": 0}
OLD_PAGES_IN_A_ROW = 2


@dataclass
class Listing:
    """Where we are in one listing."""

    start: str
    number: int = 1
    old_in_a_row: int = 0


@dataclass
class Detail:
    """A detail page on its way through its own pages and its comments."""

    url: str
    native_id: str | None = None
    carried: dict[str, Any] = field(default_factory=dict)
    root: MentionRecord | None = None
    number: int = 1
    old_in_a_row: int = 0
    comments_seen: int = 0
    start: bool = False
    revisit: bool = False
    canary: bool = False


class SourceSpider(scrapy.Spider):
    """Reads one source. A subclass for each file under `config/sources/` is made by `crawlers.loader`."""

    name = "source"
    source: ClassVar[Source]
    config: ClassVar[Settings]

    def __init__(self, context: RunContext, **kwargs: Any):
        super().__init__(**kwargs)
        self.context = context
        self._reader = Reader(context)
        self._requested: set[str] = set()
        self._revisited = False
        self._list_step = self.source.listing

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> SourceSpider:
        """Scrapy's constructor; the worker hands a ready context over, `scrapy crawl` gets one of its own."""
        from crawlers.worker import own_context

        context = kwargs.pop("context", None) or own_context(cls.config, cls.source)
        spider = super().from_crawler(crawler, *args, context=context, **kwargs)
        crawler.signals.connect(spider.on_idle, signals.spider_idle)
        return spider

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Add what depends on this source and on `config/`."""
        super().update_settings(settings)
        crawler, rate = cls.config.app.crawler, cls.source.rate
        delay = crawler.default_delay_seconds if rate.delay_seconds is None else rate.delay_seconds
        concurrency = 1 if browser.needed(cls.source) else rate.concurrency
        settings.update({
            "USER_AGENT": f"vocwatch/{__version__} (+{crawler.contact})",
            "DOWNLOAD_DELAY": delay, "DOWNLOAD_TIMEOUT": crawler.timeout_seconds,
            "DOWNLOAD_MAXSIZE": crawler.max_body_bytes,
            # As many requests under way as may be sent: none waits in a queue where a halt can't reach it.
            "CONCURRENT_REQUESTS": concurrency, "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        }, priority="spider")
        if browser.needed(cls.source):
            settings.update(browser.scrapy_settings(cls.config), priority="spider")

    # -- start --------------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Request]:
        """Yield the start pages and the canary."""
        starts = list(start_urls(self.config, self.source))
        self.context.tally.starts = len(starts)
        canary = self.source.expect.canary
        if canary:
            yield self._detail_request(Detail(canary, canary=True), PRIORITY["canary"])
        for start in starts:
            if self._list_step is None:
                yield self._detail_request(Detail(with_page(start, 1), start=True), PRIORITY["start"])
            else:
                yield self._listing_request(Listing(start), with_page(start, 1))

    def on_idle(self) -> None:
        """When the listings are done, read again the young details that no listing named (edited? removed?)."""
        if self._revisited or self.context.halted or self.source.detail is None:
            return
        if self.source.listing is not None and not self.context.tally.starts_read:
            return  # a site that is down is not to be asked a hundred times more
        self._revisited = True
        due = [visit for visit in self.context.recent_visits() if visit.url not in self._requested]
        for visit in due:
            detail = Detail(visit.url, visit.native_id, dict(visit.carried), revisit=True)
            self.crawler.engine.crawl(self._detail_request(detail, PRIORITY["listing"]))
        if due:
            raise DontCloseSpider

    # -- listing ------------------------------------------------------------------------------------------

    def _request(self, step: Step, url: str, priority: int, callback: Any, state: Any) -> Request:
        return make_request(
            self.source, step, url, self.config.app.crawler.timeout_seconds, priority=priority,
            callback=callback, errback=self.on_failure, cb_kwargs={"state": state},
        )

    def _listing_request(self, listing: Listing, url: str) -> Request:
        assert self._list_step is not None
        priority = PRIORITY["start" if listing.number == 1 else "listing"]
        return self._request(self._list_step, url, priority, self.on_listing, listing)

    def on_listing(self, response: Response, state: Listing) -> Iterator[Any]:
        """Read a listing page: its records, its details, the page after it."""
        tally, step = self.context.tally, self._list_step
        assert step is not None
        if state.number > 1 and response.status in (404, 410):
            self._walked(state)  # past the last page
            return
        page, found = self._reader.read(response, step, "listing", first=state.number == 1)
        if found is None:
            yield from _kept_anyway(page)
            return
        if state.number == 1:
            tally.starts_read += 1
            tally.first_page += len(found.links) + len(found.records)
        yield CrawledPage(page, found.records, partial=self.source.detail is not None)
        links = [Detail(link.url, link.native_id, dict(link.carried)) for link in found.links]
        visits = self.context.visits([link.url for link in links])
        yield from self._follow(links, visits)
        if self.source.detail is None:
            yield from self._listed_comments(found.records)
        old = all(self._is_old(visits.get(link.url)) for link in links) and bool(links or found.records)
        roots = [record.native_id for record in found.records if record.parent is None]
        if old and not links:
            old = self.context.all_old(roots)
        yield from self._next_listing(state, response, step, found.next_url, old, bool(links or found.records))

    def _follow(self, links: list[Detail], visits: dict[str, Visit]) -> Iterator[Request]:
        for link in links:
            if link.url in self._requested:
                continue
            self._requested.add(link.url)
            self.context.tally.listed += 1
            if self._is_old(visits.get(link.url)):
                self.context.tally.skipped += 1
            else:
                yield self._detail_request(link, PRIORITY["detail"])

    def _is_old(self, visit: Visit | None) -> bool:
        """Whether a detail page was read to its end and its post has left the revisit window."""
        return visit is not None and visit.published_at is not None and visit.published_at < self.context.cutoff

    def _next_listing(
        self, state: Listing, response: Response, step: Step, next_url: str | None, old: bool, filled: bool
    ) -> Iterator[Request]:
        streak = state.old_in_a_row + 1 if old else 0
        stop_early = self.context.may_stop_early(state.start)
        if next_url is None and "{page}" in state.start and filled:
            next_url = with_page(state.start, state.number + 1)
        if next_url is None or (stop_early and streak >= OLD_PAGES_IN_A_ROW):
            self._walked(state)
        elif state.number >= (step.next.max_pages if step.next else 50):
            self.context.tally.gap = self.context.tally.gap or stop_early
            self._walked(state)
        else:
            yield self._listing_request(Listing(state.start, state.number + 1, streak), response.urljoin(next_url))

    def _walked(self, state: Listing) -> None:
        self.context.tally.walked.append(start_key(state.start))

    def _listed_comments(self, records: list[MentionRecord]) -> Iterator[Any]:
        """Comments of posts that have no page of their own: fetched by the comments step's address."""
        step = self.source.comments
        if step is None or not step.url:
            return
        for record in records:
            if record.parent is None and record.replies != 0:
                yield from self._comments_request(Detail(record.url, record.native_id, root=record), step)

    # -- detail -------------------------------------------------------------------------------------------

    def _detail_request(self, detail: Detail, priority: int) -> Request:
        step = self.source.detail or self.source.listing
        assert step is not None
        return self._request(step, detail.url, priority, self.on_detail, detail)

    def on_detail(self, response: Response, state: Detail) -> Iterator[Any]:
        """Read a page of a post (or of a list of posts): its records, its next page, then its comments."""
        tally, step = self.context.tally, self.source.detail or self.source.listing
        assert step is not None
        role = "listing" if state.start else "detail"
        first = state.number == 1
        if first and not state.start:
            tally.details += 1
        page, found = self._reader.read(
            response, step, role, first=first, carried=state.carried, root=state.root, canary=state.canary
        )
        if found is None:
            if self._reader.removed:
                tally.listed_removed += not (state.revisit or state.start)
                yield CrawledPage(page, [], gone=(state.url, state.native_id))
            else:
                yield from _kept_anyway(page)
            return
        if first and state.start:
            tally.starts_read += 1
            tally.first_page += len(found.records)
        if state.canary and not found.records:
            tally.canary = f"{state.url}（{found.reason or '没有内容'}）"
        root = state.root or (_root_of(found.records, state.native_id) if first else None)
        state = replace(state, root=root)
        records = [record for record in found.records if not (root and not first and record.parent is None
                                                              and record.native_id == root.native_id)]
        records += self._embedded_comments(response, state, page)
        state.comments_seen += sum(record.parent is not None for record in records)
        following = list(self._after_detail(response, state, step, found.next_url, records))
        yield CrawledPage(page, records, visit=None if following else self._visit(state))
        yield from following

    def _embedded_comments(self, response: Response, state: Detail, page: Page) -> list[MentionRecord]:
        """Comments that stand on the detail page itself but are described by a step of their own."""
        step = self.source.comments
        if step is None or step.url or state.number > 1:
            return []
        return self._reader.extract(page, step, "comments", state.carried, state.root).records

    def _after_detail(
        self, response: Response, state: Detail, step: Step, next_url: str | None, records: list[MentionRecord]
    ) -> Iterator[Request]:
        limit = step.next.max_pages if step.next else 50
        posts = [record.native_id for record in records if record.parent is None]
        old = state.root is None and bool(posts) and self.context.all_old(posts)
        streak = state.old_in_a_row + 1 if old else 0
        done = self.context.incremental and streak >= OLD_PAGES_IN_A_ROW
        if next_url and state.number < limit and not done:
            following = replace(state, number=state.number + 1, old_in_a_row=streak)
            yield self._request(
                step, response.urljoin(next_url), PRIORITY["detail_next"], self.on_detail, following
            )
            return
        comments = self.source.comments
        if comments is not None and comments.url and state.root is not None:
            yield from self._comments_request(state, comments)

    # -- comments -----------------------------------------------------------------------------------------

    def _comments_request(self, state: Detail, step: Step) -> Iterator[Request]:
        root = state.root
        assert root is not None and step.url is not None
        if root.replies is not None and root.replies <= state.comments_seen:
            return
        url = fill(step.url, root, state.carried)
        if url is not None:
            yield self._request(step, url, PRIORITY["comments"], self.on_comments, replace(state, number=1))

    def on_comments(self, response: Response, state: Detail) -> Iterator[Any]:
        """Read a page of comments, then the one after it."""
        step = self.source.comments
        assert step is not None
        page, found = self._reader.read(
            response, step, "comments", first=False, carried=state.carried, root=state.root
        )
        if found is None:
            yield from _kept_anyway(page)
            return
        limit = step.next.max_pages if step.next else 50
        more = bool(found.next_url) and state.number < limit
        yield CrawledPage(page, found.records, visit=None if more else self._visit(state))
        if more and found.next_url:
            following = replace(state, number=state.number + 1)
            yield self._request(
                step, response.urljoin(found.next_url), PRIORITY["comments"], self.on_comments, following
            )

    def _visit(self, state: Detail) -> Visit | None:
        if state.canary or state.start or self.source.detail is None:
            return None
        root = state.root
        plain = {key: value for key, value in state.carried.items() if isinstance(value, str | int | float)}
        return Visit(
            url=state.url, visited_at=self.context.now(), native_id=state.native_id, carried=plain,
            published_at=(root.published_at or self.context.now()) if root and _is_post_page(state) else None,
        )

    # -- failures -----------------------------------------------------------------------------------------

    def on_failure(self, failure: Failure) -> None:
        """Count a request that brought no response."""
        request: Request = failure.request  # type: ignore[attr-defined]
        kind = kind_of(failure.value)
        if kind in ("halted", "budget"):
            return
        state = request.cb_kwargs.get("state")
        tally = self.context.tally
        if isinstance(state, Listing) or getattr(state, "start", False):
            tally.fail("listing", kind, request.url, _why(failure.value, kind))
        elif request.callback == self.on_comments:
            tally.fail("comments", kind, request.url)
        elif getattr(state, "canary", False):
            tally.canary = f"{request.url}（{WORDS.get(kind, kind)}）"
        elif kind == "robots":
            tally.details += 1
            tally.details_refused += 1
        else:
            tally.details += getattr(state, "number", 1) == 1
            tally.fail("detail", kind, request.url)


def _root_of(records: list[MentionRecord], native_id: str | None) -> MentionRecord | None:
    """The post that a detail page is about; None for a page that lists many posts."""
    posts = [record for record in records if record.parent is None]
    named = next((post for post in posts if native_id and post.native_id == native_id), None)
    return named or (posts[0] if len(posts) == 1 else None)


def _is_post_page(detail: Detail) -> bool:
    """Whether the page is that of one post: only such a page may be left alone when its post has grown old.

    A product's page with a single review looks alike, but tomorrow it has two.
    """
    root = detail.root
    if root is None:
        return False
    if root.kind in (MentionKind.REVIEW, MentionKind.COMMENT):
        return root.native_id == detail.native_id or root.url == detail.url
    return True


def _kept_anyway(page: Page) -> Iterator[CrawledPage]:
    """A page that could not be read is still evidence of why."""
    if page.status < 500 and page.body:
        yield CrawledPage(page, [])


def _why(error: BaseException | None, kind: str) -> str:
    text = str(error)
    return text if kind == "robots_unreachable" and text else ""
