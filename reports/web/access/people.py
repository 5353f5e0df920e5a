"""Who asks, and whether they may. Every route says `needs(role)` or `public`; the application refuses to start else."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from reports.web.access import cookies
from reports.web.console import Console, console_of
from reports.web.forms import MAX_BODY, read_form
from vocwatch.pseudonym import load_key
from vocwatch.settings import Environment
from vocwatch.store import Connection
from vocwatch.store.access import log, logins, tokens
from vocwatch.store.access.logins import Terms
from vocwatch.store.access.users import RANK, ROLES

__all__ = ["ROLES", "Forbidden", "Needs", "NeedsLogin", "Person", "Unsafe", "audit", "checked_form", "needs", "person_of", "public"]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOUCH = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a person of the console, by a login (`via` password, oidc, setup) or by one of their API tokens."""

    id: int
    name: str
    role: str
    via: str
    by_token: bool = False

    def may(self, role: str) -> bool:
        """Whether this person may what needs that role."""
        return RANK[self.role] >= RANK[role]


class NeedsLogin(Exception):
    """Nobody is logged in, or the token is not (any more) good."""


class Forbidden(Exception):
    """Whoever asks is not allowed to; `role` is what it takes."""

    def __init__(self, role: str):
        super().__init__(role)
        self.role = role


class Unsafe(Exception):
    """A change that did not come from one of our own pages (CSRF)."""


def public() -> None:
    """Declare a route that needs no login: signed links, logging in, static files, health."""


class Needs:
    """The dependency of a route that takes a login of at least a role; changes need the login's own form token too."""

    def __init__(self, role: str, form_bytes: int):
        self.role, self._form_bytes = role, form_bytes
        assert role in RANK

    async def __call__(self, request: Request) -> Person:
        """Return who asks. Raises NeedsLogin, Forbidden, Unsafe."""
        person = await run_in_threadpool(person_of, request)
        if person is None:
            raise NeedsLogin
        if not person.may(self.role):
            raise Forbidden(self.role)
        if request.method not in SAFE and not person.by_token:
            await _check_csrf(request, self._form_bytes)
        return person


def needs(role: str, *, form_bytes: int = MAX_BODY) -> Needs:
    """Return the dependency `Depends(needs("analyst"))`: it gives the Person, or answers with the login page or 403.

    Changes (POST, PUT, PATCH, DELETE) by a login are checked for CSRF here, so no route can forget it: the token stands
    in the form as `_csrf` (`form_bytes` bounds how much is read for it) or in the header X-CSRF-Token.
    """
    return Needs(role, form_bytes)


def person_of(request: Request) -> Person | None:
    """Return who asks, None for nobody. Looked up once a request; call it outside of the event loop."""
    if not hasattr(request.state, "person"):
        request.state.person = _look_up(request)
    found: Person | None = request.state.person
    return found


def terms_of(console: Console) -> Terms:
    """Return how long logins hold by the configuration."""
    rules = console.settings.app.console
    return Terms(dt.timedelta(minutes=rules.idle_minutes), dt.timedelta(hours=rules.session_hours))


def _look_up(request: Request) -> Person | None:
    console = console_of(request)
    now = console.settings.clock.now()
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":  # a token that is wrong is not made good by a cookie
        return _by_token(console, secret.strip(), now)
    secret = cookies.login_secret(request)
    if not secret:
        return None
    with console.store.read() as connection:
        found = logins.find(connection, secret, now, terms_of(console))
    if found is None:
        return None
    if now - found.seen_at >= min(_TOUCH, terms_of(console).idle / 4):
        with console.store.begin() as connection:
            logins.touch(connection, found, now)
    return Person(found.user_id, found.name, found.role, found.via)


def _by_token(console: Console, secret: str, now: dt.datetime) -> Person | None:
    with console.store.read() as connection:
        found = tokens.find(connection, secret, now)
    if found is None:
        return None
    if tokens.stale(found, now):
        with console.store.begin() as connection:
            tokens.touch(connection, found, now)
    return Person(found.user_id, found.name, found.role, f"token {found.label}", by_token=True)


async def _check_csrf(request: Request, limit: int = MAX_BODY) -> None:
    expected = cookies.csrf_of(request)
    given = request.headers.get("x-csrf-token") or (await read_form(request, limit)).get("_csrf", "")
    if not expected or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Unsafe


async def checked_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that came from one of our own pages. Raises Unsafe, FormError."""
    await _check_csrf(request)
    return await read_form(request)


async def stranger_form(request: Request) -> dict[str, str]:
    """Return the fields of a form of a page that needs no login. Raises Unsafe, FormError."""
    cookies.take_form(request)
    return await checked_form(request)


async def own_form(request: Request) -> bool:
    """Whether a form carries the token of whoever is logged in: what a public route asks before it believes a login."""
    try:
        await _check_csrf(request)
    except Unsafe:
        return False
    return True


def log_key(env: Environment) -> bytes:
    """Return the key of the log's chain: derived from the installation's secret, which is not in the database."""
    return hmac.digest(load_key(env), b"vocwatch access log", "sha256")


def audit(request: Request, what: str, subject: str, connection: Connection | None = None) -> None:
    """Log what the person who asks does: `what` in a word (view, export, change …), `subject` an id, a question, a name.

    Within `connection`'s transaction where one is given, else in one of its own, before anything is shown.
    """
    person = person_of(request)
    assert person is not None
    note(console_of(request), person.name, person.via, what, subject, connection)


def note(console: Console, who: str, via: str, what: str, subject: str, connection: Connection | None = None) -> None:
    """Log what somebody does who is not, or not yet, logged in."""
    now, key = console.settings.clock.now(), log_key(console.settings.env)
    if connection is not None:
        log.add(connection, who, via, what, subject, now, key)
        return
    with console.store.begin() as own:
        log.add(own, who, via, what, subject, now, key)


def declared(app: FastAPI) -> Iterator[tuple[str, frozenset[str], str]]:
    """Yield (path, methods, "public" or the least role) of every route. Raises RuntimeError for one that says neither."""
    return declared_of(app.routes)


def declared_of(routes: Iterable[Any]) -> Iterator[tuple[str, frozenset[str], str]]:
    """The same of some routes."""
    for route in _routes(routes):
        calls = [part.call for part in route.dependant.dependencies]
        roles = [call.role for call in calls if isinstance(call, Needs)]
        if not roles and public not in calls:
            raise RuntimeError(f"{route.path}: needs(role) or public")
        yield route.path, frozenset(route.methods or ()), max(roles, key=RANK.__getitem__) if roles else "public"


def _routes(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from _routes(route.original_router.routes)
        else:
            raise RuntimeError(f"{route!r}: not a route that can say who may use it")
