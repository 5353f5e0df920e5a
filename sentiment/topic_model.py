"""The trained half of the topics: a linear model over hashed character n-grams of clauses.

One head for each leaf (is it spoken of, whatever the tone) and one for the severity of a complaint; in a file of
their own, over whole texts, one for each red line. The n-grams that matter are listed by the number of their hash, so that
nothing can be read back into a text; weights are signed bytes. Numbers beyond those of all n-grams are the signs
and rules of red lines (`sentiment.signs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from sentiment import modelfile

SHIPPED = Path(__file__).resolve().parent / "model" / "topics.bin"
RED_LINES = SHIPPED.with_name("redlines.bin")
"""The red lines' heads, over whole texts; `SHIPPED` has those over clauses."""
MAGIC, FORMAT = "vocwatch-topics", 1
FAMILIES = 3
"""n-grams of 1, 2 and 3 characters."""
SEVERITY = "=severity"
"""The head that is no leaf: the log-odds that a complaint's severity is 2 or more."""
CONCRETE = "=concrete"
"""The head that is no leaf: the log-odds that a clause judges something that can be named."""
RED = "!"
"""What the name of a red line's head begins with."""

BITS = 18
"""The hash has 2**BITS buckets for each family; bucket 0 is no n-gram at all."""

Numbers = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint32]
Places = npt.NDArray[np.integer[Any]]
_SALTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint32)

Read = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]
"""The buckets of the n-grams of many texts, and where each text begins."""
Piece = tuple[int, int, int]
"""A text's number in the batch, and the start and end of one of its clauses."""


@dataclass(frozen=True, slots=True)
class TopicModel:
    """A trained model: `keys` are the known n-grams in rising order, `table` their weights (a row each, one
    column per head), `steps` the size of one step of a byte and `biases`, both per head.
    """

    heads: tuple[str, ...]
    biases: tuple[float, ...]
    steps: tuple[float, ...]
    keys: Keys = field(repr=False)
    table: npt.NDArray[np.int8] = field(repr=False)
    about: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def empty() -> TopicModel:
        """Return a model that knows nothing: topics by rules alone."""
        return TopicModel((), (), (), np.zeros(0, np.uint32), np.zeros((0, 0), np.int8))

    def to_bytes(self) -> bytes:
        """Return the file's bytes: the same model gives the same bytes."""
        small = {
            "heads": self.heads, "biases": self.biases, "steps": self.steps, "known": len(self.keys), "about": self.about,
        }
        return modelfile.pack(MAGIC, FORMAT, small, self.keys.astype("<u4").tobytes(), self.table.tobytes())

    @property
    def version(self) -> str:
        """A short name of exactly these weights."""
        return modelfile.short_hash(self.to_bytes()) if self.heads else "none"


