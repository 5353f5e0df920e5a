"""`explain` and `replay` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.reports.conftest import shipped as shipped
from tests.reports.conftest import story as story
from tests.reports.conftest import story_file as story_file
from tests.reports.factory import PLANTED, day
from tests.reports.test_incidents import dump, listed
from vocwatch.cli.app import run
from vocwatch.store import Store
from vocwatch.store import schema as s


@pytest.fixture
def database(story: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The invented story as the command line's own database."""
    for name, value in {
        "VOCWATCH_HOME": str(ROOT), "VOCWATCH_DATA": str(tmp_path / "data"), "VOCWATCH_SECRET": "test",
        "VOCWATCH_DATABASE_URL": f"sqlite:///{tmp_path / 'copy.sqlite3'}",
    }.items():
        monkeypatch.setenv(name, value)
    return story


def test_explain_prints_parts_rows_and_evidence(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    incident = listed(database, PLANTED["burn"])[0]["id"]
    assert run(["explain", incident]) == 0
    shown = capsys.readouterr().out
    assert incident in shown and "敏感度" in shown and "内外印证" in shown and "证据 " in shown and "https://" in shown
    assert run(["explain", incident, "--date", PLANTED["burn"].isoformat(), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["incident"] == incident and len(told["parts"]) == 6 and told["texts"]
    assert run(["--lang", "en", "explain", incident]) == 0
    assert "sensitivity" in capsys.readouterr().out
    run(["--lang", "zh", "explain", incident])


def test_what_is_not_there_is_said_with_the_next_step(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "INC-1"]) == 2
    assert "vocwatch query incidents" in capsys.readouterr().err
    incident = listed(database, PLANTED["burn"])[0]["id"]
    assert run(["explain", incident, "--date", day(20).isoformat()]) == 2
    assert PLANTED["burn"].isoformat() in capsys.readouterr().err


def test_replay_takes_weights_from_a_file_and_changes_nothing(
    database: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dump(database)
    weights = tmp_path / "weights.yaml"
    weights.write_text("spread: 65\nsensitivity: 5\nintensity: 5\nevolution: 5\n", encoding="utf-8")
    days = ["--from", day(28).isoformat(), "--to", day(30).isoformat()]
    assert run(["replay", *days, "--weights", str(weights), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["moved"] > 0 and told["formula"] != told["replayed"]
    assert run(["replay", *days, "--weights", str(weights)]) == 0
    assert "没有改动任何记录" in capsys.readouterr().err
    assert run(["replay", "--from", day(30).isoformat(), "--to", day(28).isoformat()]) == 2
    weights.write_text("sprad: 65\n", encoding="utf-8")
    assert run(["replay", *days, "--weights", str(weights)]) == 4
    assert "spread" in capsys.readouterr().err and dump(database) == before


def test_what_the_shop_says_itself_is_listed_and_not_counted_as_a_verdict(
    database: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.begin() as connection:
        first = connection.execute(s.assessments.select().where(s.assessments.c.text_kind == "mention").limit(1)).one()
        connection.execute(s.assessments.update().where(s.assessments.c.id == first.id).values(voice="merchant"))
    assert run(["query", "mentions", "--format", "jsonl", "--order", "time", "--limit", "50"]) == 0
    rows = {row["id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    told = [rows[first.ref_id][name] for name in ("voice", "sentiment", "score", "topics")]
    assert told == ["merchant", None, None, None]
    assert all(row["sentiment"] and row["topics"] is not None for number, row in rows.items() if number != first.ref_id)
    assert run(["query", "mentions", "--format", "csv", "--limit", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 4
