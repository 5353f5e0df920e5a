"""Phrases that several people use in the same words: n-grams that hold together and stand alone. Pure.

A candidate is a run of 2 to 6 Chinese characters that at least `MIN_AUTHORS` people wrote, that holds together
(normalised pointwise mutual information over its weakest split, Bouma 2009) and stands free on both sides (entropy of
the characters next to it; a clause's end counts as a neighbour of its own). No dictionary: what is new has no word yet.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ahocorasick_rs import AhoCorasick, MatchKind

MIN_AUTHORS = 3
MIN_LETTERS, MAX_LETTERS = 2, 6
MIN_NPMI = 0.5
MIN_ENTROPY = 0.6  # nats: two neighbours, neither of them twice as common as the other
CONTAINED = 0.7  # of a phrase's people also write a longer one: the longer is the phrase
MAX_CANDIDATES = 400
RUN = re.compile(r"[\u4e00-\u9fff]{2,}")
_EDGE = frozenset("的了着过地得我你您他她它们这那哪就都也还又才再很太最更挺真好把被给让跟和与或及在从到对向为以于是有说想要会能可吗呢吧啊呀哦嘛么啦个些只件次天点里上下后前时候一二两三几")
_LAST = _EDGE | frozenset("不没别未")
_EVERYDAY = (
    "没有 不是 还是 但是 因为 所以 如果 真的 已经 可以 知道 觉得 感觉 现在 时候 今天 昨天 结果 居然 竟然 一下 一直 之前 以后 然后 而且"
    " 不过 东西 商家 客服 店家 卖家 老板 质量 问题 自己 大家 朋友 产品 商品 宝贝 收到 购买 使用 第一次 差评 垃圾 失望 后悔 不好 不行 不会"
    " 不能 不要 不想 什么 怎么 为什么 怎么回事 这么 那么 非常 特别 完全 根本 直接 实在 简直 本来 以为 发现 准备 打开 终于 突然 避雷 踩雷 取关 卸载 拉黑 拔草 种草 无语 建议 吐槽 吐个槽 震惊 爆料 爆个料 避坑 谁懂 截图"
)
_PLAIN = frozenset(_EVERYDAY.split())


def candidates(pieces: Iterable[tuple[str, str]], reference: Iterable[str]) -> dict[str, set[str]]:
    """Return phrases and who wrote them. `pieces` are (author, text); `reference` other texts of the same kind, from
    which the usual frequency of characters is taken. At most 400, those of most people.
    """
    runs = [(author, run) for author, text in pieces for run in RUN.findall(text)]
    common = _common(runs)
    corpus = [run for _, run in runs] + [run for text in reference for run in RUN.findall(text)]
    held = _holding_together([gram for gram in common if _speaks(gram)], corpus)
    free = {gram: common[gram] for gram in _standing_free(held, runs)}
    return _longest(free)


def _common(runs: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """Grams by at least 3 people; a longer one can only be made of such."""
    found: dict[str, set[str]] = {}
    shorter: AbstractSet[str] = frozenset()
    for size in range(MIN_LETTERS, MAX_LETTERS + 1):
        who: dict[str, set[str]] = defaultdict(set)
        for author, run in runs:
            for start in range(len(run) - size + 1):
                gram = run[start : start + size]
                if size == MIN_LETTERS or (gram[:-1] in shorter and gram[1:] in shorter):
                    who[gram].add(author)
        kept = {gram: people for gram, people in who.items() if len(people) >= MIN_AUTHORS}
        found |= kept
        shorter = kept.keys()
        if not kept:
            break
    return found


def _speaks(gram: str) -> bool:
    """Neither begun nor ended by a word that only joins others, nor a word everybody uses."""
    return gram[0] not in _EDGE and gram[-1] not in _LAST and gram not in _PLAIN


def _holding_together(grams: Sequence[str], corpus: Sequence[str]) -> list[str]:
    """Those whose halves come together far more often than chance would bring them, however they are split."""
    parts = {part for gram in grams for cut in range(1, len(gram)) for part in (gram[:cut], gram[cut:])} | set(grams)
    counts = occurrences(sorted(parts), corpus)
    total = sum(map(len, corpus))
    return [gram for gram in grams if counts[gram] and _npmi(gram, counts, total) >= MIN_NPMI]


def _npmi(gram: str, counts: Mapping[str, int], total: int) -> float:
    share = counts[gram] / total
    weakest = min(
        math.log(counts[gram] * total / (counts[gram[:cut]] * counts[gram[cut:]])) for cut in range(1, len(gram))
    )
    return weakest / -math.log(share) if share < 1 else 0.0


def _standing_free(grams: Sequence[str], runs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Those with different neighbours on either side."""
    left: dict[str, Counter[str]] = defaultdict(Counter)
    right: dict[str, Counter[str]] = defaultdict(Counter)
    if not grams:
        return
    finder = _finder(grams)
    for place, (_, run) in enumerate(runs):
        for index, start, end in finder.find_matches_as_indexes(run, overlapping=True):
            left[grams[index]][run[start - 1] if start else f"^{place}"] += 1
            right[grams[index]][run[end] if end < len(run) else f"${place}"] += 1
    for gram in grams:
        if min(_entropy(left[gram]), _entropy(right[gram])) >= MIN_ENTROPY:
            yield gram


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return -math.fsum(n / total * math.log(n / total) for n in counts.values()) if total else 0.0


def _longest(found: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Leave out what most of its people write as part of something longer."""
    kept: dict[str, set[str]] = {}
    for gram in sorted(found, key=lambda gram: (-len(gram), gram)):
        people = found[gram]
        if not any(gram in longer and len(people & kept[longer]) >= CONTAINED * len(people) for longer in kept):
            kept[gram] = people
    best = sorted(kept, key=lambda gram: (-len(kept[gram]), -len(gram), gram))[:MAX_CANDIDATES]
    return {gram: kept[gram] for gram in best}


def occurrences(grams: Sequence[str], texts: Iterable[str]) -> Counter[str]:
    """Return how often each gram stands in the texts, overlaps included."""
    counts: Counter[str] = Counter()
    if grams:
        finder = _finder(grams)
        for text in texts:
            counts.update(grams[index] for index, _, _ in finder.find_matches_as_indexes(text, overlapping=True))
    return counts


def each_holding(grams: Sequence[str], texts: Iterable[str]) -> Iterator[set[str]]:
    """Yield for each text the grams that stand in it."""
    finder = _finder(grams) if grams else None
    for text in texts:
        yield {grams[index] for index, _, _ in finder.find_matches_as_indexes(text, overlapping=True)} if finder else set()


def holding(grams: Sequence[str], texts: Iterable[str], most: Mapping[str, int] | None = None) -> Counter[str]:
    """Return in how many texts each gram stands. Without grams no text is read; with `most`, no further text once every
    gram stands in more than it may.
    """
    counts: Counter[str] = Counter()
    left = set(grams)
    for held in each_holding(grams, texts) if grams else ():
        counts.update(held)
        if most is not None:
            left -= {gram for gram in held if counts[gram] > most[gram]}
            if not left:
                break
    return counts


def _finder(grams: Sequence[str]) -> AhoCorasick:
    return AhoCorasick(grams, matchkind=MatchKind.Standard)
