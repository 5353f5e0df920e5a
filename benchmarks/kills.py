"""kill -9 of the crawl worker, many times: `python -m benchmarks.kills [--n 300] [--seed 1] [--json]`.

Chains of kills over one database each: every named point, before and after, at several calls, and random moments.
After each kill the database is checked and every page that it names is read from the evidence folder. A chain ends
when a run has come through; an undisturbed run must then give the rows of a crawl that was never killed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.faults.kills import KILLED, ONCE, POINTS, WHENS, Figures, Range, allowed_unfinished, forum

CHAIN = 12
POSTS = 60


def plans(count: int, seed: int) -> list[dict[str, Any]]:
    """Every point before and after at its first calls, then random moments, in random order."""
    chance = random.Random(seed)
    named: list[dict[str, Any]] = [
        {"point": point, "when": when, "at": at}
        for point in POINTS for when in WHENS for at in ((1,) if point in ONCE else (1, 2, 3))
    ]
    chance.shuffle(named)
    chosen = named[:count]
    chosen += [{"after": chance.uniform(0.02, 0.8)} for _ in range(count - len(chosen))]
    chance.shuffle(chosen)
    return chosen


def home(folder: Path, name: str) -> Path:
    """Return a new home with the shipped configuration."""
    shutil.copytree(ROOT / "config", folder / name / "config")
    return folder / name


def main() -> int:
    """Kill, check, print; returns 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures, different = Figures(), 0
    site = forum(POSTS)
    with tempfile.TemporaryDirectory(prefix="vw-kills-") as scratch:
        folder = Path(scratch)
        whole = Range(home(folder, "whole"), site)
        expected = whole.finish()
        whole.close()
        todo = iter(plans(2 * given.n, given.seed))
        while figures.killed < given.n:
            chain = Range(home(folder, f"chain{len(figures.strikes)}"), site)
            for plan in itertools.islice(todo, CHAIN):
                figures.strikes.append(chain.strike(**plan))
                if figures.strikes[-1].code != KILLED:
                    break
            different += chain.finish() != expected
            chain.close()
            sys.stderr.write(f"{figures.killed} / {given.n} killed\n")
    site.close()
    told = {
        "runs": len(figures.strikes), "killed": figures.killed, "chains_with_other_rows": different,
        "most_pages_to_fetch_again": figures.most_unfinished, "allowed": allowed_unfinished(),
        "done_pages_fetched_again": figures.fetched_twice,
    }
    print(json.dumps(told) if given.json else "\n".join(f"{name}: {value}" for name, value in told.items()))
    return int(bool(different or figures.fetched_twice or figures.most_unfinished > allowed_unfinished()))


if __name__ == "__main__":
    sys.exit(main())
