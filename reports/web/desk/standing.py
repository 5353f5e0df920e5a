"""`/status`: what the schedule does, what comes next, what waits to be sent, and what is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, needs
from reports.web.console import console_of
from reports.web.desk.frame import desk_page
from reports.web.tools import tools_of
from reports.web.words import language_of, words

_GET = ["GET", "HEAD"]
SHOWN = "%m-%d %H:%M"
router = APIRouter()


@router.api_route("/status", methods=_GET)
def show(request: Request, person: Annotated[Person, Depends(needs("reader"))]) -> Response:
    """Say how the standing work goes; without a scheduler say so first."""
    lang, tools = language_of(request), tools_of(request)
    found: Mapping[str, Any] = tools.standing(console_of(request).settings) if tools else {}
    alive = [one for one in found.get("schedulers", ()) if one["state"] in ("running", "stopping")]
    return desk_page(
        request, "standing", here="sources", title=words("standing", lang), found=found, alive=alive, at=_at,
    )


def _at(moment: str | None) -> str:
    """A time as the pages show it; the structure has ISO 8601 in the business zone."""
    return dt.datetime.fromisoformat(moment).strftime(SHOWN) if moment else ""
