"""`config/watches.yaml`: brands, products, competitors and plain keywords to listen for."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

import re2
from pydantic import AfterValidator, Field, model_validator

from vocwatch.lang import tr
from vocwatch.settings.base import Section, Slug
from vocwatch.settings.grammar import needs_a_word, parse, words_of

VariantRule = Literal[
    "squeezed", "homophone", "pinyin", "mixed-pinyin", "initials", "split", "look-alike", "homoglyph", "reversed",
    "emoji", "masked",
]

_BROAD = frozenset((
    "我们", "你们", "他们", "自己", "什么", "怎么", "这个", "那个", "一个", "没有", "可以", "就是", "还是", "但是", "因为", "所以",
    "不是", "真的", "现在", "时候", "知道", "东西", "感觉", "the", "and", "for", "you", "are", "not", "with", "this", "that", "have",
))
_MAX_PATTERN = 1_000
_NOTHING = ("", "的")  # a pattern that finds these finds everything


def _safe(pattern: str) -> str:
    """Accept what RE2 can run, in time that grows with the text alone; no look-around, no back-references."""
    if len(pattern) > _MAX_PATTERN:
        raise ValueError(tr(f"正则太长（{len(pattern)} 个字），最多 {_MAX_PATTERN} 个", f"the pattern is too long ({len(pattern)} characters), at most {_MAX_PATTERN}"))
    try:
        compiled = compile_pattern(pattern)
    except re2.error as error:
        detail = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(tr(
            f"正则表达式无法编译（{detail}）。不支持环视和反向引用，重复次数最多 1000",
            f"not a pattern ({detail}). No look-around, no back-references, at most 1000 repeats",
        )) from error
    if any(compiled.fullmatch(text) for text in _NOTHING):
        raise ValueError(tr("正则太宽：空文本或单个“的”也会命中", "the pattern is too broad: it finds an empty text, or a single “的”"))
    return pattern


def compile_pattern(pattern: str) -> re2._Regexp:
    """Return a pattern made ready by RE2: its time is linear in the text whatever the pattern. Raises re2.error."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 16 << 20
    return re2.compile(pattern, options)


def too_broad(word: str) -> str | None:
    """Say why a word can't be watched as it stands, or None if it can."""
    form = unicodedata.normalize("NFKC", word).lower()
    bare = "".join(char for char in form if char.isalnum() or unicodedata.category(char) == "So")
    if not bare:
        return tr("没有文字", "has no letters")
    if len(bare) < 2:
        return tr("只有一个字，几乎每条文本都会命中", "is a single character, which nearly every text has")
    return tr("太常用，几乎每条文本都会命中", "is so common that nearly every text has it") if bare in _BROAD else None


def _narrow(word: str) -> str:
    reason = too_broad(word)
    if reason:
        raise ValueError(tr(
            f"监测词“{word}”{reason}。请写完整的叫法，或放进 ambiguous 并写 context",
            f"“{word}” {reason}. Write the whole name, or put it into ambiguous with a context",
        ))
    return word


def _expression(text: str) -> str:
    parse(text)
    return text


def _query(text: str) -> str:
    node = parse(text)
    if not needs_a_word(node):
        raise ValueError(tr(
            "query 里至少要有一个不带 NOT 的词，否则每条文本都会命中", "query needs a word without NOT, or every text is a hit",
        ))
    broad = [word for word in words_of(node) if word == "@"]
    if broad:
        raise ValueError(tr("query 里不能用 @；@ 只在 require 里代表监测词自己", "no @ in query; it is the watch itself, in require alone"))
    return text


WatchedWord = Annotated[str, AfterValidator(_narrow)]
SafePattern = Annotated[str, AfterValidator(_safe)]
Expression = Annotated[str, AfterValidator(_expression)]
Query = Annotated[str, AfterValidator(_query)]


class Context(Section):
    """Words that must stand near an ambiguous name before it counts."""

    any: tuple[str, ...] = Field((), description="附近出现其中任意一个才算命中")
    none: tuple[str, ...] = Field((), description="附近出现其中任意一个就不算")
    within: int = Field(40, ge=1, le=2000, description="前后多少个字以内")


