"""`/api/openapi.json`: the API as published; `/api`: the same to read, made from it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports.web.access.people import Person, declared_of, needs, public
from reports.web.api import actions, queries
from reports.web.desk.frame import desk_page
from reports.web.words import language_of, words
from vocwatch import __version__

router = APIRouter()


@lru_cache(maxsize=1)
def openapi() -> dict[str, Any]:
    """Return the OpenAPI description of /api/v1; each operation says in `x-role` whom it takes."""
    routers = (queries.router, actions.router)
    spec = get_openapi(
        title="vocwatch", version=__version__, openapi_version="3.1.0", routes=[route for one in routers for route in one.routes],
        description="令牌在“我的账号”或用 vocwatch token new 新建，放在请求头 Authorization: Bearer 里。",
    )
    spec["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    spec["security"] = [{"bearer": []}]
    for one in routers:
        for path, methods, role in declared_of(one.routes):
            for method in methods & {"GET", "POST"}:
                spec["paths"][path][method.lower()]["x-role"] = role
    return spec


@router.api_route("/api/openapi.json", methods=["GET", "HEAD"], dependencies=[Depends(public)])
def description() -> Response:
    """Publish the description."""
    return JSONResponse(openapi())


@router.api_route("/api", methods=["GET", "HEAD"])
def show(request: Request, person: Annotated[Person, Depends(needs("reader"))]) -> Response:
    """The description to read."""
    lang = language_of(request)
    operations = [
        {
            "path": path, "method": method.upper(), "summary": one["summary"].split(" · ")[lang == "en"], "role": words(f"role_{one['x-role']}", lang),
            "params": [(p["name"], p.get("description", ""), p.get("required", False)) for p in one.get("parameters", ())] + _body(one),
        }
        for path, methods in openapi()["paths"].items() for method, one in methods.items()
    ]
    return desk_page(request, "api", here="account", title=words("api", lang), operations=operations)


def _body(operation: dict[str, Any]) -> list[tuple[str, str, bool]]:
    if "requestBody" not in operation:
        return []
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = openapi()["components"]["schemas"][name]
    return [(key, value.get("description", ""), key in schema.get("required", ())) for key, value in schema["properties"].items()]
