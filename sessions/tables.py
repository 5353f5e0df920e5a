"""Opening an export: what kind of file it is, and its rows, table by table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sessions.problems import ImportRefused, RowProblem
from sessions.values import Cell
from vocwatch.lang import tr

Row = tuple[int, Sequence[Cell]]


@dataclass
class Table:
    """One sheet (or the whole of a text file): rows with their numbers, and the rows that were unreadable.

    `headed` says that the first row is the header for certain (JSON keys).
    """

    sheet: str | None
    rows: Iterator[Row | RowProblem]
    headed: bool = False


def open_tables(path: Path, lists: Sequence[str] = ()) -> Iterator[Table]:
    """Yield the tables of a file, recognised by its content. `lists` names where JSON keeps its records.

    Raises ImportRefused if the file cannot be used.
    """
    from sessions.delimited import open_delimited
    from sessions.jsonfile import open_json
    from sessions.workbook import open_workbook

    head = _head(path)
    if head.startswith(b"PK\x03\x04"):
        yield from open_workbook(path)
        return
    _refuse_foreign(path, head)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        yield open_json(path, lists)
    else:
        yield open_delimited(path)


def _head(path: Path) -> bytes:
    """Return the first bytes of a readable, non-empty file."""
    if path.is_dir():
        raise ImportRefused(tr(
            f"{path}: 这是文件夹。请写出里面的导出文件（CSV、XLSX、JSONL）",
            f"{path}: this is a folder. Name the export files in it (CSV, XLSX, JSONL)",
        ))
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise ImportRefused(tr(
            f"{path}: 读不到文件（{error.strerror}）。请确认路径和权限",
            f"{path}: cannot be read ({error.strerror}). Check path and permissions",
        )) from error
    if not head.strip(b"\x00\xef\xbb\xbf \t\r\n"):
        raise ImportRefused(tr(
            f"{path}: 文件是空的。请重新导出；如果当天确实没有会话，不用导入",
            f"{path}: the file is empty. Export it again; a day that had no sessions needs no import",
        ))
    return head


def _refuse_foreign(path: Path, head: bytes) -> None:
    """Refuse what is plainly neither text nor a workbook."""
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise ImportRefused(tr(
            f"{path}: 这是旧版 XLS，或设了打开密码的表格。请用表格软件打开、去掉密码，另存为 XLSX",
            f"{path}: an old XLS, or a workbook with a password. Open it, take the password off, and save it as XLSX",
        ))
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise ImportRefused(tr(
            f"{path}: 内容是网页，不是表格（有些工具导出的 .xls 其实是网页）。"
            "请用表格软件打开后另存为 XLSX 再导入",
            f"{path}: a web page, no table (as the .xls of some tools is). Open it in a spreadsheet, save it as XLSX, import that",
        ))
    if head.startswith((b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff")):
        raise ImportRefused(tr(
            f"{path}: 这不是表格文件。请导出为 CSV、XLSX 或 JSONL；压缩包请先解压",
            f"{path}: no table. Export CSV, XLSX or JSONL; unpack an archive first",
        ))
    if head.count(0) > len(head) // 20 and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefused(tr(
            f"{path}: 这是二进制文件，不是 CSV、XLSX 或 JSONL。请重新导出",
            f"{path}: a binary file, not CSV, XLSX or JSONL. Export it again",
        ))
