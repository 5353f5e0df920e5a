"""The global kill switch: `crawler.stopped` in vocwatch.yaml, or a file `STOP` in the data folder.

Looked at before each request, at most once a second, so that crawls under way stop too.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings import ConfigError, Settings
from vocwatch.settings.yamlfile import read_yaml

LOOK_SECONDS = 1.0
MAX_BYTES = 4000


class StopSwitch:
    """Says whether everything is stopped, and why."""

    def __init__(self, settings: Settings):
        self._file = path(settings)
        self._yaml = settings.env.config / "vocwatch.yaml"
        self._configured = settings.app.crawler.stopped
        self._changed = _stamp(self._yaml)
        self._looked = float("-inf")
        self._reason: str | None = None

    def reason(self) -> str | None:
        """Return why everything is stopped, or None. Costs two looks at the disk a second."""
        moment = time.monotonic()
        if moment - self._looked >= LOOK_SECONDS:
            self._looked, self._reason = moment, self._look()
        return self._reason

    def _look(self) -> str | None:
        stamp = _stamp(self._yaml)
        if stamp != self._changed:
            self._changed, self._configured = stamp, _configured(self._yaml, self._configured)
        if self._configured:
            return tr(f"{self._yaml} 里 crawler.stopped 为 true", f"crawler.stopped is true in {self._yaml}")
        return _told(self._file)


def path(settings: Settings) -> Path:
    """Return where the stop file lies."""
    return settings.env.data / "STOP"


def stopped(settings: Settings) -> str | None:
    """Return why everything is stopped at this moment, or None."""
    return StopSwitch(settings).reason()


def stop_all(settings: Settings, reason: str) -> Path:
    """Stop everything; a second call replaces the reason. Raises OSError."""
    target = path(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".STOP.{os.getpid()}")
    stored = {"reason": one_line(reason, 300), "at": settings.clock.now().isoformat(timespec="seconds")}
    draft.write_text(json.dumps(stored, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(target)
    return target


def resume_all(settings: Settings) -> bool:
    """Take the stop file away; False when there was none. `crawler.stopped` stays as it is. Raises OSError."""
    try:
        path(settings).unlink()
    except FileNotFoundError:
        return False
    return True


def _told(file: Path) -> str | None:
    """The reason in the stop file; any file of that name stops, also an empty or unreadable one."""
    try:
        with file.open("rb") as handle:
            text = handle.read(MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError:
        text = ""
    try:
        stored = json.loads(text)
    except ValueError:
        stored = text
    told = stored.get("reason", "") if isinstance(stored, dict) else stored
    return one_line(told, 300).strip() or tr("没有写原因", "no reason given")


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _configured(file: Path, before: bool) -> bool:
    """What the file says now; a half-written one changes nothing."""
    try:
        tree: Any = read_yaml(file)
        section = tree["crawler"]
        return section.get("stopped", False) is True
    except (ConfigError, KeyError, TypeError, AttributeError):
        return before
