"""What can be wrong with an export: one row of it, or the whole file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowProblem:
    """One row that could not be read, or (`kept`) could be read only in part.

    `line` is the row's number as a spreadsheet or editor shows it; for a JSON array the number of the record.
    """

    line: int
    sheet: str | None
    column: str | None
    reason: str
    kept: bool = False


class ImportRefused(Exception):
    """The whole file is refused; the message names the file, what was expected, and the next step."""
