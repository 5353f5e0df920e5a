"""The day in figures: indicators, trend, platforms, and what customer service heard."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reports.baseline import BASE_DAYS, judge_count, same_weekdays
from reports.complaint import Complaint
from reports.coverage import Coverage
from reports.say import Say, say
from reports.shape import Indicator, Internal, Platform, Reason, TrendDay
from reports.trade.shares import client_satisfaction
from vocwatch.models import SourceStatus
from vocwatch.ratings import UNSATISFIED, grade
from vocwatch.store.facts import ServiceSession

TREND_DAYS = 14
FULL_SHARE = 0.9
MAX_REASONS = 5
MIN_RATED = 20


@dataclass(frozen=True)
class Volume:
    """Mentions of a day and source, and the negative ones."""

    total: int = 0
    negative: int = 0


Volumes = dict[tuple[dt.date, str], Volume]


@dataclass
class Measured:
    """The counts behind a digest. `usable` tells which source was read on which day."""

    date: dt.date
    days: Sequence[dt.date]
    mentions: Volumes
    sessions: Sequence[ServiceSession]
    zone: dt.tzinfo
    usable: Mapping[str, set[dt.date]]
    new_incidents: Mapping[dt.date, int]
    built: set[dt.date]

    @cached_property
    def sessions_by_day(self) -> dict[dt.date, set[str]]:
        """Distinct sessions of each day."""
        found: dict[dt.date, set[str]] = defaultdict(set)
        for session in self.sessions:
            found[session.started_at.astimezone(self.zone).date()].add(session.native_id)
        return found

    @property
    def sessions_missing(self) -> bool:
        """No session of the day was imported."""
        return not self.sessions_by_day.get(self.date)

    @cached_property
    def today(self) -> list[ServiceSession]:
        """The day's sessions; one that came by two paths stands twice."""
        return [s for s in self.sessions if s.started_at.astimezone(self.zone).date() == self.date]

    def volume(self, day: dt.date, without: frozenset[str] = frozenset()) -> Volume:
        """All sources together, but for those left out."""
        own = [v for (d, name), v in self.mentions.items() if d == day and name not in without]
        return Volume(sum(v.total for v in own), sum(v.negative for v in own))

    def read_share(self, day: dt.date, without: frozenset[str] = frozenset()) -> float:
        """Share of the sources with any history that were read on a day, but for those left out."""
        read = [day in dates for name, dates in self.usable.items() if name not in without]
        return sum(read) / len(read) if read else 0.0


def indicators(m: Measured, covered: Coverage) -> tuple[Indicator, ...]:
    """The four figures, each beside the median of the four same weekdays that were read in full.

    Sources that are blind today are left out on both sides of the comparison; the figure itself counts all.
    """
    past = same_weekdays(m.date)
    blind = frozenset(source.name for source in covered.blind)
    read = [m.volume(d, blind) for d in past if m.read_share(d, blind) >= FULL_SHARE]
    now, seen = m.volume(m.date), m.volume(m.date, blind)
    partial = bool(covered.blind)
    sessions = None if m.sessions_missing else len(m.sessions_by_day[m.date])
    total_base, total_word = judge_count(seen.total, [v.total for v in read])
    bad_base, bad_word = judge_count(seen.negative, [v.negative for v in read])
    in_base, in_word = judge_count(
        sessions or 0, [len(m.sessions_by_day[d]) for d in past if m.sessions_by_day.get(d)]
    )
    fresh = m.new_incidents.get(m.date, 0)
    nothing = covered.percent == 0 and not now.total  # not read at all: the figure is unknown, not 0
    if nothing:
        total_word = bad_word = "基线不足"
    new_base, new_word = judge_count(fresh, [m.new_incidents.get(d, 0) for d in past if d in m.built])
    return (
        Indicator("总声量", None if nothing else now.total, total_base, total_word, partial=partial),
        Indicator(
            "负面", None if nothing else now.negative, bad_base, bad_word, now.negative / now.total if now.total else None, partial
        ),
        Indicator("客服差评会话", sessions, in_base, in_word if sessions is not None else "基线不足"),
        Indicator(
            "新增风险主题", None if nothing and not fresh else fresh, new_base,
            "基线不足" if nothing and not fresh else new_word, partial=partial,
        ),
    )


