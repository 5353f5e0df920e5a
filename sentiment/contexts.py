"""What stands around a doubtful name: words of trade, everyday words, and what labelled hits taught."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ahocorasick_rs import AhoCorasick, MatchKind

from sentiment.homonyms import is_everyday_name, is_name
from sentiment.normalise import normal_form
from vocwatch.settings.watches import LearnedContext, Watch

TRADE_WITHIN = 20
"""Characters on each side in which words of trade vouch for a doubtful name."""
_LEARN_WITHIN = 30
_MIN_EXAMPLES = 3
_MIN_WEIGHT = 0.4
_MAX_WORDS = 200
_SMOOTHING = 0.5
NAME_MARK = "~"
"""Stands for the name in what was learned of the characters beside it: 在~ is 在 before it."""
_SURE_NOT = math.log(0.1 / 0.9)

_TRADE = """
旗舰店 专卖店 官方店 门店 专柜 店铺 网店 直播间 官网 客服 下单 拍下 购买 买了 买的 刚买 别买 想买 入手 回购 复购 退货 退款 换货 退换 退了 售后 发货 物流 快递 包裹
运费 保修 质保 品牌 牌子 这个牌 国货 正品 假货 高仿 山寨 同款 新款 质量 品控 做工 用料 面料 色差 掉色 起球 缩水 开线 漏水 异味 过敏 起疹 发霉 变质 保质期 生产日期
差评 好评 评价 测评 避雷 踩雷 拔草 种草 安利 推荐 翻车 智商税 割韭菜 性价比 优惠 打折 降价 涨价 满减 保价 价保 券 投诉 维权 曝光 举报 消费者 商家 卖家 店家 厂家
产品 商品 套装 尺码 包装 代言 联名 上新 收到货 开箱 想退 去退 要退 能退 给退 不退 会员 广告 实物 官方 店员 导购 专营 优惠券 二手 生产 成分 配料 赔偿 赔付 假一赔 防伪 商标 柜姐 柜台 下架 召回 缺货 断货 补货 送的 寄来 寄回 新品 实体店 套盒 小样 试用 型号 款式 用了 穿了 吃了 喝了 洗了 坏了 不好用 好用 好穿 好吃 难吃 难用 难穿 家的 他家 她家 它家
"""
# Single characters so common that one beside a name says nothing.
_FUNCTION = frozenset("的了是在有我你他她它这那里过就都也不没和与及很太又再还把被让给到去来上下中大小多少说要会能想看好人一个")


@lru_cache(maxsize=1)
def _trade() -> AhoCorasick:
    return AhoCorasick(_TRADE.split())


class Surroundings:
    """The words that vouch for the doubtful names of one watch, and those that speak against them."""

    __slots__ = ("_called", "_learned", "_names", "_none", "_wanted", "_within", "_words")

    def __init__(self, watch: Watch, products: Iterable[str] = (), learned: LearnedContext | None = None):
        """`products` are names of things that the watch sells: they vouch for variants of its name."""
        wanted = [form for word in watch.context.any if (form := normal_form(word))]
        none = [form for word in watch.context.none if (form := normal_form(word))]
        self._wanted = AhoCorasick(wanted) if wanted else None
        self._none = AhoCorasick(none) if none else None
        self._within = watch.context.within
        words = [form for word in products if len(form := normal_form(word)) >= 2]
        self._words = AhoCorasick(words) if words else None
        self._learned = _Learned(learned) if learned else None
        self._names = frozenset(normal_form(name) for name in learned.names) if learned else frozenset()
        named = watch.kind in ("brand", "competitor")  # a product's everyday name is what it is
        self._called = frozenset(normal_form(name) for name in (watch.name, *watch.aliases)) if named else frozenset()

    def vouch(self, text: str, start: int, end: int) -> str | None:
        """Return what vouches for an ambiguous name at [start, end): `context` or `learned`, or None."""
        near = _window(text, start, end, self._within)  # the name itself is no context for itself
        if self._none is not None and self._none.find_matches_as_indexes(near):
            return None
        if self._wanted is not None and self._wanted.find_matches_as_indexes(near):
            return "context"
        if self._wanted is None and self._speaks_of_trade(text, start, end):
            return "context"
        if self._learned is not None and self._learned.score(text, start, end) > 0:
            return "learned"
        return None

    def vouch_for_variant(self, text: str, start: int, end: int) -> bool:
        """Whether trade is talked of near a variant of the name."""
        if self.vouch(text, start, end):
            return True
        if self._none is not None and self._none.find_matches_as_indexes(_window(text, start, end, self._within)):
            return False
        return self._speaks_of_trade(text, start, end)

    def _speaks_of_trade(self, text: str, start: int, end: int) -> bool:
        near = _window(text, start, end, TRADE_WITHIN)
        if self._words is not None and self._words.find_matches_as_indexes(near):
            return True
        return bool(_trade().find_matches_as_indexes(near))

    def denied(self, text: str, start: int, end: int) -> bool:
        """Whether a plain name stands in everyday language here, or labelled hits taught that it means another."""
        name = text[start:end]
        if self._learned is not None and name in self._names:
            return self._learned.score(text, start, end) < _SURE_NOT
        return name in self._called and is_everyday_name(name) and not is_name(text, start, end, self._words)


def _window(text: str, start: int, end: int, within: int) -> str:
    return f"{text[max(0, start - within):start]}\n{text[end:end + within]}"


def is_everyday(text: str, start: int, end: int, changed: Sequence[int]) -> int:
    """How far the characters at [start, end) are everyday language rather than a name written differently.

    `changed` are the places that differ from the name. 2: a common word reaches over the border of the span;
    1: the changed characters are part of a common word, or are too common themselves; 0: neither.
    """
    import rjieba  # its dictionary takes a moment, and most texts hold no doubtful name

    left = max(0, start - 6)
    at = left
    common = bool(changed) and all(text[place] in _FUNCTION for place in changed)
    for word in rjieba.cut(text[left:end + 6], False):
        stop = at + len(word)
        if len(word) > 1 and at < end and stop > start:
            if at < start or stop > end:
                return 2
            common = common or any(at <= place < stop for place in changed)
        at = stop
    return int(common)


class _Learned:
    __slots__ = ("_beside", "_bias", "_finder", "_weights")

    def __init__(self, learned: LearnedContext):
        self._bias = learned.bias
        self._beside = {word: weight for word, weight in learned.words.items() if NAME_MARK in word}
        words = {word: weight for word, weight in learned.words.items() if NAME_MARK not in word}
        self._finder = AhoCorasick(list(words)) if words else None
        self._weights = list(words.values())

    def score(self, text: str, start: int, end: int) -> float:
        """Log odds that the name at [start, end) is the brand."""
        score = self._bias + sum(self._beside.get(mark, 0.0) for mark in _neighbours(text, start, end))
        if self._finder is None:
            return score
        near = _window(text, start, end, _LEARN_WITHIN)
        found = {index for index, _, _ in self._finder.find_matches_as_indexes(near, overlapping=True)}
        return score + sum(self._weights[index] for index in sorted(found))


def _neighbours(text: str, start: int, end: int) -> list[str]:
    """The characters before and behind the name, as 在~ and ~漏."""
    return [*(f"{char}{NAME_MARK}" for char in text[max(0, start - 1):start]), *(f"{NAME_MARK}{char}" for char in text[end:end + 1])]


@dataclass(frozen=True, slots=True)
class LabelledHit:
    """A place where a watch's name stands in a normal form, and whether it really was the brand."""

    text: str
    start: int
    end: int
    is_brand: bool


