"""What a digest is made of, read in bulk: volumes, sessions, runs, alerts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import RunStatus, SourceStatus
from vocwatch.store.engine import MANY, among, chunks
from vocwatch.store.incidents import VOICES, placed_at, placed_between
from vocwatch.store.runs import Run, _run
from vocwatch.store.schema import (
    alerts,
    assessments,
    hits,
    incident_days,
    incidents,
    mentions,
    revisions,
    runs,
    sessions,
)

FETCH = 5000


class BrandMention(NamedTuple):
    """One mention of the brand by a customer or the press, without its text."""

    ref_id: int
    source: str
    at: dt.datetime
    sku: str | None
    product: str | None
    sentiment: str


def brand_mentions(connection: Connection, since: dt.datetime, until: dt.datetime) -> Iterator[BrandMention]:
    """Yield the brand's mentions in [since, until) by customers and press (ads and the shop's own words
    aside).
    """
    m, a = mentions.c, assessments.c
    query = (
        sa.select(m.id, m.source, placed_at().label("placed"), m.sku, m.product, a.sentiment)
        .join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
        .where(placed_between(since, until), a.brand_match, a.refused.is_(None), a.voice.in_(VOICES))
        .order_by(m.id)
    )
    for row in connection.execute(query.execution_options(yield_per=FETCH)):
        yield BrandMention(row.id, row.source, row.placed, row.sku, row.product, row.sentiment)


def read_late(
    connection: Connection, since: dt.datetime, until: dt.datetime, *, seen: tuple[dt.datetime, dt.datetime]
) -> tuple[int, int]:
    """Return how many of the brand's mentions in [since, until) were first `seen` in that half-open span, and how many
    of them are negative.
    """
    m, a = mentions.c, assessments.c
    query = (
        sa.select(sa.func.count(), sa.func.count().filter(a.sentiment == "negative"))
        .select_from(mentions).join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
        .where(
            placed_between(since, until), a.brand_match, a.refused.is_(None), a.voice.in_(VOICES),
            m.first_seen_at >= seen[0], m.first_seen_at < seen[1],
        )
    )
    texts, negative = connection.execute(query).one()
    return int(texts), int(negative)


def brand_tones(
    connection: Connection, since: dt.datetime, until: dt.datetime
) -> list[tuple[str | None, frozenset[str], bool, int]]:
    """Return how many of `brand_mentions` have a SKU, match these product watches and are negative, or are not."""
    m, a, h = mentions.c, assessments.c, hits.c
    negative = sa.case((a.sentiment == "negative", 1), else_=0)
    judged = mentions.join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
    counted = (placed_between(since, until), a.brand_match, a.refused.is_(None), a.voice.in_(VOICES))
    whole = sa.select(m.sku, negative, sa.func.count()).select_from(judged).where(*counted).group_by(m.sku, negative)
    found: Counter[tuple[str | None, frozenset[str], bool]] = Counter()
    for sku, bad, number in connection.execute(whole):
        found[sku, frozenset(), bool(bad)] = number
    naming = (
        sa.select(m.id, m.sku, negative, h.watch)
        .select_from(judged.join(hits, sa.and_(h.text_kind == "mention", h.ref_id == m.id)))
        .where(*counted, h.kind == "product")
    )
    named: dict[tuple[int, str | None, bool], set[str]] = {}
    for ref, sku, bad, watch in connection.execute(naming):
        named.setdefault((ref, sku, bool(bad)), set()).add(watch)
    for (_, sku, bad), watches in named.items():
        found[sku, frozenset(), bad] -= 1
        found[sku, frozenset(watches), bad] += 1
    return [(*cell, number) for cell, number in found.items() if number]


def product_hits(connection: Connection, since: dt.datetime, until: dt.datetime) -> dict[int, set[str]]:
    """Return the product watches that each mention in [since, until) matched."""
    query = (
        sa.select(hits.c.ref_id, hits.c.watch)
        .join(mentions, sa.and_(hits.c.text_kind == "mention", hits.c.ref_id == mentions.c.id))
        .where(hits.c.kind == "product", placed_between(since, until))
    )
    found: dict[int, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.ref_id, set()).add(row.watch)
    return found


def negative_texts(
    connection: Connection, since: dt.datetime, until: dt.datetime
) -> Iterator[tuple[int, str | None, dt.datetime, str]]:
    """Yield (mention id, author, time, text with title) of the brand's negative mentions in [since,
    until).
    """
    m, a = mentions.c, assessments.c
    query = (
        sa.select(
            m.id, m.source, m.author_key, placed_at().label("placed"), revisions.c.title, revisions.c.text
        )
        .join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
        .join(revisions, revisions.c.id == sa.func.coalesce(a.revision_id, m.revision_id))
        .where(
            placed_between(since, until),
            a.brand_match,
            a.refused.is_(None),
            a.voice.in_(VOICES),
            a.sentiment == "negative",
        )
        .order_by(m.id)
    )
    for row in connection.execute(query.execution_options(yield_per=FETCH)):
        author = f"{row.source}:{row.author_key}" if row.author_key else None
        yield row.id, author, row.placed, f"{row.title}\n{row.text}" if row.title else row.text


def texts_by_id(connection: Connection, ids: Sequence[int]) -> Iterator[str]:
    """Yield the judged texts with titles of mentions, in no order."""
    m, a = mentions.c, assessments.c
    query = (
        sa.select(revisions.c.title, revisions.c.text)
        .select_from(mentions)
        .join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
        .join(revisions, revisions.c.id == sa.func.coalesce(a.revision_id, m.revision_id))
    )
    for part in chunks(ids, MANY):
        for title, text in connection.execute(query.where(among(connection, m.id, part))):
            yield f"{title}\n{text}" if title else text


class ServiceSession(NamedTuple):
    """One session without its turns."""

    ref_id: int
    native_id: str
    path: str
    started_at: dt.datetime
    shop: str | None
    sku: str | None
    product: str | None
    rating: str | None
    return_reason: str | None
    violation: str | None
    resolved: bool | None
    response_seconds: float | None
    sentiment: str | None
    score: float | None
    severity: int
    topics: tuple[str, ...]

    @property
    def order(self) -> tuple[str, str]:
        """(path, native id): settles ties alike whatever the sequence in which sessions were stored."""
        return (self.path, self.native_id)


def service_sessions(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[ServiceSession]:
    """Return the sessions that began in [since, until), judged or not."""
    s, a = sessions.c, assessments.c
    names = (
        "native_id",
        "path",
        "started_at",
        "shop",
        "sku",
        "product",
        "rating",
        "return_reason",
        "violation",
        "resolved",
        "response_seconds",
    )
    query = (
        sa.select(s.id, *(s[name] for name in names), a.sentiment, a.score, a.severity, a.topics)
        .outerjoin(assessments, sa.and_(a.text_kind == "session", a.ref_id == s.id))
        .where(s.started_at >= since, s.started_at < until)
        .order_by(s.id)
    )
    once: dict[Any, Any] = {}  # thousands of sessions share few values

    def same(value: Any) -> Any:
        return once.setdefault(value, value)

    return [
        ServiceSession(
            ref, native, same(path), at, same(shop), same(sku), same(product), same(rating), reason, violation, resolved,
            seconds, same(sentiment), score, severity or 0, same(tuple(topics or ())),
        )
        for (
            ref, native, path, at, shop, sku, product, rating, reason, violation, resolved, seconds, sentiment, score, severity,
            topics,
        ) in connection.execute(query.execution_options(yield_per=FETCH))
    ]


def complaint_times(
    connection: Connection, since: dt.datetime, until: dt.datetime, limit: int
) -> list[dt.datetime]:
    """Return when the brand's negative mentions in [since, until) were made, at most `limit` of them, newest rows first."""
    a = assessments.c
    query = (
        sa.select(placed_at().label("placed"))
        .join(assessments, sa.and_(a.text_kind == "mention", a.ref_id == mentions.c.id))
        .where(placed_between(since, until), a.brand_match, a.sentiment == "negative")
        .order_by(mentions.c.id.desc()).limit(limit)
    )
    return list(connection.execute(query).scalars())


