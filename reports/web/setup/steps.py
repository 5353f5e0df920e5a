"""`/setup/brand`, `/setup/sources`, `/setup/recipients`: what a first digest needs, written into the same YAML files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pypinyin import lazy_pinyin
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, audit, checked_form, needs
from reports.web.console import console_of, reload
from reports.web.desk.frame import desk_page
from reports.web.pages import redirect
from reports.web.setup import catalogue
from reports.web.setup.catalogue import CatalogueError
from reports.web.words import language_of, words
from vocwatch.configuring import By, ChangeError, Configuring, sha_of
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.settings.changes import Change
from vocwatch.settings.delivery import is_address

STEPS = ("brand", "sources", "recipients", "run")
EXAMPLE = "songguoxia"
"""The invented brand of the shipped files: it makes room for the first real one."""
router = APIRouter()
Admin = Annotated[Person, Depends(needs("admin"))]
Form = Annotated[dict[str, str], Depends(checked_form)]


@router.api_route("/setup/brand", methods=["GET", "HEAD"])
def brand(request: Request, person: Admin) -> Response:
    """Ask what the brand is called, and how people call it."""
    settings = console_of(request).settings
    own = next(watch for watch in settings.watches.watches if watch.id == settings.app.brand.watch)
    known = not _is_example(settings)
    values = {
        "name": own.name if known else "", "aliases": "、".join(own.aliases) if known else "", "exclude": "、".join(own.exclude) if known else "",
        "contact": "" if "example.com" in settings.app.crawler.contact else settings.app.crawler.contact, "owner": settings.app.default_owner,
    }
    return step_page(request, "brand", values=values)


@router.post("/setup/brand")
def write_brand(request: Request, person: Admin, form: Form) -> Response:
    """Write the brand's name and words."""
    values = {key: one_line(form.get(key, ""), 500).strip() for key in ("name", "aliases", "exclude", "contact", "owner")}
    lang = language_of(request)
    missing = next((key for key in ("name", "contact") if not values[key]), "")
    if missing:
        return step_page(request, "brand", values=values, problem=words(f"setup_need_{missing}", lang))
    try:
        _brand(request, person, values)
    except ChangeError as error:
        return step_page(request, "brand", values=values, problem=_shown(error.problems))
    return _next(request, "brand", values["name"])


def _brand(request: Request, person: Person, values: Mapping[str, str]) -> None:
    settings = console_of(request).settings
    before = settings.app.brand.watch
    key = _slug(values["name"]) if _is_example(settings) else before
    own = next(watch for watch in settings.watches.watches if watch.id == before)
    item: dict[str, Any] = {
        **(own.model_dump(mode="json", exclude_defaults=True) if key == before else {}), "id": key, "kind": "brand", "name": values["name"],
        "aliases": _list(values["aliases"], values["name"]), "exclude": _list(values["exclude"]),
    }
    plain = {name: value for name, value in item.items() if value not in ([], (), None, "")}
    _change(request, person, "watches.yaml", Change("watch", entry=f"watch:{key}", item=plain))
    _change(request, person, "vocwatch.yaml", Change("keys", values={
        "brand.name": values["name"], "brand.watch": key, "crawler.contact": values["contact"],
        **({"default_owner": values["owner"]} if values["owner"] else {}),
    }))
    if key != before:
        _change(request, person, "watches.yaml", Change("watch", entry=f"watch:{before}", item=None))


def _is_example(settings: Settings) -> bool:
    """Whether the brand is the invented one of the shipped files, and nothing else hangs on it."""
    own = settings.app.brand.watch
    return own == EXAMPLE and not any(watch.brand == own for watch in settings.watches.watches)


@router.api_route("/setup/sources", methods=["GET", "HEAD"])
def sources(request: Request, person: Admin, name: str = "") -> Response:
    """Show the catalogue, or one source of it to be filled in."""
    return _sources(request, name)


