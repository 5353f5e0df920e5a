"""The polarity of a text and of its clauses, from the rules, the engine and the stars together.

The weights were measured, not guessed: `python -m sentiment.training.blend` fits them on files of the own corpus
that the engine had not seen.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sentiment.drafts import Draft
from sentiment.engines.base import NEUTRAL, Probabilities, logits
from sentiment.engines.rules import Evidence
from sentiment.scope import Surroundings
from sentiment.topics import BY_TONE, COMPLAINT, MENTION, OTHER, PRAISED, Aspect
from sentiment.voice import CUSTOMER, MEDIA, MERCHANT, RECRUIT, SELLING
from vocwatch.models import Sentiment, Span

Odds = dict[str, tuple[float, float, float]]
"""For a text or a clause the engine's log-odds of positive against negative, of neutral, and how far it leans (−1
to 1)."""

Pair = tuple[float, float]
"""Log-odds of positive against negative, and of neutral."""
NO_CORRECTION: Pair = (0.0, 0.0)

REVIEW_MARGIN = 0.2
"""A text whose two likeliest classes are closer than this is marked 待复核."""

# Fitted by sentiment.training.blend, in the order of `polar_signals`, `neutral_signals` and `mixed_signals`.
_POLAR, _POLAR_BIAS = (0.52, 0.40, 0.97), 0.12
_NEUTRAL, _NEUTRAL_BIAS = (0.65, -0.35, -1.03, -0.35, 0.45, 0.99), 1.18
_MIXED, _MIXED_MARK = (0.56, 0.01, 2.12, 1.19, 0.61, 1.79), 3.21
_MOST_KNOWN, _MOST_SURE = 6.0, 6.0
_RULES_ALONE_NEUTRAL = 1.5
_CLAUSE, _DOCUMENT, _CLAUSE_RULES = 1.0, 0.4, 0.2
_TOLD = 2.2
"""Log-odds of a clause from which an aspect that it only names is praised, or complained of (and 其他 said)."""
_FULL = 4.0
"""Log-odds of a clause from which it counts as certain praise, or certain blame."""
_MIXED_SIDE = 1.0
_SUPPOSED = frozenset(("asked", "supposed", "feared"))
_CLEAR = 2  # the severity of a clear complaint
_PITCH = SELLING - {RECRUIT}
"""An advertisement praises what it sells, whatever its words; that no customer speaks is said by the voice."""
# Stars are a prior: what the words must outweigh. 3 of 5 is more often a complaint than praise.
_STARS = {1: -2.2, 2: -1.6, 3: -0.5, 4: 0.5, 5: 1.4}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Probabilities of the three classes; they add up to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def score(self) -> float:
        """From −1 (negative) to +1 (positive)."""
        return self.positive - self.negative

    @property
    def margin(self) -> float:
        """How far the likeliest class is ahead of the next."""
        _, second, first = sorted((self.negative, self.neutral, self.positive))
        return first - second


    @property
    def log_odds(self) -> Pair:
        """The log-odds of positive against negative, and of neutral against the rest."""
        low = 1e-9
        sides = math.log(max(low, self.positive) / max(low, self.negative))
        return sides, math.log(max(low, self.neutral) / max(low, 1.0 - self.neutral))


UNKNOWN = Verdict(0.0, 1.0, 0.0)


class Tones(NamedTuple):
    """What the clauses of a text say together: how far they lean on the mean (−1 to 1), how surely the best one is
    praise and the worst one blame (0 to 1), the logarithm of their number, whether one opens with a turn; whether
    faults are named that nobody complains of, and whether such a one is asked about or supposed.
    """

    mean: float = 0.0
    praise: float = 0.0
    blame: float = 0.0
    clauses: float = 0.0
    turn: bool = False
    dismissed: bool = False
    supposed: bool = False


def polar_signals(evidence: Evidence, engine: tuple[float, float, float], tones: Tones) -> tuple[float, ...]:
    """Return what tells praise from blame: the engine, the rules (less in a long story, where more is named than
    matters), the clauses.
    """
    sure = max(-_MOST_SURE, min(_MOST_SURE, engine[0]))
    return sure, evidence.logit * math.exp(-tones.clauses / 2), tones.mean


def neutral_signals(evidence: Evidence, engine: tuple[float, float, float], tones: Tones) -> tuple[float, ...]:
    """Return what tells a text that judges nothing."""
    known = math.sqrt(min(_MOST_KNOWN, evidence.positive + evidence.negative))
    return engine[1], known, max(tones.praise, tones.blame), tones.clauses, tones.dismissed, tones.supposed


def mixed_signals(evidence: Evidence, tones: Tones) -> tuple[float, ...]:
    """Return what tells a text in which praise and complaint both matter."""
    words = math.sqrt(min(evidence.positive, evidence.negative))
    return tones.praise, tones.blame, min(tones.praise, tones.blame), words, tones.clauses, tones.turn


def verdict(
    evidence: Evidence, engine: tuple[float, float, float] | None, tones: Tones, rating: float | None,
    own: Pair = NO_CORRECTION,
) -> Verdict:
    """Return what all that is known says together.

    `engine` are the engine's Odds of the text (None where there is no engine); `own` what a team's own texts add to
    the log-odds.
    """
    stars = _STARS[round(rating)] if rating is not None and 1 <= rating <= 5 else 0.0
    if engine is None:
        odds = evidence.logit + stars + own[0]
        neutral = math.exp(-_RULES_ALONE_NEUTRAL * abs(odds))
    else:
        odds = _sum(_POLAR, polar_signals(evidence, engine, tones)) + _POLAR_BIAS + stars + own[0]
        neutral = _chance(
            _sum(_NEUTRAL, neutral_signals(evidence, engine, tones)) + _NEUTRAL_BIAS - abs(stars) + own[1]
        )
    positive = _chance(odds)
    return Verdict((1 - neutral) * (1 - positive), neutral, (1 - neutral) * positive)


def _sum(weights: Sequence[float], signals: Sequence[float]) -> float:
    return float(sum(map(operator.mul, weights, signals)))


def clause_odds(clause: float, document: float, rules: float) -> float:
    """Return the log-odds that a clause is praise: its own words', the whole text's, and the rules' together."""
    return _CLAUSE * clause + _DOCUMENT * document + _CLAUSE_RULES * rules


