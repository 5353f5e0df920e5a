"""Running many words and patterns over a text at once.

Words go into one Aho-Corasick automaton. A pattern is tried only on sentences that hold the characters, and the
pairs of characters, that it cannot do without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import add
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick

from sentiment.clauses import Clause
from sentiment.normalise import normal_form
from vocwatch.settings.base import compiled, parsed

WORD, CANCEL, PRAISE, ABOUT, NAMED = range(5)
"""What a word of a rule does: states the thing, takes it back, praises it, only speaks of it, or names it in passing."""

_LEVELS = 4  # so many needs of each pattern are looked up for all patterns at once

_BLOCK = 4096
"""Tokens that are looked at together: bounds the memory, whatever the batch."""
_CODES = 0x110000
_BORDER = "\x01"  # no normal form holds it, and so no word

Span = tuple[int, int]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Rule:
    """Words and patterns that mean one thing, the phrases in which they don't, those that praise the same
    thing, those that only speak of it, and those that name it where something else may be meant.
    """

    words: tuple[str, ...]
    patterns: tuple[str, ...]
    cancel: tuple[str, ...]
    praise: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    named_patterns: tuple[str, ...] = ()


class Match(NamedTuple):
    """Rule number `rule` matched [start, end); `how` is `word` or the pattern's number, `groups` the spans of
    the pattern's groups: what lies between them is a gap, in which a negation may stand.
    """

    rule: int
    start: int
    end: int
    how: str
    groups: tuple[Span, ...] = ()
    kind: int = WORD


def tokens(text: str) -> set[str]:
    """Return the characters of a text and its pairs of neighbours."""
    found = set(text)
    found.update(map(add, text, text[1:]))
    return found


class Needs:
    """What a regular expression cannot match without: of each set one member must stand in the text. Members
    are characters and pairs of neighbours; the rarest set comes first.
    """

    __slots__ = ("sets",)

    def __init__(self, pattern: str):
        found: list[frozenset[str]] = []
        _collect(parsed(pattern), found)
        distinct = set(found)
        self.sets = tuple(sorted((one for one in distinct if not any(other < one for other in distinct)), key=_frequency))

    def met(self, present: set[str]) -> bool:
        """Whether a text with these tokens can match at all."""
        return all(not present.isdisjoint(choice) for choice in self.sets)


def hint(*expressions: re.Pattern[str]) -> re.Pattern[str]:
    """Return an expression that finds something, far faster, wherever one of these does (and perhaps elsewhere)."""
    needed: set[str] = set()
    for expression in expressions:
        sets = Needs(expression.pattern).sets
        needed |= sets[0] if sets else {""}
    return re.compile("|".join(map(re.escape, sorted(needed))))


def _frequency(choice: frozenset[str]) -> tuple[int, list[str]]:
    """A guess at how often a text has one of these: pairs are far rarer than characters."""
    return sum(12 if len(token) == 1 else 1 for token in choice), sorted(choice)


def _collect(node: Any, found: list[frozenset[str]]) -> None:
    """Append what a part of a parsed pattern needs."""
    run = ""
    for operation, argument in [*node, ("END", None)]:
        name = str(operation)
        if name == "LITERAL":
            run += chr(argument)
            continue
        if run:
            found.extend(frozenset((token,)) for token in _pairs(run))
            run = ""
        if name == "IN":
            choice = _choice(argument)
            if choice:
                found.append(choice)
        elif name == "SUBPATTERN":
            _collect(argument[3], found)
        elif name in ("MAX_REPEAT", "MIN_REPEAT") and argument[0] > 0:
            _collect(argument[2], found)
        elif name == "BRANCH":
            found.extend(_branches(argument[1]))


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[place:place + 2] for place in range(len(run) - 1)]


def _choice(items: Any) -> frozenset[str]:
    """The members of a [set] made of plain characters; empty when it can't be listed."""
    if any(str(operation) != "LITERAL" for operation, _ in items):
        return frozenset()
    return frozenset(chr(argument) for _, argument in items)


