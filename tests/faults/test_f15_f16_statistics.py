"""F15, F16: what the judgement of a run catches and whom it accuses, counted over thousands of simulated runs.

    python -m tests.faults.test_f15_f16_statistics     prints the figures
"""

from __future__ import annotations

import copy
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.faults.simulated import Simulated
from vocwatch.models import SourceStatus
from vocwatch.settings import Source

HISTORY = 20
VOLUMES = (3, 8, 25, 60)  # posts a day
# fault, share of pages, posts a day, within how many runs, at least this share of sources
CASES = [
    ("drift", 1.0, 3, 1, 0.85), ("drift", 1.0, 25, 1, 1.0), ("drift", 0.3, 25, 1, 0.97), ("drift", 0.05, 60, 3, 0.95),
    ("field", 1.0, 25, 1, 1.0), ("field", 0.3, 25, 1, 0.97), ("field", 0.05, 60, 3, 0.95),
    ("dates", 1.0, 25, 1, 1.0), ("dates", 0.3, 25, 1, 0.97), ("dates", 0.05, 60, 3, 0.95),
    ("soft_empty", 1.0, 3, 1, 0.95), ("soft_empty", 1.0, 25, 1, 1.0), ("one_search", 1.0, 25, 1, 1.0),
    ("empty", 1.0, 8, 1, 0.97), ("empty", 0.3, 25, 1, 0.97), ("stale", 1.0, 25, 1, 0.85), ("visitor", 1.0, 25, 1, 1.0),
    ("visitor", 0.3, 25, 1, 0.88), ("decoy", 1.0, 25, 1, 0.95), ("comments", 1.0, 25, 1, 0.97),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return a_source(tmp_path_factory.mktemp("statistics"))


def a_source(home: Path) -> Source:
    shutil.copytree(ROOT / "config", home / "config")
    lab = Lab(home)
    lab.forum("forum", "http://127.0.0.1:1")
    return lab.settings().sources["forum"]


def healthy(source: Source, sources: int, runs: int) -> tuple[int, int, Counter[str]]:
    """(source-days, those with a wrong accusation, its kinds) of sources in good order."""
    days, flagged, kinds = 0, 0, Counter[str]()
    for number in range(sources):
        one = Simulated(number, source, VOLUMES[number % 4], every_hours=(24, 6, 24)[number % 3])
        accused = False
        a_day = round(24 / one.every_hours)
        days += runs
        for step in range(runs * a_day):
            status, reason = one.run()
            accused = (status is not SourceStatus.OK) or (step % a_day > 0 and accused)
            flagged += accused and step % a_day == a_day - 1
            kinds.update([re.sub(r"[\d.]+", "N", reason)[:60]] if reason else [])
    return days, flagged, kinds


def caught(source: Source, fault: str, share: float, volume: float, within: int, sources: int) -> float:
    """The share of sources whose fault is told within so many runs of its beginning."""
    hits = 0
    for number in range(sources):
        one = grown(1000 + number, source, volume)
        one.fault, one.share = fault, share
        hits += any(one.run()[0] is not SourceStatus.OK for _ in range(within))
    return hits / sources


_GROWN: dict[tuple[int, float], Simulated] = {}


def grown(seed: int, source: Source, volume: float) -> Simulated:
    """A source with a history; grown once and copied."""
    if (seed, volume) not in _GROWN:
        one = _GROWN[seed, volume] = Simulated(seed, source, volume)
        for _ in range(HISTORY):
            one.run()
    return copy.deepcopy(_GROWN[seed, volume])


def test_f15_f16_false_flags_are_fewer_than_one_in_a_hundred_days(source: Source) -> None:
    days, flagged, kinds = healthy(source, 24, 50)
    print(f"healthy source-days {days}, wrong accusations {flagged} ({flagged / days:.2%})", dict(kinds))
    assert days >= 1000 and flagged <= 0.01 * days, kinds


@pytest.mark.parametrize(("fault", "share", "volume", "within", "least"), CASES)
def test_f15_f16_faults_are_caught(
    source: Source, fault: str, share: float, volume: float, within: int, least: float
) -> None:
    assert caught(source, fault, share, volume, within, 12) >= least - 1 / 12


def main() -> None:
    """Print the figures over many more runs than the tests take."""
    with tempfile.TemporaryDirectory() as folder:
        source = a_source(Path(folder))
    days, flagged, kinds = healthy(source, 80, 60)
    print(f"healthy source-days {days}: wrong accusations {flagged} ({flagged / days:.2%})")
    for reason, count in kinds.most_common(12):
        print("   ", count, reason)
    for fault, share, volume, within, _ in [*CASES, ("drift", 0.05, 20, 3, 0), ("dates", 0.05, 20, 3, 0),
                                            ("drift", 0.05, 20, 6, 0), ("drift", 0.3, 8, 1, 0)]:
        print(f"{fault:10} {share:4.0%} of pages, {volume:2} posts a day, within {within} runs: "
              f"{caught(source, fault, share, volume, within, 60):.0%}")


if __name__ == "__main__":
    main()
