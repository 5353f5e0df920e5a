"""Words that today's complaints use far more than those of the last four weeks.

Log-odds ratio with an informative Dirichlet prior, as a z-score (Monroe, Colaresi & Quinn 2008, “Fightin'
Words”, eq. 16 and 22). The prior is the counts of both periods together, scaled to 500 pseudo-words.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import rjieba

from vocwatch.plain import one_line

MIN_Z = 3.0
MIN_AUTHORS = 3
MAX_WORDS = 10
PRIOR = 500.0
_WORD = re.compile(r"[\u4e00-\u9fff]{2,8}|[a-z][a-z0-9]{2,15}")
_MASK = re.compile(r"\[[^\[\]]{1,12}\]|<[^<>]{1,12}>|【[^【】]{1,12}】")
_STOP = frozenset(
    [
        *("我们", "你们", "他们", "她们", "自己", "大家", "这个", "那个", "这样", "那样", "怎么", "什么"),
        *("为什么", "一个", "没有", "不是", "就是", "还是", "但是", "因为", "所以", "如果", "真的", "已经"),
        *("可以", "知道", "觉得", "感觉", "现在", "时候", "今天", "昨天", "结果", "居然", "竟然", "一下"),
        *("一直", "有点", "这种", "那种", "之前", "以后", "然后", "而且", "不过", "还有"),
        *("http", "https", "www", "com"),
    ]
)


@dataclass(frozen=True)
class Word:
    """A hot word: its z-score, how many authors used it today, and in how many texts."""

    word: str
    z: float
    authors: int
    texts: int


def hot_words(
    today: Iterable[tuple[str, str]], before: Iterable[str], ignore: Iterable[str] = ()
) -> tuple[Word, ...]:
    """Return up to ten words with z ≥ 3 used by at least 3 authors; `today` holds (author, text)."""
    now: Counter[str] = Counter()
    authors: dict[str, set[str]] = defaultdict(set)
    for author, text in today:
        for found in tokens(text):
            now[found] += 1
            authors[found].add(author)
    past: Counter[str] = Counter(found for text in before for found in tokens(text))
    skip = set(ignore)
    words = [
        Word(found, round(z, 1), len(authors[found]), now[found])
        for found in now
        if len(authors[found]) >= MIN_AUTHORS and found not in skip and (z := _z(found, now, past)) >= MIN_Z
    ]
    return tuple(sorted(words, key=lambda w: (-w.z, w.word))[:MAX_WORDS])


def tokens(text: str) -> set[str]:
    """Return the distinct words of a text (once per text, so that one ranter doesn't make a word hot)."""
    plain = _MASK.sub(" ", one_line(text, 2000).lower())
    return {w for w in rjieba.cut(plain) if _WORD.fullmatch(w) and w not in _STOP}


def _z(word: str, now: Counter[str], past: Counter[str]) -> float:
    total_now, total_past = now.total(), past.total()
    prior = PRIOR * (now[word] + past[word]) / (total_now + total_past)
    here = (now[word] + prior) / (total_now + PRIOR - now[word] - prior)
    there = (past[word] + prior) / (total_past + PRIOR - past[word] - prior)
    return (math.log(here) - math.log(there)) / math.sqrt(1 / (now[word] + prior) + 1 / (past[word] + prior))
