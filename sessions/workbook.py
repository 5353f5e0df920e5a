"""XLSX workbooks, read by calamine sheet by sheet, the large ones as a stream; no formula is evaluated.

calamine holds a sheet as one dense block and ends the process where memory does not suffice, so that all
that could make it grow is checked before: what the archive unpacks to, and how far apart its cells are.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import python_calamine

from sessions.bigbook import MAX_COLUMNS, open_big
from sessions.problems import ImportRefused, RowProblem
from sessions.tables import Row, Table
from sessions.values import Cell
from vocwatch.lang import tr

MAX_UNPACKED = 2 * 1024 * 1024 * 1024
MAX_HELD = 40 * 1024 * 1024  # what unpacks to more is read as a stream
MAX_RATIO = 200
MAX_MEMBERS = 5000
MAX_CELLS = 20_000_000  # of one sheet, counted from A1 to its last row and column, empty ones included
_BROKEN = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{0,3})(\d{1,9})[\"']")
_SMALL = 4 * 1024 * 1024  # below this any ratio is harmless
_CHUNK = 1 << 20
_OVERLAP = 2000  # of two chunks: a cell with its formula may lie across
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_UNCALCULATED = re.compile(
    rb"<c\b(?=[^<>]{0,200}?\sr=\"([A-Z]{1,3}\d{1,7})\")[^<>]{0,200}>\s*<f\b(?:[^<>]{0,500}/>|[^<>]{0,500}>[^<]{0,1500}</f>)\s*"
    rb"(?:<v\s*/>|<v>\s*</v>|</c>)"
)


def open_workbook(path: Path) -> Iterator[Table]:
    """Yield the sheets that have cells. Raises ImportRefused for a bomb, a password, or a damaged file."""
    if _check_zip(path) > MAX_HELD:
        yield from _streamed(path)
        return
    try:
        with python_calamine.load_workbook(path) as book:
            for name in book.sheet_names:
                try:
                    sheet = book.get_sheet_by_name(name)
                except python_calamine.WorksheetNotFound:
                    continue  # a chart sheet has no cells
                if sheet.start is not None:
                    yield Table(name, _rows(sheet))
    except python_calamine.PasswordError as error:
        raise ImportRefused(tr(
            f"{path}: 文件有打开密码。请用表格软件打开，去掉密码另存后再导入",
            f"{path}: the workbook has a password. Open it, take the password off, save it, import that",
        )) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _damaged(path) from error
    except BaseException as error:
        # A panic of the reader on crafted bytes is no Exception, but no reason to end the program either.
        if type(error).__name__ == "PanicException":
            raise _damaged(path) from error
        raise


def _streamed(path: Path) -> Iterator[Table]:
    """The sheets of a large workbook. Raises ImportRefused, also while their rows are read."""
    try:
        for table in open_big(path):
            yield Table(table.sheet, _guarded(path, table.rows))
    except _BROKEN as error:
        raise _damaged(path) from error


def _guarded(path: Path, rows: Iterator[Row | RowProblem]) -> Iterator[Row | RowProblem]:
    try:
        yield from rows
    except _BROKEN as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ImportRefused:
    return ImportRefused(tr(
        f"{path}: 表格文件损坏、不完整或加了密。请用表格软件打开确认，另存为 XLSX，或重新导出",
        f"{path}: the workbook is damaged, incomplete or encrypted. Open it to see, save it as XLSX, or export it again",
    ))


def _check_zip(path: Path) -> int:
    """Unpack every member once and return how much it is: sizes that the file declares may lie."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "xl/workbook.xml" not in names:
                raise ImportRefused(tr(
                    f"{path}: 这是压缩包，里面不是工作簿。请先解压，再导入里面的 CSV、XLSX 或 JSONL",
                    f"{path}: an archive, no workbook. Unpack it and import the CSV, XLSX or JSONL in it",
                ))
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
                raise _bomb(path)
            for member in members:
                if member.flag_bits & 1:
                    raise ImportRefused(tr(
                        f"{path}: 文件加了密。请去掉密码另存后再导入", f"{path}: encrypted. Take the password off, save it, import that",
                    ))
                total += _check_member(path, archive, member, MAX_UNPACKED - total)
            return total
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, zlib.error) as error:
        raise _damaged(path) from error


