"""疑似水军: texts that few accounts put out in a short time, by one template. They are one voice; nothing is hidden.

Two signs, both of them about accounts: one that writes three or more texts on one topic in a day, and texts that share
whole clauses where most come of accounts that put out two or more. That many people say the same of one trouble is no
sign of anything.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from reports.clauses import clauses
from reports.complaint import ARRANGED, Complaint
from vocwatch.store.incidents import Heard

BUSY_TEXTS = 3
ARMY_TEXTS = 8
ARMY_TEXTS_PER_ACCOUNT = 2.0
ARMY_HOURS = 48
_ODD = np.uint64(0x9E3779B97F4A7C15)  # tells the same clause of two topics apart
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Account = tuple[str, str | int]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coordination:
    """Why texts look arranged: so many by so few accounts (`most` by one) within so many hours, `alike` of them made
    to one template.
    """

    texts: int
    accounts: int
    hours: int
    most: int
    alike: int


@dataclass(frozen=True)
class Marks:
    """The clauses of texts as hashes: those of all in one row, and how many each text has."""

    values: npt.NDArray[np.uint64]
    lengths: Places

    @classmethod
    def packed(cls, clauses: bytes | bytearray, lengths: array[int]) -> Marks:
        """Return what `clause_marks` gave for texts, one behind the other; `lengths` in bytes."""
        return cls(np.frombuffer(clauses, dtype="<u8"), np.frombuffer(lengths or b"", dtype=np.int64) // 8)

    def of(self, places: Places) -> Marks:
        """Return the clauses of some of the texts."""
        lengths = self.lengths[places]
        behind = (np.cumsum(self.lengths) - self.lengths)[places] - (np.cumsum(lengths) - lengths)
        return Marks(self.values[np.repeat(behind, lengths) + np.arange(int(lengths.sum()))], lengths)


@dataclass(frozen=True)
class Said:
    """What decides whether public texts look arranged, a place for each text.

    `kinds` are the different sets of topics, `kind` says which of them a text has. `voices` are numbers, −1 for a copy;
    `authored` says whether the author is known; `accounts` are numbers too; `moments` microseconds.
    """

    kinds: Sequence[tuple[str, ...]]
    kind: Places
    voices: Places
    authored: npt.NDArray[np.bool_]
    days: Places
    accounts: Places
    moments: Places
    clauses: Marks


def as_one_voice(complaints: list[Complaint]) -> list[Complaint]:
    """Let the texts of each topic that look arranged count as one voice a day, and as copies of their earliest."""
    outside = [c for c in complaints if not c.inside]
    changed = {outside[n].key: outside[n] for n in arranged(_said(outside))} if outside else {}
    if not changed:
        return complaints
    earliest: dict[str, Complaint] = {}
    for c in sorted(changed.values(), key=lambda c: (c.heard.at, c.heard.order)):
        earliest.setdefault(c.topics[0], c)
    return [_arranged(c, earliest[c.topics[0]]) if c.key in changed else c for c in complaints]


def _arranged(c: Complaint, first: Complaint) -> Complaint:
    near = c.heard.at - first.heard.at <= dt.timedelta(hours=ARMY_HOURS)
    origin = first.origin if near else c.origin
    return replace(c, voice=f"{ARRANGED}{c.day}:{c.topics[0]}" if c.voice else None, origin=origin)


def _said(outside: Sequence[Complaint]) -> Said:
    voices: dict[str, int] = {}
    accounts: dict[Account, int] = {}
    kinds: dict[tuple[str, ...], int] = {}
    marks = [c.marks for c in outside]
    return Said(
        kind=np.array([kinds.setdefault(c.topics, len(kinds)) for c in outside]),
        kinds=list(kinds),
        voices=np.array([voices.setdefault(c.voice, len(voices)) if c.voice else -1 for c in outside]),
        authored=np.array([bool(c.heard.author) for c in outside]),
        days=np.array([c.day.toordinal() for c in outside]),
        accounts=np.array([accounts.setdefault(_account(c.heard), len(accounts)) for c in outside]),
        moments=np.array([microseconds(c.heard.at) for c in outside]),
        clauses=Marks.packed(b"".join(marks), array("q", map(len, marks))),
    )


def microseconds(moment: dt.datetime) -> int:
    """Return a moment as whole microseconds since 1970."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def arranged(said: Said) -> list[int]:
    """Return the places of the texts that look arranged on any of their topics."""
    names: dict[str, int] = {}
    numbers = [[names.setdefault(topic, len(names)) for topic in topics] for topics in said.kinds]
    flat = np.array([number for own in numbers for number in own], dtype=np.int64)
    width = np.array([len(own) for own in numbers], dtype=np.int64)
    times = width[said.kind]
    place = np.repeat(np.arange(len(times)), times)
    if not len(place):
        return []
    first = (np.cumsum(width) - width)[said.kind] - (np.cumsum(times) - times)
    topic = flat[np.repeat(first, times) + np.arange(len(place))]
    found = np.concatenate([_busy(said, place, topic), _templates(said, place, topic)])
    places: list[int] = np.unique(place[found]).tolist()
    return places


def _busy(said: Said, place: Places, topic: Places) -> Places:
    """People complain once; who writes several texts of the same trouble in a day works for somebody."""
    own = np.flatnonzero((said.voices[place] >= 0) & said.authored[place])
    texts = np.stack([topic[own], said.voices[place[own]], said.days[place[own]]])
    return own[_times(texts) >= BUSY_TEXTS]


