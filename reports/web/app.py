"""The console as an application: its routes, and pages for everything that can go wrong."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports.web import alert, assets, feedback, unsubscribe
from reports.web.forms import FormError
from reports.web.pages import HEADERS, Console, message, page, stylesheet
from reports.web.words import language_of, words
from vocwatch.settings import Settings
from vocwatch.store import StorageError, Store


def make_app(settings: Settings, store: Store) -> FastAPI:
    """Return the console over a store. Nobody logs in: what a link may do is what its signature says."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.console = Console(settings, store)
    for part in (feedback, alert, unsubscribe, assets):
        app.include_router(part.router)
    app.add_api_route("/", _home, methods=["GET", "HEAD"])
    app.add_api_route("/healthz", _health, methods=["GET", "HEAD"])
    app.add_api_route("/static/console.css", stylesheet, methods=["GET", "HEAD"])
    app.add_exception_handler(HTTPException, _no_page)
    app.add_exception_handler(FormError, _bad_form)
    app.add_exception_handler(StorageError, _no_storage)
    app.add_exception_handler(Exception, _broken)
    return app


def _home(request: Request) -> Response:
    return page(request, "page", "vocwatch", more=words("home", language_of(request)))


def _health() -> Response:
    return JSONResponse({"ok": True}, headers=HEADERS)


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