def _check_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> int:
    """Return how many bytes a member unpacks to; refuse a bomb, and a sheet that spans too large a block."""
    is_sheet = member.filename.startswith("xl/worksheets/")
    is_markup = member.filename.lower().endswith((".xml", ".rels", ".vml"))
    unpacked = last_row = last_column = 0
    tail = b""
    with archive.open(member) as file:
        while chunk := file.read(_CHUNK):
            unpacked += len(chunk)
            if unpacked > room or (unpacked > _SMALL and unpacked > MAX_RATIO * max(member.compress_size, 1)):
                raise _bomb(path)
            if is_markup and _DECLARES.search(tail + chunk):
                raise ImportRefused(tr(
                    f"{path}: 工作簿里声明了外部实体（DTD），正常导出不会有，为安全没有打开。请重新导出，或另存为 CSV",
                    f"{path}: the workbook declares external entities (a DTD), which no export does; not opened, to be safe. "
                    "Export it again, or save it as CSV",
                ))
            if is_sheet:
                _check_formulas(path, tail + chunk)
            if not is_sheet:
                tail = chunk[-40:]
                continue
            seen = set(_REFERENCE.findall(tail + chunk))
            last_row = max([last_row, *(int(row) for _, row in seen)])
            last_column = max([last_column, *map(_column_number, {letters for letters, _ in seen})])
            # A stream holds one row at a time; a small file is read at once and must not span too much.
            if last_row * last_column > MAX_CELLS and (unpacked <= MAX_HELD or last_column > MAX_COLUMNS):
                raise _bomb(path)
            tail = chunk[-_OVERLAP:]
    return unpacked


def _check_formulas(path: Path, markup: bytes) -> None:
    """Refuse formulas without a result: written by a program that calculates nothing, they would read as empty."""
    found = _UNCALCULATED.search(markup)
    if found:
        cell = found.group(1).decode()
        raise ImportRefused(tr(
            f"{path}: 单元格 {cell} 是公式，文件里没有存它的结果。请用表格软件打开、保存一次再导入，或导出为 CSV",
            f"{path}: cell {cell} is a formula without a stored result. Open the file in a spreadsheet, save it and import "
            "that, or export a CSV",
        ))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _bomb(path: Path) -> ImportRefused:
    return ImportRefused(tr(
        f"{path}: 解压后超过 {MAX_UNPACKED >> 20} MB、压缩比超过 {MAX_RATIO} 倍或单元格超过"
        f" {MAX_CELLS // 10_000} 万个，为安全没有打开。请分日导出，或导出为 CSV",
        f"{path}: unpacks to more than {MAX_UNPACKED >> 20} MB or {MAX_RATIO} times its size, or has more than"
        f" {MAX_CELLS:,} cells; not opened, to be safe. Export day by day, or as CSV",
    ))


def _rows(sheet: python_calamine.CalamineSheet) -> Iterator[Row]:
    """Yield rows with their numbers as a spreadsheet shows them; cells merged downwards are filled."""
    assert sheet.start is not None  # the caller skips empty sheets
    first_column = sheet.start[1]
    spans: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        if bottom > top and left == right and left >= first_column:
            spans.setdefault(top, []).append((left - first_column, bottom))
    filling: dict[int, tuple[int, Cell]] = {}  # column -> (last row of the merge, its value)
    for number, read in enumerate(sheet.iter_rows()):
        row: list[Cell] = list(read)
        for column, (bottom, value) in filling.items():
            if number <= bottom and column < len(row) and row[column] in ("", None):
                row[column] = value
        for column, bottom in spans.get(number, ()):
            if column < len(row):
                filling[column] = (bottom, row[column])
        yield number + 1, row
