"""Reading what a form sends, within bounds."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

MAX_BODY = 16 * 1024
MAX_FIELDS = 20


class FormError(ValueError):
    """What was sent is too big (`too_big`) or can't be read."""

    def __init__(self, too_big: bool = False):
        super().__init__("too big" if too_big else "unreadable")
        self.too_big = too_big


async def read_form(request: Request, limit: int = MAX_BODY) -> dict[str, str]:
    """Return the fields of a urlencoded body, the first of each name; empty for any other kind of body.

    Raises FormError beyond `limit` bytes (16 KiB) or 20 fields (more for more bytes): reading stops there. A body is read
    once; the second to ask gets the same fields.
    """
    found: dict[str, str] = {}
    for name, value in await read_fields(request, limit):
        found.setdefault(name, value)
    return found


async def read_fields(request: Request, limit: int = MAX_BODY) -> list[tuple[str, str]]:
    """Return all fields in their order: a name may stand there more than once."""
    if not hasattr(request.state, "fields"):
        request.state.fields = await _read(request, limit)
    fields: list[tuple[str, str]] = request.state.fields
    return fields


async def _read(request: Request, limit: int) -> list[tuple[str, str]]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise FormError(too_big=True)
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return []  # RFC 8058 allows multipart as well; nothing in it is needed
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=max(MAX_FIELDS, limit // 800))
    except ValueError as error:
        raise FormError from error
