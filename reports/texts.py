"""One judged text as a complaint about a product: what it is about, who speaks, and whether it counts.

Competitors' troubles and old news that is passed around again are told apart here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from reports.bursts import as_one_voice
from reports.complaint import Complaint, topic_of
from vocwatch.clock import business_date
from vocwatch.models import OTHER_TOPIC, Sentiment, TextKind
from vocwatch.settings import Settings
from vocwatch.store.incidents import Heard, WatchHit

_YEAR = re.compile(r"(?<!\d)(20\d\d)\s?年(?!.{0,8}(?:买|购|入手|下单|囤|收到|生产|新款|款))")
_PRESENT = re.compile(r"今天|今早|今晚|昨天|昨晚|前天|刚刚|刚才|这次|这回|本周|上周|这两天|现在")
_OLD_CUES = re.compile(r"[两二三四五几多前]年前|前几年|旧闻|旧帖|老帖|老新闻|陈年|考古|翻出来|翻到.{0,6}以前")
_OLD_SIGNS = "年旧老考翻"  # no text without one of these matches either of them: most are settled by that


class Reader:
    """Makes complaints out of judged texts by the configuration."""

    def __init__(self, settings: Settings):
        self._zone = settings.app.zone
        self._classes = {line.name: line for line in settings.topics.red_lines}
        self._products = {w.id: w.sku or w.id for w in settings.watches.watches if w.kind == "product"}
        self._names = {
            name: w.sku or w.id
            for w in settings.watches.watches
            if w.kind == "product"
            for name in (w.name, *w.aliases)
        }
        # Of several watches on one product (a nickname apart) the first names it.
        self.display: dict[str, str] = {}
        for w in settings.watches.watches:
            if w.kind == "product":
                self.display.setdefault(w.sku or w.id, w.name)

    def read(self, texts: Iterable[Heard]) -> list[Complaint]:
        """Read texts one by one: all as originals, and answers without a subject of their own with no topic."""
        return [c for heard in texts if (c := self._read(heard)) is not None]

    def complaints(self, texts: Iterable[Heard], origins: Mapping[int, int]) -> list[Complaint]:
        """Read texts; those that complain of nothing of ours, and answer no such post, are left out.

        `origins` are the mentions that others copy. An angry answer without a subject of its own speaks of what the post
        above it complains of.
        """
        return told_together(self.read(texts), origins)

    def _read(self, heard: Heard) -> Complaint | None:
        ours = heard if heard.sku or heard.text_kind is TextKind.SESSION else _without_competitor(heard)
        stated = {str(r.get("name")) for r in ours.red_lines if r.get("rule") != "model"}
        lines = tuple(
            self._classes[name]
            for name in dict.fromkeys(str(r.get("name")) for r in ours.red_lines)
            if name in self._classes and (name in stated or self._classes[name].first_class)
        )
        own = [*(line.topic for line in lines if line.topic), *(t for t in ours.topics if t != OTHER_TOPIC)]
        topics = tuple(dict.fromkeys(own or [*(topic_of(line) for line in lines), *ours.topics]))
        if not heard.brand_match and heard.text_kind is TextKind.MENTION:
            topics, lines = (), ()
        if not topics and not heard.parent:
            return None
        origin = heard.ref_id if heard.text_kind is TextKind.MENTION else None
        return Complaint(
            heard=heard,
            day=business_date(heard.at, self._zone),
            product=self.product(heard),
            topics=topics,
            red_lines=lines,
            voice=_voice(heard),
            origin=origin,
            old_news=heard.text_kind is TextKind.MENTION and is_old_news(heard.text, heard.at.year),
            suspected=frozenset(line.name for line in lines if line.name not in stated),
        )

    def product(self, heard: Heard) -> str | None:
        """Return the SKU a text is about: the page's own, else the product named most often, first of
        equals.
        """
        if heard.sku:
            return heard.sku
        if heard.product and heard.product in self._names:
            return self._names[heard.product]
        named = Counter(self._products[h.watch] for h in heard.hits if h.watch in self._products)
        return named.most_common(1)[0][0] if named else None


def told_together(read: Iterable[Complaint], origins: Mapping[int, int]) -> list[Complaint]:
    """Return texts that were read one by one as they stand together, see `Reader.complaints`."""
    own = [_of_origin(c, origins) for c in read]
    posts = {(c.channel, c.heard.native_id): c for c in own if c.topics and not c.inside}
    whole = [c if c.topics else _answer(c, posts.get((c.channel, c.heard.parent or ""))) for c in own]
    return as_one_voice([c for c in whole if c.topics])


def _of_origin(c: Complaint, origins: Mapping[int, int]) -> Complaint:
    """A copy is nobody's voice."""
    origin = c.origin if c.inside else origins.get(c.heard.ref_id, c.origin)
    return c if origin == c.origin else replace(c, origin=origin, voice=None)


