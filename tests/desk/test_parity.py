"""The same count wherever it is shown: mail, command line, export, SQL view, and what console and API ask through."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from reports.desk.ask import Desk, Question, ask
from reports.desk.export import export
from reports.facts import build_facts
from reports.shape import Facts
from tests.reports.conftest import morning
from tests.reports.factory import SOURCES, day
from vocwatch.cli.app import run
from vocwatch.cli.context import Context
from vocwatch.store.desk import rollup
from vocwatch.store.incidents import VOICES

SEED = 20_261_116
NUMBER = 100
DATES = (28, 30, 34, 36, 40)


@dataclass(frozen=True)
class Case:
    """A question with what the mail of a day says."""

    subject: str
    question: Question
    mail: int
    where: str
    values: dict[str, Any]


@pytest.fixture(scope="module")
def mails(desk: Desk) -> dict[int, Facts]:
    return {number: build_facts(desk.settings, desk.store, day(number), now=morning(day(number))) for number in DATES}


def cases(mails: dict[int, Facts]) -> Iterator[Case]:
    """Random questions that a mail answers as well: volumes of days and sources, incidents and their mentions."""
    draw = random.Random(SEED)
    made = 0
    while made < NUMBER:
        number = draw.choice(DATES)
        facts, date = mails[number], day(number)
        brand = {"brand": True, "voices": VOICES}
        negative = draw.random() < 0.5
        sentiments = ("negative",) if negative else ()
        tone = " AND sentiment = 'negative'" if negative else ""
        what = draw.randrange(4)
        if what == 0:
            told = draw.choice(facts.trend)
            mail = told.negative if negative else told.total
            question = Question(since=told.date, until=told.date, sentiments=sentiments, **brand)
            where, values = f"v_mentions WHERE day = :day AND brand AND voice IN ('customer', 'media'){tone}", {"day": told.date}
        elif what == 1:
            name = draw.choice(sorted(SOURCES))
            platform = next(p for p in facts.platforms if p.name == name)
            mail = platform.negative if negative else platform.total
            question = Question(since=date, until=date, sources=(name,), sentiments=sentiments, **brand)
            where = f"v_mentions WHERE day = :day AND source = :source AND brand AND voice IN ('customer', 'media'){tone}"
            values = {"day": date, "source": name}
        elif what == 2:
            mail = len(facts.risks) + facts.more_risks
            question, where, values = Question(since=date, until=date), "v_incidents WHERE day = :day AND NOT to_check", {"day": date}
            yield Case("incidents", question, mail, where, values)
            made += 1
            continue
        else:
            last = [risk for risk in (*facts.risks, *facts.others) if number == DATES[-1]]
            if not last:
                continue
            risk = draw.choice(last)
            mail, question = len(risk.mention_urls), Question(incident=risk.incident)
            where = "v_mentions v JOIN v_members x ON x.kind = 'mention' AND x.id = v.id WHERE x.incident = :incident"
            values = {"incident": risk.incident}
        if mail is not None:
            yield Case("mentions", question, mail, where, values)
            made += 1


def test_a_hundred_random_questions_have_one_answer(
    desk: Desk, other_desk: Desk, mails: dict[int, Facts], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Context, "settings", desk.settings)
    monkeypatch.setattr(Context, "store", desk.store)
    for each in (desk, other_desk):
        rollup.ready(each.store, each.settings.app.zone)
    found = list(cases(mails))
    assert len(found) == NUMBER and len({case.question for case in found}) > 40 and sum(case.mail > 0 for case in found) > 60
    for case in found:
        told = {
            "asked": ask(desk, case.subject, case.question).total, "asked elsewhere": ask(other_desk, case.subject, case.question).total,
            "command": _command(case, capsys), "export": _exported(desk, case), "view": _view(desk, case), "view elsewhere": _view(other_desk, case),
        }
        assert set(told.values()) == {case.mail}, (case, told)


def _command(case: Case, capsys: pytest.CaptureFixture[str]) -> int:
    capsys.readouterr()
    words = ["query", case.subject, "--format", "jsonl"]
    for name, value in case.question.to_params():
        words += ["--brand"] if name == "brand" else [f"--{name}", value]
    assert run(words) == 0
    return len([json.loads(line) for line in capsys.readouterr().out.splitlines()])


def _exported(desk: Desk, case: Case) -> int:
    text = b"".join(export(ask(desk, case.subject, case.question), "csv")).decode()
    return len(list(csv.reader(text.splitlines(keepends=True)))) - 1


def _view(desk: Desk, case: Case) -> int:
    with desk.read() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {case.where}"), case.values).scalar_one())
