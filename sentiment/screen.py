"""Which texts of a batch hold anything that the watches look for: most hold nothing, and need no second look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from re import Pattern

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick

_BORDER = "\x01"  # no normal form holds it
_SIZE = 0x20000
_UNKNOWN, _DROPPED = 0xFFFFFFFF, 0xFFFFFFFE

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


class Screen:
    """Runs the automata once over all texts together.

    `words` finds what is matched as it is written; `codes` finds names in what `table` makes of a text, where None
    drops a character; a text with any of the `odd` characters may be read in further ways.
    """

    def __init__(
        self, words: AhoCorasick | None, codes: AhoCorasick | None, table: Mapping[int, str | None],
        odd: Pattern[str],
    ):
        self._words, self._codes, self._table, self._odd = words, codes, table, odd
        self._coded = np.full(_SIZE, _UNKNOWN, dtype=np.uint32)
        self._coded[ord(_BORDER)] = ord(_BORDER)

    def worth(self, texts: Sequence[str]) -> list[bool]:
        """Return for each text whether anything may be found in it; never False where something is."""
        found = np.zeros(len(texts), dtype=np.bool_)
        joined = _BORDER.join(texts) + _BORDER
        raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        borders = np.flatnonzero(raw == ord(_BORDER))
        if len(borders) != len(texts):
            return [True] * len(texts)
        if self._words is not None:
            _mark(found, borders, _starts(self._words, joined))
        if self._codes is not None:
            _mark(found, borders, np.flatnonzero(raw >= _SIZE))
            _mark(found, borders, np.array([match.start() for match in self._odd.finditer(joined)], dtype=np.int64))
            code = self._code(raw)
            _mark(found, np.flatnonzero(code == ord(_BORDER)), _starts(self._codes, _text(code)))
        marked: list[bool] = found.tolist()
        return marked

    def _code(self, raw: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """What the table makes of all characters; those beyond it are left out."""
        raw = raw[raw < _SIZE]
        code = self._coded[raw]
        unknown = code == _UNKNOWN
        if unknown.any():
            for number in set(raw[unknown].tolist()):
                form = self._table[number]
                self._coded[number] = _DROPPED if form is None else ord(form)
            code = self._coded[raw]
        kept: npt.NDArray[np.uint32] = code[code != _DROPPED]
        return kept


def _text(code: npt.NDArray[np.uint32]) -> str:
    return code.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _starts(automaton: AhoCorasick, text: str) -> Places:
    """Where something was found: in every text that holds anything at least once."""
    found = automaton.find_matches_as_indexes(text)
    return np.fromiter(chain.from_iterable(found), dtype=np.int64, count=3 * len(found))[1::3]


def _mark(found: Flags, borders: Places, places: Places) -> None:
    found[np.searchsorted(borders, places)] = True
