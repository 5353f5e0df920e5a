"""The guide's commands for feedback and cases, run as they stand, in both languages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.delivery.plant import alarm
from vocwatch.cli import context
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import feedback, objections, open_store

PARTS = {"operate.md": ("Learning from people", "Cases"), "operate.zh-CN.md": ("向人学习", "跟进")}


@pytest.fixture(autouse=True)
def _read_once(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration is not what these tests are about: it is read once for all commands of a test."""
    settings = load_settings(read_environment())
    monkeypatch.setattr(context, "load_settings", lambda _env: settings)


def commands(name: str) -> list[list[str]]:
    """The commands of the guide's two parts, in their order; `serve` stays and has a test of its own."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    found = []
    for title in PARTS[name]:
        block = re.search(rf"^## {title}\n.*?```\n(.*?)```", text, re.S | re.M)
        assert block
        found += [shlex.split(line, comments=True)[1:] for line in block[1].splitlines()]
    return [words for words in found if words[0] != "serve"]


@pytest.mark.parametrize("name", PARTS)
def test_the_guides_commands_work(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(f"sqlite:///{home / 'var' / 'vocwatch.sqlite3'}")
    alarm(store)
    lines = commands(name)
    assert len(lines) == 12
    for words in lines:
        with store.read() as connection:
            word = next((row["id"] for row in feedback.rows(connection)), 0)
        # The guide's numbers are examples; here it is the first of each.
        known = {"INC-20261115-3fa2c1": "inc-burn", "12": str(word), "3": "1", "7": "1"}
        assert run([known.get(part, part) for part in words]) == Exit.OK, (words, capsys.readouterr().err)
    with store.read() as connection:
        assert objections.number_open(connection) == 0
    store.close()
    shown = capsys.readouterr().out
    assert "\ufeff" in shown and ("补偿" in shown)
