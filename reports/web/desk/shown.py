"""Scraped text on a page: cleaned, capped, its spans marked; addresses only where they lead to the web."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

MAX_LETTERS = 20_000
"""Letters of a text that a page shows at most; the rest is said to be left out."""
MAX_MARKS = 4
"""Combining marks that one letter may carry: Zalgo text climbs over its neighbours."""
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u061c\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\ud800-\udfff]")
_MARKS = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f]"
)
_MARK_RUN = re.compile(f"{_MARKS}{{{MAX_MARKS + 1},}}")


@dataclass(frozen=True)
class Span:
    """What stands from `start` to `end` of a text (letters), of a kind (a CSS class), with what is said of it."""

    start: int
    end: int
    kind: str
    said: str = ""


@dataclass(frozen=True)
class Piece:
    """A stretch of a text under the same spans; without kinds it is plain."""

    text: str
    kinds: tuple[str, ...] = ()
    said: str = ""


def shown(text: object, limit: int = MAX_LETTERS) -> str:
    """Return text as it may stand on a page: no controls, no direction overrides, no towers of marks, not endless.

    Escaping is the template's.
    """
    flat = str(text if text is not None else "")
    cut = flat if len(flat) <= limit else flat[:limit] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return _MARK_RUN.sub(lambda run: run.group()[:MAX_MARKS], _UNSAFE.sub("", cut))


def marked(text: str, spans: Iterable[Span], limit: int = MAX_LETTERS) -> list[Piece]:
    """Return a text in pieces, each with the spans that cover it. Offsets count letters of `text` as stored.

    Spans may overlap, be out of order or out of range; nothing of them is trusted.
    """
    whole = text or ""
    end = min(len(whole), limit)
    kept = [s for s in spans if isinstance(s.start, int) and isinstance(s.end, int) and 0 <= s.start < s.end and s.start < end]
    edges = sorted({0, end, *(s.start for s in kept), *(min(s.end, end) for s in kept)})
    pieces = [_piece(whole, left, right, kept) for left, right in pairwise(edges)]
    if len(whole) > limit:
        pieces.append(Piece("…"))
    return pieces


def _piece(whole: str, left: int, right: int, spans: Sequence[Span]) -> Piece:
    over = [s for s in spans if s.start <= left and s.end >= right]
    said = "；".join(dict.fromkeys(s.said for s in over if s.said))
    return Piece(shown(whole[left:right]), tuple(dict.fromkeys(s.kind for s in over)), said)


def safe_link(url: object) -> str:
    """Return an address that may be a link: http or https with a host and no name and password in it; else nothing."""
    try:
        parts = urlsplit(str(url or "").strip())
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return str(url).strip() if fine and not _UNSAFE.search(str(url)) else ""


def host_of(url: object) -> str:
    """Return the host that an address really leads to, in ASCII where it is written in look-alike letters."""
    try:
        host = urlsplit(str(url or "").strip()).hostname or ""
    except ValueError:
        return ""
    if host.isascii():
        return host
    try:
        return unicodedata.normalize("NFKC", host).encode("idna").decode("ascii")
    except UnicodeError:
        return "?"


def excerpt(
    text: str, spans: Iterable[Span], length: int = 220, before: int = 30, leading: Iterable[Span] | None = None
) -> list[Piece]:
    """Return a stretch of a text around the first of its `leading` spans (any span, without), in pieces.

    An ellipsis stands where something is left out.
    """
    whole, kept = text or "", list(spans)
    starts = [s.start for s in (kept if leading is None else leading) if isinstance(s.start, int) and 0 <= s.start < len(whole)]
    start = max(0, min(min(starts, default=0) - before, len(whole) - length))
    shifted = [Span(max(0, s.start - start), s.end - start, s.kind, s.said) for s in kept if s.end > start]
    found = marked(whole[start : start + length], shifted)
    return [*([Piece("…")] if start else []), *found, *([Piece("…")] if start + length < len(whole) else [])]
