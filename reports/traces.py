"""Making traces: what each judged text adds, in short, to volumes, baselines and clusters of its day.

The texts that changed since the last time are made anew, some thousands at a time, one transaction each: it can be
stopped anywhere and goes on where it was. See `vocwatch.store.traces`.
"""

from __future__ import annotations

import datetime as dt
import zlib
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, overload

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree

from reports.bursts import microseconds
from reports.clauses import clause_marks
from reports.clusters import Signatures, numbers, signature
from reports.complaint import SESSIONS, Complaint
from reports.texts import Reader
from vocwatch.clock import business_date
from vocwatch.models import TextKind
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, facts, incidents, traces
from vocwatch.store.traces import Key, Trace

FORM = 1  # one more when traces are made in another way
NEAR_DAYS = 30  # a copy is looked for so many days around
BATCH = 60_000  # each passes all signatures of the days around
_MENTION, _SESSION = TextKind.MENTION.value, TextKind.SESSION.value


def mark_of(settings: Settings) -> int:
    """Return a number that changes with the settings that traces depend on: `Reader`'s classes and products, the zone."""
    lines = [(line.name, line.topic) for line in settings.topics.red_lines]
    products = [(w.id, w.sku, w.name, w.aliases) for w in settings.watches.watches if w.kind == "product"]
    return zlib.crc32(repr((FORM, str(settings.app.zone), lines, products)).encode()) & 0x7FFFFFFF


@dataclass
class Shared:
    """The texts of one date that were read to make their traces: its judgement need not read them again. None stands for
    a text that complains of nothing of ours.
    """

    date: dt.date
    texts: dict[Key, Complaint | None] = field(default_factory=dict)

    def add(self, keys: Iterable[Key], read: Iterable[Complaint]) -> None:
        """Remember texts that were looked at, and what was read of them."""
        self.texts.update(dict.fromkeys(keys))
        for c in read:
            if c.day == self.date:
                self.texts[c.key] = c
            else:
                self.texts.pop(c.key, None)


def keep(settings: Settings, store: Store, date: dt.date, days: int, shared: Shared | None = None) -> int:
    """Bring the stored traces up to date; those of the `days` up to `date` also where the settings have changed.

    Returns how many texts were looked at; those of the date itself go into `shared`.
    """
    maker = Maker(settings, shared)
    last = date.toordinal()
    with store.begin() as connection:
        traces.enqueue_stale(connection, last - days, last, maker.mark)
    looked = 0
    while True:
        with store.begin() as connection:
            rows, keys = traces.queued(connection, BATCH)
            if not rows:
                return looked
            stood = traces.days_of(connection, [ref for kind, ref in keys if kind == _MENTION])
            leaning = _leaning(connection, stood) - keys
            stood.update(traces.days_of(connection, [ref for _, ref in leaning]))
            keys |= leaning
            made = maker.linked(connection, maker.make(connection, keys), keys)
            traces.replace(connection, keys, made, rows, set(stood.values()))
            looked += len(keys)


def _leaning(connection: Connection, known: Collection[int]) -> set[Key]:
    """Mentions that are tied to their copies by way of one that is `known` and may have another text now, or none."""
    if not known:
        return set()
    found: set[int] = set()
    for ref, twins in traces.twins(connection):
        others = [int(twin) for twin in twins.split()]
        if ref in known:
            found.update(others)
        elif any(other in known for other in others):
            found.add(ref)
    return {(_MENTION, ref) for ref in found}


