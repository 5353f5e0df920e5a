"""主题: what rose and fell, complaint topics over time, topic × product, down to the rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.desk.ask import Answer, Desk, Heat, Question, QuestionError, Series, ask, heat, series
from reports.web.access.people import needs
from reports.web.desk import charts
from reports.web.desk.blindness import blind_titles
from reports.web.desk.frame import address, desk_page
from reports.web.desk.later import PATIENCE, PATIENCE_OF_PARTS, Made, later
from reports.web.desk.view import Names, View, chips, desk_of, failed, spans, view_of
from reports.web.words import language_of, words

STEPS = (("day", "by_day"), ("week", "by_week"), ("month", "by_month"))
LINES = 8
HEAT_ROWS, HEAT_COLUMNS = 14, 10
SHOWN = 40
router = APIRouter(dependencies=[Depends(needs("reader"))])


@router.api_route("/topics", methods=["GET", "HEAD"])
def topics(request: Request) -> Response:
    """Show the complaint topics of a question over time; what takes longer to count follows when it is there."""
    lang, desk = language_of(request), desk_of(request)
    step = request.query_params.get("step", "")
    shared: dict[str, Any] = {"here": "topics", "title": words("topics_title", lang), "steps": STEPS}
    try:
        view = view_of(request, until_yesterday=True)
        step = step if step in dict(STEPS) else _step(view.question)
        lines = series(desk, view.question, "topic", step, subject="topics", most=LINES)
        made = _counted(request, view, PATIENCE)
    except QuestionError as error:
        return desk_page(request, "topics", status=400, view=View(Question()), wrong=failed(error, lang), **shared)
    found = bool(lines.lines) or any(value is None for line in lines.lines for value in line.values)
    return desk_page(
        request, "topics", view=view, wrong=None, step=step, majors=majors(request, desk, view), found=found, question=view.question,
        chart=line_chart(request, lines, lang), chips=chips(request, "topics", view), spans=_spans(request, view, desk),
        blind=blind_titles(desk, view.question) if not found else [], pending=made is None, **_parts(request, view, made), **shared,
    )


@router.api_route("/topics/parts", methods=["GET", "HEAD"])
def parts(request: Request) -> Response:
    """Show what rose and fell, and topic × product: a part of the page, fetched after it."""
    lang = language_of(request)
    title = words("rose_fell", lang)
    try:
        view = view_of(request, until_yesterday=True)
        made = _counted(request, view, PATIENCE_OF_PARTS)
    except QuestionError as error:
        return desk_page(request, "topics_parts", here="topics", title=title, status=400, problem=error.message, pending=False, view=View(Question()),
                         question=Question(), **_parts(request, View(Question()), None))
    return desk_page(
        request, "topics_parts", here="topics", title=title, pending=made is None, view=view, question=view.question, **_parts(request, view, made)
    )


def _counted(request: Request, view: View, patience: float) -> Made | None:
    desk = desk_of(request)

    def make() -> tuple[Answer, tuple[str, ...], Heat]:
        trends = ask(desk, "trends", view.question)
        return trends, trends.counted, heat(desk, view.question, "topic", "product", most=HEAT_ROWS)

    return later(request, ("topics", tuple(view.params)), make, patience)


def _parts(request: Request, view: View, made: Made | None) -> dict[str, Any]:
    """What the templates of both show."""
    if made is None:
        return {"rows": [], "more": 0, "heat": None, "counted": (), "before": ""}
    trends, counted, cells = made.value
    rows = trend_rows(request, trends, view)
    return {
        "rows": rows[:SHOWN], "more": max(0, len(rows) - SHOWN), "counted": counted, "before": _before(view.question),
        "heat": heat_chart(request, cells, language_of(request), desk_of(request)) if cells.rows else None,
    }


def _step(question: Question) -> str:
    since, until = question.since, question.until
    days = (until - since).days if since and until else 365
    return "day" if days <= 60 else "week" if days <= 400 else "month"


def _spans(request: Request, view: View, desk: Desk) -> list[tuple[str, str, bool]]:
    yesterday = desk.today - dt.timedelta(days=1)
    found = []
    for text, href, on in spans(request, "topics", view, yesterday)[:-1]:
        found.append((text, f"{href}&until={yesterday}" if "until=" not in href else href, on))
    since, until = view.question.since, view.question.until
    lengths = {(since and until and (until - since).days + 1): True} if until == yesterday else {}
    return [(text, href, n in lengths) for (text, href, _), n in zip(found, (7, 28, 90, 365), strict=True)]


def _before(question: Question) -> str:
    if not question.since or not question.until:
        return ""
    length = (question.until - question.since).days + 1
    return f"{question.since - dt.timedelta(days=length):%m-%d} – {question.since - dt.timedelta(days=1):%m-%d}"


def trend_rows(request: Request, found: Answer, view: View) -> list[dict[str, Any]]:
    """Return the topics of a comparison with addresses: of the rows now, of those before, of the topic's own view."""
    out = []
    question = found.question
    for row in found.rows:
        link = row["link"] or []
        out.append({**row, "href": address(request, "mentions", link), "before_href": _shifted(request, link, question),
                    "down": address(request, "topics", [*[p for p in view.params if p[0] != "topic"], ("topic", row["topic"])])})
    return out


