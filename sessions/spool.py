"""What was read of a file, masked, waiting to be stored: only a file that could be read whole goes further."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

from sessions.judging import Counted
from sessions.problems import RowProblem
from sessions.reviews import Review
from vocwatch.models import Path as QcPath
from vocwatch.models import SessionRecord, Turn
from vocwatch.store.mentions import MentionRow
from vocwatch.store.totals import Total

if TYPE_CHECKING:
    from sessions.reader import Heading

MAX_PROBLEMS = 10_000  # in the report; a file with more is wrong as a whole
Record = SessionRecord | Review


@dataclass
class Span:
    """Of one source of reviews: its rows, the mentions that they made, and the days they tell of."""

    rows: int = 0
    mentions: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None

    def add(self, moment: dt.datetime | None, row: bool) -> None:
        """Take in one mention; additions and answers are no rows of their own."""
        self.rows += row
        self.mentions += 1
        if moment is not None:
            self.first = min(self.first or moment, moment)
            self.last = max(self.last or moment, moment)


@dataclass
class Reading:
    """The masked records are in `spool`, one JSON line each, sessions and reviews in the order of the file."""

    format: str
    spool: IO[bytes]
    zone: ZoneInfo
    headings: list[Heading] = field(default_factory=list)
    counted: set[bytes] = field(default_factory=set)  # digests of the ids of all sessions, good and bad
    given: dict[tuple[dt.date, str, str], Total] = field(default_factory=dict)
    tally: Counter[tuple[dt.date, str, str]] = field(default_factory=Counter)
    good: int = 0  # of the counted
    rows: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    paths: Counter[str] = field(default_factory=Counter)
    sources: dict[str, Span] = field(default_factory=dict)
    last: dict[bytes, int] = field(default_factory=dict)  # digest of the identity -> number of its last record
    count: int = 0

    def add(self, item: Record | Counted | Total | RowProblem) -> None:
        """Take in one thing that the reader yielded."""
        if isinstance(item, Total):
            self.rows += 1
            self.given[item.day, item.shop, item.what] = item
            return
        if isinstance(item, Counted):
            self._count(item)
            return
        if isinstance(item, RowProblem):
            self.rows += not item.kept
            if len(self.problems) < MAX_PROBLEMS:
                self.problems.append(item)
            return
        key = digest(item)
        if isinstance(item, Review):
            self.rows += not item.part
            if key not in self.last:
                self.sources.setdefault(item.source, Span()).add(item.row.published_at, not item.part)
        else:
            self.rows += 1
            if key not in self.last:
                self.paths[item.path.value] += 1
        self.last[key] = self.count
        self.count += 1
        self.spool.write(orjson.dumps(item) + b"\n")

    def _count(self, item: Counted) -> None:
        self.rows += not item.kept
        key = _short("Counted", item.native_id)
        if key in self.counted:
            return
        self.counted.add(key)
        self.good += not item.kept
        for what, number in item.counts().items():
            self.tally[item.day, item.shop, what] += number

    def totals(self) -> list[Total]:
        """The totals of a file: given ones, and those counted in it.

        A file in which every session is bad holds the bad ones alone: it counts for no denominator.
        """
        if not self.good:
            return list(self.given.values())
        counted = [Total(day, shop, what, number, "counted") for (day, shop, what), number in self.tally.items()]
        return [*self.given.values(), *(row for row in counted if (row.day, row.shop, row.what) not in self.given)]

    @property
    def bad(self) -> int:
        """Rows that could not be read."""
        return sum(not problem.kept for problem in self.problems)

    def sessions(self) -> Iterator[SessionRecord]:
        """Yield the sessions, of those with one id only the last."""
        yield from (record for record in self._latest() if isinstance(record, SessionRecord))

    def reviews(self, source: str) -> Iterator[MentionRow]:
        """Yield the reviews of a source, of those with one id only the last."""
        for record in self._latest():
            if isinstance(record, Review) and record.source == source:
                yield record.row

    def _latest(self) -> Iterator[Record]:
        self.spool.seek(0)
        for number, line in enumerate(self.spool):
            record = _restored(line)
            if self.last[digest(record)] == number:
                yield record


def digest(record: Record) -> bytes:
    """The identity of a session (id and path) or review (source and id), short."""
    parts = (
        (record.source, record.row.native_id) if isinstance(record, Review) else (record.native_id, str(record.path))
    )
    return _short(type(record).__name__, *parts)


def _short(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).digest()


def _restored(line: bytes) -> Record:
    values = orjson.loads(line)
    if "row" in values:
        row = values["row"]
        row["published_at"] = _moment(row["published_at"])
        return Review(values["source"], MentionRow(**row), values["part"])
    values["path"] = QcPath(values["path"])
    values["started_at"] = dt.datetime.fromisoformat(values["started_at"])
    values["turns"] = [Turn(turn["role"], turn["text"], _moment(turn["at"])) for turn in values["turns"]]
    return SessionRecord(**values)


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
