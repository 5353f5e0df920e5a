"""Whether a correction is worth having: what models that had not seen a text say of it, held against the judgement as
it stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sentiment.training.corpus import NEGATIVE, NEUTRAL

Numbers = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

RECALL_FLOOR = 0.85
"""The share of negative texts that a correction must find, unless the judgement found fewer before."""
SURE = 5 / 6
"""The share of resamples in which a gain must show: one standard error."""
SURER = 0.95
"""The same for who asks a second time."""
_RESAMPLES = 2000
_SEED = 5
_LITTLE = 1e-3


@dataclass(frozen=True, slots=True)
class Gain:
    """Cross-validated: macro-F1 and negative recall over `texts` of two classes before and after, and in which share
    of resamples macro-F1 rises (bootstrap, Efron 1979), of which `needed` are wanted.

    `shift` is what is taken off the log-odds everywhere so that negative recall keeps its floor.
    """

    texts: int
    before: float
    after: float
    recall_before: float
    recall_after: float
    share: float
    shift: float
    needed: float = SURE

    def lacking(self) -> str | None:
        """Say why the correction is not worth having; None where it is."""
        if self.share >= self.needed:
            return None
        return (
            f"看不出提升：交叉检验 {self.texts} 条，macro-F1 {self.before:.3f} → {self.after:.3f}，"
            f"负面查全 {self.recall_before:.2f} → {self.recall_after:.2f}"
        )


def measured(old: Numbers, new: Numbers, labels: Labels, needed: float = SURE) -> Gain:
    """Return what the log-odds `new` (of models that had not seen their text) are worth against `old`."""
    polar = labels != NEUTRAL
    old, new, bad = old[polar], new[polar], labels[polar] == NEGATIVE
    shift = _shift(old, new, bad)
    was, told = old <= 0, new - shift <= 0
    cells = np.bincount(bad * 4 + was * 2 + told, minlength=8).astype(np.float64)
    drawn = np.random.default_rng(_SEED).multinomial(int(cells.sum()), cells / cells.sum(), _RESAMPLES)
    before, after = _macro_f1(cells[None, :])
    first, second = _macro_f1(drawn)
    return Gain(
        int(cells.sum()), float(before[0]), float(after[0]), float(np.mean(was[bad])), float(np.mean(told[bad])),
        float(np.mean(second > first)), shift, needed,
    )


def _shift(old: Numbers, new: Numbers, bad: npt.NDArray[np.bool_]) -> float:
    """Return how far log-odds must come down for negative recall to be what it was, or the floor."""
    wanted = min(RECALL_FLOOR, float(np.mean(old[bad] <= 0)))
    ordered = np.sort(new[bad])
    last = ordered[max(0, int(np.ceil(wanted * len(ordered))) - 1)]
    return round(float(max(0.0, last + _LITTLE)), 3) if last > 0 else 0.0


def _macro_f1(cells: Numbers | npt.NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Return macro-F1 before and after for rows of the eight counts (truth, before, after)."""
    by = cells.reshape(-1, 2, 2, 2)
    found = []
    for table in (by.sum(axis=3), by.sum(axis=2)):
        sides = [
            2 * table[:, side, side] / np.maximum(1, table[:, side].sum(axis=1) + table[:, :, side].sum(axis=1))
            for side in (0, 1)
        ]
        found.append((sides[0] + sides[1]) / 2)
    return found[0], found[1]
