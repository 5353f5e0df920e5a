"""What a morning comes to: the highest level, and the sentence that says it.

Pure functions over what is told: a reader who is shown less gets the sentence of what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.coverage import Coverage
from reports.say import Say, say
from reports.shape import Risk
from vocwatch.models import Level
from vocwatch.plain import one_line

TITLE_LETTERS = 24  # of a title in the verdict and in an action: parts 1 to 3 fit one screen of a phone


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
    if not covered.sources:
        return (say("verdict.no_source"),)
    if not covered.calm:
        return (say("verdict.blind", count=blind, percent=covered.percent),)
    if risks:
        return (say("verdict.watch", watch=len(risks), percent=covered.percent),)
    return (say("verdict.calm", percent=covered.percent),)
