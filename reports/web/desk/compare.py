"""Whether a measure worked, and how the brand stands beside its competitors: counted beside the page, since it reads a lot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.trade import change, voice_share
from reports.web.access.people import needs
from reports.web.desk.charts import COLOURS, Line, over_time
from reports.web.desk.frame import desk_page
from reports.web.desk.later import PATIENCE_OF_PARTS, later
from reports.web.desk.shown import shown
from reports.web.desk.view import Names, date_of, desk_of
from reports.web.words import language_of, words

DAYS, LEAST, MOST = 28, 14, 182
TOPICS = 12
router = APIRouter(dependencies=[Depends(needs("reader"))])


@router.api_route("/topics/compare", methods=["GET", "HEAD"])
def compare(request: Request, topic: str = "", product: str = "", on: str = "", days: str = "") -> Response:
    """Compare the voices on a topic before and after a day."""
    lang, desk = language_of(request), desk_of(request)
    date, number = date_of(on), int(days) if days.isascii() and days.isdigit() and len(days) < 4 else DAYS
    number = min(max(number, LEAST), MOST)
    known = [name for group in desk.settings.topics.topics for name in (group.name, *(f"{group.name}/{leaf.name}" for leaf in group.leaves))]
    shared: dict[str, Any] = {
        "here": "topics", "title": words("compare_title", lang), "known": known, "topic": topic[:100], "product": product[:100], "on": date,
        "days": number, "products": products(desk), "today": desk.today, "pending": False, "names": Names(desk.settings, lang), "x": None,
    }
    if not topic or date is None:
        return desk_page(request, "compare", **shared)
    if topic not in known:
        return desk_page(request, "compare", **{**shared, "problem": words("no_topic", lang, topic=topic[:60])}, status=400)
    if date >= desk.today:
        return desk_page(request, "compare", **{**shared, "problem": words("not_over", lang, date=date)}, status=400)

    def make() -> dict[str, Any]:
        made = change.compare(desk.settings, desk.store, topic, date, today=desk.today, product=product or None, days=number)
        return change.as_dict(made)

    made = later(request, ("compare", topic, product, date, number), make)
    if made is None:
        return desk_page(request, "compare", **{**shared, "pending": True})
    found = made.value
    return desk_page(request, "compare", **{**shared, "x": found, "verdict": verdict(found, lang), "chart": channels_chart(found, lang, shared["names"])})


@router.api_route("/topics/rivals", methods=["GET", "HEAD"])
def rivals(request: Request, since: str = "", until: str = "", topic: str = "") -> Response:
    """Count share of voice and complaint mix beside the competitors: a part of the page, fetched after it."""
    lang, desk = language_of(request), desk_of(request)
    last = date_of(until) or desk.today - dt.timedelta(days=1)
    first = date_of(since) or last - dt.timedelta(days=DAYS - 1)
    first = max(first, last - dt.timedelta(days=366))
    shared: dict[str, Any] = {"here": "topics", "title": words("rivals_title", lang), "names": Names(desk.settings, lang), "since": first, "until": last, "topic": topic[:100]}
    if not any(w.kind == "competitor" for w in desk.settings.watches.watches):
        return desk_page(request, "rivals", pending=False, x=None, **shared)

    def make() -> dict[str, Any]:
        return voice_share.as_dict(voice_share.voice_share(desk.settings, desk.store, first, last, topic[:100]))

    made = later(request, ("rivals", first, last, topic[:100]), make, PATIENCE_OF_PARTS)
    heads = [(shown(s["name"], 20), "n") for s in made.value["subjects"]] if made else []
    return desk_page(request, "rivals", pending=made is None, x=made.value if made else None, most=TOPICS, heads=heads, **shared)


def products(desk: Any) -> list[tuple[str, str]]:
    """Return the products as (SKU, name)."""
    return [(w.sku, w.name) for w in desk.settings.watches.watches if w.kind == "product" and w.sku]


def verdict(found: Mapping[str, Any], lang: str) -> str:
    """Return the verdict in words, as `vocwatch compare` has it."""
    ratio, said = found["ratio"], found["verdict"]
    if said == "fell":
        return words("verdict_fell", lang, n=f"{100 * (1 - ratio['high']):.0f}")
    if said == "rose":
        return words("verdict_rose", lang, n=f"{100 * (ratio['low'] - 1):.0f}")
    if said == "same":
        return words("verdict_same", lang)
    if said == "unclear":
        return words("verdict_others" if "others" in found["why"] else "verdict_unclear", lang)
    needed = {"voices": change.MIN_VOICES, "days-before": change.MIN_BEFORE, "days-after": change.MIN_AFTER}
    lacks = [words(f"lack_{name}", lang, n=needed[name]) for name in found["why"] if name in needed]
    return words("verdict_too_little", lang, why=("，" if lang == "zh" else ", ").join(lacks))


def channels_chart(found: Mapping[str, Any], lang: str, names: Names) -> Any:
    """Return voices before and after by channel."""
    channels = [c for c in found["channels"] if c["days_before"] or c["days_after"]]
    told = [words("nav_sessions", lang) if c["name"] == "sessions" else names.of("source", c["name"]) for c in channels]
    return over_time(
        "channels", words("compare_title", lang), told,
        [
            Line(words("before_word", lang), [c["voices_before"] if c["days_before"] else None for c in channels], colour=COLOURS[7]),
            Line(words("after_word", lang), [c["voices_after"] if c["days_after"] else None for c in channels], colour=COLOURS[0]),
        ],
        first=words("col_channel", lang), unknown=words("unknown", lang),
    )
