"""The stored texts that the laboratory tries rules on: kept in normal form, and searched all at once.

Four haystacks are made when texts are put in: the normal forms; their codes (`sentiment.variants`); the codes of those
with symbols that may be letters; those with a character hidden behind a sign. A rule's words are looked for in each
whole haystack, so that only texts in which something may be found are read one by one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick

from sentiment.evasions import FOREIGN, MASK_TABLE
from sentiment.glyphs import SYMBOL_LETTERS, TURNED
from sentiment.matching import Needles
from sentiment.normalise import Normalised, normalise
from sentiment.variants import MASK_CHARACTERS, code_tables
from vocwatch.models import TextInput
from vocwatch.settings.watches import compile_pattern

MOST_TEXTS, MOST_CHARS = 100_000, 40_000_000
"""Beyond this the oldest texts are left out."""
_BORDER = b"\x01"  # no normal form holds it, and no code
_ANCHORS = ("^", "$", "\\A", "\\z", "\\b", "\\B")
_SYMBOLS, _HIDDEN = frozenset(SYMBOL_LETTERS), frozenset(MASK_CHARACTERS)

_NOTHING = Normalised("", None, None)

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Specimen:
    """One stored text with what is known of it.

    `own`: watch -> (rule, what was matched) of the stored hits by the text's own words; `red`: its red lines; `wrong`: people said that it is
    not ours; `about`: the store counts it as the brand's; `stale`: judged by an older configuration; `mark`: changes when
    anything of it changes.
    """

    id: int
    source: str
    url: str
    at: dt.datetime
    day: dt.date
    item: TextInput
    mark: str = ""
    own: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    red: tuple[str, ...] = ()
    product: str = ""
    voice: str = ""
    about: bool = False
    wrong: bool = False
    stale: bool = False
    form: Normalised = _NOTHING

    def ready(self) -> Specimen:
        """Return it with its normal form."""
        return replace(self, form=normalise(self.item.text))


class _Hay:
    """Texts joined into one string of bytes, searched by byte automata."""

    __slots__ = ("_bytes", "_ends", "_places")

    def __init__(self, texts: Sequence[tuple[int, str]]):
        pieces = [text.encode("utf-8", "surrogatepass") for _, text in texts]
        self._bytes = _BORDER.join([*pieces, b""])
        self._ends: Places = np.cumsum([len(piece) + 1 for piece in pieces], dtype=np.int64) - 1
        self._places: Places = np.array([place for place, _ in texts], dtype=np.int64)

    def find(self, automaton: BytesAhoCorasick) -> Places:
        """Return the places of the texts that hold any of the words."""
        if not len(self._places):
            return self._places
        return self._texts_at([start for _, start, _ in automaton.find_matches_as_indexes(self._bytes)])

    def search(self, pattern: str) -> Places:
        """Return the places of the texts in which a pattern may match: of a match across a border all it touches."""
        if not len(self._places) or any(anchor in pattern for anchor in _ANCHORS):
            return self._places
        found = [match.span() for match in compile_pattern(pattern).finditer(self._bytes)]
        first, last = self._numbers([start for start, _ in found]), self._numbers([max(start, end - 1) for start, end in found])
        touched = {number for one, other in zip(first.tolist(), last.tolist(), strict=True) for number in range(one, other + 1)}
        return self._places[np.array(sorted(touched), dtype=np.int64)]

    def _numbers(self, starts: list[int]) -> Places:
        return np.minimum(np.searchsorted(self._ends, np.array(starts, dtype=np.int64)), len(self._ends) - 1)

    def counts(self, automaton: BytesAhoCorasick, words: int, wanted: npt.NDArray[np.bool_]) -> Places:
        """Return in how many texts, of those at `wanted` places, each of so many words stands."""
        found = automaton.find_matches_as_indexes(self._bytes, overlapping=True)
        if not found:
            return np.zeros(words, dtype=np.int64)
        index = np.array([word for word, _, _ in found], dtype=np.int64)
        place = self._places[self._numbers([start for _, start, _ in found])]
        pairs = np.unique(index * (1 << 40) + place)
        kept = pairs[wanted[pairs & ((1 << 40) - 1)]]
        return np.bincount(kept >> 40, minlength=words)

    def _texts_at(self, starts: list[int]) -> Places:
        numbers = self._numbers(starts)  # in order: so are the matches
        return self._places[numbers[np.diff(numbers, prepend=-1) > 0]]


class _Block:
    """The haystacks of some texts, which do not change any more."""

    def __init__(self, first: int, specimens: Sequence[Specimen]):
        _, bare, letters = code_tables(())
        forms = [(first + number, specimen.form.text) for number, specimen in enumerate(specimens)]
        joined = "\x01".join([form for _, form in forms])
        self._plain = _Hay(forms)
        codes = joined.translate(bare).split("\x01")
        self._codes = _Hay([(place, code) for (place, _), code in zip(forms, codes, strict=True)])
        symbols = [(place, form) for place, form in forms if not _SYMBOLS.isdisjoint(form)]
        self._letters = _Hay([(place, form.translate(letters)) for place, form in symbols])
        self._masked = _Hay([(place, form.translate(MASK_TABLE)) for place, form in forms if not _HIDDEN.isdisjoint(form)])
        self._rare: Places = np.array([
            place for place, form in forms if not TURNED.isdisjoint(form) or FOREIGN.search(form) or max(form, default="") >= "\U00020000"
        ], dtype=np.int64)

    def counts(self, automaton: BytesAhoCorasick, words: int, wanted: npt.NDArray[np.bool_]) -> Places:
        """See `_Hay.counts`: of the plain forms."""
        return self._plain.counts(automaton, words, wanted)

    def worth(self, sought: _Sought) -> Iterator[Places]:
        """Yield the places of texts in which anything may be found."""
        if sought.words is not None:
            yield self._plain.find(sought.words)
        if sought.codes is not None:
            yield self._codes.find(sought.codes)
            yield self._letters.find(sought.codes)
            yield self._rare
        if sought.masked is not None:
            yield self._masked.find(sought.masked)
        for pattern in sought.patterns:
            yield self._plain.search(pattern)


class _Sought:
    """A rule's needles made ready for the haystacks."""

    def __init__(self, needles: Needles):
        self.words = _automaton((*(word for word, _ in needles.words), *needles.pictures))
        self.codes, self.masked = _automaton(needles.codes), _automaton(needles.masked)
        self.patterns = sorted(needles.patterns)


