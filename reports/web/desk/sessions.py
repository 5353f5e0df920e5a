"""会话: the inner ear: bad sessions by path, reason, product and owner, and one conversation as it was masked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.desk.ask import Desk, Question, QuestionError, ask, series, session_detail
from reports.web.access.people import audit, needs
from reports.web.desk import listed
from reports.web.desk.charts import Chart, Line, over_time
from reports.web.desk.frame import address, desk_message, desk_page
from reports.web.desk.later import PATIENCE_OF_PARTS, later
from reports.web.desk.shown import Span, marked
from reports.web.desk.triage import marks_of, noted
from reports.web.desk.view import (
    PAGE,
    Names,
    View,
    chips,
    desk_of,
    failed,
    pager,
    spans,
    today_of,
    toggled,
    view_of,
)
from reports.web.words import language_of, words
from vocwatch.models import TextKind
from vocwatch.store import feedback

GROUPS = (("path", "path", "col_path"), ("reason", "", "by_reason"), ("product", "product", "by_product"), ("shop", "shop", "by_shop"))
MAX_OPTIONS = 12
router = APIRouter(dependencies=[Depends(needs("reader"))])


@router.api_route("/sessions", methods=["GET", "HEAD"])
def sessions(request: Request) -> Response:
    """Show the sessions of a question, fifty a page."""
    lang, desk = language_of(request), desk_of(request)
    shared: dict[str, Any] = {"here": "sessions", "title": words("sessions_title", lang)}
    try:
        view = view_of(request)
        answer = ask(desk, "sessions", view.question, order=view.order, limit=PAGE, offset=view.offset)
        rows = list(answer.rows)
    except QuestionError as error:
        return desk_page(request, "sessions", status=400, view=View(Question()), wrong=failed(error, lang), **shared)
    zone = desk.settings.app.zone
    q = view.question
    imported = bool(rows) or ask(desk, "sessions", Question(q.since, q.until), limit=0).total > 0
    return desk_page(
        request, "sessions", view=view, wrong=None, imported=imported, rows=rows, total=answer.total, names=Names(desk.settings, lang), counted=answer.counted,
        pager=pager(request, "sessions", view, answer.total, len(rows)), chips=chips(request, "sessions", view),
        spans=spans(request, "sessions", view, today_of(request)), at=lambda value: listed.moment(value, zone), **shared,
    )


@router.api_route("/sessions/overview", methods=["GET", "HEAD"])
def overview(request: Request) -> Response:
    """Show how the sessions of a question spread over days, paths, reasons, products, shops: fetched after the list."""
    lang, desk = language_of(request), desk_of(request)
    shared: dict[str, Any] = {"here": "sessions", "title": words("sessions_title", lang)}
    try:
        view = view_of(request)
    except QuestionError as error:
        return desk_page(request, "sessions_overview", status=400, problem=error.message, pending=False, chart=None, groups=[], params=[], **shared)

    def make() -> dict[str, Any]:
        counts = {by: list(ask(desk, "sessions", view.question, group=(by,)).rows) for by, _, _ in GROUPS}
        return {"series": series(desk, view.question, "path", subject="sessions"), "counts": counts}

    try:
        made = later(request, ("sessions", tuple(view.params)), make, PATIENCE_OF_PARTS)
    except QuestionError as error:
        return desk_page(request, "sessions_overview", status=400, problem=error.message, pending=False, chart=None, groups=[], params=[], **shared)
    if made is None:
        return desk_page(request, "sessions_overview", pending=True, chart=None, groups=[], params=view.params, **shared)
    groups = [_group(request, view, by, param, title, made.value["counts"][by]) for by, param, title in GROUPS]
    return desk_page(
        request, "sessions_overview", pending=False, chart=path_chart(request, made.value["series"], lang), groups=[g for g in groups if any(o["known"] for o in g["options"])],
        params=view.params, **shared,
    )


def _group(request: Request, view: View, by: str, param: str, title: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    lang = language_of(request)
    names = Names(desk_of(request).settings, lang)
    options = []
    for row in rows:
        value = row[by]
        known = value not in (None, "")
        pair = (param, str(value))
        text = names.of(by, value) if known else words("unknown_value", lang)
        if by == "shop" and known:
            text = f"{text} · {names.owner(str(value))}"
        href = address(request, "sessions", toggled(view.params, *pair)) if known and param else ""
        options.append({"text": text, "count": row["sessions"], "href": href, "on": known and pair in view.params, "known": known})
    return {
        "title": words(title, lang), "options": options[:MAX_OPTIONS], "chosen": "", "open": True, "more": max(0, len(options) - MAX_OPTIONS),
    }


def path_chart(request: Request, found: Any, lang: str) -> Chart:
    """Return sessions by day and path. A day on which no session at all was imported is unknown."""
    total = [sum(line.values[at] or 0 for line in found.lines) for at in range(len(found.steps))]
    lines = []
    for line in found.lines:
        values = [value if total[at] else None for at, value in enumerate(line.values)]
        hrefs = [address(request, "sessions", link) if values[at] and (link := found.link(line, at)) else "" for at in range(len(found.steps))]
        lines.append(Line(line.value, values, hrefs, stack="all"))
    return over_time(
        "sessions", words("by_path_day", lang), [f"{day:%m-%d}" for day in found.steps], lines, first=words("date_word", lang),
        unknown=words("unknown", lang), note=words("not_imported", lang) if not all(total) else "",
    )


@router.api_route("/sessions/{name}", methods=["GET", "HEAD"])
def session(request: Request, name: str) -> Response:
    """Show one session by its row's number or its own."""
    lang, desk = language_of(request), desk_of(request)
    number = _number(desk, name[:200])
    found = session_detail(desk, number) if number else None
    if found is None:
        return desk_message(
            request, words("session_gone", lang), words("gone_more", lang), here="sessions", status=404,
            link=address(request, "sessions"), link_text=words("back_list", lang),
        )
    audit(request, "view", f"session {found['id']}")
    zone = desk.settings.app.zone
    return desk_page(
        request, "session", here="sessions", title=words("session_title", lang, id=found["native_id"]), x=found, turns=turns(found),
        names=Names(desk.settings, lang), at=lambda value: listed.long_moment(value, zone), short=lambda value: listed.moment(value, zone),
        marks=marks_of(request, TextKind.SESSION, [found["id"]]).get(str(found["id"])), back=f"sessions/{found['id']}", noted=noted(request),
        said=found["feedback"],
    )


def turns(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the turns with the keywords found in them marked."""
    out = []
    for turn in found["turns"]:
        here = [Span(k["start"], k["end"], "word", str(k["name"])) for k in found["keywords"] if k["seq"] == turn["seq"]]
        out.append({**turn, "pieces": marked(turn["text"] or "", here)})
    return out


def _number(desk: Desk, name: str) -> int:
    """Return the row's number of a session called by it or by its own number; 0 for an unknown one."""
    with desk.read() as connection:
        own = [int(s.id) for s in feedback.find(connection, name) if s.kind == TextKind.SESSION.value]
    if own:
        return own[0]
    return int(name) if name.isascii() and name.isdigit() and len(name) < 18 else 0
