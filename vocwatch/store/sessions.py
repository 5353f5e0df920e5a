"""Internal sessions and their turns."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import SessionRecord
from vocwatch.store.engine import BATCH, chunks, upsert
from vocwatch.store.schema import sessions, turns

_FIELDS = tuple(field.name for field in fields(SessionRecord) if field.name != "turns")
_KEY = ("native_id", "path")
_UPDATED = tuple(name for name in (*_FIELDS, "text_sha", "run_id", "imported_at", "keywords") if name not in _KEY)


@dataclass(frozen=True)
class UpsertCounts:
    """What came of a batch."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertCounts) -> UpsertCounts:
        return UpsertCounts(
            self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged
        )


def text_sha(record: SessionRecord) -> str:
    """Return the SHA-256 of what was said: roles, words, times, and the review."""
    said = [
        [turn.role, turn.text, turn.at.astimezone(dt.UTC).isoformat() if turn.at else None]
        for turn in record.turns
    ]
    return hashlib.sha256(json.dumps([said, record.review], ensure_ascii=False).encode()).hexdigest()


def upsert_sessions(
    connection: Connection, records: Sequence[SessionRecord], run_id: int, now: dt.datetime
) -> UpsertCounts:
    """Store masked sessions by (native_id, path): new ones are added, changed ones replaced with their turns.

    Unchanged ones are not touched and keep the run that brought them. No two records may share a key.
    """
    counts = UpsertCounts()
    for part in chunks(records):
        counts += _upsert_part(connection, part, run_id, now)
    return counts


def _upsert_part(
    connection: Connection, records: Sequence[SessionRecord], run_id: int, now: dt.datetime
) -> UpsertCounts:
    known = _stored(connection, [record.native_id for record in records])
    fresh: dict[tuple[str, str], SessionRecord] = {}
    rows: list[dict[str, Any]] = []
    updated = 0
    for record in records:
        key = (record.native_id, record.path.value)
        row = _row(record)
        if known.get(key) == row:
            continue
        updated += key in known
        fresh[key] = record
        rows.append({**row, "run_id": run_id, "imported_at": now, "keywords": None})
    upsert(connection, sessions, rows, key=_KEY, update=_UPDATED)
    _replace_turns(connection, fresh)
    return UpsertCounts(len(rows) - updated, updated, len(records) - len(rows))


def _row(record: SessionRecord) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in _FIELDS}
    return {**row, "path": record.path.value, "text_sha": text_sha(record)}


def _stored(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str], dict[str, Any]]:
    columns = [sessions.c[name] for name in (*_FIELDS, "text_sha")]
    found = connection.execute(sa.select(*columns).where(sessions.c.native_id.in_(ids)))
    return {(row.native_id, row.path): dict(row._mapping) for row in found}


def _replace_turns(connection: Connection, fresh: dict[tuple[str, str], SessionRecord]) -> None:
    ids: dict[tuple[str, str], int] = {}
    for part in chunks(sorted({native_id for native_id, _ in fresh})):
        columns = (sessions.c.id, sessions.c.native_id, sessions.c.path)
        query = sa.select(*columns).where(sessions.c.native_id.in_(part))
        ids.update({(row.native_id, row.path): row.id for row in connection.execute(query)})
    wanted = [ids[key] for key in fresh]
    for part in chunks(wanted):
        connection.execute(turns.delete().where(turns.c.session_id.in_(part)))
    rows = [
        {"session_id": ids[key], "seq": seq, "role": turn.role, "text": turn.text, "at": turn.at}
        for key, record in fresh.items() for seq, turn in enumerate(record.turns)
    ]
    for start in range(0, len(rows), BATCH):
        connection.execute(turns.insert(), rows[start:start + BATCH])
