"""Run rows: what was started, how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import RunStatus, SourceStatus
from vocwatch.store.schema import runs


@dataclass(frozen=True)
class Run:
    """One row of `runs`."""

    id: int
    kind: str
    subject: str
    status: RunStatus
    outcome: SourceStatus | None
    reason: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    stats: dict[str, Any]


def start(connection: Connection, kind: str, subject: str, now: dt.datetime) -> int:
    """Record that a piece of work begins; returns its run id."""
    row = connection.execute(
        runs.insert().values(kind=kind, subject=subject, status=RunStatus.RUNNING, started_at=now, stats={})
    )
    key = row.inserted_primary_key
    assert key is not None
    return int(key[0])


def finish(
    connection: Connection, run_id: int, now: dt.datetime, status: RunStatus = RunStatus.DONE,
    outcome: SourceStatus | None = None, reason: str | None = None, stats: Mapping[str, Any] | None = None,
) -> None:
    """Record how it ended. A run that has ended stays as it is."""
    connection.execute(
        runs.update().where(runs.c.id == run_id, runs.c.status == RunStatus.RUNNING).values(
            status=status, outcome=outcome, reason=reason, finished_at=now, stats=dict(stats or {})
        )
    )


def note(connection: Connection, run_id: int, stats: Mapping[str, Any]) -> None:
    """Record how far a running piece of work is; `finish` replaces it, a crash leaves it."""
    connection.execute(
        runs.update().where(runs.c.id == run_id, runs.c.status == RunStatus.RUNNING).values(stats=dict(stats))
    )


def total(connection: Connection, kind: str, key: str, since: dt.datetime) -> int:
    """Return the sum of one count over the runs of a kind that started since then."""
    found = connection.execute(sa.select(runs.c.stats).where(runs.c.kind == kind, runs.c.started_at >= since))
    return sum(int((stats or {}).get(key, 0)) for stats in found.scalars())


def get(connection: Connection, run_id: int) -> Run | None:
    """Return one run."""
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).first()
    return _run(row) if row else None


def first(connection: Connection) -> dt.datetime | None:
    """Return when the first piece of work began that is still known."""
    return connection.execute(sa.select(runs.c.started_at).order_by(runs.c.id).limit(1)).scalar_one_or_none()


def latest(
    connection: Connection, kind: str, subject: str, since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Run | None:
    """Return the newest run of a kind and subject that started in [since, until]."""
    query = sa.select(runs).where(runs.c.kind == kind, runs.c.subject == subject)
    if since:
        query = query.where(runs.c.started_at >= since)
    if until:
        query = query.where(runs.c.started_at <= until)
    row = connection.execute(query.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1)).first()
    return _run(row) if row else None


def latest_of(connection: Connection, kind: str, subject: str, outcomes: Sequence[SourceStatus]) -> Run | None:
    """Return the newest run of a kind and subject that ended in one of these ways."""
    query = sa.select(runs).where(runs.c.kind == kind, runs.c.subject == subject, runs.c.outcome.in_(list(outcomes)))
    row = connection.execute(query.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1)).first()
    return _run(row) if row else None


def replace_last(connection: Connection, kind: str, subject: str, now: dt.datetime, reason: str | None) -> None:
    """Keep one row of what is done again and again: when it was done last, and when and why last in vain."""
    values = {"status": RunStatus.FAILED if reason else RunStatus.DONE, "reason": reason, "started_at": now, "finished_at": now}
    where = sa.and_(
        runs.c.kind == kind, runs.c.subject == subject,
        runs.c.status == RunStatus.DONE if reason is None else runs.c.status == RunStatus.FAILED,
    )
    if not connection.execute(runs.update().where(where).values(**values)).rowcount:
        connection.execute(runs.insert().values(kind=kind, subject=subject, stats={}, **values))


def history(
    connection: Connection, kind: str, subject: str, limit: int = 50, outcome: SourceStatus | None = None
) -> list[Run]:
    """Return the finished runs of a subject, newest first; those of one outcome only, if it is given."""
    query = (
        sa.select(runs)
        .where(runs.c.kind == kind, runs.c.subject == subject, runs.c.status != RunStatus.RUNNING)
        .order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
    )
    if outcome is not None:
        query = query.where(runs.c.outcome == outcome)
    return [_run(row) for row in connection.execute(query)]


def recent(connection: Connection, kind: str, limit: int) -> list[Run]:
    """Return the runs of a kind that came to a good end, whatever their subject, newest first."""
    query = (
        sa.select(runs).where(runs.c.kind == kind, runs.c.status == RunStatus.DONE)
        .order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
    )
    return [_run(row) for row in connection.execute(query)]


def accept(connection: Connection, source: str, now: dt.datetime) -> None:
    """Record that a source, as it is from now on, is in order: runs before `now` no longer tell what is usual."""
    finish(connection, start(connection, "accept", source, now), now)


def accepted_at(connection: Connection, source: str) -> dt.datetime | None:
    """Return when a source was last accepted as it is."""
    run = latest(connection, "accept", source)
    return run.started_at if run else None


def abandon_unfinished(connection: Connection, kind: str, subject: str, now: dt.datetime) -> None:
    """Mark runs of this subject that a crash left open as failed."""
    connection.execute(
        runs.update().where(
            runs.c.kind == kind, runs.c.subject == subject, runs.c.status == RunStatus.RUNNING
        ).values(
            status=RunStatus.FAILED, finished_at=now, reason="上次运行被中断",
            outcome=SourceStatus.NOT_RUN if kind == "crawl" else None,
        )
    )


def _run(row: Any) -> Run:
    return Run(
        id=row.id, kind=row.kind, subject=row.subject, status=RunStatus(row.status),
        outcome=SourceStatus(row.outcome) if row.outcome else None, reason=row.reason,
        started_at=row.started_at, finished_at=row.finished_at, stats=row.stats or {},
    )
