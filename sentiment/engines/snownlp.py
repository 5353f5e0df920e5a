"""SnowNLP's naive Bayes, as shipped or taught more: slow to load and to run, so never asked twice for one text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

from sentiment.engines.base import NEUTRAL, POSITIVE, Probabilities, three

CACHED = 100_000
MAX_CHARS = 500
"""Its score saturates long before this length, and its time grows with it."""


class SnowNlpEngine:
    """The `snownlp` engine. The package is imported at the first text that needs it.

    With `lessons` (texts and their classes; it has no place for neutral) it is retrained: naive Bayes only counts
    words, so what the shipped model has counted and these together are the model of both. Some seconds for a
    thousand lessons, at the first text.
    """

    name = "snownlp"

    def __init__(self, lessons: Sequence[tuple[str, int]] = ()) -> None:
        self._lessons = [(text, label) for text, label in lessons if label != NEUTRAL and text.strip()]
        self.version = version("snownlp")
        if self._lessons:
            digest = hashlib.blake2b(repr(self._lessons).encode("utf-8", "replace"), digest_size=4)
            self.version += f".{digest.hexdigest()}"
        self._cache: OrderedDict[bytes, float] = OrderedDict()
        self._classify: Callable[[str], float] | None = None

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        """Return the probabilities for each text; it knows no neutral, and gives 0.5 where it cannot tell."""
        positive = np.array([self._one(text[:MAX_CHARS]) for text in texts], dtype=np.float64)
        return three(positive, np.zeros(len(texts)))

    def _one(self, text: str) -> float:
        key = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        known = self._cache.get(key)
        if known is not None:
            self._cache.move_to_end(key)
            return known
        value = self._ask(text)
        self._cache[key] = value
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return value

    def _ask(self, text: str) -> float:
        if not text.strip():
            return 0.5
        if self._classify is None:
            self._classify = self._taught()
        try:
            return min(1.0, max(0.0, float(self._classify(text))))
        except (ArithmeticError, ValueError, KeyError, IndexError):
            return 0.5  # logarithms of texts without one known word

    def _taught(self) -> Callable[[str], float]:
        from snownlp import sentiment

        if not self._lessons:
            found: Callable[[str], float] = sentiment.classify
            return found
        model = sentiment.Sentiment()
        model.load()
        model.classifier.train([
            (model.handle(text[:MAX_CHARS]), "pos" if label == POSITIVE else "neg") for text, label in self._lessons
        ])
        taught: Callable[[str], float] = model.classify
        return taught
