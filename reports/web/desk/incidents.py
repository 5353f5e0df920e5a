"""事件: the list with its days, and one incident: timeline, outside beside inside, evidence, how its score comes about, work."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.desk.ask import Desk, Question, QuestionError, ask, incident_detail
from reports.explain import UnknownIncident, explain
from reports.explain import as_dict as explained
from reports.web.access.people import audit, needs
from reports.web.desk import listed
from reports.web.desk.acts import case_rows
from reports.web.desk.blindness import blind_titles
from reports.web.desk.charts import Chart, Line, over_time
from reports.web.desk.frame import address, desk_message, desk_page
from reports.web.desk.later import PATIENCE_OF_PARTS, later
from reports.web.desk.triage import noted
from reports.web.desk.view import Names, View, chips, desk_of, failed, spans, today_of, view_of
from reports.web.words import language_of, words
from vocwatch.clock import business_date
from vocwatch.store import cases, history
from vocwatch.store.desk import rows as store_rows

DAYS = 14
STRIP = 14
LONGEST = 59
MEMBERS = 12
TABS = (("", "tab_all"), ("新增", "tab_new"), ("升级", "tab_worse"), ("复燃", "tab_back"), ("待核", "tab_check"))
router = APIRouter(dependencies=[Depends(needs("reader"))])


@router.api_route("/incidents", methods=["GET", "HEAD"])
def incidents(request: Request) -> Response:
    """Show the incidents of a question, each once, as its last day within the period has it."""
    lang, desk = language_of(request), desk_of(request)
    shared: dict[str, Any] = {"here": "incidents", "title": words("incidents_title", lang)}
    try:
        view = view_of(request, days=DAYS)
        answer = ask(desk, "incidents", view.question)
        days = list(answer.rows)
    except QuestionError as error:
        return desk_page(request, "incidents", status=400, view=View(Question()), wrong=failed(error, lang), rows=[], **shared)
    with desk.read() as connection:
        found = _by_incident(days, history.member_counts(connection, sorted({row["incident"] for row in days})))
        open_cases = {case.subject_id: case for case in cases.listed(connection)}
    rest = [pair for pair in view.params if pair[0] != "state"]
    state = view.question.states[0] if len(view.question.states) == 1 else ""
    tabs = [
        (words(key, lang), address(request, "incidents", [*rest, *([("state", name)] if name else [])]), state == name)
        for name, key in TABS
    ]
    return desk_page(
        request, "incidents", view=view, wrong=None, rows=found, tabs=tabs, names=Names(desk.settings, lang), open_cases=open_cases,
        chips=[c for c in chips(request, "incidents", view) if not state or c[0] != words("cond_state", lang)],
        spans=spans(request, "incidents", view, today_of(request))[:3], counted=answer.counted,
        blind=blind_titles(desk, view.question) if not found else [], **shared,
    )


def _by_incident(rows: Sequence[Mapping[str, Any]], members: Mapping[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """Return one row for each incident: its newest day with the strip of its days; worst first, then newest."""
    days: dict[str, dict[dt.date, Mapping[str, Any]]] = {}
    for row in rows:
        days.setdefault(row["incident"], {})[row["day"]] = row
    found = []
    for name, own in days.items():
        last = max(own)
        length = min(STRIP, (last - min(own)).days + 1)
        strip = [last - dt.timedelta(days=back) for back in range(length - 1, -1, -1)]
        outside, inside = members.get(name, (0, 0))
        found.append({**own[last], "incident": name, "strip": [(day, own[day]["level"] if day in own else "") for day in strip],
                      "outside": outside, "inside": inside})
    return sorted(found, key=lambda row: (-row["day"].toordinal(), "红橙黄蓝".find(row["level"]), -row["score"]))


@router.api_route("/incidents/{name}", methods=["GET", "HEAD"])
def incident(request: Request, name: str, date: str = "") -> Response:
    """Show one incident as it stood on a date, its last listed day where none is named."""
    lang, desk = language_of(request), desk_of(request)
    found = incident_detail(desk, name[:60], _date(date), explained=False)
    if found is None:
        return desk_message(
            request, words("incident_gone", lang), words("gone_more", lang), here="incidents", status=404,
            link=address(request, "incidents"), link_text=words("back_list", lang),
        )
    audit(request, "view", f"incident {name[:60]}")
    with desk.read() as connection:
        told = case_rows(connection, found["cases"])
        texts = {row["id"]: row for row in store_rows.mentions_by_id(connection, [m["id"] for m in found["mentions"][-MEMBERS:]])}
    zone = desk.settings.app.zone
    day = found["day"]["day"]
    return desk_page(
        request, "incident", here="incidents", title=found["title"], x=found, day=day, names=Names(desk.settings, lang),
        outside=[{**m, "row": texts.get(m["id"]), "pieces": listed.in_short(texts[m["id"]], (), 120) if m["id"] in texts else []}
                 for m in reversed(found["mentions"][-MEMBERS:])],
        inside=list(reversed(found["sessions"][-MEMBERS:])), chart=timeline(request, found, lang, desk), cases=told, said=found["feedback"],
        subject=name, suggested=found["owner"], back=f"incidents/{name}?date={day}", noted=noted(request), today=desk.today,
        at=lambda value: listed.long_moment(value, zone), short=lambda value: listed.moment(value, zone),
    )


@router.api_route("/incidents/{name}/explain", methods=["GET", "HEAD"])
def explanation(request: Request, name: str, date: str = "") -> Response:
    """Take an incident's score apart: judged again beside the page, since a busy day takes a while."""
    lang, desk = language_of(request), desk_of(request)
    day = _date(date)

    def make() -> dict[str, Any]:
        return explained(explain(desk.settings, desk.store, name, day))

    shared: dict[str, Any] = {"here": "incidents", "title": words("explain_title", lang), "name": name[:60], "date": date}
    try:
        made = later(request, ("explain", name[:60], day), make, PATIENCE_OF_PARTS)
    except UnknownIncident:
        return desk_page(request, "explain", status=404, pending=False, x=None, how=None, **shared)
    return desk_page(request, "explain", pending=made is None, x=made.value if made else None, how=lambda part: how(part, lang), **shared)


