"""`config/topics.yaml`: the complaint taxonomy and the red lines."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from vocwatch.settings.base import LinearPattern, Section


def _words(value: Any) -> Any:
    """Words may be written as one text with blanks between: hundreds of them stay readable, and load fast."""
    return tuple(value.split()) if isinstance(value, str) else value


Words = Annotated[
    tuple[str, ...], BeforeValidator(_words),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Leaf(Section):
    """One complaint topic of the second level."""

    name: str
    aspect: str = Field("", description="夸它时给人看的叫法")
    words: Words = Field((), description="出现即算的说法")
    patterns: tuple[LinearPattern, ...] = ()
    cancel: Words = Field((), description="含有上面的词、但不是投诉的说法")
    praise: Words = Field((), description="夸这个方面的说法")
    about: Words = Field((), description="只提到这个方面的词，褒贬看口气")
    named: Words = Field((), description="提到而已的词：算说到了这个方面，口气再差也不算投诉")
    named_patterns: tuple[LinearPattern, ...] = Field((), description="同 named，写成正则")
    who: Words = Field((), description="说的是这些人的：别的小类（who_of）看到的也算这一类")
    who_of: tuple[str, ...] = Field((), description="who 从哪些小类（大类/小类）拿过来")
    severity: Literal[1, 2, 3] = 2
    brand_wide: bool = Field(False, description="问题在整个品牌，不在某个商品（如隐私、价保）：不按商品拆成几件事")
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    praise_examples: tuple[str, ...] = ()


class Group(Section):
    """One topic of the first level."""

    name: str
    sensitivity: float = Field(0.3, ge=0, le=1, description="风险分的敏感度 S")
    brand_wide: bool = Field(False, description="整个大类都不按商品拆")
    leaves: tuple[Leaf, ...]


class RedLineClass(Section):
    """A class of complaints that alerts at once, whatever its volume."""

    name: str
    words: Words = ()
    patterns: tuple[LinearPattern, ...] = ()
    cancel: Words = Field((), description="否定、假设、广告等不触发的说法")
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
    merge: dict[str, str] = Field(
        default_factory=dict, description="把一个小类并进另一个来统计（大类/小类: 大类/小类）"
    )

    def shown(self, topic: str, praised: bool) -> str:
        """Return a topic as people read it: leaves are named after faults, praise is told by the aspect."""
        group, _, leaf = topic.partition("/")
        aspects = {one.name: one.aspect for each in self.topics if each.name == group for one in each.leaves}
        return f"{group}/{aspects.get(leaf) or leaf}" if praised else topic

    def merged(self, merge: dict[str, str]) -> Topics:
        """Return the same taxonomy in which further leaves are reported as others. Raises ValueError."""
        return Topics.model_validate({**self.model_dump(), "merge": {**self.merge, **merge}}) if merge else self

    def brand_wide(self) -> frozenset[str]:
        """Return the topics whose trouble is the brand's, whatever product the texts name."""
        return frozenset(
            f"{group.name}/{leaf.name}" for group in self.topics for leaf in group.leaves
            if group.brand_wide or leaf.brand_wide
        )

    @model_validator(mode="after")
    def _consistent(self) -> Topics:
        names = [f"{group.name}/{leaf.name}" for group in self.topics for leaf in group.leaves]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"主题重复：{name}")
        for line in self.red_lines:
            if line.topic and line.topic not in names:
                raise ValueError(f"红线 {line.name} 指向不存在的主题：{line.topic}")
        for name in (name for group in self.topics for leaf in group.leaves for name in leaf.who_of):
            if name not in names:
                raise ValueError(f"who_of 指向不存在的主题：{name}")
        for name in (*self.merge, *self.merge.values()):
            if name not in names:
                raise ValueError(f"合并用到了不存在的主题：{name}")
        for name in self.merge.values():
            if name in self.merge:
                raise ValueError(f"{name} 自己已并进 {self.merge[name]}，不能再接收别的小类")
        return self
