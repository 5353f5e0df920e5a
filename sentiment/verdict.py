"""The polarity of a text and of its clauses, from the rules, the engine and the stars together.

The weights were measured, not guessed: `python -m sentiment.training.blend` fits them on files of the own corpus
that the engine had not seen.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sentiment.drafts import Draft
from sentiment.engines.base import NEUTRAL, Probabilities, logits
from sentiment.engines.rules import Evidence
from sentiment.idioms import enquires
from sentiment.idioms import leaning as idiom
from sentiment.scope import Surroundings
from sentiment.topics import BY_NAME, BY_TONE, COMPLAINT, HEARD, MENTION, OTHER, PRAISED, Aspect
from sentiment.voice import CUSTOMER, MEDIA, MERCHANT, RECRUIT, SELLING
from vocwatch.models import Sentiment, Span

Odds = dict[str, tuple[float, float, float, float]]
"""For a text or a clause the engine's log-odds of positive against negative, of neutral, how far it leans (−1 to 1),
and how surely it judges at all (0 to 1)."""

Pair = tuple[float, float]
"""Log-odds of positive against negative, and of neutral."""
NO_CORRECTION: Pair = (0.0, 0.0)

REVIEW_MARGIN = 0.2
"""A text whose two likeliest classes are closer than this is marked 待复核."""

# Fitted by sentiment.training.blend, in the order of `polar_signals`, `neutral_signals` and `mixed_signals`.
# The bias is below the fitted 0.14: a complaint taken for praise costs a team more than praise taken for a complaint.
# An enquiry weighs more than the fitted 1.0: its words are rarer in the own corpus than under posts.
_POLAR, _POLAR_BIAS = (0.72, 0.27, 0.74), 0.1
_NEUTRAL, _NEUTRAL_BIAS = (0.51, -0.69, -0.20, 0.21, 0.64, 0.80, -0.64, -0.31, 1.5, 3.0, 1.73), -0.05
_MIXED, _MIXED_MARK = (3.27, 3.04, -2.33, 0.92, 0.65, 1.87, -3.08, -0.46), 3.6
_MOST_KNOWN, _MOST_SURE = 6.0, 6.0
_UNREAL = 3.0
"""Log-odds of neutral where all that is told did not happen to the thing."""
_IDIOM, _IDIOM_MEANT = 2.0, 1.5
"""What a turn of speech adds to the log-odds of its side, and takes from those of neutral."""
_MUTED = 0.7
"""What is lost of the words' polarity there, and where all tells what was expected before."""
_RULES_ALONE_NEUTRAL = 1.5
_CLAUSE, _DOCUMENT, _CLAUSE_RULES = 1.0, 0.4, 0.2
_TOLD = 2.2
"""Log-odds of a clause from which an aspect that it only names is praised, or complained of (and 其他 said)."""
_TOLD_HEARD = {"model": 1.0, "heard": 2.2}
"""The same for blame in a negative text where the topic model heard the aspect, surely or less so. The first did best
on the held-out fifth of the own corpus, read by engines that had not seen its files; the second is a mention's."""
_DISBELIEVED = 2.2
"""Log-odds of a clause from which a rule's words aren't believed to complain (没有过于冷淡，很耐心)."""
_GRAVE = 3  # the severity of what harms: stated is stated
_FULL = 4.0
"""Log-odds of a clause from which it counts as certain praise, or certain blame."""
_FIRM = 0.9
"""How surely a clause judges in which the taxonomy found praise or a complaint."""
_SOFT = 0.3
"""What is left of that where a fault is only asked about, supposed or feared."""
_SLACK = 0.3
_QUESTION = re.compile(r"[吗么][?？~～]*$")
_BOTH_LISTED = re.compile(r"(?:优点|好处|长处|好的)[:：][^\n]{1,200}(?:缺点|坏处|短处|不足|不好的)[:：]")
_AT_FIRST_SIGHT = re.compile(
    r"(?:看起来|看上去|看着|瞅着|看样子|看图|乍一看|听着|听起来)[是还挺很蛮也]{0,2}(?:不错|可以|好看|[还挺]?[行好成])(?:[的啊呀哦哈~～!！。]|$)"
)
_MIXED_SIDE = 1.0
_NO_CONTRAST = "结没谁"
"""First characters of turns that tell what came of it (结果, 没想到, 谁知), not that two sides are weighed."""
_THIS_ONE = re.compile(r"[这它她他]|你们?家|现在|今年|新[款的版]|我[家买]?的")
"""What is told of another's thing beside these is told for the contrast: its fault is this one's praise."""
_SUPPOSED = frozenset(("asked", "supposed", "feared"))
_CLEAR = 2  # the severity of a clear complaint
_PITCH = SELLING - {RECRUIT}
"""An advertisement praises what it sells, whatever its words; that no customer speaks is said by the voice."""
# Stars are a prior: what the words must outweigh. 3 of 5 is more often a complaint than praise.
_STARS = {1: -2.2, 2: -1.6, 3: -0.5, 4: 0.5, 5: 1.4}
_MIXED_STARS = {1: -1.5, 2: -0.5, 3: 1.5, 4: 1.0, 5: -1.5}
"""The same for praise beside complaint: who gives one star, or five, means one of the two."""


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
    """What the clauses of a text say together, those that judge nothing counting for little: how far they lean on
    the mean (−1 to 1), how surely the best one is praise and the worst one blame (0 to 1), the logarithm of their
    number, whether one opens with a turn (or both sides are listed); whether faults are named that nobody complains
    of, whether such a one is asked about or supposed; what share of the judging clauses asks (0 to 1), whether
    somebody enquires (and doesn't just ask what needs no answer); whether a passer-by only looked at it, whether it is
    the press that speaks; the weight of the rules' weaker side; what share of the judging clauses tells of nothing
    that happened, and what share of what was expected before (0 to 1); what a
    turn of speech says whose words don't (1 praise, −1 blame).
    """

    mean: float = 0.0
    praise: float = 0.0
    blame: float = 0.0
    clauses: float = 0.0
    turn: bool = False
    dismissed: bool = False
    supposed: bool = False
    asking: float = 0.0
    enquiry: bool = False
    looked: bool = False
    press: bool = False
    beside: float = 0.0
    unreal: float = 0.0
    expected: float = 0.0
    idiom: int = 0


