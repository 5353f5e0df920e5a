"""Share of voice and complaint mix: the brand beside its competitors, on the same topics and the same sources.

Voices are distinct authors of a source (a text without one counts as its own). Who speaks of two counts for both, so the
shares are of voice × subject pairs. A clause belongs to the name that stands last before it, as in the day's judgement.
Only neutral ground is compared: not what stands on a product's own page (reviews, answers: it names a SKU or product),
and no source on which no competitor was heard in the window.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.coverage import NEXT_MORNING, usable_days
from reports.trade.shares import Share, share
from vocwatch.clock import day_window
from vocwatch.models import OTHER_TOPIC, Sentiment
from vocwatch.settings import Settings
from vocwatch.store import Store, facts, trade
from vocwatch.store.incidents import WatchHit
from vocwatch.store.trade import Judged


@dataclass(frozen=True)
class TopicShare:
    """One topic's part in what is said of a subject; `differs` is 高 or 低 where its interval lies clear of the brand's."""

    topic: str
    share: Share
    differs: str
    mention_ids: tuple[int, ...]


@dataclass(frozen=True)
class Subject:
    """The brand or a competitor: its share of voice, the share of its voices that complain, and of what."""

    watch: str
    name: str
    ours: bool
    voice: Share
    complaining: Share
    topics: tuple[TopicShare, ...]
    mention_ids: tuple[int, ...]


@dataclass(frozen=True)
class VoiceShare:
    """The comparison over [since, until]. `left_out` are sources that spoke of the brand alone, `on_pages` how many
    texts of product pages; `unread` the days on which a compared source was not read.
    """

    since: dt.date
    until: dt.date
    subjects: tuple[Subject, ...]
    sources: tuple[str, ...]
    left_out: tuple[str, ...]
    on_pages: int
    unread: Mapping[str, int]


@dataclass
class _Heard:
    voices: set[str] = field(default_factory=set)
    complaining: set[str] = field(default_factory=set)
    by_topic: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    mentions: list[int] = field(default_factory=list)
    rows: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def voice_share(settings: Settings, store: Store, since: dt.date, until: dt.date, topic: str = "") -> VoiceShare:
    """Compare brand and competitors on [since, until]; only topics under `topic`, where it is named. Reads only."""
    zone = settings.app.zone
    start, end = day_window(since, zone)[0], day_window(until, zone)[1]
    days = [since + dt.timedelta(days=n) for n in range((until - since).days + 1)]
    owners = _owners(settings)
    with store.read() as connection:
        names = trade.named(connection, start, end)
        texts = list(trade.judged_mentions(connection, start, end))
        told = [(text, about(text, names.get(text.ref_id, ()), owners)) for text in texts if not (text.sku or text.product)]
        crawls = facts.crawl_runs(connection, start, end + NEXT_MORNING)
        usable = usable_days(settings, days, crawls, facts.first_crawls(connection), facts.first_mention(connection))
    rivals = {text.channel for text, found in told if any(subject for subject in found)}
    ours_alone = {text.channel for text, found in told if "" in found} - rivals
    heard: dict[str, _Heard] = {"": _Heard(), **{w.id: _Heard() for w in settings.watches.watches if w.kind == "competitor"}}
    for text, found in told:
        if text.channel in rivals:
            for subject, topics in found.items():
                _add(heard[subject], text, [t for t in topics if not topic or t == topic or t.startswith(f"{topic}/")])
    read = {name: len(days) - len(usable[name]) for name in sorted(rivals) if name in usable}
    return VoiceShare(
        since, until, _subjects(settings, heard), tuple(sorted(rivals)), tuple(sorted(ours_alone)), len(texts) - len(told),
        {name: missing for name, missing in read.items() if missing},
    )


def _owners(settings: Settings) -> dict[str, str]:
    """Return for each watch the competitor it belongs to, "" for our own."""
    rivals = {w.id for w in settings.watches.watches if w.kind == "competitor"}
    return {
        w.id: w.id if w.id in rivals else w.brand if w.brand in rivals and w.brand else ""
        for w in settings.watches.watches if w.kind != "keyword"
    }


def about(text: Judged, hits: Sequence[WatchHit], owners: Mapping[str, str]) -> dict[str, list[str]]:
    """Return whom a text speaks of ("" for us, else the competitor's watch), and what it complains of there."""
    named = [(hit.start, owners[hit.watch]) for hit in hits if hit.watch in owners]
    subjects = {subject for _, subject in named}
    if text.brand_match:
        subjects.add("")
    found: dict[str, list[str]] = {subject: [] for subject in subjects}
    complaints = {topic for topic in text.topics if topic != OTHER_TOPIC}
    if len(subjects) == 1:
        found[next(iter(subjects))] = sorted(complaints)
    elif named:
        for topic, sentiment, start, end in text.spans:
            if topic in complaints and sentiment == Sentiment.NEGATIVE:
                found[_subject(named, start, end)].append(topic)
    return found


def _subject(named: Sequence[tuple[int, str]], start: int, end: int) -> str:
    before = [(place, subject) for place, subject in named if place < end]
    return max(before)[1] if before else min(named, key=lambda one: abs(one[0] - start))[1]


def _add(heard: _Heard, text: Judged, topics: Iterable[str]) -> None:
    voice = text.author or f"#{text.ref_id}"
    heard.voices.add(voice)
    heard.mentions.append(text.ref_id)
    for topic in set(topics):
        heard.complaining.add(voice)
        heard.by_topic[topic].add(voice)
        heard.rows[topic].append(text.ref_id)


def _subjects(settings: Settings, heard: Mapping[str, _Heard]) -> tuple[Subject, ...]:
    total = sum(len(each.voices) for each in heard.values())
    names = {w.id: w.name for w in settings.watches.watches}
    topics = sorted({topic for each in heard.values() for topic in each.by_topic},
                    key=lambda topic: (-max(len(each.by_topic[topic]) for each in heard.values() if topic in each.by_topic), topic))
    mine = {topic: share(topic, len(heard[""].by_topic.get(topic, ())), len(heard[""].voices)) for topic in topics}
    found = []
    for watch, each in heard.items():
        mix = []
        for topic in topics:
            one = share(topic, len(each.by_topic.get(topic, ())), len(each.voices))
            mix.append(TopicShare(topic, one, _differs(one, mine[topic]) if watch else "", tuple(each.rows.get(topic, ()))))
        found.append(Subject(
            watch or settings.app.brand.watch, names.get(watch, "") if watch else settings.app.brand.name, not watch,
            share("声量占比", len(each.voices), total), share("投诉占比", len(each.complaining), len(each.voices)), tuple(mix),
            tuple(each.mentions),
        ))
    return tuple(sorted(found, key=lambda s: (not s.ours, -(s.voice.part or 0), s.watch)))


def _differs(one: Share, mine: Share) -> str:
    if one.low is None or one.high is None or mine.low is None or mine.high is None:
        return ""
    return "高" if one.low > mine.high else "低" if one.high < mine.low else ""


def as_dict(found: VoiceShare) -> dict[str, Any]:
    """Return the comparison as JSON."""
    return {
        "since": found.since.isoformat(), "until": found.until.isoformat(), "sources": list(found.sources),
        "left_out": list(found.left_out), "on_pages": found.on_pages, "unread_days": dict(found.unread),
        "subjects": [
            {
                "watch": s.watch, "name": s.name, "ours": s.ours, "voice": s.voice.as_dict(), "complaining": s.complaining.as_dict(),
                "topics": [{**t.share.as_dict(), "differs": t.differs or None, "mention_ids": list(t.mention_ids)} for t in s.topics],
                "mention_ids": list(s.mention_ids),
            }
            for s in found.subjects
        ],
    }
