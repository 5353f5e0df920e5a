"""Did the fix work? Independent voices on a topic before and after a date, on the days that were read.

The day itself counts for neither side. A source counts on its usable days only (blocked, degraded and unread ones are
left out on both sides), customer service on the days of which sessions were imported; campaign days count as the
busier days they were. A voice counts once a week in each channel, weeks counted from the date; copies are no voices. What everything else did that the brand is blamed for is divided out.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from reports.calendar import campaign_on, exposures
from reports.complaint import SESSIONS
from reports.coverage import NEXT_MORNING, usable_days
from reports.traces import Kept
from reports.trade.ratio import AgainstOthers, Channel, RateRatio, against, rate_ratio
from reports.window import Spoken, Window
from vocwatch.clock import day_window
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, facts, incidents

MIN_VOICES = 10
MIN_BEFORE, MIN_AFTER = 14, 7  # usable days of the channel that has most
MIN_CONTROL = 20
SAME = 1.5  # an interval within 1/1.5 and 1.5 says that nothing changed much
PEAK = 2.0
LAST_DAYS = 7

Usable = Mapping[str, AbstractSet[dt.date]]
_Sides = tuple[list[dt.date], list[dt.date]]


@dataclass(frozen=True)
class ChannelDays:
    """How one channel was read and heard: days of the window that were read, and voices."""

    name: str
    days_before: int
    days_after: int
    voices_before: int
    voices_after: int


@dataclass(frozen=True)
class Change:
    """The comparison. `verdict` is fell, rose, same, unclear (the interval holds 1) or too-little; `why` the reasons of
    too-little and unclear; `cautions` what else may have moved the number. `missing` are the channels not read on both
    sides. `usual` compares with the days before on which no incident of the kind was listed.
    """

    topic: str
    product: str | None
    on: dt.date
    before: tuple[dt.date, dt.date]
    after: tuple[dt.date, dt.date]
    ratio: RateRatio
    control: AgainstOthers
    usual: RateRatio | None
    channels: tuple[ChannelDays, ...]
    missing: tuple[str, ...]
    verdict: str
    why: tuple[str, ...]
    cautions: tuple[str, ...]
    campaigns: tuple[tuple[dt.date, str], ...]
    mention_ids: tuple[int, ...]
    session_ids: tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    complaints: list[Spoken]
    usable: Usable
    busy: Mapping[dt.date, float]
    listed: set[dt.date]


def compare(
    settings: Settings, store: Store, topic: str, on: dt.date, *, today: dt.date, product: str | None = None, days: int = 28
) -> Change:
    """Compare the `days` before `on` with those after it, up to the last business date that is over. Reads only.

    `topic` is 大类 or 大类/小类; `product` a SKU, None for the whole brand.
    """
    first, last = on - dt.timedelta(days=days), min(on + dt.timedelta(days=days), today - dt.timedelta(days=1))
    eve, morrow = on - dt.timedelta(days=1), on + dt.timedelta(days=1)
    with store.read() as connection:
        read = _read(settings, connection, first, max(last, eve), topic, product)
    window = [first + dt.timedelta(days=n) for n in range((max(last, eve) - first).days + 1)]
    sides = [d for d in window if d < on], [d for d in window if d > on]
    own = [c for c in read.complaints if any(_is(t, topic) for t in c.topics) and product in (None, c.product)]
    mine = {(c.inside, c.ref_id) for c in own}
    others = [c for c in read.complaints if (c.inside, c.ref_id) not in mine]
    channels = _channels(own, read, on, sides)
    ratio = rate_ratio(channels)
    control = against(ratio, rate_ratio(_channels(others, read, on, sides)))
    calm = [d for d in sides[0] if d not in read.listed]
    usual = rate_ratio(_channels(own, read, on, (calm, sides[1]))) if read.listed and len(calm) >= LAST_DAYS else None
    told = tuple(_told(channel) for channel in channels)
    heard_of = {c.channel for c in own if c.channel not in read.usable}  # of no configured source, or never read
    verdict, why = judge(ratio, control, told)
    campaigns = tuple((d, name) for d in window if d != on and (name := campaign_on(settings, d)))
    counted = [c for c in own if c.voice >= 0 and c.day != on and c.day in read.usable.get(c.channel, ())]
    return Change(
        topic, product, on, (first, eve), (morrow, last), ratio, control, usual, told,
        tuple(sorted({*(c.name for c in told if not (c.days_before and c.days_after)), *heard_of})), verdict, why,
        tuple(_cautions(channels, told, read, campaigns, sides, bool(heard_of))), campaigns,
        tuple(sorted(c.ref_id for c in counted if not c.inside)), tuple(sorted({c.native_id for c in counted if c.inside})),
    )


def _is(topic: str, wanted: str) -> bool:
    return topic == wanted or topic.startswith(f"{wanted}/")


def _read(
    settings: Settings, connection: Connection, first: dt.date, last: dt.date, topic: str, product: str | None
) -> _Read:
    zone = settings.app.zone
    since, until = day_window(first, zone)[0], day_window(last, zone)[1]
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    crawls = facts.crawl_runs(connection, since, until + NEXT_MORNING)
    usable: dict[str, set[dt.date]] = usable_days(
        settings, days, crawls, facts.first_crawls(connection), facts.first_mention(connection)
    )
    usable[SESSIONS] = {d for d in days if facts.any_session(connection, *day_window(d, zone))}
    kept = Kept(settings, connection, first, last)
    calm: Counter[dt.date] = Counter()
    if any(campaign_on(settings, d) for d in days):
        for (day, source), (total, negative) in kept.volumes().items():
            if source in usable:
                calm[day] += total - negative
    listed = {
        day for name, about, day in incidents.listed_days(connection, first, last + dt.timedelta(days=1))
        if _is(about, topic) and product in (None, name)
    }
    return _Read(list(Window(kept.window()).said()), usable, exposures(settings, days, calm), listed)


def _channels(complaints: Iterable[Spoken], read: _Read, on: dt.date, sides: _Sides) -> list[Channel]:
    """Count the voices by channel on its usable days; a voice once in each week from the date, on its first day in it."""
    first: dict[tuple[str, int, int], dt.date] = {}
    days = {day for side in sides for day in side}
    for c in complaints:
        if c.voice >= 0 and c.day in days and c.day in read.usable.get(c.channel, ()):
            away = (c.day - on).days
            key = (c.channel, c.voice, (abs(away) - 1) // 7 * (1 if away > 0 else -1) + (away > 0))
            first[key] = min(first.get(key, c.day), c.day)
    heard: Counter[tuple[str, dt.date]] = Counter((key[0], day) for key, day in first.items())

    def counted(name: str, days: list[dt.date]) -> list[tuple[int, float]]:
        return [(heard[name, d], read.busy.get(d, 1.0)) for d in days if d in read.usable[name]]

    return [Channel(name, counted(name, sides[0]), counted(name, sides[1])) for name in sorted(read.usable)]


def _told(channel: Channel) -> ChannelDays:
    return ChannelDays(
        channel.name, len(channel.before), len(channel.after), sum(n for n, _ in channel.before), sum(n for n, _ in channel.after)
    )


def judge(ratio: RateRatio, control: AgainstOthers, channels: Iterable[ChannelDays]) -> tuple[str, tuple[str, ...]]:
    """Return the verdict and its reasons. A change that the other topics made as well is not the fix's."""
    used = [c for c in channels if c.days_before and c.days_after]
    why = []
    if max((c.days_before for c in used), default=0) < MIN_BEFORE:
        why.append("days-before")
    if max((c.days_after for c in used), default=0) < MIN_AFTER:
        why.append("days-after")
    if ratio.before + ratio.after < MIN_VOICES:
        why.append("voices")
    if why or ratio.low is None or ratio.high is None:
        return "too-little", tuple(why)
    if ratio.low <= 1 <= ratio.high:
        return ("same", ()) if ratio.low >= 1 / SAME and ratio.high <= SAME else ("unclear", ("interval",))
    fell = ratio.high < 1
    enough = control.others.before + control.others.after >= MIN_CONTROL
    if enough and control.low is not None and control.high is not None and (control.high >= 1 if fell else control.low <= 1):
        return "unclear", ("others",)
    return ("fell" if fell else "rose"), ()


