"""The stored texts of the last days, for the laboratory."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextInput, TextKind
from vocwatch.store.assessments import inputs
from vocwatch.store.columns import UtcTime
from vocwatch.store.feedback import FALSE_ALARM
from vocwatch.store.feedback import newest as newest_words
from vocwatch.store.schema import assessments, erasures, hits, mentions, revisions


@dataclass(frozen=True, slots=True)
class Recent:
    """One judged text; `hits` are watch -> (rule, what was matched) by its own words, the first of each watch."""

    row: Any
    item: TextInput
    hits: dict[str, tuple[str, str]]


def texts(
    connection: Connection, since: dt.datetime, *, judged_since: dt.datetime | None = None, limit: int | None = None
) -> list[Recent]:
    """Return the judged mentions of which the text stands, published from `since` on, newest first.

    `judged_since`: only those judged from then on.
    """
    a = assessments.c
    when = sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at, type_=UtcTime())
    wanted = [when >= since, mentions.c.purged_at.is_(None)]
    if judged_since is not None:
        wanted.append(a.assessed_at >= judged_since)
    tables = (
        assessments.join(mentions, sa.and_(a.text_kind == TextKind.MENTION.value, a.ref_id == mentions.c.id))
        .join(revisions, revisions.c.id == mentions.c.revision_id)
    )
    query = sa.select(
        mentions.c.id, mentions.c.source, mentions.c.parent, mentions.c.url, mentions.c.kind, mentions.c.rating,
        mentions.c.sku, mentions.c.product, mentions.c.shop, when.label("at"), revisions.c.title, revisions.c.text,
        revisions.c.text_sha, a.model_version, a.brand_match, a.red_lines, a.voice, a.assessed_at,
    ).select_from(tables).where(*wanted).order_by(when.desc(), mentions.c.id.desc()).limit(limit)
    rows: Any = connection.execute(query).all()
    found: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    own = (
        sa.select(hits.c.ref_id, hits.c.watch, hits.c.rule, hits.c.matched)
        .select_from(tables.join(hits, sa.and_(hits.c.text_kind == TextKind.MENTION.value, hits.c.ref_id == mentions.c.id)))
        .where(*wanted, hits.c.end > hits.c.start).order_by(hits.c.start.desc())
    )
    for hit in connection.execute(own) if rows else ():
        found[hit.ref_id][hit.watch] = (hit.rule, hit.matched)
    return [Recent(row, item, found.get(row.id, {})) for row, item in zip(rows, inputs(connection, rows), strict=True)]


def not_ours(connection: Connection) -> frozenset[int]:
    """Return the mentions of which the word that counts is 误报."""
    return frozenset(
        int(name) for (kind, name), row in newest_words(connection).items()
        if kind == TextKind.MENTION and row.verdict == FALSE_ALARM
    )


def erased(connection: Connection) -> tuple[int, int]:
    """Return a mark that changes whenever anything was erased."""
    newest, rows = connection.execute(sa.select(sa.func.max(erasures.c.id), sa.func.count())).one()
    return int(newest or 0), int(rows)
