"""Marks: noted once, taken back by who made them, never leading elsewhere; work on a case that can't be done is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from reports.desk.ask import Desk
from tests.web.login import LoggedIn, client_of
from vocwatch.store import cases, feedback, marks, objections


@pytest.fixture
def client(console: Desk) -> Iterator[LoggedIn]:
    with client_of(console.settings, console.store, "analyst", name="甲") as found:
        yield found


def words_on(desk: Desk, number: int) -> list[dict[str, object]]:
    with desk.store.read() as connection:
        return feedback.rows(connection, subject=("mention", str(number)))


def test_a_mark_is_noted_once_and_shown(client: LoggedIn, console: Desk) -> None:
    for _ in range(2):
        answer = client.post("/marks/mention/1051", data={"verdict": "false", "back": "mentions?q=烫伤&page=1", "note": "电话13800138000"})
        assert answer.status_code == 303 and "noted=marked" in answer.headers["location"] and "q=" in answer.headers["location"]
    [word] = words_on(console, 1051)
    assert (word["verdict"], word["who"]) == ("误报", "甲") and "13800138000" not in str(word["note"])
    page = client.get("/mentions?q=烫伤&since=2026-11-15&noted=marked&n=1&v=false").text
    assert "已标 误报" in page and "已给 1 条标记“误报”" in page and "data-undo" in page
    part = client.post("/marks/mention/1051", data={"verdict": "right"}, headers={"HX-Request": "true"}).text
    assert "已标 准" in part and "<html" not in part


def test_a_mark_is_taken_back_by_who_made_it_soon_and_uncontested(client: LoggedIn, console: Desk) -> None:
    now = console.settings.clock.now()
    client.post("/marks/mention/1051", data={"verdict": "false"})
    [word] = words_on(console, 1051)
    with client_of(console.settings, console.store, "analyst", name="乙") as other:
        answer = other.post(f"/unmark/mention/1051/{word['id']}", data={"back": "mentions/1051"})
        assert "noted=undo_gone" in answer.headers["location"] and words_on(console, 1051)
        assert "data-undo" not in other.get("/mentions/1051").text
    with console.store.begin() as connection:
        assert marks.withdraw(connection, int(str(word["id"])), "甲", now + dt.timedelta(minutes=1)) is None
        number = objections.raise_one(connection, int(str(word["id"])), "乙", "有照片", now)
        assert marks.withdraw(connection, int(str(word["id"])), "甲", now) is None
        objections.withdraw(connection, number, "乙", now)
    client.post("/marks/mention/1052", data={"verdict": "repeat"})
    [fresh] = words_on(console, 1052)
    answer = client.post(f"/unmark/mention/1052/{fresh['id']}", data={"back": "mentions/1052"})
    assert answer.headers["location"].endswith("mentions/1052?noted=undone&v=repeat") and words_on(console, 1052) == []
    assert "已撤销“重复”" in client.get("/mentions/1052?noted=undone&v=repeat").text


@pytest.mark.parametrize("back", [
    "https://evil.example/", "//evil.example", "javascript:alert(1)", "mentions/../../x", "mentions\\..\\x", "/\\evil", "account", "logout", "mentions?\r\nSet-Cookie: a=b",
])
def test_a_form_leads_back_to_the_desk_and_nowhere_else(client: LoggedIn, back: str) -> None:
    answer = client.post("/marks/mention/1051", data={"verdict": "right", "back": back})
    location = answer.headers["location"]
    assert answer.status_code == 303 and location.split("?")[0].endswith("../mentions") and "evil" not in location.split("?")[0]
    assert "\n" not in location and "set-cookie" not in answer.headers


def test_what_is_not_there_or_not_a_mark_is_not_noted(client: LoggedIn, console: Desk) -> None:
    for path, data in (("/marks/mention/1051", {"verdict": "settled"}), ("/marks/incident/1", {"verdict": "right"}), ("/marks/mention", {"verdict": "right"}),
                       ("/marks/mention", {"verdict": "right", "id": "x"}), ("/marks/mention/999999", {"verdict": "right"})):
        assert client.post(path, data=data).status_code == 303
    with console.store.read() as connection:
        assert feedback.rows(connection) == []


def test_work_that_cannot_be_done_is_told_and_nothing_is_written(client: LoggedIn, console: Desk) -> None:
    tries = (
        ("/cases", {"subject": "INC-none", "owner": "何雨"}, "没有这个事件或提及"), ("/cases", {"subject": "1051", "owner": " "}, "要写交给谁"),
        ("/cases", {"subject": "1051", "owner": "何雨", "due": "明天"}, "日期看不懂"), ("/cases/77/close", {"outcome": "clarified"}, "没有跟进 77"),
        ("/cases/77/burn", {}, "没有这个页面"), ("/say", {"subject": "INC-none/2026-11-15", "verdict": "right"}, "已经不在库里"),
        ("/object", {"word": "9999", "note": "x"}, "9999"), ("/settle", {"objection": "1", "verdict": "x"}, "请选一项"),
    )
    for path, data, said in tries:
        answer = client.post(path, data={**data, "back": "incidents"})
        assert answer.status_code == 400 and said in answer.text and "没有做成" in answer.text, (path, data)
    with console.store.read() as connection:
        assert cases.listed(connection, state=None) == [] and feedback.rows(connection) == []


def test_a_third_person_settles_and_only_they(client: LoggedIn, console: Desk) -> None:
    client.post("/marks/mention/1051", data={"verdict": "false"})
    [word] = words_on(console, 1051)
    with client_of(console.settings, console.store, "analyst", name="乙") as other:
        assert other.post("/object", data={"word": str(word["id"]), "note": "有照片"}).status_code == 303
        assert other.post("/settle", data={"objection": "1", "verdict": "right"}).status_code == 400
    assert client.post("/settle", data={"objection": "1", "verdict": "right"}).status_code == 400
    with client_of(console.settings, console.store, "analyst", name="丙") as third:
        assert third.post("/settle", data={"objection": "1", "verdict": "right", "note": "照片属实"}).status_code == 303
    with console.store.read() as connection:
        assert feedback.newest(connection)[("mention", "1051")].verdict == "准"
