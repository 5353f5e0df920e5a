"""`/export/…`: what a view shows, all of its rows, as a file. Noted in the log before the first byte."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reports.desk.ask import SUBJECTS, QuestionError, ask
from reports.desk.export import MEDIA, ExportError, export
from reports.web.access.people import audit, needs
from reports.web.desk.frame import desk_message
from reports.web.desk.view import asked, desk_of, view_of
from reports.web.pages import HEADERS
from reports.web.words import language_of, words

router = APIRouter(dependencies=[Depends(needs("analyst"))])
_BOM = b"\xef\xbb\xbf"


@router.get("/export/{subject}.{kind}")
def export_rows(request: Request, subject: str, kind: str) -> Response:
    """Write the rows of a question: mentions, sessions, incidents, topics, trends or sources as csv, xlsx, json, jsonl, parquet."""
    lang, desk = language_of(request), desk_of(request)
    if subject not in SUBJECTS or kind not in MEDIA:
        names = "、".join(f"{one}.csv" for one in SUBJECTS)
        return desk_message(request, words("export_wrong", lang), words("export_what", lang, names=names), status=404, bad=True)
    try:
        view = view_of(request, until_yesterday=subject in ("topics", "trends"))
        answer = ask(desk, subject, view.question, group=tuple(asked(request).get("by", ()))[:3], order=view.order)
        pieces = export(answer, kind)
    except (QuestionError, ExportError) as error:
        return desk_message(request, words("export_wrong", lang), str(error), status=400, bad=True)
    audit(request, "export", f"{subject}.{kind} {request.url.query}"[:500])
    days = "-".join(str(day) for day in (view.question.since, view.question.until) if day)
    name = re.sub(r"[^a-z0-9.-]", "", f"vocwatch-{subject}{'-' if days else ''}{days}.{kind}")
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_with_mark(pieces) if kind == "csv" else pieces, media_type=MEDIA[kind], headers=headers)


def _with_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield _BOM  # or Excel takes it for the local code page
    yield from pieces
