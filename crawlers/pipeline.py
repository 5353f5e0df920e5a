"""From pages to rows: records are checked, masked and made anonymous, then written in batches.

The raw page is synced to the evidence folder first; rows follow in one transaction per batch, with the marks of what
was read to its end. A kill in between costs the batch, and the next run reads those pages again.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from urllib.parse import urlsplit

from scrapy.crawler import Crawler

from crawlers.context import RunContext, context_of
from crawlers.due import backoff
from crawlers.fetch import WORDS
from crawlers.health import judge
from crawlers.refuse import allowed
from vocwatch.masking import mask
from vocwatch.models import MentionRecord, Page, RunStatus, SourceStatus
from vocwatch.pseudonym import Pseudonyms, load_pseudonyms
from vocwatch.store import StorageError, mentions, pages, runs
from vocwatch.store.mentions import MentionRow
from vocwatch.store.pages import PageRow, Visit
from vocwatch.store.writer import EvidenceWriter, Kept

MAX_ROWS = 2000
MAX_PAGES = 50
MAX_SECONDS = 10.0
PROGRESS_SECONDS = 2.0
MAX_TEXT = 100_000
MAX_COUNT = 2**53
# C0 and C1 controls but tab and newline, and halves of surrogate pairs: nothing a reader sees, much that breaks.
_JUNK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass
class CrawledPage:
    """One fetched page with what was read from it.

    `partial`: read from a listing whose details have pages of their own. `visit`: this page completes a detail.
    `gone`: address and native id of a detail that the site has removed. `present`: native id of a post that is still there. `refused`: it names something that is on the
    refusal list.
    """

    page: Page
    records: list[MentionRecord]
    partial: bool = False
    visit: Visit | None = None
    gone: tuple[str, str | None] | None = None
    present: str | None = None
    refused: bool = False


@dataclass
class _Batch:
    pages: list[tuple[PageRow, Kept]] = field(default_factory=list)
    evidence: list[tuple[MentionRow, Kept]] = field(default_factory=list)
    rows: list[MentionRow] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    gone: list[tuple[str, str | None]] = field(default_factory=list)
    present: list[str] = field(default_factory=list)


class StorePages:
    """The item pipeline."""

    def __init__(self, crawler: Crawler):
        self._crawler = crawler
        self._batch = _Batch()
        self._flushed = self._told = time.monotonic()
        self._pseudonyms: Pseudonyms | None = None
        self._evidence: EvidenceWriter | None = None
        self._touched: set[str] = set()  # posts about which this run has brought something new

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePages:
        """Scrapy's constructor."""
        return cls(crawler)

    @property
    def _context(self) -> RunContext:
        return context_of(self._crawler.spider)

    def open_spider(self) -> None:
        """Get the key for pseudonyms, and open the evidence folder."""
        self._pseudonyms = load_pseudonyms(self._context.settings.env)
        if self._context.store is not None:
            self._evidence = EvidenceWriter(self._context.evidence)

    def process_item(self, item: CrawledPage) -> CrawledPage:
        """Keep the page and its records; write a batch when it is full or old."""
        context = self._context
        rows = [row for record in item.records if (row := self._row(record, item)) is not None]
        context.tally.records += len(rows)
        left = allowed(context, rows)
        # A page that holds what somebody has asked us not to keep is not kept as evidence either.
        bare = item.refused or len(left) < len(rows)
        rows = left
        if context.store is None:
            self._show(rows)
            return item
        try:
            self._add(item, rows, None if bare or self._evidence is None else self._evidence.keep(item.page.body))
            if self._due():
                self.flush()
        except StorageError as error:
            # Going on would read pages that nobody keeps.
            context.fatal = str(error)
            context.halt("storage", str(error))
        self._tell()
        return item

    def _add(self, item: CrawledPage, rows: list[MentionRow], kept: Kept | None) -> None:
        batch = self._batch
        if kept is not None:
            batch.pages.append((_page_row(item.page), kept))
            batch.evidence += [(row, kept) for row in rows]
        batch.rows += rows
        if item.visit:
            batch.visits.append(item.visit if kept else replace(item.visit, carried={}))
        if item.gone:
            batch.gone.append(item.gone)
        if item.present:
            batch.present.append(item.present)

    def _due(self) -> bool:
        """Whether the batch is to be written: it is full or old, and its evidence is on the disk (or long awaited)."""
        fullness = max(
            len(self._batch.rows) / MAX_ROWS, len(self._batch.pages) / MAX_PAGES,
            (time.monotonic() - self._flushed) / MAX_SECONDS,
        )
        return fullness >= 1 and (fullness >= 2 or self._evidence is None or self._evidence.settled())

    def flush(self) -> None:
        """Write the batch in one transaction. Raises StorageError; the batch is kept then."""
        context, batch = self._context, self._batch
        assert context.store is not None and context.run_id is not None
        name, now = context.source.name, context.now()
        if self._evidence is not None:
            self._evidence.settle()  # no row ever points at nothing
        for row, kept in batch.evidence:
            row.page_sha = kept.sha256
        with context.store.begin() as connection:
            pages.record_pages(connection, name, context.run_id, [
                replace(page, sha256=kept.sha256) for page, kept in batch.pages
            ])
            saved = mentions.save(connection, name, batch.rows, now)
            mentions.mark_present(connection, name, now, batch.present)
            missed = mentions.mark_missing(
                connection, name, now, [native for _, native in batch.gone if native], [url for url, _ in batch.gone]
            ) + mentions.mark_missing_children(
                connection, name, now, [v.native_id for v in batch.visits if v.whole and v.native_id], context.started
            )
            pages.mark_missing_visits(
                connection, name, now, [Visit(url, now, native) for url, native in batch.gone]
            )
            self._touched |= saved.touched
            pages.record_visits(connection, name, [
                replace(visit, changed_at=now) if visit.native_id in self._touched else visit for visit in batch.visits
            ])
        context.tally.new += saved.new
        context.tally.changed += saved.changed
        context.tally.missing += missed.missing
        context.tally.removed += missed.deleted
        context.audit.flush()
        self._batch, self._flushed = _Batch(), time.monotonic()

    def close_spider(self) -> None:
        """Write the last batch, judge the run, and close its row."""
        context = self._context
        if context.store is None:
            return
        try:
            if context.fatal is None:
                self.flush()
            finish(context)
        except StorageError as error:
            context.fatal = context.fatal or str(error)
        finally:
            if self._evidence is not None:
                self._evidence.close()
        self._tell(last=True)

    # -- records ------------------------------------------------------------------------------------------

    def _row(self, record: MentionRecord, item: CrawledPage) -> MentionRow | None:
        """Check, clean, mask; None for a record with nothing in it."""
        tally, context = self._context.tally, self._context
        text, title = clean(record.text or ""), clean(record.title or "") or None
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT]
            record.extra["truncated"] = True
            tally.truncated += 1
        native_id = clean(record.native_id or "").strip()
        url = record.url if record.url and _is_web(record.url.partition("#")[0]) else item.page.url
        if (not text.strip() and not title and record.rating is None) or not (native_id or url):
            tally.invalid += 1
            return None
        assert self._pseudonyms is not None
        return MentionRow(
            native_id=native_id or url, url=clean(url), kind=str(record.kind), text=mask(text),
            title=mask(title) if title else None,
            author_key=self._pseudonyms.of(context.source.name, record.author),
            published_at=record.published_at, precision=record.precision if record.published_at else "none",
            rating=_finite(record.rating), likes=_count(record.likes), replies=_count(record.replies),
            shares=_count(record.shares), views=_count(record.views), parent=_short(record.parent, None),
            product=_short(record.product, 200), sku=_short(record.sku, 100), shop=_short(record.shop, 200),
            # A title that stands in for a missing text must not pass for an edit of the text.
            partial=item.partial or bool(record.extra.get("title_only")),
        )

    # -- telling ------------------------------------------------------------------------------------------

    def _show(self, rows: list[MentionRow]) -> None:
        """Dry run: append the rows as they would be stored."""
        path = self._context.dry_run
        if path is None:
            return
        with path.open("a", encoding="utf-8") as out:
            for row in rows:
                out.write(json.dumps(asdict(row), ensure_ascii=False, default=str) + "\n")

    def _tell(self, last: bool = False) -> None:
        moment = time.monotonic()
        if last or moment - self._told > PROGRESS_SECONDS:
            self._told, tally = moment, self._context.tally
            sys.stderr.write(f"progress pages={tally.pages} records={tally.records} new={tally.new}\n")
            sys.stderr.flush()


