"""kill -9 at random moments, then a re-run: the rows are those of an undisturbed run."""

from __future__ import annotations

import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.rows import rows

CHAINS = 2
KILLS_EACH = 6


@pytest.mark.browser
def test_a_dozen_kills_at_random_moments_leave_the_same_rows(
    undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path
) -> None:
    whole, summary = undisturbed
    length = 0.45 * summary["seconds"]  # a run over known ground is shorter than the first
    moments = random.Random(20261115)

    def chain(number: int, strikes: list[float]) -> tuple[Demo, int]:
        demo = Demo(tmp_path / f"chain{number}", whole.web)
        return demo, sum(strike(demo, moment) for moment in strikes)

    plans = [[moments.uniform(0.3, length) for _ in range(KILLS_EACH)] for _ in range(CHAINS)]
    with ThreadPoolExecutor(2) as pool:  # two at a time: a crash must not depend on having the machine alone
        ended = list(pool.map(chain, range(CHAINS), plans))
    assert sum(killed for _, killed in ended) >= CHAINS * KILLS_EACH / 2, "most strikes must hit a running demo"
    expected = rows(whole.database)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].run(), ended))
    for demo, _ in ended:
        found = rows(demo.database)
        for table in expected:
            assert found[table] == expected[table], table


def strike(demo: Demo, moment: float) -> bool:
    """Start the demo and kill -9 its main process at `moment` seconds; False where it had ended before."""
    process = demo.start()
    try:
        process.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False