def how(part: Mapping[str, Any], lang: str) -> str:
    """Say in words what a part of the score was computed from."""
    name, inputs = part["part"], part["inputs"]
    if part["value"] is None:
        return ""
    if name == "sensitivity" and "red_line" in inputs:
        name = "red_line"
    elif name == "evolution" and inputs["expected"] is None:
        name = "cold"
    elif name == "spread" and not inputs:
        name = "nothing_public"
    return words(f"how_{name}", lang, **inputs)


def timeline(request: Request, found: Mapping[str, Any], lang: str, desk: Desk) -> Chart:
    """Return how many spoke on each day outside and inside, with the score on the days that were listed."""
    zone, name = desk.settings.app.zone, found["id"]
    published = Counter(business_date(m["published_at"] or m["first_seen_at"], zone) for m in found["mentions"])
    heard = Counter(business_date(s["started_at"], zone) for s in found["sessions"])
    scores = {one["day"]: one["score"] for one in found["days"]}
    last = max(scores)
    first = max(min([last - dt.timedelta(days=6), *scores, *published, *heard]), last - dt.timedelta(days=LONGEST))
    days = [first + dt.timedelta(days=n) for n in range((max([last, *published, *heard]) - first).days + 1)]
    of_score = [address(request, f"incidents/{name}", {"date": day}) if day in scores else "" for day in days]
    lines = [
        Line(words("series_outside", lang), [published.get(d, 0) for d in days], rows_at(request, "mentions", name, days, published), "--neg"),
        Line(words("series_inside", lang), [heard.get(d, 0) for d in days], rows_at(request, "sessions", name, days, heard), "--c1"),
        Line(words("series_score", lang), [scores.get(d) for d in days], of_score, "--c4", "line", score=True),
    ]
    return over_time(
        "timeline", words("timeline", lang), [f"{day:%m-%d}" for day in days], lines, first=words("day_word", lang), unknown=words("unknown", lang)
    )


def rows_at(request: Request, path: str, name: str, days: Iterable[dt.date], counts: Mapping[dt.date, int]) -> list[str]:
    """Return the address of an incident's rows on each day that has some."""
    return [address(request, path, {"incident": name, "since": day, "until": day}) if counts.get(day) else "" for day in days]


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
