"""Training on a team's own texts: what the shipped judgement says is the prior, a few hundred own texts correct it.

What is learned is a difference. The log-odds that the whole shipped judgement gives a text are known from the start;
n-grams and lexicon numbers get corrections under L2, so that without evidence nothing changes. The own
corpus is rehearsed beside the new texts, so that what was known is not unlearned. The same texts give the same
bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack, vstack

from sentiment.engines.lexical import NAMES, Lexical
from sentiment.engines.model import Head, Model
from sentiment.normalise import normal_form
from sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, Labelled, fold
from sentiment.training.fit import logistic, sigmoid
from sentiment.training.gain import SURER, Gain, Labels, measured
from sentiment.training.polarity import BITS, Example, Features, features

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Judged = Callable[[Sequence[str]], Numbers]
"""The shipped judgement: texts in; for each the log-odds of positive against negative and of neutral out."""
Progress = Callable[[str, int], None]
"""Told what is being done (`noise`, `polarity`, `neutral`) and over how many texts."""

FEWEST = 20
"""Fewer labels of either side teach nothing."""
WEAK_WEIGHT = 0.7
WEAK_NEUTRAL_WEIGHT = 0.3
"""Three stars are more often mixed than neutral."""
FOLDS = 5
OWN = "own"
"""What the `about` of a model holds that only corrects."""

_L2 = 0.1
_LEXICAL_SCALE = 0.3
_ITERATIONS = 50
_REHEARSED = 0.05
_STEADY = 2.0
_BALANCE = 0.5
_MOST_NOISE = 0.1
_GRID = 2.0**12
_SUREST = 8.0


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text that a team knows something of.

    `label` is NEGATIVE, NEUTRAL, POSITIVE or None (not known); `topics` the complaint topics, None where nobody
    said; `weak` marks a label that was not given by reading the text (stars). `origin` is `file`, `stars` or
    `feedback`.
    """

    text: str
    label: int | None
    topics: tuple[str, ...] | None = None
    weak: bool = False
    origin: str = "file"

    @property
    def held_out(self) -> bool:
        """Whether this text belongs to the fifth that only measures: by its content, whatever else is there."""
        return fold(normal_form(self.text)) == 0


@dataclass(frozen=True, slots=True)
class Lifted:
    """The corrections; `used` texts by class, `noisy` weak labels left out as contradicted, `heads` trained, `gain`
    what cross-validation shows.

    `model` is None where there was too little to learn from (`gain` is None too), or no gain.
    """

    model: Model | None
    used: tuple[int, int, int]
    noisy: int
    heads: tuple[str, ...]
    gain: Gain | None = None


def distinct(texts: Sequence[OwnText]) -> list[OwnText]:
    """Return each normal form once: a label given by reading beats a weak one, contradictions are left out."""
    kept: dict[str, OwnText] = {}
    against: set[str] = set()
    for each in texts:
        form = normal_form(each.text)
        known = kept.get(form)
        if not form:
            continue
        if known is None or (known.weak and not each.weak):
            kept[form] = each
            against.discard(form)
        elif known.weak == each.weak and known.label != each.label:
            if each.origin == "feedback" and known.origin != "feedback":
                kept[form] = each
            elif known.origin == each.origin or known.origin != "feedback":
                against.add(form)
    return [each for form, each in kept.items() if form not in against]


def rehearsal(own: Sequence[Labelled]) -> list[Example]:
    """Return what of the own corpus is trained on again beside a team's texts: nothing that is held out."""
    found = [Example(normal_form(text.text), text.label) for text in own if not text.held_out]
    return [example for example in found if example.text]


