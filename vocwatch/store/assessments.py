"""Texts that wait for their judgement, and the judgements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select

from vocwatch.models import Assessment, MentionKind, TextInput, TextKind
from vocwatch.store.columns import UtcTime
from vocwatch.store.engine import chunks, upsert
from vocwatch.store.schema import assessments, hits, mentions, revisions, sessions, turns

MAX_ANCESTORS = 3
"""How far up a thread the text is looked for that a comment answers."""
_PARENT_CHARS = 2_000
_MATCHED_CHARS = 200
_COLUMNS = (
    "revision_id", "text_sha", "model_version", "brand_match", "sentiment", "score", "confidence", "mixed",
    "severity", "topics", "red_lines", "spans", "voice", "fingerprint", "refused", "truncated", "review", "assessed_at",
)
Versions = str | tuple[str, ...] | None
STANDBY = "standby-"
"""How the versions of stopgap judgements begin: they stand until somebody asks for them `again`."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One text that waits for its judgement; `text_sha` says which text of the mention or session it is."""

    kind: TextKind
    ref_id: int
    revision_id: int | None
    text_sha: str
    item: TextInput


def pending_mentions(
    connection: Connection, *, replies: bool, after: int = 0, limit: int | None = None, other_than: Versions = None,
    only: Sequence[int] | None = None, again: bool = False,
) -> list[Pending]:
    """Return up to `limit` mentions with id > `after` (of `only` these) whose newest text has no judgement, by id.

    `replies` chooses those that belong to another mention; they also wait when what they belong to was judged
    after them. With `other_than`, judgements by other model versions than those don't count, with `again` stopgap ones.
    """
    waiting = _pending_mentions(replies, other_than, again).where(mentions.c.id > after)
    if only is not None:
        waiting = waiting.where(mentions.c.id.in_(only))
    rows = connection.execute(waiting.order_by(mentions.c.id).limit(limit)).all()
    above = _ancestors(connection, rows) if replies else {}
    return [
        Pending(
            TextKind.MENTION, row.id, row.revision_id, row.text_sha,
            _mention_input(row, above.get((row.source, row.parent), ())),
        )
        for row in rows
    ]


def inputs(connection: Connection, rows: Sequence[Row[Any]]) -> list[TextInput]:
    """Return what is judged of mentions: rows of id, source, parent, kind, rating, sku, product, shop, title and text."""
    above = _ancestors(connection, [row for row in rows if row.parent is not None])
    return [_mention_input(row, above.get((row.source, row.parent), ())) for row in rows]


def pending_sessions(
    connection: Connection, *, after: int = 0, limit: int | None = None, other_than: Versions = None,
    only: Sequence[int] | None = None, again: bool = False,
) -> list[Pending]:
    """Return up to `limit` sessions with id > `after` (of `only` these) without a judgement of their text, by id."""
    waiting = _pending_sessions(other_than, again).where(sessions.c.id > after)
    if only is not None:
        waiting = waiting.where(sessions.c.id.in_(only))
    rows = connection.execute(waiting.order_by(sessions.c.id).limit(limit)).all()
    said: dict[int, list[str]] = {row.id: [] for row in rows}
    for part in chunks(list(said)):
        query = sa.select(turns.c.session_id, turns.c.text).where(
            turns.c.session_id.in_(part), turns.c.role == "customer"
        )
        for turn in connection.execute(query.order_by(turns.c.session_id, turns.c.seq)):
            said[turn.session_id].append(turn.text)
    return [
        Pending(TextKind.SESSION, row.id, None, row.text_sha, TextInput(
            id=str(row.id), body=session_text(said[row.id], row.review), kind="session", rating=row.stars,
            context=_context(row), about_brand=True,
        ))
        for row in rows
    ]


def session_text(customer_turns: Sequence[str], review: str | None) -> str:
    """Return the text of a session that is judged: the customer's turns, one a line, then the review."""
    return "\n".join([*customer_turns, *([review] if review else [])])


def count_pending(
    connection: Connection, other_than: Versions = None, since: dt.datetime | None = None, again: bool = False
) -> int:
    """Return how many texts wait; of those from `since` on."""
    counts = (
        sa.select(sa.func.count()).select_from(query.subquery()) for query in _waiting(other_than, since, again)
    )
    return sum(connection.execute(count).scalar_one() for count in counts)


def waiting(
    connection: Connection, other_than: Versions = None, since: dt.datetime | None = None,
) -> tuple[list[tuple[dt.datetime, int]], ...]:
    """Return when each waiting text was published and its id, in no order: posts, what hangs on them, sessions."""
    return tuple(
        [(row.moment, row.id) for row in connection.execute(query)] for query in _waiting(other_than, since)
    )


