"""A clock that several processes step and read, and that survives any of them."""

from __future__ import annotations

import datetime as dt
import mmap
import struct
from pathlib import Path

_WHERE = struct.Struct("dd")


class SharedClock:
    """Wall clock and stop-watch in a file."""

    def __init__(self, path: Path, begin: dt.datetime | None = None):
        if begin is not None:
            path.write_bytes(_WHERE.pack(begin.timestamp(), 1000.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _WHERE.size)

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(_WHERE.unpack(self._memory[:])[0], dt.UTC)

    def seconds(self) -> float:
        return float(_WHERE.unpack(self._memory[:])[1])

    def step(self, by: dt.timedelta) -> None:
        wall, seconds = _WHERE.unpack(self._memory[:])
        self._memory[:] = _WHERE.pack(wall + by.total_seconds(), seconds + by.total_seconds())
