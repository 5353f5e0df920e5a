"""How the API says that something is wrong: always the same shape, with the field and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports.desk.ask import QuestionError
from reports.web.words import WORDS, language_of, words
from vocwatch.plain import one_line

PREFIX = "/api/"
_TITLES = {
    "login": "api_login", "forbidden": "forbidden", "unsafe": "api_unsafe", "not-found": "not_found", "storage": "storage", "broken": "broken",
    "too-big": "too_big", "invalid": "api_invalid",
}


class Problem(BaseModel):
    """What is wrong."""

    error: str = Field(description="login, forbidden, unsafe, not-found, invalid, too-big, storage, broken")
    message: str = Field(description="说明，中文或英文（Accept-Language）")
    field: str | None = Field(None, description="哪个参数或字段")


RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "没有令牌，或已失效"}, 403: {"model": Problem, "description": "角色不够，或缺少 X-CSRF-Token"},
    404: {"model": Problem, "description": "没有"}, 413: {"model": Problem, "description": "请求体太大"},
    422: {"model": Problem, "description": "参数看不懂，message 说明该怎么写"}, 503: {"model": Problem, "description": "数据库暂时用不了"},
}


class NotThere(Exception):
    """What was asked for does not exist."""


class Invalid(Exception):
    """A field that can't be taken, and why."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


def problem(request: Request, status: int, code: str, message: str = "", field: str | None = None) -> JSONResponse:
    """Return an answer that says what is wrong."""
    key = _TITLES.get(code, "broken")
    said = message or words(key if key in WORDS else "broken", language_of(request))
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": code, "message": one_line(said, 500), "field": field}, status, headers=headers)


def either(code: str, page: Callable[[Request, Exception], Response]) -> Callable[[Request, Exception], Response]:
    """Return a handler that answers programs below /api with a problem, and everybody else with the page."""

    def handle(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith(PREFIX):
            return page(request, error)
        if code == "login":
            return problem(request, 401, code)
        if isinstance(error, HTTPException) and error.status_code == 413:
            return problem(request, 413, "too-big")
        answer = page(request, error)
        made = problem(request, answer.status_code, code)
        if "allow" in answer.headers:
            made.headers["Allow"] = answer.headers["allow"]
        return made

    return handle


def told(
    program: Callable[[Request, Exception], Response], page: Callable[[Request, Exception], Response]
) -> Callable[[Request, Exception], Response]:
    """Return a handler that answers below /api in one way, and everywhere else in another."""
    return lambda request, error: (program if request.url.path.startswith(PREFIX) else page)(request, error)


def unread(request: Request, error: Exception) -> Response:
    """Answer a request whose parameters or body can't be read."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part not in ("query", "body", "path")]
    return problem(request, 422, "invalid", str(first["msg"]), ".".join(place) or None)


def misasked(request: Request, error: Exception) -> Response:
    """Answer a question that can't be answered as it was asked."""
    assert isinstance(error, QuestionError | Invalid)
    return problem(request, 422, "invalid", error.message if isinstance(error, QuestionError) else str(error), error.field)


def absent(request: Request, error: Exception) -> Response:
    """Answer for what is not there."""
    return problem(request, 404, "not-found", str(error))
