"""Rates and keyword classes in words, alike in mail, page and text."""

from __future__ import annotations

from reports.digest.labels import label
from reports.keyword_classes import KeywordDay
from reports.rates import Rate
from reports.rising import Rising
from reports.say import word
from reports.shape import Internal
from reports.usual import Usual

_MARKS = {"偏高": "▲ ", "偏低": "▼ "}
_SMALL = 0.01


def percent(share: float, sign: str = "") -> str:
    """Return a share in percent: two digits behind the point where there is little before it."""
    return f"{100 * share:{sign}.{2 if abs(share) < _SMALL else 1}f}%"


def rate_value(rate: Rate, lang: str) -> str:
    """Return “3.2%（12/376）”, or the reason why there is none."""
    if rate.value is None:
        return f"{label('missing', lang)}{label('colon', lang)}{rate.note.text(lang) if rate.note else ''}"
    counts = label("rate_of", lang, numerator=rate.numerator, denominator=rate.denominator)
    basis = f"{label('stop', lang)}{label(f'basis_{rate.basis}', lang)}" if rate.basis in ("sessions", "counted") else ""
    return f"{percent(rate.value)}（{counts}{basis}）"


def rate_change(rate: Rate, lang: str) -> str:
    """Return how it compares with the days before; empty for a rate that is unknown."""
    if rate.value is None:
        return ""
    gone = f"（{label('rate_missing', lang, days=len(rate.base.missing))}）" if rate.base.missing else ""
    judged = _MARKS.get(rate.judgement, "") + word(rate.judgement, lang)
    if rate.change is None or rate.base.rate is None:
        return judged + gone
    points = label("rate_points", lang, points=f"{100 * rate.change:+.2f}")
    before = label("rate_base", lang, days=len(rate.base.days), rate=percent(rate.base.rate))
    return label("comma", lang).join((f"{before}{gone}", points, judged))


def heard_keywords(inside: Internal) -> list[KeywordDay]:
    """Return the classes that were found in any session of the day."""
    return [k for k in inside.keywords if k.sessions]


def keyword_line(found: KeywordDay, lang: str) -> str:
    """Return “4（预期 1.2，▲ 偏高）”."""
    if found.expected is None:
        return f"{found.sessions}（{word(found.judgement, lang)}）"
    judged = _MARKS.get(found.judgement, "") + word(found.judgement, lang)
    return f"{found.sessions}（{label('expected', lang, expected=f'{found.expected:g}')}{label('comma', lang)}{judged}）"


def rising_line(found: Rising, lang: str) -> str:
    """Return “14:00–15:00 6 人，同时段预期 0.2”."""
    since, until = found.window
    return label(
        "rising_line", lang, seen=found.seen, since=f"{since:%m-%d %H:%M}", until=f"{until:%H:%M}", expected=f"{found.expected:.2g}"
    )


def usual_line(found: Usual | None, lang: str) -> str:
    """Return “平日约 18 条提及，今日 2 条”; empty without a baseline."""
    if found is None or found.usual is None:
        return ""
    return label("usual", lang, usual=f"{found.usual:g}", heard=found.heard)
