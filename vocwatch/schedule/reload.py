"""Taking over a changed configuration without stopping, and never a broken one.

The schedule works from a copy of the last configuration that was in order (`VOCWATCH_DATA/schedule/`), so that the
crawl processes it starts read that one too, however broken the files are meanwhile.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from crawlers.extractors import SpecError, check_source
from vocwatch.lang import tr
from vocwatch.reasons import spoken
from vocwatch.settings import ConfigError, Settings, load_settings
from vocwatch.settings.live import Stamp, stamp
from vocwatch.settings.yamlfile import MAX_BYTES

LOOK_SECONDS = 5.0
KEPT = 5
_QUOTED = re.compile(r"[^\s\"',{}]+")


class Reloader:
    """Looks at the configuration folder. `settings` are the ones that were read from it at the start."""

    def __init__(
        self, settings: Settings, progress: Callable[[str], None] = lambda line: None,
        seconds: Callable[[], float] = time.monotonic,
    ):
        self._env, self._clock = settings.env, settings.clock
        self._progress, self._seconds = progress, seconds
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._stamp: Stamp = ()
        self._begun_with: set[str] = set()
        self.problem: str | None = None
        self.settings = settings
        fresh = self._take()
        self.settings = fresh or settings

    def look(self) -> Settings | None:
        """Return the settings when they have changed and are in order; at most every five seconds."""
        if self._seconds() - self._looked < LOOK_SECONDS:
            return None
        self._looked = self._seconds()
        return self._take()

    def _take(self) -> Settings | None:
        with self._lock:
            seen = stamp(self._env.config)
            if seen == self._stamp:
                return None
            self._stamp = seen
            try:
                fresh = load_settings(self._env)
                if unusable := self._spoilt(fresh):
                    self._refused(unusable)
                    return None
                copy = self._copied()
            except ConfigError as error:
                self._refused(error.problems)
                return None
            except OSError as error:
                self._refused([tr(f"{self._env.config}: 读不到（{error.strerror}）", f"{self._env.config}: unreadable ({error.strerror})")])
                return None
            if stamp(self._env.config) != seen:
                self._stamp = ()  # it changed while it was read: once more
                return None
            if self._looked > float("-inf") and (self.problem is not None or copy != self.settings.env.config):
                self._progress(tr("配置已生效", "The configuration is in use"))
            self.problem = None
            self.settings = replace(fresh, env=replace(self._env, config=copy)).with_clock(self._clock)
            return self.settings

    def _spoilt(self, fresh: Settings) -> list[str]:
        """What no page could be read with, but for the sources of which that was so when the schedule began."""
        found = _unusable(fresh)
        if self._looked == float("-inf"):
            self._begun_with = set(found)
        return [problem for name, problem in found.items() if name not in self._begun_with]

    def _refused(self, problems: list[str]) -> None:
        self.problem = "\n".join(problems)
        self._progress(tr(
            f"配置改动有 {len(problems)} 处问题，不采用，继续按上一份运行：", f"The changed configuration has {len(problems)} "
            "problem(s); it is not taken, the last good one goes on:",
        ))
        for problem in problems:
            self._progress("  " + problem)

    def _copied(self) -> Path:
        """Copy the folder to where it is not edited, under the hash of its content. Raises OSError."""
        files = sorted(path for path in self._env.config.rglob("*.yaml") if path.is_file() and path.stat().st_size <= MAX_BYTES)
        contents = {path.relative_to(self._env.config): path.read_bytes() for path in files}
        digest = hashlib.sha256()
        for name, content in contents.items():
            digest.update(str(name).encode() + b"\0" + hashlib.sha256(content).digest())
        place = self._env.data / "schedule" / f"config-{digest.hexdigest()[:16]}"
        if not place.is_dir():
            half = place.with_name(f".{place.name}.half")
            shutil.rmtree(half, ignore_errors=True)
            for name, content in contents.items():
                target = half / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            half.replace(place)
        place.touch()
        older = sorted(place.parent.glob("config-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in older[KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
        return place


def _unusable(settings: Settings) -> dict[str, str]:
    """Return the sources with a selector or path that can't be used, and of each the first with its file and line."""
    found = {}
    for name, source in settings.sources.items():
        try:
            check_source(source)
        except SpecError as error:
            path = settings.env.config / "sources" / f"{name}.yaml"
            found[name] = f"{path}:{_line(path, str(error))}: {spoken(str(error))}"
    return found


def _line(path: Path, told: str) -> int:
    """The line on which stands the longest word that the message quotes."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = sorted({word for line in lines for word in _QUOTED.findall(line) if word in told}, key=len)
    return next((number for number, line in enumerate(lines, 1) if words and words[-1] in line), 1)
