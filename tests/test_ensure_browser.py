"""`python -m vocwatch.browser` tells tools/ensure-browser.sh whether anything has to be installed."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT


def ask(chromium: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vocwatch.browser"], cwd=ROOT, env={**os.environ, "VOCWATCH_CHROMIUM": chromium},
        capture_output=True, text=True, check=False,
    )


def test_a_browser_that_cannot_be_launched_is_none() -> None:
    told = ask("/nonexistent")
    assert told.returncode == 1 and "playwright install" in told.stderr


def test_the_makefile_asks_before_it_installs() -> None:
    script = (ROOT / "tools" / "ensure-browser.sh").read_text(encoding="utf-8")
    assert "-m vocwatch.browser" in script and script.index("have()") < script.index("apt-get install")
