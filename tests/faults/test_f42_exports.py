"""F42: exports of sessions as they must not be: accepted whole, or refused or reported; never a part unnoticed."""

from __future__ import annotations

import datetime as dt
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
import xlsxwriter

import sessions.workbook as workbook
from reports.coverage import Coverage
from reports.measures import Measured, trend
from sessions.bigbook import open_big
from sessions.importer import ImportRefused, ImportReport, import_file
from tests.conftest import ROOT
from tests.sessions.samples import HEADER, row, write_book, write_csv
from vocwatch.models import RunStatus
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, facts, open_store, runs
from vocwatch.store.schema import sessions


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The shipped settings, read once."""
    return load_settings(read_environment({
        "VOCWATCH_HOME": str(tmp_path_factory.mktemp("home")), "VOCWATCH_CONFIG": str(ROOT / "config"),
        "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00",
    }))


def count(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(sessions)).scalar_one()


def refused(shipped: Settings, store: Store, path: Path, why: str) -> None:
    with pytest.raises(ImportRefused, match=why):
        import_file(shipped, store, path)
    assert count(store) == 0
    with store.read() as connection:
        run = runs.latest(connection, "import", path.name)
    assert run is not None and run.status is RunStatus.FAILED


ROWS = [row(number) for number in range(1, 7)]


def cut_in_the_chat(whole: bytes) -> bytes:
    return whole[:whole.rindex("第二行".encode()) + 9]  # a whole character, an open quote


def cut_in_a_cell(whole: bytes) -> bytes:
    return whole[:whole.rindex("恒温电".encode()) + 6]


def cut_in_a_character(whole: bytes) -> bytes:
    return whole[:whole.rindex("第二行".encode()) + 4]


@pytest.mark.parametrize("cut", [cut_in_the_chat, cut_in_a_cell, cut_in_a_character])
def test_F42_a_truncated_csv_is_refused_whole(
    shipped: Settings, sqlite_store: Store, tmp_path: Path, cut: Callable[[bytes], bytes]
) -> None:
    path = write_csv(tmp_path / "非满意.csv", [HEADER, *ROWS])
    whole = path.read_bytes()
    path.write_bytes(cut(whole))
    refused(shipped, sqlite_store, path, "断了")
    path.write_bytes(whole.rstrip())  # no line end at the end is no truncation
    assert import_file(shipped, sqlite_store, path).added == 6


def test_F42_truncated_json_lines_are_refused_whole(shipped: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    record = {"session_id": "J1", "start": "2026-09-14T09:05:00+08:00", "path": "品退", "messages": [{"role": "买家", "text": "烫手"}]}
    whole = "".join(json.dumps({**record, "session_id": f"J{n}"}, ensure_ascii=False) + "\n" for n in range(4)).encode()
    path = tmp_path / "a.jsonl"
    path.write_bytes(whole[:-20])
    refused(shipped, sqlite_store, path, "断了")
    path.write_bytes(whole[:-1])
    assert import_file(shipped, sqlite_store, path).added == 4


def changed(path: Path, member: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name == member else data)


def shared_book(path: Path, rows: list[list[Any]]) -> Path:
    """A workbook with shared strings, as spreadsheet programs write them."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("流失")
    for number, values in enumerate(rows):
        sheet.write_row(number, 0, values)
    book.close()
    return path


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("held", [workbook.MAX_HELD, 0])
@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_F42_external_entities_are_refused(
    shipped: Settings, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str, held: int
) -> None:
    monkeypatch.setattr(workbook, "MAX_HELD", held)
    path = shared_book(tmp_path / "流失.xlsx", [HEADER, row()])
    changed(path, member, lambda data: ENTITY + data[data.index(b"?>") + 2 if data.startswith(b"<?xml") else 0:])
    refused(shipped, sqlite_store, path, "外部实体")


