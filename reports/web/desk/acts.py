"""What people do about a finding: say whether it was right, object, assign, comment, set a date, close."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, audit, needs
from reports.web.desk.frame import address, back_to, desk_message
from reports.web.desk.triage import CHANNEL, MAX_NOTE, leads_back
from reports.web.forms import read_form
from reports.web.pages import console_of
from reports.web.words import language_of, words
from vocwatch.masking import mask
from vocwatch.plain import one_line
from vocwatch.store import Connection, cases, feedback, objections
from vocwatch.store.cases import By, Case, CaseError
from vocwatch.store.feedback import CODES, DAY_MARK, INCIDENT, SPOKEN, Feedback
from vocwatch.store.objections import ObjectionError

Form = Annotated[dict[str, str], Depends(read_form)]
router = APIRouter()
_analyst = needs("analyst")
Analyst = Annotated[Person, Depends(_analyst)]


@router.post("/say")
def say(request: Request, person: Analyst, form: Form) -> Response:
    """Note a verdict on an incident's day, with the right level and a note where they are given."""
    lang, now = language_of(request), console_of(request).settings.clock.now()
    incident, _, day = form.get("subject", "").partition(DAY_MARK)
    code, level = form.get("verdict", ""), form.get("level", "")

    def do(connection: Connection) -> None:
        found = feedback.find(connection, incident, _day(day, lang))
        subject = next((s for s in found if s.kind == INCIDENT), None)
        if subject is None:
            raise CaseError(words("gone", lang))
        if code not in CODES or (level and level not in feedback.LEVELS):
            raise CaseError(words("need_verdict", lang))
        feedback.save(connection, Feedback(subject, CODES[code], person.name, CHANNEL, now, level or None, None, _note(form)))
        audit(request, "mark", f"{subject.kind} {subject.id} {CODES[code]}", connection)

    return _done(request, form, do, noted="marked", n="1", v=code)


@router.post("/object")
def contest(request: Request, person: Analyst, form: Form) -> Response:
    """Object to somebody else's word; a third person settles it."""
    def do(connection: Connection) -> None:
        number = _number(form.get("word", ""))
        objections.raise_one(connection, number, person.name, _note(form) or "", console_of(request).settings.clock.now())
        audit(request, "object", f"feedback {number}", connection)

    return _done(request, form, do)


@router.post("/settle")
def settle(request: Request, person: Analyst, form: Form) -> Response:
    """Settle an objection: who gave the word or objects to it may not."""
    lang = language_of(request)

    def do(connection: Connection) -> None:
        verdict = CODES.get(form.get("verdict", ""), "")
        if verdict not in SPOKEN:
            raise ObjectionError(words("need_verdict", lang))
        now = console_of(request).settings.clock.now()
        objections.settle(connection, _number(form.get("objection", "")), verdict, person.name, now, note=_note(form) or "")
        audit(request, "settle", f"objection {form.get('objection', '')} {verdict}"[:200], connection)

    return _done(request, form, do)


@router.post("/cases")
def take_up(request: Request, person: Analyst, form: Form) -> Response:
    """Open a case on an incident or mention (or go on with the open one), give it to somebody, set its date."""
    lang = language_of(request)

    def do(connection: Connection) -> None:
        kind, subject, title = cases.find_subject(connection, form.get("subject", ""))
        by = _by(request, person)
        owner = one_line(form.get("owner", ""), 100).strip()
        if not owner:
            raise CaseError(words("need_owner", lang))
        due = _day(form.get("due", ""), lang)
        case, new = cases.open_case(connection, kind, subject, title, by, _note(form) or "")
        if case.owner != owner:
            case = cases.assign(connection, case.id, owner, by, "" if new else _note(form) or "")
        if due and case.due_on != due:
            cases.set_due(connection, case.id, due, by)
        audit(request, "case", f"{case.id} {kind} {subject} → {owner}", connection)

    return _done(request, form, do)


@router.post("/cases/{number}/{step}")
def step(request: Request, number: int, step: str, person: Analyst, form: Form) -> Response:
    """Take the next step of a case: comment or close."""
    lang = language_of(request)

    def do(connection: Connection) -> None:
        by = _by(request, person)
        if step == "comment":
            cases.comment(connection, number, _note(form) or "", by)
        elif step == "close":
            cases.close(connection, number, cases.CODES.get(form.get("outcome", ""), form.get("outcome", "")), by, _note(form) or "")
        else:
            raise CaseError(words("not_found", lang))
        audit(request, "case", f"{number} {step}", connection)

    return _done(request, form, do)


def case_rows(connection: Connection, found: list[Case]) -> list[dict[str, Any]]:
    """Return cases with their histories, the open one first."""
    return [{"case": case, "steps": cases.history(connection, case.id)} for case in sorted(found, key=lambda c: (c.state != cases.OPEN, -c.id))]


def _done(request: Request, form: dict[str, str], do: Callable[[Connection], None], **told: str) -> Response:
    """Do it in one transaction and lead back; say why where it can't be done, with nothing written."""
    lang = language_of(request)
    path, params = leads_back(form, **told)
    try:
        with console_of(request).store.begin(durable=True) as connection:
            do(connection)
    except (CaseError, ObjectionError) as error:
        return desk_message(
            request, words("not_done", lang), str(error), status=400, bad=True, link=address(request, path, params), link_text=words("go_back", lang)
        )
    return back_to(request, path, params)


def _by(request: Request, person: Person) -> By:
    return By(person.name, CHANNEL, console_of(request).settings.clock.now())


def _note(form: dict[str, str]) -> str | None:
    return mask(form.get("note", "")[:MAX_NOTE]).strip() or None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1


def _day(text: str, lang: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise CaseError(words("bad_date", lang, value=one_line(text, 20))) from error
