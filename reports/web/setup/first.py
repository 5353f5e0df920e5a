"""`/setup`: the first administrator, let in by a link that only whoever starts the console sees."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access import cookies, passwords
from reports.web.access.login import let_in
from reports.web.access.people import public, stranger_form
from reports.web.console import console_of
from reports.web.pages import message, page, redirect
from reports.web.words import language_of, words
from vocwatch.store.access import users
from vocwatch.store.access.users import UserError

HOLDS = dt.timedelta(minutes=10)
router = APIRouter(dependencies=[Depends(public)])


@dataclass(frozen=True)
class SetupKey:
    """What the link of the first run holds; another at each start, and void as soon as there is anybody."""

    secret: str
    until: dt.datetime


def renew(app: FastAPI) -> SetupKey:
    """Give the console a new key for its first run."""
    app.state.setup_key = SetupKey(secrets.token_urlsafe(24), app.state.console.settings.clock.now() + HOLDS)
    made: SetupKey = app.state.setup_key
    return made


def first_path(app: FastAPI) -> str:
    """Return the path of the first run's link, with a new key; empty where somebody is there already."""
    with app.state.console.store.read() as connection:
        if not users.is_empty(connection):
            return ""
    return f"/setup?key={renew(app).secret}"


@router.api_route("/setup", methods=["GET", "HEAD"])
def show(request: Request, key: str = "") -> Response:
    """Ask for the first administrator's name and password."""
    refused = _refusal(request, key)
    return refused or _page(request, key)


@router.post("/setup")
def make(request: Request, form: Annotated[dict[str, str], Depends(stranger_form)]) -> Response:
    """Add the first administrator and log them in; the link is void from then on."""
    console, key, lang = console_of(request), form.get("key", ""), language_of(request)
    refused = _refusal(request, key)
    if refused:
        return refused
    try:
        name = users.checked_name(form.get("name", ""))
        if form.get("password", "") != form.get("again", ""):
            raise UserError(words("password_differs", lang))
        hashed = passwords.hashed(passwords.checked(form.get("password", ""), name))
    except UserError as error:
        return _page(request, key, str(error), form.get("name", ""))
    try:
        with console.store.begin(durable=True) as connection:
            user = users.add_first(connection, name, password=hashed, now=console.settings.clock.now())
            return let_in(request, connection, user, "setup", "/setup/brand")
    except UserError:
        return redirect(request, "/login")


def _refusal(request: Request, key: str) -> Response | None:
    console = console_of(request)
    with console.store.read() as connection:
        if not users.is_empty(connection):
            return redirect(request, "/login")
    known: SetupKey | None = getattr(request.app.state, "setup_key", None)
    good = known is not None and hmac.compare_digest(key.encode("utf-8", "replace"), known.secret.encode())
    if known is None or not good or console.settings.clock.now() >= known.until:
        return message(request, "setup_key", 403)
    return None


def _page(request: Request, key: str, problem: str = "", name: str = "") -> Response:
    cookies.begin_form(request)
    answer = page(request, "setup", words("setup", language_of(request)), 400 if problem else 200, problem=problem, key=key, name=name)
    cookies.keep_form(request, answer)
    return answer
