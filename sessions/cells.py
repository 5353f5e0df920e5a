"""What rows of all kinds have in common: their cells by field, their ids, their times, what is wrong with them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from sessions.headers import Fit, header_key
from sessions.keywords import Matcher
from sessions.values import Cell, LostDigits, id_of, moment_of, text_of, word_of
from vocwatch.lang import tr
from vocwatch.masking import EMAIL, ID_CARD, PHONE, mask_with_report
from vocwatch.pseudonym import Pseudonyms
from vocwatch.settings import Refusals
from vocwatch.settings.session_maps import Target

MAX_SHORT, MAX_ID, MAX_REVIEW = 200, 200, 20_000
# Clocks of two systems differ a little; what is later than this is a wrong date.
_AHEAD = dt.timedelta(hours=1)
# Names that are words of the trade: replacing them in the texts would protect nobody.
NOBODY = re.compile(
    "匿名(?:用户|买家|会员)?|未知|未分配|系统|机器人|客服|售后|售前|店?小二|店长|老板|商家|卖家|买家|顾客|客户|用户"
)
_PERSONAL = frozenset((PHONE, ID_CARD, EMAIL))
_Value = TypeVar("_Value")
Note = Callable[[Target, str], None]


class BadRow(Exception):
    """A row that cannot be stored."""

    def __init__(self, target: Target | None, reason: str):
        super().__init__(reason)
        self.target = target
        self.reason = reason


@dataclass(frozen=True)
class House:
    """What reading a row needs to know of the house: zone, present moment, key, platforms of its shops, refusals."""

    zone: ZoneInfo
    now: dt.datetime
    pseudonyms: Pseudonyms
    platforms: Mapping[str, str]
    refusals: Refusals = field(default_factory=Refusals)
    matcher: Matcher | None = None


class CellReader:
    """Reads the cells of one table's rows."""

    def __init__(self, house: House, fit: Fit, sheet: str | None):
        self._house = house
        self._fit = fit
        self._sheet = sheet
        self._header = tuple(header_key(name) for name in fit.header)

    def _is_no_record(self, cells: Sequence[Cell]) -> bool:
        """Blank rows, totals, and the header repeated."""
        filled = (place for place, cell in enumerate(cells) if cell not in (None, "") and text_of(cell))
        place = next(filled, None)
        if place is None:
            return True
        first = text_of(cells[place])
        if first.startswith(self._fit.mapping.skip_first_cell):
            return sum(1 for cell in cells if text_of(cell)) <= max(3, len(cells) // 2)
        # Files put together from several exports repeat the header.
        same = self._header[place:place + 1] == (header_key(first),)
        return same and self._header == tuple(map(header_key, cells))

    def _check_width(self, cells: Sequence[Cell]) -> None:
        extra = [text_of(cell) for cell in cells[len(self._fit.header):]]
        if any(extra):
            raise BadRow(None, tr(
                f"比表头多出 {len(extra)} 列，内容可能错位。请检查这一行的分隔符和引号",
                f"{len(extra)} columns more than the header; the cells may have shifted. Check this row's separators and quotes",
            ))

    def _column(self, target: Target | None) -> str | None:
        if target is None:
            return None
        indices = self._fit.columns.get(target)
        return self._fit.header[indices[0]] if indices else str(target)

    def _cell(self, cells: Sequence[Cell], target: Target) -> Cell:
        """Return the first cell with something in it among the columns of a field."""
        for index in self._fit.columns.get(target, ()):
            if index < len(cells):
                cell = cells[index]
                if cell not in (None, "", [], {}) and not (isinstance(cell, str) and not word_of(cell)):
                    return cell
        return None

    def _id(self, cells: Sequence[Cell], target: Target) -> str:
        try:
            return id_of(self._cell(cells, target))
        except LostDigits:
            raise BadRow(target, tr(
                "长编号在表格里存成了数字，末几位已丢失。请把这一列设为“文本”后重新导出",
                "a long id was kept as a number and lost its last digits. Make the column text and export again",
            )) from None

    def _plain(self, cells: Sequence[Cell], target: Target, limit: int) -> str | None:
        return word_of(self._cell(cells, target))[:limit] or None

    def _moment(self, cells: Sequence[Cell], target: Target) -> dt.datetime:
        """Return the moment in a cell. Raises BadRow for what is no time, or one that lies ahead."""
        try:
            moment = moment_of(self._cell(cells, target), self._house.zone)
        except (ValueError, OverflowError) as error:
            raise BadRow(target, tr(f"{error}（应如 2026/9/14 9:05）", f"{error} (as: 2026/9/14 9:05)")) from error
        if moment > self._house.now + _AHEAD:
            shown = f"{moment.astimezone(self._house.zone):%Y-%m-%d %H:%M}"
            raise BadRow(target, tr(f"时间在将来：{shown}。请核对日期", f"the time lies ahead: {shown}. Check the date"))
        return moment

    def _started(self, cells: Sequence[Cell]) -> dt.datetime:
        target: Target = "started_at" if self._cell(cells, "started_at") is not None else "ended_at"
        if self._cell(cells, target) is None:
            raise BadRow("started_at", tr("没有时间", "no time is given"))
        return self._moment(cells, target)

    def _keyed(self, cells: Sequence[Cell], target: Target, note: Note) -> str:
        """Return a value of which only a pseudonym is stored; a rounded number is left out."""
        try:
            return self._id(cells, target)
        except BadRow as error:
            note(target, error.reason)
            return ""

    def _given_id(self, cells: Sequence[Cell], order: str, scope: str) -> str | None:
        """Return the row's own id; one that is itself a phone, ID card or the order number as a pseudonym."""
        given = self._id(cells, "native_id")
        if not given:
            return None
        if len(given) > MAX_ID:
            raise BadRow("native_id", tr(f"编号超过 {MAX_ID} 个字符", f"the id is longer than {MAX_ID} characters"))
        personal = given == order or bool(_PERSONAL & set(mask_with_report(given)[1]))
        return f"k-{self._house.pseudonyms.of(scope, given)}" if personal else given

    def _optional(
        self, cells: Sequence[Cell], target: Target, read: Callable[[Cell], _Value | None], note: Note
    ) -> _Value | None:
        try:
            return read(self._cell(cells, target))
        except (ValueError, OverflowError) as error:
            note(target, tr(f"{error}，这一项没有导入", f"{error}; this value was not imported"))
            return None
