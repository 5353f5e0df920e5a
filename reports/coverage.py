"""Which sources were read on which day. Blind is never shown as quiet."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.say import Say, say
from vocwatch.clock import business_date, day_window
from vocwatch.models import SourceStatus
from vocwatch.settings import Settings
from vocwatch.store.runs import Run

CALM_PERCENT = 90
NEXT_MORNING = dt.timedelta(hours=12)  # a crawl up to here belongs to the day before
STALE = dt.timedelta(hours=12)  # an unread evening this long makes a good run a partial one
UNKNOWN_SHARE = 0.5  # of a degraded run that can't tell what it should have read


@dataclass(frozen=True)
class SourceHealth:
    """How one source was read for a business date. `expected` and `read` count records; `since` when it
    began.
    """

    name: str
    title: str
    status: SourceStatus
    why: Say | None
    expected: int | None
    read: int | None
    share: float
    since: dt.date | None


@dataclass(frozen=True)
class Coverage:
    """How completely a business date was read. `percent` is the mean share over the enabled sources."""

    percent: int
    sources: tuple[SourceHealth, ...]

    @property
    def blind(self) -> tuple[SourceHealth, ...]:
        """Sources that were not read in full."""
        return tuple(source for source in self.sources if source.status is not SourceStatus.OK)

    @property
    def calm(self) -> bool:
        """Enough was read to say that silence is silence."""
        return self.percent >= CALM_PERCENT


def coverage(settings: Settings, date: dt.date, runs: Sequence[Run], now: dt.datetime) -> Coverage:
    """Judge each enabled source by its latest finished crawl that started between 00:00 of `date` and
    `now`.
    """
    start, end = day_window(date, settings.app.zone)
    found = []
    for name, source in sorted(settings.sources.items()):
        if not source.enabled:
            continue
        own = [run for run in runs if run.subject == name]
        today = [run for run in own if start <= run.started_at <= now]
        latest = today[-1] if today else None
        status, why = _status(latest, min(now, end), settings)
        expected, read = _counts(latest)
        found.append(
            SourceHealth(
                name,
                source.title,
                status,
                why,
                expected,
                read,
                _share(status, expected, read),
                _since(own, status, settings) if status is not SourceStatus.OK else None,
            )
        )
    percent = round(100 * sum(source.share for source in found) / len(found)) if found else 0
    return Coverage(percent, tuple(found))


def _status(run: Run | None, due: dt.datetime, settings: Settings) -> tuple[SourceStatus, Say | None]:
    if run is None:
        return SourceStatus.NOT_RUN, say("health.never")
    status = run.outcome or SourceStatus.NOT_RUN
    if status is SourceStatus.OK and due - run.started_at > STALE:
        return SourceStatus.DEGRADED, say(
            "health.early", time=f"{run.started_at.astimezone(settings.app.zone):%m-%d %H:%M}"
        )
    if status is SourceStatus.OK:
        return status, None
    return status, say("health.said", reason=run.reason) if run.reason else say("health.none")


def _counts(run: Run | None) -> tuple[int | None, int | None]:
    if run is None:
        return None, None
    read = run.stats.get("read", run.stats.get("records"))
    expected = run.stats.get("expected")
    return (int(expected) if expected is not None else None, int(read) if read is not None else None)


def _share(status: SourceStatus, expected: int | None, read: int | None) -> float:
    if status is SourceStatus.OK:
        return 1.0
    if status is not SourceStatus.DEGRADED:
        return 0.0
    if not expected or read is None:
        return UNKNOWN_SHARE
    return min(0.99, read / expected)


def _since(runs: Sequence[Run], status: SourceStatus, settings: Settings) -> dt.date | None:
    """Return the date from which the source's last runs all ended like this."""
    first = None
    for run in reversed(runs):
        if (run.outcome or SourceStatus.NOT_RUN) is not status:
            break
        first = run.started_at
    return business_date(first, settings.app.zone) if first else None


def usable_days(
    settings: Settings,
    days: Iterable[dt.date],
    runs: Sequence[Run],
    first_crawl: Mapping[str, dt.datetime],
    first_mention: Mapping[str, dt.datetime],
) -> dict[str, set[dt.date]]:
    """Return for each source the days that may stand in a baseline.

    A day counts by its last crawl up to noon of the next day; one that ended blocked, degraded, empty or
    was not run leaves the base. Days before the first good crawl count from the oldest mention on: they
    were read back. A source that never had a good crawl was never read.
    """
    zone = settings.app.zone
    by_source: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_source[run.subject].append(run)
    usable: dict[str, set[dt.date]] = {}
    for name in settings.sources:
        oldest = first_mention.get(name)
        began = first_crawl.get(name)
        if began is None:
            usable[name] = set()
            continue
        if oldest is None:
            continue
        start_day = business_date(oldest, zone)
        crawled_from = business_date(began, zone)
        usable[name] = {
            day
            for day in days
            if day >= start_day
            and (day < crawled_from or _told(by_source[name], day, zone))
        }
    return usable


def _told(runs: Sequence[Run], day: dt.date, zone: dt.tzinfo) -> bool:
    """Whether a crawl read that day, or an export that was imported since tells of it."""
    exports = [run for run in runs if "to" in run.stats]
    if not exports:
        return _read(runs, day, zone)
    return any(
        str(run.stats["from"]) <= day.isoformat() <= str(run.stats["to"])
        for run in exports
        if run.outcome is SourceStatus.OK
    )


def _read(runs: Sequence[Run], day: dt.date, zone: dt.tzinfo) -> bool:
    start = dt.datetime.combine(day, dt.time(), tzinfo=zone)
    end = start + dt.timedelta(days=1) + NEXT_MORNING
    own = [run for run in runs if start <= run.started_at < end]
    return bool(own) and own[-1].outcome is SourceStatus.OK
