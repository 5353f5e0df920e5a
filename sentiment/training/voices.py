"""The small model that hears voices the cues don't: `python -m sentiment.training.voices` writes it anew.

Logistic regression over character n-grams of our own corpus (flags ?ad ?lottery ?resale ?recruit ?merchant ?media
against all buyers), the fifth held out by content left aside. Its file holds n-grams and weights that people can read.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from sentiment.normalise import normal_form
from sentiment.training.corpus import Labelled, own_texts
from sentiment.voice import VOICES_FILE, grams

VOICES = ("ad", "lottery", "resale", "recruit", "merchant", "media")
_LEAST_TEXTS = 2
_L2 = 1.0
_RARE = 4.0  # weight of a text that is no buyer's: there are forty times as many of the others
_SMALLEST = 0.03
_STEPS = 300

Numbers = npt.NDArray[np.float64]


def voice_label(text: Labelled) -> str | None:
    """Return whose voice the corpus says a text is; None for a buyer's."""
    return next((voice for voice in VOICES if f"?{voice}" in text.flags), None)


def train(texts: Sequence[Labelled]) -> dict[str, object]:
    """Return the model: a bias, and for each n-gram its weight against buyers and its log-odds for each voice."""
    features = [grams(normal_form(text.text)) for text in texts]
    labels = [voice_label(text) for text in texts]
    found = Counter(gram for kept, label in zip(features, labels, strict=True) if label for gram in kept)
    names = sorted(gram for gram, count in found.items() if count >= _LEAST_TEXTS)
    place = {gram: number for number, gram in enumerate(names)}
    rows = [sorted(place[gram] for gram in kept if gram in place) for kept in features]
    ends = np.cumsum([0, *map(len, rows)])
    matrix = csr_matrix((np.ones(ends[-1]), np.concatenate([np.array(row, dtype=np.int64) for row in rows]), ends), (len(rows), len(names)))
    weights = _fit(matrix, np.array([label is not None for label in labels], dtype=np.float64))
    totals = Counter(label for label in labels if label)
    per_voice = Counter((gram, label) for kept, label in zip(features, labels, strict=True) if label for gram in kept)
    flagged = sum(totals.values())
    table = {}
    for gram in names:
        weight = float(weights[place[gram]])
        if abs(weight) >= _SMALLEST:
            share = (found[gram] + 0.5) / (flagged + 1)
            odds = [round(math.log((per_voice[gram, voice] + 0.5) / (totals[voice] + 1) / share), 1) for voice in VOICES]
            table[gram] = [round(weight, 2), *odds]
    return {"bias": round(float(weights[-1]), 2), "voices": list(VOICES), "grams": table}


def _fit(matrix: csr_matrix, label: Numbers) -> Numbers:
    importance = np.where(label > 0, _RARE, 1.0)

    def loss(point: Numbers) -> tuple[float, Numbers]:
        logit = matrix @ point[:-1] + point[-1]
        value = float((importance * (np.logaddexp(0, logit) - label * logit)).sum() + _L2 * (point[:-1] ** 2).sum() / 2)
        error = (1 / (1 + np.exp(-logit)) - label) * importance
        return value, np.append(matrix.T @ error + _L2 * point[:-1], error.sum())

    found: Numbers = minimize(loss, np.zeros(matrix.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return found


def main() -> None:
    """Train on what is not held out, and write."""
    model = train([text for text in own_texts() if not text.held_out])
    VOICES_FILE.parent.mkdir(exist_ok=True)
    VOICES_FILE.write_text(json.dumps(model, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    print(f"{VOICES_FILE.name}: {VOICES_FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
