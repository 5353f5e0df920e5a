"""What the watched import folder held at the last look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import upsert
from vocwatch.store.schema import import_files

WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class SeenFile:
    """One file as it was at a look; `state` is waiting, done, partial (rows were bad) or refused."""

    path: str
    size: int
    changed_ns: int
    seen_at: dt.datetime
    state: str = WAITING
    sha256: str | None = None
    reason: str | None = None
    run_id: int | None = None


def load(connection: Connection) -> dict[str, SeenFile]:
    """Return all files known, by path."""
    return {row.path: SeenFile(**row._mapping) for row in connection.execute(sa.select(import_files))}


def save(connection: Connection, files: Sequence[SeenFile]) -> None:
    """Store how files were found, or what became of them."""
    names = SeenFile.__slots__
    rows = [{name: getattr(file, name) for name in names} for file in files]
    upsert(connection, import_files, rows, key=("path",), update=[name for name in names if name != "path"])


def taken(connection: Connection, sha256: str) -> SeenFile | None:
    """Return a file of this very content that was imported, if there is one."""
    query = sa.select(import_files).where(import_files.c.sha256 == sha256, import_files.c.state.in_(("done", "partial")))
    row = connection.execute(query.order_by(import_files.c.path).limit(1)).first()
    return SeenFile(**row._mapping) if row else None


def forget_gone(connection: Connection, present: Sequence[str]) -> None:
    """Drop files that still waited and are there no more; what was imported stays on record."""
    connection.execute(
        import_files.delete().where(import_files.c.state == WAITING, import_files.c.path.not_in(list(present)))
    )
