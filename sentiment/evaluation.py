"""How good judgements are against labels: per class, calibration, confusion, errors, and one version against another.

Pure: labels and judgements in, numbers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vocwatch.models import Assessment, Sentiment

CLASSES = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
"""In the order of the classes' numbers."""
BINS = 10


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Precision, recall and F1 of one class, and how many labels (`support`) it has."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about one confidence: from, to, how many, what they promised, how many of them were right."""

    low: float
    high: float
    texts: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge said of one text: the class's number, how sure it was, its topics, and its score."""

    label: int
    confidence: float
    topics: tuple[str, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class TopicScore:
    """Complaint topics over all texts whose topics are known (micro-averaged)."""

    precision: float
    recall: float
    f1: float
    texts: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything measured; `confusion[truth][answer]`, `ece` the expected calibration error (Naeini et al. 2015),
    `errors` the places of the wrong answers, the surest first.
    """

    texts: int
    accuracy: float
    macro_f1: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    ece: float
    bins: tuple[Bin, ...]
    errors: tuple[int, ...]
    topics: TopicScore | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sets of answers to the same texts: places where the class changed, how many of those became right or
    wrong, and the probability of so uneven a split by chance (McNemar's exact test).
    """

    changed: tuple[int, ...]
    mended: int
    broken: int
    p_value: float


def answer(found: Assessment) -> Answer:
    """Return what an assessment answers."""
    return Answer(CLASSES.index(found.sentiment), found.confidence, found.topics, found.score)


def evaluate(
    truth: Sequence[int], answers: Sequence[Answer], topics: Mapping[int, tuple[str, ...]] | None = None,
) -> Report:
    """Return the measures; `topics` are the known complaint topics by place."""
    size = len(truth)
    table = [[0] * len(CLASSES) for _ in CLASSES]
    for label, given in zip(truth, answers, strict=True):
        table[label][given.label] += 1
    classes = tuple(_class_score(place, table) for place in range(len(CLASSES)))
    known = [each.f1 for each in classes if each.support]
    bins = reliability(truth, answers)
    wrong = [place for place in range(size) if answers[place].label != truth[place]]
    return Report(
        size, sum(table[place][place] for place in range(len(CLASSES))) / max(1, size),
        sum(known) / max(1, len(known)), classes, tuple(tuple(row) for row in table),
        sum(each.texts * abs(each.confidence - each.right) for each in bins) / max(1, size), bins,
        tuple(sorted(wrong, key=lambda place: (-answers[place].confidence, place))),
        topic_score(topics, answers) if topics else None,
    )


def _class_score(place: int, table: Sequence[Sequence[int]]) -> ClassScore:
    support, given = sum(table[place]), sum(row[place] for row in table)
    right = table[place][place]
    return ClassScore(
        CLASSES[place].value, right / max(1, given), right / max(1, support), 2 * right / max(1, support + given),
        support,
    )


def reliability(truth: Sequence[int], answers: Sequence[Answer]) -> tuple[Bin, ...]:
    """Return the reliability table: answers by confidence, in BINS of equal width; empty ones are left out."""
    cells: dict[int, list[int]] = {}
    for place, given in enumerate(answers):
        cells.setdefault(min(BINS - 1, int(given.confidence * BINS)), []).append(place)
    return tuple(
        Bin(
            cell / BINS, (cell + 1) / BINS, len(places),
            sum(answers[place].confidence for place in places) / len(places),
            sum(answers[place].label == truth[place] for place in places) / len(places),
        )
        for cell, places in sorted(cells.items())
    )


def topic_score(topics: Mapping[int, tuple[str, ...]], answers: Sequence[Answer]) -> TopicScore:
    """Return micro-averaged precision, recall and F1 of the complaint topics."""
    hit = sum(len(set(wanted) & set(answers[place].topics)) for place, wanted in topics.items())
    wanted_all = sum(len(set(wanted)) for wanted in topics.values())
    given = sum(len(set(answers[place].topics)) for place in topics)
    return TopicScore(hit / max(1, given), hit / max(1, wanted_all), 2 * hit / max(1, given + wanted_all), len(topics))


def compare(truth: Sequence[int], old: Sequence[Answer], new: Sequence[Answer]) -> Comparison:
    """Return how the new answers differ from the old ones."""
    changed = tuple(place for place in range(len(truth)) if old[place].label != new[place].label)
    mended = sum(new[place].label == truth[place] for place in changed)
    broken = sum(old[place].label == truth[place] for place in changed)
    return Comparison(changed, mended, broken, mcnemar(mended, broken))


def mcnemar(mended: int, broken: int) -> float:
    """Return the two-sided exact probability that so uneven a split comes from fair coins (McNemar 1947)."""
    size = mended + broken
    if not size:
        return 1.0
    tail = term = 1
    for few in range(min(mended, broken)):
        term = term * (size - few) // (few + 1)
        tail += term
    return min(1.0, float(Fraction(2 * tail, 1 << size)))


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as `vocwatch evaluate --json` prints it, without the errors' texts."""
    return {
        "texts": report.texts, "accuracy": round(report.accuracy, 4), "macro_f1": round(report.macro_f1, 4),
        "classes": {
            each.name: {"precision": round(each.precision, 4), "recall": round(each.recall, 4),
                        "f1": round(each.f1, 4), "support": each.support}
            for each in report.classes
        },
        "confusion": {
            CLASSES[row].value: {CLASSES[column].value: count for column, count in enumerate(counts)}
            for row, counts in enumerate(report.confusion)
        },
        "ece": round(report.ece, 4),
        "reliability": [
            {"from": each.low, "to": each.high, "texts": each.texts, "confidence": round(each.confidence, 4),
             "right": round(each.right, 4)}
            for each in report.bins
        ],
        "topics": None if report.topics is None else {
            "precision": round(report.topics.precision, 4), "recall": round(report.topics.recall, 4),
            "f1": round(report.topics.f1, 4), "texts": report.topics.texts,
        },
    }
