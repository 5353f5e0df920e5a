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
from crawlers.observe import comments_inside, count_detail, count_results
from crawlers.pipeline import CrawledPage
from crawlers.reader import Reader
from crawlers.requests import Start, canary_starts, fill, make_request, starts, with_page
from vocwatch import __version__
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings import Settings, Source
from vocwatch.settings.sources import Step
from vocwatch.store.pages import Visit

# Finish what is begun before beginning more: a budget or a kill then costs the oldest pages, not the newest.
PRIORITY = {"canary": 30, "comments": 20, "detail_next": 20, "detail": 10, "start": 5, "listing": 0}
OLD_PAGES_IN_A_ROW = 2
MAX_CHECKS = 20  # pages a run that are only asked for to see whether they are still there


@dataclass
class Listing:
    """Where we are in one listing."""

    start: Start
    number: int = 1
    old_in_a_row: int = 0
    found: int = 0
    canary: bool = False


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
    search: Start | None = None  # whose result this is, until it is known whether its keyword stands in it


@dataclass(frozen=True)
class Check:
    """A look at whether a post is still there."""

    native_id: str


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
        self._checked = False
        self._held: list[Request] = []
        self._seen: set[str] = set()  # posts that this run came across
        self._list_step = self.source.listing
        self._comments_inside = comments_inside(self.source)

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
        concurrency = browser.concurrency(cls.source)
        settings.update({
            "USER_AGENT": f"vocwatch/{__version__} (+{crawler.contact})",
            "DOWNLOAD_DELAY": delay, "DOWNLOAD_TIMEOUT": crawler.timeout_seconds,
            "DOWNLOAD_MAXSIZE": crawler.max_body_bytes,
            # As many requests under way as may be sent: none waits in a queue where a halt can't reach it.
            "CONCURRENT_REQUESTS": concurrency, "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        }, priority="spider")
        if browser.needed(cls.source):
            settings.update(browser.scrapy_settings(cls.config, cls.source), priority="spider")

    # -- start --------------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Request]:
        """Yield the start pages and the canary; after a block, one of them, and the others once it was read."""
        requests = list(self._start_requests())
        if self.context.state.blocks:
            self._held = requests[1:]
            requests = requests[:1]
        for request in requests:
            yield request

    def _start_requests(self) -> Iterator[Request]:
        context = self.context
        found = list(starts(self.config, self.source, context.now(), context.state.high_water))
        context.tally.starts = len(found)
        canary = self.source.expect.canary
        if canary:
            yield self._detail_request(Detail(canary, canary=True), PRIORITY["canary"])
        for start in found:
            yield self._start_request(start)
        for start in canary_starts(self.config, self.source, context.now()):
            yield self._start_request(start, canary=True)

    def _start_request(self, start: Start, canary: bool = False) -> Request:
        url = with_page(start.url, 1)
        if self._list_step is None:
            search = start if start.keyword else None
            return self._detail_request(Detail(url, start=True, canary=canary, search=search), PRIORITY["start"])
        return self._listing_request(Listing(start, canary=canary), url)

    def _release(self) -> Iterator[Request]:
        """The site answers again: go on with what was held back."""
        held, self._held = self._held, []
        yield from held

    def on_idle(self) -> None:
        """When the listings are done, look after what they did not name and whose time has come."""
        if self.context.halted or (self.source.listing is not None and not self.context.tally.starts_read):
            return  # a site that is down is not to be asked a hundred times more
        requests: list[Request] = []
        if not self._revisited:
            self._revisited = True
            requests = list(self._due_details())
        if not requests and not self._checked:
            self._checked = True
            requests = list(self._absent_posts())
        for request in requests:
            self.crawler.engine.crawl(request)
        if requests:
            raise DontCloseSpider

    def _due_details(self) -> Iterator[Request]:
        if self.source.detail is None:
            return
        for visit in self.context.due_visits():
            if visit.url not in self._requested:
                detail = Detail(visit.url, visit.native_id, dict(visit.carried), revisit=True)
                yield self._detail_request(detail, PRIORITY["listing"])

    def _absent_posts(self) -> Iterator[Request]:
        """Posts without a page that we read, but with an address of their own: are they still there?"""
        tally = self.context.tally
        if (self.source.listing and self.source.detail) or tally.listing_failed or tally.starts_read < tally.starts:
            return
        step = self.source.listing or self.source.detail
        assert step is not None
        absent = [post for post in self.context.absent() if post.native_id not in self._seen]
        for post in absent[:MAX_CHECKS]:
            yield self._request(step, post.url, PRIORITY["listing"], self.on_check, Check(post.native_id))

    def on_check(self, response: Response, state: Check) -> Iterator[CrawledPage]:
        """Note whether the post is there; nothing is read from its page."""
        there, page = self._reader.check(response)
        if there is not None:
            yield CrawledPage(page, [], gone=None if there else (page.request_url, state.native_id),
                              present=state.native_id if there else None)

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
        if state.canary:
            tally.canary_says(page.url, len(found.links) + len(found.records))
            yield CrawledPage(page, [])
            return
        if state.number == 1:
            tally.starts_read += 1
            tally.first_page += len(found.links) + len(found.records)
            tally.start(start_key(state.start.key)).first += len(found.links) + len(found.records)
        yield from self._release()
        links = [Detail(link.url, link.native_id, dict(link.carried)) for link in found.links]
        wanted = [link for link in links if not self._unwanted(link)]
        partial, refused = self.source.detail is not None, len(wanted) < len(links)
        yield CrawledPage(page, found.records, partial=partial, refused=refused)
        visits = self.context.visits([link.url for link in wanted])
        due = [link for link in wanted if self.context.due(visits.get(link.url), link.carried)]
        tally.start(start_key(state.start.key)).fresh += len(wanted) - len(visits)
        settled = count_results(tally, state.start, found, self.source.detail is None)
        for link, done in zip(links, settled, strict=True):
            link.search = None if done else state.start
        yield from self._follow(wanted, due)
        if self.source.detail is None:
            yield from self._listed_comments(found.records)
        roots = [record.native_id for record in found.records if record.parent is None]
        self._seen.update(roots)
        old = not due if links else self.context.all_known(roots)
        state = replace(state, found=state.found + len(links) + len(roots), old_in_a_row=state.old_in_a_row + 1 if old else 0)
        yield from self._next_listing(state, response, step, found.next_url, bool(links or found.records))

    def _unwanted(self, link: Detail) -> bool:
        """Whether somebody has asked us not to read this."""
        if not self.config.refusals.refuses(self.source.name, link.native_id, link.url):
            return False
        self.context.refused_list += 1
        self.context.audited("skip", link.url, "refused_list")
        return True

    def _follow(self, links: list[Detail], due: list[Detail]) -> Iterator[Request]:
        wanted = {link.url for link in due}
        for link in links:
            if link.url in self._requested:
                continue
            self._requested.add(link.url)
            self.context.tally.listed += 1
            if link.url in wanted:
                yield self._detail_request(link, PRIORITY["detail"])
            else:
                self.context.tally.skipped += 1
                self.context.audited("skip", link.url, "not_due")

    def _next_listing(
        self, state: Listing, response: Response, step: Step, next_url: str | None, filled: bool
    ) -> Iterator[Request]:
        stop_early = self.context.may_stop_early(state.start.key)
        if next_url is None and "{page}" in state.start.url and filled:
            next_url = with_page(state.start.url, state.number + 1)
        limit = step.next.max_pages if step.next else 50
        split = self.source.split
        if split is not None and (state.found >= split.cap or (next_url and state.number >= limit)):
            yield from self._split(state)
        elif next_url is None or (stop_early and state.old_in_a_row >= OLD_PAGES_IN_A_ROW):
            self._walked(state)
        elif state.number >= limit:
            self.context.tally.gap = self.context.tally.gap or stop_early
            self._walked(state)
        else:
            yield self._listing_request(replace(state, number=state.number + 1), response.urljoin(next_url))

    def _split(self, state: Listing) -> Iterator[Request]:
        """A search that is full hides the rest: ask for both halves of its stretch of time."""
        halves = state.start.halves(self.source, self.config.app.zone)
        if not halves:
            self.context.tally.capped += 1
            self._walked(state)
        for half in halves:
            yield self._listing_request(Listing(half), with_page(half.url, 1))

    def _walked(self, state: Listing) -> None:
        self.context.tally.walked.append(start_key(state.start.key))

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
        if state.start and state.canary:
            tally.canary_says(page.url, len(found.records))
            yield CrawledPage(page, [])
            return
        if first and state.start:
            tally.starts_read += 1
            tally.first_page += len(found.records)
            if state.search:
                tally.start(start_key(state.search.key)).first += len(found.records)
        yield from self._release()
        if state.canary and not found.records:
            tally.canary = f"{state.url}（{found.reason or '没有内容'}）"
        root = state.root or (_root_of(found.records, state.native_id) if first else None)
        state = replace(state, root=root)
        records = [record for record in found.records if not (root and not first and record.parent is None
                                                              and record.native_id == root.native_id)]
        records += self._embedded_comments(response, state, page)
        if first and not state.canary:
            count_detail(tally, state.search, records, root, self._comments_inside, state.start)
        state.comments_seen += sum(record.parent is not None for record in records)
        self._seen.update(record.native_id for record in records if record.parent is None)
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
        old = state.root is None and bool(posts) and self.context.all_known(posts)
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
        if state.number == 1 and state.root is not None and state.root.replies:
            tally = self.context.tally
            tally.promise(bool(found.records or state.comments_seen))
        state.comments_seen += len(found.records)
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
            url=state.url, visited_at=self.context.now(), carried=plain,
            native_id=state.native_id or (root.native_id if root else None),
            whole=root is not None and root.replies is not None and state.comments_seen >= root.replies,
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
        self.context.refused_list += kind == "refused_list"
        if isinstance(state, Listing) or getattr(state, "start", False):
            tally.fail("listing", kind, request.url, _why(failure.value, kind))
        elif request.callback == self.on_comments:
            tally.fail("comments", kind, request.url)
        elif getattr(state, "canary", False):
            tally.canary = f"{request.url}（{WORDS.get(kind, kind)}）"
        elif kind == "refused_list":
            pass  # somebody has asked for it: no fault of the site
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
