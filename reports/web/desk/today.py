"""今日: the digest of a date as it was sent, or as the rows stand now; what has changed in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.digest.contract import as_dict
from reports.digest.figures import moved
from reports.facts import build_facts
from reports.shape import Facts
from reports.web.access.people import needs
from reports.web.desk.charts import Chart, Line, over_time
from reports.web.desk.frame import address, desk_message, desk_page
from reports.web.desk.later import PATIENCE, PATIENCE_OF_PARTS, Made, later
from reports.web.desk.view import date_of
from reports.web.pages import console_of
from reports.web.words import language_of, words
from vocwatch.clock import business_date
from vocwatch.store import digests

AUDIENCE = "qa"
SENT, NOW = "sent", "now"
FIRST_CARDS = 5
_VOICES = (("brand", "1"), ("voice", "customer"), ("voice", "media"))
"""Whom the digest counts as the public: customers and press who speak of the brand."""
_BAD = (*_VOICES, ("sentiment", "negative"))
_REST = (*_VOICES, ("sentiment", "neutral"), ("sentiment", "positive"))
router = APIRouter(dependencies=[Depends(needs("reader"))])


@dataclass(frozen=True)
class Kept:
    """A digest as it is stored; `sealed` since when it stays so."""

    content: dict[str, Any]
    written: dt.datetime
    sealed: dt.datetime | None


@router.api_route("/", methods=["GET", "HEAD"])
def today(request: Request, date: str = "", view: str = "") -> Response:
    """Show the digest of a date (the newest, where none is named)."""
    console, lang = console_of(request), language_of(request)
    now_date = business_date(console.settings.clock.now(), console.settings.app.zone)
    with console.store.read() as connection:
        known = digests.days(connection, AUDIENCE)
        wanted = date_of(date) or (known[0] if known else None)
        kept = _kept(connection, wanted) if wanted else None
    if wanted is None:
        return desk_message(
            request, words("no_digest_ever", lang), words("no_digest_more", lang), here="today",
            link=address(request, "", {"date": now_date, "view": NOW}), link_text=words("see_now", lang),
        )
    frame = _Frame(request, wanted, known, now_date, kept, view if view in (SENT, NOW) else SENT if kept else NOW)
    if frame.view == SENT:
        return frame.sent() if kept else frame.none()
    return frame.now()


@router.api_route("/today/changes", methods=["GET", "HEAD"])
def changes(request: Request, date: str = "") -> Response:
    """Say what has changed since the digest of a date was sent: a part of the page, fetched after it."""
    console, lang = console_of(request), language_of(request)
    wanted = date_of(date)
    with console.store.read() as connection:
        kept = _kept(connection, wanted) if wanted else None
    if wanted is None or kept is None:
        return desk_page(request, "today_changes", here="today", title=words("changed", lang), pending=False, found=None, date=date)
    made = facts_now(request, wanted, PATIENCE_OF_PARTS)
    found = differences(kept.content, as_dict(made.value)) if made else None
    return desk_page(request, "today_changes", here="today", title=words("changed", lang), pending=made is None, found=found, date=date)


def facts_now(request: Request, date: dt.date, patience: float = PATIENCE) -> Made | None:
    """Return the facts of a date as the rows stand now; None while they are being made."""
    console = console_of(request)

    def make() -> Facts:
        return build_facts(console.settings, console.store, date, now=console.settings.clock.now(), audience=AUDIENCE)

    return later(request, ("facts", date), make, patience)


@dataclass(frozen=True)
class _Frame:
    """What both views of a date have around them."""

    request: Request
    date: dt.date
    known: list[dt.date]
    now_date: dt.date
    kept: Kept | None
    view: str

    def sent(self) -> Response:
        """The digest as it was kept."""
        assert self.kept is not None
        return self._page(self.kept.content, self.kept.sealed or self.kept.written)

    def now(self) -> Response:
        """The facts as the rows stand now, or a page that waits for them."""
        made = facts_now(self.request, self.date)
        if made is None:
            return self._show("today_making")
        return self._page(as_dict(made.value, language_of(self.request)), made.at)

    def none(self) -> Response:
        """Say that nothing was written for the date."""
        return self._show("today_none")

    def _page(self, told: dict[str, Any], at: dt.datetime) -> Response:
        lang = language_of(self.request)
        return self._show(
            "today", d=told, at=at, figures=figures(self.request, told, lang), chart=trend_chart(self.request, told, lang),
            rows=self._rows, voices=_VOICES, bad=_BAD,
            moved=lambda i: moved(i["name"], i["judgement"], lang, i["partial"]), blind=blind_sources(told), first_cards=FIRST_CARDS,
        )

    def _rows(self, view: str, /, *pairs: tuple[str, str], **more: str) -> str:
        """The address of rows of the date."""
        return address(self.request, view, [("since", self.date), ("until", self.date), *pairs, *more.items()])

    def _show(self, template: str, **values: Any) -> Response:
        lang = language_of(self.request)
        day = dt.timedelta(days=1)
        weekday = words("weekdays", lang)
        size = len(weekday) // 7
        named = weekday[self.date.weekday() * size :][:size]
        title = words("today_title", lang, date=self.date.isoformat(), weekday=f"周{named}" if lang == "zh" else named)
        return desk_page(
            self.request, template, here="today", title=title, date=self.date, view=self.view, kept=self.kept, now_date=self.now_date,
            before=self.date - day, after=self.date + day if self.date < self.now_date else None,
            newest=self.known[0] if self.known else None, **values,
        )


def figures(request: Request, told: Mapping[str, Any], lang: str) -> list[dict[str, Any]]:
    """Return the indicators of a digest, each with the address of its rows."""
    day = [("since", told["date"]), ("until", told["date"])]
    rows = {
        "总声量": ("mentions", [*day, *_VOICES]), "负面": ("mentions", [*day, *_BAD]), "客服差评会话": ("sessions", day),
        "新增风险主题": ("incidents", [*day, ("state", "新增")]),
    }
    return [{**one, "href": address(request, *rows[one["name"]]) if one["name"] in rows else ""} for one in told["indicators"]]


def trend_chart(request: Request, told: Mapping[str, Any], lang: str) -> Chart:
    """Return the fortnight of a digest as bars; days that were not read are hatched."""
    days = told["trend"]

    def rows(path: str, pairs: tuple[tuple[str, str], ...], key: str) -> list[str]:
        return [
            address(request, path, [("since", d["date"]), ("until", d["date"]), *pairs]) if d[key] is not None else "" for d in days
        ]

    rest = [None if d["total"] is None else d["total"] - d["negative"] for d in days]
    return over_time(
        "trend", words("trend14", lang), [d["date"][5:] for d in days],
        [
            Line(words("trend_neg", lang), [d["negative"] for d in days], rows("mentions", _BAD, "negative"), "--neg", stack="all"),
            Line(words("trend_rest", lang), rest, rows("mentions", _REST, "total"), "--edge", stack="all"),
            Line(words("trend_sessions", lang), [d["sessions"] for d in days], rows("sessions", (), "sessions"), "--c1", "line"),
        ],
        first=words("date_word", lang), unknown=words("unknown", lang), partial=[d["partial"] for d in days],
        note="* " + words("partial_day", lang) if any(d["partial"] for d in days) else "",
    )


def blind_sources(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the sources that were not read in full, or bring strangely little."""
    sources = told["coverage"]["sources"]
    return [{"name": name, **one} for name, one in sources.items() if one["status"] != "ok" or one.get("few")]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells two digests of a date apart: figures (name, then, now), incidents that came, went or moved."""
    pairs = zip(before["indicators"], after["indicators"], strict=False)
    numbers = [(one["name"], one["value"], two["value"]) for one, two in pairs if one["value"] != two["value"]]
    listed: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda told: {  # noqa: E731 - used twice, here alone
        r["incident"]: r for r in (*told["risks"], *told.get("others", ()))
    }
    old, new = listed(before), listed(after)
    return {
        "numbers": numbers, "percent": (before["coverage"]["percent"], after["coverage"]["percent"]),
        "came": [new[key] for key in new if key not in old], "gone": [old[key] for key in old if key not in new],
        "moved": [(old[key], new[key]) for key in new if key in old and old[key]["level"] != new[key]["level"]],
    }


def _kept(connection: Any, date: dt.date) -> Kept | None:
    content = digests.load(connection, date, AUDIENCE)
    written = digests.generated(connection, date, AUDIENCE)
    return Kept(content, written, digests.sealed(connection, date, AUDIENCE)) if content and written else None
