"""What all configuration models share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """A block of configuration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"正则表达式无法编译：{error}") from error
    return pattern


def _slug(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text):
        raise ValueError("只能用字母、数字、点、短横和下划线，最长 64 个字符")
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]
Slug = Annotated[str, AfterValidator(_slug)]
