"""Exports of daily totals: how many sessions, orders, returns a day had, for true rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sessions.cells import MAX_SHORT, BadRow, CellReader
from sessions.problems import RowProblem
from sessions.values import Cell, number_of, text_of
from vocwatch.lang import tr
from vocwatch.settings.session_maps import TOTALS, Target
from vocwatch.store.totals import ALL_SHOPS, Total

_ALL = frozenset(("全部", "合计", "总计", "所有店铺", "全店", "全部店铺", "all", "total"))


class TotalsReader(CellReader):
    """Reads the rows of a table of daily totals."""

    def read(self, line: int, cells: Sequence[Cell]) -> Iterator[Total | RowProblem]:
        """Yield the totals of a row, or what was wrong with it; nothing for blank and total rows."""
        first = next((text for text in map(text_of, cells) if text), "")
        if self._is_no_record(cells) or first.startswith(self._fit.mapping.skip_first_cell):
            return
        try:
            self._check_width(cells)
            found = self._totals(cells)
        except BadRow as error:
            yield RowProblem(line, self._sheet, self._column(error.target), error.reason)
            return
        yield from found

    def _totals(self, cells: Sequence[Cell]) -> list[Total]:
        if self._cell(cells, "day") is None:
            raise BadRow("day", tr("没有日期", "no date is given"))
        day = self._moment(cells, "day").astimezone(self._house.zone).date()
        shop = self._plain(cells, "shop", MAX_SHORT) or ALL_SHOPS
        shop = ALL_SHOPS if shop.lower() in _ALL else shop
        found = []
        for target, what in TOTALS.items():
            value = self._count(cells, target)
            if value is not None:
                found.append(Total(day, shop, what, value, "given"))
        if not found:
            raise BadRow(None, tr("这一行没有数字", "this row has no number"))
        return found

    def _count(self, cells: Sequence[Cell], target: Target) -> int | None:
        """Return a count; an empty cell is unknown, not 0. Raises BadRow."""
        try:
            value = number_of(self._cell(cells, target))
        except ValueError as error:
            raise BadRow(target, str(error)) from error
        if value is None:
            return None
        if value < 0 or not value.is_integer() or value > 2**53:
            raise BadRow(target, tr(f"应为整数：{value:g}", f"expected a whole number: {value:g}"))
        return int(value)