def _templates(said: Said, place: Places, topic: Places) -> Places:
    """Return the texts of accounts that repeat themselves within a group of texts of one template, where those make
    up most of it. Who wrote one such text only stays a voice of their own.
    """
    group = _linked(said.clauses.of(place), topic)
    enough = (_times(topic[None]) >= ARMY_TEXTS) & (_times(group[None]) > 1)
    repeated = enough & (_times(np.stack([group, said.accounts[place]])) >= ARMY_TEXTS_PER_ACCOUNT)
    own = np.flatnonzero(repeated)
    often = np.bincount(group[own], minlength=int(group.max()) + 1)
    most = 2 * often[group[own]] >= np.bincount(group)[group[own]]
    kept = own[most & (often[group[own]] >= ARMY_TEXTS)]
    found = [
        members for number in np.unique(group[kept]).tolist()
        if _burst(said.moments[place[members := kept[group[kept] == number]]], said.accounts[place[members]])
    ]
    return np.concatenate(found) if found else kept[:0]


def _times(rows: Places) -> Places:
    """How many columns are the same as each column."""
    mixed = rows[0]
    for row in rows[1:]:
        _, mixed = np.unique(mixed, return_inverse=True)
        _, other = np.unique(row, return_inverse=True)
        mixed = mixed * (int(other.max(initial=0)) + 1) + other
    _, same, number = np.unique(mixed, return_inverse=True, return_counts=True)
    times: Places = number[same]
    return times


def _linked(clauses: Marks, topic: Places) -> Places:
    """Number the groups of texts that share a clause word for word within a topic; the others are alone in theirs."""
    count = len(clauses.lengths)
    said = clauses.values ^ np.repeat(topic.astype(np.uint64) * _ODD, clauses.lengths)
    ordered = np.sort(said)
    names = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])  # those said again: the others tie nothing
    del ordered
    groups = np.arange(len(names), len(names) + count)
    if not len(names):
        return groups
    number = np.searchsorted(names, said)
    again = np.flatnonzero(names[np.minimum(number, len(names) - 1)] == said)
    number, texts = number[again], np.repeat(np.arange(count), clauses.lengths)[again]
    del said, again
    opening = np.flatnonzero(np.diff(texts, prepend=-1))  # the first that is said again, of each text: it ties the others
    first = np.repeat(number[opening], np.diff(opening, append=len(texts)))
    ties = np.unique(first * len(names) + number)
    size = (len(names), len(names))
    graph = coo_matrix((np.ones(len(ties), dtype=np.int8), (ties // len(names), ties % len(names))), shape=size)
    groups[texts[opening]] = connected_components(graph, directed=False)[1][number[opening]]
    return groups


def resembling(texts: Iterable[Heard]) -> list[list[Heard]]:
    """Return groups of texts that are linked by clauses word for word the same, each ordered by time; a text without
    such a clause is in none.
    """
    ordered = sorted(texts, key=lambda h: (h.at, h.order))
    parent = list(range(len(ordered)))
    first: dict[str, int] = {}
    for place, heard in enumerate(ordered):
        for clause in clauses(heard.text):
            one, two = _root(parent, first.setdefault(clause, place)), _root(parent, place)
            parent[max(one, two)] = min(one, two)
    groups: dict[int, list[Heard]] = defaultdict(list)
    for place, heard in enumerate(ordered):
        groups[_root(parent, place)].append(heard)
    return [group for group in groups.values() if len(group) > 1]


def _account(heard: Heard) -> Account:
    return (heard.channel, heard.author or heard.ref_id)


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def coordination(texts: Sequence[Heard]) -> Coordination | None:
    """Return why a set of texts looks arranged, or None.

    At least 8 texts, two or more per account, all within 48 hours. Unknown authors count as one account each.
    """
    ordered = sorted(texts, key=lambda heard: heard.at)
    owners: dict[Account, int] = {}
    numbers = np.array([owners.setdefault(_account(heard), len(owners)) for heard in ordered], dtype=np.int64)
    found = _burst(np.array([microseconds(heard.at) for heard in ordered], dtype=np.int64), numbers)
    if found is None:
        return None
    burst = ordered[found]
    accounts: Counter[Account] = Counter(_account(heard) for heard in burst)
    lasted = burst[-1].at - burst[0].at
    return Coordination(
        len(burst), len(accounts), max(1, round(lasted.total_seconds() / 3600)), max(accounts.values()),
        sum(len(group) for group in resembling(burst)),
    )


def _burst(moments: Places, accounts: Places) -> slice | None:
    """Return which texts, put in order of time, are the 48 hours that hold most of them, where those look arranged."""
    order = np.argsort(moments, kind="stable")
    ordered = moments[order]
    first = np.searchsorted(ordered, ordered - ARMY_HOURS * 3_600_000_000, "left")
    held = np.arange(1, len(ordered) + 1) - first
    if not len(held):
        return None
    last = int(np.argmax(held))
    found = slice(int(first[last]), last + 1)
    texts = int(held[last])
    enough = texts >= ARMY_TEXTS and texts / len(np.unique(accounts[order][found])) >= ARMY_TEXTS_PER_ACCOUNT
    return found if enough else None
