"""The polar words of many texts at once, with what the words around them do to their weight.

`sentiment.lexicon` says what a word weighs; here a batch's words are found with one automaton, those that bend them
(negators, degrees, turns, sarcasm) with another, and everything else is arithmetic on arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick, MatchKind

from sentiment.engines.features import Encoded
from sentiment.lexicon import Lexicon, lexicon

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_STOPS = "，,。！!？?；;\n…~～、:：（）()“”\"\x01"
_SENTENCE_STOPS = "。！!？?；;\n…\x01"
_SPACE = " "
_REACH = 5
"""Negators and degrees count up to so many characters before a word, in the same clause."""
_AFTER_REACH = 2
_SOFTENED = 0.6
"""How much of a bad word's weight is left, the other way round, when it is negated: 不差 is faint praise."""
_ASKED = 0.2
_PICTURES = frozenset(("bracket", "emoji", "kaomoji"))
_MOODS = frozenset(("joy", "sadness", "anger", "fear"))
SURE, LIKELY, BESIDE = 0, 1, 2
_IRONY = {"sure": SURE, "likely": LIKELY, "beside": BESIDE}


@dataclass(frozen=True, slots=True)
class Effects:
    """The polar words of a batch, in order. `start` are places in the joined texts (those of `Encoded.raw`),
    `text` the numbers of their texts; `weight` what the lexicon says, `effect` what is left of it in its
    place. `irony` is for each text how surely each kind of sarcasm (SURE, LIKELY, BESIDE) is marked, 0 to 1.
    """

    start: Places
    text: Places
    weight: Numbers
    effect: Numbers
    factor: Numbers
    negated: Flags
    asked: Flags
    behind: Flags
    before: Flags
    last: Flags
    picture: Flags
    mood: Flags
    irony: Numbers
    turned: Flags


@dataclass(frozen=True, slots=True)
class _Ground:
    """A batch cut into clauses and sentences: for each character the number of its text, clause, sentence."""

    raw: npt.NDArray[np.uint32]
    text: Places
    clause: Places
    sentence: Places
    stops: Places


@lru_cache(maxsize=1)
def _kinds() -> npt.NDArray[np.uint8]:
    table = np.zeros(0x10000, dtype=np.uint8)
    for flag, characters in ((1, _STOPS), (2, _SENTENCE_STOPS), (4, _SPACE)):
        for character in characters:
            table[ord(character)] |= flag
    return table


def _ground(encoded: Encoded) -> _Ground:
    raw = encoded.raw
    kinds = _kinds()[np.minimum(raw, 0xFFFF)]
    han = (raw >= 0x4E00) & (raw <= 0x9FFF)
    gap = np.zeros(len(raw), dtype=np.bool_)
    gap[1:-1] = ((kinds[1:-1] & 4) > 0) & han[:-2] & han[2:]  # a blank between characters parts clauses
    stop = ((kinds & 1) > 0) | gap
    lengths = np.diff(np.append(encoded.joined_first, len(raw)))
    return _Ground(
        raw, np.repeat(np.arange(len(lengths)), lengths), np.cumsum(stop), np.cumsum((kinds & 2) > 0),
        np.flatnonzero(stop),
    )


