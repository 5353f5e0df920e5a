"""Incident days under the same questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.desk.question import NO_LEVEL, TO_CHECK, Question
from vocwatch.store.desk.scope import Scope, conditions, settled, topic_is
from vocwatch.store.desk_schema import desk_mentions
from vocwatch.store.schema import incident_days, incident_members, incidents

_OF_MENTIONS = ("sources", "watches", "sentiments", "severity", "voices", "red_lines", "text", "brand", "cluster")
_NAMES = ("day", "level", "state", "score", "authors", "mentions", "sessions", "watched")


def incident_days_of(connection: Connection, scope: Scope) -> list[dict[str, Any]]:
    """Return the incident days of the question, newest day first, then by level and score.

    What speaks of mentions (source, words, sentiment …) asks for incidents that have such a mention, of whatever day.
    What was only to be checked is left out unless the state 待核 is asked for.
    """
    query = (
        sa.select(incident_days, incidents)
        .join(incidents, incidents.c.id == incident_days.c.incident_id)
        .where(*_wanted(connection, scope))
        .order_by(incident_days.c.day.desc(), incident_days.c.score.desc(), incidents.c.id)
    )
    rows = [_row(row) for row in connection.execute(query)]
    order = "红橙黄蓝"
    return sorted(rows, key=lambda row: (-row["day"].toordinal(), order.index(row["level"]), -row["score"], row["incident"]))


def _wanted(connection: Connection, scope: Scope) -> list[sa.ColumnElement[bool]]:
    q, i, d = scope.question, incidents.c, incident_days.c
    found = [*([d.day >= q.since] if q.since else []), *([d.day <= q.until] if q.until else [])]
    states = [state for state in q.states if state != TO_CHECK]
    normal = sa.and_(sa.not_(d.watched), d.state.in_(states)) if states else sa.not_(d.watched)
    found.append(sa.or_(d.watched, *([normal] if states else [])) if TO_CHECK in q.states else normal)
    if q.levels:
        found.append(d.level.in_([level for level in q.levels if level != NO_LEVEL]))
    if q.topics:
        found.append(topic_is(i.topic, q.topics))
    if q.products:
        found.append(i.product.in_({*scope.skus, *q.products}))
    if q.shops:
        found.append(i.shop.in_(q.shops))
    if q.incident:
        found.append(i.id == q.incident)
    if any(getattr(q, name) not in ((), 0, "", None) for name in _OF_MENTIONS):
        found.append(i.id.in_(_having(connection, scope)))
    return found


def _having(connection: Connection, scope: Scope) -> sa.Select[tuple[str]]:
    m = incident_members.c
    bare = replace(scope, question=Question(**{name: getattr(scope.question, name) for name in _OF_MENTIONS}), found=None)
    asked = conditions(connection, settled(connection, bare))
    return (
        sa.select(m.incident_id).join(desk_mentions, desk_mentions.c.ref_id == m.ref_id)
        .where(m.text_kind == TextKind.MENTION.value, *asked)
    )


def _row(row: Any) -> dict[str, Any]:
    return {
        "incident": row.incident_id, **{name: getattr(row, name) for name in _NAMES},
        **{name: getattr(row, name) for name in ("title", "topic", "product", "shop", "owner", "first_day", "last_day", "first_seen_at", "recurs_of")},
    }
