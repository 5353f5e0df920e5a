"""The rows behind a number: mentions in full, in the shape of the public contract (DESIGN of `vocwatch query mentions`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.desk import counts, rollup, words
from vocwatch.store.desk.keep import MERCHANT, REFUSED
from vocwatch.store.desk.scope import Scope, between, conditions
from vocwatch.store.desk_schema import desk_mentions
from vocwatch.store.schema import assessments, hits, incident_members, mentions, revisions

FETCH = 500
_ID = (1 << 32) - 1
ORDERS = ("-time", "time", "-severity")


def count(connection: Connection, scope: Scope) -> int:
    """Return how many mentions there are."""
    if rollup.serves(scope, ()):
        return sum(c.mentions for c in counts.grouped(connection, scope, (), authors=False))
    source, _, where = _asked(connection, scope)
    return int(connection.execute(sa.select(sa.func.count()).select_from(source).where(*where)).scalar_one())


def mention_rows(
    connection: Connection, scope: Scope, order: str = "-time", limit: int | None = None, offset: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the mentions, newest first unless `order` says otherwise, some hundreds at a time."""
    source, key, where = _asked(connection, scope, whole=order == "-severity")
    by = {"-time": (key.desc(),), "time": (key,), "-severity": (desk_mentions.c.severity.desc(), key.desc())}[order]
    query = sa.select(key).select_from(source).where(*where).order_by(*by).limit(limit).offset(offset or None)
    result = connection.execute(query.execution_options(yield_per=FETCH))
    for part in result.partitions():
        yield from mentions_by_id(connection, [row[0] & _ID for row in part])


def _asked(
    connection: Connection, scope: Scope, *, whole: bool = False
) -> tuple[sa.FromClause, sa.ColumnElement[int], list[sa.ColumnElement[bool]]]:
    """Where to read from, by which key, under which conditions. Words alone need no other row than those of the index."""
    node = scope.question.expression()
    index = None if node is None or scope.found is not None or not words.exact(node) else words.index(connection.dialect.name, node)
    if index is None:
        return desk_mentions, desk_mentions.c.key, conditions(connection, scope)
    table, key, holds = index
    rest = scope.asking(text="")
    if not whole and rest.question.asked() <= {"since", "until"}:
        return table, key, [holds, *between(key, scope)]
    return table.join(desk_mentions, desk_mentions.c.key == key), key, [holds, *between(key, scope), *conditions(connection, rest)]


def mentions_by_id(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return mentions by row id, in the order of `ids`; those without a judgement are left out. At most some hundreds."""
    found = {row.id: row for row in connection.execute(_full(ids))}
    where = _hits(connection, ids)
    clusters = _clusters(connection, ids)
    return [_told(found[ref], where.get(ref, []), clusters.get(ref)) for ref in ids if ref in found]


def _full(ids: Sequence[int]) -> sa.Select[Any]:
    m, a = mentions.c, assessments.c
    return (
        sa.select(
            m.id, m.url, m.source, m.kind, m.published_at, m.first_seen_at, m.author_key, m.rating, m.product, m.sku, m.shop,
            m.likes, m.replies, m.shares, m.views, m.parent, m.missing_since, m.gone_at, m.purged_at,
            revisions.c.title, revisions.c.text, revisions.c.page_sha, a.brand_match, a.sentiment, a.score, a.mixed, a.topics,
            a.severity, a.red_lines, a.spans, a.voice, a.model_version, a.confidence, a.review, a.refused,
        )
        .join(revisions, revisions.c.id == m.revision_id)
        .join(assessments, sa.and_(a.ref_id == m.id, a.text_kind == TextKind.MENTION.value))
        .where(m.id.in_(ids))
    )


def _told(row: Any, found: list[Any], cluster: int | None) -> dict[str, Any]:
    # What the shop itself says praises and blames nothing: its answers would count as so many neutral customers.
    own = row.voice == MERCHANT
    return {
        "id": row.id, "url": row.url, "source": row.source, "kind": row.kind,
        "published_at": row.published_at.isoformat() if row.published_at else None,
        "first_seen_at": row.first_seen_at.isoformat(),
        "title": row.title, "text": row.text, "brand_match": row.brand_match,
        "watches": sorted({hit.watch for hit in found}),
        "hits": [{"watch": h.watch, "rule": h.rule, "start": h.start, "end": h.end, "matched": h.matched} for h in found],
        "sentiment": None if own else row.sentiment, "mixed": row.mixed, "score": None if own else row.score,
        "topics": None if own else row.topics, "severity": row.severity, "red_lines": row.red_lines, "spans": row.spans,
        "voice": REFUSED if row.refused is not None else row.voice,
        "rating": row.rating, "product": row.product, "sku": row.sku, "shop": row.shop, "cluster": cluster,
        "likes": row.likes, "replies": row.replies, "shares": row.shares, "views": row.views,
        "confidence": row.confidence, "review": row.review, "model_version": row.model_version,
    }


def _hits(connection: Connection, ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    query = sa.select(hits).where(hits.c.text_kind == TextKind.MENTION.value, hits.c.ref_id.in_(ids)).order_by(hits.c.start)
    for row in connection.execute(query):
        found[row.ref_id].append(row)
    return found


def _clusters(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    m = incident_members.c
    query = sa.select(m.ref_id, m.cluster).where(m.text_kind == TextKind.MENTION.value, m.ref_id.in_(ids)).order_by(m.day)
    return {row.ref_id: row.cluster for row in connection.execute(query)}
