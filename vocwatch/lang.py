"""The language of messages: Chinese, or English with `--lang en`."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

_chosen = "zh"
_here: ContextVar[str] = ContextVar("language", default="")


def set_language(code: str) -> None:
    """Choose the language of all later messages: "zh" or "en"."""
    global _chosen  # noqa: PLW0603 - one process speaks one language, but for `speak`
    _chosen = "en" if code.lower().startswith("en") else "zh"


def speak(code: str) -> None:
    """Choose the language of this task or thread alone: one server speaks with many people."""
    _here.set("en" if code.lower().startswith("en") else "zh")


def language() -> str:
    """Return "zh" or "en"."""
    return _here.get() or _chosen


def tr(zh: str, en: str) -> str:
    """Return the text in the chosen language. Both stand side by side so that neither is forgotten."""
    return en if language() == "en" else zh


def listed(items: Iterable[str]) -> str:
    """Return names in a row, with the comma of the chosen language between them."""
    return tr("、", ", ").join(items)
