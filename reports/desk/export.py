"""Answers as files: CSV, XLSX, JSON, JSON lines, Parquet. Written as they are read: a million rows take no more room
than a thousand.

No cell is ever a formula, whatever was written in it: text is text, and in CSV a quote stands before what a
spreadsheet would compute.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from reports.desk.ask import Answer, Column
from vocwatch.lang import tr
from vocwatch.plain import safe_cell

SHEET_ROWS = 1_048_575
"""Rows below the head of one sheet: the format's own limit."""
CELL = 32_767
_PIECE = 64 * 1024
_GROUP = 5_000
MEDIA = {
    "csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet",
}
"""The formats and their media types."""
_XLSX = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_WHOLE = ("json", "jsonl")


class ExportError(ValueError):
    """The file cannot be written so; the message says what to do."""


def chosen(answer: Answer, names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of these names, all without any. Raises ExportError."""
    known = {column.key: column for column in answer.columns}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ExportError(tr(f"没有列 {'、'.join(unknown)}，可用：{'、'.join(known)}", f"no column {', '.join(unknown)}; use {', '.join(known)}"))
    return tuple(known[name] for name in names) or answer.columns


def export(answer: Answer, format_name: str, columns: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield the file in pieces. Raises ExportError before the first one.

    JSON and JSON lines hold every field of a row unless columns are chosen; the others hold the answer's columns.
    """
    taken = chosen(answer, columns)
    if format_name in _WHOLE:
        fields = [column.key for column in taken] if columns else None
        return _encoded(_json(answer.rows, fields) if format_name == "json" else _lines(answer.rows, fields))
    if format_name == "csv":
        return _encoded(_csv(answer.rows, taken))
    if format_name == "xlsx":
        return _through_file(lambda path: _xlsx(answer.rows, taken, path))
    if format_name == "parquet":
        arrow()
        return _through_file(lambda path: _parquet(answer.rows, taken, path))
    raise ExportError(tr(f"没有格式 {format_name}，可用：{'、'.join(MEDIA)}", f"no format {format_name}; use one of {', '.join(MEDIA)}"))


def write(answer: Answer, format_name: str, path: Path, columns: Sequence[str] = ()) -> None:
    """Write the file; it appears when it is whole. Raises ExportError, OSError."""
    pieces = export(answer, format_name, columns)
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            if format_name == "csv":
                file.write(b"\xef\xbb\xbf")  # or Excel takes it for the local code page
            for piece in pieces:
                file.write(piece)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """A value as one cell: lists in one line, times and days in words, numbers as they are."""
    if isinstance(value, bool):
        return tr("是", "yes") if value else tr("否", "no")
    if isinstance(value, list | tuple):
        return tr("、", ", ").join(_item(item) for item in value)
    return value if isinstance(value, int | float | str) or value is None else str(value)


def _item(value: Any) -> str:
    return str(value.get("name", value)) if isinstance(value, dict) else "" if value is None else str(value)


# -- text -----------------------------------------------------------------------------------------------------


def _encoded(parts: Iterable[str]) -> Iterator[bytes]:
    held = io.StringIO()
    for part in parts:
        held.write(part)
        if held.tell() >= _PIECE:
            yield held.getvalue().encode("utf-8", "replace")
            held.seek(0)
            held.truncate()
    yield held.getvalue().encode("utf-8", "replace")


def _csv(rows: Iterable[dict[str, Any]], columns: Sequence[Column]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, quoting=csv.QUOTE_NONNUMERIC)
    keys = [column.key for column in columns]
    for values in _cells(rows, keys, [column.title for column in columns]):
        writer.writerow("" if value is None else value for value in values)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cells(rows: Iterable[dict[str, Any]], keys: Sequence[str], head: list[str]) -> Iterator[list[Any]]:
    yield head
    for row in rows:
        yield [safe_cell(plain(row.get(key))) for key in keys]


def _lines(rows: Iterable[dict[str, Any]], fields: Sequence[str] | None) -> Iterator[str]:
    for row in rows:
        yield _document(row, fields) + "\n"


def _json(rows: Iterable[dict[str, Any]], fields: Sequence[str] | None) -> Iterator[str]:
    before = "["
    for row in rows:
        yield f"{before}\n{_document(row, fields)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _document(row: dict[str, Any], fields: Sequence[str] | None) -> str:
    kept = row if fields is None else {name: row.get(name) for name in fields}
    return json.dumps({name: value for name, value in kept.items() if name != "link"}, ensure_ascii=False, default=str)


# -- files ----------------------------------------------------------------------------------------------------


def _through_file(make: Callable[[Path], None]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="vocwatch-export-") as folder:
        path = Path(folder) / "answer"
        make(path)
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_PIECE), b"")


def _xlsx(rows: Iterable[dict[str, Any]], columns: Sequence[Column], path: Path) -> None:
    import xlsxwriter

    keys = [column.key for column in columns]
    with tempfile.TemporaryDirectory(prefix="vocwatch-xlsx-") as folder, xlsxwriter.Workbook(str(path), {**_XLSX, "tmpdir": folder}) as book:
        bold = book.add_format({"bold": True})
        sheet, line = _sheet(book, columns, bold), 0
        for row in rows:
            if line == SHEET_ROWS:
                sheet, line = _sheet(book, columns, bold), 0
            line += 1
            for place, key in enumerate(keys):
                _cell(sheet, line, place, plain(row.get(key)))


def _sheet(book: Any, columns: Sequence[Column], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 16)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.title, bold)
    return sheet


def _cell(sheet: Any, line: int, place: int, value: Any) -> None:
    if isinstance(value, int | float):
        sheet.write_number(line, place, value)
    elif value:
        sheet.write_string(line, place, str(safe_cell(value))[:CELL])


def arrow() -> Any:
    """Return pyarrow. Raises ExportError where it is not installed."""
    try:
        import pyarrow
    except ImportError as error:
        raise ExportError(tr(
            "写 Parquet 要装 pyarrow：pip install 'vocwatch[parquet]'；不装可以用 csv 或 jsonl",
            "Parquet needs pyarrow: pip install 'vocwatch[parquet]'; csv and jsonl need nothing",
        )) from error
    return pyarrow


def _parquet(rows: Iterable[dict[str, Any]], columns: Sequence[Column], path: Path) -> None:
    pyarrow = arrow()
    from pyarrow import parquet

    kinds = {
        "number": pyarrow.float64(), "percent": pyarrow.float64(), "score": pyarrow.float64(), "bool": pyarrow.bool_(),
        "date": pyarrow.date32(), "list": pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(column.key, kinds.get(column.kind, pyarrow.string())) for column in columns])
    with parquet.ParquetWriter(str(path), schema, compression="zstd") as writer:
        for group in _groups(rows):
            values = {column.key: [_typed(row.get(column.key), column.kind) for row in group] for column in columns}
            writer.write_table(pyarrow.Table.from_pydict(values, schema=schema))


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    held: list[dict[str, Any]] = []
    for row in rows:
        held.append(row)
        if len(held) == _GROUP:
            yield held
            held = []
    if held:
        yield held


def _typed(value: Any, kind: str) -> Any:
    if value is None or kind in ("bool", "date"):
        return value
    if kind in ("number", "percent", "score"):
        return float(value)
    if kind == "list":
        return [_item(item) for item in value]
    return str(value).encode("utf-8", "replace").decode()


def write_text(answer: Answer, format_name: str, file: IO[str], columns: Sequence[str] = ()) -> None:
    """Write CSV, JSON or JSON lines to an open text file. Raises ExportError."""
    for piece in export(answer, format_name, columns):
        file.write(piece.decode())
