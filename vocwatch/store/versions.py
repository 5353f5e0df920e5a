"""Versions of configuration files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.config_schema import config_versions

KEPT = 500
"""Versions of one file that are kept; older ones go."""
_LOCK = 0x766F6377  # any number that nothing else in the database locks


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a file; the columns of `config_versions`."""

    id: int
    file: str
    sha256: str
    content: str
    base: str | None
    entry: str
    what: str
    note: str
    who: str
    channel: str
    state: str
    change: Mapping[str, Any]
    decided_by: str | None
    decided_at: dt.datetime | None
    at: dt.datetime


def lock(connection: Connection) -> None:
    """Let nobody else change the configuration until the transaction ends; SQLite's writers wait for each other anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def add(connection: Connection, row: Mapping[str, Any]) -> int:
    """Add a version and return its number; beyond `KEPT` of a file the oldest settled ones go."""
    made = int(connection.execute(config_versions.insert().returning(config_versions.c.id), dict(row)).scalar_one())
    v = config_versions.c
    old = sa.select(v.id).where(v.file == row["file"], v.state != "waiting").order_by(v.id.desc()).offset(KEPT).limit(1000)
    gone = list(connection.execute(old).scalars())
    if gone:
        connection.execute(config_versions.delete().where(v.id.in_(gone)))
    return made


def find(connection: Connection, version: int) -> Version | None:
    """Return a version by its number."""
    row = connection.execute(sa.select(config_versions).where(config_versions.c.id == version)).first()
    return Version(**row._mapping) if row else None


def history(
    connection: Connection, file: str = "", *, entry: str = "", state: str = "", limit: int = 100
) -> list[Version]:
    """Return versions, newest first: of a file, of one entry of it, in one state."""
    v = config_versions.c
    query = sa.select(config_versions).order_by(v.id.desc()).limit(limit)
    for column, value in ((v.file, file), (v.entry, entry), (v.state, state)):
        if value:
            query = query.where(column == value)
    return [Version(**row._mapping) for row in connection.execute(query)]


def newest(connection: Connection, file: str) -> Version | None:
    """Return what a file was last known to say."""
    return next(iter(history(connection, file, state="applied", limit=1)), None)


def settle(
    connection: Connection, version: int, state: str, *, who: str, now: dt.datetime, sha256: str | None = None,
    content: str | None = None, note: str | None = None,
) -> bool:
    """Approve or reject what waits; False where it does not wait any more."""
    v = config_versions.c
    values: dict[str, Any] = {"state": state, "decided_by": who, "decided_at": now}
    values |= {key: value for key, value in (("sha256", sha256), ("content", content), ("note", note)) if value is not None}
    return bool(connection.execute(config_versions.update().where(v.id == version, v.state == "waiting").values(values)).rowcount)
