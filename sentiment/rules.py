"""Running many words and patterns over a text at once.

Words go into one Aho-Corasick automaton. A pattern is tried only on sentences that hold the characters, and the
pairs of characters, that it cannot do without.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick

from sentiment.clauses import Clause
from sentiment.normalise import normal_form

WORD, CANCEL, PRAISE, ABOUT = range(4)
"""What a word of a rule does: states the thing, takes it back, praises it, or only speaks of it."""

_LEVELS = 3  # so many needs of each pattern are looked up for all patterns at once

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """Words and patterns that mean one thing, the phrases in which they don't, those that praise the same
    thing, and those that only speak of it.
    """

    words: tuple[str, ...]
    patterns: tuple[str, ...]
    cancel: tuple[str, ...]
    praise: tuple[str, ...] = ()
    about: tuple[str, ...] = ()


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
        _collect(importlib.import_module("re._parser").parse(pattern), found)
        self.sets = tuple(sorted(set(found), key=_frequency))

    def met(self, present: set[str]) -> bool:
        """Whether a text with these tokens can match at all."""
        return all(not present.isdisjoint(choice) for choice in self.sets)


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
            choice = _branches(argument[1])
            if choice:
                found.append(choice)


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[place:place + 2] for place in range(len(run) - 1)]


def _choice(items: Any) -> frozenset[str]:
    """The members of a [set] made of plain characters; empty when it can't be listed."""
    if any(str(operation) != "LITERAL" for operation, _ in items):
        return frozenset()
    return frozenset(chr(argument) for _, argument in items)


def _branches(branches: Any) -> frozenset[str]:
    """The rarest need of each branch together: a text without any of them can't match. Empty when unknown."""
    found: set[str] = set()
    for branch in branches:
        needs: list[frozenset[str]] = []
        _collect(branch, needs)
        if not needs:
            return frozenset()
        found |= sorted(needs, key=_frequency)[0]
    return frozenset(found)


class RuleBook:
    """Many rules made ready to run over normal forms."""

    def __init__(self, rules: Sequence[Rule]):
        uses: dict[str, list[tuple[int, int]]] = {}
        for number, rule in enumerate(rules):
            sorts = ((WORD, rule.words), (CANCEL, rule.cancel), (PRAISE, rule.praise), (ABOUT, rule.about))
            for kind, words in sorts:
                for word in words:
                    form = normal_form(word)
                    if form and (kind, number) not in uses.setdefault(form, []):
                        uses[form].append((kind, number))
        self._uses = list(uses.values())
        self._automaton = AhoCorasick(list(uses)) if uses else None
        self._patterns = [
            (number, f"pattern{place}", re.compile(pattern), Needs(pattern))
            for number, rule in enumerate(rules) for place, pattern in enumerate(rule.patterns, 1)
        ]
        self._free, needed = self._bits()
        self._tokens = AhoCorasick(list(needed)) if needed else None
        self._needed = list(needed.values())

    def _bits(self) -> tuple[int, dict[str, int]]:
        """Each pattern's first needs as bits, level above level: those that are always met, and by each token."""
        size = len(self._patterns)
        free, needed = 0, dict[str, int]()
        for place, (_, _, _, needs) in enumerate(self._patterns):
            for level in range(_LEVELS):
                bit = 1 << (level * size + place)
                if level >= len(needs.sets):
                    free |= bit
                    continue
                for token in needs.sets[level]:
                    needed[token] = needed.get(token, 0) | bit
        return free, needed

    def find(self, text: str, clauses: Sequence[Clause]) -> list[Match]:
        """Return the matches that no cancelling phrase of their rule touches, in text order."""
        matches: list[Match] = []
        cancels: dict[int, list[Span]] = {}
        if self._automaton is not None:
            for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
                for kind, number in self._uses[index]:
                    if kind == CANCEL:
                        cancels.setdefault(number, []).append((start, end))
                    else:
                        matches.append(Match(number, start, end, "word", (), kind))
        matches.extend(self._by_pattern(text, clauses))
        if cancels:
            matches = [
                match for match in matches
                if match.kind == PRAISE or not _touched(match, cancels.get(match.rule))
            ]
        matches.sort(key=lambda match: (match.start, match.rule, -match.end))
        return matches

    def _by_pattern(self, text: str, clauses: Sequence[Clause]) -> Iterable[Match]:
        sentence, size = -1, len(self._patterns)
        all_patterns = (1 << size) - 1
        for piece in clauses:
            if piece.sentence == sentence:
                continue
            sentence = piece.sentence
            start, end = piece.sentence_start, piece.sentence_end
            bits = self._free
            if self._tokens is not None:
                for token in {found[0] for found in self._tokens.find_matches_as_indexes(text[start:end], overlapping=True)}:
                    bits |= self._needed[token]
            left = bits & (bits >> size) & (bits >> 2 * size) & all_patterns
            while left:
                lowest = left & -left
                left ^= lowest
                number, how, pattern, _ = self._patterns[lowest.bit_length() - 1]
                for match in pattern.finditer(text, start, end):
                    if match.end() > match.start():
                        yield Match(number, match.start(), match.end(), how, _groups(match))


def _groups(match: re.Match[str]) -> tuple[Span, ...]:
    spans = (match.span(group) for group in range(1, match.re.groups + 1))
    return tuple((start, end) for start, end in spans if end > start)


def _touched(match: Match, spans: list[Span] | None) -> bool:
    return spans is not None and any(start < match.end and match.start < end for start, end in spans)
