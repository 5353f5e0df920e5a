"""Notices to the administrators: what does not mend itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from reports.delivery.compose import to_targets
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, outbox

HOURS = 24.0


def enqueue_notice(
    settings: Settings, store: Store, key: str, subject: str, text: str, *, now: dt.datetime
) -> int:
    """Tell `alerts.admins`, once for each `key`; returns to how many it goes now."""
    with store.begin() as connection:
        return add_notice(settings, connection, key, subject, text, now=now)


def add_notice(
    settings: Settings, connection: Connection, key: str, subject: str, text: str, *, now: dt.datetime,
    without: Collection[str] = (),
) -> int:
    """As `enqueue_notice`, in a transaction that is open; `without` targets that would not get it."""
    targets = [target for target in settings.app.alerts.admins if target not in without]
    made = to_targets(
        settings, targets, kind="notice", key=key[:200], which="notice", subject=subject, text=text, now=now, hours=HOURS
    )
    return len(outbox.enqueue(connection, made, now))
