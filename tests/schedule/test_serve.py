"""The standing schedule started and stopped as an operator does, and what `vocwatch status` says of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_scheduler import environment
from vocwatch.cli.app import run
from vocwatch.exits import Exit


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
