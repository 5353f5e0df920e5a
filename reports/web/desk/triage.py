"""Marking findings: one or many at once, by key or by form, and taking the mark back. Marks never change a judgement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, audit, needs, person_of
from reports.web.desk.frame import back_to, desk_page
from reports.web.forms import read_fields, read_form
from reports.web.pages import console_of
from reports.web.words import language_of, words
from vocwatch.masking import mask
from vocwatch.models import TextKind
from vocwatch.store import Connection, feedback, marks
from vocwatch.store.feedback import CODES, Feedback

KEYS = ("right", "false", "repeat", "handed", "done")
"""The marks in the order of their keys, 1 to 5."""
UNDO = dt.timedelta(hours=1)
CHANNEL = "console"
MAX_BULK = 200
MAX_NOTE = 500
_BACK = ("mentions", "incidents", "sessions", "topics")
router = APIRouter()
_analyst = needs("analyst")


def marks_of(request: Request, kind: TextKind, ids: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Return for each subject that somebody marked its newest word, as the macro `triage` shows it."""
    console, person = console_of(request), person_of(request)
    now, zone = console.settings.clock.now(), console.settings.app.zone
    with console.store.read() as connection:
        found = marks.of_subjects(connection, kind.value, [str(each) for each in ids])
    return {key: _shown(rows[0], person, now, zone) for key, rows in found.items()}


def _shown(row: dict[str, Any], person: Person | None, now: dt.datetime, zone: dt.tzinfo) -> dict[str, Any]:
    mine = person is not None and row["who"] == person.name and row["at"] >= now - UNDO
    return {"id": row["id"], "verdict": row["verdict"], "who": row["who"], "at": f"{row['at'].astimezone(zone):%m-%d %H:%M}", "undo": mine}


def noted(request: Request) -> str:
    """Return what was just done, as the address after a change says (`noted`, `n`, `v`); empty for none."""
    lang, params = language_of(request), request.query_params
    verdict = params.get("v", "")
    said = words(verdict, lang) if verdict in CODES else ""
    if params.get("noted") == "marked" and said:
        number = params.get("n", "1")
        return words("marked_bulk", lang, n=number if number.isascii() and number.isdigit() and len(number) < 5 else "?", verdict=said)
    if params.get("noted") == "undone" and said:
        return words("undone", lang, verdict=said)
    if params.get("noted") in ("undo_gone", "mark_none"):
        return words(str(params["noted"]), lang, **({"hours": int(UNDO.total_seconds() // 3600)} if params["noted"] == "undo_gone" else {}))
    return ""


@router.post("/marks/{kind}/{number}")
def mark(
    request: Request, kind: str, number: int, person: Annotated[Person, Depends(_analyst)],
    form: Annotated[dict[str, str], Depends(read_form)],
) -> Response:
    """Note a verdict on one mention or session."""
    code = form.get("verdict", "")
    if kind not in (TextKind.MENTION.value, TextKind.SESSION.value) or code not in CODES:
        return back_to(request, *leads_back(form, noted="mark_none"))
    console = console_of(request)
    with console.store.begin(durable=True) as connection:
        done = _note(console.settings.clock.now(), connection, kind, [number], code, person, form.get("note", ""))
        if done:
            audit(request, "mark", f"{kind} {number} {CODES[code]}", connection)
    return _answer(request, kind, number, form, noted="marked", n=str(done), v=code)


@router.post("/marks/{kind}")
def mark_many(
    request: Request, kind: str, person: Annotated[Person, Depends(_analyst)], fields: Annotated[list[tuple[str, str]], Depends(read_fields)],
) -> Response:
    """Note the same verdict on every chosen row."""
    form = dict(reversed(fields))
    code = form.get("verdict", "")
    ids = [int(value) for name, value in fields if name == "id" and value.isascii() and value.isdigit() and len(value) < 18][:MAX_BULK]
    if kind not in (TextKind.MENTION.value, TextKind.SESSION.value) or code not in CODES or not ids:
        return back_to(request, *leads_back(form, noted="mark_none"))
    console = console_of(request)
    with console.store.begin(durable=True) as connection:
        done = _note(console.settings.clock.now(), connection, kind, ids, code, person, "")
        audit(request, "mark", f"{kind} {','.join(map(str, ids))} {CODES[code]}"[:500], connection)
    return back_to(request, *leads_back(form, noted="marked", n=str(done), v=code))


@router.post("/unmark/{kind}/{number}/{word}")
def unmark(
    request: Request, kind: str, number: int, word: int, person: Annotated[Person, Depends(_analyst)],
    form: Annotated[dict[str, str], Depends(read_form)],
) -> Response:
    """Take one's own newest word back, within the hour."""
    console = console_of(request)
    with console.store.begin(durable=True) as connection:
        gone = marks.withdraw(connection, word, person.name, console.settings.clock.now() - UNDO)
        if gone is not None:
            audit(request, "unmark", f"{gone['subject_kind']} {gone['subject_id']} {gone['verdict']}", connection)
    if gone is None:
        return _answer(request, kind, number, form, noted="undo_gone")
    code = next((code for code, verdict in CODES.items() if verdict == gone["verdict"]), "")
    return _answer(request, kind, number, form, noted="undone", v=code)


def _note(
    now: dt.datetime, connection: Connection, kind: str, ids: Sequence[int], code: str, person: Person, note: str
) -> int:
    """Write the words; those on what is not there (any more) are left out. Returns how many were written."""
    done = 0
    for subject in marks.subjects(connection, kind, ids):
        told = mask(note[:MAX_NOTE]).strip() or None
        feedback.save(connection, Feedback(subject, CODES[code], person.name, CHANNEL, now, None, None, told))
        done += 1
    return done


def leads_back(form: dict[str, str], **noted: str) -> tuple[str, list[tuple[str, str]]]:
    """Return where a form leads back to: a page of the desk, never elsewhere."""
    path, _, query = form.get("back", "").partition("?")
    known = path.split("/")[0] in _BACK and all(c.isalnum() or c in "/-_" for c in path)
    pairs = parse_qsl(query)[:60] if known else []
    return (path if known else "mentions"), [p for p in pairs if p[0] not in ("noted", "n", "v")] + list(noted.items())


def _answer(request: Request, kind: str, number: int, form: dict[str, str], **told: str) -> Response:
    """For htmx the marks of the row; else the page that the form stood on."""
    if request.headers.get("hx-request") != "true" or request.headers.get("hx-boosted") == "true":
        return back_to(request, *leads_back(form, **told))
    found = marks_of(request, TextKind(kind), [number]) if kind in (TextKind.MENTION.value, TextKind.SESSION.value) else {}
    return desk_page(
        request, "triage", here="mentions", title=words("mark_word", language_of(request)), kind=kind, number=number,
        mark=found.get(str(number)), back=form.get("back", ""), problem=words("undo_gone", language_of(request), hours=1) if told["noted"] == "undo_gone" else "",
    )