def _branches(branches: Any) -> Iterator[frozenset[str]]:
    """The rarest need of each branch together: a text without any of them can't match; then the next ones."""
    listed: list[list[frozenset[str]]] = []
    for branch in branches:
        needs: list[frozenset[str]] = []
        _collect(branch, needs)
        if not needs:
            return
        listed.append(sorted(set(needs), key=_frequency))
    for rank in range(min(_LEVELS, max(map(len, listed)))):
        yield frozenset().union(*(needs[min(rank, len(needs) - 1)] for needs in listed))


class RuleBook:
    """Many rules made ready to run over normal forms."""

    def __init__(self, rules: Sequence[Rule]):
        uses: dict[str, list[tuple[int, int]]] = {}
        for number, rule in enumerate(rules):
            sorts = (rule.words, rule.cancel, rule.praise, rule.about, rule.named)
            for kind, words in zip((WORD, CANCEL, PRAISE, ABOUT, NAMED), sorts, strict=True):
                for word in words:
                    form = normal_form(word)
                    if form and (kind, number) not in uses.setdefault(form, []):
                        uses[form].append((kind, number))
        self._uses = list(uses.values())
        self._automaton = AhoCorasick(list(uses)) if uses else None
        self._patterns = [
            (number, f"pattern{place}", compiled(pattern), kind)
            for number, rule in enumerate(rules) for kind, patterns in ((WORD, rule.patterns), (NAMED, rule.named_patterns))
            for place, pattern in enumerate(patterns, 1)
        ]
        self._needs = _AllNeeds([Needs(pattern.pattern) for _, _, pattern, _ in self._patterns])

    def find(self, text: str, clauses: Sequence[Clause]) -> list[Match]:
        """Return the matches that no cancelling phrase of their rule touches, in text order."""
        return self.find_many([(text, clauses)])[0]

    def find_many(self, texts: Sequence[tuple[str, Sequence[Clause]]]) -> list[list[Match]]:
        """Return what `find` does for each normal form with its clauses; the words of all are looked up at once."""
        matches: list[list[Match]] = [[] for _ in texts]
        cancels: dict[int, dict[int, list[Span]]] = {}
        joined = Joined([text for text, _ in texts])
        if self._automaton is not None:
            for number, index, start, end in joined.matches(self._automaton):
                for kind, rule in self._uses[index]:
                    if kind == CANCEL:
                        cancels.setdefault(number, {}).setdefault(rule, []).append((start, end))
                    else:
                        matches[number].append(Match(rule, start, end, "word", (), kind))
        self._by_pattern(texts, joined, matches)
        for number, spans in cancels.items():
            matches[number] = [
                match for match in matches[number]
                if match.kind == PRAISE or not _touched(match, spans.get(match.rule))
            ]
        for found in matches:
            if len(found) > 1:
                found.sort(key=_order)
        return matches

    def _by_pattern(
        self, texts: Sequence[tuple[str, Sequence[Clause]]], joined: Joined, matches: list[list[Match]]
    ) -> None:
        """Add what the patterns match, each tried on the sentences that hold what it needs."""
        sentences = [
            (number, start, end) for number, (_, clauses) in enumerate(texts)
            for start, end in dict.fromkeys((clause.sentence_start, clause.sentence_end) for clause in clauses)
        ]
        for number, start, end, which in self._worth(sentences, joined):
            rule, how, pattern, kind = self._patterns[which]
            for match in pattern.finditer(texts[number][0], start, end):
                if match.end() > match.start():
                    matches[number].append(Match(rule, match.start(), match.end(), how, _groups(match), kind))

    def _worth(self, sentences: Sequence[tuple[int, int, int]], joined: Joined) -> Iterator[tuple[int, int, int, int]]:
        """Yield the sentences (text, start and end) with the numbers of the patterns that are to be tried."""
        if not sentences or not self._patterns:
            return
        spans = np.array(sentences, dtype=np.int64)
        first = joined.first[spans[:, 0]]
        for row, which in self._needs.met(joined.codes(), first + spans[:, 1], first + spans[:, 2]):
            yield *sentences[row], which


