"""What every polarity engine offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2
"""The columns of what an engine returns."""

Probabilities = npt.NDArray[np.float64]


class Engine(Protocol):
    """A polarity engine: normal forms in, the probabilities of the three classes out.

    `name` and `version` go into the model version of every assessment.
    """

    name: str
    version: str

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        """Return a row for each text: the probabilities that it is negative, neutral and positive.

        Never raises for a text.
        """
        ...


def logits(probabilities: Probabilities) -> Probabilities:
    """Return for each row the log-odds of positive against negative, in [−7, 7]."""
    low = 1e-3
    sides = np.clip(probabilities[:, [NEGATIVE, POSITIVE]], low, None)
    found: Probabilities = np.log(sides[:, 1] / sides[:, 0])
    return found


def three(positive: Probabilities, neutral: Probabilities) -> Probabilities:
    """Return rows from the probability of neutral, and of positive where not neutral."""
    rest = 1.0 - neutral
    return np.stack([rest * (1.0 - positive), neutral, rest * positive], axis=1)
