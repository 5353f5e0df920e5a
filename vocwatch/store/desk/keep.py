"""Keeping the narrow rows current: what the triggers noted is made anew before the transaction ends."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.desk import words
from vocwatch.store.desk_schema import (
    desk_changes,
    desk_dirty,
    desk_mentions,
    desk_red_lines,
    desk_topics,
    desk_watches,
)
from vocwatch.store.engine import upsert
from vocwatch.store.incidents import placed_at
from vocwatch.store.schema import assessments, hits, mentions, revisions

BATCH = 2_000
MERCHANT = "merchant"
REFUSED = "refused"
NEGATIVE = "negative"
_SHIFT = 32
_HOUR = 60 << _SHIFT
_NAME = 100


def key_of(moment: dt.datetime, ref_id: int = 0) -> int:
    """Return the key of a mention of that moment; with no id the lowest one of its minute."""
    return max(0, int(moment.timestamp() // 60)) << _SHIFT | ref_id


def drain(connection: Connection, most: int | None = None) -> int:
    """Make the narrow rows of changed mentions anew, of `most` of them at the utmost; returns of how many."""
    done = 0
    while most is None or done < most:
        waiting = sa.select(desk_changes.c.ref_id).order_by(desk_changes.c.ref_id).limit(BATCH)
        ids = list(connection.execute(waiting).scalars())
        if not ids:
            break
        connection.execute(desk_changes.delete().where(desk_changes.c.ref_id.in_(ids)))
        _renew(connection, ids)
        done += len(ids)
    return done


def _renew(connection: Connection, ids: Sequence[int]) -> None:
    d = desk_mentions.c
    stored = {row.ref_id: row for row in connection.execute(sa.select(d.ref_id, d.key, d.revision_id).where(d.ref_id.in_(ids)))}
    fresh = {row.id: row for row in connection.execute(_judged(ids))}
    keys = [row.key for row in stored.values()]
    for table in (desk_topics, desk_watches, desk_red_lines, desk_mentions):
        if keys:
            connection.execute(table.delete().where(table.c.key.in_(keys)))
    rows = [_narrow(row) for row in fresh.values()]
    same = {
        row["ref_id"] for row in rows
        if (old := stored.get(row["ref_id"])) and (old.key, old.revision_id) == (row["key"], row["revision_id"])
    }
    words.remove(connection, [row.key for ref, row in stored.items() if ref not in same])
    hours = {key // _HOUR for key in (*keys, *(row["key"] for row in rows))}
    upsert(connection, desk_dirty, [{"hour": hour} for hour in sorted(hours)], ("id",))
    if not rows:
        return
    upsert(connection, desk_mentions, rows, ("key",))
    by_id = {row["ref_id"]: row["key"] for row in rows}
    upsert(connection, desk_topics, [
        {"key": row["key"], "topic": topic[:_NAME], "who": row["who"], "brand": row["brand"], "sku": row["sku"],
         "negative": row["sentiment"] == NEGATIVE}
        for row in rows if row["voice"] != MERCHANT for topic in dict.fromkeys(fresh[row["ref_id"]].topics)
    ], ("key", "topic"))
    upsert(connection, desk_red_lines, [
        {"key": by_id[ref], "name": name[:_NAME]}
        for ref, row in fresh.items() for name in dict.fromkeys(str(line.get("name")) for line in row.red_lines)
    ], ("key", "name"))
    upsert(connection, desk_watches, _watches(connection, by_id), ("key", "watch"))
    words.add(connection, [
        (by_id[ref], words.fold(f"{row.title}\n{row.text}" if row.title else row.text))
        for ref, row in fresh.items() if ref not in same
    ])


def _judged(ids: Sequence[int]) -> sa.Select[Any]:
    m, a = mentions.c, assessments.c
    return (
        sa.select(
            m.id, m.source, m.kind, m.author_key, m.sku, m.shop, m.revision_id, m.purged_at, placed_at().label("placed"),
            a.brand_match, a.voice, a.refused, a.sentiment, a.severity, a.topics, a.red_lines, revisions.c.title, revisions.c.text,
        )
        .join(assessments, sa.and_(a.text_kind == TextKind.MENTION.value, a.ref_id == m.id))
        .join(revisions, revisions.c.id == m.revision_id)
        .where(m.id.in_(ids))
    )


def _narrow(row: Any) -> dict[str, Any]:
    return {
        "key": key_of(row.placed, row.id), "ref_id": row.id, "revision_id": 0 if row.purged_at else row.revision_id,
        "source": row.source, "kind": row.kind, "who": _who(row), "sku": row.sku, "shop": row.shop,
        "brand": row.brand_match, "voice": REFUSED if row.refused is not None else row.voice,
        "sentiment": None if row.voice == MERCHANT else row.sentiment, "severity": row.severity, "red_line": bool(row.red_lines),
    }


def _who(row: Any) -> int:
    told = f"{row.source}:{row.author_key}" if row.author_key else f"#{row.id}"
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest()[:7])


def _watches(connection: Connection, by_id: dict[int, int]) -> list[dict[str, Any]]:
    query = sa.select(hits.c.ref_id, hits.c.watch, hits.c.kind).where(hits.c.text_kind == TextKind.MENTION.value, hits.c.ref_id.in_(by_id))
    found = {(by_id[ref], watch): kind for ref, watch, kind in connection.execute(query)}
    return [{"key": key, "watch": watch, "kind": kind} for (key, watch), kind in found.items()]
