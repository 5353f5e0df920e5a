"""Time and memory of one day over a long history: `python -m benchmarks.day`.

For each `--history` a store is filled with so many invented, judged mentions of the thirty days before (and a tenth as
many sessions), as the days before would have left it: their traces are kept. Then, for each of `--mentions`, a day of so
many new texts is stored, not judged yet, and measured in a process of its own: judging the texts (analyse), clusters,
baselines and incidents (incidents), the digest's facts (facts), and writing the digest (digest, facts included).
The table shows seconds on the clock and of the processor, and the peak memory of all processes at the same moment.

`--backfill 1000000` measures instead what it takes to judge so many stored texts of thirty days at once, a quarter of an
hour's work. A workbook of a million rows is `python -m benchmarks.exports --store`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("history", "mentions", "sessions", "analyse", "incidents", "facts", "digest", "judged", "cycle", "cpu", "peak_mb")


def main() -> None:
    """Parse the command line; measure every size over every history."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mentions", default="10000,30000,100000", help="new mentions of the day, several sizes")
    parser.add_argument("--history", default="100000,1000000", help="mentions of the days before")
    parser.add_argument("--negative", type=float, default=0.25, help="share of mentions that complain")
    parser.add_argument("--folder", type=Path, help="where the stores are made and kept; default: a temporary folder")
    parser.add_argument("--backfill", type=int, help="store, judge and tell so many texts of thirty days at once: long")
    options = parser.parse_args()
    if options.backfill:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            print(json.dumps(step("backfill", Path(folder) / "backfill.sqlite3", options.backfill, options.negative)))
        return
    sizes, histories = numbers(options.mentions), numbers(options.history)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = []
        for history in histories:
            base = (options.folder or Path(folder)) / f"history-{history}-{options.negative}.sqlite3"
            if not base.exists():
                print(json.dumps(step("fill", base, history, options.negative)), flush=True)
            for size in sizes:
                day = Path(folder) / "day.sqlite3"
                shutil.copy(base, day)
                step("store", day, size, options.negative)
                rows.append({"history": history, "mentions": size, "sessions": size // 10, **step("measure", day)})
                print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
        show(rows)


def numbers(text: str) -> list[int]:
    """Return several sizes written as 10000,100000."""
    return [int(part) for part in text.split(",")]


def step(name: str, store: Path, *values: object) -> dict[str, float]:
    """Run one step in a process of its own and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.day.steps", name, str(store), *map(str, values)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(rows: Sequence[dict[str, float]]) -> None:
    """Print the table, and how time grows with the size of the day over each history."""
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---:|" * len(COLUMNS))
    for row in rows:
        print("| " + " | ".join(f"{row[name]:,}" for name in COLUMNS) + " |")
    for history in dict.fromkeys(row["history"] for row in rows):
        own = [row for row in rows if row["history"] == history]
        for one, two in [*pairwise(own), *([(own[0], own[-1])] if len(own) > 2 else [])]:
            times = two["mentions"] / one["mentions"]
            print(
                f"history {history:,}: {one['mentions']:,} → {two['mentions']:,} a day (× {times:.1f}): judged × "
                f"{two['judged'] / one['judged']:.1f}, cycle × {two['cycle'] / one['cycle']:.1f}"
            )


if __name__ == "__main__":
    main()
