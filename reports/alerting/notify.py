"""Looking at the alarms that stand, and putting what must be said into the outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.alerting.message import alert_lines, alert_subject
from reports.alerting.rules import Verdict, inhibited, quiet, silenced, wanted
from reports.delivery.compose import to_targets
from vocwatch.clock import business_date, day_window
from vocwatch.models import Level
from vocwatch.settings import Settings
from vocwatch.settings.delivery import is_address
from vocwatch.store import Connection, Store, alarms, outbox, pauses, runs
from vocwatch.store.alarms import Silence, Standing, Told

HOURS = 24.0
DAYS_BACK = 1  # an incident that raised no alert yesterday or today is over
LATE_DAYS = 7  # but one of this many days before, found only since then, was not told of: there was an outage


@dataclass(frozen=True)
class Judged:
    """An alarm that stands and what is to be said of it.

    `say` is None where nothing is; `why_not` then says why: 已报 已确认 已回落 静音 夜间 归入… .
    """

    alarm: Standing
    say: str | None
    why_not: str
    verdict: Verdict
    under: Standing | None = None
    silence: Silence | None = None


@dataclass(frozen=True)
class Notified:
    """One alert that was put into the outbox: `say` is new, worse, calmer or again."""

    incident: str
    level: str
    say: str
    round: int
    targets: int


def notify(settings: Settings, store: Store, *, now: dt.datetime) -> list[Notified]:
    """Put into the outbox what must be said of the red-line alarms at `now`; returns that.

    Calling it again at the same moment adds nothing. Each round of an incident is one message to each of `alerts.to`;
    what earlier rounds still wait to say is given up for it. Raises StorageError.
    """
    if not settings.app.alerts.to:
        return []
    said = []
    with store.begin(durable=True) as connection:
        judged = judge(settings, connection, now)
        for one in judged:
            if one.say is not None:
                under = [other.alarm for other in judged if other.under and other.under.incident == one.alarm.incident]
                said.append(_say(settings, connection, one, under, now))
            elif one.verdict.settled and not one.why_not:
                _keep_calm(connection, one.alarm)
            elif one.alarm.told and one.alarm.told.lower_since != one.verdict.lower_since and not one.verdict.settled:
                alarms.keep_lower(connection, one.alarm.incident, one.verdict.lower_since)
    return said


def judge(settings: Settings, connection: Connection, now: dt.datetime) -> list[Judged]:
    """Return every alarm that stands, most serious first, with what is to be said of it and what keeps it back."""
    rules = settings.app.alerts
    all_standing = standing(settings, connection, now)
    held = alarms.all_silences(connection, now)
    found = []
    for one in all_standing:
        verdict = wanted(one, rules, now)
        silence, under = silenced(one, held, now), inhibited(one, all_standing)
        say, why_not = verdict.say, verdict.why_not
        if silence is not None:
            say, why_not = None, "静音"
        elif under is not None:
            say, why_not = None, "归入"
        elif say is not None and quiet(one.level, rules, now, settings.app.zone):
            say, why_not = None, "夜间"
        found.append(Judged(one, say, why_not, verdict, under, silence))
    return found


def standing(settings: Settings, connection: Connection, now: dt.datetime) -> list[Standing]:
    """Return the alarms that stand, most serious first: of today and yesterday, and what an outage let come late.

    What befell before vocwatch came, and is found as it reads the past, is history and nobody's alarm.
    """
    zone = settings.app.zone
    since = business_date(now, zone) - dt.timedelta(days=DAYS_BACK)
    began = runs.first(connection)
    if began is None:
        return alarms.standing(connection, since)
    first = max(since - dt.timedelta(days=LATE_DAYS), business_date(began, zone))
    return alarms.standing(connection, since, (first, day_window(since, zone)[0]))


def _say(
    settings: Settings, connection: Connection, one: Judged, under: Sequence[Standing], now: dt.datetime
) -> Notified:
    alarm, say = one.alarm, one.say
    assert say is not None
    told = alarm.told
    number = told.round + 1 if told else 1
    key = f"{alarm.incident}/{number}"
    sources, first = alarms.where_said(connection, alarm.mention_ids)
    lines = alert_lines(settings, alarm, say, under, sources, first, now=now)
    targets = [t for t in settings.app.alerts.to if not (is_address(t) and pauses.is_paused(connection, t, "alert", now))]
    made = to_targets(
        settings, targets, kind="alert", key=key, which="alert", subject=alert_subject(settings, alarm, say),
        text="\n".join(lines), now=now, hours=HOURS, thread_key=f"{alarm.incident}/1" if number > 1 else "",
        extra={"X-Risk-Level": str(Level(alarm.level).rank)},
    )
    outbox.replace_older(connection, alarm.incident, key, now)
    outbox.enqueue(connection, made, now)
    alarms.keep(connection, alarm.incident, _told(alarm, number, now))
    return Notified(alarm.incident, alarm.level, say, number, len(made))


def _told(alarm: Standing, number: int, now: dt.datetime) -> Told:
    """What was said stands; an acknowledgement stays with the level it was given for, and lapses above it."""
    if alarm.told is None:
        return Told(alarm.level, alarm.state, number, now, now)
    return replace(alarm.told, level=alarm.level, state=alarm.state, round=number, told_at=now, lower_since=None)


def _keep_calm(connection: Connection, alarm: Standing) -> None:
    assert alarm.told is not None
    alarms.keep(connection, alarm.incident, replace(alarm.told, level=alarm.level, state=alarm.state, lower_since=None))
