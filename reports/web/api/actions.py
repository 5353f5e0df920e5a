"""Doing: what people say of findings, and cases. Everything is noted under the name of whoever asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request

from reports.web.access.people import Person, audit, needs
from reports.web.api.answers import Case, CaseOpened, CaseStep, Heard, RuleTried, Said
from reports.web.api.problems import RESPONSES, Invalid, NotThere
from reports.web.api.queries import plain
from reports.web.console import console_of
from reports.web.tools import tools_of
from vocwatch.lang import tr
from vocwatch.masking import mask
from vocwatch.plain import one_line
from vocwatch.store import Connection, cases, feedback
from vocwatch.store.cases import By, CaseError
from vocwatch.store.feedback import Feedback

CHANNEL = "api"
MAX_BODY = 64 * 1024
router = APIRouter(prefix="/api/v1", tags=["反馈与跟进"], responses=RESPONSES, max_body_size=MAX_BODY)
Reader = Annotated[Person, Depends(needs("reader"))]
Analyst = Annotated[Person, Depends(needs("analyst"))]


@router.post("/feedback", status_code=201, summary="对一个判断说准不准 · Say whether a finding was right")
def say(request: Request, person: Analyst, said: Said) -> Heard:
    """Note what somebody says of a finding."""
    if said.verdict not in feedback.VERDICTS:
        raise Invalid("verdict", tr(f"可写：{'、'.join(feedback.VERDICTS)}", f"one of {', '.join(feedback.VERDICTS)}"))
    console = console_of(request)
    with console.store.begin(durable=True) as connection:
        found = feedback.find(connection, said.subject, said.day)
        if len(found) != 1:
            raise Invalid("subject", tr("没有这个提及、会话或事件，或不止一个", "No such mention, session or incident, or more than one"))
        if (said.level or said.day) and found[0].kind != feedback.INCIDENT:
            raise Invalid("level", tr("level 和 day 只用于事件", "level and day are for incidents"))
        entry = Feedback(found[0], said.verdict, person.name, CHANNEL, console.settings.clock.now(), said.level or None, None, mask(said.note) or None)
        feedback.save(connection, entry)
        audit(request, "feedback", f"{found[0].kind} {found[0].id}: {said.verdict}", connection)
    return Heard(subject_kind=found[0].kind, subject_id=found[0].id, verdict=said.verdict, who=person.name)


@router.post("/watches/test", summary="试一条监测词会命中什么，不改动任何东西 · Try a watch on what is stored; nothing is changed")
def tried(request: Request, person: Analyst, rule: RuleTried) -> dict[str, Any]:
    """Try a rule; what is wrong with it stands in `problems`."""
    tools = tools_of(request)
    if tools is None:
        raise NotThere(tr("这里没有试词的工具", "There is no laboratory here"))
    fields = {"id": rule.replaces or "draft", **rule.fields}
    return dict(plain(tools.try_rule(console_of(request).settings, fields, rule.replaces, rule.days)))


@router.get("/cases", summary="跟进，先到期的在前 · Cases, those due first in front")
def listed(
    request: Request, person: Reader, state: Literal["open", "closed", "all"] = "open",
    owner: Annotated[str, Query(max_length=100)] = "", limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[Case]:
    """List cases."""
    with console_of(request).store.read() as connection:
        found = cases.listed(connection, state=None if state == "all" else state, owner=owner or None)
    return [_case(one) for one in found[:limit]]


@router.post("/cases", status_code=201, summary="立一件跟进；已有进行中的就用那件 · Open a case, or use the one that is open")
def opened(request: Request, person: Analyst, wanted: CaseOpened) -> Case:
    """Open a case."""
    by = _by(request, person)
    with console_of(request).store.begin(durable=True) as connection:
        try:
            kind, key, title = cases.find_subject(connection, wanted.subject)
        except CaseError as error:
            raise Invalid("subject", str(error)) from error
        found, new = cases.open_case(connection, kind, key, title, by, mask(wanted.note))
        if wanted.note.strip() and not new:
            cases.comment(connection, found.id, mask(wanted.note), by)
        found = _assigned(connection, found, wanted.owner, wanted, by)
        audit(request, "case", f"{found.id}: {key}", connection)
    return _case(found)


@router.post("/cases/{number}", summary="指派、定期限、备注、结案 · Assign, set a date, comment, close")
def stepped(request: Request, person: Analyst, number: Annotated[int, Path(ge=1, le=2**63 - 1)], step: CaseStep) -> Case:
    """Take a case one step further."""
    by = _by(request, person)
    with console_of(request).store.begin(durable=True) as connection:
        try:
            found = cases.get(connection, number)
        except CaseError as error:
            raise NotThere(str(error)) from error
        try:
            if step.note.strip() and not step.outcome:
                cases.comment(connection, number, mask(step.note), by)
            found = _assigned(connection, found, step.owner, step, by)
            if step.outcome:
                found = cases.close(connection, number, step.outcome, by, mask(step.note))
        except CaseError as error:
            raise Invalid("number", str(error)) from error
        audit(request, "case", f"{number}: {one_line(step.outcome or step.owner or 'note', 60)}", connection)
    return _case(found)


def _assigned(connection: Connection, found: cases.Case, owner: str, wanted: CaseOpened | CaseStep, by: By) -> cases.Case:
    if owner.strip() and found.owner != owner.strip():
        found = cases.assign(connection, found.id, owner, by)
    return cases.set_due(connection, found.id, wanted.due_on, by) if wanted.due_on else found


def _by(request: Request, person: Person) -> By:
    return By(person.name, CHANNEL, console_of(request).settings.clock.now())


def _case(found: cases.Case) -> Case:
    return Case(**{name: getattr(found, name) for name in Case.model_fields})
