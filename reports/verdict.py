"""What a morning comes to: the highest level, the sentence that says it, and what is to be done until when.

Pure functions over what is told: a reader who is shown less gets the sentence and the work of what is left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports.coverage import Coverage, SourceHealth
from reports.say import Say, say
from reports.shape import Action, Risk
from vocwatch.models import Level, SourceStatus
from vocwatch.plain import one_line
from vocwatch.settings import Settings

MANY_BLIND = 3
MAX_ACTIONS = 5
TITLE_LETTERS = 24  # of a title in the verdict and in an action: parts 1 to 3 fit one screen of a phone
_DUE = {"红": (0, 12), "橙": (0, 18), "黄": (1, 18)}  # days after the digest's own day, hour


def level_of(risks: Sequence[Risk], covered: Coverage) -> str:
    """The highest level; 灰 (unknown) on a blind day without one, 蓝 on a calm one."""
    if risks:
        return min((Level(r.level) for r in risks), key=lambda level: level.rank).value
    return Level.BLUE.value if covered.calm else "灰"


def verdict_of(risks: Sequence[Risk], covered: Coverage) -> tuple[Say, ...]:
    """One or two sentences; 平稳 only if coverage is at least 90 % and nothing is ranked."""
    blind = len(covered.blind)
    serious = [r for r in risks if r.level != Level.BLUE]
    if serious:
        title = one_line(serious[0].title, TITLE_LETTERS)
        first = say("verdict.risk", count=len(serious), level=serious[0].level, title=title)
        return (first,) if covered.calm else (first, say("verdict.partial", count=blind))
    if not covered.calm:
        return (say("verdict.blind", count=blind, percent=covered.percent),)
    if risks:
        return (say("verdict.watch", watch=len(risks), percent=covered.percent),)
    return (say("verdict.calm", percent=covered.percent),)


def risk_actions(risks: Sequence[Risk], to_check: Sequence[Risk], date: dt.date, zone: dt.tzinfo) -> list[Action]:
    """One for each risk of yellow or above, and one for all red lines to be checked."""
    found = [
        Action(
            say("action.risk", title=one_line(r.title, TITLE_LETTERS), advice=r.advice[0].key),
            r.owner, due(r.level, date, zone), r.incident, r.level,
        )
        for r in risks
        if r.level in _DUE
    ]
    if to_check:
        check = say("action.check", count=len(to_check), title=one_line(to_check[0].title, TITLE_LETTERS))
        first = to_check[0]
        found.append(Action(check, first.owner, due(Level.YELLOW, date, zone), first.incident, Level.BLUE))
    return found


def health_actions(settings: Settings, covered: Coverage, no_sessions: bool, date: dt.date) -> list[Action]:
    """One for each blind source (one for all, where there are many), one for missing sessions."""
    by = due("橙", date, settings.app.zone)
    blind = sorted(
        (s for s in covered.sources if s.status not in (SourceStatus.OK, SourceStatus.EMPTY)), key=lambda s: s.share
    )
    if len(blind) > MANY_BLIND:
        found = [_many_blind(settings, blind, by)]
    else:
        found = [
            Action(say("action.source", name=s.title, status=s.status.value), settings.sources[s.name].owner, by, None, "灰")
            for s in blind
        ]
    return found + ([Action(say("action.sessions"), settings.app.default_owner, by, None, "灰")] if no_sessions else [])


def _many_blind(settings: Settings, blind: Sequence[SourceHealth], by: dt.datetime) -> Action:
    """One line for many blind sources: they have one cause more often than not."""
    names = "、".join(s.title for s in blind[:MANY_BLIND])
    return Action(say("action.sources", number=len(blind), names=names), settings.app.default_owner, by, None, "灰")


def to_do(of_risks: Sequence[Action], of_health: Sequence[Action]) -> tuple[Action, ...]:
    """Up to five; a blind source is never crowded out."""
    room = MAX_ACTIONS - min(len(of_health), 1)
    return tuple([*of_risks[:room], *of_health][:MAX_ACTIONS])


def due(level: str, date: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """Red by noon, orange by evening of the morning the digest is read, yellow a day later."""
    days, hour = _DUE[level]
    return dt.datetime.combine(date + dt.timedelta(days=1 + days), dt.time(hour), tzinfo=zone)
