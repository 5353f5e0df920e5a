"""One row of an export to one masked session."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from sessions.headers import Fit, PathFinder, header_key
from sessions.problems import RowProblem
from sessions.transcript import People, RawTurn, parse_transcript
from sessions.values import (
    Cell,
    LostDigits,
    flag_of,
    id_of,
    moment_of,
    number_of,
    seconds_of,
    stars_of,
    text_of,
    word_of,
)
from vocwatch.masking import EMAIL, ID_CARD, PHONE, mask, mask_nicknames, mask_with_report
from vocwatch.models import SessionRecord, Turn
from vocwatch.pseudonym import Pseudonyms
from vocwatch.settings.session_maps import Target

MAX_SHORT, MAX_ID, MAX_REVIEW = 200, 200, 20_000
# Clocks of two systems differ a little; what is later than this is a wrong date.
_AHEAD = dt.timedelta(hours=1)
# Names that are words of the trade: replacing them in the texts would protect nobody.
_NOBODY = re.compile(
    "匿名(?:用户|买家|会员)?|未知|未分配|系统|机器人|客服|售后|售前|店?小二|店长|老板|商家|卖家|买家|顾客|客户|用户"
)
_PERSONAL = frozenset((PHONE, ID_CARD, EMAIL))
_Value = TypeVar("_Value")


class BadRow(Exception):
    """A row that cannot become a session."""

    def __init__(self, target: Target | None, reason: str):
        super().__init__(reason)
        self.target = target
        self.reason = reason


@dataclass(frozen=True)
class House:
    """What reading a row needs to know of the house: zone, present moment, key, platforms of its shops."""

    zone: ZoneInfo
    now: dt.datetime
    pseudonyms: Pseudonyms
    platforms: Mapping[str, str]


class RowReader:
    """Reads the rows of one table."""

    def __init__(self, house: House, fit: Fit, sheet: str | None, paths: PathFinder):
        self._house = house
        self._fit = fit
        self._sheet = sheet
        self._paths = paths
        self._header = tuple(header_key(name) for name in fit.header)

    def read(self, line: int, cells: Sequence[Cell]) -> Iterator[SessionRecord | RowProblem]:
        """Yield the session of a row and what was wrong with it; nothing for blank and total rows."""
        if self._is_no_session(cells):
            return
        notes: list[RowProblem] = []

        def note(target: Target, reason: str) -> None:
            notes.append(RowProblem(line, self._sheet, self._column(target), reason, kept=True))

        try:
            self._check_width(cells)
            record = self._record(cells, note)
        except BadRow as error:
            yield RowProblem(line, self._sheet, self._column(error.target), error.reason)
            return
        yield record
        yield from notes

    def _is_no_session(self, cells: Sequence[Cell]) -> bool:
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
            raise BadRow(None, f"比表头多出 {len(extra)} 列，内容可能错位。请检查这一行的分隔符和引号")

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
            raise BadRow(
                target, "长编号在表格里存成了数字，末几位已丢失。请把这一列设为“文本”后重新导出"
            ) from None

    def _record(self, cells: Sequence[Cell], note: Callable[[Target, str], None]) -> SessionRecord:
        started = self._started(cells)
        try:
            path = self._paths.of(word_of(self._cell(cells, "path")))
        except ValueError as error:
            raise BadRow("path", str(error)) from error
        order = self._keyed(cells, "order", note)
        buyer, agent = self._keyed(cells, "buyer", note), self._keyed(cells, "agent", note)
        native_id = self._native_id(cells, started, order, buyer)
        people = People(_person(buyer), _person(agent))
        raw, told = parse_transcript(
            self._cell(cells, "transcript"), self._fit.mapping.transcript, people, started, self._house.zone
        )
        names = _names(raw, people, order)

        def safe(target: Target, limit: int = MAX_SHORT) -> str | None:
            text = word_of(self._cell(cells, target))
            return mask(mask_nicknames(text, names))[:limit] or None if text else None

        turns = [Turn(turn.role, mask(mask_nicknames(turn.text, names)), turn.at) for turn in raw]
        review = safe("review", MAX_REVIEW)
        if not any(turn.role == "customer" for turn in turns) and review:
            turns.append(Turn("customer", review, started))
        if not turns:
            raise BadRow("transcript", "聊天记录是空的")
        if not told:
            note("transcript", "认不出每句是谁说的，整段当作买家的话")

        def plain(target: Target, limit: int) -> str | None:
            return word_of(self._cell(cells, target))[:limit] or None

        shop, rating = plain("shop", MAX_SHORT), safe("rating", 100)
        of = self._house.pseudonyms.of
        return SessionRecord(
            native_id=native_id, path=path, started_at=started, turns=turns, shop=shop,
            platform=plain("platform", 100) or self._house.platforms.get(shop or ""),
            sku=plain("sku", 100), product=safe("product"),
            order_key=of("order", order), agent_key=of("agent", agent), buyer_key=of("buyer", buyer),
            rating=rating, stars=stars_of(rating or ""),
            return_reason=safe("return_reason"), violation=safe("violation"), review=review,
            amount=self._optional(cells, "amount", number_of, note),
            response_seconds=self._optional(cells, "response_seconds", seconds_of, note),
            resolved=self._optional(cells, "resolved", flag_of, note),
        )

    def _started(self, cells: Sequence[Cell]) -> dt.datetime:
        target: Target = "started_at" if self._cell(cells, "started_at") is not None else "ended_at"
        if self._cell(cells, target) is None:
            raise BadRow("started_at", "没有时间")
        try:
            moment = moment_of(self._cell(cells, target), self._house.zone)
        except (ValueError, OverflowError) as error:
            raise BadRow(target, f"{error}（应如 2026/9/14 9:05）") from error
        if moment > self._house.now + _AHEAD:
            shown = f"{moment.astimezone(self._house.zone):%Y-%m-%d %H:%M}"
            raise BadRow(target, f"时间在将来：{shown}。请核对日期")
        return moment

    def _keyed(self, cells: Sequence[Cell], target: Target, note: Callable[[Target, str], None]) -> str:
        """Return a value of which only a pseudonym is stored; a rounded number is left out."""
        try:
            return self._id(cells, target)
        except BadRow as error:
            note(target, error.reason)
            return ""

    def _native_id(self, cells: Sequence[Cell], started: dt.datetime, order: str, buyer: str) -> str:
        given = self._id(cells, "native_id")
        if given:
            if len(given) > MAX_ID:
                raise BadRow("native_id", f"编号超过 {MAX_ID} 个字符")
            # An id that is itself a phone, ID card or the order number must not be stored as it stands.
            personal = given == order or bool(_PERSONAL & set(mask_with_report(given)[1]))
            return f"k-{self._house.pseudonyms.of('session', given)}" if personal else given
        parts = {"order": order, "buyer": buyer, "started_at": started.isoformat()}
        values = [
            parts[target] if target in parts else word_of(self._cell(cells, target))
            for target in self._fit.mapping.identity
        ]
        if not values or not all(values):
            raise BadRow("native_id", "没有会话编号")
        return f"k-{self._house.pseudonyms.of('session', chr(31).join(values))}"

    def _optional(
        self, cells: Sequence[Cell], target: Target, read: Callable[[Cell], _Value | None],
        note: Callable[[Target, str], None],
    ) -> _Value | None:
        try:
            return read(self._cell(cells, target))
        except (ValueError, OverflowError) as error:
            note(target, f"{error}，这一项没有导入")
            return None


def _person(name: str) -> str:
    return "" if _NOBODY.fullmatch(name) else name


def _names(turns: Sequence[RawTurn], people: People, order: str) -> dict[str, str]:
    """Return what must not be in the texts, and what stands there instead."""
    names: dict[str, str] = {}
    for turn in turns:
        if turn.name and turn.role != "system" and not _NOBODY.fullmatch(turn.name):
            names[turn.name] = "买家" if turn.role == "customer" else "客服"
    if people.buyer:
        names[people.buyer] = "买家"
    if people.agent:
        names[people.agent] = "客服"
    if len(order) >= 6:
        names[order] = "[订单号]"
    return names