def trend(m: Measured, covered: Coverage) -> tuple[TrendDay, ...]:
    """The last 14 days, oldest first. A day no source was read on has no number."""
    found = []
    for back in range(TREND_DAYS - 1, -1, -1):
        day = m.date - dt.timedelta(days=back)
        volume = m.volume(day)
        share = covered.percent / 100 if back == 0 else m.read_share(day)
        known = share > 0 or volume.total > 0
        found.append(
            TrendDay(
                day,
                volume.total if known else None,
                volume.negative if known else None,
                len(m.sessions_by_day[day]) if m.sessions_by_day.get(day) else None,
                partial=share < 1,
            )
        )
    return tuple(found)


def platforms(m: Measured, covered: Coverage) -> tuple[Platform, ...]:
    """Each source's volume, most negative first; one that was not read has no number."""
    found = []
    for source in covered.sources:
        volume = m.mentions.get((m.date, source.name), Volume())
        unread = source.status is not SourceStatus.OK and not volume.total
        found.append(
            Platform(
                source.name,
                source.title,
                source.status.value,
                None if unread else volume.total,
                None if unread else volume.negative,
            )
        )
    return tuple(sorted(found, key=lambda p: (-(p.negative or 0), -(p.total or 0), p.name)))


def internal(m: Measured, outside: Sequence[Complaint], display: Mapping[str, str]) -> Internal:
    """The day inside: paths, top reasons by product, satisfaction with its formula or the reason why there
    is none.
    """
    csi, note = satisfaction(m.sessions)
    paths = Counter(path for path, _ in {(s.path, s.native_id) for s in m.today})
    return Internal(
        missing=m.sessions_missing,
        total=len(m.sessions_by_day.get(m.date, ())),
        paths=dict(sorted(paths.items(), key=lambda item: (-item[1], item[0]))),
        reasons=_reasons(m, outside, display),
        csi=csi,
        csi_note=note,
        rates_note=say("rates.none"),
    )


def _reasons(m: Measured, outside: Sequence[Complaint], display: Mapping[str, str]) -> tuple[Reason, ...]:
    sessions: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for s in m.today:
        for reason in s.topics or ((s.return_reason,) if s.return_reason else ()):
            sessions[(reason, s.sku)].add(s.native_id)
    public: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for c in outside:
        if not c.inside:
            for topic in c.topics:
                public[(topic, c.product)].add(c.heard.url)
    told = {key: ids for key, ids in sessions.items() if len(ids) > 1 or key in public}
    top = sorted(told.items(), key=lambda item: (-len(item[1]), item[0][0], item[0][1] or ""))[:MAX_REASONS]
    return tuple(
        Reason(
            reason,
            sku,
            display.get(sku or "") or sku or "",
            len(ids),
            len(public.get((reason, sku), ())),
            (reason, sku) in public,
            "安全" in reason,
            tuple(sorted(ids)),
            tuple(sorted(public.get((reason, sku), ()))),
        )
        for (reason, sku), ids in top
    )


def satisfaction(sessions: Sequence[ServiceSession]) -> tuple[float | None, Say]:
    """Return 客户满意度 = (ratings − unsatisfied) ÷ ratings with its formula, or None with the reason.

    An export of bad sessions alone says nothing of satisfaction, however many there are.
    """
    told = {s.native_id: grade(s.rating) for s in sessions if s.rating and s.rating.strip()}
    rated = [each for each in told.values() if each]
    if rated and set(rated) == {UNSATISFIED}:
        return None, say("csi.biased")
    if len(rated) < MIN_RATED:
        return None, say("csi.few", rated=len(rated))
    value = client_satisfaction(len(rated), rated.count(UNSATISFIED)).value
    return value, say("csi.formula", rated=len(rated), days=BASE_DAYS)
