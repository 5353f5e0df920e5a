"""The practice web, running once for all end-to-end tests, and the demo as a user starts it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.ready import Nursery, Worker
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
            [sys.executable, "-c", code, *self._arguments, *options], cwd=ROOT, env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    @property
    def _arguments(self) -> list[str]:
        return ["demo", "--engine", "rules", "--json", "--web", str(self.web)]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "VOCWATCH_DATA": str(self.data), "VOCWATCH_SECRET": "demo"}

    def strike(self, nursery: Nursery, moment: float) -> bool:
        """Start it (its imports are done; its crawls start as always) and kill -9 it at `moment` seconds.

        Returns False where it had ended before.
        """
        process = Worker(nursery, ["vocwatch.cli.app", *self._arguments], ROOT, self._environment)
        heard = threading.Thread(target=process.stderr.read)
        heard.start()
        handle = os.pidfd_open(process.pid)  # it is not reaped yet, so the id is still its own
        running = not select.select([handle], [], [], moment)[0]
        os.close(handle)
        if running:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        heard.join()
        process.stderr.close()
        return running

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
