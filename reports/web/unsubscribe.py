"""`/u/…`: unsubscribing, by RFC 8058's one click of the mail program (a POST) or by the button on the page."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.delivery import unsubscribe
from reports.links import LinkError, link_secret, read
from reports.web.access.people import public
from reports.web.forms import read_form
from reports.web.pages import console_of, message, page, refused
from reports.web.words import language_of, words
from vocwatch.store import pauses

router = APIRouter(dependencies=[Depends(public)])  # the signature says what may be done


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str) -> Response:
    """Ask; nothing is stopped yet."""
    console = console_of(request)
    now = console.settings.clock.now()
    try:
        data = read("unsubscribe", token, link_secret(console.settings.env), now=now)
    except LinkError as error:
        return refused(request, error)
    lang = language_of(request)
    to, which = str(data["to"]), str(data["list"])
    with console.store.read() as connection:
        if pauses.is_paused(connection, to, which, now):
            return _done(request, "unsubscribed_before", to, which)
    ask = words("unsubscribe_ask", lang, list=_list(which, lang), to=to)
    return page(request, "unsubscribe", words("unsubscribe", lang), ask=ask)


@router.post("/u/{token}", dependencies=[Depends(read_form)])
def stop(request: Request, token: str) -> Response:
    """Stop the list. What the body holds does not matter: the address says it all, and no cookie or redirect is used."""
    console = console_of(request)
    now = console.settings.clock.now()
    try:
        data = read("unsubscribe", token, link_secret(console.settings.env), now=now)
        with console.store.read() as connection:
            before = pauses.is_paused(connection, str(data["to"]), str(data["list"]), now)
        to, which = unsubscribe(console.settings, console.store, token, now=now)
    except LinkError as error:
        return refused(request, error)
    return _done(request, "unsubscribed_before" if before else "unsubscribed", to, which)


def _done(request: Request, key: str, to: str, which: str) -> Response:
    lang = language_of(request)
    more = words("unsubscribed_more", lang, list=_list(which, lang), to=to, raw=which)
    return message(request, key, more=more)


def _list(which: str, lang: str) -> str:
    kind, _, audience = which.partition("/")
    return words("list_alert", lang) if kind == "alert" else words("list_digest", lang, audience=audience)
