"""Training the topic model on the own corpus and on the words of `config/topics.yaml`.

    python -m sentiment.training.topics
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags, hstack, vstack

from sentiment.clauses import split
from sentiment.normalise import normal_form, normalise
from sentiment.redlines import (
    DISMISSED,
    GRAM_WEIGHT,
    PATTERN,
    RULE_WEIGHT,
    SIGN_WEIGHT,
    WORD,
    rule_features,
)
from sentiment.signs import number, signs
from sentiment.topic_model import (
    CONCRETE,
    RED,
    RED_LINES,
    SEVERITY,
    SHIPPED,
    Keys,
    Piece,
    TopicModel,
    features,
)
from sentiment.topics import Passage, Taxonomy
from sentiment.training.corpus import NEGATIVE, POSITIVE, Labelled, Marked, own_texts
from sentiment.training.fit import logistic
from vocwatch.settings.topics import Topics
from vocwatch.settings.yamlfile import load_model

TAXONOMY = Path(__file__).resolve().parents[2] / "config" / "topics.yaml"

_KNOWN = 22_000
_RED_KNOWN = 45_000
_SEEN = 3
_L2 = 0.1
_RED_L2 = 0.5
_WORD_WEIGHT = 0.5
_LOOK_ALIKE_WEIGHT = 3.0
_UNRULED = 0.5
"""How much of each text's weight goes to a copy of it in which no rule matched: the rules were written with these texts
in view, and would be trusted too much, the words too little.
"""
_ITERATIONS = 40
_GRID = 2.0**16

Vector = npt.NDArray[np.float64]
Head = tuple[str, Vector, float]
"""Name, weights, bias."""


@dataclass(slots=True)
class Rows:
    """Texts and the pieces of them that are examples, with what each piece says."""

    texts: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    marks: list[tuple[Marked, ...]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, text: str, start: int, end: int, marks: Sequence[Marked], weight: float = 1.0) -> None:
        """Append one piece of a text (a new one, where it is not the last)."""
        if not self.texts or self.texts[-1] != text:
            self.texts.append(text)
        self.pieces.append((len(self.texts) - 1, start, end))
        self.marks.append(tuple(marks))
        self.weights.append(weight)


def clause_rows(texts: Sequence[Labelled], topics: Topics) -> Rows:
    """Return the clauses of the corpus, the marked spans, and the words of the taxonomy."""
    rows = Rows()
    for text in texts:
        form = normalise(text.text)
        clauses = [(c.start, c.end, *form.original_span(c.start, c.end)) for c in split(form.text)]
        for start, end, left, right in clauses:
            rows.add(form.text, start, end, [mark for mark in text.spans if _covers(left, right, mark)])
        for mark in text.spans:
            inside = [clause for clause in clauses if clause[2] < mark.end and mark.start < clause[3]]
            if len(inside) > 1:
                rows.add(form.text, inside[0][0], inside[-1][1], [mark])
    for group in topics.topics:
        for leaf in group.leaves:
            name = f"{group.name}/{leaf.name}"
            blame, praise = Marked(0, 0, name, NEGATIVE, leaf.severity), Marked(0, 0, name, POSITIVE, 0)
            about = Marked(0, 0, name, -1, 0)
            sorts = (
                (leaf.words, blame), (leaf.examples, blame), (leaf.praise, praise),
                (leaf.praise_examples, praise), (leaf.about, about),
            )
            for words, mark in sorts:
                for word in words:
                    text_ = normal_form(word)
                    rows.add(text_, 0, len(text_), [mark], _WORD_WEIGHT)
    return rows


def _covers(start: int, end: int, mark: Marked) -> bool:
    """Whether a clause is meant by a mark: most of one lies in the other."""
    shared = min(end, mark.end) - max(start, mark.start)
    return shared > 0 and (2 * shared >= end - start or 2 * shared >= mark.end - mark.start)


def train(texts: Sequence[Labelled], topics: Topics) -> TopicModel:
    """Return the model of the leaves that these texts and words make."""
    rows = clause_rows(texts, topics)
    keys = _frequent(features(rows.texts, rows.pieces))
    matrix = features(rows.texts, rows.pieces, keys).astype(np.float64)
    weights = np.array(rows.weights)
    heads: list[Head] = []
    for group in topics.topics:
        for leaf in group.leaves:
            name = f"{group.name}/{leaf.name}"
            targets = np.array([float(any(mark.topic == name for mark in marks)) for marks in rows.marks])
            heads.append((name, *_fit(matrix, targets, weights, _L2)))
    heads.append((SEVERITY, *_subset(rows, matrix, weights, lambda mark: (
        float(mark.severity >= 2) if mark.label == NEGATIVE and mark.end else None
    ))))
    named = np.array([float(bool(marks)) for marks in rows.marks])
    heads.append((CONCRETE, *_fit(matrix, named, weights, _L2)))
    return _packed(heads, keys, np.bincount(matrix.indices, minlength=len(keys)), len(texts))


def train_red_lines(texts: Sequence[Labelled], topics: Topics) -> TopicModel:
    """Return the model of the red lines that these texts and the taxonomy's examples make, its rules as evidence."""
    told = [(text.text, text.red_lines, _LOOK_ALIKE_WEIGHT if "hypo" in text.flags else 1.0) for text in texts]
    for line in topics.red_lines:
        told += [(text, frozenset((line.name,)), 1.0) for text in line.examples]
        told += [(text, frozenset(), _LOOK_ALIKE_WEIGHT) for text in line.counter_examples]
    forms = [normal_form(text) for text, _, _ in told]
    pieces: list[Piece] = [(number, 0, len(form)) for number, form in enumerate(forms)]
    keys = _frequent(features(forms, pieces))
    grams = features(forms, pieces, keys).astype(np.float64) * GRAM_WEIGHT
    numbers, evidence = red_evidence(forms, topics)
    unruled = evidence @ diags(np.isin(numbers, _rule_numbers(topics), invert=True).astype(float))
    matrix = vstack([hstack([grams, evidence]), hstack([grams, unruled])]).tocsr()
    weights = np.tile([weight for _, _, weight in told], 2) * np.repeat([1 - _UNRULED, _UNRULED], len(told))
    heads: list[Head] = []
    for line in topics.red_lines:
        targets = np.tile([float(line.name in names) for _, names, _ in told], 2)
        found, bias = _fit(matrix, targets, weights, _RED_L2)
        found[:len(keys)] *= GRAM_WEIGHT
        heads.append((RED + line.name, found, bias))
    seen = np.bincount(matrix.indices, minlength=matrix.shape[1])
    seen[len(keys):] = len(texts)
    return _packed(heads, np.append(keys, numbers), seen, len(texts))