def test_F42_formulas_without_a_result_are_refused(shipped: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    path = write_book(tmp_path / "流失.xlsx", {"流失": [HEADER, row(1, 商品编码='=CONCATENATE("SG-","K101")')]})
    refused(shipped, sqlite_store, path, "G2.*公式")
    changed(path, "xl/worksheets/sheet1.xml", lambda data: data.replace(b"</f><v/>", b"</f><v>SG-K101</v>").replace(b"</f><v />", b"</f><v>SG-K101</v>").replace(b"</f><v></v>", b"</f><v>SG-K101</v>"))
    assert import_file(shipped, sqlite_store, path).added == 1
    with sqlite_store.read() as connection:
        assert connection.execute(sa.select(sessions.c.sku)).scalar_one() == "SG-K101"


def people_make(path: Path) -> Path:
    """Several sheets, merged titles and cells, dates as text, serials and real ones, a rich text, a formula's result."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    notes = book.create_sheet("说明")
    notes.append(["由后台导出"])
    sheet = book.create_sheet("非满意")
    sheet.append(["客服日报"])
    sheet.merge_cells("A1:L1")
    sheet.append(HEADER)
    for number, when in enumerate(("2026/9/14 12:03", dt.datetime(2026, 9, 14, 12, 3, tzinfo=dt.UTC).replace(tzinfo=None), 46279.50208333), 1):
        sheet.append(row(number, 会话开始时间=when, 店铺="一店" if number == 1 else None, 是否解决=number == 1))
    sheet.merge_cells("C3:C5")
    book.create_sheet("空白")
    lost = book.create_sheet("流失")
    lost.append(HEADER)
    lost.append(row(9, 买家昵称="<b>&amp;"))
    lost.append(row(10, 商品名称=""))
    book.save(path)
    return path


def stored(store: Store) -> list[tuple[Any, ...]]:
    columns = [column for column in sessions.c if column.name not in ("id", "run_id", "imported_at")]
    with store.read() as connection:
        return [tuple(found) for found in connection.execute(sa.select(*columns).order_by(sessions.c.native_id))]


def test_F42_a_streamed_workbook_reads_like_any_other(
    shipped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = people_make(tmp_path / "日报.xlsx")
    found: list[tuple[ImportReport, list[tuple[Any, ...]]]] = []
    for held in (workbook.MAX_HELD, 0):
        monkeypatch.setattr(workbook, "MAX_HELD", held)
        store = open_store(f"sqlite:///{tmp_path / f'{held}.sqlite3'}")
        found.append((import_file(shipped, store, path), stored(store)))
        store.close()
    (held_report, held_rows), (report, rows) = found
    assert rows == held_rows and len(rows) == 5
    assert (report.added, report.paths, report.problems) == (held_report.added, held_report.paths, held_report.problems)
    assert [found[3] for found in rows[:3]] == ["一店"] * 3


def test_F42_a_long_sheet_is_read_in_little_memory(
    shipped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def peak(number: int) -> int:
        path = tmp_path / f"{number}.xlsx"
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("流失")
        for line in range(number):
            sheet.append([f"S{line}", "在吗" * 20 + str(line)])
        book.save(path)
        tracemalloc.start()
        assert [sum(1 for _ in table.rows) for table in open_big(path)] == [number]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(12_000) < 1.5 * peak(3_000) + 3_000_000


def test_F42_damage_inside_a_streamed_sheet_refuses_the_file(
    shipped: Settings, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_HELD", 0)
    path = write_book(tmp_path / "流失.xlsx", {"流失": [HEADER, *ROWS]})
    changed(path, "xl/worksheets/sheet1.xml", lambda data: data[:len(data) * 2 // 3])
    refused(shipped, sqlite_store, path, "损坏")
    path = shared_book(tmp_path / "流失2.xlsx", [HEADER, *ROWS])
    changed(path, "xl/sharedStrings.xml", lambda data: data.replace(b"<si>", b"<xx>").replace(b"</si>", b"</xx>"))
    refused(shipped, sqlite_store, path, "损坏")


def test_F42_a_column_that_changed_its_name_is_reported(shipped: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    import_file(shipped, sqlite_store, write_csv(tmp_path / "非满意-0914.csv", [HEADER, row(1)]))
    renamed = ["商品代码" if name == "商品编码" else name for name in HEADER]
    report = import_file(shipped, sqlite_store, write_csv(tmp_path / "非满意-0915.csv", [renamed, row(2)]))
    (problem,) = report.problems
    assert (problem.line, problem.column, problem.kept) == (1, "商品编码", True) and "商品代码" in problem.reason
    other = ["会话ID", "会话开始时间", "退款原因", "聊天记录"]
    report = import_file(shipped, sqlite_store, write_csv(tmp_path / "品退.csv", [other, ["P1", "2026/9/14", "坏了", "买家：坏了"]]))
    assert not report.problems  # another export, with columns of its own


@pytest.mark.parametrize(("name", "encoding"), [("非满意.csv", "gb18030"), ("非满意.csv", "utf-8-sig")])
def test_F42_a_second_import_adds_nothing(shipped: Settings, sqlite_store: Store, tmp_path: Path, name: str, encoding: str) -> None:
    path = write_csv(tmp_path / name, [HEADER, *ROWS, ROWS[0]], encoding)
    first, second = (import_file(shipped, sqlite_store, path) for _ in range(2))
    assert (first.rows, first.added, len(first.problems)) == (7, 6, 1)
    assert (second.added, second.updated, second.unchanged) == (0, 0, 6)
    assert count(sqlite_store) == 6


def test_F42_a_missing_day_inside_is_missing_not_zero(shipped: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    days = {1: "2026/9/12 10:00", 2: "2026/9/13 10:00", 3: "2026/9/15 10:00", 4: "2026/9/15 11:00"}
    rows = [row(number, 会话开始时间=when) for number, when in days.items()]
    import_file(shipped, sqlite_store, write_csv(tmp_path / "非满意.csv", [HEADER, *rows]))
    since = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    with sqlite_store.read() as connection:
        served = facts.service_sessions(connection, since, since + dt.timedelta(days=20))
    measured = Measured(dt.date(2026, 9, 15), (), {}, served, shipped.app.zone, {}, {}, set())
    told = {day.date.day: day.sessions for day in trend(measured, Coverage(100, ()))}
    assert {day: told[day] for day in (12, 13, 14, 15)} == {12: 1, 13: 1, 14: None, 15: 2}
