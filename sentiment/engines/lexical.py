"""What the words of the lexicon say of a text, as a few dozen numbers: computed for a whole batch at once.

Each word found is put into the classes that it belongs to (praise or blame; negated, strengthened, asked, behind
or before a turn, in the last clause, a picture, a mood), and each class is summed up for each text. The model
learns what each of these sums is worth.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sentiment.engines.effects import BESIDE, LIKELY, SURE, Effects, shipped
from sentiment.engines.features import Encoded
from sentiment.lexicon import lexicon

SIDES = (
    "plain", "negated", "strengthened", "weakened", "strong", "weak", "asked", "behind", "before", "last", "picture",
    "mood", "mocked_surely", "mocked_likely", "effect",
)
EXTRA = ("balance", "balance_last", "silent", "turned", "mocking", "mocking_blame", "beside_blame")
NAMES = tuple(f"{side}_{kind}" for side in ("praise", "blame") for kind in SIDES) + EXTRA

_STRONG, _WEAK = 1.9, 0.9
_SURE = 0.5

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class Lexical:
    """The lexicon made ready to run over encoded batches."""

    def __init__(self) -> None:
        self._finder = shipped()

    def features(self, encoded: Encoded) -> Numbers:
        """Return for each text the numbers of NAMES."""
        return numbers(self._finder.find(encoded))


def numbers(found: Effects) -> Numbers:
    """Return for each text the numbers of NAMES, given its words."""
    texts = len(found.irony)
    size, told = np.abs(found.weight), ~found.negated & ~found.asked
    degree = np.abs(found.factor)
    kinds = (
        told, found.negated & ~found.asked, told & (degree > 1), told & (degree < 1), told & (size > _STRONG),
        told & (size < _WEAK), found.asked, found.behind & told, found.before & told, found.last & told,
        found.picture, found.mood & told, told & (found.irony[found.text, SURE] > _SURE),
        told & (found.irony[found.text, LIKELY] > 0),
    )
    columns = [
        _sums(found.text[mask], size[mask], texts)
        for side in (found.weight > 0, found.weight < 0) for mask in [side & kind for kind in kinds]
    ]
    half = len(kinds)
    good = _sums(found.text, np.maximum(found.effect, 0.0), texts)
    bad = _sums(found.text, np.maximum(-found.effect, 0.0), texts)
    columns = [*columns[:half], good, *columns[half:], bad]
    last = _sums(found.text, np.where(found.last, found.effect, 0.0), texts)
    blamed = np.minimum(bad, 3.0)
    extra = [
        (good - bad) / np.sqrt(1.0 + good + bad), last / (1.0 + np.abs(last)), (good + bad == 0) * 1.0,
        found.turned * 1.0, found.irony[:, SURE], found.irony[:, LIKELY] * blamed,
        found.irony[:, BESIDE] * blamed,
    ]
    return np.stack([*(np.sqrt(column) for column in columns), *extra], axis=1)


def _sums(text: Places, size: Numbers, texts: int) -> Numbers:
    return np.bincount(text, weights=size, minlength=texts)[:texts].astype(np.float64)


@lru_cache(maxsize=1)
def digest() -> str:
    """A short name of exactly the shipped lexicon."""
    words = lexicon()
    parts = (words.weights, words.degrees, words.degrees_after, words.negators, words.irony)
    text = repr([sorted(part.items()) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
