"""The shape of a digest: the one frozen structure that mail, page, console, command line and JSON all show.

Every number is a count of rows it names, or is None with the reason. `reports.facts` fills it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from reports.coverage import Coverage
from reports.emerging import Phrase
from reports.exposure import Exposures
from reports.keyword_classes import KeywordDay
from reports.overdue import Overdue
from reports.precision import Precision
from reports.rates import Rate
from reports.rising import Rising
from reports.say import Say
from reports.usual import Usual
from reports.words import Word


@dataclass(frozen=True)
class Indicator:
    """One of the four figures. `baseline` is the median of the four same weekdays; `partial` when sources
    were blind.

    `value` is None when the data is missing altogether; `share` accompanies the negative mentions.
    """

    name: str
    value: int | None
    baseline: float | None
    judgement: str
    share: float | None = None
    partial: bool = False


@dataclass(frozen=True)
class Action:
    """Something to be done: what, by whom, until when, for which incident (None: data health)."""

    what: Say
    owner: str
    due: dt.datetime
    incident: str | None
    level: str


@dataclass(frozen=True)
class Quote:
    """A masked excerpt of a public text with its address and the sha256 of the page it stands on."""

    text: str
    url: str
    evidence: str | None
    source: str
    published_at: dt.datetime


@dataclass(frozen=True)
class Today:
    """What came to a risk on the day itself."""

    voices: int
    mentions: int
    sessions: int
    expected: float | None
    p_value: float | None


@dataclass(frozen=True)
class Risk:
    """One listed incident. `authors` are the independent public voices behind `mention_urls`."""

    rank: int
    incident: str
    level: str
    state: str
    title: str
    topic: str
    product: str | None
    product_name: str
    shop: str | None
    owner: str
    score: float
    formula: str
    parts: dict[str, float]
    why: tuple[Say, ...]
    authors: int
    copies: int
    mention_urls: tuple[str, ...]
    session_ids: tuple[str, ...]
    sources: tuple[str, ...]
    lead_days: int | None
    first_seen: dt.datetime
    first_source: str
    today: Today
    quotes: tuple[Quote, ...]
    advice: tuple[Say, ...]
    recurs_of: str | None


@dataclass(frozen=True)
class Alert:
    """A red-line alert that was raised."""

    time: dt.datetime
    incident: str
    level: str
    title: str
    mention_urls: tuple[str, ...]
    session_ids: tuple[str, ...]


@dataclass(frozen=True)
class Emerging:
    """An incident below the cards, or a rise that may be chance: expected against seen."""

    incident: str
    level: str
    title: str
    topic: str
    seen: int
    expected: float | None
    p_value: float | None
    said: Say | None


@dataclass(frozen=True)
class Reason:
    """A reason of the day's bad sessions on one product; `both` when it is complained of in public as
    well.
    """

    reason: str
    product: str | None
    product_name: str
    sessions: int
    mentions: int
    both: bool
    safety: bool
    session_ids: tuple[str, ...]
    mention_urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Internal:
    """The day inside customer service. `missing` when nothing was imported: then there are no zeros.

    `unsearched` of the day's sessions wait to be searched for the keyword classes as they stand now.
    """

    missing: bool
    total: int
    paths: dict[str, int]
    reasons: tuple[Reason, ...]
    csi: float | None
    csi_note: Say
    rates_note: Say
    rates: tuple[Rate, ...] = ()
    keywords: tuple[KeywordDay, ...] = ()
    unsearched: int = 0


@dataclass(frozen=True)
class ShopDay:
    """One shop's sessions of the day; `total` is None where the day's imports hold none of this shop."""

    shop: str
    name: str
    owner: str
    total: int | None
    baseline: float | None
    judgement: str
    paths: dict[str, int]


@dataclass(frozen=True)
class TrendDay:
    """One day of the trend; None where the data is missing, `partial` where sources were blind."""

    date: dt.date
    total: int | None
    negative: int | None
    sessions: int | None
    partial: bool


@dataclass(frozen=True)
class Platform:
    """One source's volume of the day; None where it was not read at all."""

    name: str
    title: str
    status: str
    total: int | None
    negative: int | None


@dataclass(frozen=True)
class FollowUp:
    """A risk of yesterday's digest and what became of it."""

    incident: str
    title: str
    level: str
    owner: str
    today: Say


@dataclass(frozen=True)
class Case:
    """A session worth showing in training, as a masked excerpt."""

    session_id: str
    path: str
    product_name: str
    text: str


@dataclass(frozen=True)
class Facts:
    """A digest: everything it says, nothing about how it looks.

    `others` are the incidents behind `more_risks`, and `shops` each shop's sessions, for readers who are shown theirs only. `console` is the console's
    address, or empty. A view (`reports.digest.views`) for enhanced privacy is `private`; `left_out` counts the steps
    that were needed to fit it into a mail (`reports.digest.fit`).
    """

    date: dt.date
    brand: str
    audience: str
    level: str
    verdict: tuple[Say, ...]
    window: tuple[dt.datetime, dt.datetime]
    generated_at: dt.datetime
    coverage: Coverage
    indicators: tuple[Indicator, ...]
    actions: tuple[Action, ...]
    risks: tuple[Risk, ...]
    more_risks: int
    to_check: tuple[Risk, ...]
    alerts: tuple[Alert, ...]
    emerging: tuple[Emerging, ...]
    internal: Internal
    trend: tuple[TrendDay, ...]
    platforms: tuple[Platform, ...]
    words: tuple[Word, ...]
    followups: tuple[FollowUp, ...]
    bad_cases: tuple[Case, ...]
    good_cases: tuple[Case, ...]
    phrases: tuple[Phrase, ...] = ()
    rising: tuple[Rising, ...] = ()
    usual: dict[str, Usual] = field(default_factory=dict)
    exposures: Exposures = field(default_factory=lambda: Exposures((), ()))
    overdue: tuple[Overdue, ...] = ()
    precision: Precision | None = None
    notes: tuple[Say, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    others: tuple[Risk, ...] = ()
    shops: tuple[ShopDay, ...] = ()
    console: str = ""
    private: bool = False
    left_out: int = 0
