"""`feedback` on incidents and `calibrate` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.calibrate import values
from tests.cli.test_measures import use
from tests.reports.conftest import shipped as shipped
from tests.reports.conftest import story as story
from tests.reports.conftest import story_file as story_file
from tests.reports.factory import PLANTED, day
from tests.reports.test_calibrate import TEAM, plant, say_all
from tests.reports.test_incidents import dump, listed
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.settings import Settings
from vocwatch.store import Store


@pytest.fixture
def database(story: Store, shipped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The invented story as the command line's own database."""
    use(monkeypatch, shipped, tmp_path)
    return story


def test_feedback_on_an_incident_takes_level_and_day(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    incident = listed(database, PLANTED["burn"])[0]["id"]
    assert run(["feedback", incident, "不准", "--level", "橙", "--date", PLANTED["burn"].isoformat()]) == 0
    assert "vocwatch calibrate" in capsys.readouterr().err
    assert run(["feedback", "list", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["subject_id"] == f"{incident}/{PLANTED['burn'].isoformat()}" and row["label"] == "橙"
    assert run(["feedback", incident, "不准", "--level", "紫"]) == Exit.USAGE
    assert run(["feedback", incident, "准", "--date", day(21).isoformat()]) == Exit.USAGE
    assert run(["feedback", "KF00001", "准", "--level", "橙"]) == Exit.USAGE
    assert "只用于事件" in capsys.readouterr().err


def test_too_few_words_are_told_with_what_is_missing(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate"]) == Exit.INCOMPLETE
    shown = capsys.readouterr()
    assert "证据不足" in shown.err and "至少要 30" in shown.err and "可用 0" in shown.out


def test_the_proposal_is_a_file_that_replay_reads_and_nothing_else_changes(
    database: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.calibrate.intervals", lambda used, risk, rounds: dict.fromkeys(values(risk), (0.0, 100.0)))
    plant(database, 60)
    say_all(database, TEAM)
    before = dump(database)
    days = ["--from", day(29).isoformat(), "--to", day(29).isoformat()]
    file = tmp_path / "out" / "risk.yaml"
    assert run(["calibrate", *days, "--out", str(file)]) == 0
    shown = capsys.readouterr()
    assert "没有启用" in shown.err and "McNemar" in shown.out and "查准：按主题" in shown.out
    text = file.read_text(encoding="utf-8")
    assert text.startswith("#") and "levels:" in text and "没有启用" in text
    assert run(["replay", *days, "--weights", str(file), "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert run(["calibrate", *days, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert replayed["replayed"] == told["proposed"]["formula"] and replayed["moved"] == len(told["replay"]["moved"])
    assert Path(told["file"]).parent == tmp_path / "data" / "calibration" and dump(database) == before
    assert run(["--lang", "en", "calibrate", *days, "--out", str(file)]) == 0
    assert "people\\told" in capsys.readouterr().out and "Not active" in file.read_text(encoding="utf-8")
    assert run(["calibrate", "--from", "2026-11-01"]) == Exit.USAGE
