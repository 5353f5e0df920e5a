"""The digest as HTML: one document that serves as mail and as page.

Tables and inline styles, 600 px, nothing loaded from elsewhere. Scraped text reaches the template only as
values under autoescape; it is never compiled.
"""

from __future__ import annotations

import math
from functools import lru_cache
from urllib.parse import urlsplit

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.digest.figures import (
    heard_keywords,
    keyword_line,
    rate_change,
    rate_value,
    rising_line,
    usual_line,
)
from reports.digest.labels import label
from reports.digest.people import (
    MARKS,
    Marks,
    mark_command,
    mark_words,
    overdue_lines,
    precision_line,
)
from reports.digest.subject import preheader, subject
from reports.digest.text import MAX_RISING, level_words, moment, number
from reports.say import word
from reports.shape import Facts

# WCAG contrast of each pair: 5.62, 4.72, 9.48, 5.75, 6.19.
PALETTE = {
    "红": ("#C62828", "#FFFFFF"),
    "橙": ("#C2500A", "#FFFFFF"),
    "黄": ("#FFD54F", "#3A2E00"),
    "蓝": ("#1565C0", "#FFFFFF"),
    "灰": ("#616161", "#FFFFFF"),
}
MAX_BYTES = 80 * 1024


def render_html(facts: Facts, lang: str = "zh", marks: Marks | None = None) -> str:
    """Return the digest as one HTML document with inlined styles; `marks` are the feedback links of one recipient."""
    page = (
        _environment()
        .get_template("digest.html.j2")
        .render(
            f=facts,
            lang=lang,
            subject=subject(facts, lang),
            preheader=preheader(facts, lang),
            moment=moment,
            safe=safe_url,
            host=host,
            odds=odds,
            most=max([1, *(d.total or 0 for d in facts.trend)]),
            paint=PALETTE.__getitem__,
            t=lambda key, **values: label(key, lang, **values),
            w=lambda text: word(text, lang),
            number=lambda value: number(value, lang),
            rate_value=lambda rate: rate_value(rate, lang),
            rate_change=lambda rate: rate_change(rate, lang),
            rising=facts.rising[:MAX_RISING],
            rising_line=lambda found: rising_line(found, lang),
            usual_line=lambda name: usual_line(facts.usual.get(name), lang),
            few=[found for found in facts.usual.values() if found.few],
            keywords=heard_keywords(facts.internal),
            keyword_line=lambda found: keyword_line(found, lang),
            level_words=lambda level: level_words(level, lang),
            mark_codes=tuple(MARKS),
            mark_words=lambda code: mark_words(code, lang),
            mark_command=lambda risk: mark_command(risk, lang),
            mark_address=lambda risk, code: marks.address(risk.incident, facts.date, code) if marks else "",
            overdue_lines=overdue_lines(facts, lang),
            precision_line=precision_line(facts, lang),
        )
    )
    return _inliner().inline(page)


def safe_url(url: str) -> str:
    """Return an http(s) address as it is, and nothing for any other kind."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def host(url: str) -> str:
    """Return the host that a link really leads to."""
    try:
        return urlsplit(url).hostname or url[:40]
    except ValueError:
        return url[:40]


def odds(p_value: float | None) -> int | None:
    """Return once in how many topic-days chance alone would show as much."""
    if p_value is None or p_value <= 0:
        return None
    found = 1 / p_value
    scale: int = 10 ** max(0, math.floor(math.log10(found)) - 1)
    return int(min(1_000_000, round(found / scale) * scale))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports.digest", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
