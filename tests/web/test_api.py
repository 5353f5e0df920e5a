"""`/api/v1`: the same answers as everywhere, problems in one shape, and nothing that a fuzzer breaks."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.desk.ask import Desk, Question, ask
from reports.web.api.published import openapi
from reports.web.app import make_app
from tests.desk.conftest import brand as brand
from tests.desk.conftest import desk as desk
from tests.reports import factory
from tests.reports.conftest import story_file as story_file
from tests.web.login import LoggedIn, client_of, somebody
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.settings import Settings
from vocwatch.store import Store, cases, feedback
from vocwatch.store.access import log, tokens

DAY = factory.LAST


@pytest.fixture
def own(story_file: Path, brand: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A copy of the forty days that may be changed."""
    shutil.copy(story_file, tmp_path / "own.sqlite3")
    store = Store(f"sqlite:///{tmp_path / 'own.sqlite3'}")
    yield Desk(brand, store)
    store.close()


def token_of(desk: Desk, role: str) -> str:
    user = somebody(desk.settings, desk.store, role)
    with desk.store.begin() as connection:
        return tokens.new(connection, user, "测试", role, desk.settings.clock.now())[1]


@pytest.fixture
def program(own: Desk) -> Iterator[LoggedIn]:
    """A program with an analyst's token."""
    with client_of(own.settings, own.store) as client:
        client.headers["authorization"] = f"Bearer {token_of(own, 'analyst')}"
        yield client


def test_the_numbers_are_those_of_the_desk(program: LoggedIn, own: Desk) -> None:
    since = DAY - dt.timedelta(days=6)
    for group in (["topic"], ["source", "sentiment"], ["day"]):
        answer = program.get("/api/v1/counts/mentions", params={"by": group, "since": since, "limit": 1000}).json()
        expected = ask(own, "mentions", Question(since=since), group=group)
        assert answer["rows"] == json.loads(json.dumps(list(expected.rows), default=str)) and answer["total"] == expected.total
    rows = program.get("/api/v1/mentions", params={"since": since, "limit": 7, "explain": True}).json()
    assert len(rows["rows"]) == 7 and rows["next_offset"] == 7 and rows["total"] > 7 and rows["counted"]
    assert [row["id"] for row in rows["rows"]] == [row["id"] for row in ask(own, "mentions", Question(since=since), limit=7).rows]
    last = program.get("/api/v1/mentions", params={"since": since, "offset": rows["total"] - 1}).json()
    assert len(last["rows"]) == 1 and last["next_offset"] is None
    for subject in ("topics", "incidents", "trends", "sources", "sessions"):
        answer = program.get(f"/api/v1/{subject}", params={"since": since})
        assert answer.status_code == 200 and answer.json()["subject"] == subject, answer.text


def test_one_of_everything_and_what_is_not_there(program: LoggedIn, own: Desk) -> None:
    [row] = program.get("/api/v1/mentions", params={"limit": 1}).json()["rows"]
    assert program.get(f"/api/v1/mentions/{row['id']}").json()["url"] == row["url"]
    [session] = program.get("/api/v1/sessions", params={"limit": 1}).json()["rows"]
    assert "turns" in program.get(f"/api/v1/sessions/{session['id']}").json()
    incident = program.get("/api/v1/incidents", params={"limit": 1}).json()["rows"][0]["incident"]
    assert program.get(f"/api/v1/incidents/{incident}").json()["id"] == incident
    assert program.get("/api/v1/digests").json() == {"audience": "qa", "days": []}
    for path in ("mentions/999999999", "sessions/999999999", "incidents/INC-none", "digests/2026-01-01", "nothing", "cases/9"):
        answer = program.get(f"/api/v1/{path}")
        assert answer.status_code in (404, 405) and answer.json()["error"] == "not-found", path
    with own.store.read() as connection:
        said = {(entry.what, entry.subject.partition("?")[0]) for entry in log.entries(connection)}
    assert {("view", f"mention {row['id']}"), ("view", f"session {session['id']}"), ("export", "api/mentions")} <= said


BAD: list[tuple[str, dict[str, Any], str | None]] = [
    ("mentions", {"since": "yesterday"}, "since"), ("mentions", {"q": '掉色 AND ("'}, "q"), ("mentions", {"sauce": "x"}, "sauce"),
    ("mentions", {"limit": 1001}, "limit"), ("mentions", {"order": "id; DROP TABLE users"}, "order"), ("counts/mentions", {}, "by"),
    ("counts/mentions", {"by": "author"}, "by"), ("counts/mentions", {"by": "topic", "change": True}, "since"),
    ("mentions", {"sentiment": "angry"}, "sentiment"), ("counts/users", {"by": "topic"}, "subject"), ("mentions", {"q": "，。！"}, "q"),
    ("mentions/abc", {}, "number"), ("mentions", {"since": "2026-11-02", "until": "2026-11-01"}, "since"),
]


@pytest.mark.parametrize(("path", "params", "field"), BAD)
def test_what_can_not_be_read_names_the_field(program: LoggedIn, path: str, params: dict[str, Any], field: str | None) -> None:
    answer = program.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 422 and answer.json()["error"] == "invalid", answer.text
    assert answer.json()["field"] == field and answer.json()["message"]


