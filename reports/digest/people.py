"""What the digest says of people: how to give feedback on a risk, cases that are overdue, how often findings were right.

`Marks` are the links of one recipient; without them a reader is told the command to type.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from reports.digest.labels import label
from reports.overdue import Overdue
from reports.shape import Facts, Risk
from reports.trade.shares import Share
from vocwatch.plain import one_line
from vocwatch.store.feedback import CODES

MAX_OVERDUE = 5
MAX_SHARES = 4
MARKS = {
    "right": "right", "wrong": "wrong", "false": "false alarm", "repeat": "repeated", "handed": "handed on", "done": "dealt with",
}
"""What can be said of a risk by link: the code in the address → the English words; the Chinese ones are the verdict."""


@dataclass(frozen=True)
class Marks:
    """The links of one recipient: `token` returns the signed part for an incident on a date."""

    console: str
    token: Callable[[str, dt.date], str]

    def address(self, incident: str, date: dt.date, code: str = "") -> str:
        """Return the page on which feedback is confirmed, with a verdict chosen already where `code` is given."""
        return f"{self.console}/f/{self.token(incident, date)}" + (f"?v={code}" if code else "")


def mark_words(code: str, lang: str) -> str:
    """Return what a code says."""
    return MARKS[code] if lang == "en" else CODES[code]


def mark_line(risk: Risk, facts: Facts, marks: Marks | None, lang: str) -> str:
    """Return the line of a risk in the text part: the link, or the command."""
    said = "/".join(mark_words(code, lang) for code in MARKS)
    if marks:
        return f"{label('mark', lang)} {said}{label('colon', lang)}{marks.address(risk.incident, facts.date)}"
    return mark_command(risk, lang)


def mark_command(risk: Risk, lang: str) -> str:
    """Return the command by which feedback on a risk is given."""
    return f"vocwatch feedback say {risk.incident} {'|'.join(code if lang == 'en' else CODES[code] for code in MARKS)}"


def overdue_line(one: Overdue, lang: str) -> str:
    """Return “跟进 12 …：11-14 到期，逾期 2 天（张）”."""
    due = label("overdue_days", lang, date=f"{one.due_on:%m-%d}", days=one.days)
    return (
        f"{label('case', lang)} {one.case} {one_line(one.title, 60)}{label('colon', lang)}{due}"
        f"{label('comma', lang)}{one.owner or label('nobody', lang)}"
    )


def overdue_lines(facts: Facts, lang: str) -> list[str]:
    """Return the overdue cases, and how many more there are."""
    lines = [overdue_line(one, lang) for one in facts.overdue[:MAX_OVERDUE]]
    more = len(facts.overdue) - MAX_OVERDUE
    return lines + ([label("overdue_more", lang, count=more)] if more > 0 else [])


def precision_line(facts: Facts, lang: str) -> str:
    """Return the week's precision in one line: overall, by topic, by source, each with n and its interval."""
    found = facts.precision
    if found is None:
        return ""
    days = f"{found.since:%m-%d}–{found.until:%m-%d}"
    waiting = f"{label('stop', lang)}{label('objections_open', lang, count=found.open)}" if found.open else ""
    if found.overall.value is None:
        return label("precision_none", lang, days=days) + waiting
    names = {s.name: s.title for s in facts.coverage.sources} | {"sessions": label("inside", lang)}
    parts = [_share(label("precision_all", lang), found.overall)]
    parts += [_share(one.name, one) for one in found.by_topic[:MAX_SHARES]]
    parts += [_share(names.get(one.name, one.name), one) for one in found.by_source[:MAX_SHARES]]
    return label("precision", lang, days=days) + label("stop", lang).join(parts) + waiting


def _share(name: str, one: Share) -> str:
    if one.value is None or one.low is None or one.high is None:
        return f"{name} {one.part}/{one.whole}"
    return f"{name} {one.part}/{one.whole}（{100 * one.low:.0f}–{100 * one.high:.0f}%）"
