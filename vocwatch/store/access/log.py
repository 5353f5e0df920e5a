"""The log of what people did: only ever added to, each row chained to the one before by a key outside the database."""

from __future__ import annotations

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.plain import one_line
from vocwatch.store.access.schema import access_log
from vocwatch.store.schema import erasures

_LOCK = 7_201_811  # PostgreSQL: one writer of the chain at a time; SQLite has only one writer anyway
_GONE = "access_log "


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    id: int
    at: dt.datetime
    who: str
    via: str
    what: str
    subject: str
    previous: str
    mac: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What verifying found: how many rows, and the first that is not what was written (None: all are)."""

    rows: int
    broken: Entry | None


def add(connection: Connection, who: str, via: str, what: str, subject: str, now: dt.datetime, key: bytes) -> None:
    """Add a row. `subject` names what it was about (an id, a question, a name), and never holds a text."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    last = connection.execute(sa.select(access_log.c.mac).order_by(access_log.c.id.desc()).limit(1)).scalar()
    row = {
        "at": now.astimezone(dt.UTC), "who": one_line(who, 100), "via": one_line(via, 120), "what": one_line(what, 40),
        "subject": one_line(subject, 400), "previous": last or "",
    }
    connection.execute(access_log.insert().values(**row, mac=_mac(key, row)))


def _mac(key: bytes, row: dict[str, Any]) -> str:
    parts = [row["at"].astimezone(dt.UTC).isoformat(timespec="microseconds"), *(row[name] for name in ("who", "via", "what", "subject", "previous"))]
    return hmac.digest(key, "\0".join(parts).encode(), "sha256").hex()


def entries(
    connection: Connection, *, who: str = "", what: str = "", since: dt.datetime | None = None, limit: int = 200, before: int = 0
) -> list[Entry]:
    """Return the newest rows first; `before` an id for the next page."""
    e = access_log.c
    query = sa.select(access_log).order_by(e.id.desc()).limit(limit)
    if who:
        query = query.where(e.who == who)
    if what:
        query = query.where(e.what == what)
    if since:
        query = query.where(e.at >= since)
    if before:
        query = query.where(e.id < before)
    return [Entry(*row) for row in connection.execute(query)]


def forget_old(connection: Connection, before: dt.datetime, now: dt.datetime) -> int:
    """Remove the oldest end of the log, up to `before`; the proof of it says where the chain goes on. Returns how many went."""
    e = access_log.c
    last = connection.execute(sa.select(e.id, e.mac).where(e.at < before).order_by(e.id.desc()).limit(1)).first()
    if last is None:
        return 0
    gone = int(connection.execute(access_log.delete().where(e.id <= last.id)).rowcount)
    connection.execute(erasures.insert().values(why="audit_days", source=None, subject=f"{_GONE}{last.mac}", rows=gone, at=now))
    return gone


def verify(connection: Connection, key: bytes) -> Checked:
    """Compute the whole chain again. Its oldest end may be gone where retention has left its proof, and nowhere else."""
    subjects = connection.execute(sa.select(erasures.c.subject).where(erasures.c.subject.startswith(_GONE))).scalars()
    begins = {"", *(subject.removeprefix(_GONE) for subject in subjects)}
    previous: str | None = None
    count = 0
    for row in connection.execute(sa.select(access_log).order_by(access_log.c.id)):
        entry = Entry(*row)
        values = dict(row._mapping)
        hangs = entry.previous in begins if previous is None else hmac.compare_digest(entry.previous, previous)
        if not hangs or not hmac.compare_digest(entry.mac, _mac(key, values)):
            return Checked(count, entry)
        previous, count = entry.mac, count + 1
    return Checked(count, None)


def kinds(connection: Connection) -> list[str]:
    """Return the different words of `what`."""
    return sorted(connection.execute(sa.select(access_log.c.what).distinct()).scalars())
