"""The work lock, and days that were missed."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sessions.folder import exports_in
from tests.conftest import ROOT
from vocwatch.scheduler import Busy, catch_up, only_one
from vocwatch.settings import Settings
from vocwatch.store import Store, runs

HOLD = """
import sys
from vocwatch.scheduler import only_one
from vocwatch.settings import load_settings
with only_one(load_settings()):
    print("held", flush=True)
    sys.stdin.read()
"""


def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("VOCWATCH_")}
    return {**kept, "VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test"}


def test_only_one_works_on_a_data_folder_and_kill_9_lets_go(settings: Settings, home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(Busy), only_one(settings):
            pass
        holder.kill()
    with only_one(settings):
        pass


def test_exports_are_taken_by_name_and_kind(tmp_path: Path) -> None:
    for name in ("b.xlsx", "a.csv", "readme.md", ".half.csv", "c.jsonl"):
        (tmp_path / name).touch()
    assert [path.name for path in exports_in(tmp_path)] == ["a.csv", "b.xlsx", "c.jsonl"]


def test_missed_days_are_made_up_for_once(settings: Settings, sqlite_store: Store) -> None:
    day = dt.date(2026, 11, 15)
    assert len(catch_up(settings, sqlite_store, day)) == 35
    assert len(catch_up(settings, sqlite_store, day)) == 1
    with sqlite_store.read() as connection:
        assert runs.latest(connection, "incidents", "2026-11-01") is not None


def test_a_job_may_wait_for_the_lock(settings: Settings, home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        held = threading.Event()

        def take() -> None:
            with only_one(settings, wait=True):
                held.set()

        waiting = threading.Thread(target=take)
        waiting.start()
        assert not held.is_set()
        holder.communicate()
        waiting.join(30)
    assert held.is_set()
