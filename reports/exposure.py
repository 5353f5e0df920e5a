"""Customers who threatened to go public, and the post that may have followed.

Nobody's account outside is known to be a customer inside: the link is made of product, reason, wording and time, and
is said with its probability. For each threat, every public complaint of the day gets the weight

    w = π · f(lag) · L / n        L = product × reason × wording × place (likelihood ratios)

where π is how often a threat is carried out, f(lag) how likely that is so long after it, and n the day's complaints;
the probability is w ÷ (1 − π + Σ w), so that "none of these" is always among the answers.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.complaint import Complaint
from vocwatch.fingerprint import squeeze
from vocwatch.store.keywords import KeywordSession

CLASSES = ("曝光维权", "监管投诉", "媒体")  # keyword classes of config/keywords.yaml that threaten exposure
WINDOW_DAYS = 7
CARRIED_OUT = 0.15
MEAN_LAG_DAYS = 2.0
LEAST = 0.3  # fainter links are not told
MOST = 50.0  # no single trait weighs more
OTHER_PRODUCT, OTHER_REASON, OTHER_PLACE, NAMED_PLACE = 0.02, 0.15, 0.7, 5.0
WORDING = 12.0
MAX_LETTERS = 600
_PLACES = {"小红书": "笔记", "抖音": "视频", "快手": "视频", "微博": "微博", "贴吧": "论坛", "知乎": "问答", "黑猫": "投诉", "12315": "投诉"}


@dataclass(frozen=True)
class Link:
    """A threat and the public complaint that probably followed; `shared` are the traits both have."""

    session_id: str
    words: tuple[str, ...]
    threatened_at: dt.datetime
    url: str
    source: str
    appeared_at: dt.datetime
    lag_hours: float
    probability: float
    shared: tuple[str, ...]
    keys: tuple[tuple[str, int], tuple[str, int]]


@dataclass(frozen=True)
class Exposures:
    """Sessions of the day that threaten exposure, and the links of the day's posts to threats of the week."""

    session_ids: tuple[str, ...]
    links: tuple[Link, ...]


def threats(found: Iterable[KeywordSession]) -> dict[int, KeywordSession]:
    """Return the sessions that threaten exposure by row id, with the words of all such classes."""
    out: dict[int, KeywordSession] = {}
    for hit in found:
        if hit.name in CLASSES:
            before = out.get(hit.ref_id)
            words = (*before.words, *hit.words) if before else hit.words
            out[hit.ref_id] = KeywordSession(
                hit.ref_id, hit.native_id, hit.path, hit.started_at, hit.shop, hit.sku, hit.name, words
            )
    return out


def link(
    inside: Sequence[Complaint],
    outside: Sequence[Complaint],
    said: Mapping[int, KeywordSession],
    titles: Mapping[str, str],
) -> tuple[Link, ...]:
    """Link threatening sessions with the public complaints of a day, likeliest first; each side at most once.

    `said` are the threats by session row id, `titles` the sources' names. The order of the rows plays no part.
    """
    if not inside:
        return ()
    posts = [c for c in outside if not c.inside and c.voice]
    day = _Day(posts, titles)
    found = [made for c in inside if c.heard.ref_id in said for made in day.links(c, said[c.heard.ref_id])]
    found.sort(key=lambda made: (-made.probability, made.session_id, made.url))
    kept: list[Link] = []
    taken: set[tuple[str, int]] = set()
    sessions: set[str] = set()
    for made in found:
        if made.session_id not in sessions and made.keys[1] not in taken:
            kept.append(made)
            sessions.add(made.session_id)
            taken.add(made.keys[1])
    return tuple(kept)


