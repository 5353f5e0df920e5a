"""监测词: the list, and one watch with the laboratory beside it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.desk.ask import Desk, ask
from reports.web.access.people import Person, needs
from reports.web.console import console_of
from reports.web.desk import watch_form
from reports.web.desk.configured import (
    FORM_BYTES,
    Change,
    ChangeError,
    by,
    changed,
    configuring_of,
    settings_now,
)
from reports.web.desk.frame import address, back_to, desk_message, desk_page
from reports.web.desk.shown import Span, excerpt
from reports.web.desk.watch_form import Shown
from reports.web.forms import read_form
from reports.web.tools import tools_of
from reports.web.words import language_of, words
from vocwatch.clock import business_date
from vocwatch.configuring import WAITING
from vocwatch.hit_words import hit_words
from vocwatch.laboratory import Part, Report
from vocwatch.settings import Settings, Watch
from vocwatch.settings.changes import WATCH
from vocwatch.settings.drafts import DraftError, fields_of, plain, with_watch
from vocwatch.store.desk.question import Question

FILE = "watches.yaml"
PAGE = 100
_DAYS = (7, 28)
_GET = ["GET", "HEAD"]
router = APIRouter()
Reader = Annotated[Person, Depends(needs("reader"))]
Tester = Annotated[Person, Depends(needs("analyst", form_bytes=FORM_BYTES))]
Editor = Annotated[Person, Depends(needs("editor", form_bytes=FORM_BYTES))]


async def big_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that may hold thousands of words."""
    return await read_form(request, FORM_BYTES)


Form = Annotated[dict[str, str], Depends(big_form)]


