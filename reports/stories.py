"""One story told under several topics: “the deposit is kept” and “no price protection” after the same presale.

Two groups of a day are one story when those who speak in the smaller one mostly use words that many of the larger one use
too, and that few used before; one word is enough if nobody did.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import add

from reports.complaint import Complaint
from reports.incidents import Group, voices

IN_SMALLER, IN_LARGER, BEFORE = 0.5, 0.25, 0.03  # shares of texts that hold a word
WORDS = 2  # that have no character in common
NEW_IN_LARGER, NEW = 0.4, 0.005  # one word is enough that was hardly ever heard, and now by so many
NEW_TEXTS = 3
MIN_BEFORE, MAX_BEFORE = 50, 2000  # texts of the days before that tell what is usual
_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")


def merged(
    groups: Sequence[Group], before: Callable[[], Sequence[Complaint]], names: Iterable[str] = ()
) -> list[Group]:
    """Return the groups with those that tell the same story made one; the larger keeps its topic.

    `before` reads complaints of earlier days, `names` those of brand and products, which say nothing. Only what begins
    today is merged into another: an incident that people know already keeps its name.
    """
    ignored = {word for name in names for word in _words(name)}
    usual = _Usual(before)
    kept = sorted(groups, key=lambda group: -len(voices(group.today)))
    gone: set[int] = set()
    shares: dict[int, dict[str, float]] = {}  # of each group as it stands
    for place in range(len(kept) - 1, 0, -1):
        small = kept[place]
        if small.isolated or (small.known and not small.known.watched):
            continue
        for large in kept[:place]:
            if _may_hold(large, small) and _same_story(large, small, usual, ignored, shares):
                large.today += small.today
                large.eve += small.eve
                shares.pop(id(large), None)
                gone.add(id(small))
                break
    return [group for group in groups if id(group) not in gone]


def _may_hold(large: Group, small: Group) -> bool:
    return not large.isolated and large.topic != small.topic and (large.product is None or large.product == small.product)


def _same_story(
    large: Group, small: Group, usual: _Usual, ignored: set[str], shares: dict[int, dict[str, float]]
) -> bool:
    for group in (large, small):
        if id(group) not in shares:
            shares[id(group)] = _shares(group)
    ours, theirs = shares[id(small)], shares[id(large)]
    common = [(-share, word) for word, share in ours.items() if share >= IN_SMALLER and theirs.get(word, 0.0) >= IN_LARGER]
    telling = [word for _, word in sorted(common) if word not in ignored and usual.share(word) <= BEFORE]
    if any(theirs[word] >= NEW_IN_LARGER and usual.share(word) <= NEW and _heard(small, word) >= NEW_TEXTS for word in telling):
        return True
    apart: list[str] = []
    for word in telling:
        if not any(set(word) & set(other) for other in apart):
            apart.append(word)
    return len(apart) >= WORDS


def _heard(group: Group, word: str) -> int:
    """How many of a group's original texts hold a word."""
    return sum(word in c.heard.text for c in (*group.today, *group.eve) if c.voice)


class _Usual:
    """How many texts of the days before hold a word."""

    def __init__(self, before: Callable[[], Sequence[Complaint]]):
        self._before = before
        self._known: dict[str, float] = {}

    @cached_property
    def _texts(self) -> list[str]:
        return [c.heard.text for c in self._before()]

    def share(self, word: str) -> float:
        """Return the share of those texts; 1 where there are too few to tell."""
        if len(self._texts) < MIN_BEFORE:
            return 1.0
        if word not in self._known:
            self._known[word] = sum(word in text for text in self._texts) / len(self._texts)
        return self._known[word]


def _shares(group: Group) -> dict[str, float]:
    """Return which share of a group's original texts holds each pair of characters."""
    texts = [c.heard.text for c in (*group.today, *group.eve) if c.voice]
    count = Counter(word for text in texts for word in _words(text))
    return {word: number / len(texts) for word, number in count.items()} if texts else {}


def _words(text: str) -> set[str]:
    found: set[str] = set()
    for run in _RUN.findall(text):
        found.update(map(add, run, run[1:]))
    return found
