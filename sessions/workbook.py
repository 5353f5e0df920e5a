"""XLSX (and old XLS) workbooks, read by calamine sheet by sheet; no formula is evaluated."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import python_calamine

from sessions.problems import ImportRefused
from sessions.tables import Row, Table
from sessions.values import Cell

MAX_UNPACKED = 200 * 1024 * 1024
MAX_RATIO = 200
MAX_MEMBERS = 5000
_SMALL = 4 * 1024 * 1024  # below this any ratio is harmless
_CHUNK = 1 << 20


def open_workbook(path: Path, zipped: bool) -> Iterator[Table]:
    """Yield the sheets that have cells. Raises ImportRefused for a bomb, a password, or a damaged file."""
    if zipped:
        _check_zip(path)
    elif path.stat().st_size > MAX_UNPACKED:
        raise ImportRefused(f"{path}: 文件超过 {MAX_UNPACKED >> 20} MB。请分日导出")
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
    return ImportRefused(f"{path}: 表格文件损坏、不完整或加了密。请用表格软件打开确认，另存为 XLSX，或重新导出")


def _check_zip(path: Path) -> None:
    """Unpack every member once, counting: sizes that the file declares may lie."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if not names & {"xl/workbook.xml", "xl/workbook.bin"} and "content.xml" not in names:
                raise ImportRefused(f"{path}: 这是压缩包，里面不是工作簿。请先解压，再导入里面的 CSV、XLSX 或 JSONL")
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
                raise _bomb(path)
            for member in members:
                if member.flag_bits & 1:
                    raise ImportRefused(f"{path}: 文件加了密。请去掉密码另存后再导入")
                unpacked = 0
                with archive.open(member) as file:
                    while chunk := file.read(_CHUNK):
                        unpacked += len(chunk)
                        if total + unpacked > MAX_UNPACKED or _is_bomb(unpacked, member.compress_size):
                            raise _bomb(path)
                total += unpacked
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, ValueError, NotImplementedError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise _damaged(path) from error


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > _SMALL and unpacked > MAX_RATIO * max(packed, 1)


def _bomb(path: Path) -> ImportRefused:
    return ImportRefused(
        f"{path}: 解压后超过 {MAX_UNPACKED >> 20} MB 或压缩比超过 {MAX_RATIO} 倍，为安全没有打开。请分日导出，或导出为 CSV"
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
