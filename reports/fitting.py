"""Fits weights and level floors of the risk score to levels that people gave. Pure: labels in, a `Risk` out.

The score is R = Σ wᵢ·xᵢ over the six parts; a level holds from its floor on. Weights and floors minimise the
all-threshold logistic loss of ordinal regression (Rennie & Srebro 2005, “Loss functions for preference levels”):
Σ over labels and floors k of log(1 + exp(−s·(R − fₖ)/τ)), s = +1 where the person's level is at or above k, else −1,
plus ½·Σ((w − w₀)/σ)² + ½·Σ((f − f₀)/σ)², which holds them at the values in use until labels speak against these.
It is convex; the weights are kept ≥ 0, the floors apart, and all is scaled so that the weights sum to 100.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.score import Parts
from vocwatch.models import Level
from vocwatch.settings.app import Levels, Risk

NAMES = tuple(Parts.__dataclass_fields__)
LEVELS = ("无", Level.BLUE.value, Level.YELLOW.value, Level.ORANGE.value, Level.RED.value)
"""What a person may say, lowest first; 无: it should not have been listed."""

BAND = 4.0  # τ: points over which people waver between two levels
PRIOR_WEIGHT = 5.0  # σ of a weight, points
PRIOR_FLOOR = 5.0  # σ of a floor, points
GAP = 5.0  # floors stay this far apart
FOLDS = 5
_SEED = 20261122

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """One incident's day with the level (index into LEVELS) that was told and the one that a person gave."""

    incident: str
    parts: tuple[float, ...]
    told: int
    right: int


def fit(labels: Sequence[Labelled], risk: Risk) -> Risk:
    """Return the weights and floors nearest to the labels and to those in use."""
    from scipy.optimize import minimize

    x = np.array([label.parts for label in labels], dtype=float).reshape(-1, len(NAMES))
    above = np.array([label.right for label in labels])[:, None] >= np.arange(1, len(LEVELS))
    signs = np.where(above, 1.0, -1.0)
    start = _vector(risk)
    room = [(0.0, 100.0)] * len(NAMES) + [(1.0, 90.0)] + [(GAP, 60.0)] * (len(LEVELS) - 2)

    def loss(theta: Array) -> tuple[float, Array]:
        weights, floors = theta[: len(NAMES)], np.cumsum(theta[len(NAMES) :])
        margin = signs * (x @ weights[:, None] - floors[None, :]) / BAND
        pull = -signs / BAND / (1.0 + np.exp(np.clip(margin, -500, 500)))
        off_w = (weights - start[: len(NAMES)]) / PRIOR_WEIGHT
        off_f = (floors - np.cumsum(start[len(NAMES) :])) / PRIOR_FLOOR
        by_floor = -pull.sum(axis=0) + off_f / PRIOR_FLOOR
        slope = np.concatenate([x.T @ pull.sum(axis=1) + off_w / PRIOR_WEIGHT, np.cumsum(by_floor[::-1])[::-1]])
        return float(np.logaddexp(0, -margin).sum() + (off_w @ off_w + off_f @ off_f) / 2), slope

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=room)
    return _risk(np.asarray(found.x), risk)


def _vector(risk: Risk) -> Array:
    floors = [risk.levels.blue, risk.levels.yellow, risk.levels.orange, risk.levels.red]
    return np.array([*(getattr(risk, name) for name in NAMES), floors[0], *np.diff(floors)], dtype=float)


def _risk(theta: Array, base: Risk) -> Risk:
    """Scale the weights to 100, round to a tenth, and keep what isn't fitted."""
    scale = 100.0 / max(1e-9, float(theta[: len(NAMES)].sum()))
    weights = [round(float(w) * scale, 1) for w in theta[: len(NAMES)]]
    largest = max(range(len(NAMES)), key=lambda place: weights[place])
    weights[largest] = round(weights[largest] + 100.0 - sum(weights), 1)
    blue, yellow, orange, red = (round(float(f) * scale, 1) for f in np.cumsum(theta[len(NAMES) :]))
    values = dict(zip(NAMES, weights, strict=True))
    return base.model_copy(update={**values, "levels": Levels(red=red, orange=orange, yellow=yellow, blue=blue)})


def level_index(parts: Sequence[float], risk: Risk) -> int:
    """Return the level (index into LEVELS) that the score alone gives."""
    points = sum(getattr(risk, name) * value for name, value in zip(NAMES, parts, strict=True))
    floors = (risk.levels.blue, risk.levels.yellow, risk.levels.orange, risk.levels.red)
    return sum(round(points, 1) >= floor for floor in floors)


def crossed(labels: Sequence[Labelled], risk: Risk) -> list[int]:
    """Return the level of each label under a fit that has seen no day of its incident (5 folds over incidents)."""
    fold = {name: place % FOLDS for place, name in enumerate(_shuffled(labels))}
    told = [0] * len(labels)
    for number in range(FOLDS):
        own = [place for place, label in enumerate(labels) if fold[label.incident] == number]
        seen = [label for label in labels if fold[label.incident] != number]
        if own:
            fitted = fit(seen, risk)
            for place in own:
                told[place] = level_index(labels[place].parts, fitted)
    return told


def intervals(labels: Sequence[Labelled], risk: Risk, rounds: int = 200) -> dict[str, tuple[float, float]]:
    """Return the 5th and 95th percentile of each weight and floor over fits to incidents drawn anew with replacement
    (cluster bootstrap; Cameron, Gelbach & Miller 2008).
    """
    names = _shuffled(labels)
    days = {name: [label for label in labels if label.incident == name] for name in names}
    chance = random.Random(_SEED)  # noqa: S311 - the same draw each time is what is wanted
    fits = [
        fit([label for name in chance.choices(names, k=len(names)) for label in days[name]], risk) for _ in range(rounds)
    ]
    values = {name: [float(getattr(f, name)) for f in fits] for name in NAMES}
    values |= {f"levels.{name}": [float(getattr(f.levels, name)) for f in fits] for name in Levels.model_fields}
    return {name: (round(float(np.quantile(v, 0.05)), 1), round(float(np.quantile(v, 0.95)), 1)) for name, v in values.items()}


def _shuffled(labels: Sequence[Labelled]) -> list[str]:
    names = sorted({label.incident for label in labels})
    random.Random(_SEED).shuffle(names)  # noqa: S311 - see above
    return names


def confusion(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Count (right, told) pairs: rows are what people said, columns what was told, both in the order of LEVELS."""
    size = len(LEVELS)
    return tuple(tuple(sum(pair == (row, column) for pair in pairs) for column in range(size)) for row in range(size))


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> tuple[int, int, float]:
    """Return (mended, broken, p): the exact two-sided McNemar test, a binomial of the pairs that differ."""
    from scipy.stats import binomtest

    mended = sum(new and not old for old, new in zip(before, after, strict=True))
    broken = sum(old and not new for old, new in zip(before, after, strict=True))
    p = float(binomtest(mended, mended + broken).pvalue) if mended + broken else 1.0
    return mended, broken, p
