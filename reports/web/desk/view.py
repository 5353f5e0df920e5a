"""A view: the question in an address, and the addresses of the views beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from reports.desk.ask import Desk, Question, QuestionError
from reports.say import word
from reports.web.desk.frame import address
from reports.web.pages import console_of
from reports.web.words import WORDS, language_of, words
from vocwatch.clock import business_date
from vocwatch.settings import Settings

PAGE = 50
MAX_PAGE = 2_000
SPANS = (7, 28, 90, 365)
Pairs = list[tuple[str, str]]
_WHOLE = ("q", "incident", "cluster")
"""Conditions that are narrow by themselves: with them a view reaches over all time unless it names a period."""


@dataclass(frozen=True)
class View:
    """What an address asks for: a question, in which order, which page of it."""

    question: Question
    order: str = ""
    page: int = 1

    @property
    def params(self) -> Pairs:
        """The parameters of the question."""
        return self.question.to_params()

    @property
    def offset(self) -> int:
        """How many rows stand before this page."""
        return (self.page - 1) * PAGE

    def with_order(self) -> Pairs:
        """The parameters of this view, without its page."""
        return [*self.params, *([("order", self.order)] if self.order else [])]


@dataclass(frozen=True)
class Pager:
    """Where a page of rows stands among all; `prev` and `next` are addresses or empty."""

    first: int
    last: int
    total: int
    prev: str
    next: str


def desk_of(request: Request) -> Desk:
    """Return the handle that questions are asked through."""
    console = console_of(request)
    return Desk(console.settings, console.store)


def today_of(request: Request) -> dt.date:
    """Return the business date of this moment."""
    settings = console_of(request).settings
    return business_date(settings.clock.now(), settings.app.zone)


def asked(request: Request) -> dict[str, list[str]]:
    """Return the parameters of an address, every value of each."""
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        found.setdefault(name, []).append(value)
    return found


def view_of(request: Request, *, days: int = 28, until_yesterday: bool = False) -> View:
    """Return what the address asks; without a period the last `days`. Raises QuestionError.

    With `until_yesterday` it has both ends whatever it asks: what is compared needs them, and today is not over.
    """
    question = Question.from_params(asked(request))
    narrow = bool(question.text.strip() or question.incident or question.cluster is not None)
    if until_yesterday:
        last = question.until or max(today_of(request) - dt.timedelta(days=1), question.since or dt.date.min)
        question = replace(question, since=question.since or last - dt.timedelta(days=days - 1), until=last)
    elif question.since is None and question.until is None and not narrow:
        question = replace(question, since=today_of(request) - dt.timedelta(days=days - 1))
    page = request.query_params.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    return View(question, request.query_params.get("order", "")[:20], min(max(1, number), MAX_PAGE))


def pager(request: Request, path: str, view: View, total: int, shown: int) -> Pager:
    """Return the addresses of the pages beside one."""
    def at(page: int) -> str:
        return address(request, path, [*view.with_order(), *([("page", page)] if page > 1 else [])])

    more = view.offset + shown < total and view.page < MAX_PAGE
    return Pager(
        min(view.offset + 1, total), view.offset + shown, total, at(view.page - 1) if view.page > 1 else "", at(view.page + 1) if more else ""
    )


def spans(request: Request, path: str, view: View, today: dt.date) -> list[tuple[str, str, bool]]:
    """Return the usual periods as (text, address, whether it is this one)."""
    lang, q = language_of(request), view.question
    rest = [pair for pair in view.with_order() if pair[0] not in ("since", "until")]
    found = []
    for days in SPANS:
        since = today - dt.timedelta(days=days - 1)
        found.append((words("last_days", lang, n=days), address(request, path, [("since", since), *rest]), q.since == since and q.until is None))
    whole = dt.date(2000, 1, 1)
    found.append((words("all", lang), address(request, path, [("since", whole), *rest]), q.since == whole and q.until is None))
    return found


def chips(request: Request, path: str, view: View) -> list[tuple[str, str, str]]:
    """Return the conditions of a view as (name, value as people say it, address without it)."""
    lang = language_of(request)
    names = Names(console_of(request).settings, lang)
    found = []
    for at, (name, value) in enumerate(view.params):
        if name not in ("since", "until"):
            rest = [pair for place, pair in enumerate(view.params) if place != at]
            # Without the last narrow condition the period would change: say it.
            since = [] if view.question.since or any(n in _WHOLE for n, _ in rest) else [("since", "2000-01-01")]
            found.append((words(f"cond_{name}", lang), names.of(name, value), address(request, path, [*rest, *since])))
    return found


def toggled(params: Sequence[tuple[str, str]], name: str, value: str) -> Pairs:
    """Return parameters with one value added, or taken away where it is there."""
    if (name, value) in params:
        return [pair for pair in params if pair != (name, value)]
    return [*params, (name, value)]


class Names:
    """How people call what parameters name."""

    def __init__(self, settings: Settings, lang: str):
        self._settings, self._lang = settings, lang
        self._watches = {w.id: w.name for w in settings.watches.watches}
        self._products = {w.sku: w.name for w in settings.watches.watches if w.kind == "product" and w.sku}

    def of(self, name: str, value: Any) -> str:
        """Return the name of a parameter's value."""
        text = str(value)
        if name == "source":
            source = self._settings.sources.get(text)
            return source.title if source else text
        if name in ("product", "watch"):
            return self._products.get(text) or self._watches.get(text, text)
        if name in ("sentiment", "voice", "brand") and f"{name}_{text}" in WORDS:
            return words(f"{name}_{text}", self._lang)
        if name == "severity":
            return words("at_least", self._lang, n=text)
        return word(text, self._lang)

    def owner(self, shop: str | None) -> str:
        """Return who answers for a shop."""
        mine = [one.owner for one in self._settings.app.shops if shop in (one.name, one.id)]
        return mine[0] if mine else self._settings.app.default_owner


def failed(error: QuestionError, lang: str) -> dict[str, str]:
    """Return what a page says of a question that can't be answered: which condition, and what to write instead."""
    known = f"cond_{error.field}" in WORDS
    return {"title": words("failed", lang), "field": words(f"cond_{error.field}", lang) if known else error.field, "more": error.message}


def hidden(params: Iterable[tuple[str, str]], *without: str) -> Pairs:
    """Return the parameters that a form carries along."""
    return [pair for pair in params if pair[0] not in without]


def by_value(rows: Iterable[Mapping[str, Any]], name: str, count: str) -> dict[str, int]:
    """Return counts by value of grouped rows."""
    return {str(row[name]): int(row[count] or 0) for row in rows}


def date_of(text: str) -> dt.date | None:
    """Return the date that an address names; None for anything else."""
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None