class Finder:
    """A lexicon made ready to run over encoded batches."""

    def __init__(self, words: Lexicon):
        polar = list(words.weights)
        self._polar = AhoCorasick(polar, matchkind=MatchKind.LeftmostLongest)
        self._weights = np.array([words.weights[word] for word in polar])
        tags = [words.tags.get(word, frozenset()) for word in polar]
        self._pictures = np.array([bool(tag & _PICTURES) for tag in tags])
        self._moods = np.array([bool(tag & _MOODS) for tag in tags])
        self._latin = np.array([word.isascii() and word.isalpha() for word in polar])
        bending = list(dict.fromkeys((
            *words.negators, *words.degrees, *words.degrees_after, *words.turns, *words.irony,
        )))
        self._bending = AhoCorasick(bending, matchkind=MatchKind.LeftmostLongest)
        self._negator = np.array([words.negators.get(word, 1.0) for word in bending])
        self._relief = np.array([words.negator_kinds.get(word) == "relief" for word in bending])
        self._degree = np.array([words.degrees.get(word, 1.0) for word in bending])
        self._after = np.array([words.degrees_after.get(word, 1.0) for word in bending])
        self._turn_before = np.array([
            words.turns[word].before if word in words.turns else np.nan for word in bending
        ])
        self._turn_after = np.array([
            words.turns[word].after if word in words.turns else np.nan for word in bending
        ])
        self._irony = _irony_table(bending, words.irony, words.irony_kinds)
        self._mocking = self._irony.max(axis=1) > 0

    def find(self, encoded: Encoded) -> Effects:
        """Return the polar words of a batch."""
        ground = _ground(encoded)
        which, start, end = _matches(self._polar, encoded.joined)
        keep = (self._weights[which] != 0) & (~self._latin[which] | _alone(ground.raw, start, end))
        size = len(ground.raw) + 1
        inside = np.cumsum(np.bincount(start, minlength=size) - np.bincount(end, minlength=size)) > 0
        which, start, end = which[keep], start[keep], end[keep]
        bent, bent_start, bent_end = _matches(self._bending, encoded.joined)
        irony = np.zeros((len(encoded.joined_first), 3))
        mocking = self._mocking[bent]
        np.maximum.at(irony, ground.text[bent_start[mocking]], self._irony[bent[mocking]])
        free = ~inside[bent_start]  # the 不 of 不错 negates nothing
        weight = self._weights[which]
        negation = self._negation(bent[free], bent_end[free], start, weight, ground)
        degree = self._around(bent[free], bent_start[free], bent_end[free], start, end, ground)
        asked = _asked(ground, start)
        turns = ~np.isnan(self._turn_before[bent])
        turning, behind, before, turned = self._turns(bent[turns], bent_start[turns], start, ground)
        bad = np.where((weight < 0) & (negation < 0), _SOFTENED, 1.0)
        factor = negation * bad * degree * np.where(asked, _ASKED, 1.0)
        return Effects(
            start, ground.text[start], weight, weight * factor * turning, factor, negation < 0, asked, behind,
            before, _last(ground, start), self._pictures[which], self._moods[which],
            irony[:-1], turned[:-1],
        )

    def _negation(self, bent: Places, end: Places, start: Places, weight: Numbers, ground: _Ground) -> Numbers:
        """The product of the negators' factors before each word: twice negated is not negated."""
        at = np.ones(len(ground.raw))
        relief = np.ones(len(ground.raw))
        factors, relieving = self._negator[bent], self._relief[bent]
        at[end - 1] = np.where(relieving, 1.0, factors)
        relief[end - 1] = np.where(relieving, factors, 1.0)
        found = _product(at, start, ground.clause, _REACH)
        return np.where(weight < 0, found * _product(relief, start, ground.clause, _REACH), found)

    def _around(
        self, bent: Places, bent_start: Places, bent_end: Places, start: Places, end: Places, ground: _Ground
    ) -> Numbers:
        """The strongest degree before or behind each word."""
        before = np.ones(len(ground.raw))
        before[bent_end - 1] = self._degree[bent]
        found = np.clip(_product(before, start, ground.clause, _REACH), 0.3, 1.8)
        behind = np.ones(len(ground.raw))
        behind[bent_start] = self._after[bent]
        for ahead in range(_AFTER_REACH):
            place = np.minimum(end + ahead, len(behind) - 1)
            found = np.maximum(found, np.where(ground.clause[place] == ground.clause[start], behind[place], 0.0))
        return found

    def _turns(
        self, bent: Places, bent_start: Places, start: Places, ground: _Ground
    ) -> tuple[Numbers, Flags, Flags, Flags]:
        """What the turns of its sentence do to each word; whether it stands behind or before one; which texts
        have one.
        """
        factor = np.ones(len(start))
        behind = np.zeros(len(start), dtype=np.bool_)
        before = behind.copy()
        turned = np.zeros(ground.text[-1] + 1, dtype=np.bool_)
        if not len(bent):
            return factor, behind, before, turned
        sentence_of = ground.sentence[start]
        after_factor, before_factor = self._turn_after[bent], self._turn_before[bent]
        main = (before_factor < 1) | (after_factor > 1)
        last = np.full(ground.sentence[-1] + 1, -1, dtype=np.int64)
        last[ground.sentence[bent_start[main]]] = np.flatnonzero(main)  # the last of a sentence stays
        turned[ground.text[bent_start[main]]] = True
        mine = last[sentence_of]
        has = mine >= 0
        behind = has & (start >= bent_start[mine])
        before = has & ~behind
        factor = np.where(behind, after_factor[mine], np.where(before, before_factor[mine], 1.0))
        near = np.searchsorted(bent_start, start, side="right") - 1
        minor = (near >= 0) & ~main[near] & (ground.sentence[bent_start[near]] == sentence_of)
        return np.where(minor, factor * after_factor[near], factor), behind, before, turned


@lru_cache(maxsize=1)
def shipped() -> Finder:
    """Return the shipped lexicon, made ready once a process."""
    return Finder(lexicon())


def _irony_table(words: list[str], sure: Mapping[str, float], kinds: Mapping[str, str]) -> Numbers:
    table = np.zeros((len(words), 3))
    for place, word in enumerate(words):
        if word in sure:
            table[place, _IRONY[kinds[word]]] = sure[word]
    return table


def _matches(automaton: AhoCorasick, joined: str) -> tuple[Places, Places, Places]:
    listed = automaton.find_matches_as_indexes(joined)
    found = np.fromiter(chain.from_iterable(listed), dtype=np.int64, count=3 * len(listed)).reshape(-1, 3)
    which, start, end = np.ascontiguousarray(found.T)
    return which, start, end


def _alone(raw: npt.NDArray[np.uint32], start: Places, end: Places) -> Flags:
    """Whether no Latin letter stands right before or behind."""
    letter = (raw >= ord("a")) & (raw <= ord("z"))
    alone: Flags = ~letter[start - 1] & ~letter[np.minimum(end, len(raw) - 1)]
    return alone


def _product(at: Numbers, start: Places, clause: Places, reach: int) -> Numbers:
    """The product of what stands in the `reach` characters before each start, in the same clause."""
    found = np.ones(len(start))
    for back in range(1, reach + 1):
        place = np.maximum(start - back, 0)
        found *= np.where(clause[place] == clause[start], at[place], 1.0)
    return found


def _asked(ground: _Ground, start: Places) -> Flags:
    """Whether the clause ends in a question mark."""
    ends = ground.raw[ground.stops[np.minimum(ground.clause[start], len(ground.stops) - 1)]]
    asked: Flags = (ends == ord("?")) | (ends == ord("？"))
    return asked


def _last(ground: _Ground, start: Places) -> Flags:
    """Whether it stands in the last clause of its text that holds any polar word."""
    if not len(start):
        return np.zeros(0, dtype=np.bool_)
    last = np.full(ground.text[-1] + 1, -1, dtype=np.int64)
    last[ground.text[start]] = ground.clause[start]  # the last of a text stays
    found: Flags = ground.clause[start] == last[ground.text[start]]
    return found
