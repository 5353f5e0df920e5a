"""What the schedule does: which schedulers live, what runs, what comes next, what waits to be sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from vocwatch.schedule import sending, watchman
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, leases, runs

ALIVE = dt.timedelta(minutes=3)
SHOWN = dt.timedelta(days=1)


def status(settings: Settings, store: Store) -> dict[str, Any]:
    """Return the state of the schedule as one plain structure; times are ISO 8601 in the business zone."""
    now, zone = settings.clock.now(), settings.app.zone

    def local(moment: dt.datetime | None) -> str | None:
        return moment.astimezone(zone).isoformat(timespec="seconds") if moment else None

    with store.read() as connection:
        held = leases.held(connection)
        schedulers = leases.all_schedulers(connection, now - SHOWN)
        rows = leases.jobs(connection)
        heartbeat = _heartbeat(connection)
        outbox = sending.counts(connection, now)
    running = {one.job: one for one in held.values() if one.owner is not None}
    return {
        "now": local(now),
        "schedulers": [
            {"id": one.id, "state": one.state if one.state == "stopped" or now - one.seen_at < ALIVE else "silent",
             "started_at": local(one.started_at), "seen_at": local(one.seen_at), "problem": one.problem}
            for one in schedulers
        ],
        "jobs": [
            {"job": row.job, "state": "running" if row.job in running else row.outcome or "waiting",
             "next_due": local(row.due_at), "last_started": local(row.started_at), "last_ended": local(row.ended_at),
             "failures": row.failures, "note": row.note}
            for row in rows if row.due_at is not None or row.ended_at is None or now - row.ended_at < SHOWN
        ],
        "leases": [
            {"lane": one.name, "owner": one.owner, "job": one.job, "since": local(one.since), "fence": one.fence}
            for one in held.values() if one.owner is not None
        ],
        "next_digest": next(
            ({"date": row.job.partition(":")[2], "due_at": local(row.due_at)}
             for row in rows if row.job.startswith("digest:") and row.due_at is not None), None,
        ),
        "heartbeat": {key: local(value) if isinstance(value, dt.datetime) else value for key, value in heartbeat.items()},
        "outbox": outbox,
    }


def _heartbeat(connection: Connection) -> dict[str, Any]:
    """When all was in order last, and since then what was not."""
    last = runs.latest(connection, watchman.KIND, watchman.SUBJECT)
    good = next(iter(runs.recent(connection, watchman.KIND, 1)), None)
    bad = last if last is not None and last.reason else None
    return {
        "given_at": good.started_at if good else None, "looked_at": last.started_at if last else None,
        "trouble": bad.reason if bad else None,
    }
