"""Versions of the configuration: who changed what and when, what waits for a second person, going back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, checked_form, needs
from reports.web.desk.configured import ChangeError, by, changed, configuring_of, settings_now
from reports.web.desk.frame import back_to, desk_message, desk_page
from reports.web.desk.settings_form import needs_admin
from reports.web.desk.settings_pages import FILE as SETTINGS
from reports.web.words import language_of, words
from vocwatch.configuring import APPLIED, WAITING
from vocwatch.settings import ConfigError
from vocwatch.settings.changes import plain_tree
from vocwatch.store.versions import Version

PAGE = 100
_GET = ["GET", "HEAD"]
_STATES = ("applied", "waiting", "rejected")
router = APIRouter()
Analyst = Annotated[Person, Depends(needs("analyst"))]
Editor = Annotated[Person, Depends(needs("editor"))]
Form = Annotated[dict[str, str], Depends(checked_form)]


@router.api_route("/settings/history", methods=_GET)
def listing(request: Request, person: Analyst, file: str = "", entry: str = "", state: str = "") -> Response:
    """The versions of all files, of one, or of one entry of it."""
    found = configuring_of(request).history(file[:200], entry[:100], state if state in _STATES else "", limit=PAGE)
    return desk_page(
        request, "versions", here="settings", title=words("cfg_versions", language_of(request)), versions=found, file=file, entry=entry,
        state=state, problems=settings_now(request).problems,
    )


@router.api_route("/settings/history/{number}", methods=_GET)
def show(request: Request, person: Analyst, number: int, done: str = "") -> Response:
    """One version: what it changed, and what can be done with it."""
    return _page(request, person, number, done)


@router.post("/settings/history/{number}/rollback")
def rollback(request: Request, person: Editor, form: Form, number: int) -> Response:
    """Make the file say again what it said in this version."""
    return _act(request, person, number, "rollback", form)


@router.post("/settings/history/{number}/approve")
def approve(request: Request, person: Editor, form: Form, number: int) -> Response:
    """Agree to a change that waits."""
    return _act(request, person, number, "approve", form)


@router.post("/settings/history/{number}/reject")
def reject(request: Request, person: Editor, form: Form, number: int) -> Response:
    """Turn a change down, or take one's own back."""
    return _act(request, person, number, "reject", form)


def _act(request: Request, person: Person, number: int, what: str, form: dict[str, str]) -> Response:
    if not 0 < number < 2**63:
        return _gone(request)
    version = configuring_of(request).find(number)
    if version is None:
        return _gone(request)
    if what == "rollback" and not _may_go_back(request, person, version):
        return _page(request, person, number, problem=words("settings_admin", language_of(request)), status=403)
    doer = by(request, person, form.get("note", ""))

    def make(config: object) -> Version:
        current = configuring_of(request)
        if what == "rollback":
            return current.rollback(number, doer)
        if what == "approve":
            return current.approve(number, doer)
        current.reject(number, doer)
        return current.find(number) or version

    try:
        made = changed(request, version.file, f"{version.entry} {what}", make)
    except ChangeError as error:
        return _page(request, person, number, problem="\n".join(error.problems), status=409 if error.kind == "conflict" else 400)
    return back_to(request, f"settings/history/{made.id}", {"done": made.state})


def _may_go_back(request: Request, person: Person, version: Version) -> bool:
    """Whether nothing would change that is for administrators."""
    if person.may("admin") or version.file != SETTINGS:
        return True
    try:
        now, then = plain_tree(configuring_of(request).read(version.file)), plain_tree(version.content)
    except (ConfigError, ChangeError):
        return False
    return isinstance(now, dict) and isinstance(then, dict) and not needs_admin(now, then)


def _page(request: Request, person: Person, number: int, done: str = "", problem: str = "", status: int = 200) -> Response:
    config = configuring_of(request)
    version = config.find(number) if 0 < number < 2**63 else None
    if version is None:
        return _gone(request)
    try:
        lines = config.diff(number)
    except ChangeError as error:
        lines = error.problems
    current = config.read(version.file)
    return desk_page(
        request, "version", here="settings", title=words("version", language_of(request), n=number), status=status, version=version,
        lines=lines, done=done if done in _STATES else "", problem=problem, problems=settings_now(request).problems,
        can_decide=version.state == WAITING and person.may("editor"), own=version.who == person.name,
        can_go_back=version.state == APPLIED and version.content != current and person.may("editor"), text=version.content.splitlines(),
    )


def _gone(request: Request) -> Response:
    return desk_message(request, words("version_gone", language_of(request)), "", here="settings", status=404)
