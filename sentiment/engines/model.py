"""The file that holds a trained polarity model, and what it says of a batch.

A line of JSON (with the shapes and everything small), then the weights of the n-grams as signed bytes: for each
bucket one byte for positive-against-negative and one for neutral-against-the-rest. Nothing in it can be read
back into a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment import modelfile
from sentiment.engines.features import Encoded, buckets, scales
from sentiment.engines.lexical import numbers
from sentiment.engines.reading import Reading, read

SHIPPED = Path(__file__).resolve().parents[1] / "model" / "polarity.bin"
MAGIC = "vocwatch-polarity"
FORMAT = 1

Numbers = npt.NDArray[np.float64]
Table = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Head:
    """One of the two questions: what the lexicon's numbers weigh, the bias, the size of one step of a byte."""

    lexical: tuple[float, ...]
    bias: float
    step: float


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: two heads over one hash table; `slope` and `shift` calibrate each head's log-odds."""

    bits: int
    positive: Head
    neutral: Head
    slope: tuple[float, float]
    shift: tuple[float, float]
    table: Table = field(repr=False)
    about: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the file's bytes: the same model gives the same bytes."""
        small = {
            "bits": self.bits, "positive": asdict(self.positive), "neutral": asdict(self.neutral), "slope": self.slope,
            "shift": self.shift, "about": self.about,
        }
        return modelfile.pack(MAGIC, FORMAT, small, self.table.tobytes())

    @property
    def version(self) -> str:
        """A short name of exactly these weights."""
        return modelfile.short_hash(self.to_bytes())


def from_bytes(data: bytes, name: str = "") -> Model:
    """Return the model that a file's bytes hold. Raises ModelError when they hold none, or a newer format."""
    small, weights = modelfile.unpack(data, MAGIC, FORMAT, name)
    try:
        table = np.frombuffer(weights, dtype=np.int8).reshape(1 << small["bits"], 2)
        return Model(
            small["bits"], _head(small["positive"]), _head(small["neutral"]), tuple(small["slope"]),
            tuple(small["shift"]), table, small["about"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise modelfile.unusable(name, error) from None


def _head(small: dict[str, Any]) -> Head:
    return Head(tuple(small["lexical"]), small["bias"], small["step"])


def load(path: Path = SHIPPED) -> Model:
    """Return the model of a file. Raises ModelError where it can't be read."""
    return from_bytes(modelfile.read(path), path.name)


class Scorer:
    """A model made ready to run."""

    def __init__(self, model: Model):
        self.model = model
        table = model.table.astype(np.int32)
        self._packed = table[:, 0] + (table[:, 1] << 16)  # both heads in one number: a look-up for two
        self._lexical_weights = np.array([model.positive.lexical, model.neutral.lexical]).T

    def log_odds(self, texts: Sequence[str]) -> Numbers:
        """Return for each text the calibrated log-odds of positive against negative, and of neutral."""
        return self.log_odds_of(read(texts)) if texts else np.zeros((0, 2))

    def log_odds_of(self, reading: Reading) -> Numbers:
        """Return what `log_odds` does for a batch that has been read already."""
        raw = self.n_grams(reading.encoded) + numbers(reading.effects) @ self._lexical_weights
        raw += (self.model.positive.bias, self.model.neutral.bias)
        calibrated: Numbers = raw * self.model.slope + self.model.shift
        return calibrated

    def n_grams(self, encoded: Encoded) -> Numbers:
        """Return what the n-grams of each text say: exact sums of bytes, scaled."""
        total = np.zeros(len(encoded.codes), dtype=np.int32)
        for family in buckets(encoded, self.model.bits):
            total += self._packed.take(family)
        polar = ((total + 0x8000) & 0xFFFF) - 0x8000  # of FAMILIES bytes, far below 2**15
        heads = (np.add.reduceat(part, encoded.first[:-1]) for part in (polar, (total - polar) >> 16))
        sums = np.stack([*heads], axis=1)
        steps = (self.model.positive.step, self.model.neutral.step)
        scaled: Numbers = sums * np.array(steps) / scales(encoded)[:, None]
        return scaled