def test_F47_a_reader_exports_nothing_and_nobody_reads_nothing(own: Desk) -> None:
    with client_of(own.settings, own.store) as client:
        answer = client.get("/api/v1/topics")
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer" and answer.json()["error"] == "login"
        client.headers["authorization"] = f"Bearer {token_of(own, 'reader')}"
        assert client.get("/api/v1/topics").status_code == 200
        for path in ("mentions", "sessions"):
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code == 403 and answer.json()["error"] == "forbidden"
        assert client.post("/api/v1/feedback", json={"subject": "x", "verdict": "准"}).status_code == 403
        client.headers["authorization"] = "Bearer vwt_wrong"
        assert client.get("/api/v1/topics").status_code == 401


def test_feedback_and_cases_are_noted_under_the_name_of_whoever_asks(program: LoggedIn, own: Desk) -> None:
    incident = program.get("/api/v1/incidents", params={"limit": 1}).json()["rows"][0]["incident"]
    said = program.post("/api/v1/feedback", json={"subject": incident, "verdict": "不准", "level": "黄", "note": "电话13800138000"})
    assert said.status_code == 201 and said.json()["who"] == "分析乙"
    made = program.post("/api/v1/cases", json={"subject": incident, "owner": "周楠", "due_on": "2026-12-01", "note": "先看批次"}).json()
    assert (made["owner"], made["due_on"], made["state"]) == ("周楠", "2026-12-01", "open")
    done = program.post(f"/api/v1/cases/{made['id']}", json={"outcome": "补偿", "note": "已补发"}).json()
    assert (done["state"], done["outcome"]) == ("closed", "补偿")
    assert program.get("/api/v1/cases").json() == [] and len(program.get("/api/v1/cases", params={"state": "all"}).json()) == 1
    again = program.post(f"/api/v1/cases/{made['id']}", json={"owner": "何雨"})
    assert again.status_code == 422 and "已以“补偿”结案" in again.json()["message"]
    for body, field in (({"subject": "没有", "verdict": "准"}, "subject"), ({"subject": incident, "verdict": "settled"}, "verdict"),
                        ({"subject": incident, "verdict": "准", "who": "别人"}, "who")):
        answer = program.post("/api/v1/feedback", json=body)
        assert answer.status_code == 422 and answer.json()["field"] == field
    assert program.post("/api/v1/cases/999", json={"note": "x"}).status_code == 404
    assert program.post("/api/v1/feedback", content=b"{" * 70_000, headers={"content-type": "application/json"}).status_code == 413
    with own.store.read() as connection:
        [row] = feedback.rows(connection)
        assert (row["who"], row["channel"], row["label"]) == ("分析乙", "api", "黄") and "13800138000" not in row["note"]
        assert {step["who"] for step in cases.history(connection, made["id"])} == {"分析乙"}


def test_a_login_changes_by_the_api_only_with_its_form_token(own: Desk) -> None:
    with client_of(own.settings, own.store, "analyst") as client:
        incident = client.get("/api/v1/incidents", params={"limit": 1}).json()["rows"][0]["incident"]
        body = {"subject": incident, "verdict": "准"}
        token, client.csrf = client.csrf, ""
        refused = client.post("/api/v1/feedback", json=body)
        assert refused.status_code == 403 and refused.json()["error"] == "unsafe"
        assert client.post("/api/v1/feedback", json=body, headers={"X-CSRF-Token": token}).status_code == 201


def test_a_rule_is_tried_and_nothing_is_changed(own: Desk) -> None:
    with client_of(own.settings, own.store, "analyst", app=make_app(own.settings, own.store, DeskTools)) as client:
        broad = client.post("/api/v1/watches/test", json={"fields": {"kind": "keyword", "name": "x", "aliases": ["的"]}}).json()
        assert broad["problems"] and broad["problems"][0]["message"]
        good = client.post("/api/v1/watches/test", json={"fields": {"kind": "keyword", "name": "漏水"}, "days": 28}).json()
        assert not good["problems"] and good["days"] == 28 and good["texts"] > 0
        for body in ({}, {"fields": []}, {"fields": {}, "days": 3}):
            assert client.post("/api/v1/watches/test", json=body).status_code == 422
        assert client.post("/api/v1/watches/test", json={"fields": {"name": [1, {"a": None}], "query": "((" * 50}}).json()["problems"]
    with client_of(own.settings, own.store, "analyst") as without:
        assert without.post("/api/v1/watches/test", json={"fields": {}}).status_code == 404


def test_the_description_is_published_and_says_whom_each_operation_takes(own: Desk) -> None:
    with client_of(own.settings, own.store) as client:
        assert client.get("/api/openapi.json").json() == json.loads(json.dumps(openapi()))
    roles = {(path, method): one["x-role"] for path, methods in openapi()["paths"].items() for method, one in methods.items()}
    assert roles["/api/v1/mentions", "get"] == "analyst" and roles["/api/v1/topics", "get"] == "reader" and len(roles) >= 17
    with client_of(own.settings, own.store, "reader") as client:
        page = client.get("/api").text
    assert all(path in page for path, _ in roles) and "vwt_…" in page


def test_the_database_gone_is_said_to_programs_too(brand: Settings, tmp_path: Path) -> None:
    missing = Store(f"sqlite:///{tmp_path / 'not-there' / 'x.sqlite3'}")
    (tmp_path / "not-there").rmdir()
    with client_of(brand, missing) as client:
        client.headers["authorization"] = "Bearer vwt_x"
        answer = client.get("/api/v1/topics")
    assert answer.status_code == 503 and answer.json()["error"] == "storage"
