"""Stored mentions as they are walked through: to try rules on them, and to see how many each watch hits."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from vocwatch.models import TextKind
from vocwatch.store.engine import chunks
from vocwatch.store.schema import (
    assessments,
    hits,
    incident_members,
    mentions,
    revisions,
)

FETCH = 1000


@dataclass(frozen=True)
class Filter:
    """Conditions that all hold. Times are UTC, [since, until); `topic` is 大类 or 大类/小类; empty = any."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    topic: str = ""
    source: str = ""
    product: str = ""
    sentiment: str = ""
    text: str = ""
    brand_only: bool = False
    limit: int | None = None


def mention_rows(connection: Connection, wanted: Filter) -> Iterator[dict[str, Any]]:
    """Yield one dict per assessed mention, oldest first, in the shape of the public contract (DESIGN §4)."""
    result = connection.execute(_mentions(wanted).execution_options(yield_per=FETCH))
    for part in result.partitions():
        rows = list(part)
        ids = [row.id for row in rows]
        found = _hits(connection, ids)
        clusters = _clusters(connection, ids)
        for row in rows:
            yield _mention(row, found.get(row.id, []), clusters.get(row.id))


def texts_by_watch(connection: Connection, since: dt.datetime) -> tuple[int, dict[str, int]]:
    """Return how many assessed mentions there are since then, and in how many of them each watch's own words hit."""
    when = sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at)
    seen = sa.select(mentions.c.id).where(when >= since)
    total = connection.execute(
        sa.select(sa.func.count()).select_from(assessments)
        .where(assessments.c.text_kind == TextKind.MENTION, assessments.c.ref_id.in_(seen))
    ).scalar_one()
    rows = connection.execute(
        sa.select(hits.c.watch, sa.func.count(hits.c.ref_id.distinct()))
        .where(hits.c.text_kind == TextKind.MENTION, hits.c.ref_id.in_(seen), hits.c.rule.not_in(("page", "parent", "sku")))
        .group_by(hits.c.watch)
    )
    return int(total), {str(watch): int(count) for watch, count in rows}


def _mentions(wanted: Filter) -> Select[Any]:
    query = (
        sa.select(
            mentions.c.id, mentions.c.url, mentions.c.source, mentions.c.kind, mentions.c.published_at,
            mentions.c.first_seen_at, mentions.c.author_key, mentions.c.rating, mentions.c.product, mentions.c.sku,
            revisions.c.title, revisions.c.text, assessments.c.brand_match, assessments.c.sentiment,
            assessments.c.score, assessments.c.mixed, assessments.c.topics, assessments.c.severity,
            assessments.c.red_lines, assessments.c.spans, assessments.c.voice, assessments.c.model_version,
            assessments.c.confidence, assessments.c.review,
        )
        .join(revisions, revisions.c.id == mentions.c.revision_id)
        .join(assessments, sa.and_(assessments.c.ref_id == mentions.c.id, assessments.c.text_kind == TextKind.MENTION))
        .order_by(mentions.c.id)
    )
    when = sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at)
    conditions: list[Any] = []
    if wanted.since:
        conditions.append(when >= wanted.since)
    if wanted.until:
        conditions.append(when < wanted.until)
    if wanted.source:
        conditions.append(mentions.c.source == wanted.source)
    if wanted.product:
        product_hit = sa.select(hits.c.ref_id).where(hits.c.text_kind == TextKind.MENTION, hits.c.watch == wanted.product)
        conditions.append(sa.or_(mentions.c.sku == wanted.product, mentions.c.id.in_(product_hit)))
    if wanted.sentiment:
        conditions.append(assessments.c.sentiment == wanted.sentiment)
    if wanted.brand_only:
        conditions.append(assessments.c.brand_match.is_(True))
    if wanted.topic:
        start = f'"{wanted.topic}' + ('"' if "/" in wanted.topic else "/")
        conditions.append(sa.cast(assessments.c.topics, sa.Text).contains(start, autoescape=True))
    if wanted.text:
        conditions.append(sa.or_(
            revisions.c.text.icontains(wanted.text, autoescape=True),
            revisions.c.title.icontains(wanted.text, autoescape=True),
        ))
    return query.where(*conditions).limit(wanted.limit)


def _mention(row: Any, found: list[Any], cluster: int | None) -> dict[str, Any]:
    return {
        "id": row.id, "url": row.url, "source": row.source, "kind": row.kind,
        "published_at": row.published_at.isoformat() if row.published_at else None,
        "title": row.title, "text": row.text, "brand_match": row.brand_match,
        "watches": sorted({hit.watch for hit in found}),
        "hits": [{"watch": h.watch, "rule": h.rule, "start": h.start, "end": h.end, "matched": h.matched} for h in found],
        "sentiment": row.sentiment, "mixed": row.mixed, "score": row.score, "topics": row.topics,
        "severity": row.severity, "red_lines": row.red_lines, "spans": row.spans, "voice": row.voice,
        "rating": row.rating, "product": row.product, "sku": row.sku, "cluster": cluster,
        "confidence": row.confidence, "review": row.review, "model_version": row.model_version,
    }


def _hits(connection: Connection, ids: list[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for part in chunks(ids):
        query = sa.select(hits).where(hits.c.text_kind == TextKind.MENTION, hits.c.ref_id.in_(part)).order_by(hits.c.start)
        for row in connection.execute(query):
            found[row.ref_id].append(row)
    return found


def _clusters(connection: Connection, ids: list[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in chunks(ids):
        query = sa.select(incident_members.c.ref_id, incident_members.c.cluster).where(
            incident_members.c.text_kind == TextKind.MENTION, incident_members.c.ref_id.in_(part)
        )
        found.update({row.ref_id: row.cluster for row in connection.execute(query)})
    return found