def newest(connection: Connection) -> dt.datetime | None:
    """Return when a text was judged last."""
    return connection.execute(sa.select(sa.func.max(assessments.c.assessed_at, type_=UtcTime()))).scalar_one_or_none()


def judged_too_late(
    connection: Connection, since: dt.datetime, until: dt.datetime, *, seen_before: dt.datetime, after: dt.datetime
) -> bool:
    """Say whether a red line of [since, until), read in time, was judged only `after` that."""
    a, published = assessments.c, sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at, type_=UtcTime())
    query = (
        sa.select(a.id).join(mentions, sa.and_(a.text_kind == TextKind.MENTION.value, a.ref_id == mentions.c.id))
        .where(a.severity >= 3, a.assessed_at >= after, published >= since, published < until,
               mentions.c.first_seen_at < seen_before).limit(1)
    )
    return connection.execute(query).first() is not None


def standing_in(connection: Connection, since: dt.datetime, until: dt.datetime) -> int:
    """Return how many texts of [since, until) have only a stopgap judgement."""
    a, published = assessments.c, sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at, type_=UtcTime())
    counts = (
        sa.select(sa.func.count()).select_from(assessments.join(table, sa.and_(a.text_kind == kind, a.ref_id == table.c.id)))
        .where(a.model_version.startswith(STANDBY), moment >= since, moment < until)
        for table, kind, moment in (
            (mentions, TextKind.MENTION.value, published), (sessions, TextKind.SESSION.value, sessions.c.started_at),
        )
    )
    return sum(connection.execute(count).scalar_one() for count in counts)


def _waiting(other_than: Versions, since: dt.datetime | None, again: bool = False) -> Iterator[Select[Any]]:
    published = sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at, type_=UtcTime())
    for query, key, moment in (
        (_pending_mentions(False, other_than, again), mentions.c.id, published),
        (_pending_mentions(True, other_than, again), mentions.c.id, published),
        (_pending_sessions(other_than, again), sessions.c.id, sessions.c.started_at),
    ):
        found = query.with_only_columns(key, moment.label("moment"))
        yield found if since is None else found.where(moment >= since)


def save(connection: Connection, judged: Iterable[tuple[Pending, Assessment]], now: dt.datetime) -> None:
    """Write judgements with their hits; what was said of the same texts before is replaced."""
    rows: dict[tuple[TextKind, int], dict[str, Any]] = {}
    found: list[dict[str, Any]] = []
    for pending, assessment in judged:
        rows[pending.kind, pending.ref_id] = _row(pending, assessment, now)
        found.extend(_hit_rows(pending, assessment))
    upsert(connection, assessments, list(rows.values()), ["text_kind", "ref_id"], _COLUMNS)
    for kind in TextKind:
        for part in chunks([ref for owner, ref in rows if owner == kind]):
            connection.execute(hits.delete().where(hits.c.text_kind == kind.value, hits.c.ref_id.in_(part)))
    upsert(connection, hits, found, ["text_kind", "ref_id", "watch", "start"])


def _pending_mentions(replies: bool, other_than: Versions, again: bool) -> Select[Any]:
    a = assessments.c
    waits = [a.id.is_(None), a.text_sha != revisions.c.text_sha, *([a.model_version.startswith(STANDBY)] if again else [])]
    if other_than is not None:
        waits.append(a.model_version.not_in(_versions(other_than)))
    query = (
        sa.select(
            mentions.c.id, mentions.c.source, mentions.c.parent, mentions.c.kind, mentions.c.rating,
            mentions.c.sku, mentions.c.product, mentions.c.shop, mentions.c.revision_id, revisions.c.title,
            revisions.c.text, revisions.c.text_sha,
        )
        .select_from(mentions).join(revisions, revisions.c.id == mentions.c.revision_id)
        .outerjoin(assessments, sa.and_(a.text_kind == TextKind.MENTION.value, a.ref_id == mentions.c.id))
        .where(mentions.c.purged_at.is_(None))  # its text is gone, what was said of it stands
    )
    if not replies:
        return query.where(mentions.c.parent.is_(None), sa.or_(*waits))
    above, its = mentions.alias("above"), assessments.alias("its")
    waits.append(its.c.assessed_at > a.assessed_at)
    return (
        query.outerjoin(above, sa.and_(
            above.c.source == mentions.c.source, above.c.native_id == mentions.c.parent,
            above.c.id != mentions.c.id,
        ))
        .outerjoin(its, sa.and_(its.c.text_kind == TextKind.MENTION.value, its.c.ref_id == above.c.id))
        .where(mentions.c.parent.is_not(None), sa.or_(*waits))
    )