def lift(
    judged: Judged, texts: Sequence[OwnText], old_texts: Sequence[Example] = (), about: dict[str, Any] | None = None,
    on_progress: Progress = lambda what, size: None, *, keep_all: bool = False,
) -> Lifted:
    """Return the corrections that these texts teach; those held out are never looked at (with `keep_all` they are).

    `old_texts` are rehearsed. With fewer than FEWEST texts of both sides nothing is learned, and nothing is kept that
    cross-validation does not show to be better.
    """
    chosen = [each for each in texts if each.label is not None and (keep_all or not each.held_out)]
    labels = np.array([each.label for each in chosen], dtype=np.int64)
    weak = np.array([each.weak for each in chosen], dtype=np.bool_)
    if min(int(np.sum(labels == NEGATIVE)), int(np.sum(labels == POSITIVE))) < FEWEST:
        return Lifted(None, (0, 0, 0), 0, ())
    on_progress("judge", len(chosen) + len(old_texts))
    words = Lexical()
    task, old = _task([each.text for each in chosen], judged, words), _task([e.text for e in old_texts], judged, words)
    old_labels = np.array([each.label for each in old_texts], dtype=np.int64)
    weights = np.where(weak, np.where(labels == NEUTRAL, WEAK_NEUTRAL_WEIGHT, WEAK_WEIGHT), 1.0)
    polar = labels != NEUTRAL
    apart = np.array([zlib.crc32(each.text.encode("utf-8", "replace")) % FOLDS for each in chosen])
    on_progress("noise", len(chosen))
    odds = _out_of_fold(task, (labels == POSITIVE) * 1.0, weights, polar, apart)
    noisy = contradicted(odds, labels, weak)
    used = tuple(int(np.sum((labels == side) & ~noisy)) for side in (NEGATIVE, NEUTRAL, POSITIVE))
    gain = measured(task.odds[:, 0], odds, labels)
    old_rows = old_labels != NEUTRAL
    known = old.rows(old_rows), (old_labels[old_rows] == POSITIVE) * 1.0
    if gain.lacking() and len(known[1]):
        # What is rehearsed helps too, but takes its time: asked only where it matters.
        on_progress("noise", len(chosen))
        odds = _out_of_fold(task, (labels == POSITIVE) * 1.0, weights, polar & ~noisy, apart, *known)
        gain = measured(task.odds[:, 0], odds, labels, SURER)
    taught = np.sum(~weak & (labels == NEUTRAL)) >= FEWEST
    if gain.lacking() and not taught:
        return Lifted(None, (used[0], used[1], used[2]), int(noisy.sum()), (), gain)
    corrections: list[_Correction | None] = [None, None]
    if not gain.lacking():
        rows = polar & ~noisy
        on_progress("polarity", int(rows.sum()))
        goal = (labels[rows] == POSITIVE) * 1.0
        polarity = _correct(task.rows(rows), goal, weights[rows] * _balance(goal), 0, *known)
        corrections[0] = replace(polarity, bias=polarity.bias - gain.shift)
    on_progress("neutral", int(np.sum(~noisy)))
    corrections[1] = _neutral(task.rows(~noisy), labels[~noisy], weak[~noisy], weights[~noisy], old, old_labels)
    heads = tuple(name for name, each in zip(("polarity", "neutral"), corrections, strict=True) if each is not None)
    return Lifted(_packed(corrections, about or {}), (used[0], used[1], used[2]), int(noisy.sum()), heads, gain)


def _neutral(
    task: _Task, labels: Labels, weak: Flags, weights: Numbers, old: _Task, old_labels: Labels,
) -> _Correction | None:
    """Return what is learned of neutral; nothing where nobody said what is and nothing is rehearsed."""
    goal, old_goal = (labels == NEUTRAL) * 1.0, (old_labels == NEUTRAL) * 1.0
    if np.sum(goal) >= FEWEST:
        return _correct(task, goal, weights * _balance(goal), 1, old, old_goal)
    if not len(old_labels):
        return None
    # Nobody said what is neutral: words may be found not to be, how much is neutral stays as it was.
    count = np.where(weak, WEAK_NEUTRAL_WEIGHT, 1.0)
    rehearsed = max(_REHEARSED, _STEADY * float(count.sum()) / len(old_labels))
    return _correct(task, goal, count, 1, old, old_goal, rehearsed)


def contradicted(odds: Numbers, labels: Labels, weak: Flags) -> Flags:
    """Return which weak labels the other texts contradict (confident learning, Northcutt et al. 2021).

    `odds` are log-odds of positive against negative from models that had not seen the text. A label is doubted when
    the other side is as likely as it is, on average, for texts that bear that other label; at most a tenth of the
    weak labels go, the most doubtful first.
    """
    chance = sigmoid(odds)
    noisy = np.zeros(len(labels), dtype=np.bool_)
    doubt = np.zeros(len(labels))
    for side, other, likely in ((NEGATIVE, POSITIVE, chance), (POSITIVE, NEGATIVE, 1.0 - chance)):
        bears, others = weak & (labels == side), labels == other
        if not bears.any() or not others.any():
            continue
        doubt = np.where(bears & (likely >= np.mean(likely[others])), likely, doubt)
    most = int(_MOST_NOISE * np.sum(weak & (labels != NEUTRAL)))
    worst = np.argsort(-np.round(doubt, 6), kind="stable")[:most]
    noisy[worst[doubt[worst] > 0]] = True
    return noisy


