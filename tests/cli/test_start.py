"""A command imports only what it needs, and what there is to call is said once."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from tests.conftest import ROOT
from vocwatch.cli.app import COMMANDS, app, run

HEAVY = {"scrapy", "twisted", "playwright", "jinja2", "lxml", "crawlers", "reports", "sessions", "rjieba", "pypinyin", "snownlp"}
STORE = {"sqlalchemy", "alembic"}
JUDGEMENT = {"numpy", "scipy", "sentiment"}


@pytest.mark.parametrize(("words", "unneeded"), [
    (["--version"], HEAVY | STORE | JUDGEMENT),
    (["--help"], HEAVY | STORE | JUDGEMENT),
    (["judge", "--help"], HEAVY | STORE),
    (["judge", "text.txt"], HEAVY | STORE),
    (["query", "topics"], (HEAVY | JUDGEMENT) - {"reports"}),
], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_a_command_imports_only_what_it_needs(home: Path, words: list[str], unneeded: set[str]) -> None:
    (home / "text.txt").write_text("洗一次就掉色\n", encoding="utf-8")
    code = (
        "import atexit, sys; from vocwatch.cli import main;"
        f"atexit.register(lambda: print('loaded:', *sorted({unneeded!r} & {{name.partition('.')[0] for name in sys.modules}})));"
        "main(sys.argv[1:])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )
    assert ended.stdout.splitlines()[-1] == "loaded:"


def test_every_command_that_a_module_adds_is_listed_and_every_listed_one_is_there() -> None:
    modules = {module for module, _ in COMMANDS.values()}
    added: set[tuple[str, str]] = set()
    for module in modules:
        part = typer.Typer()
        import_module(f"vocwatch.cli.{module}").register(part)
        added.update({(name, module) for name in typer.main.get_group(part).commands})
    assert added == {(name, module) for name, (module, _) in COMMANDS.items()}


def test_the_line_in_the_list_is_the_commands_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    assert {name: group.commands[name].help for name in group.commands} == {
        name: line for name, (_, line) in COMMANDS.items()
    }
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{name} " in shown and line in shown for name, (_, line) in COMMANDS.items())
