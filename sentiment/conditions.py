"""The patterns and expressions of the watches, made ready to run over normal forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import re2

from sentiment.normalise import normal_form
from vocwatch.settings.grammar import OWN, Find, Node, parse
from vocwatch.settings.watches import Watch, compile_pattern

QUERY = "query"
_MAX_PLACES = 200
"""Places of one word or pattern that are looked at in one text."""
_SET = 100
"""Patterns that RE2 tries at once; more of them would need more memory than a set is given."""
_SET_MEMORY = 256 << 20
_LATIN = re.compile(r"[0-9a-z]")


@dataclass(frozen=True, slots=True)
class Found:
    """A hit in the normal form, before the way back to the original."""

    watch: int
    rule: str
    start: int
    end: int


def on_boundaries(text: str, start: int, end: int) -> bool:
    """A name that begins or ends with a Latin letter or digit must not go on beyond it."""
    if _LATIN.match(text[start]) and start and _LATIN.match(text[start - 1]):
        return False
    return not (_LATIN.match(text[end - 1]) and end < len(text) and _LATIN.match(text[end]))


class Patterns:
    """The patterns of all watches, tried at once by RE2."""

    def __init__(self, watches: Sequence[Watch]):
        self._patterns = [
            (number, compile_pattern(pattern)) for number, watch in enumerate(watches) for pattern in watch.patterns
        ]
        self._sets = [
            (first, _set_of([pattern for _, pattern in self._patterns[first:first + _SET]]))
            for first in range(0, len(self._patterns), _SET)
        ]

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._patterns)

    def find(self, text: str) -> list[Found]:
        """Return where the patterns match; none matches nothing."""
        return [
            Found(number, "pattern", match.start(), match.end())
            for first, patterns in self._sets for index in patterns.Match(text) or ()
            for number, pattern in (self._patterns[first + index],)
            for _, match in zip(range(_MAX_PLACES), pattern.finditer(text), strict=False)
            if match.end() > match.start()
        ]


def _set_of(patterns: Sequence[re2._Regexp]) -> re2.Set:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _SET_MEMORY
    together = re2.Set.SearchSet(options)
    for pattern in patterns:
        together.Add(pattern.pattern)
    together.Compile()
    return together


class Rules:
    """The expressions of one watch."""

    __slots__ = ("_all", "_any", "_none", "_query", "_require")

    def __init__(self, watch: Watch):
        self._require = watch.require
        self._all, self._any, self._none = (
            [parse(text) for text in texts] for texts in (watch.require.all, watch.require.any, watch.require.none)
        )
        self._query: Node | None = parse(watch.query) if watch.query else None

    @property
    def strict(self) -> bool:
        """Whether there is any condition."""
        return bool(self._all or self._any or self._none)

    def met(self, text: str, own: Sequence[tuple[int, int]]) -> bool:
        """Whether the conditions hold in a normal form where the watch stands at `own`."""
        find = _finder(text, own)
        if any(node.holds(find) for node in self._none) or not all(node.holds(find) for node in self._all):
            return False
        return not self._any or any(node.holds(find) for node in self._any)

    def unmet(self, text: str, own: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
        """Return each condition that does not hold, as (all, any or none; as it is written)."""
        find = _finder(text, own)
        wanted = self._require
        found = [("none", said) for said, node in zip(wanted.none, self._none, strict=True) if node.holds(find)]
        found += [("all", said) for said, node in zip(wanted.all, self._all, strict=True) if not node.holds(find)]
        if self._any and not any(node.holds(find) for node in self._any):
            found.append(("any", " / ".join(wanted.any)))
        return found

    def query_hits(self, number: int, text: str) -> list[Found]:
        """The places that satisfy the watch's query."""
        assert self._query is not None
        return [Found(number, QUERY, start, end) for start, end in self._query.spans(_finder(text, ()))]


class _Finder(dict[str, list[tuple[int, int]]]):
    """Where the words of an expression stand in a normal form, looked up once."""

    def __init__(self, text: str, own: Sequence[tuple[int, int]]):
        super().__init__({OWN: list(own)})
        self._text = text

    def __missing__(self, word: str) -> list[tuple[int, int]]:
        form = normal_form(word)
        spans: list[tuple[int, int]] = []
        at = self._text.find(form) if form else -1
        while at >= 0 and len(spans) < _MAX_PLACES:
            if on_boundaries(self._text, at, at + len(form)):
                spans.append((at, at + len(form)))
            at = self._text.find(form, at + 1)
        self[word] = spans
        return spans


def _finder(text: str, own: Sequence[tuple[int, int]]) -> Find:
    return _Finder(text, own).__getitem__
