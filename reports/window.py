"""The complaints of a day and of the weeks before it, in columns: who copies whom, who is arranged, how many voices.

Made of traces, so that the past costs some bytes a text. `apply` gives the few texts that are read in full what was
found of them among all.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reports.baseline import UNNAMED, Cell, Day
from reports.bursts import ARMY_HOURS, Marks, Said, arranged
from reports.clusters import join, root
from reports.complaint import ARRANGED, Complaint
from vocwatch.models import TextKind

_NEAR = ARMY_HOURS * 3_600_000_000
_HASHED = (1 << 63) - 1  # of a million people two share a number in one of ten million days
_SESSION = TextKind.SESSION.value
_Numbers = npt.NDArray[np.int64]


class Spoken(NamedTuple):
    """One complaint of a window. `voice` numbers who speaks, −1 for a copy; `inside` in customer service."""

    inside: bool
    ref_id: int
    native_id: str
    channel: str
    day: dt.date
    voice: int
    product: str | None
    topics: tuple[str, ...]


class Names(dict[Any, int]):
    """Numbers for names, in order of appearance: a name that has none yet is given one when it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[Any] = []

    def __missing__(self, name: Any) -> int:
        self[name] = number = len(self.names)
        self.names.append(name)
        return number


class _Places:
    """Where a row id stands: a dictionary of hundreds of thousands of numbers would take twelve times the room."""

    def __init__(self, refs: _Numbers, places: _Numbers):
        order = places[np.argsort(refs[places], kind="stable")]
        self._refs, self._places = array("q", refs[order].tobytes()), array("q", order.tobytes())

    def get(self, ref: int) -> int | None:
        """Return the place of a row id."""
        spot = bisect_left(self._refs, ref)
        return self._places[spot] if spot < len(self._refs) and self._refs[spot] == ref else None


