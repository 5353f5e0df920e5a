"""When a page is to be read again: soon after it was posted, then ever more rarely, and whenever it shows signs of life."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from vocwatch.store.pages import SECOND_LOOK, Visit

STILL_LISTED = dt.timedelta(days=7)  # a deleted page that a listing goes on naming
LIVE_AGAIN = dt.timedelta(hours=24)  # a page whose last reading brought something new
LIVE_FOR = dt.timedelta(days=30)
PROBE_SECONDS = 3600.0  # a site that blocks is asked at most once an hour
LONGEST_BACKOFF = 24 * 3600.0


def is_due(
    visit: Visit, now: dt.datetime, hours: Sequence[float], listed: Mapping[str, Any] | None = None
) -> bool:
    """Whether a page that was read before is to be read again.

    `hours` after its publication it is due once each. `listed` is what a listing tells of it now: a later
    `updated_at` than our last reading, or another number of replies, make it due at once.
    """
    if visit.missing_since is not None:
        second = visit.missing_since + SECOND_LOOK
        return visit.visited_at < second <= now or (listed is not None and now - visit.visited_at >= STILL_LISTED)
    if visit.published_at is None:
        return True  # a page of many posts: it may hold new ones at any time
    if listed and _moved(visit, listed):
        return True
    published = min(visit.published_at, visit.visited_at)
    if any(visit.visited_at < published + dt.timedelta(hours=h) <= now for h in hours):
        return True
    live = visit.changed_at is not None and visit.changed_at >= visit.visited_at and now - published < LIVE_FOR
    return bool(hours) and live and now - visit.visited_at >= LIVE_AGAIN


def _moved(visit: Visit, listed: Mapping[str, Any]) -> bool:
    updated = listed.get("updated_at")
    if isinstance(updated, dt.datetime):
        # A listing that tells days only ("11-20") is taken at its word for the whole of that day.
        return updated > visit.visited_at
    before, after = visit.carried.get("replies"), listed.get("replies")
    return before is not None and after is not None and before != after


def horizon(now: dt.datetime, hours: Sequence[float]) -> dt.datetime:
    """The publication time before which no page is due by the schedule; three days' grace for missed runs."""
    return now - dt.timedelta(hours=max(hours, default=0)) - dt.timedelta(days=3)


def stretches(
    last: dt.datetime, now: dt.datetime, hours: Sequence[float]
) -> list[tuple[dt.datetime, dt.datetime]]:
    """The publication times that have come due since the run at `last`: (after, until] for each of the hours."""
    return [(last - dt.timedelta(hours=h), now - dt.timedelta(hours=h)) for h in hours]


def backoff(blocks: int, retry_after: float | None, seed: str) -> float:
    """Return the seconds to stay away after `blocks` blocked runs in a row: an hour, doubled each time, at most a day.

    Longer by up to a fifth, as `seed` decides, so that sources blocked together do not come back together; never
    shorter than what the site asked for.
    """
    jitter = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / 2**32
    wait = min(PROBE_SECONDS * 2.0 ** (min(blocks, 10) - 1) * (1 + 0.2 * jitter), LONGEST_BACKOFF)
    return max(wait, retry_after or 0.0)
