"""The digest as HTML: one document that serves as mail and as page.

Tables and inline styles, 600 px, nothing loaded from elsewhere. Scraped text reaches the template only as
values under autoescape; it is never compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.digest.figures import (
    emerging_line,
    heard_keywords,
    keyword_line,
    moved,
    rate_change,
    rate_value,
    rising_line,
    rising_topics,
    safe_url,
    shop_line,
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
from reports.digest.text import incident_url, level_words, moment, number, posted, span
from reports.digest.views import shows
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
    page = _environment().get_template("digest.html.j2").render(
        f=facts, lang=lang, subject=subject(facts, lang), preheader=preheader(facts, lang),
        mark_codes=tuple(MARKS), overdue_lines=overdue_lines(facts, lang), precision_line=precision_line(facts, lang),
        mark_address=lambda risk, code: marks.address(risk.incident, facts.date, code) if marks else "",
        **_values(facts), **_words(facts, lang),
    )
    return _inliner().inline(page)


def _values(facts: Facts) -> dict[str, Any]:
    """What the template shows beside the facts."""
    return {
        "most": max([1, *(d.total or 0 for d in facts.trend)]),
        "topics": rising_topics(facts),
        "few": [found for found in facts.usual.values() if found.few],
        "keywords": heard_keywords(facts.internal),
        "reasons": sorted(facts.internal.reasons, key=lambda r: not r.safety),
        "shows": lambda part: shows(facts, part),
        "incident_url": lambda incident: incident_url(facts, incident),
        "moment": moment, "posted": posted, "span": span, "safe": safe_url, "host": host, "paint": PALETTE.__getitem__,
    }


def _words(facts: Facts, lang: str) -> dict[str, Callable[..., str]]:
    """What puts facts into words of a language."""
    return {
        "t": lambda key, **values: label(key, lang, **values),
        "w": lambda text: word(text, lang),
        "number": lambda value: number(value, lang),
        "moved": lambda i: moved(i.name, i.judgement, lang, i.partial),
        "rate_value": lambda rate: rate_value(rate, lang),
        "rate_change": lambda rate: rate_change(rate, lang),
        "rising_line": lambda found: rising_line(found, lang),
        "emerging_line": lambda found: emerging_line(found, lang),
        "usual_line": lambda name: usual_line(facts.usual.get(name), lang),
        "shop_line": lambda shop: shop_line(shop, lang),
        "keyword_line": lambda found: keyword_line(found, lang),
        "mark_words": lambda code: mark_words(code, lang),
        "mark_command": lambda risk: mark_command(risk, lang),
        "level_words": lambda level: level_words(level, lang),
    }


def host(url: str) -> str:
    """Return the host that a link really leads to."""
    try:
        return urlsplit(url).hostname or url[:40]
    except ValueError:
        return url[:40]


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