class Window:
    """Complaints as `vocwatch.store.traces.window` yields them."""

    def __init__(self, rows: Iterable[Sequence[Any]]):
        self._channels, self._products, self._topics = Names(), Names(), Names()
        numbers, clauses, lengths = array("q"), bytearray(), array("q")
        told: dict[str, int] = {}
        self._native: list[str] = []
        self._twins: list[tuple[int, str]] = []
        answers: list[tuple[int, str]] = []
        for row in rows:
            kind, ref, day, channel, negative, moment, native, parent, author, product, topics, marks, twins = row
            inside = kind == _SESSION
            where = self._channels[channel]
            who = author or (native if inside else None)
            if (topic := told.get(topics)) is None:
                topic = told[topics] = self._topics[tuple(topics.split("\n")) if topics else ()]
            if twins:
                self._twins.append((len(self._native), twins))
            if not topics and parent and negative:
                answers.append((len(self._native), parent))
            person = -1 - (hash((where, who)) & _HASHED) if who else ref  # names themselves would take forty times the room
            numbers.extend((ref, inside, day, moment, where, person, self._products[product or None], topic))
            self._native.append(native)
            if marks:
                clauses += marks
            lengths.append(len(marks or b""))
        columns = np.ascontiguousarray(np.frombuffer(numbers or b"", dtype=np.int64).reshape(-1, 8).T)
        del numbers
        self._ref, inside_, self._day, self._moment, self._channel, person_, self._product, self._topic = columns
        self._inside, self._authored = inside_.astype(np.bool_), person_ < 0
        people, self._person = np.unique(person_, return_inverse=True)
        self._answer(answers)
        self._place = _Places(self._ref, np.flatnonzero(~self._inside))
        self._session = _Places(self._ref, np.flatnonzero(self._inside))
        self._origin = np.arange(len(self._ref))
        self._copies()
        self._voice = np.where(self._origin == np.arange(len(self._ref)), self._person, -1)
        self._burst: set[int] = set()
        self._arrange(Marks.packed(clauses, lengths), len(people))
        del self._person, self._authored, self._twins

    def __len__(self) -> int:
        return len(self._ref)

    def _answer(self, answers: Sequence[tuple[int, str]]) -> None:
        """An angry answer without a subject of its own speaks of what the post above it complains of."""
        wanted = {(int(self._channel[place]), parent) for place, parent in answers}
        posts = {}
        telling = self._topics_of
        for place, native in enumerate(self._native) if wanted else ():
            key = (int(self._channel[place]), native)
            if key in wanted and not self._inside[place] and telling[self._topic[place]]:
                posts[key] = place
        for place, parent in answers:
            post = posts.get((int(self._channel[place]), parent))
            if post is not None:
                self._topic[place] = self._topics[telling[self._topic[post]][:1]]
                if self._products.names[self._product[place]] is None:
                    self._product[place] = self._product[post]

    @property
    def _topics_of(self) -> list[tuple[str, ...]]:
        return self._topics.names

    def _copies(self) -> None:
        """Give the texts of each group of copies the earliest of them as origin."""
        if not self._twins:
            return
        nodes = Names()
        edges = [(nodes[int(self._ref[place])], nodes[int(twin)]) for place, twins in self._twins for twin in twins.split()]
        parent = list(range(len(nodes)))
        for one, two in edges:
            join(parent, one, two)
        groups: dict[int, list[int]] = defaultdict(list)
        for number, ref in enumerate(nodes.names):
            if (place := self._place.get(ref)) is not None:
                groups[root(parent, number)].append(place)
        for places in groups.values():
            self._origin[places] = min(places, key=self._order)

    def _order(self, place: int) -> tuple[int, str, str]:
        return (int(self._moment[place]), self._channels.names[self._channel[place]], self._native[place])

    def _arrange(self, clauses: Marks, people: int) -> None:
        """Let the texts that look arranged be one voice a day, and copies of the earliest; so many `people` speak."""
        telling = self._topics_of
        where = np.flatnonzero(~self._inside & np.array([bool(topics) for topics in telling], dtype=np.bool_)[self._topic])
        if not len(where):
            return
        found = where[arranged(Said(
            telling, self._topic[where], self._voice[where], self._authored[where], self._day[where], self._person[where],
            self._moment[where], clauses.of(where),
        ))].tolist()
        bursts = Names()
        earliest: dict[str, int] = {}
        for place in sorted(found, key=self._order):
            earliest.setdefault(telling[self._topic[place]][0], place)
        origin = self._origin.copy()
        for place in found:
            topic = telling[self._topic[place]][0]
            if self._voice[place] >= 0:
                self._voice[place] = people + bursts[int(self._day[place]), topic]
                self._burst.add(place)
            first = earliest[topic]
            if self._moment[place] - self._moment[first] <= _NEAR:
                origin[place] = self._origin[first]
        self._origin = origin

    def apply(self, complaints: Iterable[Complaint]) -> list[Complaint]:
        """Return complaints as they stand among all: topics of answers, origins, voices. Those of nothing are left out."""
        found = []
        for c in complaints:
            place = (self._session if c.inside else self._place).get(c.heard.ref_id)
            topics = self._topics_of[self._topic[place]] if place is not None else ()
            if place is not None and topics:
                found.append(c if c.inside else self._told(c, place, topics))
        return found

    def _told(self, c: Complaint, place: int, topics: tuple[str, ...]) -> Complaint:
        voice = c.voice if self._voice[place] >= 0 else None
        if place in self._burst:
            voice = f"{ARRANGED}{c.day}:{topics[0]}"
        origin = int(self._ref[self._origin[place]])
        product = self._products.names[self._product[place]]
        if (topics, voice, origin, product) == (c.topics, c.voice, c.origin, c.product):
            return c
        return replace(c, topics=topics, voice=voice, origin=origin, product=product)

    def sessions(self, topic: str, product: str, days: range) -> list[int]:
        """Return the row ids of the sessions of some days (as ordinals) that complain of this of that product."""
        return [ref for day, ref in self._by_reason.get((topic, product), ()) if day in days]

    def of_cells(self, cells: AbstractSet[Cell], day: dt.date) -> list[tuple[str, int]]:
        """Return the (text kind, row id) of a day's complaints in some cells (those of no product under UNNAMED)."""
        wanted = {topic for _, topic in cells}
        telling = [[topic for topic in topics if topic in wanted] for topics in self._topics_of]
        found = []
        for place in np.flatnonzero(self._day == day.toordinal()).tolist():
            product = self._products.names[self._product[place]] or UNNAMED
            if any((product, topic) in cells or (None, topic) in cells for topic in telling[self._topic[place]]):
                found.append(self._key(place))
        return found

    def some(self, days: range, most: int) -> list[tuple[str, int]]:
        """Return at most so many complaints of some days (as ordinals), evenly chosen."""
        places = np.flatnonzero((self._day >= days.start) & (self._day < days.stop))
        return [self._key(place) for place in places[:: max(1, -(-len(places) // most))].tolist()]

    def _key(self, place: int) -> tuple[str, int]:
        return (TextKind.SESSION if self._inside[place] else TextKind.MENTION).value, int(self._ref[place])

    @cached_property
    def _by_reason(self) -> Mapping[tuple[str, str], list[tuple[int, int]]]:
        found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        products = self._products.names
        for place in np.flatnonzero(self._inside).tolist():
            product = products[self._product[place]]
            for topic in self._topics_of[self._topic[place]] if product else ():
                found[topic, product].append((int(self._day[place]), int(self._ref[place])))
        return found

    def counts(self) -> dict[Cell, dict[Day, int]]:
        """Independent voices by cell, channel and day."""
        names = Names()
        told = [[names[topic] for topic in topics] for topics in self._topics_of]
        heard = np.flatnonzero(self._voice >= 0)
        lengths = np.array([len(own) for own in told], dtype=np.int64)[self._topic[heard]]
        place = np.repeat(heard, lengths)
        topic = np.array([n for kind in self._topic[heard].tolist() for n in told[kind]], dtype=np.int64)
        products, counts = self._products.names, defaultdict[Cell, dict[Day, int]](dict)
        whole = self._tally([topic, self._channel[place], self._day[place]], self._voice[place])
        for n, number, channel, day in whole:
            counts[None, names.names[number]][self._channels.names[channel], dt.date.fromordinal(day)] = n
        parts = self._tally([topic, self._channel[place], self._day[place], self._product[place]], self._voice[place])
        for n, number, channel, day, product in parts:
            counts[products[product] or UNNAMED, names.names[number]][self._channels.names[channel], dt.date.fromordinal(day)] = n
        return dict(counts)

    @staticmethod
    def _tally(columns: list[_Numbers], voice: _Numbers) -> list[tuple[int, ...]]:
        """Return (distinct voices, *values) for each combination of the columns' values."""
        if not len(voice):
            return []
        names, mixed = [], np.zeros(len(voice), dtype=np.int64)
        for column in columns:
            values, number = np.unique(column, return_inverse=True)
            names.append(values)
            mixed = mixed * len(values) + number
        people = int(voice.max()) + 1
        cells, number = np.unique(np.unique(mixed * people + voice) // people, return_counts=True)
        found = [number.tolist()]
        for values in reversed(names):
            found.insert(1, values[cells % len(values)].tolist())
            cells = cells // len(values)
        return list(zip(*found, strict=True))

    def said(self) -> Iterator[Spoken]:
        """Yield every complaint that has a topic, as it stands among all."""
        for place, topic in enumerate(self._topic.tolist()):
            if topics := self._topics_of[topic]:
                yield Spoken(
                    bool(self._inside[place]), int(self._ref[place]), self._native[place],
                    self._channels.names[self._channel[place]], dt.date.fromordinal(int(self._day[place])),
                    int(self._voice[place]), self._products.names[self._product[place]], topics,
                )

    @property
    def heard_on(self) -> set[tuple[str, int]]:
        """(channel, day number) of every complaint that has a topic."""
        told = np.array([bool(own) for own in self._topics_of], dtype=np.bool_)[self._topic]
        pairs = np.unique(self._channel[told] * 10_000_000 + self._day[told]).tolist()
        return {(self._channels.names[pair // 10_000_000], pair % 10_000_000) for pair in pairs}