@router.post("/setup/sources")
def add_source(request: Request, person: Admin, form: Form) -> Response:
    """Take a source of the catalogue into use."""
    console, name = console_of(request), form.get("name", "")
    try:
        text = catalogue.filled(
            console.settings, name, start=form.get("start", "").split(), owner=one_line(form.get("owner", ""), 60).strip(),
            robots=one_line(form.get("robots", ""), 200).strip(), today=console.settings.clock.now().astimezone(console.settings.app.zone).date(),
        )
        _change(request, person, f"sources/{name}.yaml", Change("content", content=text))
    except CatalogueError as error:
        return _sources(request, name, words(str(error), language_of(request)), form)
    except ChangeError as error:
        return _sources(request, name, _shown(error.problems), form)
    reload(request.app)
    audit(request, "set up", f"source {name}")
    return redirect(request, "/setup/sources")


def _sources(request: Request, name: str = "", problem: str = "", form: Mapping[str, str] | None = None) -> Response:
    settings = console_of(request).settings
    entries = catalogue.entries(settings)
    chosen = next((one for one in entries if one.name == name), None)
    return step_page(
        request, "sources", problem=problem, entries=[one for one in entries if one.name not in settings.sources], chosen=chosen,
        used=sorted((source.title, source.name, source.enabled) for source in settings.sources.values()), form=form or {},
        owner=settings.app.default_owner,
    )


@router.api_route("/setup/recipients", methods=["GET", "HEAD"])
def recipients(request: Request, person: Admin) -> Response:
    """Ask who gets the digest, and at what time."""
    app = console_of(request).settings.app
    values = {"emails": "\n".join(one.email for one in app.digest.recipients), "digest_at": app.schedule.digest_at}
    return step_page(request, "recipients", values=values, mail=bool(console_of(request).settings.env.smtp.host))


@router.post("/setup/recipients")
def write_recipients(request: Request, person: Admin, form: Form) -> Response:
    """Write who gets the digest."""
    console = console_of(request)
    emails = list(dict.fromkeys(re.split(r"[\s,，;；、]+", form.get("emails", "").strip()))) if form.get("emails", "").strip() else []
    known = {one.email: one.model_dump(mode="json", exclude_defaults=True) for one in console.settings.app.digest.recipients}
    values = {"digest.recipients": [known.get(email, {"email": email}) for email in emails], "schedule.digest_at": form.get("digest_at", "").strip()}
    try:
        wrong = [email for email in emails if not is_address(email)]
        if wrong:
            raise ChangeError("invalid", [words("setup_need_address", language_of(request), what=one_line(wrong[0], 60))])
        _change(request, person, "vocwatch.yaml", Change("keys", values=values))
    except ChangeError as error:
        shown = {"emails": form.get("emails", ""), "digest_at": form.get("digest_at", "")}
        return step_page(request, "recipients", values=shown, mail=bool(console.settings.env.smtp.host), problem=_shown(error.problems))
    return _next(request, "recipients", str(len(emails)))


def step_page(request: Request, step: str, *, problem: str = "", **values: object) -> Response:
    """Return the page of a step."""
    lang = language_of(request)
    return desk_page(
        request, f"setup_{step}", here="", title=words(f"setup_{step}", lang), status=400 if problem else 200, problem=problem,
        **{"step": step, "steps": [(name, words(f"setup_{name}", lang)) for name in STEPS], "values": {}, **values},
    )


def _next(request: Request, step: str, what: str) -> Response:
    reload(request.app)
    audit(request, "set up", f"{step} {one_line(what, 100)}")
    return redirect(request, f"/setup/{STEPS[STEPS.index(step) + 1]}")


def _change(request: Request, person: Person, file: str, change: Change) -> None:
    """Make a change; one that changes nothing is none."""
    console = console_of(request)
    writing = Configuring(console.settings.env, console.store)
    base = writing.mark(file, change) if change.entry else sha_of(writing.read(file))
    try:
        writing.change(file, change, By(person.name, "console", console.settings.clock.now(), "setup"), base)
    except ChangeError as error:
        if error.kind != "same":
            raise


def _list(text: str, *without: str) -> list[str]:
    found = dict.fromkeys(part.strip() for part in re.split(r"[\n,，;；、]+", text))
    return [part for part in found if part and part not in without]


def _slug(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "", "".join(lazy_pinyin(name)).lower())[:40]
    return plain if plain[:1].isalpha() else "brand"


def _shown(problems: Sequence[str]) -> str:
    return "；".join(one_line(line, 300) for line in problems[:3])
