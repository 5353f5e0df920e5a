"""The configuration as it changes under a running program: the last one that was in order goes on, with why the newest
is not taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from vocwatch.lang import tr
from vocwatch.settings.loader import Settings, load_settings
from vocwatch.settings.yamlfile import ConfigError

LOOK_SECONDS = 1.0
Stamp = tuple[tuple[str, int, int], ...]


def stamp(folder: Path) -> Stamp:
    """Return names, sizes and times of the configuration's files: it changes with any of them."""
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((str(path), state.st_size, state.st_mtime_ns))
    return tuple(found)


class LiveSettings:
    """Settings that follow the files. `problems` has a line for each fault of files that were not taken."""

    def __init__(self, settings: Settings, seconds: Callable[[], float] = time.monotonic):
        self._settings, self._seconds = settings, seconds
        self._stamp, self._looked = stamp(settings.env.config), seconds()
        self._lock = threading.Lock()
        self.problems: tuple[str, ...] = ()

    def now(self, at_once: bool = False) -> Settings:
        """Return the settings; the files are looked at when a second has passed, or `at_once`."""
        with self._lock:
            if at_once or self._seconds() - self._looked >= LOOK_SECONDS:
                self._looked = self._seconds()
                seen = stamp(self._settings.env.config)
                if seen != self._stamp:
                    self._take(seen)
            return self._settings

    def _take(self, seen: Stamp) -> None:
        try:
            fresh = load_settings(self._settings.env)
        except ConfigError as error:
            self.problems = tuple(error.problems)
        except OSError as error:
            self.problems = (tr(f"配置目录读不到（{error.strerror}）", f"The configuration folder can't be read ({error.strerror})"),)
        else:
            self._settings, self.problems = fresh.with_clock(self._settings.clock), ()
        self._stamp = seen
