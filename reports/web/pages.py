"""Making pages: one template engine with escaping on, one set of headers, one way to say what went wrong."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from reports.links import LinkError
from reports.web.access import cookies
from reports.web.console import Console, console_of
from reports.web.words import language_of, words

__all__ = ["HEADERS", "Console", "console_of", "message", "page", "redirect", "refused", "root_of"]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                               "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the signature
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""What every answer carries; the application adds whatever of it an answer does not say otherwise."""


def page(request: Request, template: str, title: str, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page. Values are escaped; nothing is loaded from elsewhere.

    Templates also know `person` (who asks, None for nobody), `csrf` (what a form carries as `_csrf`) and `root` (the way
    up to the console's first page).
    """
    lang = language_of(request)
    content = _templates().get_template(f"{template}.html.j2").render(
        title=title, lang=lang, brand=console_of(request).settings.app.brand.name, root=root_of(request),
        person=getattr(request.state, "person", None), csrf=cookies.csrf_of(request),
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


def root_of(request: Request) -> str:
    """The way up to the console's root: it may stand below any path of a proxy."""
    return "../" * (request.url.path.count("/") - 1)


def redirect(request: Request, path: str, status: int = 303) -> RedirectResponse:
    """Send the browser to another page of the console, whatever path of a proxy it stands below.

    `path` begins with a slash, and never leads to another host whatever it holds: it is sent as a relative address.
    """
    return RedirectResponse(f"./{root_of(request)}{path.lstrip('/')}", status)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("reports.web", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
