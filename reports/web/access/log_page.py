"""`/audit`: who logged in, saw sensitive rows, exported, changed; for administrators."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, log_key, needs
from reports.web.console import console_of
from reports.web.desk.frame import desk_page
from reports.web.words import WORDS, language_of, words
from vocwatch.store.access import log

router = APIRouter()
_PAGE = 100


@router.api_route("/audit", methods=["GET", "HEAD"])
def show(request: Request, person: Annotated[Person, Depends(needs("admin"))], who: str = "", what: str = "", before: str = "") -> Response:
    """The newest entries first, and whether the chain holds."""
    console, lang = console_of(request), language_of(request)
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else 0
    with console.store.read() as connection:
        found = log.entries(connection, who=who[:100], what=what[:40], limit=_PAGE + 1, before=number)
        checked = log.verify(connection, log_key(console.settings.env))
        kinds = log.kinds(connection)
    zone = console.settings.app.zone
    rows = [
        {"at": f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", "who": one.who, "via": one.via, "what": named(one.what, lang), "subject": one.subject}
        for one in found[:_PAGE]
    ]
    more = urlencode({"who": who, "what": what, "before": found[_PAGE - 1].id}) if len(found) > _PAGE else ""
    state = words("log_whole", lang, rows=checked.rows) if checked.broken is None else words("log_broken", lang, id=checked.broken.id)
    return desk_page(
        request, "audit", here="users", title=words("log", lang), problem="" if checked.broken is None else state, state=state, rows=rows, who=who,
        what=what, kinds=[(kind, named(kind, lang)) for kind in kinds], older=more,
    )


def named(what: str, lang: str) -> str:
    """Return what was done, in words."""
    key = f"log_{what}"
    return words(key, lang) if key in WORDS else what