def _page_row(page: Page) -> PageRow:
    """The row of a page whose hash is not known yet; its body, which may be large, stays behind."""
    return PageRow(
        url=page.request_url or page.url, final_url=page.url, status=page.status,
        headers={name: clean(value) for name, value in page.headers.items()}, sha256="",
        size=len(page.body), fetched_at=page.fetched_at,
    )


def finish(context: RunContext) -> tuple[SourceStatus, str | None]:
    """Judge a run and close its row; only here does what the source remembers move on."""
    outcome, reason = judge(context.tally, context.history, context.source, WORDS, context.incremental)
    if context.fatal:
        outcome = SourceStatus.DEGRADED if context.tally.new or context.tally.changed else SourceStatus.NOT_RUN
        reason = context.fatal
    if context.store is None or context.run_id is None:
        return outcome, reason
    now, name = context.now(), context.source.name
    # A run that never got through says nothing of whether the block is over.
    blocks = context.state.blocks + (outcome is SourceStatus.BLOCKED)
    blocks = blocks if outcome in (SourceStatus.BLOCKED, SourceStatus.NOT_RUN) else 0
    with context.store.begin() as connection:
        newest = mentions.newest_published(connection, name) if outcome is SourceStatus.OK else None
        pages.write_state(connection, name, now, newest, _not_before(context, blocks), blocks)
        status = RunStatus.FAILED if context.fatal else RunStatus.DONE
        runs.finish(connection, context.run_id, now, status, outcome, reason, context.stats())
    return outcome, reason


def _not_before(context: RunContext, blocks: int) -> dt.datetime | None:
    """When the source may be asked again: what the site said, and longer after each block in a row."""
    wait = context.halted.retry_after if context.halted else None
    if blocks:
        wait = backoff(blocks, wait, f"{context.source.name} {context.run_id}")
    return context.now() + dt.timedelta(seconds=wait) if wait else None


def clean(text: str) -> str:
    """Return the text without control characters and lone surrogates; line ends become newlines."""
    if text.isprintable() or not _JUNK.search(text):  # \r is among them
        return text
    return _JUNK.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


@lru_cache(maxsize=4096)  # the comments of a page share its address
def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _short(text: str | None, limit: int | None) -> str | None:
    return clean(text).strip()[:limit] or None if text else None


def _count(value: int | None) -> int | None:
    return int(value) if value is not None and 0 <= value <= MAX_COUNT else None


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
