"""`/account`: one's own password and API tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access import cookies, passwords
from reports.web.access.login import minutes_until
from reports.web.access.people import Person, audit, checked_form, needs
from reports.web.console import console_of
from reports.web.desk.frame import desk_page
from reports.web.pages import redirect
from reports.web.words import language_of, words
from vocwatch.store.access import lockout, logins, tokens, users
from vocwatch.store.access.users import RANK, ROLES, UserError

router = APIRouter()
Anybody = Annotated[Person, Depends(needs("reader"))]
Form = Annotated[dict[str, str], Depends(checked_form)]
DAYS = (30, 90, 180, 365)
GUESSES = 5  # of one's present password, for whoever sits at somebody else's desk


@router.api_route("/account", methods=["GET", "HEAD"])
def show(request: Request, person: Anybody) -> Response:
    """One's own access."""
    return _page(request, person)


@router.post("/account/password")
def change_password(request: Request, person: Anybody, form: Form) -> Response:
    """Change one's own password; one's other logins end."""
    console, lang = console_of(request), language_of(request)
    with console.store.begin() as connection:
        user = users.by_id(connection, person.id)
        until = lockout.admit(connection, {f"me:{user.id}": GUESSES}, console.settings.clock.now())
    try:
        if until is not None:
            raise UserError(words("login_wait", lang, minutes=minutes_until(until, console.settings.clock.now())))
        if not passwords.fits(form.get("before", ""), user.password):
            raise UserError(words("password_before_wrong", lang))
        if form.get("password", "") != form.get("again", ""):
            raise UserError(words("password_differs", lang))
        hashed = passwords.hashed(passwords.checked(form.get("password", ""), user.name))
    except UserError as error:
        return _page(request, person, problem=str(error), status=400)
    with console.store.begin(durable=True) as connection:
        keep = logins.digest_of(cookies.login_secret(request))
        users.set_password(connection, user, hashed, console.settings.clock.now(), keep=keep)
        lockout.succeeded(connection, [f"me:{user.id}"], [])
        audit(request, "change password", user.name, connection)
    return _page(request, person, told=words("password_changed", lang))


@router.post("/account/tokens")
def new_token(request: Request, person: Anybody, form: Form) -> Response:
    """Make a token; it is shown this once. A token can't make another: it has no form token."""
    console, lang = console_of(request), language_of(request)
    try:
        days = int(form.get("days", "")) if form.get("days", "").isascii() and form.get("days", "").isdigit() else 0
        with console.store.begin(durable=True) as connection:
            user = users.by_id(connection, person.id)
            number, secret = tokens.new(connection, user, form.get("label", ""), form.get("role", ""), console.settings.clock.now(), days)
            audit(request, "change token", f"{number}: {form.get('label', '')} ({form.get('role', '')})", connection)
    except UserError as error:
        return _page(request, person, problem=str(error), status=400)
    return _page(request, person, told=words("token_made", lang), code=secret)


@router.post("/account/tokens/{number}/revoke")
def revoke_token(request: Request, person: Anybody, form: Form, number: int) -> Response:
    """Make one of one's own tokens void."""
    console = console_of(request)
    try:
        with console.store.begin(durable=True) as connection:
            tokens.revoke(connection, number, console.settings.clock.now(), user_id=person.id)
            audit(request, "change token", f"{number}: revoked", connection)
    except UserError as error:
        return _page(request, person, problem=str(error), status=404)
    return redirect(request, "/account")


def _page(request: Request, person: Person, *, problem: str = "", told: str = "", code: str = "", status: int = 200) -> Response:
    console, lang = console_of(request), language_of(request)
    now, zone = console.settings.clock.now(), console.settings.app.zone
    with console.store.read() as connection:
        user = users.by_id(connection, person.id)
        found = tokens.listed(connection, person.id)
    rows = [
        {"id": one.id, "label": one.label, "role": words(f"role_{one.role}", lang), "until": f"{one.expires_at.astimezone(zone):%Y-%m-%d}",
         "used": f"{one.used_at.astimezone(zone):%Y-%m-%d %H:00}" if one.used_at else "", "good": one.revoked_at is None and one.expires_at > now}
        for one in found
    ]
    return desk_page(
        request, "account", here="account", title=words("account", lang), status=status, problem=problem, told=told, code=code, tokens=rows,
        by_password=user.password is not None, days=DAYS, role=words(f"role_{user.role}", lang),
        roles=[(role, words(f"role_{role}", lang)) for role in ROLES if RANK[role] <= RANK[user.role]],
    )