@router.api_route("/watches", methods=_GET)
def listing(request: Request, person: Reader, kind: str = "", find: str = "", page: int = 1) -> Response:
    """All watches, with what they caught lately, and the red lines."""
    now = settings_now(request)
    counts = {days: _counts(request, now.settings, days) for days in _DAYS}
    wanted = find.strip().lower()
    found = [
        watch for watch in now.settings.watches.watches
        if (not kind or watch.kind == kind) and (not wanted or wanted in " ".join((watch.id, watch.name, *watch.aliases)).lower())
    ]
    page = max(1, min(page, 1 + (len(found) - 1) // PAGE)) if found else 1
    waiting = configuring_of(request).history(state=WAITING)
    return desk_page(
        request, "watches", here="watches", title=words("nav_watches", language_of(request)), problems=now.problems,
        watches=found[(page - 1) * PAGE:page * PAGE], total=len(found), page=page, pages=1 + (len(found) - 1) // PAGE if found else 1,
        counts=counts, kind=kind, find=find, kinds=watch_form.KINDS, red_lines=now.settings.topics.red_lines,
        waiting={one.entry for one in waiting}, waits=len(waiting), since={days: _since(now.settings, days) for days in _DAYS},
        can_edit=person.may("editor"), can_test=person.may("analyst"),
    )


@router.api_route("/watches/new", methods=_GET)
def new(request: Request, person: Tester, kind: str = "keyword", name: str = "") -> Response:
    """The form of a new watch."""
    form = watch_form.empty(kind)
    form.values["name"] = name.strip()[:100]
    form.mark = configuring_of(request).mark(FILE, Change("watch", WATCH))
    return _edit(request, person, form)


@router.post("/watches/try")
def try_it(request: Request, person: Tester, form: Form) -> Response:
    """Say what the rule in the form would do; the form is shown again as it was typed, and nothing is saved."""
    shown = watch_form.of_form(form)
    return _edit(request, person, shown, _report(request, shown))


@router.api_route("/watches/{watch_id}", methods=_GET)
def edit(request: Request, person: Reader, watch_id: str) -> Response:
    """The form of a saved watch."""
    watch = _watch(request, watch_id)
    if watch is None:
        return _gone(request, watch_id)
    return _edit(request, person, watch_form.of_watch(watch, configuring_of(request).mark(FILE, Change("watch", WATCH + watch_id))))


@router.post("/watches")
def save(request: Request, person: Editor, form: Form) -> Response:
    """Save the rule in the form, or hand it in where it needs a second person."""
    shown = watch_form.of_form(form)
    settings = settings_now(request).settings
    try:
        _, watch = with_watch(settings.watches, fields_of(shown.values), shown.replaces)
    except DraftError as error:
        for problem in error.problems:
            shown.problems.setdefault(problem.field, []).append(problem.message)
        return _edit(request, person, shown, _report(request, shown), status=400)
    change = Change("watch", WATCH + (shown.replaces or watch.id), plain(watch))
    return _apply(request, person, shown, change)


@router.post("/watches/{watch_id}/remove")
def remove(request: Request, person: Editor, form: Form, watch_id: str) -> Response:
    """Take a watch out of the file; what it caught stays stored, and its versions stay."""
    watch = _watch(request, watch_id)
    if watch is None:
        return _gone(request, watch_id)
    if watch_id == settings_now(request).settings.app.brand.watch:
        return desk_message(request, words("watch_is_brand", language_of(request)), words("watch_is_brand_more", language_of(request)),
                            here="watches", status=400, bad=True)
    shown = watch_form.of_watch(watch, form.get("mark", "")[:100])
    shown.note = form.get("note", "")[:500]
    return _apply(request, person, shown, Change("watch", WATCH + watch_id, None))


def _apply(request: Request, person: Person, shown: Shown, change: Change) -> Response:
    try:
        version = changed(
            request, FILE, change.entry, lambda config: config.change(FILE, change, by(request, person, shown.note), shown.mark),
        )
    except ChangeError as error:
        if error.kind == "conflict":
            return _conflict(request, person, shown, change)
        shown.problems.setdefault("", []).extend(error.problems)
        return _edit(request, person, shown, _report(request, shown), status=400)
    return back_to(request, f"settings/history/{version.id}", {"done": version.state})


def _conflict(request: Request, person: Person, shown: Shown, change: Change) -> Response:
    """Show both: what stands in the file now, and what was sent; the form goes on from the file as it is now."""
    config = configuring_of(request)
    try:
        lines = config.preview(FILE, change)
    except ChangeError as error:
        lines = error.problems
    shown.mark = config.mark(FILE, change)
    last = next(iter(config.history(FILE, change.entry, limit=1)), None)
    return _edit(request, person, shown, _report(request, shown), status=409, theirs=last, lines=lines)


# -- the page -----------------------------------------------------------------------------------------------------


def _edit(
    request: Request, person: Person, shown: Shown, report: Report | None = None, status: int = 200, theirs: Any = None,
    lines: list[str] | None = None,
) -> Response:
    now = settings_now(request)
    lang = language_of(request)
    config = configuring_of(request)
    return desk_page(
        request, "watch", here="watches", status=status, problems=now.problems, form=shown, report=report, theirs=theirs, lines=lines,
        title=shown.get("name") or words("watch_new", lang), saved=shown.replaces, kinds=watch_form.KINDS, variants=watch_form.VARIANTS,
        brands=[watch for watch in now.settings.watches.watches if watch.kind in ("brand", "competitor")], rule_words=hit_words,
        versions=config.history(FILE, WATCH + shown.replaces, limit=8) if shown.replaces else [], can_edit=person.may("editor"),
        can_test=person.may("analyst") and tools_of(request) is not None, samples=_samples, bars=_bars(report) if report else [],
        since=_since(now.settings, shown.days), is_red=any(
            watch.id == shown.replaces and watch.red_line for watch in now.settings.watches.watches) or bool(shown.get("red_line")),
    )


def _report(request: Request, shown: Shown) -> Report | None:
    tools = tools_of(request)
    if tools is None:
        return None
    fields = fields_of(shown.values)
    fields.setdefault("id", shown.replaces or "draft")  # it can be tried before it has an id
    return tools.try_rule(settings_now(request).settings, fields, shown.replaces, shown.days)


def _samples(part: Part) -> list[dict[str, Any]]:
    """The samples of a part, each with its text in pieces around what was caught."""
    return [
        {"id": one.id, "source": one.source, "url": one.url, "at": one.at, "why": hit_words(one.why) if one.why else "",
         "pieces": excerpt(one.text, [Span(one.start, one.end, "hit")] if one.end > one.start else [], 140)}
        for one in part.samples
    ]


def _bars(report: Report) -> list[tuple[dt.date, int, float]]:
    """Each day's hits, and how high they stand (0 to 1)."""
    top = max((count for _, count in report.by_day), default=0)
    return [(day, count, count / top if top else 0.0) for day, count in report.by_day]


def _watch(request: Request, watch_id: str) -> Watch | None:
    return next((watch for watch in settings_now(request).settings.watches.watches if watch.id == watch_id), None)


def _gone(request: Request, watch_id: str) -> Response:
    lang = language_of(request)
    past = configuring_of(request).history(FILE, WATCH + watch_id[:64], limit=1)
    more = words("watch_gone_past" if past else "watch_gone_more", lang)
    link = address(request, "settings/history", {"file": FILE, "entry": WATCH + watch_id}) if past else address(request, "watches")
    return desk_message(request, words("watch_gone", lang, id=watch_id[:64]), more, here="watches", status=404, link=link,
                        link_text=words("cfg_versions" if past else "nav_watches", lang))


def _since(settings: Settings, days: int) -> dt.date:
    return business_date(settings.clock.now(), settings.app.zone) - dt.timedelta(days=days - 1)


def _counts(request: Request, settings: Settings, days: int) -> dict[str, int]:
    """How many stored mentions each watch caught in the last days."""
    question = Question(since=_since(settings, days))
    answer = ask(Desk(settings, console_of(request).store), "mentions", question, group=("watch",))
    return {str(row["watch"]): int(row["mentions"]) for row in answer.rows}
