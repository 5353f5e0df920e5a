"""Trains the polarity model: the same texts give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags

from sentiment.clauses import split
from sentiment.engines.effects import shipped
from sentiment.engines.features import buckets, encode, scales
from sentiment.engines.lexical import Lexical
from sentiment.engines.model import Head, Model
from sentiment.normalise import normal_form, normalise
from sentiment.training.corpus import NEUTRAL, POSITIVE, Labelled, fold
from sentiment.training.fit import logistic

BITS = 19
_GRID = 2.0**12
_LEXICAL_L2 = 1.0
_CALIBRATION_FOLD = 1
_CENTS = 1e4
_RATIO_GRID = 64.0
_MOST_RATIO = 2.0

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from: a normal form, its class, how much it counts; `whole` marks texts, not clauses."""

    text: str
    label: int
    weight: float = 1.0
    own: bool = True
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """What the trainer is told; the defaults made the shipped model."""

    own_weight: float = 1.5
    clause_weight: float = 1.5
    aside_weight: float = 0.25
    l2: float = 0.2
    l2_neutral: float = 0.3
    iterations: int = 45
    more_iterations: int = 12
    bits: int = BITS


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees of a list of texts: the n-grams as a sparse matrix, the lexicon's numbers."""

    n_grams: csr_matrix
    lexical: Numbers

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Features:
        """Return the features of some of the texts."""
        return Features(self.n_grams[chosen], self.lexical[chosen])


def examples(
    own: Sequence[Labelled], reviews: Sequence[tuple[str, int]], settings: Settings,
) -> list[Example]:
    """Return everything that may be trained on: what is held out stays out, and so do its clauses."""
    found = [Example(text, label, 1.0, own=False) for text, label in reviews]
    for text in own:
        if text.held_out:
            continue
        found.append(Example(normal_form(text.text), text.label, settings.own_weight))
        found.extend(
            Example(normal_form(text.text[span.start:span.end]), span.label, settings.clause_weight, whole=False)
            for span in text.spans
        )
    found += [Example(text, NEUTRAL, settings.aside_weight, whole=False) for text in asides(own)]
    return [example for example in found if example.text]


def asides(own: Sequence[Labelled]) -> list[str]:
    """Return the clauses that judge nothing: those beside the marked ones in which no polar word stands."""
    found: dict[str, None] = {}
    for text in own:
        if text.held_out or not text.spans:
            continue
        form = normalise(text.text)
        for clause in split(form.text):
            start, end = form.original_span(clause.start, clause.end)
            beside = all(min(end, span.end) <= max(start, span.start) for span in text.spans)
            if beside and not clause.question and clause.end - clause.start > 1:
                found[form.text[clause.start:clause.end]] = None
    pieces = list(found)
    polar = set(shipped().find(encode(pieces)).text.tolist()) if pieces else set()
    return [piece for place, piece in enumerate(pieces) if place not in polar]


def features(texts: Sequence[str], words: Lexical, bits: int = BITS) -> Features:
    """Return the features of normal forms, on a grid on which sums are exact in any order."""
    encoded = encode(texts)
    size, ends = len(texts), encoded.first[-1]
    text_of = np.repeat(np.arange(size), np.diff(encoded.first))
    rows, columns = [], []
    for family in buckets(encoded, bits):
        inside = family[:ends]
        rows.append(text_of[inside > 0])
        columns.append(inside[inside > 0])
    where = np.concatenate(rows), np.concatenate(columns)
    counts = csr_matrix((np.ones(len(where[0])), where), shape=(size, 1 << bits))
    counts.sort_indices()
    scale = np.round(_GRID / scales(encoded)) / _GRID
    counts.data *= np.repeat(scale, np.diff(counts.indptr))
    return Features(counts, np.round(words.features(encoded) * _GRID) / _GRID)


@dataclass(frozen=True, slots=True)
class Trained:
    """One head before it is cut to bytes; `earned` are the weights of the n-grams before their scaling."""

    n_grams: Numbers
    lexical: Numbers
    bias: float
    earned: Numbers

    def log_odds(self, seen: Features) -> Numbers:
        """Return the uncalibrated log-odds."""
        odds: Numbers = seen.n_grams @ self.n_grams + seen.lexical @ self.lexical + self.bias
        return odds


