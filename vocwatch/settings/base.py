"""What all configuration models share."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from vocwatch.lang import tr


class Section(BaseModel):
    """A block of configuration: immutable, and an unknown key is an error."""

    # Built when first used: a crawl's worker reads three of thirty kinds of section, and starts for each source.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the configuration made ready, once a process: `re` itself forgets them. Raises re.error."""
    return re.compile(pattern)


@lru_cache(maxsize=4096)
def parsed(pattern: str) -> Any:
    """Return a pattern of the configuration as a tree, parsed once a process. Raises re.error."""
    return importlib.import_module("re._parser").parse(pattern)


def _compiles(pattern: str) -> str:
    try:
        compiled(pattern)
    except re.error as error:
        raise ValueError(tr(f"正则表达式无法编译：{error}", f"not a regular expression: {error}")) from error
    return pattern


def _linear(pattern: str) -> str:
    """Refuse patterns whose time can explode on a long text: (a+)+, (ab|a)*, .*.*.* and the like."""
    _compiles(pattern)
    if _unbounded(parsed(pattern)) > _MAX_UNBOUNDED:
        raise ValueError(tr(
            f"正则里不限长的重复（* 或 +）套在一起，或超过 {_MAX_UNBOUNDED} 处，长文本会卡住；"
            "请写上限，如 .{0,8}",
            f"unbounded repeats (* or +) stand in each other, or there are more than {_MAX_UNBOUNDED}: a long text would "
            "stall; give them a limit, as .{0,8}",
        ))
    return pattern


def _unbounded(node: Any) -> int:
    """Count the repeats that have no small upper bound; nested ones count as too many."""
    count = 0
    for operation, argument in node:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            inner = _unbounded(argument[2])
            if int(argument[1]) > _BOUND:
                count += _MAX_UNBOUNDED + 1 if inner or "BRANCH" in str(argument[2]) else 1
            else:
                count += inner
        elif name == "SUBPATTERN":
            count += _unbounded(argument[3])
        elif name == "BRANCH":
            count += max(_unbounded(branch) for branch in argument[1])
        elif name in ("ASSERT", "ASSERT_NOT"):
            count += _unbounded(argument[1])
        elif name == "ATOMIC_GROUP":
            count += _unbounded(argument)
    return count


def _slug(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text):
        raise ValueError(tr(
            "只能用字母、数字、点、短横和下划线，最长 64 个字符", "only letters, digits, dots, dashes and underscores, at most 64",
        ))
    return text


_BOUND = 60
_MAX_UNBOUNDED = 2

Pattern = Annotated[str, AfterValidator(_compiles)]
LinearPattern = Annotated[str, AfterValidator(_linear)]
"""A pattern that is run over every text that comes in, written by whoever edits the configuration."""
Slug = Annotated[str, AfterValidator(_slug)]
