"""Every command of these tests starts in a throw-away home, at the same moment, with nothing of the real environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`home` (a module may have its own) as the only home there is."""
    for name in [name for name in os.environ if name.startswith("VOCWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VOCWATCH_HOME", str(home))
    monkeypatch.setenv("VOCWATCH_SECRET", "test")
    monkeypatch.setenv("VOCWATCH_NOW", "2026-11-16T08:30:00")
    return home
