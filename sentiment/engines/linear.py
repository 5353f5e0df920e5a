"""The default engine: hashed character n-grams and the lexicon's sums, weighed by a trained linear model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sentiment.engines.base import Probabilities, three
from sentiment.engines.model import SHIPPED, Model, Numbers, Scorer, load
from sentiment.engines.reading import Reading

CHUNK = 2_000_000
"""Characters that are scored at a time: bounds the memory, whatever the batch."""


class LinearEngine:
    """The `linear` engine with a trained model, or the model of a file. Raises ModelError when it can't be read."""

    name = "linear"

    def __init__(self, model: Path | Model = SHIPPED):
        self._scorer = Scorer(model if isinstance(model, Model) else load(model))
        self.version = self._scorer.model.version

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        """Return the probabilities of negative, neutral and positive for each text."""
        found = [self._scorer.log_odds(part) for part in _parts(texts)]
        return _chances(np.concatenate(found) if found else np.zeros((0, 2)))

    def polarity_of(self, reading: Reading) -> Probabilities:
        """Return what `polarity` does for a batch that has been read already."""
        return _chances(self._scorer.log_odds_of(reading))


def _chances(odds: Numbers) -> Probabilities:
    chances = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    return three(chances[:, 0], chances[:, 1])


def _parts(texts: Sequence[str]) -> list[Sequence[str]]:
    """Cut a batch where CHUNK characters are passed."""
    parts: list[Sequence[str]] = []
    start = size = 0
    for place, text in enumerate(texts):
        size += len(text)
        if size > CHUNK:
            parts.append(texts[start:place + 1])
            start, size = place + 1, 0
    if start < len(texts):
        parts.append(texts[start:])
    return parts
