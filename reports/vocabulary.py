"""The words of the weeks before a date, counted once for each day and kept until one of its texts changes."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from reports.words import counted, words_mark
from vocwatch.clock import day_window
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, facts, traces


def keep_words(settings: Settings, store: Store, date: dt.date, days: int) -> None:
    """Count and keep the words of those of the `days` before `date` that have none, one transaction each."""
    mark = words_mark()
    with store.read() as connection:
        known = traces.words_of(connection, date.toordinal() - days, date.toordinal() - 1, mark)
    for day in range(date.toordinal() - days, date.toordinal()):
        if day not in known:
            with store.begin() as connection:
                traces.save_words(connection, day, mark, _of_day(settings, connection, day))


def words_before(settings: Settings, connection: Connection, date: dt.date, days: int) -> Counter[str]:
    """Return in how many negative texts of the `days` before `date` each word stands. Reads only."""
    since, until = date.toordinal() - days, date.toordinal() - 1
    known = traces.words_of(connection, since, until, words_mark())
    found: Counter[str] = Counter()
    for day in range(since, until + 1):
        found.update(known[day] if day in known else _of_day(settings, connection, day))
    return found


def _of_day(settings: Settings, connection: Connection, day: int) -> Counter[str]:
    window = day_window(dt.date.fromordinal(day), settings.app.zone)
    return counted(text for _, _, _, text in facts.negative_texts(connection, *window))
