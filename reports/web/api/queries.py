"""Reading: questions of every subject, counts in groups, one mention, session or incident, digests."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request

from reports.desk.ask import Desk, ask, incident_detail, mention_detail, session_detail
from reports.web.access.people import Person, audit, needs
from reports.web.api.answers import Answer, Column, Counts, DigestDays, Me, Rows
from reports.web.api.problems import RESPONSES, NotThere
from reports.web.console import console_of
from reports.web.words import language_of
from vocwatch.store import digests

router = APIRouter(prefix="/api/v1", tags=["查询"], responses=RESPONSES)
Reader = Annotated[Person, Depends(needs("reader"))]
Analyst = Annotated[Person, Depends(needs("analyst"))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/me", summary="令牌是谁的，能做什么 · Whose token it is, and what it may")
def me(person: Reader) -> Me:
    """Say whose token it is."""
    return Me(name=person.name, role=person.role, via=person.via)


@router.get("/mentions", summary="提及，逐条 · Mentions, row by row")
def mentions(request: Request, person: Analyst, asked: Annotated[Rows, Query()]) -> Answer:
    """List mentions in full. It is an export, and stands in the log as one."""
    audit(request, "export", _said("mentions", asked))
    return _rows(request, "mentions", asked)


@router.get("/sessions", summary="客服会话，逐条（不含对话） · Sessions, row by row (without what was said)")
def sessions(request: Request, person: Analyst, asked: Annotated[Rows, Query()]) -> Answer:
    """List sessions. It is an export, and stands in the log as one."""
    audit(request, "export", _said("sessions", asked))
    return _rows(request, "sessions", asked)


@router.get("/topics", summary="投诉主题：条数、独立发布者、占比 · Topics: mentions, authors, share")
def topics(request: Request, person: Reader, asked: Annotated[Rows, Query()]) -> Answer:
    """Count by topic."""
    return _rows(request, "topics", asked)


@router.get("/incidents", summary="事件，每个业务日一行 · Incidents, a row for each business date")
def incidents(request: Request, person: Reader, asked: Annotated[Rows, Query()]) -> Answer:
    """List the days of incidents."""
    return _rows(request, "incidents", asked)


@router.get("/trends", summary="主题和上期比，带区间 · Topics against the period before, with intervals")
def trends(request: Request, person: Reader, asked: Annotated[Rows, Query()]) -> Answer:
    """Compare topics with the period before."""
    return _rows(request, "trends", asked)


@router.get("/sources", summary="来源：健康、条数、完整度 · Sources: health, mentions, coverage")
def sources(request: Request, person: Reader, asked: Annotated[Rows, Query()]) -> Answer:
    """List sources."""
    return _rows(request, "sources", asked)


@router.get("/counts/{subject}", summary="分组计数，可和上期比 · Counts in groups, also against the period before")
def counts(
    request: Request, person: Reader, subject: Literal["mentions", "topics", "incidents", "sessions"], asked: Annotated[Counts, Query()],
) -> Answer:
    """Count in groups."""
    return _rows(request, subject, asked)


@router.get("/mentions/{number}", summary="一条提及的全部：版本、命中、证据、事件、反馈 · Everything of one mention")
def mention(request: Request, person: Reader, number: Number) -> dict[str, Any]:
    """Tell everything of one mention."""
    found = mention_detail(_desk(request), number)
    if found is None:
        raise NotThere
    audit(request, "view", f"mention {number}")
    return dict(plain(found))


@router.get("/sessions/{number}", summary="一次会话的全部（已打码） · Everything of one session (masked)")
def session(request: Request, person: Reader, number: Number) -> dict[str, Any]:
    """Tell everything of one session."""
    found = session_detail(_desk(request), number)
    if found is None:
        raise NotThere
    audit(request, "view", f"session {number}")
    return dict(plain(found))


@router.get("/incidents/{incident}", summary="一个事件的全部：逐日、成员、拆分、跟进、反馈 · Everything of one incident")
def incident(
    request: Request, person: Reader, incident: Annotated[str, Path(max_length=40)], day: Annotated[dt.date | None, Query()] = None
) -> dict[str, Any]:
    """Tell everything of one incident, as it stood on a day."""
    found = incident_detail(_desk(request), incident, day)
    if found is None:
        raise NotThere
    return dict(plain(found))


@router.get("/digests", summary="有日报的业务日 · Dates that have a digest")
def digest_days(request: Request, person: Reader, audience: Annotated[str, Query(max_length=40)] = "qa") -> DigestDays:
    """List the dates that have a digest."""
    with console_of(request).store.read() as connection:
        return DigestDays(audience=audience, days=digests.days(connection, audience))


@router.get("/digests/{day}", summary="一天的日报，和发出去的一样 · The digest of a date, as it was sent")
def digest(request: Request, person: Reader, day: dt.date, audience: Annotated[str, Query(max_length=40)] = "qa") -> dict[str, Any]:
    """Give the digest JSON of a date."""
    with console_of(request).store.read() as connection:
        found = digests.load(connection, day, audience)
    if found is None:
        raise NotThere
    return found


def _desk(request: Request) -> Desk:
    console = console_of(request)
    return Desk(console.settings, console.store)


def _rows(request: Request, subject: str, asked: Rows) -> Answer:
    answer = ask(
        _desk(request), subject, asked.question(), group=tuple(asked.by) if isinstance(asked, Counts) else (),
        change=isinstance(asked, Counts) and asked.change, order=asked.order, limit=asked.limit, offset=asked.offset,
    )
    rows = [plain(dict(row)) for row in answer.rows]
    end, zh = asked.offset + len(rows), language_of(request) == "zh"
    params: dict[str, list[str]] = {}
    for key, value in answer.question.to_params():
        params.setdefault(key, []).append(value)
    return Answer(
        subject=subject, question=params, rows=rows, total=answer.total, next_offset=end if rows and end < answer.total else None,
        columns=[Column(key=one.key, title=one.zh if zh else one.en, kind=one.kind) for one in answer.columns],
        counted=list(answer.counted) if asked.explain else [],
    )


def _said(subject: str, asked: Rows) -> str:
    params = [*asked.question().to_params(), ("limit", str(asked.limit)), ("offset", str(asked.offset))]
    return f"api/{subject}?{urlencode(params, encoding='utf-8', errors='replace')}"


def plain(value: Any) -> Any:
    """Return what JSON can hold: no sets, no infinities, no objects."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
