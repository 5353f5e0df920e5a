"""`/a/…`: a red-line alert is acknowledged or silenced from the message that told it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.alerting.notify import standing
from reports.links import LinkError, link_secret, read
from reports.web.access.people import own_form, person_of, public
from reports.web.forms import read_form
from reports.web.pages import Console, console_of, message, page, refused
from reports.web.words import language_of, words
from vocwatch.masking import mask
from vocwatch.plain import one_line
from vocwatch.store import Connection, alarms
from vocwatch.store.alarms import Silence, Standing

SPANS = (1, 2, 4, 8, 24, 72, 168)  # hours; the command line takes any up to 30 days
MAX_NOTE = 500
router = APIRouter(dependencies=[Depends(public)])  # the signature says what may be done


@router.api_route("/a/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str) -> Response:
    """Show the alert and what can be done; nothing is done yet."""
    console = console_of(request)
    try:
        incident = _incident(console, token)
    except LinkError as error:
        return refused(request, error)
    with console.store.read() as connection:
        one = _standing(console, connection, incident)
        return _form(request, console, connection, one) if one else message(request, "not_standing")


@router.post("/a/{token}")
def act(
    request: Request, token: str, form: Annotated[dict[str, str], Depends(read_form)], own: Annotated[bool, Depends(own_form)],
) -> Response:
    """Acknowledge, or silence for a while: in the name of whoever is logged in, else in the name that they write."""
    console = console_of(request)
    try:
        incident = _incident(console, token)
    except LinkError as error:
        return refused(request, error)
    with console.store.begin(durable=True) as connection:
        one = _standing(console, connection, incident)
        if one is None:
            return message(request, "not_standing")
        person = person_of(request) if own else None
        who = person.name if person else one_line(form.get("who", ""), 100).strip()
        if not who:
            return _form(request, console, connection, one, "need_name")
        if form.get("do") == "silence":
            return _silence(request, console, connection, one, who, form)
        return _acknowledge(request, console, connection, one, who, form)


def _incident(console: Console, token: str) -> str:
    data = read("alert", token, link_secret(console.settings.env), now=console.settings.clock.now())
    return str(data["incident"])


def _standing(console: Console, connection: Connection, incident: str) -> Standing | None:
    found = standing(console.settings, connection, console.settings.clock.now())
    return next((one for one in found if one.incident == incident), None)


def _silences(console: Console, connection: Connection, one: Standing) -> list[Silence]:
    now = console.settings.clock.now()
    return [silence for silence in alarms.all_silences(connection, now) if silence.covers(one, now)]


def _form(
    request: Request, console: Console, connection: Connection, one: Standing, problem: str = ""
) -> Response:
    lang = language_of(request)
    person_of(request)  # for the form: who is logged in need not write a name
    held = [
        words("silenced_by", lang, id=silence.id, who=silence.who, reason=silence.reason, at=_at(console, silence.expires_at))
        for silence in _silences(console, connection, one)
    ]
    acked = _acked(console, one, lang)
    return page(
        request, "alert", words("alarm", lang), 400 if problem else 200, problem=words(problem, lang) if problem else "",
        subject={"title": one.title, "facts": _facts(console, one, lang)}, held=([acked] if acked else []) + held,
        can_ack=one.told is not None and not acked, not_told=one.told is None,
        silence_more=words("silence_more", lang, level=words(one.level, lang)),
        spans=[(hours, words("days", lang, n=hours // 24) if hours >= 24 else words("hours", lang, n=hours)) for hours in SPANS],
    )


def _facts(console: Console, one: Standing, lang: str) -> list[tuple[str, str]]:
    named = {
        "level": words(one.level, lang), "topic": one.topic, "product": one.product or "", "owner": one.owner,
        "voices": str(one.authors), "raised": _at(console, one.raised_at),
        "told_last": _at(console, one.told.told_at) if one.told else "", "incident": one.incident,
    }
    return [(words(name, lang), value) for name, value in named.items() if value]


def _acked(console: Console, one: Standing, lang: str) -> str:
    told = one.told
    if told is None or told.acked_at is None or told.acked_level != told.level:
        return ""
    return words("acked_by", lang, who=told.acked_by, at=_at(console, told.acked_at))


def _at(console: Console, moment: dt.datetime) -> str:
    return f"{moment.astimezone(console.settings.app.zone):%m-%d %H:%M}"


def _acknowledge(
    request: Request, console: Console, connection: Connection, one: Standing, who: str, form: dict[str, str]
) -> Response:
    lang = language_of(request)
    note = mask(form.get("note", "")[:MAX_NOTE]).strip()
    if not alarms.acknowledge(connection, one.incident, who=who, now=console.settings.clock.now(), note=note):
        return message(request, "not_told", more="")
    after = _standing(console, connection, one.incident)
    return message(request, "acked", more=_acked(console, after, lang) if after else "")


def _silence(
    request: Request, console: Console, connection: Connection, one: Standing, who: str, form: dict[str, str]
) -> Response:
    lang, now = language_of(request), console.settings.clock.now()
    reason = mask(form.get("reason", "")[:300]).strip()
    if not reason:
        return _form(request, console, connection, one, "need_reason")
    if form.get("hours") not in {str(hours) for hours in SPANS}:
        return _form(request, console, connection, one, "need_hours")
    expires = now + dt.timedelta(hours=int(form["hours"]))
    longest = max((silence.expires_at for silence in _silences(console, connection, one)), default=now)
    if longest < expires:  # the same form sent twice makes one silence
        alarms.silence(
            connection, reason=reason, who=who, level=one.level, now=now, expires_at=expires, incident=one.incident
        )
        longest = expires
    more = words("silence_more", lang, level=words(one.level, lang))
    return message(request, "silenced", more=more, at=_at(console, longest))
