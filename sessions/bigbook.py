"""Large XLSX workbooks, read row by row: memory stays the same however long a sheet is.

calamine is quicker, but holds a whole sheet at once; it reads the small ones. Here the shared strings go to a file on
disk, and each sheet is parsed as a stream. No formula is evaluated, no entity resolved.
"""

from __future__ import annotations

import datetime as dt
import itertools
import mmap
import posixpath
import re
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO
from xml.parsers import expat

from lxml import etree

from sessions.tables import Row, Table
from sessions.values import Cell

_CHUNK = 1 << 20
MAX_COLUMNS = 500
_MAX_SMALL = 16 * 1024 * 1024
_MAX_MERGES = 200_000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]{0,60}?ref=\"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})\"")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
# Formats of the standard that show a date or time, and what tells one in a format of the file's own.
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)))
_LITERAL = re.compile(r'"[^"]*"|\\.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_DATE_CODE = re.compile("[ymdhs年月日时分秒]", re.IGNORECASE)
_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day zero has no zone
_FROM_1904 = 1462  # days between the two calendars

Feed = Callable[[expat.XMLParserType], None]


class Malformed(ValueError):
    """Markup that is none, or refers to what is not there."""


def open_big(path: Path) -> Iterator[Table]:
    """Yield the sheets of a workbook that was checked before. Raises Malformed, zipfile.BadZipFile, OSError, KeyError."""
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        book = _small(archive, "xl/workbook.xml")
        properties = book.find(f"{_MAIN}workbookPr")
        late = properties is not None and properties.get("date1904") in ("1", "true")
        strings = _Strings(archive, stack)
        dates = _date_styles(archive)
        for name, member in _sheets(archive, book):
            rows = _SheetReader(strings, dates, late, _merges(archive, member)).rows(archive, member)
            first = next(rows, None)
            if first is not None:
                yield Table(name, itertools.chain([first], rows))


def _small(archive: zipfile.ZipFile, member: str) -> etree._Element:
    """Parse one of the members that describe the book. Raises Malformed, KeyError."""
    with archive.open(member) as file:
        data = file.read(_MAX_SMALL + 1)
    if len(data) > _MAX_SMALL:
        raise Malformed(f"{member} is too large")
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise Malformed(str(error)) from error


def _sheets(archive: zipfile.ZipFile, book: etree._Element) -> Iterator[tuple[str, str]]:
    relations = _small(archive, "xl/_rels/workbook.xml.rels")
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for sheet in book.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        member = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
        if member.startswith("xl/worksheets/") and member in archive.namelist():
            yield sheet.get("name", member), member


def _date_styles(archive: zipfile.ZipFile) -> list[bool]:
    """Say of each cell style whether it shows a date."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    root = _small(archive, "xl/styles.xml")
    own = {
        int(item.get("numFmtId", "0")): bool(_DATE_CODE.search(_LITERAL.sub("", item.get("formatCode", ""))))
        for item in root.iter(f"{_MAIN}numFmt")
    }
    styles = root.find(f"{_MAIN}cellXfs")
    found = []
    for style in styles if styles is not None else ():
        number = int(style.get("numFmtId", "0"))
        found.append(own.get(number, number in _DATE_FORMATS))
    return found


def _parse(archive: zipfile.ZipFile, member: str, prepare: Feed) -> Iterator[None]:
    """Feed a member to a parser that `prepare` has given its handlers; yields after each piece."""
    parser = expat.ParserCreate(namespace_separator=None)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    prepare(parser)
    try:
        with archive.open(member) as file:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk, False)
                yield
            parser.Parse(b"", True)
            yield
    except expat.ExpatError as error:
        raise Malformed(str(error)) from error


def _refuse(*_: object) -> None:
    raise Malformed("a DTD")


class _Strings:
    """The shared strings, in a file; `array` of where each begins."""

    def __init__(self, archive: zipfile.ZipFile, stack: ExitStack):
        self._starts = array("Q", [0])
        self._view: mmap.mmap | None = None
        self._parts: list[str] = []
        self._collects = self._skips = False
        if "xl/sharedStrings.xml" not in archive.namelist():
            return
        file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
        self._file = file
        for _ in _parse(archive, "xl/sharedStrings.xml", self._prepare):
            pass
        file.flush()
        if self._starts[-1]:
            self._view = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def __getitem__(self, number: int) -> str:
        """Return a shared string. Raises Malformed for one that is not there."""
        if not 0 <= number < len(self._starts) - 1:
            raise Malformed(f"shared string {number}")
        start, end = self._starts[number], self._starts[number + 1]
        return self._view[start:end].decode("utf-8") if self._view is not None and end > start else ""

    def _prepare(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._said

    def _start(self, name: str, _: object) -> None:
        tag = name.rpartition(":")[2]
        self._collects = tag == "t" and not self._skips
        self._skips = self._skips or tag == "rPh"  # how it is pronounced is no part of it

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        self._collects = False
        if tag == "rPh":
            self._skips = False
        elif tag == "si":
            data = "".join(self._parts).encode("utf-8", "replace")
            self._file.write(data)
            self._starts.append(self._starts[-1] + len(data))
            self._parts = []

    def _said(self, text: str) -> None:
        if self._collects:
            self._parts.append(text)


def _merges(archive: zipfile.ZipFile, member: str) -> dict[int, list[tuple[int, int]]]:
    """Cells merged downwards: first row -> (column, last row). They stand behind all the cells."""
    found: dict[int, list[tuple[int, int]]] = {}
    number, tail = 0, b""
    with archive.open(member) as file:
        while chunk := file.read(_CHUNK):
            for left, top, right, bottom in _MERGE.findall(tail + chunk):
                number += 1
                if left == right and int(bottom) > int(top) and number <= _MAX_MERGES:
                    spans = found.setdefault(int(top), [])
                    span = (_column(left.decode()), int(bottom))
                    if span not in spans:  # one that lies across two pieces is found twice
                        spans.append(span)
            tail = chunk[-120:]
    return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class _SheetReader:
    """Reads one sheet: rows with their numbers as a spreadsheet shows them, cells merged downwards filled."""

    def __init__(self, strings: _Strings, dates: list[bool], late: bool, merges: dict[int, list[tuple[int, int]]]):
        self._strings, self._dates, self._late, self._merges = strings, dates, late, merges
        self._done: list[Row] = []
        self._filling: dict[int, tuple[int, Cell]] = {}
        self._number = 0
        self._cells: list[Cell] = []
        self._place, self._kind, self._style = 0, "", -1
        self._parts: list[str] = []
        self._collects = False

    def rows(self, archive: zipfile.ZipFile, member: str) -> Iterator[Row]:
        """Yield the rows of the sheet."""
        for _ in _parse(archive, member, self._prepare):
            done, self._done = self._done, []
            yield from done

    def _prepare(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._said

    def _start(self, name: str, given: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            match = _REFERENCE.fullmatch(given.get("r", ""))
            self._place = _column(match.group(1)) if match else len(self._cells)
            self._kind, self._style = given.get("t", "n"), int(given.get("s", "-1"))
            self._parts = []
        elif tag in ("v", "t"):
            self._collects = True
        elif tag == "row":
            self._number = int(given.get("r", self._number + 1))
            self._cells = []

    def _said(self, text: str) -> None:
        if self._collects:
            self._parts.append(text)

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag in ("v", "t"):
            self._collects = False
        elif tag == "c":
            if self._parts and self._place < MAX_COLUMNS:
                self._cells.extend([""] * (self._place - len(self._cells)))
                self._cells.append(self._value("".join(self._parts)))
        elif tag == "row":
            self._finish_row()

    def _value(self, text: str) -> Cell:
        if self._kind == "s":
            return self._strings[int(text)]
        if self._kind in ("str", "inlineStr", "e"):
            return text
        if self._kind == "b":
            return text == "1"
        if self._kind == "d":
            return text
        number = float(text)
        if 0 <= self._style < len(self._dates) and self._dates[self._style] and 0 <= number < 2_958_466:
            return _DAY_ZERO + dt.timedelta(days=number + (_FROM_1904 if self._late else 0))
        return number

    def _finish_row(self) -> None:
        row, number = self._cells, self._number
        for column, (bottom, value) in list(self._filling.items()):
            if number > bottom:
                del self._filling[column]
                continue
            row.extend([""] * (column + 1 - len(row)))
            if row[column] == "":
                row[column] = value
        for column, bottom in self._merges.get(number, ()):
            if column < len(row):
                self._filling[column] = (bottom, row[column])
        if row:
            self._done.append((number, row))
