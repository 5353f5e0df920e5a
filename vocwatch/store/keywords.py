"""内部舆情关键词 in stored sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import Turn
from vocwatch.store.engine import BATCH, chunks
from vocwatch.store.schema import session_keywords, sessions, turns


@dataclass(frozen=True, slots=True)
class KeywordHit:
    """One word of a keyword class in one turn (`seq`); offsets into the turn's text."""

    seq: int
    name: str
    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class KeywordSession:
    """One session in which a keyword class was found."""

    ref_id: int
    native_id: str
    path: str
    started_at: dt.datetime
    shop: str | None
    sku: str | None
    name: str
    words: tuple[str, ...]


def pending(connection: Connection, version: str, limit: int) -> dict[int, list[Turn]]:
    """Return sessions not yet searched with the words of `version`, and their turns in order."""
    query = (
        sa.select(sessions.c.id).where(sessions.c.keywords.is_distinct_from(version))
        .order_by(sessions.c.id).limit(limit)
    )
    found: dict[int, list[Turn]] = {number: [] for number in connection.execute(query).scalars()}
    for part in chunks(list(found)):
        said = (
            sa.select(turns.c.session_id, turns.c.role, turns.c.text)
            .where(turns.c.session_id.in_(part)).order_by(turns.c.session_id, turns.c.seq)
        )
        for row in connection.execute(said):
            found[row.session_id].append(Turn(row.role, row.text))
    return found


def save(connection: Connection, version: str, hits: Mapping[int, Sequence[KeywordHit]]) -> None:
    """Replace the hits of these sessions and mark them as searched with `version`."""
    for part in chunks(list(hits)):
        connection.execute(session_keywords.delete().where(session_keywords.c.session_id.in_(part)))
        connection.execute(sessions.update().where(sessions.c.id.in_(part)).values(keywords=version))
    rows = [{"session_id": session, **asdict(hit)} for session, found in hits.items() for hit in found]
    for start in range(0, len(rows), BATCH):
        connection.execute(session_keywords.insert(), rows[start:start + BATCH])


def of_run(connection: Connection, run_id: int) -> dict[str, int]:
    """Return in how many of the sessions that an import brought or changed each class was found, most first."""
    number = sa.func.count(sa.distinct(session_keywords.c.session_id))
    query = (
        sa.select(session_keywords.c.name, number)
        .join(sessions, sessions.c.id == session_keywords.c.session_id)
        .where(sessions.c.run_id == run_id).group_by(session_keywords.c.name)
    )
    found = {row[0]: int(row[1]) for row in connection.execute(query)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def unsearched(connection: Connection, version: str, since: dt.datetime, until: dt.datetime) -> int:
    """Return how many sessions begun in [since, until) were not yet searched with the words of `version`."""
    s = sessions.c
    query = sa.select(sa.func.count(sa.distinct(s.native_id))).where(
        s.started_at >= since, s.started_at < until, s.keywords.is_distinct_from(version)
    )
    return int(connection.execute(query).scalar_one())


def keyword_sessions(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[KeywordSession]:
    """Return the sessions begun in [since, until) by keyword class, oldest first; a session once for each class."""
    s, k = sessions.c, session_keywords.c
    query = (
        sa.select(s.id, s.native_id, s.path, s.started_at, s.shop, s.sku, k.name, k.word)
        .join(session_keywords, k.session_id == s.id)
        .where(s.started_at >= since, s.started_at < until)
        .order_by(s.started_at, s.id, k.name, k.seq, k.start)
    )
    words: dict[tuple[int, str], list[str]] = {}
    first: dict[tuple[int, str], Any] = {}
    for row in connection.execute(query):
        key = (row.id, row.name)
        first.setdefault(key, row)
        known = words.setdefault(key, [])
        if row.word not in known:
            known.append(row.word)
    return [
        KeywordSession(
            row.id, row.native_id, row.path, row.started_at, row.shop, row.sku, row.name, tuple(words[key])
        )
        for key, row in first.items()
    ]
