"""A new source by its address, in steps: look at the page, answer what it leaves open, see what would be stored, sign it.

The look runs in a thread of its own, politely and once; a question waits there until somebody answers it here.
"""

from __future__ import annotations

import queue
import re
import secrets
import threading
from collections import OrderedDict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import Person, audit, checked_form, needs
from reports.web.console import console_of
from reports.web.desk.configured import by, configuring_of, settings_now
from reports.web.desk.frame import back_to, desk_message, desk_page
from reports.web.tools import Choices, Proposed, ToolError, Tools, tools_of
from reports.web.words import language_of, words
from vocwatch.settings import Settings

KEPT = 20
PATIENCE = 15 * 60.0
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_GET = ["GET", "HEAD"]
PERSON = ("title", "owner", "basis", "impact", "reviewer")
router = APIRouter()
Editor = Annotated[Person, Depends(needs("editor"))]
Form = Annotated[dict[str, str], Depends(checked_form)]


class Talk:
    """One look at an address. `state`: looking, asking, failed, done, saved."""

    def __init__(self, who: str, name: str, url: str):
        self.who, self.name, self.url = who, name, url
        self.state, self.problem = "looking", ""
        self.told: list[str] = []
        self.question, self.choices = "", ()  # type: tuple[str, Choices]
        self.proposed: Proposed | None = None
        self._answers: queue.Queue[int] = queue.Queue()
        self._moved = threading.Event()

    def begin(self, tools: Tools, settings: Settings) -> None:
        """Look, in a thread."""
        threading.Thread(target=self._run, args=(tools, settings), daemon=True, name="source-new").start()

    def answer(self, number: int) -> None:
        """Answer the question that stands; anything else is ignored."""
        if self.state == "asking" and 0 <= number < len(self.choices):
            self.state = "looking"
            self._moved.clear()
            self._answers.put(number)

    def settle(self, seconds: float) -> None:
        """Wait a little for the next step."""
        self._moved.wait(seconds)

    def _run(self, tools: Tools, settings: Settings) -> None:
        try:
            self.proposed = tools.propose(settings, self.name, self.url, self._ask, lambda line: self.told.append(line[:300]))
            self.state = "done"
        except ToolError as error:
            self.problem, self.state = str(error), "failed"
        except queue.Empty:
            self.problem, self.state = "", "failed"
        except Exception as error:
            self.problem, self.state = f"{type(error).__name__}", "failed"
        self._moved.set()

    def _ask(self, question: str, choices: Choices) -> int:
        self.question, self.choices, self.state = question, choices, "asking"
        self._moved.set()
        return self._answers.get(timeout=PATIENCE)


@router.api_route("/sources/new", methods=_GET)
def start(request: Request, person: Editor) -> Response:
    """Ask for the name and the address."""
    return _first(request, {})


@router.post("/sources/new")
def look(request: Request, person: Editor, form: Form) -> Response:
    """Begin to look."""
    lang, tools = language_of(request), tools_of(request)
    name, url = form.get("name", "").strip(), form.get("url", "").strip()[:2000]
    problem = ""
    if not _NAME.fullmatch(name):
        problem = words("new_bad_name", lang)
    elif name in settings_now(request).settings.sources or configuring_of(request).read(f"sources/{name}.yaml"):
        problem = words("new_taken", lang, name=name)
    elif not url.startswith(("http://", "https://")):
        problem = words("new_bad_url", lang)
    elif tools is None:
        problem = words("no_tools", lang)
    if problem or tools is None:
        return _first(request, form, problem)
    talk, token = Talk(person.name, name, url), secrets.token_urlsafe(12)
    talks = _talks(request)
    talks[token] = talk
    while len(talks) > KEPT:
        talks.popitem(last=False)
    audit(request, "propose source", f"{name} {url}"[:200])
    talk.begin(tools, console_of(request).settings)
    return back_to(request, f"sources/new/{token}")


@router.api_route("/sources/new/{token}", methods=_GET)
def step(request: Request, person: Editor, token: str) -> Response:
    """Where the look has got to."""
    talk = _talks(request).get(token)
    if talk is None or talk.who != person.name:
        return _lost(request)
    if talk.state == "looking":
        talk.settle(0.4)
    return _step(request, talk, token)


@router.post("/sources/new/{token}")
def go_on(request: Request, person: Editor, form: Form, token: str) -> Response:
    """Answer a question, or sign what was found and write the file."""
    talk, tools = _talks(request).get(token), tools_of(request)
    if talk is None or tools is None or talk.who != person.name:
        return _lost(request)
    if talk.state == "asking":
        answer = form.get("answer", "")
        talk.answer(int(answer) if answer.isdigit() and len(answer) < 4 else -1)
        return back_to(request, f"sources/new/{token}")
    if talk.state != "done" or talk.proposed is None:
        return back_to(request, f"sources/new/{token}")
    try:
        name = tools.write_source(console_of(request).settings, talk.proposed, {key: form.get(key, "")[:300] for key in PERSON})
    except ToolError as error:
        return _step(request, talk, token, form, str(error))
    talk.state = "saved"
    configuring_of(request).noted(f"sources/{name}.yaml", by(request, person, words("new_noted", language_of(request), url=talk.url)))
    audit(request, "change config", f"sources/{name}.yaml new")
    settings_now(request)
    _talks(request).pop(token, None)
    return back_to(request, f"sources/{name}")


def _first(request: Request, form: dict[str, str], problem: str = "") -> Response:
    return desk_page(
        request, "source_new", here="sources", title=words("source_new", language_of(request)), status=400 if problem else 200,
        problem=problem, form=form, talk=None, token="",
    )


def _step(request: Request, talk: Talk, token: str, form: dict[str, Any] | None = None, problem: str = "") -> Response:
    return desk_page(
        request, "source_new", here="sources", title=words("source_new", language_of(request)), status=400 if problem else 200,
        problem=problem, form=form or {}, talk=talk, token=token, person_keys=PERSON,
    )


def _lost(request: Request) -> Response:
    lang = language_of(request)
    return desk_message(request, words("new_lost", lang), words("new_lost_more", lang), here="sources", status=404)


def _talks(request: Request) -> OrderedDict[str, Talk]:
    state = request.app.state
    if getattr(state, "talks", None) is None:
        state.talks = OrderedDict()
    found: OrderedDict[str, Talk] = state.talks
    return found
