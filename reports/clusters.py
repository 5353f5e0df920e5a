"""Near-identical texts collapse to one origin and its copies; a burst of copies by few accounts is told."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vocwatch.fingerprint import NEAR_DUPLICATE, band_keys, similarity
from vocwatch.store.incidents import Heard

MIN_LETTERS = 12  # two people may well write the same dozen characters
MAX_REPRESENTATIVES = 64
ARMY_TEXTS = 8
ARMY_TEXTS_PER_ACCOUNT = 2.0
ARMY_HOURS = 48
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
    for place, heard in enumerate(ordered):
        if len(_LETTER.findall(heard.text)) >= MIN_LETTERS and heard.fingerprint:
            for band in band_keys(heard.fingerprint):
                _file(place, buckets[band], parent, ordered)
    return {heard.ref_id: ordered[_root(parent, place)].ref_id for place, heard in enumerate(ordered)}


def _file(place: int, bucket: list[int], parent: list[int], ordered: Sequence[Heard]) -> None:
    """Join a text to one in the bucket that it resembles, or make it one of the bucket's distinct texts."""
    for other in bucket:
        first, second = sorted((_root(parent, other), _root(parent, place)))
        if first == second:
            return
        if similarity(ordered[other].fingerprint, ordered[place].fingerprint) >= NEAR_DUPLICATE:
            parent[second] = first  # the earlier stays the origin
            return
    if len(bucket) < MAX_REPRESENTATIVES:
        bucket.append(place)


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


@dataclass(frozen=True)
class Coordination:
    """疑似水军: so many near-identical texts by so few accounts in so short a time."""

    texts: int
    accounts: int
    hours: int


def coordination(texts: Sequence[Heard]) -> Coordination | None:
    """Return why a set of copies looks arranged, or None.

    At least 8 texts, two or more per account, all within 48 hours. Unknown authors count as one account each.
    """
    burst = _densest(sorted(texts, key=lambda heard: heard.at))
    accounts = {(heard.channel, heard.author or heard.ref_id) for heard in burst}
    if len(burst) < ARMY_TEXTS or len(burst) / len(accounts) < ARMY_TEXTS_PER_ACCOUNT:
        return None
    lasted = burst[-1].at - burst[0].at
    return Coordination(len(burst), len(accounts), max(1, round(lasted.total_seconds() / 3600)))


def _densest(ordered: Sequence[Heard]) -> Sequence[Heard]:
    """Return the 48 hours that hold most of the texts."""
    best: Sequence[Heard] = ()
    first = 0
    for last, heard in enumerate(ordered):
        while heard.at - ordered[first].at > dt.timedelta(hours=ARMY_HOURS):
            first += 1
        if last + 1 - first > len(best):
            best = ordered[first : last + 1]
    return best
