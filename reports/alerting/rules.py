"""Whether an alarm must be told now. Pure: what stands, what was said, and the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vocwatch.models import IncidentState, Level
from vocwatch.settings.delivery import Alerts
from vocwatch.store.alarms import Silence, Standing, Told

SURGING = frozenset({IncidentState.ESCALATED.value, IncidentState.RECURRED.value})
QUIET_LEVELS = frozenset({Level.YELLOW, Level.BLUE})
RED = Level.RED.rank


@dataclass(frozen=True)
class Verdict:
    """`say` is new, worse, calmer or again, or None; `why_not` says what keeps a due message back.

    `lower_since` is to be kept: since when the incident has been calmer than was told. `settled` says that it has
    been so for long enough to count, also where that is not worth a message.
    """

    say: str | None = None
    why_not: str = ""
    lower_since: dt.datetime | None = None
    settled: bool = False


def heat(level: str, state: str) -> int:
    """Order levels, and within a level rising above standing; higher is worse."""
    return 2 * (4 - Level(level).rank) + (state in SURGING)


def wanted(one: Standing, rules: Alerts, now: dt.datetime) -> Verdict:
    """Return what would be said of an alarm if nothing kept it back.

    Worse is said at once (but within `update_minutes` of the last message only when it turns red); calmer only when
    it has been so for `settle_minutes` without a break, so that a score that wavers about a threshold is one message
    and not many. Without an acknowledgement the same is said again every `repeat_hours`.
    """
    told = one.told
    if told is None:
        return Verdict("new")
    now_heat, told_heat = heat(one.level, one.state), heat(told.level, told.state)
    if now_heat > told_heat:
        turned_red = Level(one.level).rank == RED and Level(told.level).rank != RED
        soon = now - told.told_at < dt.timedelta(minutes=rules.update_minutes)
        return Verdict(None, "刚报过，稍后更新") if soon and not turned_red else Verdict("worse")
    if now_heat < told_heat:
        since = told.lower_since or now
        if now - since >= dt.timedelta(minutes=rules.settle_minutes):
            said = "calmer" if one.level != told.level or one.state == IncidentState.FALLING.value else None
            return Verdict(said, lower_since=None, settled=True)
        return _again(one, told, rules, now, since)
    return _again(one, told, rules, now, None)


def _again(one: Standing, told: Told, rules: Alerts, now: dt.datetime, lower_since: dt.datetime | None) -> Verdict:
    acknowledged = told.acked_at is not None and told.acked_level is not None and (
        Level(told.acked_level).rank <= Level(told.level).rank
    )
    if acknowledged:
        return Verdict(None, "已确认", lower_since)
    if one.state == IncidentState.FALLING.value:
        return Verdict(None, "已回落", lower_since)
    due = now - told.told_at >= dt.timedelta(hours=rules.repeat_hours)
    return Verdict("again" if due else None, "" if due else "已报", lower_since)


def quiet(level: str, rules: Alerts, now: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether a level waits until the morning: yellow and blue in the quiet hours."""
    if Level(level) not in QUIET_LEVELS:
        return False
    clock = now.astimezone(zone).strftime("%H:%M")
    first, last = rules.quiet_from, rules.quiet_until
    return first <= clock < last if first <= last else clock >= first or clock < last


def silenced(one: Standing, silences: Sequence[Silence], now: dt.datetime) -> Silence | None:
    """Return the silence that keeps an alarm from being told."""
    return next((silence for silence in silences if silence.covers(one, now)), None)


def inhibited(one: Standing, all_standing: Sequence[Standing]) -> Standing | None:
    """Return the red alarm that an alarm is part of: the same product (or the whole brand) and main topic.

    A red alarm is never inhibited, and nothing is by an alarm of another product or another main topic.
    """
    if Level(one.level).rank == RED:
        return None
    for other in all_standing:
        same = other.product in (one.product, None) and _main(other.topic) == _main(one.topic)
        if same and other.incident != one.incident and Level(other.level).rank == RED:
            return other
    return None


def _main(topic: str) -> str:
    return topic.partition("/")[0]
