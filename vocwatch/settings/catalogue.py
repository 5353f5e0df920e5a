"""What stands beside the source catalogue: what can't be had (`config/sources/unavailable.yaml`), and its English.

Both are for people: docs/sources is made of them, nothing is crawled by them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vocwatch.settings.base import Section, Slug

Barrier = Literal["登录", "签名", "验证", "授权", "混淆"]


class Unavailable(Section):
    """One kind of content that vocwatch has no code for, and never will have.

    `barrier` names what stands before it, `why` says it in words, `instead` the legitimate way to the same
    knowledge, `sources` the catalogue files that are this way (none where it lies outside vocwatch). The
    English words are for docs/sources.md.
    """

    platform: str
    what: str
    barrier: tuple[Barrier, ...]
    why: str
    instead: str
    sources: tuple[str, ...] = ()
    platform_en: str
    what_en: str
    instead_en: str


class UnavailableList(Section):
    """The whole file."""

    items: tuple[Unavailable, ...]


class CatalogueEnglish(Section):
    """`config/sources/catalogue.en.yaml`: the limits of each source of the catalogue in English."""

    limits: dict[Slug, str] = Field(description="catalogue source → its real limits, for docs/sources.md")
