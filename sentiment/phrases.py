"""Which of several long expressions match a text, found without running each of them over it.

An expression is taken apart into its alternatives. One automaton finds what each of them cannot do without, and only
those whose needs stand in the text are searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ahocorasick_rs import AhoCorasick

from sentiment.rules import Needs

_REMEMBERED, _SHORT = 1024, 400
"""Texts of which the answer is kept (those of a batch are asked about more than once), and how long they may be."""

_Part = tuple[int, int, re.Pattern[str], tuple[str, ...]]
"""The number of its group, its expression's place there, an alternative, and of what else it needs one."""


class Phrases:
    """Expressions made ready to be looked for together; each goes by its place among them. All that the package has are
    looked for at once: who asks for some has found the others.
    """

    def __init__(self, *expressions: re.Pattern[str]):
        self._number = len(_made)
        _made.append(expressions)
        _all.cache_clear()

    def found(self, text: str) -> frozenset[int]:
        """Return the places of the expressions that match somewhere in a normal form."""
        together = _all()
        return (together.remembered(text) if len(text) <= _SHORT else together.search(text))[self._number]


class _Together:
    """The alternatives of several groups of expressions, by the group's number and the expression's place in it."""

    def __init__(self, groups: Sequence[tuple[re.Pattern[str], ...]]):
        self._nothing = (frozenset[int](),) * len(groups)
        self._always: list[_Part] = []
        self._parts: list[_Part] = []
        uses: dict[str, list[int]] = {}
        for group, expressions in enumerate(groups):
            for place, expression in enumerate(expressions):
                for source in _alternatives(expression):
                    needs = Needs(source).sets
                    part = group, place, re.compile(source, expression.flags), tuple(sorted(needs[1])) if len(needs) > 1 else ()
                    if not needs:
                        self._always.append(part)
                        continue
                    for token in needs[0]:
                        uses.setdefault(token, []).append(len(self._parts))
                    self._parts.append(part)
        self._uses = [tuple(parts) for parts in uses.values()]
        self._automaton = AhoCorasick(list(uses))
        self.remembered = lru_cache(_REMEMBERED)(self.search)

    def search(self, text: str) -> tuple[frozenset[int], ...]:
        """Return for each group the places of its expressions that match."""
        listed = self._automaton.find_matches_as_indexes(text, overlapping=True)
        uses, parts, tried = self._uses, self._parts, set[int]()
        for token in {token for token, _, _ in listed}:
            tried.update(uses[token])
        found = {(group, place) for group, place, part, _ in self._always if part.search(text)} if self._always else set()
        for number in tried:
            group, place, part, needs = parts[number]
            if needs:  # a loop within a loop, because every text comes by here several times
                for need in needs:
                    if need in text:
                        break
                else:
                    continue
            if part.search(text) is not None:
                found.add((group, place))
        if not found:
            return self._nothing
        return tuple(
            frozenset(place for group, place in found if group == number) for number in range(len(self._nothing))
        )


_made: list[tuple[re.Pattern[str], ...]] = []


@lru_cache(maxsize=1)
def _all() -> _Together:
    return _Together(_made)


def _alternatives(expression: re.Pattern[str]) -> Iterator[str]:
    """Yield the sources of an expression's outermost alternatives: it matches where one of them does."""
    source = expression.pattern
    if expression.groups > 1:  # what refers back to a group counts those before it
        yield source
        return
    depth, start, at, inside = 0, 0, 0, False
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif inside:
            inside = char != "]"
        elif char == "[":
            inside = True
            at += source[at + 1] == "^"
            at += source[at + 1] == "]"  # first in a set it stands for itself
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and not depth:
            yield source[start:at]
            start = at + 1
        at += 1
    yield source[start:]
