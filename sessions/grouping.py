"""Exports with one message a row: the rows of a session, which stand together, become one row with a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sessions.headers import Fit
from sessions.problems import RowProblem
from sessions.tables import Row
from sessions.transcript import MAX_TURNS
from sessions.values import Cell, text_of
from vocwatch.lang import tr
from vocwatch.settings.session_maps import Target

_PARTS: dict[Target, str] = {"speaker": "name", "speaker_role": "role", "said": "text", "said_at": "time"}


def grouped(fit: Fit, rows: Iterable[Row | RowProblem]) -> Iterator[Row | RowProblem]:
    """Yield one row for each session; its chat stands in the first column of `said`, as a list.

    A session that comes again further down is reported, not stored: it would replace its first part.
    """
    place = fit.columns["native_id"][0]
    chat = fit.columns["said"][0]
    closed: set[str] = set()
    line, first, turns = 0, list[Cell](), list[dict[str, Cell]]()
    current = ""
    for item in rows:
        if isinstance(item, RowProblem):
            yield item
            continue
        number, cells = item
        name = text_of(cells[place]) if place < len(cells) else ""
        if name != current or not name:
            if turns:
                yield line, _joined(first, chat, turns)
                closed.add(current)
            line, first, turns, current = number, list(cells), [], name
        if name and name in closed:
            yield RowProblem(number, None, fit.header[place], tr(
                f"会话 {name[:60]} 的消息不挨着，这一行没有导入。请按会话编号排序后再导出",
                f"the messages of session {name[:60]} do not stand together; this row was not imported. Sort by session id and export again",
            ))
            turns, current = [], ""
            continue
        if len(turns) < MAX_TURNS and any(text_of(cell) for cell in cells):
            turns.append(_turn(fit, cells))
    if turns:
        yield line, _joined(first, chat, turns)


def _turn(fit: Fit, cells: Sequence[Cell]) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for target, key in _PARTS.items():
        for index in fit.columns.get(target, ()):
            if index < len(cells) and text_of(cells[index]):
                value = cells[index]
                found[key] = value if isinstance(value, int | float) and not isinstance(value, bool) else text_of(value)
                break
    return found


def _joined(first: Sequence[Cell], chat: int, turns: list[dict[str, Cell]]) -> list[Cell]:
    row = list(first) + [None] * (chat + 1 - len(first))
    row[chat] = turns
    return row
