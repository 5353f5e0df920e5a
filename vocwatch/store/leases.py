"""Due work and the leases under which it is done: one scheduler does each slot, whoever else is there.

A lease is held by a number (`fence`) that grows with each owner, and kept alive by raising `beat`. Nobody compares
clocks: who wants a lease takes its owner for dead only after having seen the same beat for some time of its own
(`vocwatch.schedule.engine`). An owner that slept through this finds its number refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import upsert
from vocwatch.store.schedule_schema import due_work, leases, schedulers

DONE, FAILED, MERGED = "done", "failed", "merged"
DIGEST = "digest:"
"""How the jobs begin that come once, for a business date."""


class Lost(Exception):
    """The lease is somebody else's by now; what is under way must not be written any more."""


@dataclass(frozen=True, slots=True)
class Due:
    """One row of `due_work`."""

    job: str
    lane: str
    due_at: dt.datetime | None
    asked: int
    attempts: int
    failures: int
    done: int
    slot_at: dt.datetime | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    outcome: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """One row of `leases` as it was seen."""

    name: str
    owner: str | None
    fence: int
    beat: int
    job: str | None
    since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one slot of a job. `attempts` counts how often the slot was begun, this time included, `failures`
    the slots in a row that ended in an error before.
    """

    name: str
    owner: str
    fence: int
    job: str
    slot: dt.datetime
    asked: int
    attempts: int
    failures: int


def plan(connection: Connection, rows: Sequence[tuple[str, str, dt.datetime]]) -> None:
    """Add jobs (name, lane, first slot) that are not known yet; known ones keep their slots."""
    fresh = {"asked": 0, "attempts": 0, "failures": 0, "done": 0}
    upsert(connection, due_work, [{"job": job, "lane": lane, "due_at": at, **fresh} for job, lane, at in rows], ("job",))
    lanes = dict.fromkeys(lane for _, lane, _ in rows)
    upsert(connection, leases, [{"name": lane, "fence": 0, "beat": 0} for lane in lanes], ("name",))


def retire(connection: Connection, jobs: Sequence[str]) -> None:
    """Let jobs never come due again."""
    connection.execute(due_work.update().where(due_work.c.job.in_(list(jobs))).values(due_at=None))


def move(connection: Connection, job: str, due_at: dt.datetime) -> None:
    """Give a job another next slot."""
    connection.execute(due_work.update().where(due_work.c.job == job).values(due_at=due_at))


def ask(connection: Connection, job: str, now: dt.datetime) -> None:
    """Let a job come due at once; where it is being done right now, it is done once more afterwards."""
    d = due_work.c
    connection.execute(
        due_work.update().where(d.job == job).values(
            asked=d.asked + 1, due_at=sa.case((d.due_at < now, d.due_at), else_=now)
        )
    )


def jobs(connection: Connection, prefix: str = "") -> list[Due]:
    """Return the known jobs whose name begins with `prefix`, by name."""
    query = sa.select(due_work).where(due_work.c.job.startswith(prefix, autoescape=True)).order_by(due_work.c.job)
    return [Due(*row) for row in connection.execute(query)]


def current(connection: Connection) -> dict[str, Due]:
    """Return the jobs that may still come due, by name; of the dates' digests those undone and the last one planned."""
    d = due_work.c
    dated = d.job.startswith(DIGEST)
    last = sa.select(sa.func.max(d.job)).where(dated).scalar_subquery()
    query = sa.select(due_work).where(sa.or_(~dated, d.due_at.is_not(None), d.job == last)).order_by(d.job)
    return {row.job: Due(*row) for row in connection.execute(query)}


def held(connection: Connection) -> dict[str, Held]:
    """Return all leases by name."""
    return {row.name: Held(*row) for row in connection.execute(sa.select(leases))}


def claim(
    connection: Connection, wanted: Due, owner: str, now: dt.datetime, dead: Held | None = None
) -> Lease | None:
    """Take the lease of a job's lane for its slot; None where the lane is taken or the slot done by now.

    `dead` is the lease of an owner that has shown no life for long enough: it is taken over, if it still shows none.
    """
    slot = wanted.due_at
    assert slot is not None
    free: sa.ColumnElement[bool] = leases.c.owner.is_(None)
    if dead is not None:
        free = sa.or_(free, sa.and_(leases.c.fence == dead.fence, leases.c.beat == dead.beat))
    taken = connection.execute(
        leases.update().where(leases.c.name == wanted.lane, free).values(
            owner=owner, fence=leases.c.fence + 1, beat=0, job=wanted.job, since=now
        ).returning(leases.c.fence)
    ).scalar_one_or_none()
    if taken is None:
        return None
    begun = connection.execute(
        due_work.update().where(due_work.c.job == wanted.job, due_work.c.due_at == slot).values(
            slot_at=slot, started_at=now, attempts=due_work.c.attempts + 1
        ).returning(due_work.c.asked, due_work.c.attempts, due_work.c.failures)
    ).first()
    if begun is None:  # somebody has done it meanwhile
        _free(connection, wanted.lane, owner, taken)
        return None
    return Lease(wanted.lane, owner, taken, wanted.job, slot, begun.asked, begun.attempts, begun.failures)


