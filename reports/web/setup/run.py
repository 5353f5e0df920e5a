"""`/setup/run`: the first crawl and digest, as a process of its own beside the console; the page shows how far it is."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, audit, checked_form, needs
from reports.web.console import Console, console_of
from reports.web.pages import redirect
from reports.web.setup.steps import step_page
from reports.web.words import language_of
from vocwatch.clock import business_date
from vocwatch.exits import Exit
from vocwatch.plain import one_line
from vocwatch.settings.env import checkout_root
from vocwatch.store import digests

LINES, WIDTH = 14, 300
_PROGRAM = "from vocwatch.cli import main; main()"
router = APIRouter()
Admin = Annotated[Person, Depends(needs("admin"))]


@dataclass
class Job:
    """A run under way or over: its process, and the file that it writes to."""

    process: subprocess.Popen[bytes]
    said: Path
    day: dt.date

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self.process.poll()

    def lines(self) -> list[str]:
        """What it said last."""
        try:
            with self.said.open("rb") as file:
                file.seek(max(0, self.said.stat().st_size - LINES * 4 * WIDTH))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [one_line(line, WIDTH) for line in text.splitlines() if line.strip()][-LINES:]


@router.api_route("/setup/run", methods=["GET", "HEAD"])
def show(request: Request, person: Admin) -> Response:
    """Show how far the run is; once it is over, the way to the digest."""
    console, job = console_of(request), job_of(request.app)
    day = job.day if job else _day(console)
    with console.store.read() as connection:
        made = day in digests.days(connection, "qa")
    state = "ready" if job is None else "running" if job.code is None else "done" if job.code in (Exit.OK, Exit.INCOMPLETE) and made else "failed"
    return step_page(
        request, "run", state=state, lines=job.lines() if job else [], day=day, code=job.code if job else None, made=made,
        incomplete=bool(job and job.code == Exit.INCOMPLETE), sources=len([one for one in console.settings.sources.values() if one.enabled]),
    )


@router.post("/setup/run")
def begin(request: Request, person: Admin, form: Annotated[dict[str, str], Depends(checked_form)]) -> Response:
    """Begin a run, unless one is under way."""
    job = job_of(request.app)
    if job is None or job.code is not None:
        request.app.state.setup_job = start(console_of(request), language_of(request))
        audit(request, "set up", f"run {request.app.state.setup_job.day}")
    return redirect(request, "/setup/run")


def job_of(app: FastAPI) -> Job | None:
    """Return the run that this console began last."""
    found: Job | None = getattr(app.state, "setup_job", None)
    return found


def start(console: Console, lang: str) -> Job:
    """Start `vocwatch run` for the last business day that is over, with the console's own environment."""
    env = console.settings.env
    env.data.mkdir(parents=True, exist_ok=True)
    said, day = env.data / "setup-run.log", _day(console)
    variables: dict[str, Any] = {**env.variables, "PYTHONUNBUFFERED": "1"}
    with said.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "--lang", lang, "run", "--date", day.isoformat()], cwd=checkout_root(), env=variables,
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )
    return Job(process, said, day)


def _day(console: Console) -> dt.date:
    return business_date(console.settings.clock.now(), console.settings.app.zone) - dt.timedelta(days=1)
