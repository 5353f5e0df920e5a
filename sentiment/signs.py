"""Signs of a red line: words grouped by what they mean (a part of the body, a swelling, a doctor; a socket, smoke).

No sign is a red line by itself. Which groups stand in a text, and which two stand close together, are features of
the topic model's red-line heads: what people tell in ever new words (锁骨 … 卷发棒 … 一块皮) is still the same few
groups side by side. The groups are in `lexicon/signs.txt`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick

from sentiment.normalise import normal_form
from sentiment.rules import Joined

NEAR = 25
"""Two signs are side by side with at most so many characters between them."""
MOST = 400
"""Signs beyond these many of one text are not read: a text that consists of them alone says no more."""

_BITS = 18
_FIRST = 3 << _BITS  # the n-grams' numbers end here (sentiment.topic_model)
_KEY = 20  # bits that hold any number
_BLOCK = 4096  # signs whose neighbours are looked at together: bounds the memory

Places = npt.NDArray[np.int64]


class Sign(NamedTuple):
    """One word of group number `group` at [start, end)."""

    start: int
    end: int
    group: int


def number(name: str) -> int:
    """Return the number of a feature by its name, as a key of the topic model: beyond those of all n-grams."""
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    return _FIRST + int.from_bytes(digest, "big") % (1 << _BITS)


class Signs:
    """Groups of words made ready to be found."""

    def __init__(self, groups: Mapping[str, Iterable[str]]):
        self.names = tuple(groups)
        uses: dict[str, list[int]] = {}
        for place, words in enumerate(groups.values()):
            for word in words:
                known = uses.setdefault(normal_form(word), [])
                if place not in known:
                    known.append(place)
        self._uses = list(uses.values())
        self._automaton = AhoCorasick(list(uses))
        self._counts = np.array([len(use) for use in self._uses], dtype=np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        self._groups = np.array([group for use in self._uses for group in use], dtype=np.int64)
        size = len(self.names)
        self.numbers = [number(name) for name in self.names]
        self.pairs = [
            number("+".join(sorted((self.names[one], self.names[two])))) if one != two else 0
            for one in range(size) for two in range(size)
        ]

    def find(self, text: str) -> list[Sign]:
        """Return the signs of a normal form in the order in which they end."""
        found = []
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            found += [Sign(start, end, group) for group in self._uses[index]]
            if len(found) >= MOST:
                break
        return found

    def features(self, found: list[Sign]) -> set[int]:
        """Return the numbers of the groups that occur, and of the pairs of groups that stand side by side."""
        size = len(self.names)
        numbers = {self.numbers[sign.group] for sign in found}
        pairs = set()
        for place, (start, end, group) in enumerate(found):
            for other in range(place - 1, -1, -1):
                left, right, before = found[other]
                if right + NEAR < start:
                    break
                if group != before and (left != start or right != end):
                    pairs.add(before * size + group)
        numbers.update(self.pairs[pair] for pair in pairs)
        return numbers

    def features_of(self, texts: Sequence[str]) -> tuple[Places, Places]:
        """Return what `features` does for what `find` finds in each text: the texts' numbers and the features', rising."""
        text, word, start, end = Joined(texts).found(self._automaton)
        counts = self._counts[word]
        before = np.cumsum(counts) - counts
        here = before - before[np.searchsorted(text, text)] < MOST
        text, word, start, end, counts = text[here], word[here], start[here], end[here], counts[here]
        inner = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        group = self._groups[np.repeat(self._firsts[word], counts) + inner]
        text, start, end = np.repeat(text, counts), np.repeat(start, counts), np.repeat(end, counts)
        first = np.maximum(np.searchsorted(end, start - NEAR), np.searchsorted(text, text))  # what may stand beside it
        singles, pairs = np.array(self.numbers), np.array(self.pairs)
        keys = [np.unique((text << _KEY) + singles[group])]
        for low in range(0, len(text), _BLOCK):
            place = np.arange(low, min(low + _BLOCK, len(text)))
            near = np.maximum(place - first[place], 0)
            this = np.repeat(place, near)
            other = np.arange(len(this)) - np.repeat(np.cumsum(near) - near, near) + first[this]
            two = (group[this] != group[other]) & ((start[this] != start[other]) | (end[this] != end[other]))
            this, other = this[two], other[two]
            keys.append(np.unique((text[this] << _KEY) + pairs[group[other] * len(singles) + group[this]]))
        found = np.unique(np.concatenate(keys))
        return found >> _KEY, found & ((1 << _KEY) - 1)


@lru_cache(maxsize=1)
def signs() -> Signs:
    """Return the signs shipped with the package."""
    groups = {}
    for line in resources.files("sentiment.lexicon").joinpath("signs.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, words = line.partition(" = ")
            groups[name] = words.split()
    return Signs(groups)
