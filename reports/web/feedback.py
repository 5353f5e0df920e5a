"""`/f/…`: what the reader of a digest says of one risk. Opening the link changes nothing; sending the form does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.links import LinkError, link_secret, read
from reports.web.access.people import public
from reports.web.forms import read_form
from reports.web.pages import Console, console_of, message, page, refused
from reports.web.words import language_of, words
from vocwatch.masking import mask
from vocwatch.plain import one_line
from vocwatch.store import Connection, cases, feedback, objections
from vocwatch.store.cases import By, CaseError
from vocwatch.store.feedback import CODES, DAY_MARK, HANDED_ON, SPOKEN, Feedback, Subject
from vocwatch.store.objections import ObjectionError

CHANNEL = "mail"
CHOICES = ("right", "wrong", "false", "repeat", "handed", "done")
MAX_NOTE = 500
router = APIRouter(dependencies=[Depends(public)])  # the signature says what may be done


@dataclass(frozen=True)
class _Shown:
    """A subject as its page shows it."""

    title: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class _Asked:
    """Whom a link was made for, and of what."""

    who: str
    incident: str
    day: dt.date


def _asked(request: Request, console: Console, token: str) -> _Asked:
    data = read("feedback", token, link_secret(console.settings.env), now=console.settings.clock.now())
    incident, _, day = str(data["s"]).partition(DAY_MARK)
    return _Asked(one_line(data["to"], 100), incident, dt.date.fromisoformat(day))


@router.api_route("/f/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str) -> Response:
    """Show the risk and ask; nothing is noted yet: programs that look after mails open every link."""
    console = console_of(request)
    try:
        asked = _asked(request, console, token)
    except LinkError as error:
        return refused(request, error)
    with console.store.read() as connection:
        return _form(request, console, connection, asked)


@router.post("/f/{token}")
def take(request: Request, token: str, form: Annotated[dict[str, str], Depends(read_form)]) -> Response:
    """Note what was said, or an objection to what somebody else said."""
    console = console_of(request)
    try:
        asked = _asked(request, console, token)
    except LinkError as error:
        return refused(request, error)
    with console.store.begin(durable=True) as connection:
        found = feedback.find(connection, asked.incident, asked.day)
        if not found:
            return message(request, "gone", 404)
        if form.get("object"):
            return _object(request, console, connection, asked, found[0], form)
        return _note(request, console, connection, asked, found[0], form)


def _form(
    request: Request, console: Console, connection: Connection, asked: _Asked, problem: str = "", status: int = 200
) -> Response:
    lang = language_of(request)
    found = feedback.find(connection, asked.incident, asked.day)
    if not found:
        return message(request, "gone", 404)
    subject = found[0]
    said = feedback.rows(connection, subject=(subject.kind, subject.id))
    shown = _Shown(_title(connection, asked), _facts(subject, lang))
    return page(
        request, "feedback", words("feedback", lang), status, problem=problem, subject=shown, who=asked.who,
        chosen=request.query_params.get("v", ""), choices=[(code, words(code, lang)) for code in CHOICES],
        levels=[(level, words(level, lang)) for level in feedback.LEVELS[:-1]] + [(feedback.LEVELS[-1], words("level_none", lang))],
        mine=[_word(console, row, lang) for row in said if row["who"] == asked.who],
        others=[_word(console, row, lang) for row in said if row["who"] != asked.who],
    )


def _title(connection: Connection, asked: _Asked) -> str:
    try:
        return cases.find_subject(connection, asked.incident)[2]
    except CaseError:
        return asked.incident


def _facts(subject: Subject, lang: str) -> list[tuple[str, str]]:
    judged = subject.judged
    level = str(judged.get("level", ""))
    named = {
        "level": words(level, lang) if level in ("红", "橙", "黄", "蓝") else level, "score": f"{judged.get('score', 0):g}",
        "topic": str(judged.get("topic") or ""), "product": str(judged.get("product") or ""),
        "date": str(judged.get("day", "")), "incident": subject.id.partition(DAY_MARK)[0],
    }
    return [(words(name, lang), value) for name, value in named.items() if value]


def _word(console: Console, row: dict[str, Any], lang: str) -> dict[str, Any]:
    code = next((code for code, verdict in CODES.items() if verdict == row["verdict"]), "")
    at = row["at"].astimezone(console.settings.app.zone)
    return {
        "id": row["id"], "verdict": words(code, lang) if code else row["verdict"], "who": row["who"], "note": row["note"],
        "at": f"{at:%m-%d %H:%M}", "disputed": row["objection"] == objections.OPEN, "can_object": row["verdict"] in SPOKEN,
    }


def _note(
    request: Request, console: Console, connection: Connection, asked: _Asked, subject: Subject, form: dict[str, str]
) -> Response:
    lang, now = language_of(request), console.settings.clock.now()
    code, level = form.get("verdict", ""), form.get("level", "")
    if code not in CHOICES or (level and level not in feedback.LEVELS):
        return _form(request, console, connection, asked, words("need_verdict", lang), 400)
    verdict, note = CODES[code], mask(form.get("note", "")[:MAX_NOTE]).strip()
    owner = one_line(form.get("owner", ""), 100).strip() if verdict == HANDED_ON else ""
    before = [
        row for row in feedback.rows(connection, subject=(subject.kind, subject.id))
        if row["who"] == asked.who and row["verdict"] == verdict
    ]
    if before and not (note or level or owner):
        at = before[0]["at"].astimezone(console.settings.app.zone)
        return message(request, "noted_before", more=words("change_mind", lang), verdict=words(code, lang), at=f"{at:%m-%d %H:%M}")
    feedback.save(connection, Feedback(subject, verdict, asked.who, CHANNEL, now, level or None, None, note or None))
    said = words("noted", lang, verdict=words(code, lang))
    extra = _hand_on(console, connection, asked, owner, lang) if owner else ""
    return page(request, "page", said, more=words("noted_more", lang), extra=extra)


def _hand_on(console: Console, connection: Connection, asked: _Asked, owner: str, lang: str) -> str:
    """Open a case for the incident, and give it to whom the reader named."""
    by = By(asked.who, CHANNEL, console.settings.clock.now())
    kind, name, title = cases.find_subject(connection, asked.incident)
    case, _ = cases.open_case(connection, kind, name, title, by)
    if case.owner != owner:
        cases.assign(connection, case.id, owner, by)
    return words("case_made", lang, case=case.id, owner=owner)


def _object(
    request: Request, console: Console, connection: Connection, asked: _Asked, subject: Subject, form: dict[str, str]
) -> Response:
    said = {str(row["id"]) for row in feedback.rows(connection, subject=(subject.kind, subject.id))}
    if form["object"] not in said:  # a link speaks of its own risk only
        return message(request, "forged", 403)
    reason = mask(form.get("note", "")[:MAX_NOTE]).strip()
    try:
        objections.raise_one(connection, int(form["object"]), asked.who, reason, console.settings.clock.now())
    except ObjectionError as error:
        return _form(request, console, connection, asked, str(error), 400)
    return message(request, "objected")