class Maker:
    """Makes traces by the configuration."""

    def __init__(self, settings: Settings, shared: Shared | None = None):
        self._zone = settings.app.zone
        self._reader = Reader(settings)
        self._shared = shared
        self.mark = mark_of(settings)

    def make(self, connection: Connection, keys: Collection[Key]) -> list[Trace]:
        """Return the traces of texts, not linked yet; what is not judged, or not heard of any more, has none."""
        outside = [ref for kind, ref in keys if kind == _MENTION]
        inside = [ref for kind, ref in keys if kind == _SESSION]
        return [*self._mentions(connection, outside), *self._sessions(connection, inside)]

    def _mentions(self, connection: Connection, ids: Sequence[int]) -> list[Trace]:
        found = traces.basics(connection, ids)
        wanted = [basics.ref_id for basics in found if basics.complains]
        read = {c.heard.ref_id: c for c in self._reader.read(incidents.mentions_by_id(connection, wanted))}
        if self._shared:
            self._shared.add(((_MENTION, ref) for ref in wanted), read.values())
        made = []
        for basics in found:
            c = read.get(basics.ref_id)
            if c is None and not basics.counted:
                continue
            day = business_date(basics.placed, self._zone).toordinal()
            trace = Trace(
                _MENTION, basics.ref_id, day, self.mark, basics.source, basics.counted, basics.negative, c is not None,
                microseconds(basics.placed),
            )
            if c is not None:
                self._complaining(trace, c)
                trace.parent = c.heard.parent
                trace.signature = signature(c.heard.fingerprint, c.heard.text)
                trace.clauses = clause_marks(c.heard.text)
            made.append(trace)
        return made

    def _sessions(self, connection: Connection, ids: Sequence[int]) -> list[Trace]:
        made = []
        read = self._reader.read(incidents.sessions_by_id(connection, ids))
        if self._shared:
            self._shared.add(((_SESSION, ref) for ref in ids), read)
        for c in read:
            trace = Trace(
                _SESSION, c.heard.ref_id, c.day.toordinal(), self.mark, SESSIONS, False, c.heard.sentiment == "negative",
                True, microseconds(c.heard.at),
            )
            self._complaining(trace, c)
            made.append(trace)
        return made

    def _complaining(self, trace: Trace, c: Complaint) -> None:
        trace.native_id, trace.author, trace.product = c.heard.native_id, c.heard.author, c.product
        trace.topics = "\n".join(c.topics)

    def linked(self, connection: Connection, rows: list[Trace], keys: Collection[Key]) -> list[Trace]:
        """Tie new traces to the mentions that they resemble: one of each group of copies, among themselves and among
        what is stored of the days around. `keys` are the texts whose stored traces count no more.
        """
        signed = sorted((row for row in rows if row.signature), key=lambda row: (row.moment, row.channel, row.native_id))
        if not signed:
            return rows
        since = min(row.day for row in signed) - NEAR_DAYS
        until = max(row.day for row in signed) + NEAR_DAYS
        gone = {ref for kind, ref in keys if kind == _MENTION}
        new = Signatures(numbers([row.signature or b"" for row in signed]))
        ids = np.array([row.ref_id for row in signed])
        found = [np.stack([ids[one], ids[two]]) for one, two in new.among()]
        known: list[tuple[int, int]] = []
        for part in traces.ties(connection, since, until):
            known += [(ref, int(twin)) for ref, _, twins in part if twins and ref not in gone for twin in twins.split()]
            stored = [(ref, bare) for ref, bare, _ in part if bare and ref not in gone]
            others = np.array([ref for ref, _ in stored])
            for mine, theirs in new.matches(numbers([bare for _, bare in stored])) if stored else ():
                found.append(np.stack([ids[mine], others[theirs]]))
        tied = _forest(np.concatenate(found, axis=1) if found else np.empty((2, 0), dtype=np.int64), known)
        own = set(ids.tolist())
        twins: dict[int, list[int]] = defaultdict(list)
        for left, right in tied:
            new_one, other = (left, right) if left in own else (right, left)
            twins[new_one].append(other)
        for row in signed:
            row.twins = " ".join(map(str, sorted(twins[row.ref_id]))) if row.ref_id in twins else None
        return rows


