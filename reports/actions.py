"""What is to be done today: up to five lines, most serious first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports.coverage import Coverage
from reports.overdue import Overdue, oldest
from reports.say import say
from reports.shape import Action, Risk
from reports.verdict import TITLE_LETTERS
from vocwatch.models import Level, SourceStatus
from vocwatch.plain import one_line
from vocwatch.settings import Settings

MANY_BLIND = 3
MAX_ACTIONS = 5
_DUE = {"红": (0, 12), "橙": (0, 18), "黄": (1, 18)}  # days after the digest's own day, hour


def actions(
    settings: Settings, date: dt.date, risks: Sequence[Risk], to_check: Sequence[Risk], covered: Coverage,
    sessions_missing: bool, late: Sequence[Overdue],
) -> tuple[Action, ...]:
    """Return one for each risk of yellow or above, one for all red lines to be checked, one for all overdue cases, one for
    each blind source, one for missing sessions. Blind sources and overdue cases are never crowded out by risks.
    """
    found = risk_actions(risks, to_check, date, settings.app.zone)
    health = _health(settings, date, covered, sessions_missing)
    overdue = _overdue(settings, date, late)
    room = MAX_ACTIONS - min(len(health), 1) - len(overdue)
    return tuple([*found[:room], *overdue, *health][:MAX_ACTIONS])


def risk_actions(risks: Sequence[Risk], to_check: Sequence[Risk], date: dt.date, zone: dt.tzinfo) -> list[Action]:
    """Return one for each risk of yellow or above, and one for all red lines to be checked."""
    found = [
        Action(
            say("action.risk", title=one_line(r.title, TITLE_LETTERS), advice=r.advice[0].key), r.owner,
            _due(zone, r.level, date), r.incident, r.level,
        )
        for r in risks if r.level in _DUE
    ]
    if to_check:
        first = to_check[0]
        check = say("action.check", count=len(to_check), title=one_line(first.title, TITLE_LETTERS))
        found.append(Action(check, first.owner, _due(zone, Level.YELLOW, date), first.incident, Level.BLUE))
    return found


def _overdue(settings: Settings, date: dt.date, late: Sequence[Overdue]) -> list[Action]:
    if not late:
        return []
    first = oldest(late)
    words = say("action.overdue", count=len(late), title=one_line(first.title, TITLE_LETTERS), case=first.case)
    incident = first.subject if first.kind == "incident" else None
    return [Action(words, first.owner or settings.app.default_owner, _due(settings.app.zone, "橙", date), incident, Level.YELLOW)]


def _health(settings: Settings, date: dt.date, covered: Coverage, sessions_missing: bool) -> list[Action]:
    blind = [s for s in covered.sources if s.status not in (SourceStatus.OK, SourceStatus.EMPTY)]
    health = [_many_blind(settings, [s.title for s in blind], date)] if len(blind) > MANY_BLIND else [
        Action(
            say("action.source", name=s.title, status=s.status.value), settings.sources[s.name].owner,
            _due(settings.app.zone, "橙", date), None, "灰",
        )
        for s in sorted(blind, key=lambda s: s.share)
    ]
    if sessions_missing:
        health.append(Action(say("action.sessions"), settings.app.default_owner, _due(settings.app.zone, "橙", date), None, "灰"))
    return health


def _many_blind(settings: Settings, titles: list[str], date: dt.date) -> Action:
    """One line for many blind sources: they have one cause more often than not."""
    names = "、".join(titles[:MANY_BLIND])
    return Action(
        say("action.sources", number=len(titles), names=names), settings.app.default_owner, _due(settings.app.zone, "橙", date), None, "灰"
    )


def _due(zone: dt.tzinfo, level: str, date: dt.date) -> dt.datetime:
    """Red by noon, orange by evening of the morning the digest is read, yellow a day later."""
    days, hour = _DUE[level]
    return dt.datetime.combine(date + dt.timedelta(days=1 + days), dt.time(hour), tzinfo=zone)
