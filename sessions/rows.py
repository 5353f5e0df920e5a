"""One row of an export to one masked session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from sessions.cells import MAX_REVIEW, MAX_SHORT, NOBODY, BadRow, CellReader, House, Note
from sessions.headers import Fit, PathFinder
from sessions.judging import Counted, Signs, is_bad, path_of
from sessions.problems import RowProblem
from sessions.transcript import People, RawTurn, parse_transcript
from sessions.values import Cell, flag_of, number_of, seconds_of, stars_of, text_of, unit_seconds, word_of
from vocwatch.lang import tr
from vocwatch.masking import mask, mask_nicknames
from vocwatch.models import SessionRecord, Turn
from vocwatch.ratings import grade
from vocwatch.settings.session_maps import Judge, Target

_USUAL = Judge()


class RowReader(CellReader):
    """Reads the rows of one table of sessions."""

    def __init__(self, house: House, fit: Fit, sheet: str | None, paths: PathFinder):
        super().__init__(house, fit, sheet)
        self._paths = paths
        self._judge = None if paths.named else fit.mapping.judge

    def read(self, line: int, cells: Sequence[Cell]) -> Iterator[SessionRecord | Counted | RowProblem]:
        """Yield the session of a row and what was wrong with it; nothing for blank and total rows.

        Of an export of all sessions every row is counted, and the bad ones are sessions as well.
        """
        if self._is_no_record(cells):
            return
        notes: list[RowProblem] = []

        def note(target: Target, reason: str) -> None:
            notes.append(RowProblem(line, self._sheet, self._column(target), reason, kept=True))

        try:
            self._check_width(cells)
            record, counted = self._record(cells, note)
        except BadRow as error:
            yield RowProblem(line, self._sheet, self._column(error.target), error.reason)
            return
        if counted is not None:
            yield counted
        if record is not None:
            yield record
        yield from notes

    def _record(self, cells: Sequence[Cell], note: Note) -> tuple[SessionRecord | None, Counted | None]:
        started = self._started(cells)
        said = word_of(self._cell(cells, "path"))
        try:
            path = None if self._judge else self._paths.of(said)
        except ValueError as error:
            raise BadRow("path", str(error)) from error
        order = self._keyed(cells, "order", note)
        buyer, agent = self._keyed(cells, "buyer", note), self._keyed(cells, "agent", note)
        native_id = self._given_id(cells, order, "session") or self._made_id(cells, started, order, buyer)
        people = People(_person(buyer), _person(agent))
        raw, told = parse_transcript(
            self._chat(cells), self._fit.mapping.transcript, people, started, self._house.zone
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
            raise BadRow("transcript", tr("聊天记录是空的", "the transcript is empty"))
        if not told:
            note("transcript", tr("认不出每句是谁说的，整段当作买家的话", "nothing says who spoke which line; all of it is taken for the buyer's"))

        shop, rating = self._plain(cells, "shop", MAX_SHORT), safe("rating", 100)
        of = self._house.pseudonyms.of
        resolved = self._optional(cells, "resolved", flag_of, note)
        violation, return_reason = safe("violation"), safe("return_reason")
        counted = None
        bad = is_bad(rating, self._judge or _USUAL)
        if self._judge is not None:
            signs = Signs(said, violation, return_reason, review, rating)
            path = path_of(signs, turns, self._judge, self._paths, self._house.matcher)
        elif self._paths.by_rating and rating and not bad:
            path = None
        if self._judge is not None or self._paths.by_rating:
            day = started.astimezone(self._house.zone).date()
            counted = Counted(native_id, day, shop or "", bool(rating), bad, resolved, path is not None,
                              None if bad else grade(rating, stars_of(rating or "")))
        if path is None:
            return None, counted
        return SessionRecord(
            native_id=native_id, path=path, started_at=started, turns=turns, shop=shop,
            platform=self._plain(cells, "platform", 100) or self._house.platforms.get(shop or ""),
            sku=self._plain(cells, "sku", 100), product=safe("product"),
            order_key=of("order", order), agent_key=of("agent", agent), buyer_key=of("buyer", buyer),
            rating=rating, stars=stars_of(rating or ""),
            return_reason=return_reason, violation=violation, review=review,
            amount=self._optional(cells, "amount", number_of, note),
            response_seconds=self._optional(cells, "response_seconds", self._seconds, note),
            resolved=resolved,
        ), counted

    def _seconds(self, cell: Cell) -> float | None:
        """A duration in seconds; a bare number is in the unit that the column's name gives."""
        value = seconds_of(cell)
        name = (self._column("response_seconds") or "").lower()
        bare = isinstance(cell, int | float) or text_of(cell).replace(".", "", 1).isdigit()
        return value * unit_seconds(name) if value is not None and bare else value

    def _chat(self, cells: Sequence[Cell]) -> Cell:
        """The cell that holds the chat; with the message that opens it, where the export keeps that apart."""
        chat, opening = self._cell(cells, "transcript"), self._cell(cells, "said")
        if chat is None:
            return opening if self._fit.mapping.transcript.style == "rows" else chat or opening
        if not isinstance(opening, str) or self._fit.mapping.transcript.style != "json":
            return chat
        spec = self._fit.mapping.transcript
        first = {"text": opening, "role": text_of(self._cell(cells, "speaker_role")) or "customer",
                 "name": text_of(self._cell(cells, "speaker")), "time": self._cell(cells, "said_at")}
        rest = next((part for part in chat.values() if isinstance(part, list)), []) if isinstance(chat, dict) else chat
        return [first, *rest] if isinstance(rest, list) and spec.style == "json" else chat

    def _made_id(self, cells: Sequence[Cell], started: dt.datetime, order: str, buyer: str) -> str:
        """The id of a session without one of its own, from the fields that its mapping names."""
        parts = {"order": order, "buyer": buyer, "started_at": started.isoformat()}
        values = [
            parts[target] if target in parts else word_of(self._cell(cells, target))
            for target in self._fit.mapping.identity
        ]
        if not values or not all(values):
            raise BadRow("native_id", tr("没有会话编号", "no session id is given"))
        return f"k-{self._house.pseudonyms.of('session', chr(31).join(values))}"


def _person(name: str) -> str:
    return "" if NOBODY.fullmatch(name) else name


def _names(turns: Sequence[RawTurn], people: People, order: str) -> dict[str, str]:
    """Return what must not be in the texts, and what stands there instead."""
    names: dict[str, str] = {}
    for turn in turns:
        if turn.name and turn.role != "system" and not NOBODY.fullmatch(turn.name):
            names[turn.name] = "买家" if turn.role == "customer" else "客服"
    if people.buyer:
        names[people.buyer] = "买家"
    if people.agent:
        names[people.agent] = "客服"
    if len(order) >= 6:
        names[order] = "[订单号]"
    return names