def from_bytes(data: bytes, name: str = "") -> TopicModel:
    """Return the model that a file's bytes hold. Raises ModelError when they hold none."""
    small, rest = modelfile.unpack(data, MAGIC, FORMAT, name)
    try:
        known, heads = small["known"], tuple(small["heads"])
        keys = np.frombuffer(rest, dtype="<u4", count=known).astype(np.uint32)
        table = np.frombuffer(rest, dtype=np.int8, offset=4 * known).reshape(known, len(heads))
        return TopicModel(
            heads, tuple(small["biases"]), tuple(small["steps"]), keys, table, small["about"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise modelfile.unusable(name, error) from None


@lru_cache(maxsize=4)
def load(path: Path = SHIPPED) -> TopicModel:
    """Return the model of a file. Raises ModelError where it can't be read."""
    return from_bytes(modelfile.read(path), path.name)


def features(texts: Sequence[str], pieces: Sequence[Piece], keys: Keys | None = None) -> csr_matrix:
    """Return a row for each piece (a clause of a text): 1/√length for each n-gram that begins in it.

    Columns are the places in `keys`; without them the n-grams' own numbers. Pieces of one text may overlap.
    """
    found, borders = read(texts)
    columns = np.where(found > 0, found + 1 + (np.arange(FAMILIES, dtype=np.int32) << BITS), 0)
    if keys is None:
        return _rows(columns, borders, pieces, FAMILIES << BITS)
    return _rows(_lookup(keys)[np.maximum(columns - 1, 0)], borders, pieces, len(keys))


def _rows(
    columns: Places, borders: npt.NDArray[np.int64], pieces: Sequence[Piece], width: int
) -> csr_matrix:
    """The rows of pieces, given for each character of the texts the columns + 1 of its n-grams (0: none)."""
    wanted = np.array(pieces, dtype=np.int64).reshape(-1, 3)
    lengths = wanted[:, 2] - wanted[:, 1]
    ends = np.cumsum(lengths)
    shift = borders[wanted[:, 0]] + 1 + wanted[:, 1] - (ends - lengths)
    mine = columns.take(np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(shift, lengths), axis=0).ravel()
    known = np.flatnonzero(mine)
    counts = np.searchsorted(known, FAMILIES * np.concatenate([[0], ends]))
    weights = (1.0 / np.sqrt(np.maximum(lengths, 1))).astype(np.float32)
    data = np.repeat(weights, np.diff(counts))
    return csr_matrix((data, mine[known].astype(np.int32) - 1, counts), shape=(len(wanted), width))


@lru_cache(maxsize=1)
def _table() -> Keys:
    """One form for all digits, all blanks, and for wide and narrow punctuation."""
    table = np.arange(0x10000, dtype=np.uint32)
    for wide, narrow in zip("，！？：；（）～。…", ",!?:;()~..", strict=True):
        table[ord(wide)] = ord(narrow)
    table[ord("0"):ord("9") + 1] = ord("0")
    table[[9, 10, 13, 0x3000]] = ord(" ")
    return table


def read(texts: Sequence[str]) -> Read:
    """Return the bucket of each family's n-gram at each character of the texts, a border (which no n-gram
    crosses) before each text and after the last; and where the borders stand.
    """
    joined = "\0" + "\0".join(texts) + "\0\0\0"
    raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)
    codes = np.where(raw < 0x10000, _table()[np.minimum(raw, 0xFFFF)], raw)
    lengths = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    borders = np.concatenate([[0], np.cumsum(lengths)])
    size = len(codes) - FAMILIES + 1
    found = np.zeros((size, FAMILIES), dtype=np.int32)
    valid = np.ones(size, dtype=np.bool_)
    valid[borders] = False
    rolling = np.zeros(size, dtype=np.uint32)
    for family in range(FAMILIES):
        if family:
            valid = valid & (codes[family:family + size] != 0)
        rolling = (rolling ^ (rolling >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
        rolling += codes[family:family + size] * np.uint32(0x9E3779B1)
        mixed = (rolling ^ (rolling >> np.uint32(16))) * _SALTS[family]
        mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0x85EBCA6B)
        found[:, family] = np.where(valid, (mixed >> np.uint32(32 - BITS)).astype(np.int32), 0)
    return found, borders


def _lookup(keys: Keys) -> Places:
    """From an n-gram's number to its row + 1; 0 where it is not known."""
    small = len(keys) < 1 << 16
    lookup: Places = np.zeros((FAMILIES + 1) << BITS, dtype=np.uint16 if small else np.int32)  # the smaller, the faster
    lookup[keys] = np.arange(1, len(keys) + 1)
    lookup[np.arange(FAMILIES) << BITS] = 0  # bucket 0 is no n-gram
    return lookup


class TopicScorer:
    """A model made ready to run."""

    def __init__(self, model: TopicModel):
        self.heads = model.heads
        self._lookup = _lookup(model.keys)
        self._weights = model.table.astype(np.float32) * np.array(model.steps, dtype=np.float32)
        self._biases = np.array(model.biases, dtype=np.float32)

    def score(self, texts: Sequence[str], pieces: Sequence[Piece]) -> Numbers:
        """Return the log-odds of every head for every piece."""
        return self.score_of(read(texts), pieces)

    def score_of(self, texts: Read, pieces: Sequence[Piece]) -> Numbers:
        """Return what `score` does for pieces of texts that have been read already."""
        if not pieces or not self.heads:
            return np.zeros((len(pieces), len(self.heads)), dtype=np.float32)
        found, borders = texts
        columns = self._lookup[found + (np.arange(FAMILIES, dtype=np.int32) << BITS)]
        scores: Numbers = _rows(columns, borders, pieces, len(self._weights)) @ self._weights + self._biases
        return scores