def arrival_day(settings: Settings, heard: Heard, day: dt.date) -> dt.date | None:
    """Return the business date whose digest first could know a late text of `day`; None for one that came in time.

    Late is what was first seen when the digest of the day it belongs to was already due.
    """
    seen = heard.first_seen_at
    if seen < settings.app.digest_moment(day):
        return None
    return settings.app.digest_due(seen) + dt.timedelta(days=1)


def is_old_news(text: str, year: int) -> bool:
    """Say whether a text presents something of earlier years, by its own words.

    “2024年那次 … 又翻出来” is old news; “2024年买的” and anything that also speaks of these days is not.
    """
    if not any(sign in text for sign in _OLD_SIGNS) or _PRESENT.search(text):
        return False
    return bool(_OLD_CUES.search(text)) or any(int(found) < year for found in _YEAR.findall(text))


def _voice(heard: Heard) -> str:
    if heard.text_kind is TextKind.SESSION:
        return f"s:{heard.author or heard.native_id}"
    return f"m:{heard.channel}:{heard.author}" if heard.author else f"m:{heard.ref_id}"


def _answer(answer: Complaint, post: Complaint | None) -> Complaint:
    if post is None or answer.heard.sentiment != Sentiment.NEGATIVE:
        return answer
    return replace(answer, topics=post.topics[:1], product=answer.product or post.product)


@dataclass(frozen=True)
class _Ours:
    """What of a text is said of us."""

    topics: tuple[str, ...]
    red_lines: tuple[dict[str, object], ...]


def _without_competitor(heard: Heard) -> _Ours | Heard:
    """Drop the topics and red lines whose clause speaks of a competitor (the name that stands last before
    it).
    """
    names = _Names(heard.hits)
    if not names.competitor:
        return heard
    if not heard.spans:
        return _Ours(heard.topics, heard.red_lines) if names.ours else _Ours((), ())
    kept = {str(s["topic"]) for s in heard.spans if names.about_us(int(s["start"]), int(s["end"]))}
    lines = tuple(r for r in heard.red_lines if names.about_us(int(r["start"]), int(r["end"])))
    return _Ours(tuple(t for t in heard.topics if t in kept), lines)


@dataclass(frozen=True)
class _Names:
    hits: tuple[WatchHit, ...]

    @cached_property
    def competitor(self) -> bool:
        return any(h.kind == "competitor" for h in self.hits)

    @cached_property
    def ours(self) -> bool:
        return any(h.kind in ("brand", "product") for h in self.hits)

    def about_us(self, start: int, end: int) -> bool:
        before = [h for h in self.hits if h.start < end and h.kind != "keyword"]
        nearest = max(before, key=lambda h: h.start, default=None) or min(
            (h for h in self.hits if h.kind != "keyword"), key=lambda h: abs(h.start - start), default=None
        )
        return nearest is None or nearest.kind != "competitor"