def _chance(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


def log_odds(probabilities: Probabilities) -> list[tuple[float, float, float]]:
    """Return what Odds hold, for each row."""
    neutral = np.clip(probabilities[:, NEUTRAL], 1e-6, 1 - 1e-6)
    odds = logits(probabilities)
    columns = (odds.tolist(), np.log(neutral / (1 - neutral)).tolist(), np.tanh(odds / 2).tolist())
    return list(zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft with its polarity evidence, ready to be decided."""

    draft: Draft
    evidence: Evidence
    odds: Odds
    own: Pair = NO_CORRECTION

    def verdict(self) -> Verdict:
        """Return the probabilities of the whole text."""
        if self.draft.refused is not None:
            return UNKNOWN
        whole, rating = self.odds.get(self.draft.form.text), self.draft.item.rating
        tones = Tones() if whole is None else self.tones()
        found = verdict(self.evidence, whole, tones, rating, self.own)
        if self._is_pitch() and found.negative > found.positive:
            return Verdict(found.positive, found.neutral, found.negative)
        return found

    def _is_pitch(self) -> bool:
        """Whether the text sells: it praises its goods, whatever words for other people's troubles it uses."""
        return self.draft.voice in _PITCH and not self._told()

    def _told(self) -> bool:
        return any(complaint.severity >= _CLEAR for complaint in self.draft.findings.complaints)

    def tones(self) -> Tones:
        """Return what the clauses say together."""
        draft, findings, odds = self.draft, self.draft.findings, self.odds
        whole = odds[draft.form.text]
        asides = [aspect.how for aspect in findings.aspects if aspect.polarity == MENTION]
        quiet = not any(aspect.polarity == COMPLAINT for aspect in findings.aspects)
        pieces = [odds[piece] for piece in draft.pieces()] or [whole]
        told = [
            clause_odds(piece[0], whole[0], rules) / _FULL
            for piece, rules in zip(pieces, self.evidence.by_clause, strict=True)
        ]
        return Tones(
            sum(piece[2] for piece in pieces) / len(pieces), max(0.0, min(1.0, max(told))),
            max(0.0, min(1.0, -min(told))), math.log(len(pieces)), any(clause.turn for clause in draft.clauses),
            quiet and bool(findings.dismissed), quiet and any(how in _SUPPOSED for how in asides),
        )

    def sentiment(self, found: Verdict) -> tuple[Sentiment, bool]:
        """Return the class decided for, and whether praise and complaint both matter."""
        draft = self.draft
        if draft.refused or draft.voice == MERCHANT:
            return Sentiment.NEUTRAL, False
        told = self._told()
        alarms = draft.findings.alarms
        if alarms and draft.voice != MEDIA and (found.score <= 0 or any(alarm.rule != "model" for alarm in alarms)):
            return Sentiment.NEGATIVE, False
        if self._is_pitch():
            return Sentiment.POSITIVE, False
        mixed = draft.voice == CUSTOMER and self._mixed()
        if found.neutral >= max(found.negative, found.positive):
            return (Sentiment.NEGATIVE if told and found.score <= 0 else Sentiment.NEUTRAL), mixed
        return (Sentiment.POSITIVE if found.score > 0 else Sentiment.NEGATIVE), mixed

    def _own_clauses(self) -> list[int]:
        """The clauses that don't tell of another's thing."""
        draft = self.draft
        around = Surroundings(draft.form.text, draft.clauses, draft.matched.own, draft.matched.others)
        return [place for place, clause in enumerate(draft.clauses) if not around.elsewhere(clause)]

    def _mixed(self) -> bool:
        evidence = self.evidence
        if self.draft.form.text not in self.odds:
            return min(evidence.positive, evidence.negative) >= _MIXED_SIDE and abs(evidence.logit) < _FULL
        return _sum(_MIXED, mixed_signals(evidence, self.tones())) >= _MIXED_MARK

    def confidence(self, found: Verdict, sentiment: Sentiment) -> float:
        """Return the probability of the class that was decided for."""
        if self.draft.refused:
            return 0.0
        if sentiment is Sentiment.NEUTRAL:
            return found.neutral
        return found.negative if sentiment is Sentiment.NEGATIVE else found.positive

    def spans(self, sentiment: Sentiment) -> tuple[Span, ...]:
        """Return the clauses that judge an aspect, and the worst one of a negative text where none complains."""
        draft = self.draft
        if draft.refused:
            return ()
        spans = []
        for aspect in draft.findings.aspects:
            polarity, severity = self._judged(aspect)
            if polarity != MENTION:
                start, end = draft.form.original_span(aspect.clause.start, max(aspect.clause.end, aspect.end))
                side = Sentiment.NEGATIVE if polarity == COMPLAINT else Sentiment.POSITIVE
                spans.append(Span(start, end, aspect.topic, side, severity))
        blamed = any(span.sentiment is Sentiment.NEGATIVE for span in spans)
        unexplained = not blamed and not draft.findings.dismissed
        if unexplained and sentiment is Sentiment.NEGATIVE and draft.voice == CUSTOMER:
            place = min(self._own_clauses(), key=self._clause, default=None)
            if place is not None and (not self.odds or self._clause(place) <= -_TOLD):
                worst = draft.clauses[place]
                start, end = draft.form.original_span(worst.start, worst.end)
                spans.append(Span(start, end, OTHER, Sentiment.NEGATIVE, 1))
        return tuple(sorted(spans, key=lambda span: (span.start, span.topic)) if len(spans) > 1 else spans)

    def _judged(self, aspect: Aspect) -> tuple[int, int]:
        """What a clause says of an aspect, how severely: by rule, or by its polarity where it only names it."""
        if aspect.polarity != MENTION:
            return aspect.polarity, aspect.severity
        if aspect.how not in BY_TONE:
            return MENTION, 0  # asked, supposed or feared
        told = self._clause(self.draft.clauses.index(aspect.clause))
        if told <= -_TOLD:
            return COMPLAINT, max(1, aspect.severity)
        return (PRAISED, 0) if told >= _TOLD else (MENTION, 0)

    def _clause(self, place: int) -> float:
        """The log-odds that a clause is praise."""
        text, clause, rules = self.draft.form.text, self.draft.clauses[place], self.evidence.by_clause[place]
        own, whole = self.odds.get(text[clause.start:clause.end]), self.odds.get(text)
        return rules if own is None or whole is None else clause_odds(own[0], whole[0], rules)