def _shifted(request: Request, link: Sequence[tuple[str, str]], question: Question) -> str:
    days = dict(link)
    if "since" not in days or "until" not in days:
        return ""
    since, until = dt.date.fromisoformat(days["since"]), dt.date.fromisoformat(days["until"])
    length = dt.timedelta(days=(until - since).days + 1)
    moved = {"since": str(since - length), "until": str(until - length)}
    return address(request, "mentions", [(name, moved.get(name, value)) for name, value in link])


def majors(request: Request, desk: Desk, view: View) -> list[tuple[str, str, bool]]:
    """Return the groups of the taxonomy as (name, address of its view, whether it is this one)."""
    lang = language_of(request)
    rest = [pair for pair in view.params if pair[0] != "topic"]
    chosen = {topic.partition("/")[0] for topic in view.question.topics}
    found = [(words("all_majors", lang), address(request, "topics", rest), not chosen)]
    for group in desk.settings.topics.topics:
        found.append((group.name, address(request, "topics", [*rest, ("topic", group.name)]), group.name in chosen))
    return found


def line_chart(request: Request, found: Series, lang: str) -> charts.Chart:
    """Return topics over time; steps of which nothing was read are hatched."""
    steps = [f"{day:%m-%d}" if found.step != "month" else f"{day:%Y-%m}" for day in found.steps]
    lines = []
    for line in found.lines:
        hrefs = [_href(request, found.link(line, at)) if line.values[at] is not None else "" for at in range(len(found.steps))]
        lines.append(charts.Line(line.value, list(line.values), hrefs, kind="bar", stack="all"))
    return charts.over_time(
        "topics", words("over_time", lang), steps, lines, first=words("date_word", lang), unknown=words("unknown", lang),
        partial=found.partial, note=words("more_lines", lang, n=found.more) if found.more else "",
    )


def heat_chart(request: Request, found: Heat, lang: str, desk: Desk) -> charts.Chart:
    """Return topic × product."""
    names = Names(desk.settings, lang)
    columns = range(min(len(found.columns), HEAT_COLUMNS))
    hrefs = [[_href(request, found.link(row, column)) for column in columns] for row in range(len(found.rows))]
    return charts.heat(
        "heat", words("heat_title", lang), [names.of("product", found.columns[column]) for column in columns], found.rows,
        [[found.values[row][column] for column in columns] for row in range(len(found.rows))], hrefs, first=words("col_topic", lang),
        note=words("heat_note", lang),
    )


def _href(request: Request, link: Sequence[tuple[str, str]] | Mapping[str, str] | None) -> str:
    return address(request, "mentions", link) if link else ""
