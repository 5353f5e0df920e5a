"""One way to read a page, tried with the real extractor and given a mark."""

from __future__ import annotations

import datetime as dt
import math
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from crawlers.extractors import Extraction, SpecError, extract
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings import Source

# A text that ends like this goes on elsewhere.
LIKELY_CUT = re.compile(
    r"(?:…|\.\.\.|\[\.\.\.\]|全文|展开|阅读更多|查看更多|查看详情|read more)\s*$", re.IGNORECASE
)
ID_IN_ADDRESS = r"([0-9A-Za-z_-]{4,})(?:\.s?html?)?/?$"
GOOD_COMMENT = 1.2  # completeness of a comment that has at least a time beside its words
WHOLE_TEXT = 150  # characters from which a page without time and author may still be a post
SPOKEN = 12  # characters from which a text is more than a label
_KINDS = (
    ("complaint", re.compile(r"complain|tousu|投诉", re.IGNORECASE)),
    ("review", re.compile(r"review|rating|koubei|pingjia|评价|点评|口碑", re.IGNORECASE)),
    ("article", re.compile(r"article|news|blog|rss|文章|新闻|资讯", re.IGNORECASE)),
    ("comment", re.compile(r"comment|repl(?:y|ies)|评论|回复", re.IGNORECASE)),
)


@dataclass(frozen=True)
class Draft:
    """A step of a source file as plain data, and what it is.

    `links`: it names detail pages instead of reading records. `whole`: the page is one post (with its comments).
    `label`: the kind of page in words. `in_link`: the text is that of a link, so more stands behind it.
    """

    step: dict[str, Any]
    label: str = ""
    following: dict[str, Any] | None = None
    links: bool = False
    whole: bool = False
    in_link: bool = False

    def complete(self) -> dict[str, Any]:
        """Return the step with its next page."""
        return {**self.step, "next": self.following} if self.following else self.step


@dataclass(frozen=True)
class Trial:
    """A draft over its page: what it read and how good that is (0 = nothing of use)."""

    draft: Draft
    found: Extraction
    mark: float

    @property
    def sure(self) -> bool:
        """Whether the records outweigh a page that looks like a wall: whole texts with their times."""
        return self.real and any(record.published_at for record in self.found.records)

    @property
    def real(self) -> bool:
        """Whether it reads whole texts, not titles, labels or beginnings."""
        texts = [record.text for record in self.found.records if not record.extra.get("title_only")]
        if self.draft.in_link or len(texts) * 2 < len(self.found.records) or not texts:
            return False
        cut = sum(1 for text in texts if LIKELY_CUT.search(text))
        return statistics.median(map(len, texts)) >= SPOKEN and cut < 0.3 * len(texts)


@dataclass(frozen=True)
class Bench:
    """What drafts are tried with: the page, its moment and the site's zone."""

    page: Page
    now: dt.datetime
    zone: ZoneInfo
    base: dict[str, Any] = field(default_factory=dict)

    def run(self, draft: Draft) -> Trial | None:
        """Try one draft; None where it cannot be used at all."""
        steps = (
            {"listing": draft.step, "detail": {"extract": "html"}} if draft.links else {"detail": draft.step}
        )
        try:
            source = Source.model_validate({**self.base, **steps})
            step = source.listing or source.detail
            assert step is not None
            found = extract(self.page, step, source, self.now, self.zone)
        except (ValidationError, SpecError):
            return None  # a page can hold names that make no valid path
        return Trial(draft, found, _link_mark(found) if draft.links else _mark(draft, found, self.page.url))

    def best(self, drafts: Iterable[Draft]) -> tuple[Trial | None, Trial | None]:
        """Return the best trial that reads records and the best that names links; of equals the earlier one."""
        records: Trial | None = None
        links: Trial | None = None
        for draft in drafts:
            trial = self.run(draft)
            if trial is None or trial.mark <= 0:
                continue
            if draft.links:
                links = trial if links is None or trial.mark > links.mark * 1.05 else links
            else:
                records = trial if records is None or trial.mark > records.mark * 1.05 else records
        return records, links


def _mark(draft: Draft, found: Extraction, page_url: str) -> float:
    """A post with its comments is worth more than the post alone, however short the comments are."""
    comments = [record for record in found.records if record.kind is MentionKind.COMMENT]
    posts = [record for record in found.records if record.kind is not MentionKind.COMMENT]
    if draft.whole and len(found.records) == 1 and not _tells_its_own(found.records[0]):
        return 0.0
    if draft.whole and posts and comments:
        good = sum(_completeness(comment, page_url) for comment in comments) / len(comments) >= GOOD_COMMENT
        return _record_mark(posts, page_url) * (1.2 if good else 0.9)
    return _record_mark(found.records, page_url)


def _tells_its_own(record: MentionRecord) -> bool:
    """Whether a page read as one post is one: every page has some words somewhere."""
    signed = bool(record.author) and len(record.text) >= 2 * SPOKEN
    return record.published_at is not None or signed or len(record.text) >= WHOLE_TEXT


def _record_mark(records: list[MentionRecord], page_url: str) -> float:
    if not records:
        return 0.0
    mean = sum(_completeness(record, page_url) for record in records) / len(records)
    different = len({record.text for record in records}) / len(records)
    return mean * different * (1 + math.log2(1 + min(len(records), 32)) / 5)


def _completeness(record: MentionRecord, page_url: str) -> float:
    weight = min(len(record.text) / 40, 1.0)
    if record.extra.get("title_only"):
        weight *= 0.3
    elif LIKELY_CUT.search(record.text):
        weight *= 0.6
    timed = 0.0 if record.published_at is None else 0.2 if record.extra.get("future") else 1.0
    own_page = record.url != page_url and "#" not in record.url
    return (
        weight
        + timed
        + 0.5 * bool(record.author)
        + 0.3 * (record.rating is not None)
        + 0.3 * own_page
        + 0.15 * bool(record.title)
        + 0.1 * (record.likes is not None)
        + 0.1 * bool(record.product or record.shop or record.sku)
    )


def _link_mark(found: Extraction) -> float:
    """Links with titles of some length, and with times: those of posts rather than of a menu."""
    if len(found.links) < 2:
        return 0.0
    titles = [str(link.carried.get("title") or "") for link in found.links]
    length = min(statistics.mean(map(len, titles)) / 12, 1.0)
    known = sum(
        1 + ("published_at" in link.carried) + 0.5 * ("author" in link.carried) for link in found.links
    ) / len(found.links)
    different = len(set(titles)) / len(titles)
    return (0.2 + length) * known * different * (1 + math.log2(1 + min(len(found.links), 32)) / 2)


def guess_kind(*hints: object) -> str:
    """Say what kind of mention it is from addresses, selectors and field names; a post where nothing tells."""
    words = " ".join(hint for hint in hints if isinstance(hint, str))
    if any(isinstance(hint, dict) and "rating" in hint for hint in hints):
        return "review"
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "post")


def ids_in(addresses: list[str]) -> bool:
    """Whether the last part of each address is an id: different everywhere, with a digit in it."""
    found = [match.group(1) for address in addresses if (match := re.search(ID_IN_ADDRESS, address))]
    return len(set(found)) == len(addresses) and all(re.search(r"\d", one) for one in found)
