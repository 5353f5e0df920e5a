"""Polarity by words: negation, degree, turns, sarcasm marks. Fast, explained, and needs no model."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, MatchKind

from sentiment.clauses import Clause, split
from sentiment.engines.lexicon import weights
from sentiment.normalise import normal_form, normalise

_NEGATION = re.compile(
    r"(?:不是很|不怎么|不太|不算|不够|没那么|没有那么|算不上|谈不上|称不上|说不上|不觉得|并不|并没有|并没"
    r"|毫不|从不|没有|没|不|无|未|别|难以|缺乏|不再|毫无)"
    r"(?:特别|非常|太|很|那么|这么|怎么|多么|十分|想象中|想象的|觉得|什么|任何|一点儿?|丝毫|啥|那种|宣传|说的"
    r"|的|再|会|能|有|是|够|给人?|让人|感到|感觉|敢|想|要|看到){0,3}$"
)
_NOT_NEGATION = re.compile(r"(?:要不|不得不|不仅|不但|不光|不止|不愧|不由得|无比|未免|特别|无不|不禁|差不)$")
_STRONG = re.compile(
    r"(?:非常|特别|超级|超|极其|极|巨|贼|十分|相当|太|真的?|好|很|最|更|实在|简直|完全|绝对|尤其|无比|死)(?:的|地)?$"
)
_WEAK = re.compile(r"(?:有点儿?|有些|稍微|略微?|稍|一点|比较|还算|还|不算太|偏|些许|挺)$")
_AFTER_STRONG = re.compile(r"(?:死了|极了|透了|透顶|得要命|到爆|爆了|得很|得不行|的一批|一批|哭了|坏了|疯了)")
_DENIED_AFTER = re.compile(
    r"(?:也|都|倒|完全|基本|几乎|根本)?(?:没有|没出现|不存在)(?:出现|发生)?(?!解决|处理|人)"
)
_SARCASM = re.compile(
    r"呵呵|真是好样的|可真行|可真好|真行啊|真有你的|好一个|真是服了|长见识|开了眼|开眼了|好家伙|厉害了我的|佩服佩服"
    r"|谢谢你们?(?:让|帮|把)|感谢(?:你们|贵司|商家|店家)?让我|多亏了|真是.{0,4}良心|绝了|太优秀了|真优秀|真棒啊|真会"
    r"|\[微笑\]|\[再见\]|\[狗头\]|\[doge\]|狗头|🙂|🙃|👏|不愧是|果然是大牌|惊喜不惊喜|恭喜你们|给跪|跪了"
)
_ASKED = re.compile(
    r"会不会|是否|有没有(?!良心)|能不能|容不容易|请问|求推荐|求问|想问|([好贵值差难靠])不\1|吗$|么$"
)
_WHOLE_TURN = 1.7
_BEFORE_TURN = 0.6
_COMPLAINT, _DENIED = 1.8, 0.9


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the words of a text say: `logit` their balance (negative to positive), `positive` and `negative`
    the two sides' weight, `by_clause` the balance of each clause in order.
    """

    logit: float
    positive: float
    negative: float
    by_clause: tuple[float, ...]

    @property
    def probability(self) -> float:
        """The probability of a positive attitude."""
        return 1 / (1 + math.exp(-self.logit))


class RulesEngine:
    """The `rules` engine."""

    name = "rules"
    version = "1"

    def __init__(self) -> None:
        known: dict[str, float] = {}
        for word, weight in weights().items():
            form = normal_form(word)
            if form:
                known[form] = weight
        self._weights = list(known.values())
        self._words = list(known)
        self._automaton = AhoCorasick(self._words, matchkind=MatchKind.LeftmostLongest)

    def polarity(self, texts: Sequence[str]) -> Sequence[float]:
        """Return the probability of positive for each text."""
        return [self.weigh(form := normalise(text).text, split(form)).probability for text in texts]

    def weigh(
        self, text: str, clauses: Sequence[Clause], complaints: Sequence[int] = (),
        denied: Sequence[int] = (), dismissed: Sequence[tuple[int, int]] = (),
    ) -> Evidence:
        """Weigh a normal form; `complaints` and `denied` are starts of clauses in which the taxonomy found or
        ruled out a fault, `dismissed` the spans that name a fault without complaining of it.
        """
        if not clauses:
            return Evidence(0.0, 0.0, 0.0, ())
        sides = [[0.0, 0.0] for _ in clauses]
        silent = {place for span in dismissed for place in range(*span)}
        self._add_words(text, clauses, sides, silent)
        starts = {clause.start: place for place, clause in enumerate(clauses)}
        for start in complaints:
            if start in starts:
                side = sides[starts[start]]
                side[1] = max(side[1] + 0.6, _COMPLAINT)
        for start in denied:
            if start in starts:
                side = sides[starts[start]]
                side[0] = max(side[0], _DENIED)
        if _SARCASM.search(text):
            _turn_sour(sides)
        return _balance(clauses, sides)

    def _add_words(
        self, text: str, clauses: Sequence[Clause], sides: list[list[float]], silent: set[int]
    ) -> None:
        place, last = 0, len(clauses) - 1
        for index, start, end in self._automaton.find_matches_as_indexes(text):
            weight = self._weights[index]
            if not weight or start in silent:
                continue
            while place < last and start >= clauses[place].end:
                place += 1
            clause = clauses[place]
            before, after = text[max(clause.start, start - 8):start], text[end:min(end + 8, clause.end)]
            value = _in_context(weight, before, after)
            if _ASKED.search(text, clause.start, clause.end) or (
                value > 0 and clause.question and clause.end == clause.sentence_end
            ):
                value *= 0.2  # 好用吗？ asks, it does not praise
            sides[place][0 if value > 0 else 1] += abs(value)


def _in_context(weight: float, before: str, after: str) -> float:
    """A word's weight after the negation and degree that stand around it."""
    if before and _NEGATION.search(before) and not _NOT_NEGATION.search(before):
        return -0.9 * weight if weight > 0 else -0.55 * weight
    if weight < 0 and _DENIED_AFTER.match(after):
        return -0.4 * weight
    if before and _WEAK.search(before):
        return 0.7 * weight
    if (before and _STRONG.search(before)) or _AFTER_STRONG.match(after):
        return 1.35 * weight
    return weight


def _turn_sour(sides: list[list[float]]) -> None:
    """Where something went wrong and the tone is mocking, praise is meant the other way round."""
    if sum(side[1] for side in sides) < 1.0:
        return
    for side in sides:
        side[1] += 0.6 * side[0]
        side[0] = 0.0


def _balance(clauses: Sequence[Clause], sides: Sequence[Sequence[float]]) -> Evidence:
    turned = {clause.sentence for clause in clauses if clause.turn}
    positive = negative = 0.0
    by_clause = []
    past_turn: set[int] = set()
    for clause, side in zip(clauses, sides, strict=True):
        if clause.turn:
            past_turn.add(clause.sentence)
        weight = 1.0
        if clause.sentence in past_turn:
            weight = _WHOLE_TURN
        elif clause.sentence in turned:
            weight = _BEFORE_TURN
        good, bad = min(side[0], 4.0), min(side[1], 4.0)
        positive += weight * good
        negative += weight * bad
        by_clause.append(good - bad)
    logit = 2.2 * (positive - 1.1 * negative) / math.sqrt(1.0 + positive + negative)
    return Evidence(max(-8.0, min(8.0, logit)), positive, negative, tuple(by_clause))