def learn(hits: Sequence[LabelledHit]) -> LearnedContext | None:
    """Return the words that tell the brand from its homonym, or None without three examples of each.

    Bernoulli naive Bayes over the words in 30 characters on each side; weights are smoothed log odds.
    """
    examples = [(_words_near(hit), hit.is_brand) for hit in hits]
    brand = sum(is_brand for _, is_brand in examples)
    other = len(examples) - brand
    if min(brand, other) < _MIN_EXAMPLES:
        return None
    counts = {True: Counter[str](), False: Counter[str]()}
    for words, is_brand in examples:
        counts[is_brand].update(words)
    bias, weights = _weigh(counts, brand, other)
    right = 0
    for words, is_brand in examples:  # each judged by what the others teach
        counts[is_brand].subtract(words)
        less = (brand - is_brand, other - (not is_brand))
        start, odds = _weigh(counts, *less, only=words)
        right += (start + sum(odds.values()) > 0) is is_brand
        counts[is_brand].update(words)
    kept = sorted(weights, key=lambda word: (-abs(weights[word]), word))[:_MAX_WORDS]
    return LearnedContext(
        names=tuple(sorted({hit.text[hit.start:hit.end] for hit in hits})), bias=round(bias, 3),
        words={word: round(weights[word], 2) for word in kept}, brand=brand, other=other,
        accuracy=round(right / len(examples), 3),
    )


def _weigh(
    counts: dict[bool, Counter[str]], brand: int, other: int, only: Iterable[str] | None = None
) -> tuple[float, dict[str, float]]:
    bias = math.log((brand + 1) / (other + 1))
    bias = max(-1.0, min(1.0, bias))  # the share among labelled hits says little about the share among all
    weights: dict[str, float] = {}
    for word in only if only is not None else {*counts[True], *counts[False]}:
        yes, no = counts[True][word], counts[False][word]
        if yes + no < 2 and only is None:
            continue
        weight = math.log((yes + _SMOOTHING) / (brand + 1)) - math.log((no + _SMOOTHING) / (other + 1))
        if abs(weight) >= _MIN_WEIGHT:
            weights[word] = weight
    return bias, weights


_WORD = re.compile(r"[\u4e00-\u9fffa-z0-9]{2,}")


def _words_near(hit: LabelledHit) -> frozenset[str]:
    import rjieba

    near = _window(hit.text, hit.start, hit.end, _LEARN_WITHIN)
    words = {word for word in rjieba.cut(near, False) if _WORD.fullmatch(word)}
    return frozenset(words).union(_neighbours(hit.text, hit.start, hit.end))


def places_of(watch: Watch, text: str) -> list[tuple[int, int]]:
    """Return where the watch's own names stand in a normal form, the longest first at each place."""
    names = {normal_form(name) for name in (watch.name, *watch.aliases, *watch.ambiguous)} - {""}
    if not names:
        return []
    finder = AhoCorasick(sorted(names, key=lambda name: (-len(name), name)), matchkind=MatchKind.LeftmostFirst)
    return [(start, end) for _, start, end in finder.find_matches_as_indexes(text)]