def _automaton(words: Iterable[str]) -> BytesAhoCorasick | None:
    kept = sorted({word for word in words if word})
    return BytesAhoCorasick([word.encode("utf-8", "surrogatepass") for word in kept]) if kept else None


class _Table:
    """What is asked of all texts together, made once for each state of them. Sets and lists are of places."""

    def __init__(self, specimens: Sequence[Specimen | None]):
        self.times = np.array([one.at.timestamp() if one else -np.inf for one in specimens], dtype=np.float64)
        self.red: list[int] = []
        self.stale: set[int] = set()
        self.wrong: set[int] = set()
        self.by_watch: dict[str, list[int]] = defaultdict(list)
        self.by_page: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, one in enumerate(specimens):
            if one is None:
                continue
            if one.red:
                self.red.append(place)
            if one.stale:
                self.stale.add(place)
            for watch in one.own:
                self.by_watch[watch].append(place)
            if one.item.context:
                self.by_page[one.item.context].append(place)


class Specimens:
    """Texts by id, newest kept, oldest left out beyond the bounds; not for several threads at once."""

    def __init__(self, most: int = MOST_TEXTS, chars: int = MOST_CHARS):
        self._most, self._chars = most, chars
        self._all: list[Specimen | None] = []
        self._place: dict[int, int] = {}
        self._blocks: list[_Block] = []
        self._table: _Table | None = None
        self.left_out = 0

    @property
    def table(self) -> _Table:
        """What is known of all texts together."""
        if self._table is None:
            self._table = _Table(self._all)
        return self._table

    def within(self, since: dt.datetime) -> npt.NDArray[np.bool_]:
        """Return for each place whether its text stands there and is no older than that."""
        found: npt.NDArray[np.bool_] = self.table.times >= since.timestamp()
        return found

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self._place)

    def get(self, ref: int) -> Specimen | None:
        """Return a text by its id."""
        place = self._place.get(ref)
        return None if place is None else self._all[place]

    def at(self, place: int) -> Specimen:
        """Return the text at a place that was named."""
        found = self._all[place]
        assert found is not None
        return found

    def items(self) -> Iterator[tuple[int, Specimen]]:
        """Yield places and texts."""
        return ((place, specimen) for place, specimen in enumerate(self._all) if specimen is not None)

    def put(self, specimens: Iterable[Specimen]) -> None:
        """Add texts, or replace those of the same id."""
        fresh = []
        self._table = None
        for specimen in specimens:
            known = self.get(specimen.id)
            if known is not None and known.item == specimen.item:
                self._all[self._place[specimen.id]] = _with_form(specimen, known.form)
            elif known is None or known.mark != specimen.mark:
                self.drop([specimen.id])
                fresh.append(specimen.ready())
        if fresh:
            first = len(self._all)
            self._all.extend(fresh)
            self._place.update({specimen.id: first + number for number, specimen in enumerate(fresh)})
            self._blocks.append(_Block(first, fresh))
        self._tidy()

    def drop(self, ids: Iterable[int]) -> None:
        """Take texts away: nothing of them is found any more, and at the next tidying nothing of them is kept."""
        self._table = None
        for ref in ids:
            place = self._place.pop(ref, None)
            if place is not None:
                self._all[place] = None

    def keep(self, wanted: Callable[[Specimen], bool]) -> None:
        """Take away what is not wanted any more, the haystacks' copies included."""
        gone = [specimen.id for _, specimen in self.items() if not wanted(specimen)]
        if gone:
            self.drop(gone)
            self._rebuild()

    def worth(self, needles: Needles) -> Places:
        """Return the places of the texts in which a rule may find anything, in order; never without one that it does."""
        sought = _Sought(needles)
        found = [part for block in self._blocks for part in block.worth(sought)]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def counts(self, words: Sequence[str], since: dt.datetime) -> dict[str, int]:
        """Return in how many texts from a moment on each word of normal form stands, whatever stands around it."""
        kept = sorted({word for word in words if word})
        if not kept or not self._blocks:
            return dict.fromkeys(kept, 0)
        automaton = BytesAhoCorasick([word.encode("utf-8", "surrogatepass") for word in kept])
        total = sum(block.counts(automaton, len(kept), self.within(since)) for block in self._blocks)
        return dict(zip(kept, np.asarray(total).tolist(), strict=True))

    def _tidy(self) -> None:
        kept = len(self._place)
        chars = sum(len(specimen.form.text) for _, specimen in self.items()) if kept * 4_000 > self._chars else 0
        if kept > self._most or chars > self._chars:
            self._leave_out()
            self._rebuild()
        elif len(self._blocks) > 64 or len(self._all) > kept + max(1_000, kept // 10):
            self._rebuild()

    def _leave_out(self) -> None:
        newest = sorted((specimen for _, specimen in self.items()), key=lambda one: (one.at, one.id), reverse=True)
        sizes = np.cumsum([len(specimen.form.text) for specimen in newest[:self._most]])
        fitting = int(np.searchsorted(sizes, self._chars, side="right"))
        self.left_out += len(newest) - fitting
        self.drop([specimen.id for specimen in newest[fitting:]])

    def _rebuild(self) -> None:
        kept = [specimen for _, specimen in self.items()]
        self._table = None
        self._all, self._place = list(kept), {specimen.id: place for place, specimen in enumerate(kept)}
        self._blocks = [_Block(first, kept[first:first + 8_192]) for first in range(0, len(kept), 8_192)]


def _with_form(specimen: Specimen, form: Normalised) -> Specimen:
    return replace(specimen, form=form)
