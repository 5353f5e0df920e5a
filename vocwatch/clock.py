"""The injected clock and the business day.

Nothing in the project asks the operating system for the time of day except `SystemClock`. A fixed clock
(`--now` or VOCWATCH_NOW) makes a past moment repeatable: the practice web and the tests run on it.
"""

from __future__ import annotations

import datetime as dt
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
