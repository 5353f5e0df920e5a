"""What every polarity engine offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Engine(Protocol):
    """A polarity engine: texts in, the probability of a positive attitude out.

    `name` and `version` go into the model version of every assessment.
    """

    name: str
    version: str

    def polarity(self, texts: Sequence[str]) -> Sequence[float]:
        """Return for each text the probability in [0, 1] that it is positive. Never raises for a text."""
        ...
