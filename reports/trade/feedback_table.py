"""The trade's feedback table: 类别 · 内容 · 频率 · 严重程度 · 满意度, by topic, from public texts and sessions together.

Frequency counts independent voices (authors outside, customers inside), beside the texts. Severity is the mean of the
judgement's 0 to 3 over the topic's complaints. 满意度 of a topic is the trade's formula held to it: (texts that speak of
it − those that complain) ÷ texts that speak of it, with Wilson's interval.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reports.facts import excerpt
from reports.trade.shares import Share, share
from vocwatch.clock import day_window
from vocwatch.masking import mask
from vocwatch.models import OTHER_TOPIC, TextKind
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, incidents, trade
from vocwatch.store.incidents import Heard
from vocwatch.store.trade import Judged

SEVERE = 2  # a clear complaint and worse


@dataclass(frozen=True)
class TopicRow:
    """One line of the table. `category` and `content` are the topic's two levels; `quote` is of its worst text, masked."""

    category: str
    content: str
    voices: int
    texts: int
    share: float
    severity: float
    worst: int
    severe: int
    satisfaction: Share
    quote: str
    mention_ids: tuple[int, ...]
    session_ids: tuple[str, ...]


@dataclass
class _Topic:
    voices: set[str] = field(default_factory=set)
    complaints: list[Judged] = field(default_factory=list)
    spoken: int = 0


def feedback_table(
    settings: Settings, store: Store, since: dt.date, until: dt.date, product: str = "", shop: str = ""
) -> tuple[TopicRow, ...]:
    """Return the topics complained of on [since, until], most voices first; of one product or shop if named. Reads only."""
    zone = settings.app.zone
    start, end = day_window(since, zone)[0], day_window(until, zone)[1]
    with store.read() as connection:
        found = _topics(_ours(settings, connection, start, end, product, shop))
        worst = {name: max(t.complaints, key=lambda j: (j.severity, -j.ref_id)) for name, t in found.items()}
        quotes = _quotes(settings, connection, worst)
    complaints = {(j.kind, j.ref_id) for topic in found.values() for j in topic.complaints}
    rows = [_row(name, topic, len(complaints), quotes.get(name, "")) for name, topic in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.voices, -row.severity, row.category, row.content)))


def _ours(
    settings: Settings, connection: Connection, start: dt.datetime, end: dt.datetime, product: str, shop: str
) -> Iterable[Judged]:
    skus = {w.id: w.sku or w.id for w in settings.watches.watches if w.kind == "product"}
    names = trade.named(connection, start, end) if product else {}
    shops = {shop, *(s.name for s in settings.app.shops if shop in (s.id, s.name)), *(s.id for s in settings.app.shops if shop == s.name)}
    texts = [*trade.judged_mentions(connection, start, end), *trade.judged_sessions(connection, start, end)]
    for text in texts:
        about = {text.sku, text.product}
        if text.kind == TextKind.MENTION:
            about |= {skus.get(hit.watch) for hit in names.get(text.ref_id, ())}
        if (text.brand_match or text.kind == TextKind.SESSION) and (not product or product in about) and (not shop or text.shop in shops):
            yield text


def _topics(texts: Iterable[Judged]) -> dict[str, _Topic]:
    found: dict[str, _Topic] = defaultdict(_Topic)
    for text in texts:
        about = {topic for topic, _, _, _ in text.spans} | set(text.topics)
        for topic in about - {OTHER_TOPIC}:
            found[topic].spoken += 1
        for topic in set(text.topics) - {OTHER_TOPIC}:
            found[topic].complaints.append(text)
            found[topic].voices.add(f"{text.kind}:{text.author or text.native_id}")
    return {name: topic for name, topic in found.items() if topic.complaints}


def _quotes(settings: Settings, connection: Connection, worst: dict[str, Judged]) -> dict[str, str]:
    if not settings.app.digest.quotes:
        return {}
    heard: dict[tuple[str, int], Heard] = {
        h.key: h
        for h in (
            *incidents.mentions_by_id(connection, [j.ref_id for j in worst.values() if j.kind == TextKind.MENTION]),
            *incidents.sessions_by_id(connection, [j.ref_id for j in worst.values() if j.kind == TextKind.SESSION]),
        )
    }
    return {
        name: mask(excerpt(heard[j.kind, j.ref_id], name))
        for name, j in worst.items() if (j.kind, j.ref_id) in heard and not heard[j.kind, j.ref_id].gone
    }


def _row(name: str, topic: _Topic, complaints: int, quote: str) -> TopicRow:
    severities = [j.severity for j in topic.complaints]
    category, _, content = name.partition("/")
    return TopicRow(
        category, content, len(topic.voices), len(topic.complaints), len(topic.complaints) / complaints,
        sum(severities) / len(severities), max(severities), sum(s >= SEVERE for s in severities),
        share("满意度", topic.spoken - len(topic.complaints), topic.spoken), quote,
        tuple(j.ref_id for j in topic.complaints if j.kind == TextKind.MENTION),
        tuple(sorted({j.native_id for j in topic.complaints if j.kind == TextKind.SESSION})),
    )


def as_dicts(rows: Iterable[TopicRow]) -> list[dict[str, Any]]:
    """Return the table as JSON."""
    return [
        {
            "category": row.category, "content": row.content, "voices": row.voices, "texts": row.texts,
            "share": round(row.share, 4), "severity": round(row.severity, 2), "worst": row.worst, "severe": row.severe,
            "satisfaction": row.satisfaction.as_dict(), "quote": row.quote, "mention_ids": list(row.mention_ids),
            "session_ids": list(row.session_ids),
        }
        for row in rows
    ]
