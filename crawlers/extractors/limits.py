"""Saying so when a limit cut something off: no part of a page is left out silently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Only the text of one record; everything else on the page was read.
LONG_TEXT = "正文超过 10 万字，只存了开头"

_noted: ContextVar[dict[str, None] | None] = ContextVar("noted", default=None)


def cut(what: str) -> None:
    """Note that something on the page at hand was cut off; `what` is said to the user."""
    noted = _noted.get()
    if noted is not None:
        noted[what] = None


@contextmanager
def noting() -> Iterator[dict[str, None]]:
    """Collect what `cut` notes inside."""
    noted: dict[str, None] = {}
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)
