"""Running many words and patterns over a text at once.

Words go into one Aho-Corasick automaton. A pattern is tried only on texts that hold the characters it cannot
do without, and only inside one sentence.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ahocorasick_rs import AhoCorasick

from sentiment.clauses import Clause
from sentiment.normalise import normal_form

_WORD, _CANCEL = 0, 1
_MAX_SET = 12


@dataclass(frozen=True, slots=True)
class Rule:
    """Words and patterns that mean one thing, and the phrases in which they don't."""

    words: tuple[str, ...]
    patterns: tuple[str, ...]
    cancel: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Rule number `rule` matched [start, end); `how` is `word` or the pattern's number, `groups` the spans of
    the pattern's groups: what lies between them is a gap, in which a negation may stand.
    """

    rule: int
    start: int
    end: int
    how: str
    groups: tuple[tuple[int, int], ...] = ()


class Needs:
    """The characters without which a regular expression cannot match: all of `every`, and one of each set."""

    __slots__ = ("any_of", "every")

    def __init__(self, pattern: str):
        every: set[str] = set()
        any_of: list[frozenset[str]] = []
        _collect(importlib.import_module("re._parser").parse(pattern), every, any_of)
        self.every = frozenset(every)
        self.any_of = tuple(any_of)

    @property
    def keys(self) -> frozenset[str]:
        """Characters of which a matching text has one at least; empty when nothing is known."""
        if self.every:
            return frozenset((max(self.every),))
        return min(self.any_of, key=len, default=frozenset())

    def met(self, characters: set[str]) -> bool:
        """Whether a text with these characters can match at all."""
        return self.every <= characters and all(not characters.isdisjoint(choice) for choice in self.any_of)


def _collect(node: Any, every: set[str], any_of: list[frozenset[str]]) -> None:
    for operation, argument in node:
        name = str(operation)
        if name == "LITERAL":
            every.add(chr(argument))
        elif name == "IN":
            choice = _choice(argument)
            if choice:
                any_of.append(choice)
        elif name == "SUBPATTERN":
            _collect(argument[3], every, any_of)
        elif name in ("MAX_REPEAT", "MIN_REPEAT") and argument[0] > 0:
            _collect(argument[2], every, any_of)
        elif name == "BRANCH":
            choice = _branches(argument[1])
            if choice:
                any_of.append(choice)


def _choice(items: Any) -> frozenset[str]:
    """The members of a [set] made of plain characters; empty when it can't be listed."""
    if any(str(operation) != "LITERAL" for operation, _ in items):
        return frozenset()
    return frozenset(chr(argument) for _, argument in items)


def _branches(branches: Any) -> frozenset[str]:
    """One character of each branch: a text without any of them can't match. Empty when unknown."""
    found: set[str] = set()
    for branch in branches:
        every: set[str] = set()
        any_of: list[frozenset[str]] = []
        _collect(branch, every, any_of)
        if every:
            found.add(min(every))
        elif any_of:
            found |= any_of[0]
        else:
            return frozenset()
    return frozenset(found) if len(found) <= _MAX_SET * len(branches) else frozenset()


class RuleBook:
    """Many rules made ready to run over normal forms."""

    def __init__(self, rules: Sequence[Rule]):
        uses: dict[str, list[tuple[int, int]]] = {}
        for number, rule in enumerate(rules):
            for kind, words in ((_WORD, rule.words), (_CANCEL, rule.cancel)):
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
        self._keyed: dict[str, list[int]] = {}
        self._unkeyed: list[int] = []
        for place, (_, _, _, needs) in enumerate(self._patterns):
            for key in needs.keys:
                self._keyed.setdefault(key, []).append(place)
            if not needs.keys:
                self._unkeyed.append(place)

    def find(self, text: str, clauses: Sequence[Clause]) -> list[Match]:
        """Return the matches that no cancelling phrase of their rule touches, in text order."""
        matches: list[Match] = []
        cancels: dict[int, list[tuple[int, int]]] = {}
        if self._automaton is not None:
            for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
                for kind, number in self._uses[index]:
                    if kind == _WORD:
                        matches.append(Match(number, start, end, "word"))
                    else:
                        cancels.setdefault(number, []).append((start, end))
        matches.extend(self._by_pattern(text, clauses))
        kept = [match for match in matches if not _touched(match, cancels.get(match.rule))]
        kept.sort(key=lambda match: (match.start, match.rule, -match.end))
        return kept

    def _by_pattern(self, text: str, clauses: Sequence[Clause]) -> list[Match]:
        characters = set(text)
        found: list[Match] = []
        spans: list[tuple[int, int]] | None = None
        places = set(self._unkeyed).union(*(self._keyed[key] for key in characters if key in self._keyed))
        for place in sorted(places):
            number, how, pattern, needs = self._patterns[place]
            if not needs.met(characters) or pattern.search(text) is None:
                continue
            if spans is None:
                spans = list(dict.fromkeys((piece.sentence_start, piece.sentence_end) for piece in clauses))
            for start, end in spans:
                found.extend(
                    Match(number, match.start(), match.end(), how, _groups(match))
                    for match in pattern.finditer(text, start, end) if match.end() > match.start()
                )
        return found


def _groups(match: re.Match[str]) -> tuple[tuple[int, int], ...]:
    spans = (match.span(group) for group in range(1, match.re.groups + 1))
    return tuple((start, end) for start, end in spans if end > start)


def _touched(match: Match, spans: list[tuple[int, int]] | None) -> bool:
    return spans is not None and any(start < match.end and match.start < end for start, end in spans)
