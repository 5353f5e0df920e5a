"""The list of guards: each still stands where it is said to stand, and the tool can tell red from green."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sabotage", ROOT / "tools" / "sabotage.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sabotage"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tool = _tool()
ROWS = tool.load_rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.fault} {row.guard}")
def test_a_guard_stands_where_it_is_said_to_stand(row: object) -> None:
    for name, text in tool.sabotaged(row).items():
        if name.endswith(".py"):
            ast.parse(text)  # what goes red must be the missing guard, not a broken file


def test_the_named_tests_exist() -> None:
    for row in ROWS:
        for test in row.tests:
            name, _, function = test.partition("::")
            assert (ROOT / name).exists(), f"{row.place}: {name}"
            tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
            names = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
            wanted = [part.partition("[")[0] for part in function.split("::") if part]
            assert set(wanted) <= names, f"{row.place}: {test}"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A tiny tree with one guard that is tested and one that is not."""
    root = tmp_path / "house"
    (root / "crawlers").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "crawlers" / "__init__.py").write_text("def limit(n):\n    n = max(n, 0)\n    n = min(n, 9)\n    return n\n")
    (root / "tests" / "__init__.py").write_text("")
    (root / "tests" / "test_limit.py").write_text(
        "import pytest\nfrom crawlers import limit\n\n"
        "def test_low():\n    assert limit(-3) == 0\n\n\ndef test_calm():\n    assert limit(3) == 3\n\n\n"
        "@pytest.mark.skip\ndef test_never():\n    assert False\n"
    )
    return root


def _row(old: str, new: str, test: str) -> object:
    edit = tool.Edit("crawlers/__init__.py", old, new)
    return tool.Row("F00", "x", (edit,), (f"tests/test_limit.py::{test}",), "here")


def test_red_green_and_broken_are_told_apart(house: Path) -> None:
    rows = [
        _row("    n = max(n, 0)\n", "", "test_low"), _row("    n = min(n, 9)\n", "", "test_low"),
        _row("    return n\n", "    return n +\n", "test_calm"),
    ]
    verdicts = tool.run(rows, 2, house)
    assert [verdict.word for verdict in verdicts] == ["red", "GREEN(!)", "BROKEN(!)"]
    assert [verdict.good for verdict in verdicts] == [True, False, False]
    assert "GREEN(!)" in tool.table(verdicts)
    assert "max(n, 0)" in (house / "crawlers" / "__init__.py").read_text()


def test_a_row_whose_tests_do_not_run_or_pass_as_things_are_is_refused(house: Path) -> None:
    with pytest.raises(tool.RowError, match="do not pass"):
        tool.run([_row("    n = max(n, 0)\n", "", "test_never")], 1, house)
    with pytest.raises(tool.RowError, match="stands 0 times"):
        tool.sabotaged(_row("nothing of that kind", "", "test_low"), house)
    shutil.rmtree(house / "tests")
