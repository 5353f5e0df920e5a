"""Running one child process and saying what it took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one process took, its start included. `peak_mb` is the kernel's ru_maxrss."""

    seconds: float
    cpu: float
    peak_mb: float
    told: str


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command to its end. Raises RuntimeError with its last words when it fails."""
    errors = folder / "stderr.txt"
    with (folder / "stdout.txt").open("wb") as out, errors.open("wb") as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=out, stderr=err, env={**environment, "TMPDIR": str(folder)}, stdin=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} …: {errors.read_text(errors='replace')[-2000:]}")
    told = (folder / "stdout.txt").read_text(encoding="utf-8")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, told)
