"""The memory of a process and of those it started, at the same moment."""

from __future__ import annotations

import os
import threading
from pathlib import Path

EVERY = 0.05  # seconds


class Peak(threading.Thread):
    """Looks at the memory as long as it runs; `take` gives the highest value since it was last asked, in MB.

    Of processes that were started the pages count that are their own, and their part of shared ones (Linux).
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._highest = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until told to end."""
        while not self._ended.wait(EVERY):
            self._look()

    def take(self) -> int:
        """Return the highest memory since the last time, in MB."""
        self._look()
        with self._lock:
            highest, self._highest = self._highest, 0.0
        return round(highest)

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _look(self) -> None:
        now = _own() + sum(map(_shared, _children(os.getpid())))
        with self._lock:
            self._highest = max(self._highest, now)


def _own() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _shared(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _children(process: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        try:
            found += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue
    return found + [grandchild for child in found for grandchild in _children(child)] if found else []
