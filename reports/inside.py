"""What customer service's figures say of a day beyond its sessions: rates with denominators, keyword classes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reports.baseline import BASE_DAYS, GUARD_DAYS
from reports.keyword_classes import KeywordDay, keyword_days
from reports.rates import Counts, Rate, rates
from reports.say import say
from reports.shape import Internal
from vocwatch.clock import business_date, day_window
from vocwatch.settings import Settings
from vocwatch.store import Connection, keywords, totals
from vocwatch.store.facts import ServiceSession


@dataclass(frozen=True)
class Inside:
    """The day's rates and keyword classes; `unsearched` sessions wait to be searched with the present words."""

    rates: tuple[Rate, ...]
    keywords: tuple[KeywordDay, ...]
    unsearched: int

    def added_to(self, internal: Internal) -> Internal:
        """Return the day inside with these figures."""
        note = say("rates.formula", days=BASE_DAYS - GUARD_DAYS) if self.rates else internal.rates_note
        return replace(internal, rates=self.rates, keywords=self.keywords, unsearched=self.unsearched, rates_note=note)


def read_inside(
    settings: Settings, connection: Connection, date: dt.date, days: Sequence[dt.date], sessions: Iterable[ServiceSession]
) -> Inside:
    """Read what the rates and keyword classes of `date` are counted from; `sessions` are those of `days`."""
    zone = settings.app.zone
    paths: dict[dt.date, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for session in sessions:
        paths[business_date(session.started_at, zone)][session.path].add(session.native_id)
    since, until = day_window(days[0], zone)[0], day_window(date, zone)[1]
    known = totals.load(connection, days[0], date + dt.timedelta(days=1))
    found = keywords.keyword_sessions(connection, since, until)
    version = settings.keywords.version
    return Inside(
        rates(Counts(known, paths), date, days),
        keyword_days(settings.keywords.classes, found, date, paths.keys(), zone),
        keywords.unsearched(connection, version, day_window(date, zone)[0], until),
    )
