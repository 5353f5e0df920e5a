"""CSV and its relatives: the encoding and the separator are found out, rows are streamed."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from sessions.problems import ImportRefused, RowProblem
from sessions.tables import Row, Table
from vocwatch.lang import tr

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
        if _breaks_off(path):
            raise broken_off(path)
    for encoding in candidates:
        if _decodes(path, encoding):
            return encoding
    raise ImportRefused(tr(
        f"{path}: 认不出文字编码（不是 UTF-8，也不是 GBK/GB18030）。"
        "请用表格软件打开，另存为“CSV UTF-8”再导入",
        f"{path}: unknown text encoding (neither UTF-8 nor GBK/GB18030). Open it in a spreadsheet, save it as “CSV UTF-8”, "
        "import that",
    ))


def broken_off(path: Path, line: int | None = None) -> ImportRefused:
    """The refusal of a file that was not copied to its end."""
    zh, en = (f"在第 {line} 行", f" in line {line}") if line else ("在一个字中间", " within a character")
    return ImportRefused(tr(
        f"{path}: 文件{zh}断了，后面的没有传完，为免只导入一部分，整份没有导入。请等文件传完，或重新导出",
        f"{path}: the file breaks off{en}. Nothing was imported, rather than a part: wait until it has arrived, or export it again",
    ))


def _breaks_off(path: Path) -> bool:
    """Whether the file is UTF-8 throughout, but for a last character of which the end is missing."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    foreign = False
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                foreign = foreign or not chunk.isascii()
        except UnicodeDecodeError:
            return False
    pending = decoder.getstate()[0]
    # Two bytes of GB18030 at the end of an English file may look like the beginning of a character.
    return bool(pending) and foreign and len(pending) < path.stat().st_size and _holds_utf8(path)


def _holds_utf8(path: Path) -> bool:
    """Whether some character of the first megabyte takes three bytes and is read as one."""
    with path.open("rb") as file:
        return any(ord(char) > 0x7FF for char in file.read(_CHUNK).decode("utf-8", "ignore"))


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


class _Lines:
    """The lines of a file, and whether it ended in the middle of one or of a quoted cell."""

    def __init__(self, file: TextIO):
        self._file = file
        self.quote_open = False  # the reader asked for more lines to finish a record, and there were none
        self.unfinished = False  # the last line has no end

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            self.quote_open = True
            raise StopIteration
        self.unfinished = not line.endswith(("\n", "\r"))
        return line.replace("\0", "")


def _rows(path: Path, encoding: str, separator: str) -> Iterator[Row | RowProblem]:
    csv.field_size_limit(MAX_FIELD)
    with path.open(encoding=encoding, newline="") as file:
        lines_of = _Lines(file)
        reader = csv.reader(lines_of, delimiter=separator)
        width = 0
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                reason = tr(f"从这一行起引号没有闭合，或单元格超过 {MAX_FIELD} 字，之后的内容没能读出",
                            f"from here on a quote is not closed, or a cell is longer than {MAX_FIELD} characters; the rest was not read")
                yield RowProblem(line, None, None, reason)
                return
            lines = reader.line_num - line + 1
            if lines > _SWALLOWED and len(row) < width:
                reason = tr(f"引号没有闭合，第 {line}–{reader.line_num} 行没能读出。请检查这一行的引号",
                            f"a quote is not closed; lines {line}–{reader.line_num} were not read. Check the quotes of this line")
                yield RowProblem(line, None, None, reason)
                continue
            if lines_of.quote_open or (lines_of.unfinished and 1 < len(row) < width):
                raise broken_off(path, line)
            width = max(width, len(row))
            yield line, row
