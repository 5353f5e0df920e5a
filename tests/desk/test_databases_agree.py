"""Both databases give the same answers to the same questions, whatever is asked and however it is grouped."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reports.desk import ask as desk_of
from reports.desk.ask import SUBJECTS, Desk, Question, ask
from tests.reports.factory import FIRST, LAST, day
from vocwatch.store.desk import rollup
from vocwatch.store.desk.counts import grouped
from vocwatch.store.desk.scope import Scope

QUESTIONS = [
    Question(since=FIRST, until=LAST), Question(topics=("产品质量",), brand=True), Question(levels=("红", "橙"), since=day(25)),
    Question(levels=("无",), until=day(30)), Question(text='漏水 NEAR/8 (杯盖 OR 背包) NOT "第一次"'), Question(text="NOT 漏水", sentiments=("negative",)),
    Question(text="渗 OR 漏", products=("pc-b2", "PC-H1")), Question(red_lines=("假货",)), Question(voices=("customer",), sources=("forum", "notes")),
    Question(watches=("songguoxia",), states=("新增", "升级")), Question(severity=2, since=day(26), until=day(26)), Question(text="NOT (漏水 NEAR/3 杯盖)"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: "&".join("=".join(pair) for pair in question.to_params()))
def test_rows_and_groups(desk: Desk, other_desk: Desk, question: Question) -> None:
    for subject in SUBJECTS:
        assert _plain(ask(desk, subject, question).rows) == _plain(ask(other_desk, subject, question).rows)
    for name in SUBJECTS["mentions"]:
        one, other = (_plain(ask(each, "mentions", question, group=(name,)).rows) for each in (desk, other_desk))
        assert one == other, name


def test_views(desk: Desk, other_desk: Desk) -> None:
    question = Question(since=FIRST, until=LAST)
    for step in ("day", "week", "month"):
        assert desk_of.series(desk, question, "topic", step) == desk_of.series(other_desk, question, "topic", step)
    assert desk_of.heat(desk, question) == desk_of.heat(other_desk, question)
    assert desk_of.facets(desk, question, ("source", "level")) == desk_of.facets(other_desk, question, ("source", "level"))
    for each in (desk, other_desk):
        rollup.refresh(each.store, each.settings.app.zone)
    assert desk_of.series(desk, question, "topic") == desk_of.series(other_desk, question, "topic")
    assert desk_of.facets(desk, question, ("source", "level")) == desk_of.facets(other_desk, question, ("source", "level"))


@pytest.mark.parametrize("name", ["Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
def test_days_are_those_of_the_zone_across_a_change_of_clocks(desk: Desk, other_desk: Desk, name: str) -> None:
    """New York puts its clocks back on 2026-11-01: that day has 25 hours."""
    zone = ZoneInfo(name)
    for each in (desk, other_desk):
        with each.read() as connection:
            found = {c.values[0]: c.mentions for c in grouped(connection, Scope(Question(), zone), ("day",))}
            assert all(
                sum(c.mentions for c in grouped(connection, Scope(Question(since=date, until=date), zone), ())) == number
                for date, number in found.items() if dt.date(2026, 10, 30) <= date <= dt.date(2026, 11, 3)
            )
            assert len(found) >= 40


def _plain(rows: Any) -> list[str]:
    return sorted(str({name: value for name, value in row.items() if name != "p"}) for row in rows)