class _Day:
    """The public complaints of a day, and how common each trait is among them."""

    def __init__(self, posts: Sequence[Complaint], titles: Mapping[str, str]):
        self._posts = posts
        self._titles = titles
        self._products = Counter(c.product for c in posts if c.product)
        self._topics = Counter(topic for c in posts for topic in c.topics)
        self._pairs: dict[tuple[str, int], frozenset[str]] = {}  # of those that were compared
        self._common: Counter[str] = Counter()
        for c in posts:
            self._common.update(_pairs(c.heard.text))
        self._where: dict[str, list[Complaint]] = defaultdict(list)
        for c in posts:
            for trait in {c.product or "", *c.topics}:
                self._where[trait].append(c)

    def links(self, threat: Complaint, said: KeywordSession) -> list[Link]:
        """Return the links of one threat that are worth telling."""
        near = {c.key: c for trait in {threat.product or "", *threat.topics} for c in self._where[trait]}
        wording = self._wording(threat)
        weights = {}
        for c in near.values():
            lag = (c.heard.at - threat.heard.at).total_seconds() / 86400
            if 0 < lag <= WINDOW_DAYS:
                chance = math.exp(-math.floor(lag) / MEAN_LAG_DAYS) * (1 - math.exp(-1 / MEAN_LAG_DAYS))
                ratio = self._product(threat, c) * self._reason(threat, c) * self._place(said, c)
                likeness = min(MOST, math.exp(WORDING * wording(self._pairs_of(c))))
                weights[c.key] = CARRIED_OUT * chance * ratio * likeness / len(self._posts)
        everything = 1 - CARRIED_OUT + math.fsum(sorted(weights.values()))
        return [
            self._link(threat, said, near[key], weight / everything)
            for key, weight in weights.items()
            if weight / everything >= LEAST
        ]

    def _pairs_of(self, c: Complaint) -> frozenset[str]:
        if c.key not in self._pairs:
            self._pairs[c.key] = _pairs(c.heard.text)
        return self._pairs[c.key]

    def _product(self, threat: Complaint, c: Complaint) -> float:
        if not threat.product or not c.product:
            return 1.0
        return min(MOST, len(self._posts) / self._products[c.product]) if threat.product == c.product else OTHER_PRODUCT

    def _reason(self, threat: Complaint, c: Complaint) -> float:
        shared = [self._topics[topic] for topic in set(threat.topics) & set(c.topics)]
        return min(MOST, len(self._posts) / min(shared)) if shared else OTHER_REASON

    def _place(self, said: KeywordSession, c: Complaint) -> float:
        named = {place for word in said.words for name, kind in _PLACES.items() if name in word for place in (name, kind)}
        if not named:
            return 1.0
        title = self._titles.get(c.channel, c.channel)
        return NAMED_PLACE if any(place in title for place in named) else OTHER_PLACE

    def _wording(self, threat: Complaint) -> _Likeness:
        return _Likeness(_pairs(threat.heard.text), self._common, len(self._posts))

    def _link(self, threat: Complaint, said: KeywordSession, c: Complaint, probability: float) -> Link:
        shared = []
        if threat.product and threat.product == c.product:
            shared.append("product")
        if set(threat.topics) & set(c.topics):
            shared.append("reason")
        if self._wording(threat)(self._pairs_of(c)) >= 0.1:
            shared.append("wording")
        if self._place(said, c) > 1:
            shared.append("place")
        lag = (c.heard.at - threat.heard.at).total_seconds() / 3600
        return Link(
            said.native_id, said.words, threat.heard.at, c.heard.url, c.channel, c.heard.at, round(lag, 1),
            round(probability, 2), tuple(shared), (threat.key, c.key),
        )


class _Likeness:
    """Cosine of two texts' character pairs, rare pairs weighing more."""

    def __init__(self, pairs: frozenset[str], common: Counter[str], texts: int):
        self._pairs = pairs
        self._common = common
        self._texts = texts
        self._own = math.sqrt(math.fsum(sorted(self._weight(pair) for pair in pairs)))

    def __call__(self, other: frozenset[str]) -> float:
        theirs = math.sqrt(math.fsum(sorted(self._weight(pair) for pair in other)))
        both = math.fsum(sorted(self._weight(pair) for pair in self._pairs & other))
        return both / (self._own * theirs) if self._own and theirs else 0.0

    def _weight(self, pair: str) -> float:
        return math.log((1 + self._texts) / (1 + self._common[pair])) ** 2


def _pairs(text: str) -> frozenset[str]:
    bare = squeeze(text[:MAX_LETTERS])
    return frozenset(bare[i : i + 2] for i in range(len(bare) - 1))
