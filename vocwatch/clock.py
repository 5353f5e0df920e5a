"""The injected clock and the business day.

Nothing in the project asks the operating system for the time of day except `SystemClock`. A fixed clock
(`--now` or VOCWATCH_NOW) makes a past moment repeatable: the practice web and the tests run on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Anything that tells the present moment."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still at one moment (aware)."""

    moment: dt.datetime

    def now(self) -> dt.datetime:
        """Return the fixed moment in UTC."""
        return self.moment.astimezone(dt.UTC)


def parse_moment(text: str, zone: ZoneInfo) -> dt.datetime:
    """Parse an ISO 8601 moment; one without an offset is read in `zone`. Raises ValueError."""
    moment = dt.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)


def business_date(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the calendar date of `moment` in the business zone."""
    return moment.astimezone(zone).date()


def day_window(date: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Return the half-open [start, end) of a business date, both in UTC; 23 to 25 hours where DST shifts."""
    start = dt.datetime.combine(date, dt.time(), tzinfo=zone)
    end = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def first_at(moment: dt.datetime, at: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Return the first time at or after `moment` that clocks in `zone` show `at`, in UTC.

    A time of day that a DST gap leaves out is taken as much later; of one that comes twice, the first counts.
    """
    day = moment.astimezone(zone).date()
    found = dt.datetime.combine(day, at, tzinfo=zone).astimezone(dt.UTC)
    if found < moment:
        found = dt.datetime.combine(day + dt.timedelta(days=1), at, tzinfo=zone).astimezone(dt.UTC)
    return found


LEAP_SECONDS = 60.0


class Leaps:
    """Notices when the wall clock leaps against one that measures durations."""

    def __init__(self, seconds: Callable[[], float]):
        self._seconds = seconds
        self._before: tuple[dt.datetime, float] | None = None
        self._leapt = float("-inf")

    def look(self, now: dt.datetime) -> float:
        """Return by how many seconds the wall clock has leapt since the last look; 0 for less than a minute."""
        moment = self._seconds()
        before, self._before = self._before, (now, moment)
        if before is None:
            return 0.0
        leap = (now - before[0]).total_seconds() - (moment - before[1])
        if abs(leap) < LEAP_SECONDS:
            return 0.0
        if leap > 0:
            self._leapt = moment
        return leap

    @property
    def seconds_since(self) -> float:
        """For how long the wall clock has not leapt forward."""
        return self._seconds() - self._leapt