def _forest(pairs: np.ndarray[tuple[int, int], np.dtype[np.int64]], known: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return as many of the pairs as tie together what they and the known ones tie together."""
    stored = np.array(list(known), dtype=np.int64).reshape(-1, 2).T
    every = np.concatenate([stored, pairs], axis=1)
    names, place = np.unique(every, return_inverse=True)
    one, two = np.sort(place.reshape(every.shape), axis=0)
    edge, first = np.unique(one * len(names) + two, return_index=True)  # the stored come first and weigh less
    weight = np.where(first < stored.shape[1], 1, 2)
    size = (len(names), len(names))
    graph = coo_matrix((weight, (edge // max(1, len(names)), edge % max(1, len(names)))), shape=size).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    new = tree.data == 2
    return list(zip(names[tree.row[new]].tolist(), names[tree.col[new]].tolist(), strict=True))


class StoredTexts(Sequence[str]):
    """Texts of mentions that are read when they are asked for: those of weeks are no list in memory."""

    def __init__(self, connection: Connection, ids: Sequence[int]):
        self._connection, self._ids = connection, array("q", ids)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> StoredTexts: ...

    def __getitem__(self, place: int | slice) -> str | StoredTexts:
        """Return one text, or some of them, not read yet."""
        if isinstance(place, slice):
            return StoredTexts(self._connection, self._ids[place])
        return next(facts.texts_by_id(self._connection, [self._ids[place]]))

    def __iter__(self) -> Iterator[str]:
        """Yield the texts, some hundreds at a time, in no order among them."""
        return facts.texts_by_id(self._connection, self._ids)


class Kept:
    """The stored traces of some days, with those that wait in the queue made on the fly: reading writes nothing."""

    def __init__(self, settings: Settings, connection: Connection, since: dt.date, until: dt.date):
        self._connection = connection
        self._since, self._until = since.toordinal(), until.toordinal()
        maker = Maker(settings)
        waiting = traces.queued(connection)[1] | traces.stale(connection, self._since, self._until, maker.mark)
        had = traces.days_of(connection, [ref for kind, ref in waiting if kind == _MENTION])
        self._pending = waiting | _leaning(connection, had)
        made = maker.make(connection, self._pending) if self._pending else []
        near = [row for row in made if self._since <= row.day <= self._until]
        self._fresh = maker.linked(connection, near, self._pending) if near else []

    def window(self, also: Collection[Key] = ()) -> Iterator[Sequence[Any]]:
        """Yield the complaints of the days, and those of `also` of other days, as tuples of the WINDOW columns."""
        stored = traces.window(self._connection, self._since, self._until)
        yield from (row for row in stored if (row[0], row[1]) not in self._pending) if self._pending else stored
        for row in traces.window_of(self._connection, also):
            if not self._since <= row[2] <= self._until and (row[0], row[1]) not in self._pending:
                yield row
        yield from (_columns(row) for row in self._fresh if row.complains)

    def unchanged(self, shared: Shared) -> dict[Key, Complaint | None]:
        """Return the texts that were read before and have not been judged, moved or erased since."""
        return {key: read for key, read in shared.texts.items() if key not in self._pending} if self._pending else shared.texts

    def negative_texts(self, until: dt.date) -> StoredTexts:
        """Return the brand's negative texts of the days before `until`."""
        last = until.toordinal() - 1
        found = [ref for ref in traces.negatives(self._connection, self._since, last) if (_MENTION, ref) not in self._pending]
        found += [row.ref_id for row in self._fresh if row.counted and row.negative and row.day <= last]
        return StoredTexts(self._connection, sorted(found))

    def volumes(self) -> dict[tuple[dt.date, str], tuple[int, int]]:
        """Return the brand's mentions and the negative ones among them, by business date and source."""
        found = traces.volumes(self._connection, self._since, self._until, self._pending)
        for row in self._fresh:
            if row.counted:
                total, negative = found.get((row.day, row.channel), (0, 0))
                found[row.day, row.channel] = (total + 1, negative + row.negative)
        return {(dt.date.fromordinal(day), channel): value for (day, channel), value in found.items()}


_columns = attrgetter(*traces.WINDOW)
