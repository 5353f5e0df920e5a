"""Review exports of merchant back offices: which platform one comes from, and one row to masked mentions."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sessions.cells import MAX_REVIEW, MAX_SHORT, NOBODY, BadRow, CellReader, House, Note
from sessions.headers import Fit, fit_row, header_key
from sessions.problems import RowProblem
from sessions.values import Cell, number_of, stars_of, text_of, word_of
from vocwatch.lang import tr
from vocwatch.masking import mask, mask_nicknames
from vocwatch.models import MentionKind
from vocwatch.settings import SessionMap
from vocwatch.settings.session_maps import ReviewExport, Target
from vocwatch.store.mentions import MentionRow

MAX_STARS = 5
_CLOCK = re.compile(r"\d[:：时点]\d|^\d{10}(?:\d{3})?$|[T ]\d{6}")
_PLACE = re.compile(r"\{(\w+)\}")
_STAR_CODE = re.compile(r"[1-5][05]")  # 50 is five stars, 45 four and a half: how 点评 writes them


@dataclass(frozen=True, slots=True)
class Review:
    """One mention of an export: the review itself, its addition (追评) or the shop's answer.

    `part`: it stands in the same row of the file as the one before it.
    """

    source: str
    row: MentionRow
    part: bool = False


def choose_review(
    maps: Iterable[SessionMap], fits: Mapping[str, Fit], names: Sequence[str], rows: Sequence[Sequence[Cell]],
    platforms: Mapping[str, str],
) -> tuple[list[Fit], bool]:
    """Return the review mappings that tell of this table, the surest first, and whether its name said so.

    A platform shows in the names of file and sheet, in the platform and shop columns of the first rows, and in
    columns that it alone writes. Several of equal weight are all returned: nobody can tell then.
    """
    scores: list[tuple[int, bool, Fit]] = []
    for mapping in maps:
        fit = fits.get(mapping.name)
        if mapping.reviews is None or fit is None or fit.missing:
            continue
        named = any(_says(mapping.reviews, name) for name in names)
        below = rows[fit.row + 1:fit.row + 4]
        told = _column_says(mapping.reviews, fit, below, platforms)
        header = {header_key(name) for name in fit.header}
        marks = sum(header_key(mark) in header for mark in mapping.reviews.marks)
        score = 100 * named + 50 * told + 10 * min(marks, 5)
        if score:
            scores.append((score, named or bool(marks), fit))
    if not scores:
        return [], False
    best = max(score for score, _, _ in scores)
    kept = [(sure, fit) for score, sure, fit in scores if score == best]
    if len(kept) > 1:  # 淘宝 and 天猫 write the same columns: the shops that the house has may settle it
        ours = [pair for pair in kept if _has_shop(pair[1].mapping, platforms)]
        kept = ours if len(ours) == 1 else kept
    return [fit for _, fit in kept], any(sure for sure, _ in kept)


def _has_shop(mapping: SessionMap, platforms: Mapping[str, str]) -> bool:
    return mapping.reviews is not None and any(_says(mapping.reviews, platform) for platform in platforms.values())


def fit_reviews(
    maps: Iterable[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool, searched: int
) -> dict[str, Fit]:
    """Return the best fit of each review mapping over the first rows."""
    found: dict[str, Fit] = {}
    for number in range(min(len(rows), 1 if headed else searched)):
        header = tuple(text_of(cell) for cell in rows[number])
        if len([name for name in header if name]) < 2:
            continue
        for mapping in maps:
            if mapping.reviews is not None:
                fit = fit_row(mapping, number, header)
                if mapping.name not in found or fit.score > found[mapping.name].score:
                    found[mapping.name] = fit
    return found


def _says(export: ReviewExport, text: str) -> bool:
    key = header_key(text)
    return any(_names_it(header_key(name), key) for name in (export.platform, *export.names))


def _names_it(name: str, key: str) -> bool:
    """Whether the name stands in the text; short latin names only as words of their own (jd, but not in jdbc)."""
    if name.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z])", key) is not None
    return name in key


def _column_says(
    export: ReviewExport, fit: Fit, rows: Sequence[Sequence[Cell]], platforms: Mapping[str, str]
) -> bool:
    """Whether the platform column, or the platform of the shop, names this platform."""
    said = []
    for target in ("platform", "shop"):
        for index in fit.columns.get(target, ()):
            said += [text_of(row[index]) for row in rows if index < len(row)]
    return any(_says(export, text) or _says(export, platforms.get(text, "") or "-") for text in said if text)


class ReviewReader(CellReader):
    """Reads the rows of one table of reviews."""

    def __init__(self, house: House, fit: Fit, sheet: str | None):
        super().__init__(house, fit, sheet)
        assert fit.mapping.reviews is not None
        self._export = fit.mapping.reviews
        shops = [name for name, platform in house.platforms.items() if _says(self._export, platform)]
        self._only_shop = shops[0] if len(shops) == 1 else None
        self._scope = f"review:{self._export.source}"

    def read(self, line: int, cells: Sequence[Cell]) -> Iterator[Review | RowProblem]:
        """Yield the mentions of a row and what was wrong with it; nothing for blank and total rows."""
        if self._is_no_record(cells):
            return
        notes: list[RowProblem] = []

        def note(target: Target, reason: str) -> None:
            notes.append(RowProblem(line, self._sheet, self._column(target), reason, kept=True))

        try:
            self._check_width(cells)
            mentions = self._mentions(cells, note)
        except BadRow as error:
            yield RowProblem(line, self._sheet, self._column(error.target), error.reason)
            return
        for place, row in enumerate(mentions):
            refused = self._house.refusals.refuses(
                self._export.source, row.native_id, row.url, row.author_key, row.parent
            )
            if not refused:
                yield Review(self._export.source, row, part=place > 0)
        yield from notes

    def _mentions(self, cells: Sequence[Cell], note: Note) -> list[MentionRow]:
        """The review, and after it what the same row holds of its addition and the shop's answer."""
        at = self._started(cells)
        order, buyer = self._keyed(cells, "order", note), self._keyed(cells, "buyer", note)
        native_id = self._given_id(cells, order, self._scope) or self._made_id(cells, at, order or buyer)
        names = {buyer: "买家"} if len(buyer) > 1 and not NOBODY.fullmatch(buyer) else {}
        if len(order) >= 6:
            names[order] = "[订单号]"

        def safe(target: Target, limit: int) -> str:
            return mask(mask_nicknames(word_of(self._cell(cells, target)), names))[:limit]

        sku, of = self._plain(cells, "sku", 100), self._house.pseudonyms.of
        kind = self._kind(cells)
        main = MentionRow(
            native_id=native_id, url=self._address(cells, native_id, sku), kind=kind.value,
            text=safe("review", MAX_REVIEW), published_at=at, precision=self._precision(cells, "started_at"),
            author_key=of(self._export.source, buyer) if kind is not MentionKind.REPLY else None,
            order_key=of("order", order),
            rating=self._rating(cells, note), likes=self._likes(cells, note),
            product=safe("product", MAX_SHORT) or None, sku=sku,
            shop=self._plain(cells, "shop", MAX_SHORT) or self._only_shop,
            parent=self._plain(cells, "parent", MAX_SHORT) if kind is not MentionKind.REVIEW else None,
        )
        added = self._extra(cells, main, "append", "append_at", MentionKind.APPEND, safe("append", MAX_REVIEW), note)
        answer = self._extra(cells, main, "reply", "reply_at", MentionKind.REPLY, safe("reply", MAX_REVIEW), note)
        found = [row for row in (main, added, answer) if row is not None]
        if not main.text and main.rating is None:
            found.remove(main)
        if not found:
            raise BadRow("review", tr("没有评价内容，也没有评分", "neither a text nor a rating"))
        return found

    def _extra(
        self, cells: Sequence[Cell], main: MentionRow, what: Target, when: Target, kind: MentionKind, text: str, note: Note
    ) -> MentionRow | None:
        """The addition or the answer that stands in the review's own row."""
        if not text:
            return None
        at = None
        if self._cell(cells, when) is not None:
            try:
                at = self._moment(cells, when)
            except BadRow as error:
                note(when, error.reason)
        suffix = {"append": "append", "reply": "reply"}[what]
        return MentionRow(
            native_id=f"{main.native_id}-{suffix}", url=main.url, kind=kind.value, text=text, parent=main.native_id,
            author_key=main.author_key if kind is MentionKind.APPEND else None, order_key=main.order_key,
            published_at=at, precision=self._precision(cells, when) if at else "none",
            product=main.product, sku=main.sku, shop=main.shop,
        )

    def _made_id(self, cells: Sequence[Cell], at: dt.datetime, who: str) -> str:
        """An export without ids: order (or buyer), product and time tell a review, its text only where they don't."""
        what = word_of(self._cell(cells, "sku")) or word_of(self._cell(cells, "product"))
        text = "" if who and what else word_of(self._cell(cells, "review"))
        if not (text or (who and what)):
            raise BadRow("native_id", tr(
                "没有评价编号，订单号（或买家）和商品也不全，认不出是哪条评价",
                "no review id, and not both order (or buyer) and product: which review it is can't be told",
            ))
        parts = (who, what, at.isoformat(), text)
        return f"k-{self._house.pseudonyms.of(self._scope, chr(31).join(parts))}"

    def _kind(self, cells: Sequence[Cell]) -> MentionKind:
        """Exports that give additions and answers rows of their own say so in a column."""
        said = word_of(self._cell(cells, "kind"))
        if any(word in said for word in self._export.answers):
            return MentionKind.REPLY
        return MentionKind.APPEND if any(word in said for word in self._export.additions) else MentionKind.REVIEW

    def _precision(self, cells: Sequence[Cell], target: Target) -> str:
        cell = self._cell(cells, target)
        if hasattr(cell, "hour"):
            return "second"
        if isinstance(cell, int | float):
            return "second" if cell >= 10**9 or not float(cell).is_integer() else "day"
        return "second" if _CLOCK.search(text_of(cell)) else "day"

    def _rating(self, cells: Sequence[Cell], note: Note) -> float | None:
        """Return stars: a word of the mapping, drawn or numbered stars, or a number on the mapping's scale."""
        said = word_of(self._cell(cells, "rating"))
        if not said:
            return None
        for word, stars in self._export.ratings.items():
            if word in said:
                return float(stars)
        if _STAR_CODE.fullmatch(said):
            return int(said) / 10
        if self._export.best == MAX_STARS:
            drawn = stars_of(said)
            if drawn is not None:
                return drawn
        try:
            number = number_of(said)
        except ValueError:
            number = None
        if number is None or not 0 <= number <= self._export.best:
            note("rating", tr(f"看不懂的评分：{said[:20]}，这一项没有导入", f"not a rating: {said[:20]}; this value was not imported"))
            return None
        return round(number * MAX_STARS / self._export.best, 2)

    def _likes(self, cells: Sequence[Cell], note: Note) -> int | None:
        number = self._optional(cells, "likes", number_of, note)
        return int(number) if number is not None and 0 <= number < 2**53 else None

    def _address(self, cells: Sequence[Cell], native_id: str, sku: str | None) -> str:
        """The review's own address where the export has one, else the product's page, else the back office."""
        given = word_of(self._cell(cells, "url"))
        if given.startswith(("http://", "https://")):
            return given[:1000]
        known = {"native_id": native_id, "sku": sku or ""}
        names = _PLACE.findall(self._export.address)
        if self._export.address and all(re.fullmatch(r"[\w.-]{1,100}", known.get(name, ""), re.A) for name in names):
            return _PLACE.sub(lambda match: known[match.group(1)], self._export.address)
        return f"{self._export.home.partition('#')[0]}#{native_id}"