def _rule_numbers(topics: Topics) -> list[int]:
    """The numbers of all that the rules can say of a text."""
    return [number(kind + line.name) for kind in (WORD, PATTERN, DISMISSED) for line in topics.red_lines]


def red_evidence(texts: Sequence[str], topics: Topics) -> tuple[Keys, csr_matrix]:
    """Return the numbers of the signs and rules that occur often enough, and what each text has of them."""
    taxonomy = Taxonomy(topics, TopicModel.empty())
    names = [line.name for line in topics.red_lines]
    told: list[dict[int, float]] = []
    for text in texts:
        found = signs().features(signs().find(text))
        row = dict.fromkeys(sorted(found), SIGN_WEIGHT)
        row.update(dict.fromkeys(rule_features(names, taxonomy.suspects(Passage(text, split(text)))), RULE_WEIGHT))
        told.append(row)
    numbers, counts = np.unique([number for row in told for number in row], return_counts=True)
    known = numbers[counts >= _SEEN].astype(np.uint32)
    places = {number: place for place, number in enumerate(known.tolist())}
    kept = [sorted((places[number], worth) for number, worth in row.items() if number in places) for row in told]
    return known, csr_matrix((
        np.array([worth for row in kept for _, worth in row]), np.array([place for row in kept for place, _ in row], int),
        np.cumsum([0, *map(len, kept)]),
    ), shape=(len(texts), len(known)))


def _frequent(found: csr_matrix) -> npt.NDArray[np.uint32]:
    numbers, counts = np.unique(found.indices, return_counts=True)
    return numbers[counts >= _SEEN].astype(np.uint32)


def _fit(matrix: csr_matrix, targets: Vector, weights: Vector, l2: float) -> tuple[Vector, float]:
    if not targets.any():
        return np.zeros(matrix.shape[1]), -12.0
    return logistic(matrix, targets, weights, l2=l2, iterations=_ITERATIONS)


def _subset(
    rows: Rows, matrix: csr_matrix, weights: Vector, target: Callable[[Marked], float | None]
) -> tuple[Vector, float]:
    """Fit a head on the pieces for which every mark gives the same answer."""
    chosen: list[int] = []
    targets: list[float] = []
    for place, marks in enumerate(rows.marks):
        answers = {target(mark) for mark in marks}
        answer = answers.pop() if len(answers) == 1 else None
        if answer is not None:
            chosen.append(place)
            targets.append(answer)
    return logistic(
        matrix[chosen], np.array(targets), weights[chosen], l2=_L2, iterations=_ITERATIONS
    )


def _packed(heads: Sequence[Head], keys: Keys, seen: npt.NDArray[np.int64], texts: int) -> TopicModel:
    """Keep what weighs most, as signed bytes."""
    table = np.round(np.stack([weights for _, weights, _ in heads], axis=1) * _GRID) / _GRID
    asked = [place for place, (name, _, _) in enumerate(heads) if name != CONCRETE]
    worth = np.round(np.abs(table[:, asked]).max(axis=1) * np.sqrt(seen) * _GRID)
    known = _KNOWN if heads[0][0][0] != RED else _RED_KNOWN
    kept = np.sort(np.argsort(-worth, kind="stable")[:known])
    table = table[kept]
    steps = np.maximum(np.abs(table).max(axis=0), 1e-6) / 127
    return TopicModel(
        tuple(name for name, _, _ in heads), tuple(round(float(bias), 4) for _, _, bias in heads),
        tuple(float(np.float32(step)) for step in steps), keys[kept],
        np.rint(table / steps).astype(np.int8), {"texts": texts},
    )


def build() -> dict[Path, TopicModel]:
    """Return the shipped models by their files, trained anew on everything but the held-out fifth."""
    topics = load_model(TAXONOMY, Topics, {})
    texts = [text for text in own_texts() if not text.held_out]
    return {SHIPPED: train(texts, topics), RED_LINES: train_red_lines(texts, topics)}


def main() -> None:
    """Build and write."""
    for path, model in build().items():
        data = model.to_bytes()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
