"""CSV and its relatives: the encoding and the separator are found out, rows are streamed."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from sessions.problems import ImportRefused, RowProblem
from sessions.tables import Row, Table

_SEPARATORS = ",\t;|"
_CHUNK = 1 << 20
_SAMPLE_LINES = 200
MAX_FIELD = 4_000_000  # characters in one cell
_SWALLOWED = 200  # lines in one record from which on a forgotten quote is likelier than a long chat


def open_delimited(path: Path) -> Table:
    """Return the file as one table. Raises ImportRefused for an unknown encoding."""
    encoding = find_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = "".join(line[:100_000] for _, line in zip(range(_SAMPLE_LINES), file, strict=False))
    return Table(None, _rows(path, encoding, find_separator(sample)))


def find_encoding(path: Path) -> str:
    """Return utf-8-sig, utf-16 or gb18030: the first in which the whole file can be read."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        if _decodes(path, encoding):
            return encoding
    raise ImportRefused(
        f"{path}: 认不出文字编码（不是 UTF-8，也不是 GBK/GB18030）。"
        "请用表格软件打开，另存为“CSV UTF-8”再导入"
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def find_separator(sample: str) -> str:
    """Return the separator that gives the widest rows; the comma if there is a draw."""
    def width(separator: str) -> int:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
        widest = 0
        try:
            for _, row in zip(range(20), reader, strict=False):
                widest = max(widest, len(row))
        except csv.Error:
            pass  # the reading proper will say where
        return widest

    csv.field_size_limit(MAX_FIELD)
    return max(_SEPARATORS, key=width)


def _rows(path: Path, encoding: str, separator: str) -> Iterator[Row | RowProblem]:
    csv.field_size_limit(MAX_FIELD)
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader((line.replace("\0", "") for line in file), delimiter=separator)
        width = 0
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                reason = f"从这一行起引号没有闭合，或单元格超过 {MAX_FIELD} 字，之后的内容没能读出"
                yield RowProblem(line, None, None, reason)
                return
            lines = reader.line_num - line + 1
            if lines > _SWALLOWED and len(row) < width:
                reason = f"引号没有闭合，第 {line}–{reader.line_num} 行没能读出。请检查这一行的引号"
                yield RowProblem(line, None, None, reason)
                continue
            width = max(width, len(row))
            yield line, row
