"""A red line of `topics.yaml`: its words and patterns, changed by one person and put in force by another."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, needs
from reports.web.desk.configured import (
    FORM_BYTES,
    Change,
    ChangeError,
    by,
    changed,
    configuring_of,
    settings_now,
)
from reports.web.desk.frame import address, back_to, desk_message, desk_page
from reports.web.desk.watches import big_form
from reports.web.words import language_of, words
from vocwatch.settings import ConfigError
from vocwatch.settings.changes import RED_LINE, plain_tree
from vocwatch.settings.drafts import split_words

FILE = "topics.yaml"
BLANKS, LINES = ("words", "cancel"), ("patterns", "examples", "counter_examples")
_GET = ["GET", "HEAD"]
router = APIRouter()
Reader = Annotated[Person, Depends(needs("reader"))]
Editor = Annotated[Person, Depends(needs("editor", form_bytes=FORM_BYTES))]
Form = Annotated[dict[str, str], Depends(big_form)]


@router.api_route("/watches/red/{name}", methods=_GET)
def show(request: Request, person: Reader, name: str) -> Response:
    """One class with all that triggers it."""
    item = _item(request, name)
    return _gone(request, name) if item is None else _page(request, person, name, _values(item))


@router.post("/watches/red/{name}")
def save(request: Request, person: Editor, form: Form, name: str) -> Response:
    """Hand a change in; it waits for a second person."""
    item = _item(request, name)
    if item is None:
        return _gone(request, name)
    before, made = _values(item), dict(item)
    for key in (*BLANKS, *LINES):
        typed = form.get(key, before[key]).replace("\r\n", "\n").strip()
        if typed == before[key].strip():
            continue
        entries = split_words(typed, key in LINES)
        made.pop(key, None)
        if entries:
            made[key] = " ".join(entries) if key in BLANKS else entries
    change = Change("red_line", RED_LINE + name, made)
    try:
        version = changed(
            request, FILE, change.entry,
            lambda config: config.change(FILE, change, by(request, person, form.get("note", "")), form.get("mark", "")),
        )
    except ChangeError as error:
        return _page(request, person, name, {key: form.get(key, before[key]) for key in before}, "\n".join(error.problems),
                     409 if error.kind == "conflict" else 400)
    return back_to(request, f"settings/history/{version.id}", {"done": version.state})


def _item(request: Request, name: str) -> dict[str, Any] | None:
    """The class as the file writes it; None where the team's own file has none of that name."""
    try:
        tree = plain_tree(configuring_of(request).read(FILE))
    except (ConfigError, ChangeError):
        tree = None
    if tree is None:  # no own file: the shipped one is in use, and is not edited
        found = next((one for one in settings_now(request).settings.topics.red_lines if one.name == name), None)
        return found.model_dump(exclude_defaults=True) if found else None
    listed = tree.get("red_lines") if isinstance(tree, dict) else None
    return next((dict(one) for one in listed or () if isinstance(one, dict) and one.get("name") == name), None)


def _values(item: dict[str, Any]) -> dict[str, str]:
    found = {}
    for key in (*BLANKS, *LINES):
        said = item.get(key) or ""
        joined = said if isinstance(said, str) else ("\n" if key in LINES else " ").join(str(one) for one in said)
        found[key] = " ".join(joined.split()) if key in BLANKS else joined
    return found


def _page(
    request: Request, person: Person, name: str, values: dict[str, str], problem: str = "", status: int = 200
) -> Response:
    config, change = configuring_of(request), Change("red_line", RED_LINE + name)
    shipped = not config.path(FILE).exists()
    return desk_page(
        request, "red_line", here="watches", title=name, status=status, problem=problem, problems=settings_now(request).problems,
        values=values, keys=(*BLANKS, *LINES), mark=config.mark(FILE, change), shipped=shipped,
        can_edit=person.may("editor") and not shipped, versions=config.history(FILE, change.entry, limit=8),
        line=next((one for one in settings_now(request).settings.topics.red_lines if one.name == name), None), tall=("words", "patterns"),
    )


def _gone(request: Request, name: str) -> Response:
    lang = language_of(request)
    return desk_message(request, words("red_gone", lang), name[:60], here="watches", status=404, link=address(request, "watches"),
                        link_text=words("nav_watches", lang))
