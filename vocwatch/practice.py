"""Running the bundled practice web (examples/practice) beside a command."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vocwatch.lang import tr
from vocwatch.settings.env import checkout_root

NOW = "2026-11-16T08:30:00+08:00"
BASE_PORT = 8710
START_SECONDS = 20


class PracticeError(Exception):
    """The practice web did not come up."""


def folder() -> Path:
    """Where the practice web lies in this checkout."""
    return checkout_root() / "examples" / "practice"


def write_exports(out: Path) -> list[Path]:
    """Write the practice brand's customer-service exports into `out` and return them, in order of name."""
    command = [sys.executable, str(folder() / "exports.py"), str(out), "--now", NOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise PracticeError(tr(f"练习用的客服导出写不出来：{said}", f"The practice exports can't be written: {said}"))
    return sorted(path for path in out.iterdir() if not path.name.startswith("."))


@contextmanager
def practice_web(now: str = NOW, port: int = BASE_PORT) -> Iterator[dict[str, str]]:
    """Serve the practice web on loopback; yields the variables that its source files ask for.

    The usual ports are taken where they are free, so that addresses stay the same from run to run.
    """
    with tempfile.TemporaryDirectory(prefix="vocwatch-practice-") as scratch:
        for wanted in (port, 0):
            ready = Path(scratch) / f"ports-{wanted}.json"
            process = subprocess.Popen(
                [sys.executable, str(folder() / "serve.py"), "--port", str(wanted), "--now", now, "--port-file",
                 str(ready), "--lifeline"],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            )
            try:
                sites = _wait(process, ready)
                if sites is not None:
                    yield _variables(sites)
                    return
            finally:
                process.terminate()
                try:
                    process.communicate(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()
        raise PracticeError(tr("练习网站启动失败：127.0.0.1 上没有可用的端口", "The practice web did not start: no free port on 127.0.0.1"))


def running_web(port_file: Path) -> dict[str, str]:
    """Return the variables of a practice web that is already running, from the port file it wrote."""
    try:
        return _variables(json.loads(port_file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise PracticeError(tr(
            f"{port_file}: 读不出练习网站的地址（{error}）。它由 serve.py --port-file 写出",
            f"{port_file}: no addresses of a practice web in it ({error}). serve.py --port-file writes it",
        )) from error


def _variables(sites: dict[str, str]) -> dict[str, str]:
    return {f"PRACTICE_{site.upper()}": address for site, address in sites.items()}


def _wait(process: subprocess.Popen[bytes], ready: Path) -> dict[str, str] | None:
    """Wait for the port file; None when the process ended first (its ports are taken)."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if ready.exists() and ready.stat().st_size:
            return dict(json.loads(ready.read_text(encoding="utf-8")))
        if process.poll() is not None:
            return None
        time.sleep(0.05)
    return None
