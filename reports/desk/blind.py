"""Which days of which sources can be counted: blind is never shown as quiet, on the desk neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reports.coverage import usable_days
from reports.desk.handle import Desk
from vocwatch.clock import day_window
from vocwatch.lang import listed, tr
from vocwatch.store import Connection, facts
from vocwatch.store.desk import outline
from vocwatch.store.desk.question import Question

MAX_DAYS = 800


@dataclass(frozen=True)
class Sight:
    """What was read of each day: the days of the window, and by source those that can be counted.

    Only enabled sources are here (of a question that names sources, those); a source stands in the window from its
    first day on.
    """

    days: tuple[dt.date, ...]
    read: Mapping[str, Collection[dt.date]]
    since: Mapping[str, dt.date]

    def unread(self, day: dt.date) -> tuple[str, ...]:
        """The sources that were not read on a day, though they were in use."""
        return tuple(name for name, days in self.read.items() if self.since[name] <= day and day not in days)

    def dark(self, day: dt.date) -> bool:
        """Nothing at all was read of a day."""
        return bool(self.read) and all(day not in days for days in self.read.values())

    def blind(self) -> dict[str, list[dt.date]]:
        """The days that are missing, by source."""
        found = {name: [day for day in self.days if self.since[name] <= day and day not in days] for name, days in self.read.items()}
        return {name: days for name, days in found.items() if days}


def sight(desk: Desk, connection: Connection, since: dt.date, until: dt.date, sources: Sequence[str] = ()) -> Sight:
    """Return what was read of [since, until], both included and at most MAX_DAYS of them, up to yesterday."""
    last = min(until, desk.today - dt.timedelta(days=1))
    since = max(since, last - dt.timedelta(days=MAX_DAYS))
    days = tuple(since + dt.timedelta(days=n) for n in range((last - since).days + 1))
    zone = desk.settings.app.zone
    enabled = [name for name, source in desk.settings.sources.items() if source.enabled and (not sources or name in sources)]
    if not days or not enabled:
        return Sight(days, {}, {})
    crawls = facts.crawl_runs(connection, day_window(since, zone)[0], day_window(last, zone)[1] + dt.timedelta(hours=12))
    began = facts.first_crawls(connection)
    first = outline.first_mentions(connection, desk.plain_scope(Question()))
    usable = usable_days(desk.settings, days, crawls, began, first)
    starts = {name: min(m for m in (began.get(name), first.get(name)) if m) for name in enabled if began.get(name) or first.get(name)}
    return Sight(
        days, {name: usable.get(name, set()) for name in starts}, {name: at.astimezone(zone).date() for name, at in starts.items()}
    )


def remarks(desk: Desk, connection: Connection, question: Question) -> list[str]:
    """Say which sources were blind within the days of a question."""
    if question.since is None:
        return [tr("没有限定起始日期，各来源缺读的日子见“来源”", "No first day given; the days that sources missed are under “sources”")]
    blind = sight(desk, connection, question.since, question.until or desk.today, question.sources).blind()
    return [
        tr(f"{desk.source_title(name)} 有 {len(days)} 天没有读全，不是 0：{_shown(days)}",
           f"{desk.source_title(name)} was not read in full on {len(days)} days, which is not 0: {_shown(days)}")
        for name, days in sorted(blind.items(), key=lambda item: -len(item[1]))[:8]
    ]


def _shown(days: Sequence[dt.date]) -> str:
    more = tr(" 等", " …") if len(days) > 5 else ""
    return listed(day.isoformat()[5:] for day in days[:5]) + more
