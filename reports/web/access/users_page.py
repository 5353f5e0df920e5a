"""`/users`: who may use the console; for administrators."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access import passwords
from reports.web.access.people import Person, audit, checked_form, needs
from reports.web.console import console_of
from reports.web.desk.frame import desk_page
from reports.web.pages import redirect
from reports.web.words import language_of, words
from vocwatch.store import Connection
from vocwatch.store.access import users
from vocwatch.store.access.users import ROLES, User, UserError

router = APIRouter()
Admin = Annotated[Person, Depends(needs("admin"))]
Form = Annotated[dict[str, str], Depends(checked_form)]
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


@router.api_route("/users", methods=["GET", "HEAD"])
def show(request: Request, person: Admin) -> Response:
    """Everybody, with what can be changed about them."""
    return _page(request)


@router.post("/users")
def add(request: Request, person: Admin, form: Form) -> Response:
    """Add somebody under a password that is shown this once."""
    password = _invented()
    hashed = passwords.hashed(password)
    console = console_of(request)
    try:
        with console.store.begin(durable=True) as connection:
            made = users.add(connection, form.get("name", ""), form.get("role", ""), password=hashed, now=console.settings.clock.now())
            audit(request, "change user", f"{made.name}: {made.role}", connection)
    except UserError as error:
        return _page(request, problem=str(error))
    return _page(request, told=words("user_added", language_of(request), name=made.name), code=password)


@router.post("/users/{number}/role")
def change_role(request: Request, person: Admin, form: Form, number: int) -> Response:
    """Give somebody another role."""
    role = form.get("role", "")
    return _change(request, number, role, lambda connection, user: users.set_role(connection, user, role, _now(request)))


@router.post("/users/{number}/state")
def change_state(request: Request, person: Admin, form: Form, number: int) -> Response:
    """Shut somebody out, or let them in again."""
    on = form.get("state") == "on"
    return _change(
        request, number, "on" if on else "off", lambda connection, user: users.set_enabled(connection, user, on, _now(request))
    )


@router.post("/users/{number}/password")
def change_password(request: Request, person: Admin, form: Form, number: int) -> Response:
    """Give somebody a new password, shown this once; their logins end."""
    password = _invented()
    hashed = passwords.hashed(password)
    console = console_of(request)
    try:
        with console.store.begin(durable=True) as connection:
            user = users.by_id(connection, number)
            users.set_password(connection, user, hashed, console.settings.clock.now())
            audit(request, "change user", f"{user.name}: password", connection)
    except UserError as error:
        return _page(request, problem=str(error))
    return _page(request, told=words("user_password_new", language_of(request), name=user.name), code=password)


def _now(request: Request) -> dt.datetime:
    return console_of(request).settings.clock.now()


def _change(request: Request, number: int, what: str, change: Callable[[Connection, User], None]) -> Response:
    try:
        with console_of(request).store.begin(durable=True) as connection:
            user = users.by_id(connection, number)
            change(connection, user)
            audit(request, "change user", f"{user.name}: {what}", connection)
    except UserError as error:
        return _page(request, problem=str(error))
    return redirect(request, "/users")


def _page(request: Request, problem: str = "", told: str = "", code: str = "") -> Response:
    console, lang = console_of(request), language_of(request)
    with console.store.read() as connection:
        found = users.everybody(connection)
    zone = console.settings.app.zone
    rows = [
        {"id": one.id, "name": one.name, "role": one.role, "enabled": one.enabled, "by_password": one.password is not None,
         "last": f"{one.last_login_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.last_login_at else ""}
        for one in found
    ]
    return desk_page(
        request, "users", here="users", title=words("users", lang), status=400 if problem else 200, problem=problem, told=told, code=code, rows=rows,
        roles=[(role, words(f"role_{role}", lang), words(f"role_{role}_more", lang)) for role in ROLES],
    )


def _invented() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
