"""One mention, one session, one incident: everything that is stored of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.desk import rows
from vocwatch.store.desk.scope import FETCH
from vocwatch.store.schema import (
    assessments,
    engagement,
    incident_members,
    incidents,
    mentions,
    session_keywords,
    sessions,
    turns,
)


def mention(connection: Connection, ref_id: int) -> dict[str, Any] | None:
    """Return a mention as it stands, judged or not; None for an unknown one."""
    m = connection.execute(sa.select(mentions).where(mentions.c.id == ref_id)).first()
    if m is None:
        return None
    judged = rows.mentions_by_id(connection, [ref_id])
    seen = sa.select(engagement).where(engagement.c.mention_id == ref_id).order_by(engagement.c.seen_at)
    return {
        **{name: getattr(m, name) for name in (
            "id", "source", "native_id", "url", "kind", "parent", "author_key", "published_at", "precision", "first_seen_at",
            "last_seen_at", "missing_since", "gone_at", "purged_at", "rating", "likes", "replies", "shares", "views", "product",
            "sku", "shop", "revision_id",
        )},
        "judged": judged[0] if judged else None,
        "engagement": [dict(row._mapping) for row in connection.execute(seen)],
    }


def copies(connection: Connection, ref_id: int, most: int) -> tuple[int | None, list[dict[str, Any]]]:
    """Return the origin of a mention's cluster (None where it is no copy and has none), and up to `most` others of it."""
    m = incident_members.c
    kind = m.text_kind == TextKind.MENTION.value
    origin = connection.execute(sa.select(m.cluster).where(kind, m.ref_id == ref_id, m.cluster.is_not(None)).limit(1)).scalar()
    if origin is None:
        return None, []
    query = (
        sa.select(mentions.c.id, mentions.c.source, mentions.c.url, mentions.c.published_at).distinct()
        .join(incident_members, sa.and_(kind, m.ref_id == mentions.c.id))
        .where(m.cluster == origin, mentions.c.id != ref_id).order_by(mentions.c.published_at, mentions.c.id).limit(most)
    )
    return origin, [dict(row._mapping) for row in connection.execute(query)]


def incidents_of(connection: Connection, kind: TextKind, ref_id: int) -> list[dict[str, Any]]:
    """Return the incidents that a text belongs to, the newest first."""
    m, i = incident_members.c, incidents.c
    query = (
        sa.select(i.id, i.title, i.topic, i.product, i.first_day, i.last_day, m.day.label("joined"))
        .join(incident_members, m.incident_id == i.id)
        .where(m.text_kind == kind.value, m.ref_id == ref_id).order_by(i.last_day.desc(), i.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def session(connection: Connection, ref_id: int) -> dict[str, Any] | None:
    """Return a session with its turns, the keywords found in them, and its judgement; None for an unknown one."""
    found = connection.execute(sa.select(sessions).where(sessions.c.id == ref_id)).first()
    if found is None:
        return None
    said = sa.select(turns).where(turns.c.session_id == ref_id).order_by(turns.c.seq)
    k = session_keywords.c
    words = sa.select(k.seq, k.start, k.end, k.name, k.word).where(k.session_id == ref_id).order_by(k.seq, k.start)
    a = assessments.c
    judged = connection.execute(sa.select(assessments).where(a.text_kind == TextKind.SESSION.value, a.ref_id == ref_id)).first()
    names = (
        "sentiment", "score", "confidence", "mixed", "severity", "topics", "red_lines", "spans", "review", "refused", "model_version",
    )
    return {
        **{name: value for name, value in found._mapping.items() if name not in ("text_sha", "run_id")},
        "turns": [{"seq": row.seq, "role": row.role, "text": row.text, "at": row.at} for row in connection.execute(said)],
        "keywords": [dict(row._mapping) for row in connection.execute(words)],
        "judged": {name: getattr(judged, name) for name in names} if judged else None,
    }


def members(connection: Connection, incident: str) -> dict[str, list[dict[str, Any]]]:
    """Return the mentions and sessions of an incident in short, in the order in which they joined."""
    m = incident_members.c
    outside = (
        sa.select(
            m.ref_id.label("id"), m.day, m.cluster, mentions.c.source, mentions.c.url, mentions.c.published_at, mentions.c.first_seen_at,
            mentions.c.gone_at,
        )
        .join(mentions, mentions.c.id == m.ref_id)
        .where(m.incident_id == incident, m.text_kind == TextKind.MENTION.value)
        .order_by(m.day, mentions.c.published_at, m.ref_id).limit(FETCH)
    )
    inside = (
        sa.select(m.ref_id.label("id"), m.day, sessions.c.native_id, sessions.c.path, sessions.c.started_at, sessions.c.shop)
        .join(sessions, sessions.c.id == m.ref_id)
        .where(m.incident_id == incident, m.text_kind == TextKind.SESSION.value)
        .order_by(m.day, sessions.c.started_at, m.ref_id).limit(FETCH)
    )
    return {
        "mentions": [dict(row._mapping) for row in connection.execute(outside)],
        "sessions": [dict(row._mapping) for row in connection.execute(inside)],
    }
