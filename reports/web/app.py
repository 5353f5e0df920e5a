"""The console as an application: its routes, and pages for everything that can go wrong."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reports.desk.ask import QuestionError
from reports.web import alert, assets, feedback, unsubscribe
from reports.web.access import parts as access
from reports.web.access.people import Forbidden, NeedsLogin, Unsafe, declared, person_of, public
from reports.web.api import parts as api
from reports.web.api.problems import Invalid, NotThere, absent, either, misasked, told, unread
from reports.web.desk import parts as desk
from reports.web.forms import FormError
from reports.web.pages import HEADERS, Console, message, redirect
from reports.web.setup import parts as setup
from reports.web.tools import MakeTools
from reports.web.words import language_of, words
from vocwatch.lang import speak
from vocwatch.settings import Settings
from vocwatch.store import StorageError, Store

PARTS = (
    feedback, alert, unsubscribe, assets,
    *access.PARTS,
    *api.PARTS,
    *setup.PARTS,
    *desk.PARTS,
)
"""The modules whose `router` makes the console."""
_READ = ["GET", "HEAD"]


def make_app(settings: Settings, store: Store, tools: MakeTools | None = None) -> FastAPI:
    """Return the console over a store. What needs no login says so; what a signed link may do is what its signature says.

    `tools` makes what the console uses of other stages; without them no rule is tried and no source tested.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, dependencies=[Depends(_speak)])
    app.state.console = Console(settings, store)
    app.state.tools = tools(store) if tools else None
    for part in PARTS:
        app.include_router(part.router)
    app.add_api_route("/healthz", _health, methods=_READ, dependencies=[Depends(public)])
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(_Headers)
    list(declared(app))
    return app


class _Headers:
    """Puts the headers of `pages.HEADERS` on every answer, where it does not say otherwise itself."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


async def _speak(request: Request) -> None:
    """Let what is told below the pages (errors of a question, what was counted) be told in the reader's language."""
    speak(language_of(request))


def _health() -> Response:
    return JSONResponse({"ok": True})


def _to_login(request: Request, _error: Exception) -> Response:
    """Pages ask who you are and lead back afterwards; a script in a page is told where to go."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method in _READ else "/"
    return redirect(request, f"/login?next={quote(back, safe='')}")


def _forbidden(request: Request, error: Exception) -> Response:
    lang, person = language_of(request), person_of(request)
    assert isinstance(error, Forbidden) and person is not None
    more = words("forbidden_more", lang, role=words(f"role_{error.role}", lang), own=words(f"role_{person.role}", lang))
    return message(request, "forbidden", 403, more=more)


def _unsafe(request: Request, _error: Exception) -> Response:
    return message(request, "unsafe", 403)


def _no_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return message(request, "not_found", status)


def _bad_form(request: Request, error: Exception) -> Response:
    big = isinstance(error, FormError) and error.too_big
    return message(request, "too_big" if big else "bad_form", 413 if big else 400, more="")


def _no_storage(request: Request, _error: Exception) -> Response:
    return message(request, "storage", 503, more=words("broken_more", language_of(request)))


def _broken(request: Request, _error: Exception) -> Response:
    return message(request, "broken", 500)


def _unanswerable(request: Request, error: Exception) -> Response:
    assert isinstance(error, QuestionError)
    return message(request, "bad_form", 400, more=error.message)


_HANDLERS: dict[Any, Any] = {
    HTTPException: either("not-found", _no_page), FormError: either("invalid", _bad_form), StorageError: either("storage", _no_storage),
    Exception: either("broken", _broken), NeedsLogin: either("login", _to_login), Forbidden: either("forbidden", _forbidden),
    Unsafe: either("unsafe", _unsafe), RequestValidationError: told(unread, _no_page), QuestionError: told(misasked, _unanswerable),
    Invalid: misasked, NotThere: absent,
}
