"""Which red lines a text crosses: rules, n-grams and signs weighed together.

A rule that matched (words or pattern of `config/topics.yaml`, not negated, asked, feared or another's) and the
model's evidence are added up; a matched rule needs less of it, a class that the model does not know goes by its
rules alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sentiment.clauses import Clause
from sentiment.rules import Match
from sentiment.signs import number, signs
from sentiment.topic_model import BITS, FAMILIES, RED, Numbers, Read, TopicModel, TopicScorer
from vocwatch.settings.topics import RedLineClass

SURE, WITH_WORD, WITH_PATTERN, DOUBTED = -1.5, -4.0, -4.0, -1.0
"""Log-odds from which a red line fires: by the model alone, where a word or a pattern matched, and where one matched only
what the text denies, fears, supposes or tells of others. Chosen on the training folds (cross-validated), but for the
first, which is stricter than they ask: everyday texts hold far fewer red lines than the corpus. A rule is
evidence that the log-odds hold already.
"""
SUSPECTED = -3.0
"""Log-odds from which the model alone asks for a person to look, where it may not fire."""
WORTH_A_LOOK = -6.5
"""Texts without a matched rule whose n-grams alone stay below this for every class aren't searched for signs."""
SIGN_WEIGHT, RULE_WEIGHT, GRAM_WEIGHT = 0.5, 2.0, 2.5
"""How strongly a sign, a rule and an n-gram count as features: what is large is bent to zero less."""
WORD, PATTERN, DISMISSED = "词:", "式:", "疑:"

_FIRST = FAMILIES << BITS  # from here on a feature's number is that of a sign or rule
_WORDS_SHOWN, _SHOWN = 4, 20


@dataclass(frozen=True, slots=True)
class Alarm:
    """A red-line class that fired; offsets into the normal form; `rule` is `word`, the pattern's number, or
    `model`; `reason` says it in words. Where it is not `sure`, a person is to look.
    """

    line: RedLineClass
    rule: str
    start: int
    end: int
    reason: str = ""
    sure: bool = True


class Suspect(NamedTuple):
    """A red line's rule that matched; `dismissed` says why that is no statement, None if it is one."""

    line: int
    match: Match
    dismissed: str | None


def rule_features(names: Sequence[str], suspects: Sequence[Suspect]) -> set[int]:
    """Return the numbers of what the rules say of a text."""
    return {
        number((DISMISSED if dismissed else WORD if match.how == "word" else PATTERN) + names[line])
        for line, match, dismissed in suspects
    }