class Require(Section):
    """Conditions on the whole text, for this watch alone. Each entry is a word or an expression."""

    all: tuple[Expression, ...] = Field((), description="全部满足才算，如 '@ NEAR/10 (漏水 OR 掉色)'；@ 是监测词自己")
    any: tuple[Expression, ...] = Field((), description="至少满足一条才算")
    none: tuple[Expression, ...] = Field((), description="满足任意一条就不算")


class LearnedContext(Section):
    """What labelled hits taught about a watch: words near the name and what they weigh (log odds)."""

    names: tuple[str, ...] = Field(description="学过的叫法")
    bias: float = Field(description="附近没有下面任何词时的起点；大于 0 偏向是品牌")
    words: dict[str, float] = Field(description="词和分量；正数说明是品牌，负数说明不是")
    brand: int = Field(ge=0, description="学习时标为是品牌的条数")
    other: int = Field(ge=0, description="学习时标为不是品牌的条数")
    accuracy: float = Field(ge=0, le=1, description="留一法准确率")


class Watch(Section):
    """One thing to listen for."""

    id: Slug
    kind: Literal["brand", "product", "competitor", "keyword"]
    name: str
    aliases: tuple[WatchedWord, ...] = Field((), description="别名、昵称，出现即命中")
    ambiguous: tuple[str, ...] = Field((), description="有歧义的叫法，符合 context 才命中")
    patterns: tuple[SafePattern, ...] = Field((), description="正则写法（RE2）")
    query: Query | None = Field(None, description="表达式，满足即命中，如 '漏水 NEAR/6 (杯 OR 壶)'")
    exclude: tuple[str, ...] = Field((), description="含有命中词、但说的不是它的固定说法")
    require: Require = Require()
    context: Context = Context()
    variants: bool | tuple[VariantRule, ...] | None = Field(
        None, description="自动派生的变体（谐音、拼音、拆字等）：true/false，或列出要用的几种；"
                          "不写则品牌、竞品、产品名派生，关键词不派生",
    )
    brand: Slug | None = Field(None, description="产品所属品牌的监测词 id")
    sku: str | None = None
    red_line: bool = Field(False, description="红线监测词：改动要由另一个人同意才生效", exclude_if=lambda value: not value)
    examples: tuple[str, ...] = Field((), description="应当命中的例句，试词时逐条检查", exclude_if=lambda value: not value)
    counter_examples: tuple[str, ...] = Field((), description="不该命中的例句", exclude_if=lambda value: not value)
    needs_brand: bool = Field(False, description="通用叫法：同一文本里提到品牌，或页面就是该商品，才算")

    @model_validator(mode="after")
    def _name_is_narrow(self) -> Watch:
        if self.name not in self.ambiguous:
            _narrow(self.name)
        return self


class Watches(Section):
    """The whole of `watches.yaml`."""

    watches: tuple[Watch, ...]
    learned: dict[Slug, LearnedContext] = Field(
        default_factory=dict, exclude_if=lambda value: not value,
        description="由 vocwatch watch learn 写进 watches.learned.yaml，这里不用手写",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Watches:
        seen: set[str] = set()
        for watch in self.watches:
            if watch.id in seen:
                raise ValueError(tr(f"监测词 id 重复：{watch.id}", f"the watch id is taken: {watch.id}"))
            seen.add(watch.id)
        for watch in self.watches:
            if watch.brand and watch.brand not in seen:
                raise ValueError(tr(f"监测词 {watch.id} 的 brand 指向不存在的 id：{watch.brand}", f"brand of watch {watch.id} names no watch: {watch.brand}"))
        return self


class Learned(Section):
    """The whole of `watches.learned.yaml`, which `vocwatch watch learn` writes and people may read and edit."""

    learned: dict[Slug, LearnedContext]


LEARNED_FILE = "watches.learned.yaml"
