"""Words that today's complaints use far more than those of the last four weeks.

Log-odds ratio with an informative Dirichlet prior, as a z-score (Monroe, Colaresi & Quinn 2008, “Fightin'
Words”, eq. 16 and 22). The prior is the counts of both periods together, scaled to 500 pseudo-words.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import rjieba

from vocwatch.plain import one_line

MIN_Z = 3.0
MIN_AUTHORS = 3
MAX_WORDS = 10
PRIOR = 500.0
MAX_KNOWN = 1 << 16
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
    today: Iterable[tuple[str, str]], past: Mapping[str, int], ignore: Iterable[str] = ()
) -> tuple[Word, ...]:
    """Return up to ten words with z ≥ 3 used by at least 3 authors; `today` holds (author, text), `past` in how many
    texts of the weeks before each word stood.
    """
    now: dict[str, int] = {}
    first: dict[str, str] = {}
    authors: dict[str, set[str]] = {}  # of words that stand in several texts: most stand in one
    for author, text in today:
        for found in tokens(text):
            if (before := now.get(found, 0)) == 0:
                first[found] = author
            elif before == 1:
                authors[found] = {first[found], author}
            else:
                authors[found].add(author)
            now[found] = before + 1
    totals = (sum(now.values()), sum(past.values()))
    skip = set(ignore)
    words = [
        Word(found, round(z, 1), len(authors[found]), now[found])
        for found in authors
        if len(authors[found]) >= MIN_AUTHORS and found not in skip and (z := _z(now[found], past.get(found, 0), *totals)) >= MIN_Z
    ]
    return tuple(sorted(words, key=lambda w: (-w.z, w.word))[:MAX_WORDS])


def tokens(text: str) -> set[str]:
    """Return the distinct words of a text (once per text, so that one ranter doesn't make a word hot)."""
    plain = _MASK.sub(" ", one_line(text, 2000).lower())
    return {w for w in rjieba.cut(plain) if _COUNTS[w]}


class _Counts(dict[str, bool]):
    """Whether a word counts, for the words met so far."""

    def __missing__(self, word: str) -> bool:
        if len(self) >= MAX_KNOWN:
            self.clear()
        self[word] = counts = word not in _STOP and _WORD.fullmatch(word) is not None
        return counts


_COUNTS = _Counts()


def counted(texts: Iterable[str]) -> Counter[str]:
    """Return in how many texts each word stands."""
    return Counter(found for text in texts for found in tokens(text))


def words_mark() -> int:
    """Return a number that changes with what counts as a word."""
    return zlib.crc32("\n".join([_WORD.pattern, _MASK.pattern, *sorted(_STOP)]).encode()) & 0x7FFFFFFF


def _z(here: int, there: int, total_now: int, total_past: int) -> float:
    prior = PRIOR * (here + there) / (total_now + total_past)
    return _score(here, total_now, there, total_past, prior, PRIOR)


def log_odds(here: int, of_here: int, there: int, of_there: int, prior: float) -> float:
    """Return the z-score of `here` of `of_here` against `there` of `of_there`; `prior` pseudo-counts have the mix of both.

    Something never heard before has at least half a pseudo-count: its variance would have no bound.
    """
    own = max(0.5, prior * (here + there) / max(1, of_here + of_there))
    return _score(here, of_here, there, of_there, own, max(prior, 2 * own))


def _score(here: int, of_here: int, there: int, of_there: int, own: float, prior: float) -> float:
    now = (here + own) / (of_here + prior - here - own)
    past = (there + own) / (of_there + prior - there - own)
    return (math.log(now) - math.log(past)) / math.sqrt(1 / (here + own) + 1 / (there + own))
