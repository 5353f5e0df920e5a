"""Polarity by words: negation, degree, turns, sarcasm marks. Fast, explained, and needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentiment.clauses import Clause, split
from sentiment.engines.base import Probabilities, three
from sentiment.engines.effects import LIKELY, SURE
from sentiment.engines.lexical import digest
from sentiment.engines.reading import Reading, read

_COMPLAINT, _MORE, _DENIED, _PRAISE = 1.8, 0.6, 0.9, 0.9
_SURELY_MOCKING = 0.5
_SOURED = 0.6
_MOST = 4.0
_SCALE, _BLAME = 2.2, 1.1
_NEUTRAL = 1.5

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Subject(NamedTuple):
    """A text to be weighed: its normal form, its clauses, and what the taxonomy found there: the starts of
    clauses that complain, that deny a fault and that praise an aspect, and the spans of words that name a
    fault without complaining of it.
    """

    text: str
    clauses: Sequence[Clause]
    complaints: Sequence[int] = ()
    denied: Sequence[int] = ()
    praises: Sequence[int] = ()
    dismissed: Sequence[tuple[int, int]] = ()


class Evidence(NamedTuple):
    """What the words of a text say: `logit` their balance (negative to positive), `positive` and `negative`
    the two sides' weight, `by_clause` the balance of each clause in order; `mocking` says that its praise is
    sarcasm.
    """

    logit: float
    positive: float
    negative: float
    by_clause: tuple[float, ...]
    mocking: bool = False


NOTHING = Evidence(0.0, 0.0, 0.0, ())


class RulesEngine:
    """The `rules` engine."""

    name = "rules"

    def __init__(self) -> None:
        self.version = f"2.{digest()}"

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        """Return the probabilities of negative, neutral and positive for each text."""
        found = self.weigh([Subject(text, split(text)) for text in texts])
        odds = np.array([evidence.logit for evidence in found], dtype=np.float64)
        return three(1.0 / (1.0 + np.exp(-odds)), np.exp(-_NEUTRAL * np.abs(odds)))

    def weigh(self, subjects: Sequence[Subject], reading: Reading | None = None) -> list[Evidence]:
        """Weigh a batch; `reading` is one of these texts (and any behind them), where there is one already."""
        if not subjects:
            return []
        if reading is None:
            reading = read([subject.text for subject in subjects])
        counts = np.array([len(subject.clauses) for subject in subjects], dtype=np.int64)
        first = np.cumsum(counts) - counts
        good, bad = _sides(subjects, reading, int(counts.sum()))
        _add_findings(subjects, first, good, bad)
        irony = reading.effects.irony[:len(subjects)]
        mocking = _turn_sour(irony, np.repeat(np.arange(len(subjects)), counts), good, bad)
        return _balance(good, bad, first, counts, mocking)


def _sides(subjects: Sequence[Subject], reading: Reading, total: int) -> tuple[Numbers, Numbers]:
    """The weight of praise and of blame in every clause of the batch."""
    if not total:
        return np.zeros(0), np.zeros(0)
    firsts, effects = reading.encoded.joined_first, reading.effects
    starts = np.fromiter(
        (base + clause.start for subject, base in zip(subjects, (firsts + 1).tolist(), strict=False)
         for clause in subject.clauses),
        dtype=np.int64, count=total,
    )
    words = int(np.searchsorted(effects.start, firsts[len(subjects)]))
    effect, at = effects.effect[:words].copy(), effects.start[:words]
    silent = _silent(subjects, reading)
    if silent is not None:
        effect[silent[at]] = 0.0
    clause = np.maximum(np.searchsorted(starts, at, side="right") - 1, 0)
    good = np.bincount(clause, weights=np.maximum(effect, 0.0), minlength=total)
    bad = np.bincount(clause, weights=np.maximum(-effect, 0.0), minlength=total)
    return good.astype(np.float64), bad.astype(np.float64)


def _silent(subjects: Sequence[Subject], reading: Reading) -> npt.NDArray[np.bool_] | None:
    """Where words stand that name a fault without complaining of it; None where there are none."""
    silent = None
    for place, subject in enumerate(subjects):
        if subject.dismissed:
            silent = np.zeros(len(reading.encoded.raw), dtype=np.bool_) if silent is None else silent
            base = int(reading.encoded.joined_first[place]) + 1
            for start, end in subject.dismissed:
                silent[base + start:base + end] = True
    return silent


def _add_findings(subjects: Sequence[Subject], first: Places, good: Numbers, bad: Numbers) -> None:
    """What the taxonomy found weighs at least as much as one clear word."""
    for subject, base in zip(subjects, first.tolist(), strict=True):
        if not (subject.complaints or subject.denied or subject.praises):
            continue
        places = {clause.start: base + place for place, clause in enumerate(subject.clauses)}
        for start in subject.complaints:
            if start in places:
                bad[places[start]] = max(bad[places[start]] + _MORE, _COMPLAINT)
        for starts, least in ((subject.denied, _DENIED), (subject.praises, _PRAISE)):
            for start in starts:
                place = places.get(start)
                if place is not None and (bad[place] == 0 or good[place] > 0):
                    good[place] = max(good[place], least)


def _turn_sour(irony: Numbers, text_of: Places, good: Numbers, bad: Numbers) -> Flags:
    """Where something went wrong and the tone is mocking, praise is meant the other way round; returns where."""
    marked = (irony[:, SURE] > _SURELY_MOCKING) | (irony[:, LIKELY] > 0)
    if not marked.any() or not len(text_of):
        return np.zeros(len(marked), dtype=np.bool_)
    blamed = np.bincount(text_of, weights=bad, minlength=len(marked)) >= 1.0
    mocking: Flags = marked & blamed
    sour = mocking[text_of]
    bad[sour] += _SOURED * good[sour]
    good[sour] = 0.0
    return mocking


def _balance(good: Numbers, bad: Numbers, first: Places, counts: Places, mocking: Flags) -> list[Evidence]:
    good, bad = np.minimum(good, _MOST), np.minimum(bad, _MOST)
    size = len(counts)
    text_of = np.repeat(np.arange(size), counts)
    positive = np.bincount(text_of, weights=good, minlength=size)
    negative = np.bincount(text_of, weights=bad, minlength=size)
    logits = _SCALE * (positive - _BLAME * negative) / np.sqrt(1.0 + positive + negative)
    clauses = (good - bad).tolist()
    return [
        Evidence(max(-8.0, min(8.0, logit)), praise, blame, tuple(clauses[start:start + count]), mocks)
        for logit, praise, blame, start, count, mocks in zip(
            logits.tolist(), positive.tolist(), negative.tolist(), first.tolist(), counts.tolist(), mocking.tolist(),
            strict=True,
        )
    ]
