"""`vocwatch query`: every subject, every format, the same rows in each; unreadable questions are told, not thrown."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from reports.desk.ask import Desk
from vocwatch.cli.app import run
from vocwatch.cli.context import Context

DAYS = ["--since", "2026-11-01", "--until", "2026-11-07"]


@pytest.fixture
def at_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command line stands on the invented brand's store."""
    monkeypatch.setattr(Context, "settings", desk.settings)
    monkeypatch.setattr(Context, "store", desk.store)
    yield


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    assert run(["query", *words]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("words", [
    ["mentions", "--source", "notes", "--source", "forum", "--topic", "产品质量", "--severity", "2"], ["topics", "--change"],
    ["topics", "--by", "product"], ["incidents"], ["incidents", "--by", "level"], ["trends"], ["sessions", "--path", "品退"],
    ["sessions", "--by", "path", "--by", "week"], ["sources"], ["mentions", "--by", "day", "--by", "sentiment"],
], ids=" ".join)
@pytest.mark.usefixtures("at_desk")
def test_every_format_holds_the_same_rows(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pyarrow import parquet

    words = [*words, *DAYS]
    whole = json.loads("\n".join(lines(capsys, *words, "--format", "json")))
    assert whole
    assert [json.loads(line) for line in lines(capsys, *words, "--format", "jsonl")] == whole
    assert len(lines(capsys, *words)) == len(whole) + 1
    for name in ("csv", "xlsx", "parquet"):
        lines(capsys, *words, "--format", name, "--out", str(tmp_path / f"rows.{name}"))
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    sheet = [list(row) for row in openpyxl.load_workbook(tmp_path / "rows.xlsx").active.iter_rows(values_only=True)]
    stored = parquet.read_table(tmp_path / "rows.parquet")
    assert len(table) == len(sheet) == stored.num_rows + 1 == len(whole) + 1
    assert table[0] == sheet[0] and len(stored.column_names) == len(table[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv", "rows.parquet", "rows.xlsx"]


@pytest.mark.usefixtures("at_desk")
def test_explain_says_what_was_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", "topics", "--since", "2026-11-10", "--until", "2026-11-15", "--explain"]) == 0
    told = capsys.readouterr().err
    assert "独立" not in told and "笔记站 有 1 天没有读全，不是 0：11-13" in told and "各行之和可能大于总数" in told


@pytest.mark.usefixtures("at_desk")
def test_only_the_columns_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, "mentions", "--columns", "source,url", "--limit", "1", "--format", "csv")[0] == '"来源","链接"'
    assert run(["query", "mentions", "--columns", "nothing", "--format", "csv"]) == 2
    assert "可用：id" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "told"), [
    (["mentions", "--text", "(掉色"], "--text"), (["mentions", "--text", '"掉色'], "引号没有配对"), (["mentions", "--sentiment", "bad"], "negative"),
    (["mentions", "--since", "yesterday"], "2026-11-15"), (["mentions", "--by", "mood"], "不能按 mood 分组"), (["topics", "--change"], "since"),
    (["mentions", "--change", "--since", "2026-11-01"], "--by"), (["mentions", "--order", "price"], "没有这种排序"),
    (["topics", "--order", "price"], "没有列"), (["mentions", "--format", "ods"], "没有格式 ods"), (["mentions", "--format", "xlsx"], "--out"),
    (["sources", "--by", "day"], "不能分组"), (["mentions", "--cluster", "x"], "整数"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
@pytest.mark.usefixtures("at_desk")
def test_what_cannot_be_asked_is_told(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("at_desk")
def test_parquet_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(["query", "topics", "--format", "parquet", "--out", str(tmp_path / "x.parquet")]) == 2
    assert "pip install 'vocwatch[parquet]'" in capsys.readouterr().err and not list(tmp_path.iterdir())
