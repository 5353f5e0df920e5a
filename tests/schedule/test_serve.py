"""The standing schedule started and stopped as an operator does, and what `vocwatch status` says of it."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reports.web.app import make_app
from tests.conftest import ROOT
from tests.schedule.kit import Stepping, engine
from tests.test_scheduler import environment
from tests.web.login import client_of
from vocwatch.cli.app import run
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.exits import Exit
from vocwatch.schedule import serve
from vocwatch.schedule.work import tasks_of
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import leases, open_store


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_schedule_works_at_once_and_stops_gracefully(home: Path, stop: signal.Signals) -> None:
    code = "from vocwatch.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "schedule"], cwd=ROOT, env=environment(home), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert "09:00" in first
        process.send_signal(stop)
        rest = process.stderr.read()
        assert process.wait() == 0, rest
        assert "已停止" in rest and "Traceback" not in rest


def test_status_tells_of_schedulers_jobs_and_the_next_digest(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOCWATCH_HOME", str(home))
    assert run(["status"]) == Exit.INCOMPLETE
    assert "vocwatch schedule" in capsys.readouterr().out


def test_status_as_json_names_every_job_and_what_is_held(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOCWATCH_HOME", str(home))
    monkeypatch.setenv("VOCWATCH_NOW", "2026-11-16T08:30:00")
    settings = load_settings(read_environment())
    settings.env.data.mkdir()
    store = open_store(settings.env.database_url)
    scheduler = engine(settings, store, Stepping(settings.clock.now()), tasks=tasks_of, digests=True)  # type: ignore[arg-type]
    scheduler._tasks = {name: task for name, task in scheduler._tasks.items() if name in ("watch", "deliver")}
    scheduler.tick()
    with store.begin() as connection:
        leases.move(connection, "watch", settings.clock.now())
        assert leases.claim(connection, leases.jobs(connection, "watch")[0], "elsewhere:7", settings.clock.now())
    assert run(["status", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert [one["state"] for one in told["schedulers"]] == ["running"] and told["heartbeat"]["given_at"]
    jobs = {row["job"]: row for row in told["jobs"]}
    assert jobs["watch"]["state"] == "running" and jobs["deliver"]["next_due"]
    assert [(one["lane"], one["owner"]) for one in told["leases"]] == [("watch", "elsewhere:7")]
    assert told["next_digest"]["due_at"].startswith(str(dt.date.fromisoformat(told["next_digest"]["date"]) + dt.timedelta(days=1)))
    assert run(["status"]) == Exit.OK
    shown = capsys.readouterr().out
    assert "elsewhere:7" in shown and "在运行" in shown
    with client_of(settings, store, "reader", app=make_app(settings, store, DeskTools)) as client:
        page = client.get("/status").text
    assert "一切正常" in page and "在运行" in page and "watch" in page and told["next_digest"]["date"] in page
    store.close()


def test_the_page_says_first_that_nothing_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOCWATCH_HOME", str(home))
    settings = load_settings(read_environment())
    settings.env.data.mkdir()
    store = open_store(settings.env.database_url)
    with client_of(settings, store, "reader", app=make_app(settings, store, DeskTools)) as client:
        page = client.get("/status").text
    assert "没有常驻进程在运行" in page and "vocwatch schedule" in page and "一切正常" not in page
    store.close()


def test_unit_and_container_file_start_what_there_is() -> None:
    unit = (ROOT / "deploy" / "vocwatch.service").read_text(encoding="utf-8")
    options = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    assert options["ExecStart"].split()[1:] == ["schedule"] and options["KillMode"] == "mixed"
    assert int(options["TimeoutStopSec"]) > serve.CRAWL_GRACE_SECONDS
    assert {int(code) for code in options["RestartPreventExitStatus"].split()} == {Exit.USAGE, Exit.CONFIGURATION}
    for line in (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY "):
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line
