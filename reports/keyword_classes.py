"""内部舆情关键词 of the day: in how many sessions each class was found, against the weeks before.

The classes are the cells of one negative-binomial baseline with a pooled dispersion, see `reports.baseline`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reports.baseline import Baseline, Cell
from reports.complaint import SESSIONS
from vocwatch.clock import business_date
from vocwatch.settings.keywords import KeywordClass
from vocwatch.store.keywords import KeywordSession

HIGH_P = 0.01
MIN_SESSIONS = 3
MAX_WORDS = 3
_TOPIC = "keyword"


@dataclass(frozen=True)
class KeywordDay:
    """One class on one day: the sessions in which a customer used its words (`words`: those used most).

    `expected` and `p` are None while there are fewer than 14 days with sessions.
    """

    name: str
    level: int
    sessions: int
    expected: float | None
    p: float | None
    words: tuple[str, ...]
    session_ids: tuple[str, ...]

    @property
    def judgement(self) -> str:
        """偏高 from 3 sessions on, where chance alone would hardly show as many; 零星 where it is fewer sessions; 基线不足
        without a baseline.
        """
        if self.p is None:
            return "基线不足"
        if self.p >= HIGH_P:
            return "正常波动"
        return "偏高" if self.sessions >= MIN_SESSIONS else "零星"


def keyword_days(
    classes: Sequence[KeywordClass],
    found: Iterable[KeywordSession],
    date: dt.date,
    served: AbstractSet[dt.date],
    zone: ZoneInfo,
) -> tuple[KeywordDay, ...]:
    """Return every class, most surprising first. `served` are the days with any session: on others nothing is known."""
    ids: dict[tuple[str, dt.date], set[str]] = defaultdict(set)
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for session in found:
        day = business_date(session.started_at, zone)
        ids[session.name, day].add(session.native_id)
        if day == date:
            words[session.name].update(session.words)
    if date not in served:
        return ()
    counts: dict[Cell, dict[tuple[str, dt.date], int]] = {(item.name, _TOPIC): {} for item in classes}
    for (name, day), sessions in ids.items():
        if day != date and (name, _TOPIC) in counts:
            counts[name, _TOPIC][SESSIONS, day] = len(sessions)
    baseline = Baseline(date, counts, {SESSIONS: set(served) - {date}})
    days = []
    for item in classes:
        own = ids.get((item.name, date), set())
        told = baseline.expect((item.name, _TOPIC), len(own))
        used = sorted(words[item.name].items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_WORDS]
        days.append(KeywordDay(
            item.name, item.level, len(own), round(told.mean, 2) if told else None, told.p if told else None,
            tuple(word for word, _ in used), tuple(sorted(own)),
        ))
    return tuple(sorted(days, key=lambda k: (k.p if k.p is not None else 1.0, -k.level, -k.sessions, k.name)))