def polar_signals(evidence: Evidence, engine: Sequence[float], tones: Tones) -> tuple[float, ...]:
    """Return what tells praise from blame: the engine, the rules (less in a long story, where more is named than
    matters), the clauses.
    """
    return _sure(engine), evidence.logit * math.exp(-tones.clauses / 2), tones.mean


def neutral_signals(evidence: Evidence, engine: Sequence[float], tones: Tones) -> tuple[float, ...]:
    """Return what tells a text that judges nothing."""
    known = math.sqrt(min(_MOST_KNOWN, evidence.positive + evidence.negative))
    told = max(tones.praise, tones.blame)
    return (
        engine[1], known, told, tones.clauses, tones.dismissed, tones.supposed, tones.asking, abs(_sure(engine)),
        tones.enquiry, tones.looked, tones.press,
    )


def mixed_signals(engine: Sequence[float], tones: Tones) -> tuple[float, ...]:
    """Return what tells a text in which praise and complaint both matter."""
    both, words = min(tones.praise, tones.blame), math.sqrt(tones.beside)
    return tones.praise, tones.blame, both, words, tones.clauses, tones.turn, abs(tones.mean), abs(_sure(engine))


def _sure(engine: Sequence[float]) -> float:
    return max(-_MOST_SURE, min(_MOST_SURE, engine[0]))


