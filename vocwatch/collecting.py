"""Python's search for garbage in cycles, put off while very many rows are held.

It looks at every object that lives again and again, though what the stages make has no cycles: a third of their time.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Collecting:
    """Who wants no collecting now, and whether it was on before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0
        self._was_on = False

    def stop(self) -> None:
        with self._lock:
            if not self._waiting:
                self._was_on = gc.isenabled()
                gc.disable()
            self._waiting += 1

    def go_on(self) -> None:
        with self._lock:
            self._waiting -= 1
            if not self._waiting and self._was_on:
                gc.enable()


_collecting = _Collecting()


@contextmanager
def no_collecting() -> Iterator[None]:
    """Look for no garbage in cycles until the last of those who asked for this, in any thread, has ended."""
    _collecting.stop()
    try:
        yield
    finally:
        _collecting.go_on()
