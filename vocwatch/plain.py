"""Making hostile text safe to show on a terminal or in a log."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# C0 and C1 controls, line and paragraph separators, bidi overrides, zero-width and other format characters.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\ud800-\udfff]")

# Parameters that carry a right rather than name a thing.
_SECRET = re.compile(
    r"(?i)^(?:[a-z0-9]+[_.-])*(?:api_?key|key|access_?token|token|secret|sign|signature|sig|password|passwd|pwd|auth"
    r"|authorization|credential|session|sessionid|session_?id|sid|ticket|cookie)$"
)
_HIDDEN = "***"
_MAX_URL = 2000


def safe_url(url: str) -> str:
    """Return an address as it may stand in a log: no user and password, no secret parameters, one line, no fragment."""
    try:
        parts = urlsplit(one_line(url, _MAX_URL))
    except ValueError:
        return "?"
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(_hide(pair) for pair in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def _hide(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={_HIDDEN}" if equals and _SECRET.match(name) else pair


def one_line(text: object, limit: int = 200) -> str:
    """Return `text` on one line, without control or format characters, cut to `limit` characters."""
    flat = str(text)
    if not (flat.isascii() and flat.isprintable()):
        flat = _UNSAFE.sub("", re.sub(r"[\t\n\r]+", " ", flat))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def safe_cell(value: object) -> object:
    """Return a spreadsheet cell that no program takes for a formula (a quote is put before =, +, -, @ …)."""
    if not isinstance(value, str):
        return value
    flat = _UNSAFE.sub("", value.replace("\r", " "))
    computed = flat.lstrip()[:1] or "."  # some programs drop what is blank before it
    return f"'{flat}" if computed in "=+-@＝＋－＠" or flat[:1] in ("\t", "\n") else flat
