"""来源: how each stands, what it yields, which days were read; testing one, switching it on and off."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.desk.ask import Desk
from reports.desk.sources import coverage_calendar, source_rows
from reports.web.access.people import Person, audit, checked_form, needs
from reports.web.console import console_of
from reports.web.desk.configured import (
    Change,
    ChangeError,
    by,
    changed,
    configuring_of,
    settings_now,
)
from reports.web.desk.frame import address, back_to, desk_message, desk_page
from reports.web.desk.later import Later
from reports.web.tools import ToolError, Tried, tools_of
from reports.web.words import language_of, words
from vocwatch.clock import business_date
from vocwatch.plain import one_line
from vocwatch.reasons import spoken
from vocwatch.settings import Settings, Source
from vocwatch.settings.sources import unfilled
from vocwatch.store import runs
from vocwatch.store.desk.question import Question

DAYS, LONG = 28, 84
RUNS = 20
MARKS = {"ok": "✓", "degraded": "!", "blocked": "×", "empty": "○", "not-run": "?", "unused": ""}
"""How each state is marked in the calendar: never by colour alone."""
_SPARKS = "▁▂▃▄▅▆▇█"
_GET = ["GET", "HEAD"]
router = APIRouter()
Reader = Annotated[Person, Depends(needs("reader"))]
Editor = Annotated[Person, Depends(needs("editor"))]
Form = Annotated[dict[str, str], Depends(checked_form)]


@dataclass(frozen=True)
class Standing:
    """One source as the list shows it; `health` is None without tools, or where it is configured no more."""

    name: str
    title: str
    status: str
    why: str
    health: Any
    source: Source | None
    mentions: int
    spark: str
    last: dt.datetime | None


@router.api_route("/sources", methods=_GET)
def listing(request: Request, person: Reader) -> Response:
    """Every source, and what became of it on each of the last 28 days."""
    now = settings_now(request)
    today = business_date(now.settings.clock.now(), now.settings.app.zone)
    since = today - dt.timedelta(days=DAYS - 1)
    desk = Desk(now.settings, console_of(request).store)
    standing = [_standing(request, now.settings, row) for row in source_rows(desk, Question(since=since, until=today))]
    order = ("blocked", "degraded", "not-run", "never", "empty", "ok", "disabled", "gone")
    standing.sort(key=lambda one: (order.index(one.status) if one.status in order else 0, -one.mentions, one.name))
    return desk_page(
        request, "sources", here="sources", title=words("nav_sources", language_of(request)), problems=now.problems, standing=standing,
        calendar=coverage_calendar(desk, since, today), days=[since + dt.timedelta(days=n) for n in range(DAYS)], marks=MARKS, since=since,
        can_edit=person.may("editor"), spoken=spoken,
    )


@router.api_route("/sources/{name}", methods=_GET)
def show(request: Request, person: Reader, name: str, test: str = "", problem: str = "") -> Response:
    """One source with its runs; also one whose file is gone, as long as anything is stored of it."""
    return _page(request, person, name, testing=bool(test) and person.may("editor"))


@router.post("/sources/{name}/test")
def test_it(request: Request, person: Editor, form: Form, name: str) -> Response:
    """Begin a test; the page waits for what it brings."""
    if name not in settings_now(request).settings.sources or tools_of(request) is None:
        return _gone(request, name)
    audit(request, "test source", name)
    _tests(request).ask(("test", name), lambda: _tried(request, name), console_of(request).settings.clock.now(), 0.01)
    return back_to(request, f"sources/{name}", {"test": "1"})


@router.post("/sources/{name}/switch")
def switch(request: Request, person: Editor, form: Form, name: str) -> Response:
    """Switch a source on or off, with a reason."""
    source = settings_now(request).settings.sources.get(name)
    lang, on, reason = language_of(request), form.get("to") == "on", form.get("reason", "").strip()[:300]
    if source is None:
        return _gone(request, name)
    if not reason:
        return _page(request, person, name, problem=words("need_reason", lang), status=400)
    missing = unfilled(source) if on else []
    today = business_date(console_of(request).settings.clock.now(), console_of(request).settings.app.zone)
    remark = f"{today} 未填齐就启用：{one_line(reason, 200)}" if missing else ""
    if missing and not form.get("anyway"):
        return _page(request, person, name, problem=words("source_unfilled", lang, what="、".join(missing)), status=400, anyway=True)
    file, change = f"sources/{name}.yaml", Change("keys", values={"enabled": on}, remark=remark)
    try:
        changed(request, file, "", lambda config: config.change(file, change, by(request, person, reason), config.mark(file, change)))
    except ChangeError as error:
        if error.kind != "same":
            return _page(request, person, name, problem="\n".join(error.problems), status=400)
    return back_to(request, f"sources/{name}")


# -- the pages ----------------------------------------------------------------------------------------------------


def _standing(request: Request, settings: Settings, row: dict[str, Any]) -> Standing:
    name, tools = str(row["source"]), tools_of(request)
    source = settings.sources.get(name)
    health = tools.health(settings, source) if tools is not None and source is not None else None
    status = "gone" if source is None else "disabled" if not source.enabled else health.status if health else str(row["status"] or "never")
    why = health.why if health else spoken(row["why"])
    return Standing(
        name, str(row["title"]), status, str(why or ""), health, source, int(row["mentions"]),
        spark(health.records) if health else "", row["last_run"],
    )


def spark(values: list[int]) -> str:
    """Return numbers as bars of text."""
    top = max(values, default=0)
    return "".join(_SPARKS[0 if not top else round(value / top * (len(_SPARKS) - 1))] for value in values)


def _page(
    request: Request, person: Person, name: str, problem: str = "", status: int = 200, testing: bool = False, anyway: bool = False,
) -> Response:
    now = settings_now(request)
    settings, store, tools = now.settings, console_of(request).store, tools_of(request)
    source = settings.sources.get(name)
    with store.read() as connection:
        past = runs.history(connection, "crawl", name[:200], RUNS)
    today = business_date(settings.clock.now(), settings.app.zone)
    since = today - dt.timedelta(days=LONG - 1)
    desk = Desk(settings, store)
    rows = source_rows(desk, Question(since=since, until=today, sources=(name[:64],)))
    if source is None and not past and not any(row["mentions"] for row in rows):
        return _gone(request, name)
    standing = _standing(request, settings, rows[0])
    calendar = coverage_calendar(desk, since, today).get(name, [])
    weeks = [calendar[at:at + 7] for at in range(0, len(calendar), 7)]
    while weeks and all(day.status == "unused" for day in weeks[0]):
        weeks.pop(0)
    tested = _tested(request, name) if testing else None
    return desk_page(
        request, "source", here="sources", title=standing.title, status=status, problem=problem, problems=now.problems, one=standing,
        name=name, past=past, weeks=weeks, marks=MARKS, spoken=spoken, since=since,
        missing=unfilled(source) if source else [], testing=testing, tested=tested, anyway=anyway,
        can_edit=person.may("editor") and source is not None, can_test=person.may("editor") and tools is not None and source is not None,
        versions=configuring_of(request).history(f"sources/{name[:100]}.yaml", limit=8) if person.may("analyst") else [],
        is_editor=person.may("editor"),
    )


def _gone(request: Request, name: str) -> Response:
    lang = language_of(request)
    return desk_message(request, words("source_gone", lang, name=name[:64]), words("source_gone_more", lang), here="sources", status=404,
                        link=address(request, "sources"), link_text=words("nav_sources", lang))


def _tests(request: Request) -> Later:
    """The tests of this console: their threads are their own, since a test may wait for a slow site."""
    state = request.app.state
    if getattr(state, "source_tests", None) is None:
        state.source_tests = Later()
    found: Later = state.source_tests
    return found


def _tried(request: Request, name: str) -> Tried | str:
    tools = tools_of(request)
    assert tools is not None
    try:
        return tools.test_source(console_of(request).settings, name)
    except ToolError as error:
        return str(error)


def _tested(request: Request, name: str) -> Tried | str | None:
    """What a test brought, why it failed, or None while it runs."""
    if tools_of(request) is None or name not in console_of(request).settings.sources:
        return None
    made = _tests(request).ask(("test", name), lambda: _tried(request, name), console_of(request).settings.clock.now(), 0.05)
    return made.value if made else None
