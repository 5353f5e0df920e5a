"""The shipped mappings over the practice web's exports, and over material outside the repository."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from sessions.importer import import_file
from tests.conftest import ROOT, SHARED
from vocwatch.clock import FixedClock, parse_moment
from vocwatch.settings import Settings
from vocwatch.store import Store
from vocwatch.store.schema import sessions, turns

PRACTICE = ROOT / "examples" / "practice"
SCENARIO = SHARED / "scenario"


def run(*arguments: str | Path, cwd: Path) -> None:
    subprocess.run([sys.executable, "-B", *map(str, arguments)], cwd=cwd, check=True, capture_output=True)


def texts(store: Store) -> dict[str, str]:
    with store.read() as connection:
        query = sa.select(sessions.c.native_id, sessions.c.review, turns.c.text).join(
            turns, turns.c.session_id == sessions.c.id
        )
        found: dict[str, str] = {}
        for row in connection.execute(query):
            found[row.native_id] = found.get(row.native_id, "") + f"{row.review}\n{row.text}\n"
        return found


def test_the_practice_exports_import_without_a_word_from_anyone(
    settings: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    run("exports.py", tmp_path / "exports", cwd=PRACTICE)
    clock = FixedClock(parse_moment("2026-12-31T00:00:00", settings.app.zone))
    files = sorted((tmp_path / "exports").iterdir())
    reports = [import_file(settings, sqlite_store, path, clock=clock) for path in files]
    assert {path for report in reports for path in report.paths} >= {
        "服务红线",
        "非满意",
        "中差评",
        "品退",
        "流失",
    }
    assert all(report.added == report.rows - sum(not p.kept for p in report.problems) for report in reports)
    # One row is bad on purpose: a date that no calendar has.
    assert [p.column for report in reports for p in report.problems] == ["咨询时间"]
    rows = [
        json.loads(line)
        for line in (PRACTICE / "data" / "sessions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    stored = texts(sqlite_store)
    assert not [
        row["id"]
        for row in rows
        if row["id"] in stored and (row["buyer"] in stored[row["id"]] or row["order_no"] in stored[row["id"]])
    ]
    again = [import_file(settings, sqlite_store, path, clock=clock) for path in files]
    assert sum(report.added + report.updated for report in again) == 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    subprocess.run(
        [
            sys.executable,
            "-B",
            "build.py",
            "--world",
            "dev",
            "--days",
            "42",
            "--seed",
            "7",
            "--out",
            str(folder),
        ],
        cwd=SCENARIO,
        check=True,
        capture_output=True,
    )
    return folder


def exporter() -> ModuleType:
    sys.path.insert(0, str(SCENARIO))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec = importlib.util.spec_from_file_location("scenario_exports", SCENARIO / "export_sessions.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(SCENARIO))
        sys.dont_write_bytecode = writes


@pytest.mark.shared
@pytest.mark.skipif(not SCENARIO.is_dir(), reason="the scenario kit is not here")
@pytest.mark.parametrize(("kind", "suffix"), [("xlsx", "xlsx"), ("csv-gbk", "csv"), ("jsonl", "jsonl")])
def test_all_sessions_of_a_world_and_none_of_its_personal_data(
    settings: Settings, sqlite_store: Store, tmp_path: Path, world: Path, kind: str, suffix: str
) -> None:
    clock = FixedClock(parse_moment("2030-01-01T00:00:00", settings.app.zone))
    module = exporter()
    exported, rows, problems = 0, 0, 0
    # Writing workbooks takes longest: every third day will do for them.
    days = range(1, 43, 3 if kind == "xlsx" else 1)
    for day in days:
        path = tmp_path / f"day{day:02d}.{suffix}"
        exported += module.export(str(world), day, kind, str(path))
        report = import_file(settings, sqlite_store, path, clock=clock)
        rows, problems = rows + report.added, problems + len(report.problems)
    truth: dict[str, Any] = json.loads((world / "truth.json").read_text(encoding="utf-8"))
    assert problems == 0
    raw = [
        json.loads(line) for line in (world / "sessions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    raw = [session for session in raw if session["day"] in days]
    assert rows == exported == len(raw)
    assert kind == "xlsx" or rows == len(truth["sessions"])
    with sqlite_store.read() as connection:
        counted = Counter(connection.execute(sa.select(sessions.c.path)).scalars())
        customers = connection.execute(
            sa.select(sa.func.count(sa.distinct(turns.c.session_id))).where(turns.c.role == "customer")
        ).scalar()
    assert counted == Counter(session["path"] for session in raw)
    assert customers == rows
    stored = texts(sqlite_store)
    planted = [item for item in truth["pii"] if item["where"] in stored]
    left = [item for item in planted if item["value"] in stored[item["where"]]]
    assert planted and len(left) <= len(planted) * 0.01, left
    named = [
        s["session_id"]
        for s in raw
        if s["buyer"] in stored[s["session_id"]] or (s["staff"] or "\0") in stored[s["session_id"]]
    ]
    assert not named