class _AllNeeds:
    """The needs of many patterns, looked up in many texts at once.

    Each token has a row of bits: for the first needs of each pattern whether the token meets them.
    """

    def __init__(self, patterns: Sequence[Needs]):
        self._size = len(patterns)
        shape = _LEVELS, -(-self._size // 64) * 64
        rows: dict[str, Flags] = {"": np.zeros(shape, dtype=np.bool_)}
        for place, needs in enumerate(patterns):
            for level in range(_LEVELS):
                for token in needs.sets[level] if level < len(needs.sets) else ("",):  # what is not needed is met
                    if token not in rows:
                        rows[token] = np.zeros(shape, dtype=np.bool_)
                    rows[token][level, place] = True
        self._bits = np.packbits(np.stack([*rows.values()]), axis=2, bitorder="little").view(np.uint64)
        self._single = np.zeros(_CODES, dtype=np.int32)
        lefts, rights = (
            {char: place for place, char in enumerate(sorted({token[side] for token in rows if len(token) == 2}), 1)}
            for side in (0, 1)
        )
        self._left, self._right = np.zeros(_CODES, dtype=np.int32), np.zeros(_CODES, dtype=np.int32)
        for table, places in ((self._left, lefts), (self._right, rights)):
            table[[ord(char) for char in places]] = [*places.values()]
        self._pair = np.zeros((len(lefts) + 1, len(rights) + 1), dtype=np.int32)
        for number, token in enumerate(rows):
            if len(token) == 1:
                self._single[ord(token)] = number
            elif token:
                self._pair[lefts[token[0]], rights[token[1]]] = number

    def met(self, codes: Codes, starts: Places, ends: Places) -> list[tuple[int, int]]:
        """Return which of the spans [start, end) (in order, apart) meet all needs of which patterns, by their numbers."""
        met = np.tile(self._bits[0], (len(starts), 1, 1))
        pairs = self._pair[self._left[codes[:-1]], self._right[codes[1:]]]
        for length, tokens in ((1, self._single[codes]), (2, pairs)):
            at = np.flatnonzero(tokens)
            span = np.searchsorted(starts, at, side="right") - 1
            inside = (span >= 0) & (at + length <= ends[span])
            at, span = at[inside], span[inside]
            for first in range(0, len(at), _BLOCK):
                mine = span[first:first + _BLOCK]
                begins = np.flatnonzero(np.diff(mine, prepend=-1))
                bits = self._bits.take(tokens[at[first:first + _BLOCK]], axis=0)
                met[mine[begins]] |= np.bitwise_or.reduceat(bits, begins, axis=0)
        together = np.bitwise_and.reduce(met, axis=1).view(np.uint8)
        flags = np.unpackbits(together, axis=1, count=self._size, bitorder="little")
        rows, patterns = np.divmod(np.flatnonzero(flags), self._size)
        return list(zip(rows.tolist(), patterns.tolist(), strict=True))


class Joined:
    """Texts as one, so that an automaton runs over all of them at once; `first` says where each begins."""

    def __init__(self, texts: Sequence[str]):
        self._joined = _BORDER.join(texts)
        lengths = np.array([len(text) + 1 for text in texts], dtype=np.int64)
        self.first = np.cumsum(lengths) - lengths

    def codes(self) -> Codes:
        """Return the code points of all."""
        return np.frombuffer(self._joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")

    def found(self, automaton: AhoCorasick) -> tuple[Places, Places, Places, Places]:
        """Return all that is found, overlaps too, by rising ends: the text's number, the word's, and where it stands in
        all texts together.
        """
        listed = automaton.find_matches_as_indexes(self._joined, overlapping=True)
        found = np.fromiter(chain.from_iterable(listed), dtype=np.int64, count=3 * len(listed)).reshape(-1, 3)
        word, start, end = np.ascontiguousarray(found.T)
        return np.searchsorted(self.first, start, side="right") - 1, word, start, end

    def matches(self, automaton: AhoCorasick) -> Iterator[tuple[int, int, int, int]]:
        """Yield what `found` returns, with places in each text."""
        text, word, start, end = self.found(automaton)
        before = self.first[text]
        yield from zip(text.tolist(), word.tolist(), (start - before).tolist(), (end - before).tolist(), strict=True)


def _order(match: Match) -> tuple[int, int, int]:
    return match.start, match.rule, -match.end


def _groups(match: re.Match[str]) -> tuple[Span, ...]:
    spans = (match.span(group) for group in range(1, match.re.groups + 1))
    return tuple((start, end) for start, end in spans if end > start)


def _touched(match: Match, spans: list[Span] | None) -> bool:
    return spans is not None and any(start < match.end and match.start < end for start, end in spans)
