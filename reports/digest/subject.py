"""The subject line and the one-line preview. No scraped text ever gets in here."""

from __future__ import annotations

from reports.digest.labels import label
from reports.say import word
from reports.shape import Facts
from vocwatch.plain import one_line

MAX_WIDTH = 45  # 汉字; a Latin letter is half of one
_WIDE = 0x2E80


def subject(facts: Facts, lang: str = "zh", prefix: str = "") -> str:
    """Return the subject: severity word first, then brand, date, work to do, negative count, coverage."""
    brand = one_line(facts.brand, 40)
    level = word(facts.level, lang)
    head = f"【{level}】" if lang == "zh" else f"[{level.capitalize()}] "
    tail = f" {facts.date:%m-%d}|{_figures(facts, lang)}"
    name = label("report", lang) if lang == "zh" else " " + label("report", lang)
    lead = one_line(prefix, 20)
    while len(brand) > 1 and width(lead + head + brand + name + tail) > MAX_WIDTH:
        brand = brand[:-1]
    return one_line(lead + head + brand + name + tail, 160)


def _figures(facts: Facts, lang: str) -> str:
    negative = next(i for i in facts.indicators if i.name == "负面")
    parts = [
        f"{label('to_do', lang)} {len(facts.actions)}",
        f"{label('negative', lang)} {label('missing', lang) if negative.value is None else negative.value}{_change(facts, lang)}",
        f"{label('coverage_short', lang)} {facts.coverage.percent}%",
    ]
    return "|".join(parts)


def _change(facts: Facts, lang: str) -> str:
    negative = next(i for i in facts.indicators if i.name == "负面")
    if not negative.baseline or negative.value is None:
        return ""
    return f"({label('same_weekdays', lang)} {100 * (negative.value / negative.baseline - 1):+.0f}%)"


def width(text: str) -> float:
    """Return the width in 汉字."""
    return sum(1.0 if ord(character) >= _WIDE else 0.5 for character in text)


def preheader(facts: Facts, lang: str = "zh") -> str:
    """Return the verdict as the line that mail programs preview."""
    return one_line("".join(s.text(lang) for s in facts.verdict), 160)
