"""设置: `vocwatch.yaml` as a form and as the file itself, and every other configuration file to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, needs
from reports.web.console import console_of
from reports.web.desk.configured import (
    Change,
    ChangeError,
    by,
    changed,
    configuring_of,
    settings_now,
)
from reports.web.desk.frame import back_to, desk_page
from reports.web.desk.settings_form import FormFaults, blocks, changes, faulty_lines, needs_admin
from reports.web.forms import read_form
from reports.web.words import WORDS, language_of, words
from vocwatch.settings import ConfigError
from vocwatch.settings.changes import plain_tree

FILE = "vocwatch.yaml"
FORM_BYTES = 200_000
_GET = ["GET", "HEAD"]
router = APIRouter()
Editor = Annotated[Person, Depends(needs("editor", form_bytes=FORM_BYTES))]


async def settings_form(request: Request) -> dict[str, str]:
    """Return the fields of the form: there are a hundred of them."""
    return await read_form(request, FORM_BYTES)


Form = Annotated[dict[str, str], Depends(settings_form)]


@router.api_route("/settings", methods=_GET)
def show(request: Request, person: Editor, file: str = "") -> Response:
    """The form, and the file beside it; another file is shown alone."""
    return _page(request, person, file if file in files(request) else FILE)


@router.post("/settings")
def save(request: Request, person: Editor, form: Form) -> Response:
    """Change the keys that the form says otherwise than the file."""
    before = _tree(request)
    try:
        values = changes(before, form)
    except FormFaults as error:
        return _page(request, person, FILE, form, faults=error.faults, status=400)
    wanted = Change("keys", values=values)
    config = configuring_of(request)
    try:
        if not person.may("admin") and needs_admin({}, _nested(values)):
            raise ChangeError("person", [words("settings_admin", language_of(request))])
        version = changed(request, FILE, "", lambda _: config.change(FILE, wanted, by(request, person, form.get("note", "")), form.get("mark", "")))
    except ChangeError as error:
        lines: list[str] = []
        if error.kind == "conflict":
            try:
                lines = config.preview(FILE, wanted)
            except ChangeError as worse:
                lines = worse.problems
        status = {"conflict": 409, "person": 403}.get(error.kind, 400)
        return _page(request, person, FILE, form, problem="\n".join(error.problems), lines=lines, status=status)
    return back_to(request, f"settings/history/{version.id}", {"done": version.state})


def files(request: Request) -> list[str]:
    """Return the configuration's files, below its folder."""
    folder = console_of(request).settings.env.config
    found = [path.relative_to(folder).as_posix() for path in folder.glob("*.yaml")]
    found += [path.relative_to(folder).as_posix() for inner in ("sources", "sessions") for path in (folder / inner).glob("*.yaml")]
    return sorted((name for name in found if not name.startswith(".")), key=lambda name: (name.count("/"), name))


def _tree(request: Request) -> Mapping[str, Any]:
    """What the file says, as plain values; nothing where it is broken."""
    try:
        found = plain_tree(configuring_of(request).read(FILE))
    except (ConfigError, ChangeError):
        return {}
    return found if isinstance(found, dict) else {}


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for dotted, value in values.items():
        *path, last = dotted.split(".")
        node = made
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value if value is not None else "-"
    return made


def _page(
    request: Request, person: Person, file: str, form: Mapping[str, str] | None = None, problem: str = "",
    faults: Mapping[str, str] | None = None, lines: list[str] | None = None, status: int = 200,
) -> Response:
    now = settings_now(request)
    config = configuring_of(request)
    try:
        text = config.read(file)
    except ChangeError as error:
        text, problem = "", problem or "\n".join(error.problems)
    return desk_page(
        request, "settings", here="settings", status=status, title=words("nav_settings", language_of(request)), file=file,
        files=files(request), blocks=blocks(_tree(request)) if file == FILE else [], form=form or {}, problem=problem, lines=lines or [],
        faults=faults or {}, problems=now.problems, wrong=faulty_lines(now.problems, file, len(text.splitlines())), text=text.splitlines(),
        mark=config.mark(FILE, Change("keys")), admin=person.may("admin"), waits=len(config.history(state="waiting")), known=WORDS,
    )
