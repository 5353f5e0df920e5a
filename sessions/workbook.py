"""XLSX workbooks, read by calamine sheet by sheet; no formula is evaluated.

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

from sessions.problems import ImportRefused
from sessions.tables import Row, Table
from sessions.values import Cell

MAX_UNPACKED = 200 * 1024 * 1024
MAX_RATIO = 200
MAX_MEMBERS = 5000
MAX_CELLS = 20_000_000  # of one sheet, counted from A1 to its last row and column, empty ones included
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{0,3})(\d{1,9})[\"']")
_SMALL = 4 * 1024 * 1024  # below this any ratio is harmless
_CHUNK = 1 << 20


def open_workbook(path: Path) -> Iterator[Table]:
    """Yield the sheets that have cells. Raises ImportRefused for a bomb, a password, or a damaged file."""
    _check_zip(path)
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
        raise ImportRefused(f"{path}: 文件有打开密码。请用表格软件打开，去掉密码另存后再导入") from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _damaged(path) from error
    except BaseException as error:
        # A panic of the reader on crafted bytes is no Exception, but no reason to end the program either.
        if type(error).__name__ == "PanicException":
            raise _damaged(path) from error
        raise


def _damaged(path: Path) -> ImportRefused:
    return ImportRefused(
        f"{path}: 表格文件损坏、不完整或加了密。请用表格软件打开确认，另存为 XLSX，或重新导出"
    )


def _check_zip(path: Path) -> None:
    """Unpack every member once, counting: sizes that the file declares may lie."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "xl/workbook.xml" not in names:
                raise ImportRefused(
                    f"{path}: 这是压缩包，里面不是工作簿。请先解压，再导入里面的 CSV、XLSX 或 JSONL"
                )
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
                raise _bomb(path)
            for member in members:
                if member.flag_bits & 1:
                    raise ImportRefused(f"{path}: 文件加了密。请去掉密码另存后再导入")
                total += _check_member(path, archive, member, MAX_UNPACKED - total)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, zlib.error) as error:
        raise _damaged(path) from error


def _check_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> int:
    """Return how many bytes a member unpacks to; refuse a bomb, and a sheet that spans too large a block."""
    is_sheet = member.filename.startswith("xl/worksheets/")
    unpacked = last_row = last_column = 0
    tail = b""
    with archive.open(member) as file:
        while chunk := file.read(_CHUNK):
            unpacked += len(chunk)
            if unpacked > room or (unpacked > _SMALL and unpacked > MAX_RATIO * max(member.compress_size, 1)):
                raise _bomb(path)
            if not is_sheet:
                continue
            seen = set(_REFERENCE.findall(tail + chunk))
            last_row = max([last_row, *(int(row) for _, row in seen)])
            last_column = max([last_column, *map(_column_number, {letters for letters, _ in seen})])
            if last_row * last_column > MAX_CELLS:
                raise _bomb(path)
            tail = chunk[-40:]
    return unpacked


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _bomb(path: Path) -> ImportRefused:
    return ImportRefused(
        f"{path}: 解压后超过 {MAX_UNPACKED >> 20} MB、压缩比超过 {MAX_RATIO} 倍或单元格超过"
        f" {MAX_CELLS // 10_000} 万个，为安全没有打开。请分日导出，或导出为 CSV"
    )


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