def head(
    seen: Features, targets: Numbers, weights: Numbers, l2: float, iterations: int, start: Trained | None = None,
) -> Trained:
    """Train one question: first what the lexicon alone can tell, then what the n-grams add to it.

    Each n-gram is scaled by how differently the two sides use it (Wang & Manning 2012): what both use alike has to
    earn its weight, so that the subject of a trade's texts is not taken for praise or blame.
    """
    spread = np.maximum(np.round(seen.lexical.std(axis=0) * 64) / 64, 1 / 64)
    coefficients, bias = logistic(
        csr_matrix(seen.lexical / spread), targets, weights, _LEXICAL_L2, iterations
    )
    lexical = np.round(coefficients / spread * _CENTS) / _CENTS
    offsets = np.round((seen.lexical @ lexical + bias) * _GRID) / _GRID
    ratio = ratios(seen.n_grams, targets, weights)
    before = None if start is None else (start.earned, 0.0)
    earned, more = logistic(
        (seen.n_grams @ diags(ratio)).tocsr(), targets, weights, l2, iterations, offsets, before
    )
    return Trained(earned * ratio, lexical, bias + more, earned)


def ratios(n_grams: csr_matrix, targets: Numbers, weights: Numbers) -> Numbers:
    """Return for each n-gram how far its share in the texts of one side is from that in the other's: the absolute
    logarithm of their ratio, cut at _MOST_RATIO, on a grid that swallows how a machine rounds.
    """
    there = csr_matrix((np.ones(n_grams.nnz), n_grams.indices, n_grams.indptr), shape=n_grams.shape).T.tocsr()
    shares = [1.0 + there @ (weights * side) for side in (targets, 1.0 - targets)]
    apart = np.abs(np.log(shares[0] / shares[0].sum()) - np.log(shares[1] / shares[1].sum()))
    cut: Numbers = np.round(np.minimum(apart, _MOST_RATIO) * _RATIO_GRID) / _RATIO_GRID
    return cut


def train(
    material: Sequence[Example], settings: Settings | None = None, about: Mapping[str, Any] | None = None,
) -> Model:
    """Return the model for these examples."""
    settings = settings or Settings()
    seen = features([example.text for example in material], Lexical(), settings.bits)
    labels = np.array([example.label for example in material])
    weights = np.array([example.weight for example in material])
    own = np.array([example.own for example in material])
    whole = np.array([example.whole for example in material])
    apart = own & np.array([fold(example.text) == _CALIBRATION_FOLD for example in material])
    heads, slopes, shifts = [], [], []
    for rows, targets, l2 in (
        (labels != NEUTRAL, labels == POSITIVE, settings.l2), (own, labels == NEUTRAL, settings.l2_neutral),
    ):
        goal = targets.astype(np.float64)
        known = rows & ~apart
        draft = head(seen.rows(known), goal[known], weights[known], l2, settings.iterations)
        asked = rows & apart & whole
        slope, shift = calibrate(draft.log_odds(seen.rows(asked)), goal[asked])
        slopes.append(slope)
        shifts.append(shift)
        heads.append(head(seen.rows(rows), goal[rows], weights[rows], l2, settings.more_iterations, draft))
    return _cut(heads, (slopes[0], slopes[1]), (shifts[0], shifts[1]), settings, dict(about or {}))


def calibrate(odds: Numbers, targets: Numbers) -> tuple[float, float]:
    """Return slope and shift that make log-odds honest on texts that were not trained on (Platt 1999)."""
    slope, shift = logistic(csr_matrix(odds[:, None]), targets, None, 0.01, 60)
    return round(max(0.05, float(slope[0])), 3), round(shift, 3)


def _cut(
    heads: Sequence[Trained], slope: tuple[float, float], shift: tuple[float, float],
    settings: Settings, about: dict[str, Any],
) -> Model:
    """Cut the weights to bytes."""
    columns, small = [], []
    for trained in heads:
        step = float(np.round(np.abs(trained.n_grams).max() / 127.0 * 1e6) / 1e6) or 1e-6
        columns.append(np.clip(np.round(trained.n_grams / step), -127, 127).astype(np.int8))
        small.append(Head(tuple(map(float, trained.lexical)), round(trained.bias, 4), step))
    return Model(
        settings.bits, small[0], small[1], slope, shift, np.stack(columns, axis=1), about,
    )
