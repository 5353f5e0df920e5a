"""Sources under a question, and the calendar of what was read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from reports.desk.blind import sight
from reports.desk.groups import link
from reports.desk.handle import Desk
from vocwatch.clock import day_window
from vocwatch.store import facts, runs
from vocwatch.store.desk import counts
from vocwatch.store.desk.question import Question

DAYS = 28


@dataclass(frozen=True)
class DayRead:
    """What became of a source on a day: ok, degraded, blocked, empty, not-run, or unused (before it was in use)."""

    day: dt.date
    status: str
    why: str
    read: int | None


def source_rows(desk: Desk, question: Question) -> list[dict[str, Any]]:
    """Return a row for each source: those configured, and those that are no more but have mentions."""
    until = question.until or desk.today
    since = question.since or until - dt.timedelta(days=DAYS - 1)
    with desk.read() as connection:
        found = counts.grouped(connection, desk.scope(connection, question), ("source",), authors=False)
        number = {c.values[0]: (c.mentions, c.negative) for c in found}
        seen = sight(desk, connection, since, until)
        names = sorted({*desk.settings.sources, *number} if not question.sources else question.sources)
        last = {name: next(iter(runs.history(connection, "crawl", name, 1)), None) for name in names}
    rows = []
    blind = seen.blind()
    for name in names:
        source, run = desk.settings.sources.get(name), last[name]
        mentions, negative = number.get(name, (0, 0))
        read = len([day for day in seen.days if day in seen.read.get(name, ())])
        missed = len(blind.get(name, ()))
        rows.append({
            "source": name, "title": desk.source_title(name), "enabled": bool(source and source.enabled),
            "status": (run.outcome or run.status).value if run else None, "why": run.reason if run else None,
            "last_run": run.started_at if run else None, "mentions": mentions, "negative": negative, "days_read": read,
            "days_blind": missed, "coverage": read / (read + missed) if read + missed else None,
            "owner": source.owner if source else None, "link": link(question, ("source",), {"source": name}),
        })
    return sorted(rows, key=lambda row: (not row["enabled"], -row["mentions"], row["source"]))


def coverage_calendar(desk: Desk, since: dt.date, until: dt.date) -> dict[str, list[DayRead]]:
    """Return for each configured source what became of it on each day of [since, until], by its last crawl that day."""
    zone = desk.settings.app.zone
    start, end = day_window(since, zone)[0], day_window(until, zone)[1]
    with desk.read() as connection:
        crawls = facts.crawl_runs(connection, start, end)
        seen = sight(desk, connection, since, until)
    by_day: dict[tuple[str, dt.date], Any] = {}
    for run in crawls:
        by_day[run.subject, run.started_at.astimezone(zone).date()] = run
    found: dict[str, list[DayRead]] = {}
    for name in sorted(desk.settings.sources):
        line = []
        for number in range((until - since).days + 1):
            day = since + dt.timedelta(days=number)
            last = by_day.get((name, day))
            if last is not None:
                read = last.stats.get("read", last.stats.get("records"))
                line.append(DayRead(day, last.outcome.value if last.outcome else "not-run", last.reason or "", int(read) if read is not None else None))
            elif name not in seen.since or day < seen.since[name] or day >= desk.today:
                line.append(DayRead(day, "unused", "", None))
            else:
                line.append(DayRead(day, "ok" if day in seen.read[name] else "not-run", "", None))
        found[name] = line
    return found
