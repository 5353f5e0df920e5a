"""Where the schedule meets delivery and alerts."""

from __future__ import annotations

import datetime as dt

from reports.mail import DeliveryError, send_digest
from reports.shape import Facts
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store


def hand_over(settings: Settings, store: Store, facts: Facts, now: dt.datetime, lang: str) -> int:
    """Put a digest into the outbox for its recipients, each once; returns how many are new."""
    if not any(r.audience == facts.audience for r in settings.app.digest.recipients):
        return 0
    report = send_digest(settings, store, facts, now=now, lang=lang)
    if report.failed:
        raise DeliveryError(str(report.failed))
    return len(report.sent)


def tell(settings: Settings, store: Store, now: dt.datetime) -> int:
    """Put what must be said of alerts into the outbox; returns how many messages are new."""
    return 0


def flush(settings: Settings, store: Store, now: dt.datetime) -> int:
    """Send what is due; returns how many messages were sent."""
    return 0


def notice(settings: Settings, store: Store, key: str, subject: str, text: str, now: dt.datetime) -> int:
    """Tell the administrators, once for each key."""
    return 0


def waiting(connection: Connection) -> tuple[int, dt.datetime | None]:
    """Return how many messages wait to be sent, and since when the oldest does."""
    return 0, None


def digest_waits(connection: Connection, date: dt.date) -> int:
    """Return how many recipients of a date's digest have not got it yet, though it may still reach them."""
    return 0


def counts(connection: Connection) -> dict[str, int]:
    """Return how many messages of the last days are in which state."""
    return {}
