"""Precision: of the findings that people judged, how many they confirmed, by topic and by source.

Confirmed (准) ÷ (confirmed + 不准 + 误报), with Wilson's 95 % interval. On a subject one word counts: the ruling, else the
newest; none while it is disputed. 重复 and 漏报 say nothing about precision and are left out.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reports.trade.shares import Share, share
from vocwatch.clock import day_window
from vocwatch.settings import Settings
from vocwatch.store import Connection, feedback, labels, objections
from vocwatch.store.labels import IncidentWord, MentionWord

CONFIRMED = feedback.RIGHT
AGAINST = (feedback.WRONG, feedback.FALSE_ALARM)
DAYS = 7

_Names = list[tuple[str, str]]


@dataclass(frozen=True)
class Precision:
    """What people said on the business dates [since, until]. `by_source` names sources by id; `open` objections wait."""

    since: dt.date
    until: dt.date
    overall: Share
    by_topic: tuple[Share, ...]
    by_source: tuple[Share, ...]
    open: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "from": self.since.isoformat(), "to": self.until.isoformat(), "overall": self.overall.as_dict(),
            "by_topic": [one.as_dict() for one in self.by_topic], "by_source": [one.as_dict() for one in self.by_source],
            "open_objections": self.open,
        }


def precision_of_week(settings: Settings, connection: Connection, date: dt.date) -> Precision:
    """Return the precision of what was judged in the seven business dates up to `date`. Reads only."""
    zone = settings.app.zone
    first = date - dt.timedelta(days=DAYS - 1)
    since, until = day_window(first, zone)[0], day_window(date, zone)[1]
    words, _ = labels.incident_words(connection, since, until)
    spoken = labels.mention_words(connection, since, until)
    said = [*(w.verdict for w in words), *(w.verdict for w in spoken)]
    verdicts = [verdict for verdict in said if verdict in (CONFIRMED, *AGAINST)]
    return Precision(
        first, date, share("overall", verdicts.count(CONFIRMED), len(verdicts)), precision_by_topic(words, spoken),
        precision_by_source(words, spoken), objections.number_open(connection),
    )


def precision_by_topic(words: Iterable[IncidentWord], spoken: Iterable[MentionWord]) -> tuple[Share, ...]:
    """Return the share confirmed of each topic, most judged first."""
    return _precision([*((w.topic, w.verdict) for w in words), *((topic, w.verdict) for w in spoken for topic in w.topics)])


def precision_by_source(words: Iterable[IncidentWord], spoken: Iterable[MentionWord]) -> tuple[Share, ...]:
    """Return the share confirmed of each source (an incident counts for each of its own), most judged first."""
    return _precision([*((name, w.verdict) for w in words for name in w.sources), *((w.source, w.verdict) for w in spoken)])


def _precision(said: _Names) -> tuple[Share, ...]:
    right: Counter[str] = Counter()
    judged: dict[str, int] = defaultdict(int)
    for name, verdict in said:
        if verdict in (CONFIRMED, *AGAINST):
            judged[name] += 1
            right[name] += verdict == CONFIRMED
    names = sorted(judged, key=lambda name: (-judged[name], name))
    return tuple(share(name, right[name], judged[name]) for name in names)
