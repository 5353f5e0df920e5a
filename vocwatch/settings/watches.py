"""`config/watches.yaml`: brands, products, competitors and plain keywords to listen for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vocwatch.settings.base import LinearPattern, Section, Slug


class Context(Section):
    """Words that must stand near an ambiguous name before it counts."""

    any: tuple[str, ...] = Field((), description="附近出现其中任意一个才算命中")
    none: tuple[str, ...] = Field((), description="附近出现其中任意一个就不算")
    within: int = Field(40, ge=1, le=2000, description="前后多少个字以内")


class Watch(Section):
    """One thing to listen for."""

    id: Slug
    kind: Literal["brand", "product", "competitor", "keyword"]
    name: str
    aliases: tuple[str, ...] = Field((), description="别名，出现即命中")
    ambiguous: tuple[str, ...] = Field((), description="有歧义的叫法，符合 context 才命中")
    patterns: tuple[LinearPattern, ...] = Field((), description="正则写法")
    exclude: tuple[str, ...] = Field((), description="含有命中词、但说的不是它的固定说法")
    context: Context = Context()
    brand: Slug | None = Field(None, description="产品所属品牌的监测词 id")
    sku: str | None = None
    needs_brand: bool = Field(False, description="通用叫法：同一文本里提到品牌，或页面就是该商品，才算")


class Watches(Section):
    """The whole of `watches.yaml`."""

    watches: tuple[Watch, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Watches:
        seen: set[str] = set()
        for watch in self.watches:
            if watch.id in seen:
                raise ValueError(f"监测词 id 重复：{watch.id}")
            seen.add(watch.id)
        for watch in self.watches:
            if watch.brand and watch.brand not in seen:
                raise ValueError(f"监测词 {watch.id} 的 brand 指向不存在的 id：{watch.brand}")
        return self
