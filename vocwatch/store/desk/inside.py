"""Customer-service sessions under the same questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.desk import words
from vocwatch.store.desk.scope import Scope, memberships
from vocwatch.store.engine import chunks
from vocwatch.store.schema import assessments, hits, sessions, turns

FETCH = 1_000
ORDERS = ("-time", "time", "-severity")
_SESSION = TextKind.SESSION.value
_NAMES = (
    "native_id", "path", "started_at", "shop", "platform", "sku", "product", "buyer_key", "rating", "stars", "return_reason",
    "violation", "amount", "response_seconds", "resolved",
)
_JUDGED = ("sentiment", "score", "severity", "topics", "red_lines")


def conditions(scope: Scope) -> list[sa.ColumnElement[bool]]:
    """Return what the question asks of sessions; what only public posts have (source, voice, brand) is not asked."""
    q, s, a = scope.question, sessions.c, assessments.c
    since, until = scope.moments()
    found: list[sa.ColumnElement[bool]] = [
        *([s.started_at >= since] if since else []), *([s.started_at < until] if until else []),
    ]
    for column, values in ((s.path, q.paths), (s.shop, q.shops), (a.sentiment, q.sentiments)):
        if values:
            found.append(column.in_(values))
    if q.severity:
        found.append(a.severity >= q.severity)
    if q.topics:
        found.append(sa.or_(*(_holds(a.topics, topic if "/" in topic else f"{topic}/", "/" in topic) for topic in q.topics)))
    if q.red_lines:
        found.append(sa.or_(*(_holds(a.red_lines, f'name": "{name}', True) for name in q.red_lines)))
    if q.watches:
        found.append(s.id.in_(_hit(q.watches)))
    if q.products:
        found.append(sa.or_(s.sku.in_(scope.skus), s.id.in_(_hit(scope.product_watches))))
    return [*found, *(s.id.in_(ids) if is_in else s.id.not_in(ids) for ids, is_in in memberships(scope, TextKind.SESSION))]


def _holds(column: sa.ColumnElement[Any], text: str, whole: bool) -> sa.ColumnElement[bool]:
    return sa.cast(column, sa.Text).contains(f'"{text}"' if whole else f'"{text}', autoescape=True)


def _hit(watches: Sequence[str]) -> sa.Select[tuple[int]]:
    return sa.select(hits.c.ref_id).where(hits.c.text_kind == _SESSION, hits.c.watch.in_(watches))


def listed(
    connection: Connection, scope: Scope, order: str = "-time", limit: int | None = None, offset: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the sessions without their turns, newest first unless `order` says otherwise."""
    query, node = _query(scope, order), scope.question.expression()
    if node is None:
        query = query.limit(limit).offset(offset or None)
        for row in connection.execute(query.execution_options(yield_per=FETCH)):
            yield _row(row)
        return
    end = None if limit is None else offset + limit
    yield from map(_row, islice(_speaking(connection, query, node), offset, end))


def count(connection: Connection, scope: Scope) -> int:
    """Return how many sessions there are."""
    node = scope.question.expression()
    if node is not None:
        return sum(1 for _ in _speaking(connection, _query(scope, "time"), node))
    query = sa.select(sa.func.count()).select_from(_joined()).where(*conditions(scope))
    return int(connection.execute(query).scalar_one())


def _joined() -> sa.Join:
    a = assessments.c
    return sessions.outerjoin(assessments, sa.and_(a.text_kind == _SESSION, a.ref_id == sessions.c.id))


def _query(scope: Scope, order: str) -> sa.Select[Any]:
    s, a = sessions.c, assessments.c
    by = {
        "-time": (s.started_at.desc(), s.id.desc()), "time": (s.started_at, s.id),
        "-severity": (sa.func.coalesce(a.severity, -1).desc(), s.started_at.desc(), s.id.desc()),
    }[order]
    columns = (s.id, *(s[name] for name in _NAMES), *(a[name] for name in _JUDGED))
    return sa.select(*columns).select_from(_joined()).where(*conditions(scope)).order_by(*by)


def _speaking(connection: Connection, query: sa.Select[Any], node: Any) -> Iterator[Any]:
    """The sessions whose customer (or review) says what is looked for; sessions are looked at one by one."""
    result = connection.execute(query.add_columns(sessions.c.review.label("said")).execution_options(yield_per=FETCH))
    for part in result.partitions():
        said = {row.id: [row.said or ""] for row in part}
        for ids in chunks(list(said)):
            turn = sa.select(turns.c.session_id, turns.c.text).where(turns.c.session_id.in_(ids), turns.c.role == "customer")
            for ref, text in connection.execute(turn.order_by(turns.c.session_id, turns.c.seq)):
                said[ref].append(text)
        yield from (row for row in part if words.holds(node, words.fold("\n".join(said[row.id]))))


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "session": row.native_id, "path": row.path, "started_at": row.started_at, "shop": row.shop,
        "platform": row.platform, "sku": row.sku, "product": row.product, "customer": row.buyer_key, "rating": row.rating,
        "stars": row.stars, "reason": row.return_reason or row.violation, "return_reason": row.return_reason,
        "violation": row.violation, "amount": row.amount, "response_seconds": row.response_seconds, "resolved": row.resolved,
        "sentiment": row.sentiment, "score": row.score, "severity": row.severity, "topics": row.topics or [],
        "red_lines": [str(line.get("name")) for line in row.red_lines or ()],
    }
