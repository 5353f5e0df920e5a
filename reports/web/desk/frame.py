"""The frame of every page of the desk: menu, search, language, and what templates may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reports.say import word
from reports.web.access.cookies import csrf_of
from reports.web.access.people import Person, person_of
from reports.web.assets import asset_path
from reports.web.desk.shown import host_of, marked, safe_link, shown
from reports.web.pages import HEADERS, console_of, root_of
from reports.web.words import LANG_COOKIE, LANGS, language_of, words

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
NAV = (
    ("today", "", "reader"), ("incidents", "incidents", "reader"), ("mentions", "mentions", "reader"),
    ("topics", "topics", "reader"), ("sessions", "sessions", "reader"), ("sources", "sources", "reader"),
    ("watches", "watches", "reader"), ("settings", "settings", "editor"), ("users", "users", "admin"),
)
"""Name, path and least role of each entry of the menu."""
LEVELS = {"红": ("1", "Ⅰ"), "橙": ("2", "Ⅱ"), "黄": ("3", "Ⅲ"), "蓝": ("4", "Ⅳ")}
YEAR = 365 * 24 * 3600


def desk_page(
    request: Request, template: str, *, here: str, title: str, status: int = 200, **values: object
) -> HTMLResponse:
    """Return a page of the desk: `templates/desk/<template>.html.j2` in the frame, with `here` of the menu marked.

    Every value is escaped; templates get `t` (words), `w` (fixed Chinese words in the reader's language), `url`, `asset`,
    `person`, and the rest of `_context`.
    """
    lang = language_of(request)
    context = {**_context(request, lang), "here": here, "title": title, "problem": "", "noted": "", **values}
    content = _environment().get_template(f"desk/{template}.html.j2").render(context)
    answer = HTMLResponse(content.encode("utf-8", "replace"), status, headers=HEADERS)  # a lone surrogate is no 500
    if request.query_params.get("lang", "") in LANGS:
        answer.set_cookie(LANG_COOKIE, lang, max_age=YEAR, samesite="lax", httponly=True, path="/")
    return answer


def desk_message(
    request: Request, title: str, more: str, *, here: str = "", status: int = 200, link: str = "", link_text: str = "",
    bad: bool = False, blind: bool = False,
) -> HTMLResponse:
    """Return a page that only says something: why there is nothing, or what went wrong (`bad`)."""
    return desk_page(
        request, "plain", here=here, title=title, status=status, more=more, link=link, link_text=link_text, bad=bad, blind=blind
    )


def may(person: Person | None, role: str) -> bool:
    """Whether a person has at least a role."""
    return person is not None and person.may(role)


def back_to(request: Request, path: str, params: Params = ()) -> Response:
    """Send the browser on after something was changed (303: it asks anew, and a reload changes nothing again)."""
    return Response(status_code=303, headers={**HEADERS, "Location": address(request, path, params)})


def address(request: Request, path: str, params: Params = ()) -> str:
    """Return the address of a view, relative to the page that is asked for: the console may stand below any path."""
    pairs = params.items() if isinstance(params, Mapping) else params
    query = urlencode([(key, str(value)) for key, value in pairs if value not in (None, "", ())])
    return (root_of(request) + path or "./") + (f"?{query}" if query else "")


def _context(request: Request, lang: str) -> dict[str, Any]:
    person = person_of(request)
    console = console_of(request)
    return {
        "lang": lang, "brand": console.settings.app.brand.name, "root": root_of(request), "person": person,
        "nav": [(name, path) for name, path, role in NAV if may(person, role)],
        "query": request.query_params.get("q", ""),
        "t": _told(lang), "w": lambda text: word(str(text), lang),
        "url": lambda path, params=(), /, **more: address(request, path, _joined(params, more)),
        "asset": asset_path, "may": lambda role: may(person, role), "csrf": csrf_of(request),
        "other_lang": address(request, request.url.path.lstrip("/"), _with_lang(request, lang)),
        "layout": "desk/bare.html.j2" if request.headers.get("hx-request-type") == "partial" else "desk/base.html.j2",
        "levels": LEVELS, "shown": shown, "marked": marked, "host": host_of, "safe": safe_link, "zone": console.settings.app.zone,
    }


def _told(lang: str) -> Callable[..., str]:
    def tell(key: str, /, **values: object) -> str:
        return words(key, lang, **values)

    return tell


def _joined(params: Params, more: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pairs = list(params.items() if isinstance(params, Mapping) else params)
    return [(key, value) for key, value in pairs if key not in more] + list(more.items())


def _with_lang(request: Request, lang: str) -> list[tuple[str, str]]:
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return [*kept, ("lang", "en" if lang == "zh" else "zh")]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports.web", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