def session_times(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """Return when the sessions in [since, until) began."""
    query = sa.select(sessions.c.started_at).where(
        sessions.c.started_at >= since, sessions.c.started_at < until
    )
    return list(connection.execute(query).scalars())


def any_session(connection: Connection, since: dt.datetime, until: dt.datetime) -> bool:
    """Say whether a session began in [since, until)."""
    began = sessions.c.started_at
    return connection.execute(sa.select(sessions.c.id).where(began >= since, began < until).limit(1)).first() is not None


def crawl_runs(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[Run]:
    """Return the finished crawls that started in [since, until], oldest first."""
    query = sa.select(runs).where(
        runs.c.kind == "crawl",
        runs.c.status != RunStatus.RUNNING,
        runs.c.started_at >= since,
        runs.c.started_at <= until,
    )
    return [_run(row) for row in connection.execute(query.order_by(runs.c.started_at, runs.c.id))]


def first_crawls(connection: Connection) -> dict[str, dt.datetime]:
    """Return when each source was first crawled with success: only that reads back what came before."""
    query = (
        sa.select(runs.c.subject, sa.func.min(runs.c.started_at).label("first"))
        .where(runs.c.kind == "crawl", runs.c.outcome == SourceStatus.OK)
        .group_by(runs.c.subject)
    )
    return {row.subject: row.first for row in connection.execute(query)}


def first_mention(connection: Connection) -> dict[str, dt.datetime]:
    """Return the time of each source's oldest mention."""
    query = sa.select(mentions.c.source, sa.func.min(placed_at()).label("first")).group_by(mentions.c.source)
    return {row.source: row.first for row in connection.execute(query)}


def new_incidents(connection: Connection, since: dt.date, until: dt.date) -> dict[dt.date, int]:
    """Return how many incidents were new or came back on each day of [since, until)."""
    d = incident_days.c
    query = (
        sa.select(d.day, sa.func.count().label("number"))
        .where(d.day >= since, d.day < until, d.state.in_(("新增", "复燃")), ~d.watched)
        .group_by(d.day)
    )
    return {row.day: row.number for row in connection.execute(query)}


def built_days(connection: Connection, since: dt.date, until: dt.date) -> set[dt.date]:
    """Return the business dates of [since, until) whose incidents were built."""
    wanted = [(since + dt.timedelta(days=n)).isoformat() for n in range((until - since).days)]
    query = sa.select(runs.c.subject).where(
        runs.c.kind == "incidents", runs.c.status == RunStatus.DONE, runs.c.subject.in_(wanted)
    )
    return {dt.date.fromisoformat(subject) for subject in connection.execute(query).scalars()}


def day_alerts(connection: Connection, day: dt.date) -> list[dict[str, Any]]:
    """Return the alerts of a business date with their incident's title, oldest first."""
    query = (
        sa.select(alerts, incidents.c.title)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(alerts.c.day == day)
        .order_by(alerts.c.raised_at, alerts.c.incident_id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def mention_urls(connection: Connection, ids: list[int]) -> dict[int, str]:
    """Return the address of each mention."""
    if not ids:
        return {}
    query = sa.select(mentions.c.id, mentions.c.url).where(mentions.c.id.in_(ids))
    return {row.id: row.url for row in connection.execute(query)}


def native_sessions(connection: Connection, ids: list[int]) -> dict[int, str]:
    """Return the export's own id of each session."""
    if not ids:
        return {}
    query = sa.select(sessions.c.id, sessions.c.native_id).where(sessions.c.id.in_(ids))
    return {row.id: row.native_id for row in connection.execute(query)}
