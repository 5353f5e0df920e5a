"""Logistic regression on sparse features, made to give the same weights on every machine.

Full-batch L-BFGS (Nocedal & Wright 2006, algorithm 7.4 and 7.5). Sums that a processor may take in another
order, or round in the last place, would make two machines drift apart over the iterations; so residuals and
inner products are rounded to a coarse grid before they are used, which swallows such differences.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Vector = npt.NDArray[np.float64]

_MEMORY = 8
_GRID = 2.0**20
_ENOUGH = 1e-4
_NEWTON_STEPS = 8
_SHORTEST = 2.0**-40


def sigmoid(logits: Vector) -> Vector:
    """Return 1 / (1 + e^−x), safe for any x."""
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))


def logistic(
    features: csr_matrix, targets: Vector, weights: Vector | None = None, l2: float = 1.0, iterations: int = 60,
    offsets: Vector | None = None, start: tuple[Vector, float] | None = None,
) -> tuple[Vector, float]:
    """Return (coefficients, bias) that minimise Σ wᵢ·log-loss + l2/2·|coefficients|²; the bias is free.

    `targets` lie in [0, 1] (soft labels are welcome); `weights` are one per row, 1 by default; `offsets` are
    log-odds that are known already; `start` is a solution of a similar problem to begin from.
    """
    rows, columns = features.shape
    weights = np.ones(rows) if weights is None else weights
    known = np.zeros(rows) if offsets is None else offsets
    transposed = features.T.tocsr()

    def loss(point: Vector) -> tuple[float, Vector]:
        logits = features @ point[:columns] + point[columns] + known
        value = float(np.sum(weights * (np.logaddexp(0.0, logits) - targets * logits)))
        value += 0.5 * l2 * float(np.sum(point[:columns] ** 2))
        residual = np.round(weights * (sigmoid(logits) - targets) * _GRID) / _GRID
        gradient = np.empty(columns + 1)
        gradient[:columns] = transposed @ residual + l2 * point[:columns]
        gradient[columns] = np.sum(residual)
        return value, gradient

    first = np.zeros(columns + 1) if start is None else np.append(start[0], start[1])
    best = minimise(loss, first, iterations)
    coefficients = best[:columns]
    return coefficients, _bias(features @ coefficients + known, float(best[columns]), targets, weights)


def _bias(odds: Vector, start: float, targets: Vector, weights: Vector) -> float:
    """Return the best bias for given log-odds (Newton): early stopping leaves it the least settled of all."""
    bias = start
    for _ in range(_NEWTON_STEPS):
        chance = sigmoid(odds + bias)
        slope = np.sum(np.round(weights * (chance - targets) * _GRID)) / _GRID
        bend = np.sum(np.round(weights * chance * (1.0 - chance) * _GRID)) / _GRID
        bias -= float(np.clip(slope / max(bend, 1e-6), -1.0, 1.0))
    return round(bias, 6)


def minimise(
    loss: Callable[[Vector], tuple[float, Vector]], start: Vector, iterations: int,
) -> Vector:
    """Return the point that `loss` (value and gradient) is smallest at, after at most `iterations` steps."""
    point = start
    value, gradient = loss(point)
    first = _inner(gradient, gradient)
    steps: list[tuple[Vector, Vector, float]] = []
    for _ in range(iterations):
        if _inner(gradient, gradient) <= _ENOUGH**2 * max(first, 1e-12):
            break
        direction = _direction(gradient, steps)
        slope = _inner(gradient, direction)
        length = 1.0 if steps else min(1.0, 1.0 / max(1e-12, _inner(gradient, gradient) ** 0.5))
        while True:
            candidate = point + length * direction
            new_value, new_gradient = loss(candidate)
            if new_value <= value + 1e-4 * length * slope:
                break
            length *= 0.5
            if length < _SHORTEST:
                return point
        move, change = candidate - point, new_gradient - gradient
        curvature = _inner(move, change)
        if curvature > 0:
            steps = [*steps[-_MEMORY + 1:], (move, change, curvature)]
        point, value, gradient = candidate, new_value, new_gradient
    return point


def _inner(a: Vector, b: Vector) -> float:
    return float(np.float32(np.sum(a * b)))


def _direction(gradient: Vector, steps: list[tuple[Vector, Vector, float]]) -> Vector:
    """The two-loop recursion."""
    found = -gradient
    shares = []
    for move, change, curvature in reversed(steps):
        share = _inner(move, found) / curvature
        shares.append(share)
        found = found - share * change
    if steps:
        _, change, curvature = steps[-1]
        found = found * (curvature / _inner(change, change))
    for (move, change, curvature), share in zip(steps, reversed(shares), strict=True):
        found = found + (share - _inner(change, found) / curvature) * move
    return found
