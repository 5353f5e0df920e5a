"""What is to be done today: up to five lines, most serious first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports.coverage import Coverage
from reports.overdue import Overdue, oldest
from reports.say import say
from reports.shape import Action, Risk
from vocwatch.models import Level, SourceStatus
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
    found = [
        Action(say("action.risk", title=r.title, advice=r.advice[0].key), r.owner, _due(settings, r.level, date), r.incident, r.level)
        for r in risks if r.level in _DUE
    ]
    if to_check:
        check = say("action.check", count=len(to_check), title=to_check[0].title)
        found.append(Action(check, to_check[0].owner, _due(settings, Level.YELLOW, date), to_check[0].incident, Level.BLUE))
    health = _health(settings, date, covered, sessions_missing)
    overdue = _overdue(settings, date, late)
    room = MAX_ACTIONS - min(len(health), 1) - len(overdue)
    return tuple([*found[:room], *overdue, *health][:MAX_ACTIONS])


def _overdue(settings: Settings, date: dt.date, late: Sequence[Overdue]) -> list[Action]:
    if not late:
        return []
    first = oldest(late)
    words = say("action.overdue", count=len(late), title=first.title, case=first.case)
    incident = first.subject if first.kind == "incident" else None
    return [Action(words, first.owner or settings.app.default_owner, _due(settings, "橙", date), incident, Level.YELLOW)]


def _health(settings: Settings, date: dt.date, covered: Coverage, sessions_missing: bool) -> list[Action]:
    blind = [s for s in covered.sources if s.status not in (SourceStatus.OK, SourceStatus.EMPTY)]
    health = [_many_blind(settings, [s.title for s in blind], date)] if len(blind) > MANY_BLIND else [
        Action(
            say("action.source", name=s.title, status=s.status.value), settings.sources[s.name].owner,
            _due(settings, "橙", date), None, "灰",
        )
        for s in sorted(blind, key=lambda s: s.share)
    ]
    if sessions_missing:
        health.append(Action(say("action.sessions"), settings.app.default_owner, _due(settings, "橙", date), None, "灰"))
    return health


def _many_blind(settings: Settings, titles: list[str], date: dt.date) -> Action:
    """One line for many blind sources: they have one cause more often than not."""
    names = "、".join(titles[:MANY_BLIND])
    return Action(
        say("action.sources", number=len(titles), names=names), settings.app.default_owner, _due(settings, "橙", date), None, "灰"
    )


def _due(settings: Settings, level: str, date: dt.date) -> dt.datetime:
    """Red by noon, orange by evening of the morning the digest is read, yellow a day later."""
    days, hour = _DUE[level]
    return dt.datetime.combine(date + dt.timedelta(days=1 + days), dt.time(hour), tzinfo=settings.app.zone)