def renew(connection: Connection, lease: Lease) -> bool:
    """Show that the owner lives; False where the lease is no longer its own."""
    return connection.execute(leases.update().where(*_own(lease)).values(beat=leases.c.beat + 1)).rowcount == 1


def hold(connection: Connection, lease: Lease) -> None:
    """Make sure, within a writing transaction, that the lease is still held. Raises Lost.

    Until the transaction ends nobody can take it over.
    """
    if connection.execute(sa.select(leases.c.fence).where(*_own(lease)).with_for_update()).first() is None:
        raise Lost(lease.job)


def finish(
    connection: Connection, lease: Lease, now: dt.datetime, next_at: dt.datetime | None, outcome: str = DONE,
    note: str | None = None,
) -> None:
    """Close the slot, let the next one be at `next_at` (None: never), and give the lease back. Raises Lost.

    Who asked for the job after it was begun has it come due at once.
    """
    hold(connection, lease)
    d = due_work.c
    failed = outcome == FAILED
    connection.execute(
        due_work.update().where(d.job == lease.job).values(
            due_at=sa.case((d.asked != lease.asked, now), else_=sa.literal(next_at, d.due_at.type)),
            ended_at=now, outcome=outcome, note=note, attempts=0,
            failures=d.failures + 1 if failed else 0, done=d.done + (0 if failed else 1),
        )
    )
    _free(connection, lease.name, lease.owner, lease.fence)


def give_back(connection: Connection, lease: Lease) -> None:
    """Give a lease back with its slot undone, as a scheduler does that stops."""
    _free(connection, lease.name, lease.owner, lease.fence)


def merge(connection: Connection, job: str, into: str, now: dt.datetime) -> None:
    """Close a digest's slot: its date is told of by that of another date (empty: it was sent by itself)."""
    connection.execute(
        due_work.update().where(due_work.c.job == job).values(
            due_at=None, ended_at=now, outcome=MERGED if into else DONE, note=into or None, attempts=0, failures=0
        )
    )


def remerge(connection: Connection, was: str, now_into: str) -> None:
    """Let the dates that were told of by one digest be told of by another."""
    if was != now_into:
        connection.execute(
            due_work.update().where(due_work.c.outcome == MERGED, due_work.c.note == was).values(note=now_into)
        )


def merged_into(connection: Connection, date: dt.date) -> list[dt.date]:
    """Return the business dates that the digest of `date` tells of beside its own, oldest first."""
    query = sa.select(due_work.c.job).where(due_work.c.outcome == MERGED, due_work.c.note == date.isoformat())
    return sorted(dt.date.fromisoformat(job.partition(":")[2]) for job in connection.execute(query).scalars())


def _own(lease: Lease) -> tuple[Any, ...]:
    return leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.fence == lease.fence


def _free(connection: Connection, name: str, owner: str, fence: int) -> None:
    connection.execute(
        leases.update().where(leases.c.name == name, leases.c.owner == owner, leases.c.fence == fence).values(
            owner=None, job=None, since=None
        )
    )


@dataclass(frozen=True, slots=True)
class Scheduler:
    """One row of `schedulers`."""

    id: str
    started_at: dt.datetime
    seen_at: dt.datetime
    state: str
    problem: str | None


def sign(connection: Connection, me: Scheduler) -> None:
    """Record a sign of life."""
    row = {name: getattr(me, name) for name in Scheduler.__slots__}
    upsert(connection, schedulers, [row], ("id",), ("seen_at", "state", "problem"))


def all_schedulers(connection: Connection, since: dt.datetime) -> list[Scheduler]:
    """Return the schedulers seen since then, the newest sign first."""
    query = sa.select(schedulers).where(schedulers.c.seen_at >= since).order_by(schedulers.c.seen_at.desc(), schedulers.c.id)
    return [Scheduler(*row) for row in connection.execute(query)]


def forget_schedulers(connection: Connection, before: dt.datetime) -> None:
    """Drop the rows of schedulers that have shown no life since then."""
    connection.execute(schedulers.delete().where(schedulers.c.seen_at < before))
