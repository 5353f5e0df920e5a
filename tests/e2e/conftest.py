"""The practice web, running once for all end-to-end tests, and the demo as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from vocwatch import practice
from vocwatch.browser import find_browser
from vocwatch.settings import read_environment


@dataclass(frozen=True)
class Demo:
    """A data folder and the practice web that the demo reads."""

    data: Path
    web: Path

    @property
    def database(self) -> Path:
        return self.data / "demo" / "vocwatch.sqlite3"

    @property
    def digests(self) -> Path:
        return self.data / "demo" / "digests"

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start `vocwatch demo` in a process of its own."""
        code = "from vocwatch.cli import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, "demo", "--engine", "rules", "--json", "--web", str(self.web), *options], cwd=ROOT,
            env={**os.environ, "VOCWATCH_DATA": str(self.data), "VOCWATCH_SECRET": "demo"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def run(self) -> dict[str, Any]:
        """Run it to its end and return its summary."""
        process = self.start()
        out, err = process.communicate()
        assert process.returncode == 0, err
        return dict(json.loads(out))


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The port file of a running practice web."""
    file = tmp_path_factory.mktemp("web") / "ports.json"
    with practice.practice_web(port=0) as addresses:
        file.write_text(json.dumps({name.removeprefix("PRACTICE_").lower(): url for name, url in addresses.items()}))
        yield file


@pytest.fixture(scope="session")
def undisturbed(web: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, dict[str, Any]]:
    """One demo run from beginning to end, and its summary."""
    if find_browser(read_environment()) is None:
        pytest.skip("no browser can be launched here: the notes site is drawn by scripts")
    demo = Demo(tmp_path_factory.mktemp("undisturbed"), web)
    began = time.monotonic()
    summary = demo.run()
    return demo, {**summary, "seconds": time.monotonic() - began}