def _pending_sessions(other_than: Versions, again: bool) -> Select[Any]:
    a, s = assessments.c, sessions.c
    waits = [a.id.is_(None), a.text_sha != s.text_sha, *([a.model_version.startswith(STANDBY)] if again else [])]
    if other_than is not None:
        waits.append(a.model_version.not_in(_versions(other_than)))
    return (
        sa.select(s.id, s.text_sha, s.review, s.stars, s.sku, s.product, s.shop)
        .select_from(sessions)
        .outerjoin(assessments, sa.and_(a.text_kind == TextKind.SESSION.value, a.ref_id == s.id))
        .where(sa.or_(*waits))
    )


def _versions(other_than: str | tuple[str, ...]) -> tuple[str, ...]:
    return (other_than,) if isinstance(other_than, str) else other_than


_Key = tuple[str, str]


def _ancestors(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[_Key, list[Row[Any]]]:
    """For each (source, parent) the chain of mentions above it, nearest first."""
    known: dict[_Key, Any] = {}
    wanted = {(row.source, row.parent) for row in rows}
    for _ in range(MAX_ANCESTORS):
        fetched = _by_native_id(connection, sorted(wanted - known.keys()))
        known.update(fetched)
        wanted = {(row.source, row.parent) for row in fetched.values() if row.parent is not None}
    chains: dict[_Key, list[Row[Any]]] = {}
    for row in rows:
        chain: list[Row[Any]] = []
        above = known.get((row.source, row.parent))
        while above is not None and above not in chain and len(chain) < MAX_ANCESTORS:
            chain.append(above)
            above = known.get((above.source, above.parent))
        chains[row.source, row.parent] = chain
    return chains


def _by_native_id(connection: Connection, keys: Sequence[_Key]) -> dict[_Key, Any]:
    found: dict[_Key, Any] = {}
    m = mentions.c
    for source in sorted({source for source, _ in keys}):
        for part in chunks([native_id for owner, native_id in keys if owner == source]):
            query = (
                sa.select(
                    m.source, m.native_id, m.parent, m.sku, m.product, m.shop, revisions.c.title,
                    revisions.c.text,
                )
                .join(revisions, revisions.c.id == m.revision_id)
                .where(m.source == source, m.native_id.in_(part))
            )
            for row in connection.execute(query):
                found[str(row.source), str(row.native_id)] = row
    return found


def _mention_input(row: Row[Any], above: Sequence[Row[Any]]) -> TextInput:
    context = dict.fromkeys([*_context(row), *(entry for parent in above for entry in _context(parent))])
    texts = [f"{parent.title or ''}\n{parent.text[:_PARENT_CHARS]}" for parent in above]
    return TextInput(
        id=str(row.id), body=row.text, title=row.title or None, kind=row.kind,
        rating=None if row.kind == MentionKind.REPLY else row.rating, context=tuple(context),
        parent="\n".join(texts) or None,
    )


def _context(row: Row[Any]) -> tuple[str, ...]:
    return tuple(entry for entry in (row.sku, row.product, row.shop) if entry)


def _row(pending: Pending, assessment: Assessment, now: dt.datetime) -> dict[str, Any]:
    return {
        "text_kind": pending.kind.value, "ref_id": pending.ref_id, "revision_id": pending.revision_id,
        "text_sha": pending.text_sha, "model_version": assessment.model_version,
        "brand_match": assessment.brand_match, "sentiment": assessment.sentiment.value,
        "score": assessment.score, "confidence": assessment.confidence, "mixed": assessment.mixed,
        "severity": assessment.severity, "topics": list(assessment.topics),
        "red_lines": [
            {"name": line.name, "rule": line.rule, "start": line.start, "end": line.end,
             "matched": _clean(line.matched)}
            for line in assessment.red_lines
        ],
        "spans": [
            {"start": span.start, "end": span.end, "topic": span.topic, "sentiment": span.sentiment.value,
             "severity": span.severity}
            for span in assessment.spans
        ],
        "voice": assessment.voice, "fingerprint": assessment.fingerprint, "refused": assessment.refused,
        "truncated": assessment.truncated, "review": assessment.review, "assessed_at": now,
    }


def _hit_rows(pending: Pending, assessment: Assessment) -> list[dict[str, Any]]:
    rows = {
        (hit.watch, hit.start): {
            "text_kind": pending.kind.value, "ref_id": pending.ref_id, "watch": hit.watch, "kind": hit.kind,
            "rule": hit.rule[:40], "start": hit.start, "end": hit.end, "matched": _clean(hit.matched),
        }
        for hit in assessment.hits
    }
    return list(rows.values())


def _clean(text: str) -> str:
    """No NUL and no lone surrogate: PostgreSQL takes neither."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()[:_MATCHED_CHARS]