@dataclass(frozen=True, slots=True)
class _Task:
    """Texts as the model sees them, with what the shipped judgement says of them."""

    seen: Features
    odds: Numbers

    def rows(self, chosen: Flags) -> _Task:
        return _Task(self.seen.rows(chosen), self.odds[chosen])

    def matrix(self, columns: npt.NDArray[np.int64], spread: Numbers) -> csr_matrix:
        """N-grams of these columns, and the lexicon's numbers at their scale."""
        lexical = np.round(self.seen.lexical / spread * _LEXICAL_SCALE * _GRID) / _GRID
        return hstack([self.seen.n_grams[:, columns], csr_matrix(lexical)]).tocsr()


def _task(texts: Sequence[str], judged: Judged, words: Lexical) -> _Task:
    if not texts:
        return _Task(Features(csr_matrix((0, 1 << BITS)), np.zeros((0, len(NAMES)))), np.zeros((0, 2)))
    odds = np.clip(np.asarray(judged(texts), dtype=np.float64), -_SUREST, _SUREST)
    return _Task(features([normal_form(text) for text in texts], words, BITS), np.round(odds * _GRID) / _GRID)


@dataclass(frozen=True, slots=True)
class _Correction:
    """What a head's log-odds gain: by n-gram, by lexicon number, and everywhere."""

    columns: npt.NDArray[np.int64]
    n_grams: Numbers
    lexical: Numbers
    bias: float

    def odds(self, task: _Task, head: int) -> Numbers:
        found: Numbers = (
            task.odds[:, head] + task.seen.n_grams[:, self.columns] @ self.n_grams
            + task.seen.lexical @ self.lexical + self.bias
        )
        return found


def _correct(
    task: _Task, goal: Numbers, weights: Numbers, head: int, old: _Task | None = None, old_goal: Numbers | None = None,
    rehearsed: float = _REHEARSED,
) -> _Correction:
    columns = np.unique(task.seen.n_grams.indices).astype(np.int64)
    spread = np.maximum(np.round(task.seen.lexical.std(axis=0) * 64) / 64, 1 / 64)
    matrix, odds = task.matrix(columns, spread), task.odds[:, head]
    if old is not None and old_goal is not None and len(old_goal):
        matrix = vstack([matrix, old.matrix(columns, spread)]).tocsr()
        odds = np.concatenate([odds, old.odds[:, head]])
        goal, weights = np.concatenate([goal, old_goal]), np.concatenate([weights, np.full(len(old_goal), rehearsed)])
    found, bias = logistic(matrix, goal, weights, _L2, _ITERATIONS, odds)
    size = len(columns)
    return _Correction(columns, found[:size], found[size:] / spread * _LEXICAL_SCALE, bias)


def _balance(goal: Numbers) -> Numbers:
    """Weights between as they come and equal sides: star ratings are mostly praise."""
    share = float(np.clip(np.mean(goal), 0.02, 0.98))
    balanced: Numbers = np.where(goal > 0, 0.5 / share, 0.5 / (1.0 - share)) ** _BALANCE
    return balanced


def _out_of_fold(
    task: _Task, goal: Numbers, weights: Numbers, rows: Flags, apart: Labels, old: _Task | None = None,
    old_goal: Numbers | None = None,
) -> Numbers:
    """Return log-odds of positive for every text from corrections that had not seen it."""
    found = task.odds[:, 0].copy()
    for number in range(FOLDS):
        inside, outside = rows & (apart != number), apart == number
        if not outside.any() or len(np.unique(goal[inside])) < 2:
            continue
        correction = _correct(task.rows(inside), goal[inside], weights[inside] * _balance(goal[inside]), 0, old, old_goal)
        found[outside] = correction.odds(task.rows(outside), 0)
    return found


def _packed(corrections: Sequence[_Correction | None], about: dict[str, Any]) -> Model:
    """Cut the corrections to bytes."""
    heads, columns, shifts = [], [], []
    for correction in corrections:
        table = np.zeros(1 << BITS)
        if correction is not None:
            table[correction.columns] = correction.n_grams
        step = float(np.round(np.abs(table).max() / 127.0 * 1e6) / 1e6) or 1e-6
        columns.append(np.clip(np.round(table / step), -127, 127).astype(np.int8))
        lexical = np.zeros(len(NAMES)) if correction is None else np.round(correction.lexical * 1e4) / 1e4
        heads.append(Head(tuple(map(float, lexical)), 0.0, step))
        shifts.append(0.0 if correction is None else round(correction.bias, 3))
    return Model(
        BITS, heads[0], heads[1], (1.0, 1.0), (shifts[0], shifts[1]), np.stack(columns, axis=1), {OWN: True, **about}
    )
