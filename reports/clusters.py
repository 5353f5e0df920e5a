"""Near-identical texts collapse to one origin and its copies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from vocwatch.fingerprint import NEAR_DUPLICATE, PERMUTATIONS, band_keys
from vocwatch.store.incidents import Heard

MIN_LETTERS = 12  # two people may well write the same dozen characters
MAX_REPRESENTATIVES = 64
_MINHASH_BYTES = 1 + 4 * PERMUTATIONS
_Signatures = npt.NDArray[np.uint32]
_LETTER = re.compile(r"\w")


def collapse(texts: Iterable[Heard]) -> dict[int, int]:
    """Return for each mention id the id of the origin it copies: itself, or the earliest of its
    near-duplicates.

    Candidates share a band of their fingerprint; each is compared with the distinct texts of that band
    only, so that thousands of copies of one text cost thousands of comparisons, not millions.
    """
    ordered = sorted(texts, key=lambda heard: (heard.at, heard.order))
    parent = list(range(len(ordered)))
    buckets: dict[object, list[int]] = defaultdict(list)
    signatures = _matrix(ordered)
    for place, heard in enumerate(ordered):
        if len(heard.fingerprint) == _MINHASH_BYTES and len(_LETTER.findall(heard.text)) >= MIN_LETTERS:
            for band in band_keys(heard.fingerprint):
                _file(place, buckets[band], parent, signatures)
    return {heard.ref_id: ordered[_root(parent, place)].ref_id for place, heard in enumerate(ordered)}


def _matrix(ordered: Sequence[Heard]) -> _Signatures:
    """Return one row of 64 numbers for each text: zeros for one too short to have them."""
    blank = bytes(4 * PERMUTATIONS)
    rows = b"".join(h.fingerprint[1:] if len(h.fingerprint) == _MINHASH_BYTES else blank for h in ordered)
    return np.frombuffer(rows, dtype="<u4").reshape(len(ordered), PERMUTATIONS)


def _file(place: int, bucket: list[int], parent: list[int], signatures: _Signatures) -> None:
    """Join a text to the first in the bucket that it resembles, or make it one of the bucket's distinct texts."""
    if bucket:
        equal = np.count_nonzero(signatures[bucket] == signatures[place], axis=1)
        alike = equal >= NEAR_DUPLICATE * PERMUTATIONS
        for other, resembles in zip(bucket, alike.tolist(), strict=True):
            first, second = sorted((_root(parent, other), _root(parent, place)))
            if first == second:
                return
            if resembles:
                parent[second] = first  # the earlier stays the origin
                return
    if len(bucket) < MAX_REPRESENTATIVES:
        bucket.append(place)


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place
