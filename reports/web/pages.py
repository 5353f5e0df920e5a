"""Making pages: one template engine with escaping on, one set of headers, one way to say what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reports.links import LinkError
from reports.web.words import language_of, words
from vocwatch.settings import Settings
from vocwatch.store import Store

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                               "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the signature
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class Console:
    """What every page is made from."""

    settings: Settings
    store: Store


def console_of(request: Request) -> Console:
    """Return the console that a request came to."""
    found: Console = request.app.state.console
    return found


def page(request: Request, template: str, title: str, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page. Values are escaped; nothing is loaded from elsewhere."""
    lang = language_of(request)
    content = _templates().get_template(f"{template}.html.j2").render(
        title=title, lang=lang, brand=console_of(request).settings.app.brand.name, root=root_of(request),
        t=lambda key, **more: words(key, lang, **more),
        **{"problem": "", "more": "", "extra": "", "code": "", **values},
    )
    return HTMLResponse(content, status, headers=HEADERS)


def message(request: Request, key: str, status: int = 200, *, more: str | None = None, **values: object) -> HTMLResponse:
    """Return a page that only says something: the words of `key`, and below them `more` or those of `key_more`."""
    lang = language_of(request)
    below = words(f"{key}_more", lang) if more is None else more
    return page(request, "page", words(key, lang, **values), status, more=below)


def refused(request: Request, error: LinkError) -> HTMLResponse:
    """Return the page for a link that is forged, cut, or expired."""
    return message(request, "expired", 410) if error.expired else message(request, "forged", 403)


def stylesheet() -> Response:
    """Return the console's one stylesheet."""
    headers = {**HEADERS, "Cache-Control": "public, max-age=3600"}
    return Response((STATIC / "console.css").read_bytes(), media_type="text/css", headers=headers)


def root_of(request: Request) -> str:
    """The way up to the console's root: it may stand below any path of a proxy."""
    return "../" * (request.url.path.count("/") - 1)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("reports.web", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
