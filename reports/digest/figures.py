"""Rates and keyword classes in words, alike in mail, page and text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from reports.digest.labels import label
from reports.emerging import Phrase
from reports.keyword_classes import KeywordDay
from reports.rates import Rate
from reports.rising import Rising
from reports.say import word
from reports.shape import Emerging, Facts, Internal, ShopDay
from reports.usual import Usual

_MARKS = {"偏高": "▲ ", "偏低": "▼ "}
_NEUTRAL = frozenset({"总声量"})
_HIGH_IS_GOOD = frozenset({"解决率"})
MAX_EMERGING = 5
_SMALL = 0.01


def moved(name: str, judgement: str, lang: str, partial: bool = False) -> str:
    """Return “▲ 偏高 · 恶化” for a figure: the direction as a sign and in words, and what it means where that is certain.

    Fewer of something bad is no improvement on a day that was read in part only.
    """
    said = _MARKS.get(judgement, "") + word(judgement, lang)
    if judgement not in _MARKS or name in _NEUTRAL:
        return said
    worse = (judgement == "偏高") != (name in _HIGH_IS_GOOD)
    if partial and not worse:
        return said
    return f"{said} · {label('worse' if worse else 'better', lang)}"


def odds(p_value: float | None) -> int | None:
    """Return once in how many topic-days chance alone would show as much."""
    if p_value is None or p_value <= 0:
        return None
    found = 1 / p_value
    scale: int = 10 ** max(0, math.floor(math.log10(found)) - 1)
    return int(min(1_000_000, round(found / scale) * scale))


@dataclass(frozen=True)
class RisingTopics:
    """What the part of rising topics shows, five at most; `more` are left to the JSON."""

    rising: tuple[Rising, ...]
    emerging: tuple[Emerging, ...]
    phrases: tuple[Phrase, ...]
    more: int


def rising_topics(facts: Facts) -> RisingTopics:
    """Choose what is shown of fast movers, rises of the day and new phrases."""
    kinds: tuple[Sequence[object], ...] = (facts.rising, facts.emerging, facts.phrases)
    taken = [0] * len(kinds)
    for _ in range(MAX_EMERGING):  # in turn, so that no kind crowds out another
        for place, found in enumerate(kinds):
            if taken[place] < len(found) and sum(taken) < MAX_EMERGING:
                taken[place] += 1
    more = sum(map(len, kinds)) - sum(taken)
    return RisingTopics(facts.rising[: taken[0]], facts.emerging[: taken[1]], facts.phrases[: taken[2]], more)


def emerging_line(found: Emerging, lang: str) -> str:
    """Return “今日 4 名独立发声者，预期 0.8（p 0.002），约每 500 个主题日误报一次”."""
    said = found.said.text(lang) if found.said else ""
    once = odds(found.p_value)
    return said + (f"{label('comma', lang)}{label('false_alarm', lang, odds=once)}" if once else "")


def safe_url(url: str) -> str:
    """Return an http(s) address as it is, and nothing for any other kind."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


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
    judged = moved(rate.name, rate.judgement, lang)
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
    judged = moved(found.name, found.judgement, lang)
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


def shop_line(shop: ShopDay, lang: str) -> str:
    """Return “12，▲ 偏高 · 恶化，中位数 6；非满意 8 · 中差评 4” for one shop, or that nobody knows."""
    if shop.total is None:
        return f"-{label('shop_unknown', lang)}"
    comma = label("comma", lang)
    base = f"{comma}{label('median_short', lang)} {shop.baseline:g}" if shop.baseline is not None else ""
    paths = " · ".join(f"{word(path, lang)} {count}" for path, count in shop.paths.items())
    return f"{shop.total}{comma}{moved('客服差评会话', shop.judgement, lang)}{base}{label('stop', lang)}{paths}"
