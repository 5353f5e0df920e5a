"""Bringing what is written down as due in line with the configuration and the calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from vocwatch.schedule import digests
from vocwatch.schedule.tasks import Task
from vocwatch.settings import Settings
from vocwatch.store import Connection, leases
from vocwatch.store.leases import Due


@dataclass
class Changes:
    """What has to be written: new jobs, other slots, jobs that are no more."""

    new: list[tuple[str, str, dt.datetime]] = field(default_factory=list)
    moved: dict[str, dt.datetime] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.retired)

    def apply(self, connection: Connection, now: dt.datetime) -> None:
        """Write them."""
        leases.plan(connection, self.new)
        for job, due_at in self.moved.items():
            leases.move(connection, job, due_at)
        if self.retired:
            leases.retire(connection, self.retired)


def amend(
    settings: Settings, tasks: Mapping[str, Task], rows: Mapping[str, Due], connection: Connection, now: dt.datetime
) -> Changes:
    """Return what of `rows` has to change. A slot further away than its pace allows is drawn near: the pace has become
    shorter, or the clock was put back.
    """
    changes = Changes()
    for job, task in tasks.items():
        row = rows.get(job)
        if row is None:
            changes.new.append((job, task.lane, now))
        elif row.due_at is None:
            changes.moved[job] = now
        elif row.due_at > now + task.every * (1 + task.jitter):
            changes.moved[job] = now + task.every
    changes.retired = [
        job for job, row in rows.items()
        if job not in tasks and row.due_at is not None and not digests.is_digest(job)
    ]
    known = {digests.date_of(job): row for job, row in rows.items() if digests.is_digest(job)}
    for date in digests.wanted(settings, list(known), connection, now):
        changes.new.append((digests.job_of(date), digests.LANE, settings.app.digest_moment(date)))
    for date, row in known.items():
        if row.due_at is None or not row.due_at > now:
            continue
        moment = settings.app.digest_moment(date)
        waits = row.failures > 0 or row.attempts > 0  # it waits to be tried again
        if not waits and row.due_at != moment:
            changes.moved[row.job] = moment
        elif waits and row.due_at > now + digests.RETRY_AT_MOST:
            changes.moved[row.job] = now + digests.RETRY_AT_MOST
    return changes
