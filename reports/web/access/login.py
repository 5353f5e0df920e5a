"""`/login`, `/logout`: coming and going."""

from __future__ import annotations

import datetime as dt
import hmac
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access import cookies, oidc_offer, passwords
from reports.web.access.people import Needs, log_key, needs, note, public, stranger_form, terms_of
from reports.web.console import Console, console_of
from reports.web.pages import page, redirect
from reports.web.words import language_of, words
from vocwatch.store import Connection
from vocwatch.store.access import lockout, log, logins, users
from vocwatch.store.access.users import User

NAME_AND_ADDRESS, NAME, ADDRESS, DEVICE = 5, 20, 40, 10
"""How many attempts without success in an hour are free."""
_LOOPBACK = ("127.", "::1")
router = APIRouter()
_reader: Needs = needs("reader")


@router.api_route("/login", methods=["GET", "HEAD"], dependencies=[Depends(public)])
def show(request: Request, next: str = "/") -> Response:
    """Ask for name and password."""
    return login_page(request, next)


def login_page(request: Request, target: str, problem: str = "", status: int = 200, name: str = "") -> Response:
    """Return the page that asks for name and password, and leads to `target` afterwards."""
    cookies.begin_form(request)
    console = console_of(request)
    with console.store.read() as connection:
        empty = users.is_empty(connection)
    answer = page(
        request, "login", words("login", language_of(request)), status, problem=problem, target=own_path(target), name=name,
        nobody=empty, oidc=oidc_offer.label(console.settings),
    )
    cookies.keep_form(request, answer)
    return answer


def own_path(target: str) -> str:
    """Return the address of a page of this console; its first page for anything else."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) and len(target) < 2000 else "/"


@router.post("/login", dependencies=[Depends(public)])
def enter(request: Request, form: Annotated[dict[str, str], Depends(stranger_form)]) -> Response:
    """Log in, under a new secret; or say no, in the same words and time whatever was wrong."""
    console = console_of(request)
    lang, now = language_of(request), console.settings.clock.now()
    name, target = form.get("name", ""), form.get("next", "/")
    with console.store.read() as connection:
        user = users.find(connection, name)
    limits = _limits(request, console, name, user)
    with console.store.begin() as connection:
        until = lockout.admit(connection, limits, now)
    if until is not None:
        answer = login_page(request, target, words("login_wait", lang, minutes=minutes_until(until, now)), 429, name)
        answer.headers["Retry-After"] = str(max(1, int((until - now).total_seconds())))
        return answer
    good = passwords.fits(form.get("password", ""), user.password if user else None)
    if user is None or not good or not user.enabled:
        # A name that nobody has may be a password in the wrong field: it is not written down.
        note(console, user.name if user else "?", "password", "login refused", _address(request))
        return login_page(request, target, words("login_wrong", lang), 401, name)
    with console.store.begin(durable=True) as connection:
        keys = list(limits)
        lockout.succeeded(connection, keys[:1] + keys[2:], keys[1:2])
        return let_in(request, connection, user, "password", target)


def let_in(request: Request, connection: Connection, user: User, via: str, target: str) -> Response:
    """Begin a login and send the browser on. Whatever login it had before ends: nobody can plant one on somebody else."""
    console = console_of(request)
    now = console.settings.clock.now()
    before = cookies.login_secret(request)
    if before:
        logins.end(connection, before)
    secret = logins.begin(connection, user.id, via, now, terms_of(console))
    users.logged_in(connection, user, now)
    log.add(connection, user.name, via, "login", _address(request), now, log_key(console.settings.env))
    answer = redirect(request, own_path(target))
    cookies.put(request, answer, cookies.LOGIN, secret)
    cookies.drop(request, answer, cookies.FORM)
    cookies.know(request, answer, user.id)
    return answer


@router.post("/logout", dependencies=[Depends(_reader)])
def leave(request: Request) -> Response:
    """Log out: the login is gone on the server, not only in the browser."""
    with console_of(request).store.begin(durable=True) as connection:
        logins.end(connection, cookies.login_secret(request))
    answer = redirect(request, "/login")
    cookies.drop(request, answer, cookies.LOGIN)
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _limits(request: Request, console: Console, name: str, user: User | None) -> dict[str, int]:
    """What an attempt counts under, the pair first, then the address: see `lockout`."""
    address, secret = _address(request), log_key(console.settings.env)
    plain = users.folded(name)
    device = cookies.known_device(request, user.id) if user else ""

    def key(kind: str, *parts: str) -> str:
        whole = "\0".join((kind, *parts)).encode("utf-8", "replace")
        return f"{kind}:{hmac.digest(secret, whole, 'sha256').hex()[:60]}"

    if device:
        return {key("device", device): DEVICE, key("from", address): 10**9}
    # Loopback may be a proxy that stands for everybody: it is no address to block.
    free = 10**9 if address.startswith(_LOOPBACK) else ADDRESS
    return {key("pair", plain, address): NAME_AND_ADDRESS, key("from", address): free, key("name", plain): NAME}


def minutes_until(until: dt.datetime, now: dt.datetime) -> int:
    """Return how many minutes are left, at least one."""
    return max(1, -(-int((until - now).total_seconds()) // 60))
