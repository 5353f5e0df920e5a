"""`config/keywords.yaml`: 内部舆情关键词, the classes of words that every customer's turn is searched for."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from vocwatch.lang import tr
from vocwatch.settings.base import LinearPattern, Section

MAX_WORD = 40


def _word(text: str) -> str:
    if not 2 <= len(text) <= MAX_WORD:
        raise ValueError(tr(f"关键词要 2–{MAX_WORD} 个字：{text}", f"a keyword has 2 to {MAX_WORD} characters: {text}"))
    return text


Word = Annotated[str, AfterValidator(_word)]


class KeywordClass(Section):
    """One class of words, such as 媒体."""

    name: str = Field(max_length=40)
    level: int = Field(2, ge=1, le=3, description="1 提醒 · 2 关注 · 3 当日处理")
    words: tuple[Word, ...] = Field((), description="出现就算命中；英文不分大小写，字间空格和全角半角不影响")
    patterns: tuple[LinearPattern, ...] = Field((), description="正则，重复要有上限，如 .{0,8}")
    unless: tuple[Word, ...] = Field((), description="含有关键词、但意思不同的说法，如 自媒体")
    negatable: bool = Field(True, description="true：“不会曝光”“没有投诉”不算；辱骂一类写 false")
    questions: bool = Field(True, description="false：“会过敏吗”这类询问不算")


class Keywords(Section):
    """The whole file."""

    classes: tuple[KeywordClass, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Keywords:
        names = [item.name for item in self.classes]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(tr(f"关键词类别重复：{name}", f"the keyword class is there twice: {name}"))
        return self

    @cached_property
    def version(self) -> str:
        """Short digest: sessions scanned with other words are scanned again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]
