"""The topic model moved by a team's own labels: the shipped heads are the prior, as in `own`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from sentiment.clauses import split
from sentiment.normalise import normal_form
from sentiment.topic_model import Piece, TopicModel, TopicScorer, features
from sentiment.training.corpus import POSITIVE
from sentiment.training.fit import logistic
from sentiment.training.own import OwnText

FEWEST = 8
"""A leaf that fewer texts are labelled with keeps its head."""

_L2 = 0.5
_ITERATIONS = 40
_GRID = 2.0**12
_MOST_BIAS = 0.5

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LiftedTopics:
    """The new model, the leaves whose heads were trained, and how many texts said their topics."""

    model: TopicModel
    leaves: tuple[str, ...]
    texts: int


def lift_topics(
    base: TopicModel, texts: Sequence[OwnText], about: dict[str, Any] | None = None, *, keep_all: bool = False,
) -> LiftedTopics:
    """Return the base model moved by texts whose complaint topics are known; those held out are never looked at.

    Which clause a topic belongs to nobody said: it is the one that the base model thinks most likely. A clause
    counts as not speaking of a leaf when its text is no praise and lacks the leaf.
    """
    chosen = [each for each in texts if each.topics is not None and (keep_all or not each.held_out)]
    forms = [normal_form(each.text) for each in chosen]
    pieces: list[Piece] = [
        (number, clause.start, clause.end) for number, form in enumerate(forms) for clause in split(form)
    ]
    wanted: dict[str, set[int]] = {}
    for number, each in enumerate(chosen):
        for name in each.topics or ():
            wanted.setdefault(name, set()).add(number)
    leaves = [name for name in base.heads if len(wanted.get(name, ())) >= FEWEST]
    if not leaves or not pieces:
        return LiftedTopics(base, (), len(chosen))
    owner = np.array([piece[0] for piece in pieces])
    matrix = features(forms, pieces, base.keys).astype(np.float64)
    matrix.data = np.round(matrix.data * _GRID) / _GRID
    odds = np.round(TopicScorer(base).score(forms, pieces).astype(np.float64) * _GRID) / _GRID
    praise = np.array([each.label == POSITIVE for each in chosen])
    moved = {}
    for name in leaves:
        column = base.heads.index(name)
        rows, goal = _rows(owner, odds[:, column], wanted[name], praise)
        moved[column] = _correct(matrix[rows], goal, odds[rows, column])
    return LiftedTopics(_moved(base, moved, about or {}), tuple(leaves), len(chosen))


def _rows(
    owner: npt.NDArray[np.int64], odds: Numbers, having: set[int], praise: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Return which clauses are examples of a leaf, and of what."""
    best: dict[int, int] = {}
    rows, goal = [], []
    for row, number in enumerate(owner.tolist()):
        if number in having:
            if number not in best or odds[row] > odds[best[number]]:
                best[number] = row
        elif not praise[number]:
            rows.append(row)
            goal.append(0.0)
    rows.extend(best.values())
    goal.extend([1.0] * len(best))
    return np.array(rows, dtype=np.int64), np.array(goal)


def _correct(matrix: csr_matrix, goal: Numbers, odds: Numbers) -> tuple[Numbers, float]:
    weights, bias = logistic(matrix, goal, None, _L2, _ITERATIONS, odds)
    return weights, float(np.clip(bias, -_MOST_BIAS, _MOST_BIAS))


def _moved(base: TopicModel, moved: dict[int, tuple[Numbers, float]], about: dict[str, Any]) -> TopicModel:
    table, biases, steps = base.table.copy(), list(base.biases), list(base.steps)
    for column, (weights, bias) in moved.items():
        new = np.round((base.table[:, column] * base.steps[column] + weights) * 2.0**16) / 2.0**16
        step = float(np.float32(max(float(np.abs(new).max()), 1e-6) / 127))
        table[:, column] = np.clip(np.rint(new / step), -127, 127).astype(np.int8)
        biases[column], steps[column] = round(base.biases[column] + bias, 4), step
    return replace(
        base, table=table, biases=tuple(biases), steps=tuple(steps), about={**base.about, **about}
    )
