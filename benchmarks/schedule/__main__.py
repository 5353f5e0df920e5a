"""Entry: `python -m benchmarks.schedule days [--days 60] [--seed 1]`, `redline [--n 50]`, `slots [--slots 1000]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from benchmarks.schedule import days, redline, slots


def main() -> int:
    """Parse the command line, run, print; exit code 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("days", "redline", "slots"), default="days")
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800, help="at most so long in real time")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    parser.add_argument("--n", type=int, default=50, help="trials of redline")
    parser.add_argument("--slots", type=int, default=1000)
    given = parser.parse_args()
    if given.what == "slots":
        rows = slots.races(given.slots)
        print(slots.report(rows))
        return int(slots.wrong(rows))
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory(prefix="vocwatch-schedule-") as name:
        Path(name).mkdir(parents=True, exist_ok=True)
        if given.what == "redline":
            print(redline.report(redline.trials(Path(name), given.n, given.seed)))
            return 0
        figures = days.simulate(Path(name), given.days, given.seed, given.seconds)
        print(days.report(figures))
        return int(bool(figures.wrong() or figures.lost or figures.unmarked or not figures.finished))


if __name__ == "__main__":
    sys.exit(main())
