"""The shopping calendar: days on which everybody buys and talks more, and complains more for that reason alone.

Own dates come from `campaigns` in vocwatch.yaml; 618, 双11, 双12 and 年货节 are known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from statistics import median

from vocwatch.settings import Settings

RAISED = 1.5  # a campaign day counts as busy from this multiple of the usual volume on
MIN_USUAL = 5.0  # mentions a day below which a multiple says nothing
_FIXED = (  # (month, day) from and to, both included
    ("618", (6, 1), (6, 3)), ("618", (6, 16), (6, 18)), ("双11", (10, 31), (11, 3)), ("双11", (11, 10), (11, 11)),
    ("双12", (12, 11), (12, 12)),
)
_NEW_YEAR = {  # first day of the lunar year
    2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3), 2031: (1, 23), 2032: (2, 11),
}
_FAIR_DAYS = (28, 14)  # 年货节: from 28 to 14 days before the lunar new year


def campaign_on(settings: Settings, day: dt.date) -> str | None:
    """Return the name of the campaign of a date: an own one first, else a known one; None on ordinary days."""
    own = next((c.name for c in settings.app.campaigns if c.date <= day <= (c.until or c.date)), None)
    return own or (known(day) if settings.app.campaign_calendar else None)


def known(day: dt.date) -> str | None:
    """Return the known campaign that a date falls into."""
    for name, first, last in _FIXED:
        if first <= (day.month, day.day) <= last:
            return name
    if day.year in _NEW_YEAR:
        before = (dt.date(day.year, *_NEW_YEAR[day.year]) - day).days
        if _FAIR_DAYS[1] <= before <= _FAIR_DAYS[0]:
            return "年货节"
    return None


def exposures(settings: Settings, days: Iterable[dt.date], volume: Mapping[dt.date, int]) -> dict[dt.date, float]:
    """Return by how much more was said than usual on campaign days and the days after them; others are left out.

    `volume` are the mentions that complain of nothing: an incident must not explain itself away.
    """
    eve = dt.timedelta(days=1)
    busy = [d for d in days if campaign_on(settings, d) or campaign_on(settings, d - eve)]
    ordinary = [number for d, number in volume.items() if number and d not in busy]
    usual = median(ordinary) if ordinary else 0.0
    if usual < MIN_USUAL:
        return {}
    return {d: volume[d] / usual for d in busy if volume.get(d, 0) >= RAISED * usual}
