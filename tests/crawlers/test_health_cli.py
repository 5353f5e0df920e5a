"""`vocwatch source health`: what a person is told of each source, and what to do next."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.crawlers.kit import Lab
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.store import open_store, pages, runs

NOW = dt.datetime.fromisoformat("2026-11-16T08:30:00+08:00")
GOOD: dict[str, Any] = {
    "pages": 30, "records": 40, "new": 12, "mode": "incremental", "relevance": [18, 20],
    "coverage": {"detail.text": [40, 40], "detail.author": [39, 40]},
}


class Office:
    """Two sources with a written past."""

    def __init__(self, home: Path):
        self.lab = Lab(home)
        self.lab.forum("forum", "http://127.0.0.1:1", extra='expect: {canary: "http://127.0.0.1:1/p/1"}')
        self.lab.forum("calm", "http://127.0.0.1:2")
        self.store = open_store(self.lab.settings().env.database_url)
        for days in range(8, 0, -1):
            self.ran("forum", days, SourceStatus.OK, None, GOOD)
            self.ran("calm", days, SourceStatus.OK, None, GOOD)

    def ran(self, name: str, days: float, outcome: SourceStatus, reason: str | None, stats: dict[str, Any]) -> None:
        moment = NOW - dt.timedelta(days=days)
        with self.store.begin() as connection:
            key = runs.start(connection, "crawl", name, moment)
            runs.finish(connection, key, moment, RunStatus.DONE, outcome, reason, stats)


@pytest.fixture
def office(home: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    for name, value in {"HOME": str(home), "DATA": str(home / "var"), "SECRET": "test", "NOW": NOW.isoformat()}.items():
        monkeypatch.setenv(f"VOCWATCH_{name}", value)
    for name in ("VOCWATCH_CONFIG", "VOCWATCH_DATABASE_URL", "VOCWATCH_LANG"):
        monkeypatch.delenv(name, raising=False)
    return Office(home)


def health(capsys: pytest.CaptureFixture[str], *more: str, code: Exit = Exit.INCOMPLETE) -> dict[str, Any]:
    assert run(["source", "health", *more, "--json"]) == code
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_all_fine_is_exit_code_0(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    found = health(capsys, code=Exit.OK)
    assert {row["status"] for row in found.values()} == {"ok"} and found["calm"]["next"] == ""
    assert found["calm"]["records"] == [40] * 8 and found["calm"]["usual_records"] == 40


def test_fallen_fields_are_named_with_what_to_do(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {**GOOD, "coverage": {"detail.text": [40, 40], "detail.author": [4, 40]}, "faults": ["fields"], "relevance": [2, 20]}
    office.ran("forum", 0, SourceStatus.DEGRADED, "detail.author 只有 10% 读到，平时 98%，页面写法可能变了", bad)
    row = health(capsys)["forum"]
    assert row["fallen"] == [{"field": "detail.author", "now": 0.1, "usual": 0.975}]
    assert (row["failures"], row["relevance"], row["usual_relevance"]) == (1, 0.1, 0.9)
    assert "vocwatch source test forum" in row["next"] and "config/sources/forum.yaml" in row["next"]
    assert row["last_good"].startswith("2026-11-15") and row["canary"] == "探针页正常"
    assert run(["--lang", "en", "source", "health", "forum"]) == Exit.INCOMPLETE
    shown = capsys.readouterr().out
    assert "detail.author 10% (98%)" in shown and "markup has changed" in shown and "▁" not in shown


def test_a_source_that_waits_keeps_the_reason_for_waiting(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.ran("forum", 0.04, SourceStatus.BLOCKED, "http://127.0.0.1:1/list 返回 403，拒绝访问", {"pages": 1, "faults": ["forbidden"]})
    office.ran("forum", 0.01, SourceStatus.NOT_RUN, "对方要求 11-16 09:37:31 之后再来，还没到时间", {"audit": {}})
    with office.store.begin() as connection:
        pages.write_state(connection, "forum", NOW, next_allowed_at=NOW + dt.timedelta(hours=1))
    row = health(capsys, "forum")["forum"]
    assert row["status"] == "not-run" and "403" in row["why"] and "09:37:31" in row["why"]
    assert row["failures"] == 1 and row["not_before"].startswith("2026-11-16")
    assert "到时间会自动试一次" in row["next"]


@pytest.mark.parametrize(("fault", "outcome", "word"), [
    ("login", SourceStatus.BLOCKED, "官方接口"), ("soft_empty", SourceStatus.DEGRADED, "--accept"),
    ("drift", SourceStatus.DEGRADED, "页面写法变了"), ("invalid", SourceStatus.DEGRADED, "regex"),
    ("budget", SourceStatus.DEGRADED, "rate.max_pages"), ("timeout", SourceStatus.NOT_RUN, "浏览器"),
    ("robots", SourceStatus.NOT_RUN, "robots.txt"), ("gap", SourceStatus.DEGRADED, "next.max_pages"),
])
def test_every_state_has_a_next_step(
    office: Office, capsys: pytest.CaptureFixture[str], fault: str, outcome: SourceStatus, word: str
) -> None:
    office.ran("forum", 0, outcome, "说明", {**GOOD, "faults": [fault]})
    assert word in health(capsys)["forum"]["next"]


def test_a_source_that_never_ran_and_one_that_is_off(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.lab.forum("fresh", "http://127.0.0.1:3")
    office.lab.forum("idle", "http://127.0.0.1:4", extra="enabled: false")
    found = health(capsys)
    assert found["fresh"]["status"] == "never" and "vocwatch crawl fresh" in found["fresh"]["next"]
    assert found["idle"]["status"] == "disabled"
    assert health(capsys, "idle", code=Exit.OK)


def test_accepted_as_it_is(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["source", "health", "forum", "--accept"]) == Exit.OK
    assert run(["source", "health", "--accept"]) == Exit.USAGE
    capsys.readouterr()
    assert health(capsys, "forum", code=Exit.OK)["forum"]["usual_records"] is None


def test_hostile_reasons_stay_on_their_line(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.ran("forum", 0, SourceStatus.DEGRADED, "页面\x1b]0;own\x07写\n来源\tcalm\t正常", {**GOOD, "faults": ["drift"]})
    assert run(["source", "health"]) == Exit.INCOMPLETE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and all("\x1b" not in line and "\x07" not in line for line in lines)