def _cautions(
    channels: list[Channel], told: Iterable[ChannelDays], read: _Read, campaigns: tuple[tuple[dt.date, str], ...],
    sides: _Sides, strange: bool,
) -> Iterable[str]:
    by_day: dict[dt.date, int] = defaultdict(int)
    for channel in channels:
        usable = [d for d in sides[0] if d in read.usable[channel.name]]
        for day, (number, _) in zip(usable, channel.before, strict=True):
            by_day[day] += number
    known = [d for d in sides[0] if any(d in read.usable[channel.name] for channel in channels)]
    recent = [by_day[d] for d in known if d in sides[0][-LAST_DAYS:]]
    earlier = [by_day[d] for d in known if d not in sides[0][-LAST_DAYS:]]
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("peak", lambda: bool(recent and earlier) and fmean(recent) >= max(1.0, PEAK * fmean(earlier))),
        ("campaign", lambda: bool(campaigns)),
        ("weekdays", lambda: max((c.days_after for c in told), default=0) < 2 * LAST_DAYS),
        ("unread", lambda: strange or any(c.days_before + c.days_after < len(sides[0]) + len(sides[1]) for c in told)),
    )
    return [name for name, holds in checks if holds()]


def as_dict(found: Change) -> dict[str, Any]:
    """Return the comparison as JSON."""
    return {
        "topic": found.topic, "product": found.product, "on": found.on.isoformat(),
        "before": [d.isoformat() for d in found.before], "after": [d.isoformat() for d in found.after],
        "verdict": found.verdict, "why": list(found.why), "cautions": list(found.cautions),
        "ratio": _ratio(found.ratio), "usual": _ratio(found.usual) if found.usual else None,
        "others": _ratio(found.control.others),
        "against_others": {"value": _rounded(found.control.value), "low": _rounded(found.control.low), "high": _rounded(found.control.high)},
        "channels": [
            {"name": c.name, "days_before": c.days_before, "days_after": c.days_after, "voices_before": c.voices_before,
             "voices_after": c.voices_after}
            for c in found.channels
        ],
        "not_compared": list(found.missing), "campaigns": [{"date": d.isoformat(), "name": name} for d, name in found.campaigns],
        "rows": {"mentions": list(found.mention_ids), "sessions": list(found.session_ids)},
    }


def _ratio(r: RateRatio) -> dict[str, Any]:
    return {
        "before": r.before, "after": r.after, "channel_days_before": round(r.days_before, 2), "channel_days_after": round(r.days_after, 2),
        "value": _rounded(r.value), "low": _rounded(r.low), "high": _rounded(r.high), "p": None if r.p is None else float(f"{r.p:.3g}"),
        "dispersion": round(r.dispersion, 3),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or value == float("inf") else round(value, 3)
