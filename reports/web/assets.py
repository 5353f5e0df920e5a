"""`/static/…`: the console's own files, packed once, kept by browsers for as long as their content stays the same."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import public

STATIC = Path(__file__).parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"
HOUR = "public, max-age=3600"
router = APIRouter(dependencies=[Depends(public)])


@dataclass(frozen=True)
class Asset:
    """A file as it is served. `mark` are the first letters of the sha256 of its content."""

    content: bytes
    packed: bytes
    kind: str
    mark: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Return every served file by its path below `static`."""
    found = {}
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in KINDS:
            content = path.read_bytes()
            name = path.relative_to(STATIC).as_posix()
            found[name] = Asset(content, gzip.compress(content, 9, mtime=0), KINDS[path.suffix], hashlib.sha256(content).hexdigest()[:12])
    return found


def asset_path(name: str) -> str:
    """Return the path of a file below the console's root; it changes with the content."""
    return f"static/{name}?v={assets()[name].mark}"


@router.api_route("/static/{name:path}", methods=["GET", "HEAD"])
def asset(request: Request, name: str) -> Response:
    """Serve a file, packed for those who can unpack it."""
    from reports.web.pages import HEADERS, message

    found = assets().get(name)
    if found is None:
        return message(request, "not_found", 404)
    cached = FOREVER if request.query_params.get("v") == found.mark else HOUR
    headers = {**HEADERS, "Cache-Control": cached, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.kind, headers=headers)
