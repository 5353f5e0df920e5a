"""One way to ask: every number is held against a count by hand over the rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from reports.desk import ask as desk_of
from reports.desk.ask import SUBJECTS, Desk, Question, QuestionError, ask
from tests.reports.factory import FIRST, LAST, PLANTED, day
from vocwatch.store import schema as s

WHOLE = Question(since=FIRST, until=LAST)


def rows(desk: Desk, **asked: Any) -> list[dict[str, Any]]:
    return list(ask(desk, "mentions", Question(**asked)).rows)


def test_rows_are_those_of_the_contract_and_counted_before_they_are_read(desk: Desk) -> None:
    answer = ask(desk, "mentions", WHOLE, limit=5)
    found = list(answer.rows)
    with desk.store.read() as connection:
        stored = connection.execute(sa.select(sa.func.count()).select_from(s.mentions)).scalar()
    assert (answer.total, len(found)) == (stored, 5)
    assert {"url", "source", "published_at", "text", "brand_match", "watches", "sentiment", "score", "topics", "severity", "spans", "cluster"} <= set(found[0])
    assert [row["published_at"] for row in found] == sorted((row["published_at"] for row in found), reverse=True)


def test_conditions_hold_together(desk: Desk) -> None:
    everything = rows(desk)
    wanted = [
        row for row in everything
        if row["source"] in ("notes", "forum") and "产品质量/漏水" in row["topics"] and row["severity"] >= 2 and row["sku"] == "PC-B2"
    ]
    found = rows(desk, sources=("notes", "forum"), topics=("产品质量/漏水",), severity=2, products=("PC-B2",))
    assert wanted and [row["id"] for row in found] == [row["id"] for row in wanted]


def test_a_main_topic_holds_all_below_it(desk: Desk) -> None:
    found = rows(desk, topics=("产品质量",))
    assert {topic.partition("/")[0] for row in found for topic in row["topics"]} == {"产品质量"}
    assert len(found) == sum(any(t.startswith("产品质量/") for t in row["topics"]) for row in rows(desk))


def test_days_are_business_dates(desk: Desk) -> None:
    found = rows(desk, since=day(28), until=day(28))
    assert found and {
        dt.datetime.fromisoformat(row["published_at"]).astimezone(desk.settings.app.zone).date() for row in found
    } == {day(28)}


@pytest.mark.parametrize("name", [name for name in SUBJECTS["mentions"] if name not in ("red_line", "kind")])
def test_groups_add_up_to_their_rows_and_lead_to_them(desk: Desk, name: str) -> None:
    question = Question(since=day(26), until=day(34))
    answer = ask(desk, "mentions", question, group=(name,))
    for row in list(answer.rows)[:6]:
        if row["link"] is None or row["mentions"] is None:
            continue
        assert ask(desk, "mentions", Question.from_params(_params(row["link"]))).total == row["mentions"], row


def _params(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def test_authors_are_independent_people(desk: Desk) -> None:
    [rumour] = ask(desk, "topics", Question(since=PLANTED["rumour"], until=PLANTED["rumour"], topics=("宣传/假货",))).rows
    assert (rumour["mentions"], rumour["authors"]) == (31, 5)


def test_a_blind_day_is_unknown_and_said(desk: Desk) -> None:
    answer = ask(desk, "mentions", Question(since=day(37), until=day(39), sources=("notes",)), group=("day",))
    by_day = {row["day"]: row["mentions"] for row in answer.rows}
    assert by_day[PLANTED["blind"]] is None and by_day[day(37)]
    assert any("笔记站" in told and "不是 0" in told for told in answer.counted)
    line = desk_of.series(desk, Question(since=day(37), until=day(39)), "source")
    notes = next(line for line in line.lines if line.value == "notes")
    assert notes.values[1] is None and notes.values[0]


def test_what_rose_stands_first(desk: Desk) -> None:
    answer = ask(desk, "trends", Question(since=day(26), until=day(32)))
    first = next(iter(answer.rows))
    assert (first["topic"], first["verdict"]) == ("产品质量/漏水", "上升")


def test_change_against_the_period_before(desk: Desk) -> None:
    question = Question(since=day(26), until=day(32), topics=("产品质量/漏水",))
    [row] = ask(desk, "topics", question, change=True).rows
    before = ask(desk, "mentions", desk_of.period_before(Question(since=day(26), until=day(32), topics=("产品质量/漏水",), brand=True), LAST)).total
    assert row["before"] == before and row["change"] == pytest.approx((row["mentions"] - before) / before)


def test_incidents_and_their_details(desk: Desk) -> None:
    answer = ask(desk, "incidents", Question(topics=("产品质量/漏水",)))
    found = list(answer.rows)
    assert found and not any(row["watched"] for row in found)
    told = desk_of.incident_detail(desk, found[0]["incident"])
    assert told and told["mentions"] and told["sessions"] and told["explained"]["parts"] and told["day"]["why"]
    with desk.store.read() as connection:
        stored = connection.execute(sa.select(sa.func.count()).where(
            s.incident_members.c.incident_id == found[0]["incident"], s.incident_members.c.text_kind == "mention")).scalar()
    assert ask(desk, "mentions", Question(incident=found[0]["incident"])).total == stored
    assert desk_of.incident_detail(desk, "INC-none") is None


def test_levels_are_those_of_the_incident(desk: Desk) -> None:
    level = Counter(row["level"] for row in desk_of.facets(desk, WHOLE, ("source", "level")))
    assert "无" in level and len(level) > 1
    total = sum(row["mentions"] for row in desk_of.facets(desk, WHOLE, "level"))
    assert total == ask(desk, "mentions", WHOLE).total


def test_sessions(desk: Desk) -> None:
    answer = ask(desk, "sessions", Question(since=day(26), until=day(27), paths=("品退",), text="漏水"))
    found = list(answer.rows)
    assert len(found) == answer.total >= 10 and {row["path"] for row in found} == {"品退"}
    by_path = ask(desk, "sessions", Question(since=day(26), until=day(27)), group=("path",))
    assert sum(row["sessions"] for row in by_path.rows) == ask(desk, "sessions", Question(since=day(26), until=day(27))).total
    told = desk_of.session_detail(desk, found[0]["id"])
    assert told and told["turns"][0]["role"] == "customer" and told["judged"]["sentiment"] == "negative"
    assert desk_of.session_detail(desk, 10**9) is None


def test_a_mention_with_all_that_belongs_to_it(desk: Desk) -> None:
    row = rows(desk, since=PLANTED["rumour"], until=PLANTED["rumour"], topics=("宣传/假货",))[0]
    told = desk_of.mention_detail(desk, row["id"])
    assert told and told["judged"]["text"] == row["text"] and told["incidents"] and told["origin"] and told["copies"]
    assert told["health"]["status"] == "ok" and told["revisions"][0]["page_sha"]
    assert desk_of.mention_detail(desk, 10**9) is None


def test_sources_and_the_calendar(desk: Desk) -> None:
    found = {row["source"]: row for row in ask(desk, "sources", WHOLE).rows}
    assert found["notes"]["days_blind"] == 1 and found["forum"]["days_blind"] == 0
    calendar = desk_of.coverage_calendar(desk, day(37), day(39))
    assert [d.status for d in calendar["notes"]] == ["ok", "blocked", "ok"]


def test_heat(desk: Desk) -> None:
    table = desk_of.heat(desk, WHOLE)
    row, column = table.rows.index("产品质量/漏水"), table.columns.index("PC-B2")
    params = table.link(row, column)
    assert params and ask(desk, "mentions", Question.from_params(_params(params))).total == table.values[row][column] > 20


@pytest.mark.parametrize(("params", "field"), [
    ({"since": "2026-13-01"}, "since"), ({"since": "2026-11-02", "until": "2026-11-01"}, "since"), ({"sentiment": "angry"}, "sentiment"),
    ({"severity": "9"}, "severity"), ({"brand": "maybe"}, "brand"), ({"q": "(掉色"}, "q"), ({"q": "%"}, "q"), ({"level": "紫"}, "level"),
    ({"cluster": "-1"}, "cluster"), ({"source": ["s"] * 3 + [str(n) for n in range(300)]}, "source"),
])
def test_what_cannot_be_asked_is_told(params: dict[str, Any], field: str) -> None:
    with pytest.raises(QuestionError) as told:
        Question.from_params(params)
    assert told.value.field == field and told.value.message


def test_parameters_and_question_are_each_other_s_inverse() -> None:
    question = Question(
        since=FIRST, until=LAST, topics=("产品质量", "物流/错发"), sources=("a",), products=("x",), watches=("w",), sentiments=("negative",),
        severity=2, levels=("红", "无"), shops=("店",), paths=("品退",), states=("新增", "待核"), voices=("media",), red_lines=("假货",),
        text='掉色 NEAR/3 (杯 OR "保温 壶")', brand=False, incident="INC-1", cluster=7,
    )
    assert Question.from_params(_params(question.to_params())) == question
    assert Question.from_params({}) == Question() and Question().to_params() == []


def test_what_is_only_to_be_checked_is_listed_when_it_is_asked_for(desk: Desk) -> None:
    listed = list(ask(desk, "incidents", Question()).rows)
    to_check = list(ask(desk, "incidents", Question(states=("待核",))).rows)
    assert listed and to_check and all(row["watched"] for row in to_check) and not any(row["watched"] for row in listed)
    both = ask(desk, "incidents", Question(states=("待核", "新增", "升级", "持续", "回落", "复燃"))).total
    assert both == len(listed) + len(to_check)
