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


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a urlencoded body, the first of each name; empty for any other kind of body.

    Raises FormError beyond 16 KiB or 20 fields: reading stops there.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise FormError(too_big=True)
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return {}  # RFC 8058 allows multipart as well; nothing in it is needed
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise FormError from error
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found
