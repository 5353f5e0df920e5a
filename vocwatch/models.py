"""The words of the field as types: what the stages hand to each other through the store.

Plain values only: no SQL, no framework, no clock. Times are aware datetimes in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

OTHER_TOPIC = "其他/其他"  # a complaint that the taxonomy has no leaf for


class SourceStatus(StrEnum):
    """How a source's run ended. Everything but `ok` (and a credible `empty`) is unknown, never zero."""

    OK = "ok"
    DEGRADED = "degraded"
    BLOCKED = "blocked"
    EMPTY = "empty"
    NOT_RUN = "not-run"


class RunStatus(StrEnum):
    """State of any recorded piece of work."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class MentionKind(StrEnum):
    """What an external text is on its own site."""

    POST = "post"
    REVIEW = "review"
    COMMENT = "comment"
    COMPLAINT = "complaint"
    ARTICLE = "article"
    APPEND = "append"  # 追评
    REPLY = "reply"  # the merchant's own answer


class TextKind(StrEnum):
    """Where an assessed text comes from."""

    MENTION = "mention"
    SESSION = "session"


class Path(StrEnum):
    """质检路径: why an internal session is bad."""

    RED_LINE = "服务红线"
    UNSATISFIED = "非满意"
    BAD_REVIEW = "中差评"
    QUALITY_RETURN = "品退"
    LOST = "流失"
    KEYWORD = "舆情关键词"


class Sentiment(StrEnum):
    """Polarity of a text towards what it speaks of."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Level(StrEnum):
    """企业内部预警 levels, most serious first."""

    RED = "红"
    ORANGE = "橙"
    YELLOW = "黄"
    BLUE = "蓝"

    @property
    def roman(self) -> str:
        """Ⅰ (red) to Ⅳ (blue)."""
        return {"红": "Ⅰ", "橙": "Ⅱ", "黄": "Ⅲ", "蓝": "Ⅳ"}[self.value]

    @property
    def rank(self) -> int:
        """1 for red to 4 for blue."""
        return {"红": 1, "橙": 2, "黄": 3, "蓝": 4}[self.value]


class IncidentState(StrEnum):
    """What an incident did on a day, compared with the days before."""

    NEW = "新增"
    ESCALATED = "升级"
    ONGOING = "持续"
    FALLING = "回落"
    RECURRED = "复燃"


@dataclass(frozen=True, slots=True)
class Page:
    """One fetched page: what an extractor reads and what is kept as evidence.

    `url` is the final address after redirects; `body` the decompressed bytes; `headers` have lower-case names.
    """

    url: str
    body: bytes
    fetched_at: dt.datetime
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    request_url: str = ""


@dataclass(slots=True)
class MentionRecord:
    """One external text as an extractor read it from a page.

    `author` is the raw public name or id and never reaches the store: the pipeline turns it into a keyed
    pseudonym. `parent` is the native id of the post that a comment or follow-up belongs to. `published_at`
    is None when the page gives no readable time; `precision` is second, minute, hour, day or none.
    """

    native_id: str
    url: str
    kind: MentionKind
    text: str
    title: str | None = None
    author: str | None = None
    published_at: dt.datetime | None = None
    precision: str = "none"
    rating: float | None = None
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None
    parent: str | None = None
    product: str | None = None
    sku: str | None = None
    shop: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of a session; `role` is customer, agent or system; `text` is already masked in the store."""

    role: str
    text: str
    at: dt.datetime | None = None


@dataclass(slots=True)
class SessionRecord:
    """One internal customer-service conversation, read from one row of an export and already masked.

    `order_key`, `agent_key` and `buyer_key` are keyed pseudonyms. `rating` keeps the export's own word.
    """

    native_id: str
    path: Path
    started_at: dt.datetime
    turns: list[Turn]
    shop: str | None = None
    platform: str | None = None
    sku: str | None = None
    product: str | None = None
    order_key: str | None = None
    agent_key: str | None = None
    buyer_key: str | None = None
    rating: str | None = None
    stars: float | None = None
    return_reason: str | None = None
    violation: str | None = None
    amount: float | None = None
    review: str | None = None
    response_seconds: float | None = None
    resolved: bool | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A text matched a watch: which, by which rule, and where (offsets into the original text)."""

    watch: str
    kind: str
    rule: str
    start: int
    end: int
    matched: str


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that would take four times as long to make
class Span:
    """A clause that carries a judgement: offsets into the original text, its topic and its polarity."""

    start: int
    end: int
    topic: str
    sentiment: Sentiment
    severity: int = 0


@dataclass(frozen=True, slots=True)
class RedLine:
    """A red-line class that fired, with the words that fired it; `rule` is `word`, `pattern3` or `model`, `reason`
    says the same for people.
    """

    name: str
    rule: str
    start: int
    end: int
    matched: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TextInput:
    """One text to be judged, with what is known of its surroundings.

    `title` and `body` are judged as one text `title + "\\n" + body` (body alone without a title); all offsets
    refer to that. `context` names products or shops that the page itself ties the text to (SKU, product name).
    `parent` is the text that this one answers (the post of a comment, the review of a follow-up).
    """

    id: str
    body: str
    title: str | None = None
    kind: str = "post"
    rating: float | None = None
    context: tuple[str, ...] = ()
    about_brand: bool = False  # internal sessions are always about the brand
    parent: str | None = None

    @property
    def text(self) -> str:
        """The text that offsets refer to."""
        return f"{self.title}\n{self.body}" if self.title else self.body


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that would take four times as long to make
class Assessment:
    """What the sentiment stage says of one text.

    `score` runs from −1 (negative) to +1 (positive); `confidence` is the probability of `sentiment`, 0 to 1;
    `review` says that the next likely class is so close that a person should look (待复核); `severity` is 0 none, 1 minor,
    2 clear complaint, 3 safety, privacy or legal risk; `voice` is customer, ad, lottery, resale, recruit,
    merchant, media or other;
    `fingerprint` the near-duplicate signature as bytes; `refused` the reason when a text could not be judged;
    `truncated` says that only the beginning of an over-long text was judged.
    """

    id: str
    model_version: str
    brand_match: bool
    sentiment: Sentiment
    score: float
    confidence: float
    mixed: bool
    severity: int
    topics: tuple[str, ...]
    red_lines: tuple[RedLine, ...]
    spans: tuple[Span, ...]
    hits: tuple[Hit, ...]
    voice: str
    fingerprint: bytes
    refused: str | None = None
    truncated: bool = False
    review: bool = False
