"""The work lock, as commands take it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vocwatch.cli.context import Context
from vocwatch.exits import Exit, Stop
from vocwatch.scheduler import Busy, only_one


@contextmanager
def alone(state: Context) -> Iterator[None]:
    """Hold the work lock; a second vocwatch on the same data ends with one message."""
    try:
        with only_one(state.settings):
            yield
    except Busy as busy:
        raise Stop(Exit.STORAGE, str(busy)) from busy
