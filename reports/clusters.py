"""Near-identical texts collapse to one origin and its copies.

Candidates share a band of their MinHash signatures. Signatures of the past pass by in pieces and are compared with the
new ones only, so that neither the time nor the memory of a day grows with what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vocwatch.fingerprint import BANDS, NEAR_DUPLICATE, PERMUTATIONS
from vocwatch.store.incidents import Heard

MIN_LETTERS = 12  # two people may well write the same dozen characters
MAX_REPRESENTATIVES = 64  # of one band that a text is compared with: thousands of copies cost no millions of looks
_MINHASH_BYTES = 1 + 4 * PERMUTATIONS
_PAIRS = 200_000  # compared at a time
_SPOTS = 1 << 20
_SPOT = np.uint64(_SPOTS - 1)
_LETTERS = re.compile(rf"(?:\W*+\w){{{MIN_LETTERS}}}")
_LANES = np.uint64(0x0101010101010101)
_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)

Numbers = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Pair = tuple[Places, Places]


def signature(fingerprint: bytes, text: str) -> bytes | None:
    """Return the signature by which a text can be a copy; None where it is too short to say so."""
    if len(fingerprint) != _MINHASH_BYTES or not _LETTERS.match(text):
        return None
    return fingerprint[1:]


def numbers(signatures: Sequence[bytes]) -> Numbers:
    """Return one row of 64 numbers for each signature."""
    return np.frombuffer(b"".join(signatures), dtype="<u4").reshape(len(signatures), PERMUTATIONS)


def collapse(texts: Iterable[Heard]) -> dict[int, int]:
    """Return for each mention id the id of the origin it copies: itself, or the earliest of its near-duplicates."""
    ordered = sorted(texts, key=lambda heard: (heard.at, heard.order))
    signed = [(place, bare) for place, h in enumerate(ordered) if (bare := signature(h.fingerprint, h.text))]
    parent = list(range(len(ordered)))
    for one, two in Signatures(numbers([bare for _, bare in signed])).among() if signed else ():
        for left, right in zip(one.tolist(), two.tolist(), strict=True):
            join(parent, signed[left][0], signed[right][0])
    return {heard.ref_id: ordered[root(parent, place)].ref_id for place, heard in enumerate(ordered)}


def join(parent: list[int], one: int, two: int) -> None:
    """Unite two groups; the smaller place stays the root."""
    first, second = sorted((root(parent, one), root(parent, two)))
    parent[second] = first


def root(parent: list[int], place: int) -> int:
    """Return the root of a place's group."""
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


class Signatures:
    """New signatures, to be held against one another and against those of the past."""

    def __init__(self, rows: Numbers):
        self._rows = rows
        self._low = rows.astype(np.uint8)
        keys = _keys(rows)
        self._order = np.argsort(keys, axis=1, kind="stable")
        self._sorted = np.take_along_axis(keys, self._order, axis=1)
        self._looked = np.zeros(keys.shape, dtype=np.int64)  # at how many others of a band, by its first place
        self._held = np.zeros((len(keys), _SPOTS), dtype=np.bool_)  # at which spots there are keys: most others have none here
        for held, own in zip(self._held, keys, strict=True):
            held[own & _SPOT] = True

    def among(self) -> Iterator[Pair]:
        """Yield (earlier, later) places of those that resemble each other, by way of the first in each band."""
        for keys, order in zip(self._sorted, self._order, strict=True):
            place = np.arange(len(keys))
            start = np.searchsorted(keys, keys, "left")
            for spots, first in _expanded(start, np.minimum(place - start, MAX_REPRESENTATIVES)):
                yield self._alike(order[first], order[place[spots]], self._low, self._rows)

    def matches(self, others: Numbers) -> Iterator[Pair]:
        """Yield (place here, place among `others`) of those that resemble each other."""
        low = others.astype(np.uint8)
        bands = zip(self._sorted, self._order, _keys(others), self._looked, self._held, strict=True)
        for keys, order, wanted, looked, held in bands:
            likely = np.flatnonzero(held[wanted & _SPOT])
            start = np.searchsorted(keys, wanted[likely], "left")
            found = np.flatnonzero((start < len(keys)) & (keys[np.minimum(start, len(keys) - 1)] == wanted[likely]))
            if not len(found):
                continue
            found = found[np.argsort(start[found], kind="stable")]
            at, found = start[found], likely[found]
            left = looked[at] + np.arange(len(at)) - np.searchsorted(at, at, "left") < MAX_REPRESENTATIVES
            found, at = found[left], at[left]
            np.add.at(looked, at, 1)
            for spots, here in _expanded(at, np.searchsorted(keys, wanted[found], "right") - at):
                yield self._alike(order[here], found[spots], low, others)

    def _alike(self, mine: Places, theirs: Places, low: npt.NDArray[np.uint8], others: Numbers) -> Pair:
        """Keep the pairs that are alike: first by the lowest byte of each number, then by all of it."""
        needed = NEAR_DUPLICATE * PERMUTATIONS
        same = (self._low[mine] == low[theirs]).view(np.uint64).sum(axis=1, dtype=np.uint64)
        near = np.flatnonzero((same * _LANES) >> np.uint64(56) >= needed)
        mine, theirs = mine[near], theirs[near]
        sure = np.count_nonzero(self._rows[mine] == others[theirs], axis=1) >= needed
        return mine[sure], theirs[sure]


def _keys(rows: Numbers) -> npt.NDArray[np.uint64]:
    """One key for each band (row) and text (column)."""
    width = PERMUTATIONS // BANDS
    mixed = np.zeros((BANDS, len(rows)), dtype=np.uint64)
    for place in range(width):
        mixed ^= rows[:, place::width].T.astype(np.uint64)
        mixed *= np.uint64(_ODD[place % len(_ODD)])
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _expanded(start: Places, count: Places) -> Iterator[Pair]:
    """Yield (index, start + 0 … count − 1) for each index, some thousands of pairs at a time."""
    ends = np.cumsum(count)
    cuts = [0, *np.searchsorted(ends, np.arange(_PAIRS, int(ends[-1]) if len(ends) else 0, _PAIRS)).tolist(), len(count)]
    for first, last in pairwise(cuts):
        own = count[first:last]
        if own.sum():
            spots = np.repeat(np.arange(first, last), own)
            offset = np.arange(len(spots)) - np.repeat(np.cumsum(own) - own, own)
            yield spots, start[spots] + offset
