"""Where the schedule meets delivery and alerts."""

from __future__ import annotations

import datetime as dt

from reports.alerting import notify
from reports.delivery import deliver, enqueue_digest, enqueue_notice
from reports.digest.views import readers
from reports.shape import Facts
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, digests, outbox

COUNTED = dt.timedelta(days=7)
MANY = 10_000
SHUT = ("network", "tls", "login", "config")
"""Faults of the way out, not of a message or its recipient."""


def hand_over(settings: Settings, store: Store, facts: Facts, now: dt.datetime, lang: str) -> int:
    """Put a digest into the outbox for its recipients, each once, and let it stay as it is; returns how many are new.

    Where nobody is to get it by mail it only stays. Raises DeliveryError where mail is not configured.
    """
    if readers(settings, facts.audience, lang):
        return len(enqueue_digest(settings, store, facts, now=now, lang=lang).new)
    with store.begin() as connection:
        digests.seal(connection, facts.date, facts.audience, now)
    return 0


def tell(settings: Settings, store: Store, now: dt.datetime) -> int:
    """Put what must be said of alerts into the outbox; returns how many messages are new."""
    return sum(said.targets for said in notify(settings, store, now=now))


def flush(settings: Settings, store: Store, now: dt.datetime) -> int:
    """Send what is due; returns how many messages were sent."""
    return len(deliver(settings, store, now=now).of("sent"))


def notice(settings: Settings, store: Store, key: str, subject: str, text: str, now: dt.datetime) -> int:
    """Tell the administrators, once for each key; returns to how many it goes now."""
    return enqueue_notice(settings, store, key, subject, text, now=now)


def waiting(connection: Connection, shut_out: bool = False) -> tuple[int, dt.datetime | None]:
    """Return how many messages wait to be sent, and since when the oldest does; of those whose way out is shut only."""
    return outbox.waiting_since(connection, SHUT if shut_out else ())


def digest_waits(connection: Connection, date: dt.date) -> int:
    """Return how many recipients of a date's digest have not got it yet, though it may still reach them."""
    return sum(
        row["key"].startswith(f"{date.isoformat()}/")
        for row in outbox.listed(connection, kind="digest", states=("waiting", "claimed", "retry"), limit=MANY)
    )


def counts(connection: Connection, now: dt.datetime) -> dict[str, int]:
    """Return how many messages of the last seven days are in which state."""
    return outbox.counts(connection, now - COUNTED)
