"""提及: search with conditions and counts, the rows behind every number, and one mention with all that belongs to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.desk.ask import Question, QuestionError, ask, facets, mention_detail
from reports.web.access.people import audit, needs
from reports.web.desk import listed
from reports.web.desk.acts import case_rows
from reports.web.desk.blindness import blind_titles
from reports.web.desk.frame import address, desk_message, desk_page
from reports.web.desk.later import PATIENCE_OF_PARTS, later
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
from reports.web.pages import console_of
from reports.web.words import language_of, words
from vocwatch.models import TextKind

ORDERS = (("-time", "order_new"), ("time", "order_old"), ("-severity", "order_severe"))
FACETS = ("sentiment", "topic", "source", "product", "level", "voice", "watch", "red_line")
MAX_OPTIONS = 12
router = APIRouter(dependencies=[Depends(needs("reader"))])


@router.api_route("/mentions", methods=["GET", "HEAD"])
def mentions(request: Request) -> Response:
    """Show the mentions of a question, fifty a page."""
    lang, desk = language_of(request), desk_of(request)
    shared: dict[str, Any] = {"here": "mentions", "title": words("mentions_title", lang), "orders": ORDERS}
    try:
        view = view_of(request)
        answer = ask(desk, "mentions", view.question, order=view.order, limit=PAGE, offset=view.offset)
        rows = list(answer.rows)
    except QuestionError as error:
        return desk_page(request, "mentions", status=400, view=View(Question()), wrong=failed(error, lang), **shared)
    looked_for = listed.searched(view.question)
    names, zone = Names(desk.settings, lang), desk.settings.app.zone
    marks = marks_of(request, TextKind.MENTION, [row["id"] for row in rows])
    return desk_page(
        request, "mentions", view=view, wrong=None, rows=[_row(row, looked_for, names, zone, marks) for row in rows], total=answer.total,
        pager=pager(request, "mentions", view, answer.total, len(rows)), chips=chips(request, "mentions", view), counted=answer.counted,
        spans=spans(request, "mentions", view, today_of(request)), noted=noted(request), back=_back(view),
        blind=blind_titles(desk, view.question) if not rows else [], searched=looked_for, **shared,
    )


def _back(view: View) -> str:
    """The address of a list as a form may carry it."""
    return "mentions?" + urlencode([*view.with_order(), ("page", str(view.page))])


def _row(row: dict[str, Any], looked_for: list[str], names: Names, zone: Any, marks: dict[str, Any]) -> dict[str, Any]:
    return {
        **row, "pieces": listed.in_short(row, looked_for), "at": listed.moment(row["published_at"] or row["first_seen_at"], zone),
        "source_title": names.of("source", row["source"]), "product_name": names.of("product", row["sku"] or row["product"] or ""),
        "red": [str(line.get("name")) for line in row["red_lines"] or () if isinstance(line, dict)], "mark": marks.get(str(row["id"])),
    }


@router.api_route("/mentions/facets", methods=["GET", "HEAD"])
def facet_counts(request: Request) -> Response:
    """Count the mentions of a question under every condition: a part of the page, fetched after its rows."""
    lang, desk = language_of(request), desk_of(request)
    title = words("filters", lang)
    try:
        view = view_of(request)
        made = later(
            request, ("facets", tuple(view.params)), lambda: {by: facets(desk, view.question, by) for by in FACETS}, PATIENCE_OF_PARTS
        )
    except QuestionError as error:
        return desk_page(request, "facets", here="mentions", title=title, status=400, groups=[], pending=False, params=[], problem=error.message)
    groups = [_facet(request, view, by, made.value[by]) for by in FACETS] if made else []
    return desk_page(
        request, "facets", here="mentions", title=title, groups=[g for g in groups if g["options"]], pending=made is None, params=view.with_order()
    )


def _facet(request: Request, view: View, by: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    lang = language_of(request)
    names = Names(console_of(request).settings, lang)
    params, options = view.with_order(), []
    for row in rows:
        value = row[by]
        if value is None or value == "":
            options.append({"text": words("unknown_value", lang), "count": row["mentions"], "href": "", "on": False})
            continue
        pair = (by, str(value))
        on = pair in params
        href = address(request, "mentions", toggled(params, *pair))
        options.append({"text": names.of(by, value), "count": row["mentions"], "href": href, "on": on})
    chosen = [o["text"] for o in options if o["on"]]
    shown = [o for at, o in enumerate(options) if at < MAX_OPTIONS or o["on"]]
    return {
        "title": words(f"cond_{by}", lang), "options": shown, "chosen": "、".join(chosen)[:40],
        "open": bool(chosen) or by in ("sentiment", "topic", "source"), "more": len(options) - len(shown),
    }


@router.api_route("/mentions/{number}", methods=["GET", "HEAD"])
def mention(request: Request, number: int) -> Response:
    """Show one mention with its judgement, revisions, copies, incidents, evidence, and what people said."""
    lang, desk = language_of(request), desk_of(request)
    found = mention_detail(desk, number) if 0 < number < 2**62 else None
    if found is None:
        return desk_message(
            request, words("not_there", lang), words("not_there_more", lang), here="mentions", status=404,
            link=address(request, "mentions"), link_text=words("back_list", lang),
        )
    audit(request, "view", f"mention {number}")
    zone, names = desk.settings.app.zone, Names(desk.settings, lang)
    judged = found["judged"]
    with desk.read() as connection:
        told = case_rows(connection, found["cases"])
    newest = found["revisions"][0] if found["revisions"] else {"title": None, "text": ""}
    return desk_page(
        request, "mention", here="mentions", title=words("mention_title", lang, id=number), x=found, judged=judged,
        pieces=listed.in_full(judged or newest), names=names, noted=noted(request), back=f"mentions/{number}",
        marks=marks_of(request, TextKind.MENTION, [number]).get(str(number)),
        at=lambda value: listed.long_moment(value, zone), cases=told, said=found["feedback"], subject=str(number), today=desk.today,
    )
