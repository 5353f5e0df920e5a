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
RED = "!"
"""What the name of a red line's head begins with."""

BITS = 18
"""The hash has 2**BITS buckets for each family; bucket 0 is no n-gram at all."""

Numbers = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint32]
_SALTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint32)

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
    found, borders = _buckets(texts)
    wanted = np.array(pieces, dtype=np.int64).reshape(-1, 3)
    before = borders[wanted[:, 0]] + 1
    starts, lengths = before + wanted[:, 1], wanted[:, 2] - wanted[:, 1]
    rows = np.repeat(np.arange(len(wanted)), lengths)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + np.repeat(starts, lengths)
    numbers = found[places]
    known = numbers > 0
    columns = numbers + (np.arange(FAMILIES, dtype=np.int32) << BITS)
    width = FAMILIES << BITS
    if keys is not None:
        width = len(keys)
        columns, known = _known(columns, known, keys)
    counts = np.concatenate([[0], np.cumsum(np.bincount(rows, known.sum(axis=1), minlength=len(wanted)))])
    weights = (1.0 / np.sqrt(np.maximum(lengths, 1))).astype(np.float32)
    data = np.repeat(weights[rows], FAMILIES).reshape(-1, FAMILIES)[known]
    return csr_matrix((data, columns[known], counts.astype(np.int64)), shape=(len(wanted), width))


@lru_cache(maxsize=1)
def _table() -> Keys:
    """One form for all digits, all blanks, and for wide and narrow punctuation."""
    table = np.arange(0x10000, dtype=np.uint32)
    for wide, narrow in zip("，！？：；（）～。…", ",!?:;()~..", strict=True):
        table[ord(wide)] = ord(narrow)
    table[ord("0"):ord("9") + 1] = ord("0")
    table[[9, 10, 13, 0x3000]] = ord(" ")
    return table


def _buckets(texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
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


def _known(
    columns: npt.NDArray[np.int32], known: npt.NDArray[np.bool_], keys: Keys
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    lookup = _lookup(keys.tobytes())
    found = lookup[columns]
    return found - 1, known & (found > 0)


@lru_cache(maxsize=4)
def _lookup(keys: bytes) -> npt.NDArray[np.int32]:
    """From an n-gram's number to its row + 1; 0 where it is not known."""
    known = np.frombuffer(keys, dtype=np.uint32)
    lookup = np.zeros((FAMILIES + 1) << BITS, dtype=np.int32)
    lookup[known] = np.arange(1, len(known) + 1)
    return lookup


class TopicScorer:
    """A model made ready to run."""

    def __init__(self, model: TopicModel):
        self.heads = model.heads
        self._keys = model.keys
        self._weights = model.table.astype(np.float32) * np.array(model.steps, dtype=np.float32)
        self._biases = np.array(model.biases, dtype=np.float32)

    def score(self, texts: Sequence[str], pieces: Sequence[Piece]) -> Numbers:
        """Return the log-odds of every head for every piece."""
        if not pieces or not self.heads:
            return np.zeros((len(pieces), len(self.heads)), dtype=np.float32)
        found: Numbers = features(texts, pieces, self._keys) @ self._weights + self._biases
        return found