def verdict(
    evidence: Evidence, engine: Sequence[float] | None, tones: Tones, rating: float | None,
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
        heard = (1 - _MUTED * min(1.0, tones.unreal + tones.expected)) * _sum(_POLAR, polar_signals(evidence, engine, tones))
        odds = heard + _IDIOM * tones.idiom + _POLAR_BIAS + stars + own[0]
        neutral = _chance(
            _sum(_NEUTRAL, neutral_signals(evidence, engine, tones)) + _NEUTRAL_BIAS - abs(stars) + own[1]
            + _UNREAL * tones.unreal - _IDIOM_MEANT * abs(tones.idiom)
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


def log_odds(probabilities: Probabilities) -> list[tuple[float, float, float, float]]:
    """Return what Odds hold, for each row."""
    neutral = np.clip(probabilities[:, NEUTRAL], 1e-6, 1 - 1e-6)
    odds = logits(probabilities)
    columns = (odds, np.log(neutral / (1 - neutral)), np.tanh(odds / 2), 1 - neutral)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass(slots=True)
class Judged:
    """A draft with its polarity evidence, ready to be decided."""

    draft: Draft
    evidence: Evidence
    odds: Odds
    own: Pair = NO_CORRECTION
    _tones: Tones | None = None
    _surroundings: Surroundings | None = None

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
        return any(
            aspect.severity >= _CLEAR and aspect.polarity == COMPLAINT for aspect in self.draft.findings.aspects
        )

    def tones(self) -> Tones:
        """Return what the clauses say together."""
        if self._tones is None:
            self._tones = self._read_tones()
        return self._tones

    def _read_tones(self) -> Tones:
        draft, odds, aspects, text = self.draft, self.odds, self.draft.findings.aspects, self.draft.form.text
        whole = odds[text]
        firm = {aspect.clause.start for aspect in aspects if aspect.polarity != MENTION}
        soft = {aspect.clause.start for aspect in aspects if aspect.how in _SUPPOSED}
        around = self._around()
        unreal, expected = around.framed()
        others, beside = self._contrast() if around.of_others() else (frozenset[int](), False)
        if beside:
            expected |= others
        else:
            unreal |= others
        soft |= unreal | expected
        quiet = all(aspect.polarity != COMPLAINT for aspect in aspects)
        total = leaning = praise = blame = asking = good = bad = away = before = full = 0.0
        turn = _BOTH_LISTED.search(text) is not None
        pieces = draft.pieces() or (text,)
        # Every clause of every text comes by here: what adds nothing is left out, and nothing is called.
        for piece, clause, rules in zip(pieces, draft.clauses, self.evidence.by_clause, strict=True):
            start, (polar, _, leans, weight) = clause.start, odds[piece]
            firmly = start in firm
            if firmly and weight < _FIRM:
                weight = _FIRM
            away, before, full = away + weight * (start in unreal), before + weight * (start in expected), full + weight
            if not firmly and start in soft:
                weight *= _SOFT
            told = clause_odds(polar, whole[0], rules) / _FULL
            told = weight * (-1.0 if told < -1.0 else 1.0 if told > 1.0 else told)
            if told > praise:
                praise = told
            elif -told > blame:
                blame = -told
            if rules > 0.0:
                good += weight * rules
            elif rules < 0.0:
                bad -= weight * rules
            leaning += leans * (-weight if beside and start in others else weight)
            total += weight
            asking += weight * clause.question
            if clause.turn and not turn:
                turn = text[start] not in _NO_CONTRAST
        total += _SLACK
        return Tones(
            leaning / total, praise, blame, math.log(len(pieces)), turn, quiet and bool(draft.findings.dismissed),
            quiet and any(aspect.how in _SUPPOSED for aspect in aspects if aspect.polarity == MENTION), asking / total,
            self._enquires(),
            draft.item.kind == "comment" and _AT_FIRST_SIGHT.match(text) is not None, draft.voice == MEDIA,
            min(good, bad), away / (full + _SLACK), before / (full + _SLACK),
            idiom(text),
        )

    def _contrast(self) -> tuple[frozenset[int], bool]:
        """The starts of the clauses that tell of another's thing, and whether that is for the contrast with this one."""
        text, clauses, around = self.draft.form.text, self.draft.clauses, self._around()
        others = frozenset(clause.start for clause in clauses if around.elsewhere(clause))
        return others, bool(others) and any(
            clause.start not in others and _THIS_ONE.search(text, clause.start, clause.end) for clause in clauses
        )

    def _enquires(self) -> bool:
        """Whether somebody asks to be told: in the words of an enquiry, or, below another's text, without judging."""
        text = self.draft.form.text
        if enquires(text):
            return True
        silent = self.draft.item.kind == "comment" and self.evidence.positive + self.evidence.negative == 0
        return silent and _QUESTION.search(text) is not None

    def sentiment(self, found: Verdict) -> tuple[Sentiment, bool]:
        """Return the class decided for, and whether praise and complaint both matter."""
        draft = self.draft
        if draft.refused or draft.voice == MERCHANT:
            return Sentiment.NEUTRAL, False
        alarms = draft.findings.alarms
        if alarms and draft.voice != MEDIA and (found.score <= 0 or any(alarm.rule != "model" for alarm in alarms)):
            return Sentiment.NEGATIVE, False
        if self._is_pitch():
            return Sentiment.POSITIVE, False
        mixed = draft.voice == CUSTOMER and not self.evidence.mocking and self._mixed()
        if found.neutral >= max(found.negative, found.positive):
            return (Sentiment.NEGATIVE if found.score <= 0 and self._told() else Sentiment.NEUTRAL), mixed
        return (Sentiment.POSITIVE if found.score > 0 else Sentiment.NEGATIVE), mixed

    def _own_clauses(self) -> list[int]:
        """The clauses that don't tell of another's thing."""
        around = self._around()
        return [place for place, clause in enumerate(self.draft.clauses) if not around.elsewhere(clause)]

    def _around(self) -> Surroundings:
        if self._surroundings is None:
            draft = self.draft
            self._surroundings = Surroundings(draft.form.text, draft.clauses, draft.matched.own, draft.matched.others)
        return self._surroundings

    def _mixed(self) -> bool:
        evidence = self.evidence
        if self.draft.form.text not in self.odds:
            return min(evidence.positive, evidence.negative) >= _MIXED_SIDE and abs(evidence.logit) < _FULL
        whole = self.odds[self.draft.form.text]
        rating = self.draft.item.rating
        stars = _MIXED_STARS[round(rating)] if rating is not None and 1 <= rating <= 5 else 0.0
        return _sum(_MIXED, mixed_signals(whole, self.tones())) + stars >= _MIXED_MARK

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
            polarity, severity = self._judged(aspect, sentiment)
            if polarity != MENTION:
                start, end = draft.form.original_span(aspect.clause.start, max(aspect.clause.end, aspect.end))
                side = Sentiment.NEGATIVE if polarity == COMPLAINT else Sentiment.POSITIVE
                spans.append(Span(start, end, aspect.topic, side, severity))
        blamed = any(span.sentiment is Sentiment.NEGATIVE for span in spans)
        unexplained = not blamed and not draft.findings.dismissed
        if unexplained and sentiment is Sentiment.NEGATIVE and draft.voice == CUSTOMER:
            place = min(filter(draft.findings.tells, self._own_clauses()), key=self._clause, default=None)
            if place is not None and (not self.odds or self._clause(place) <= -_TOLD):
                worst = draft.clauses[place]
                start, end = draft.form.original_span(worst.start, worst.end)
                spans.append(Span(start, end, OTHER, Sentiment.NEGATIVE, 1))
        return tuple(sorted(spans, key=lambda span: (span.start, span.topic)) if len(spans) > 1 else spans)

    def _judged(self, aspect: Aspect, sentiment: Sentiment) -> tuple[int, int]:
        """What a clause says of an aspect, how severely: by rule, or by its polarity where it only names it."""
        how, stated = aspect.how, aspect.polarity == COMPLAINT
        if aspect.polarity == PRAISED or (stated and aspect.severity >= _GRAVE):
            return aspect.polarity, aspect.severity
        named = how == BY_NAME
        if not stated and not named and how not in BY_TONE and (how != HEARD or sentiment is not Sentiment.NEGATIVE):
            return MENTION, 0  # asked, supposed or feared
        told = self._clause(self.draft.clauses.index(aspect.clause))
        if stated:
            return (COMPLAINT, aspect.severity) if told < _DISBELIEVED else (MENTION, 0)
        if not named and told <= -(_TOLD if sentiment is not Sentiment.NEGATIVE else _TOLD_HEARD.get(how, _TOLD)):
            return COMPLAINT, max(1, aspect.severity)
        return (PRAISED, 0) if told >= _TOLD and how != HEARD else (MENTION, 0)

    def _clause(self, place: int) -> float:
        """The log-odds that a clause is praise."""
        text, clause, rules = self.draft.form.text, self.draft.clauses[place], self.evidence.by_clause[place]
        own, whole = self.odds.get(text[clause.start:clause.end]), self.odds.get(text)
        return rules if own is None or whole is None else clause_odds(own[0], whole[0], rules)
