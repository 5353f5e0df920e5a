"""What the measures of the trade are counted from, read in bulk and without texts: reviews with stars, judged texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import MentionKind, TextKind
from vocwatch.store.engine import chunks
from vocwatch.store.incidents import VOICES, WatchHit, placed_at, placed_between
from vocwatch.store.schema import assessments, hits, mentions, sessions, turns

FETCH = 5000


@dataclass(frozen=True, slots=True)
class StarReview:
    """One customer's review of ours with stars."""

    ref_id: int
    at: dt.datetime
    source: str
    stars: float
    sku: str | None
    shop: str | None


def star_reviews(connection: Connection, since: dt.datetime, until: dt.datetime) -> Iterator[StarReview]:
    """Yield the brand's reviews with stars in [since, until) by customers."""
    m, a = mentions.c, assessments.c
    query = (
        sa.select(m.id, placed_at().label("placed"), m.source, m.rating, m.sku, m.shop)
        .join(assessments, sa.and_(a.text_kind == TextKind.MENTION.value, a.ref_id == m.id))
        .where(
            placed_between(since, until), m.kind == MentionKind.REVIEW.value, m.rating.is_not(None), a.brand_match,
            a.voice == "customer", a.refused.is_(None),
        )
        .order_by(m.id)
    )
    for row in connection.execute(query.execution_options(yield_per=FETCH)):
        yield StarReview(row.id, row.placed, row.source, row.rating, row.sku, row.shop)


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged text without its words. `author` is the keyed pseudonym with its source; `spans` are
    (topic, sentiment, start, end).
    """

    kind: str
    ref_id: int
    native_id: str
    channel: str
    at: dt.datetime
    author: str | None
    sku: str | None
    product: str | None
    shop: str | None
    brand_match: bool
    sentiment: str
    severity: int
    topics: tuple[str, ...]
    spans: tuple[tuple[str, str, int, int], ...]


def judged_mentions(connection: Connection, since: dt.datetime, until: dt.datetime) -> Iterator[Judged]:
    """Yield the mentions in [since, until) by customers and press, whomever they speak of."""
    m, a = mentions.c, assessments.c
    query = (
        sa.select(m.id, m.native_id, m.source, placed_at().label("placed"), m.author_key, m.sku, m.product, m.shop, *_judged())
        .join(assessments, sa.and_(a.text_kind == TextKind.MENTION.value, a.ref_id == m.id))
        .where(placed_between(since, until), a.refused.is_(None), a.voice.in_(VOICES))
        .order_by(m.id)
    )
    for row in connection.execute(query.execution_options(yield_per=FETCH)):
        author = f"{row.source}:{row.author_key}" if row.author_key else None
        yield _text(TextKind.MENTION, row, row.source, row.placed, author)


def judged_sessions(connection: Connection, since: dt.datetime, until: dt.datetime) -> Iterator[Judged]:
    """Yield the judged sessions that began in [since, until)."""
    s, a = sessions.c, assessments.c
    query = (
        sa.select(s.id, s.native_id, s.path, s.started_at, s.buyer_key, s.sku, s.product, s.shop, *_judged())
        .join(assessments, sa.and_(a.text_kind == TextKind.SESSION.value, a.ref_id == s.id))
        .where(s.started_at >= since, s.started_at < until, a.refused.is_(None))
        .order_by(s.id)
    )
    for row in connection.execute(query.execution_options(yield_per=FETCH)):
        yield _text(TextKind.SESSION, row, row.path, row.started_at, row.buyer_key)


def _judged() -> list[sa.Column[Any]]:
    return [assessments.c[name] for name in ("brand_match", "sentiment", "severity", "topics", "spans")]


def _text(kind: TextKind, row: Any, channel: str, at: dt.datetime, author: str | None) -> Judged:
    spans = tuple((str(s["topic"]), str(s["sentiment"]), int(s["start"]), int(s["end"])) for s in row.spans or ())
    return Judged(
        kind.value, row.id, row.native_id, channel, at, author, row.sku, row.product, row.shop, row.brand_match,
        row.sentiment, row.severity, tuple(row.topics or ()), spans,
    )


def named(connection: Connection, since: dt.datetime, until: dt.datetime) -> dict[int, tuple[WatchHit, ...]]:
    """Return the watches (not keywords) that each mention in [since, until) names, in the order in which it does."""
    h = hits.c
    query = (
        sa.select(h.ref_id, h.watch, h.kind, h.start)
        .join(mentions, sa.and_(h.text_kind == TextKind.MENTION.value, h.ref_id == mentions.c.id))
        .where(placed_between(since, until), h.kind != "keyword").order_by(h.ref_id, h.start)
    )
    found: dict[int, list[WatchHit]] = {}
    for row in connection.execute(query.execution_options(yield_per=FETCH)):
        found.setdefault(row.ref_id, []).append(WatchHit(row.watch, row.kind, row.start))
    return {ref: tuple(items) for ref, items in found.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance of a session."""

    role: str
    text: str


def dialogues(connection: Connection, ids: Sequence[int]) -> dict[int, list[Line]]:
    """Return what was said in each session, by whom, in order."""
    said: dict[int, list[Line]] = {}
    for part in chunks(ids):
        query = sa.select(turns).where(turns.c.session_id.in_(part)).order_by(turns.c.session_id, turns.c.seq)
        for row in connection.execute(query):
            said.setdefault(row.session_id, []).append(Line(row.role, row.text))
    return said
