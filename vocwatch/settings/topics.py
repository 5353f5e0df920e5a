"""`config/topics.yaml`: the complaint taxonomy and the red lines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vocwatch.settings.base import LinearPattern, Section


class Leaf(Section):
    """One complaint topic of the second level."""

    name: str
    words: tuple[str, ...] = Field((), description="出现即算的说法")
    patterns: tuple[LinearPattern, ...] = ()
    cancel: tuple[str, ...] = Field((), description="含有上面的词、但不是投诉的说法")
    severity: Literal[1, 2, 3] = 2
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()


class Group(Section):
    """One topic of the first level."""

    name: str
    sensitivity: float = Field(0.3, ge=0, le=1, description="风险分的敏感度 S")
    leaves: tuple[Leaf, ...]


class RedLineClass(Section):
    """A class of complaints that alerts at once, whatever its volume."""

    name: str
    words: tuple[str, ...] = ()
    patterns: tuple[LinearPattern, ...] = ()
    cancel: tuple[str, ...] = Field((), description="否定、假设、广告等不触发的说法")
    sensitivity: float = Field(1.0, ge=0, le=1)
    first_class: bool = Field(True, description="一级红线：达到独立发布者下限直接判红")
    threats: bool = Field(False, description="扬言要做也算（如“再不处理就打12315”），不要求已经发生")
    topic: str | None = Field(None, description="对应的主题：大类/小类")
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()


class Topics(Section):
    """The whole of `topics.yaml`."""

    version: str
    topics: tuple[Group, ...]
    red_lines: tuple[RedLineClass, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Topics:
        names = [f"{group.name}/{leaf.name}" for group in self.topics for leaf in group.leaves]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"主题重复：{name}")
        for line in self.red_lines:
            if line.topic and line.topic not in names:
                raise ValueError(f"红线 {line.name} 指向不存在的主题：{line.topic}")
        return self
