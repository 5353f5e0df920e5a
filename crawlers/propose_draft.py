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
from crawlers.extractors.records import SECONDARY
from vocwatch.models import MentionRecord, Page
from vocwatch.settings import Source

# A text that ends like this goes on elsewhere.
LIKELY_CUT = re.compile(
    r"(?:…|\.\.\.|\[\.\.\.\]|全文|展开|阅读更多|查看更多|查看详情|read more)\s*$", re.IGNORECASE
)
ID_IN_ADDRESS = r"([0-9A-Za-z_-]{4,})(?:\.s?html?)?/?$"
GOOD_COMMENT = 1.2  # completeness of a comment that has at least a time beside its words
LONG = 1000  # characters from which a text is certainly what its page is about
WHOLE_TEXT = 150  # characters from which a page without time and author may still be a post
RIVAL, MAX_RIVALS = 0.6, 2  # from which share of the best mark a group is asked about, and how many at most
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
    `label`: the kind of page in words. `in_link`: the text is that of a link, so more stands behind it. `comments`: a step of its own for
    comments on the same page. `bonus`: what its mark is multiplied by, above 1 where it reads more than a simpler draft.
    """

    step: dict[str, Any]
    label: str = ""
    following: dict[str, Any] | None = None
    links: bool = False
    whole: bool = False
    in_link: bool = False
    comments: dict[str, Any] | None = None
    bonus: float = 1.0

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
        posts = [record for record in self.found.records if record.kind not in SECONDARY] or self.found.records
        texts = [record.text for record in posts if not record.extra.get("title_only")]
        if self.draft.in_link or len(texts) * 2 < len(posts) or not texts:
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
        if draft.comments:
            steps["comments"] = draft.comments
        try:
            source = Source.model_validate({**self.base, **steps})
            step = source.listing or source.detail
            assert step is not None
            found = extract(self.page, step, source, self.now, self.zone)
            if source.comments is not None and not draft.links and len(found.records) == 1:
                root = found.records[0]
                found.records += extract(self.page, source.comments, source, self.now, self.zone, root=root).records
        except (ValidationError, SpecError):
            return None  # a page can hold names that make no valid path
        mark = _link_mark(found) if draft.links else _mark(draft, found, self.page.url)
        return Trial(draft, found, mark * draft.bonus)

    def ranked(self, drafts: Iterable[Draft]) -> Ranked:
        """Try all drafts; of equals the earlier one is taken for the better."""
        trials = [trial for draft in drafts if (trial := self.run(draft)) is not None and trial.mark > 0]
        found = [trial for trial in trials if not trial.draft.links]
        links = [trial for trial in trials if trial.draft.links]
        records = _first(found)
        return Ranked(records, _first(links), _rivals(records, found))


@dataclass(frozen=True)
class Ranked:
    """The best way to records, the best way to links, and other records of the page that are nearly as good."""

    records: Trial | None = None
    links: Trial | None = None
    rivals: tuple[Trial, ...] = ()


def _first(trials: list[Trial]) -> Trial | None:
    best: Trial | None = None
    for trial in trials:
        if best is None or trial.mark > best.mark * 1.05:
            best = trial
    return best


def _rivals(best: Trial | None, trials: list[Trial]) -> tuple[Trial, ...]:
    """What else could have been meant: whole texts in about as good a shape that the best does not hold."""
    if best is None:
        return ()
    taken = [_words_of(best)]
    found: list[Trial] = []
    for trial in sorted(trials, key=lambda trial: -trial.mark):
        words = _words_of(trial)
        near = trial.mark >= RIVAL * best.mark and trial.real and len(trial.found.records) > 1
        if near and all(len(words & other) <= 0.2 * len(words) for other in taken):
            found.append(trial)
            taken.append(words)
    return tuple(found[:MAX_RIVALS])


def _words_of(trial: Trial) -> set[str]:
    return {record.text[:40] for record in trial.found.records}


def _mark(draft: Draft, found: Extraction, page_url: str) -> float:
    """A post with its comments is worth more than the post alone, however short the comments are."""
    answers = [record for record in found.records if record.kind in SECONDARY]
    posts = [record for record in found.records if record.kind not in SECONDARY]
    if draft.whole and len(found.records) == 1 and not _tells_its_own(found.records[0]):
        return 0.0
    if not posts:
        return _record_mark(found.records, page_url)
    mark = _record_mark(posts, page_url)
    if draft.whole:
        mark *= 1 + 0.5 * min(len(posts[0].text) / LONG, 1.0)
    if not draft.whole or not answers:
        return mark
    if sum(record.text in posts[0].text for record in answers if len(record.text) >= SPOKEN) > max(1, 0.3 * len(answers)):
        return 0.0  # the "comments" are pieces of the post, or the post is all of them together
    good = sum(_completeness(comment, page_url) for comment in answers) / len(answers) >= GOOD_COMMENT
    return mark * (1.2 * _count_factor(len(found.records)) / _count_factor(len(posts)) if good else 0.9)


def _tells_its_own(record: MentionRecord) -> bool:
    """Whether a page read as one post is one: every page has some words somewhere."""
    signed = bool(record.author) and len(record.text) >= 2 * SPOKEN
    return record.published_at is not None or signed or len(record.text) >= WHOLE_TEXT


def _record_mark(records: list[MentionRecord], page_url: str) -> float:
    if not records:
        return 0.0
    mean = sum(_completeness(record, page_url) for record in records) / len(records)
    different = len({(record.text, record.author, record.published_at) for record in records}) / len(records)
    return mean * different * _count_factor(len(records))


def _count_factor(count: int) -> float:
    return 1 + math.log2(1 + min(count, 32)) / 5


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