class RedLines:
    """The classes with their heads of the model."""

    def __init__(self, lines: Sequence[RedLineClass], model: TopicModel):
        self._lines = list(lines)
        self._names = [line.name for line in lines]
        self._scorer = TopicScorer(model)
        heads = {name: column for column, name in enumerate(model.heads)}
        self._known = {place: heads[RED + name] for place, name in enumerate(self._names) if RED + name in heads}
        self._columns = [self._known[place] for place in self._known]
        steps = np.array(model.steps, dtype=np.float32)
        first = int(np.searchsorted(model.keys, _FIRST))
        self._row_of = np.full(1 << BITS, -1, dtype=np.int64)
        self._row_of[model.keys[first:].astype(np.int64) - _FIRST] = np.arange(len(model.keys) - first)
        self._weights: Numbers = (model.table[first:].astype(np.float32) * steps)[:, self._columns]

    def score(self, texts: Read, lengths: Sequence[int]) -> Numbers:
        """Return the log-odds of every head by the n-grams of each text, given how long it is."""
        return self._scorer.score_of(texts, [(number, 0, length) for number, length in enumerate(lengths)])

    def look(self, texts: Sequence[str], wholes: Numbers) -> dict[int, Numbers]:
        """Return by number the texts that are worth it (`wholes` are the log-odds of their n-grams for every head), with
        the log-odds of every known class by n-grams and signs together.
        """
        if not len(wholes) or not self._columns:
            return {}
        worth = np.flatnonzero(wholes[:, self._columns].max(axis=1) >= WORTH_A_LOOK)
        odds = self._with_signs([texts[number] for number in worth.tolist()], wholes[worth])
        return dict(zip(worth.tolist(), odds, strict=True))

    def _with_signs(self, texts: Sequence[str], wholes: Numbers) -> Numbers:
        text, feature = signs().features_of(texts)
        row = self._row_of[feature - _FIRST]
        text, row = text[row >= 0], row[row >= 0]
        sums = np.zeros((len(texts), len(self._columns)), dtype=np.float32)
        begins = np.flatnonzero(np.diff(text, prepend=-1))
        if len(begins):
            sums[text[begins]] = np.add.reduceat(self._weights[row], begins, axis=0)
        odds: Numbers = wholes[:, self._columns] + SIGN_WEIGHT * sums
        return odds

    def alarms(
        self, text: str, clauses: Sequence[Clause], whole: Numbers, suspects: Sequence[Suspect],
        looked: Numbers | None = None,
    ) -> tuple[Alarm, ...]:
        """Return the red lines of a text, also those only suspected; `whole` are the log-odds of its n-grams for every
        head, `looked` what `look` says of it.
        """
        if not suspects and looked is not None and looked.max() < min(SURE, SUSPECTED):
            return ()
        stated: dict[int, Match] = {}
        doubted: set[int] = set()
        for line, match, dismissed in suspects:
            if dismissed is None:
                stated.setdefault(line, match)
            else:
                doubted.add(line)
        found = {line: self._by_rule(line, match, text) for line, match in stated.items() if line not in self._known}
        if self._known:
            odds = self._odds(text, whole, suspects, looked)
            for place, line in enumerate(self._known):
                known = stated.get(line)
                enough = SURE
                if known:
                    enough = WITH_WORD if known.how == "word" else WITH_PATTERN
                elif line in doubted:
                    enough = DOUBTED
                if odds[place] < min(enough, SUSPECTED):
                    continue
                alarm = self._by_rule(line, known, text) if known else self._by_model(
                    line, place, float(odds[place]), text, clauses
                )
                found[line] = alarm if odds[place] >= enough else replace(alarm, sure=False)
        return tuple(found[line] for line in sorted(found))

    def _odds(self, text: str, whole: Numbers, suspects: Sequence[Suspect], looked: Numbers | None) -> Numbers:
        odds = looked
        if odds is None:
            odds = whole[self._columns] + SIGN_WEIGHT * self._sum(signs().features(signs().find(text)))
        if suspects:
            odds = odds + RULE_WEIGHT * self._sum(rule_features(self._names, suspects))
        return odds

    def _sum(self, features: set[int]) -> Numbers:
        rows = self._row_of[np.array(sorted(features), dtype=np.int64) - _FIRST]
        found: Numbers = self._weights[rows[rows >= 0]].sum(axis=0)
        return found

    def _by_rule(self, line: int, match: Match, text: str) -> Alarm:
        shown = text[match.start:min(match.end, match.start + _SHOWN)]
        return Alarm(self._lines[line], match.how, match.start, match.end, f"规则：{shown}")

    def _by_model(
        self, line: int, place: int, odds: float, text: str, clauses: Sequence[Clause],
    ) -> Alarm:
        """Name the words that speak for the class most, and the clauses from the first to the last of the best."""
        worth: dict[tuple[int, int], float] = {}
        for start, end, group in signs().find(text):
            row = int(self._row_of[signs().numbers[group] - _FIRST])
            if row >= 0 and self._weights[row, place] > 0:
                worth[start, end] = max(worth.get((start, end), 0.0), float(self._weights[row, place]))
        best = sorted(sorted(worth, key=lambda spot: -worth[spot])[:_WORDS_SHOWN])
        words = "、".join(dict.fromkeys(text[start:end] for start, end in best))
        chance = 1 / (1 + math.exp(-odds))
        return Alarm(
            self._lines[line], "model", *_around(clauses, best, len(text)),
            f"模型 {chance:.2f}" + (f"：{words}" if words else ""),
        )


def _around(clauses: Sequence[Clause], spots: Sequence[tuple[int, int]], size: int) -> tuple[int, int]:
    """The clause that holds most of the words; the whole text where there is none."""
    if not spots or not clauses:
        return 0, size
    held = [sum(clause.start <= start < clause.end for start, _ in spots) for clause in clauses]
    best = clauses[held.index(max(held))]
    return best.start, best.end
