"""Crawling with storing, evidence and validation against plain spiders, in alternating runs.

`python -m benchmarks.crawl [--threads 800] [--rounds 5] [--concurrency 8 16] [--crawlee PYTHON] [--json]`

Every contestant crawls the same replayed forum (pages of 15 to 60 KB, delay 0) from an empty folder; the order turns
from round to round. Ratios are taken within a round, so that a busy machine weighs on both sides, and the median of
them is shown. Time includes the start of the process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.crawl import contestants
from benchmarks.crawl.contestants import ROOT, Contestant, Lap

TARGETS = {
    ("seconds", "plain"): 1.15, ("seconds", "defaults"): 0.95, ("seconds", "crawlee"): 1.0, ("peak_mb", "plain"): 1.5,
}
RECRAWL_SHARE = 0.05


class Forum:
    """The replay server as the benchmark sees it."""

    def __init__(self, threads: int, latency: float):
        command = [
            sys.executable, "-m", "benchmarks.crawl.server", "--threads", str(threads), "--latency", str(latency),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        self.facts: dict[str, int] = json.loads(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.facts['port']}"

    def counts(self) -> dict[str, int]:
        """Return what was asked and sent since the last call."""
        with urllib.request.urlopen(f"{self.url}/-/count", timeout=30) as answer:
            return dict(json.load(answer))

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vw-bench-") as folder:
        yield Path(folder)


def one_lap(forum: Forum, contestant: Contestant, concurrency: int) -> Lap:
    """Crawl once from nothing. Raises RuntimeError where not every page was asked for exactly once."""
    forum.counts()
    with scratch() as folder:
        lap = contestant(forum.url, concurrency, folder)
    asked, expected = forum.counts(), forum.facts
    records = expected["threads"] + expected["comments"]
    if asked["pages"] != expected["pages"] or lap.records != records:
        raise RuntimeError(f"{asked} pages, {lap.records} records; expected {expected['pages']} and {records}")
    return lap


def race(forum: Forum, field: dict[str, Contestant], concurrency: int, rounds: int) -> dict[str, list[Lap]]:
    """Let all run in turn; who begins changes from round to round."""
    laps: dict[str, list[Lap]] = {name: [] for name in field}
    for number in range(rounds):
        names = list(field)
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            laps[name].append(one_lap(forum, field[name], concurrency))
            cost = laps[name][-1].cost
            sys.stderr.write(f"{concurrency:3} {name:9} {cost.seconds:6.2f} s {cost.cpu:6.2f} s CPU {cost.peak_mb:4.0f} MB\n")
    return laps


def recrawl(forum: Forum, concurrency: int) -> dict[str, float]:
    """Crawl twice; the site has not changed in between."""
    with scratch() as folder:
        environment = contestants.prepare(forum.url, concurrency, folder)
        told = []
        for _ in range(2):
            forum.counts()
            lap = contestants.vocwatch_again(environment, folder)
            told.append((forum.counts(), lap))
    (first, _), (second, again) = told
    return {
        "first_bytes": first["bytes"], "second_bytes": second["bytes"], "share": second["bytes"] / first["bytes"],
        "second_pages": second.get("pages", 0), "second_not_modified": second.get("not_modified", 0),
        "second_seconds": again.cost.seconds,
    }


def summary(laps: dict[str, list[Lap]], pages: int) -> list[dict[str, Any]]:
    """Medians for each contestant, and vocwatch's ratios to it from the same round."""
    rows = []
    for name, run in laps.items():
        row: dict[str, Any] = {"name": name}
        for what in ("seconds", "cpu", "peak_mb"):
            own = [getattr(lap.cost, what) for lap in run]
            ours = [getattr(lap.cost, what) for lap in laps["vocwatch"]]
            row[what] = statistics.median(own)
            row[f"{what}_ratio"] = statistics.median(us / them for us, them in zip(ours, own, strict=True))
        row["pages_per_second"] = pages / row["seconds"]
        rows.append(row)
    return rows


def table(concurrency: int, rows: list[dict[str, Any]]) -> str:
    lines = [
        f"\nconcurrency {concurrency}",
        "| | seconds | pages/s | CPU s | peak MB | vocwatch / it: time | CPU | memory |", "|---|" + "---:|" * 7,
    ]
    for row in rows:
        ratios = [_ratio(row, what) for what in ("seconds", "cpu", "peak_mb")]
        lines.append(
            f"| {row['name']} | {row['seconds']:.2f} | {row['pages_per_second']:.0f} | {row['cpu']:.2f} | "
            f"{row['peak_mb']:.0f} | {' | '.join(ratios)} |"
        )
    return "\n".join(lines)


def _ratio(row: dict[str, Any], what: str) -> str:
    target = TARGETS.get((what, row["name"]))
    value = row[f"{what}_ratio"]
    if row["name"] == "vocwatch":
        return ""
    return f"{value:.2f}" + (f" (≤ {target}: {'yes' if value <= target else 'NO'})" if target else "")


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl", description=__doc__)
    parser.add_argument("--threads", type=int, default=800, help="detail pages; a listing page for each 25")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--crawlee", help="an interpreter that has crawlee[parsel]")
    parser.add_argument("--only", nargs="+", help="of vocwatch, plain, defaults, crawlee")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    field: dict[str, Contestant] = {
        "vocwatch": contestants.vocwatch, "plain": contestants.plain, "defaults": contestants.defaults,
    }
    if given.crawlee and shutil.which(given.crawlee):
        field["crawlee"] = contestants.crawlee(given.crawlee)
    if given.only:
        field = {name: run for name, run in field.items() if name in given.only or name == "vocwatch"}
    forum = Forum(given.threads, given.latency)
    try:
        races = {n: race(forum, field, n, given.rounds) for n in given.concurrency}
        again = recrawl(forum, given.concurrency[0])
        facts = forum.facts
    finally:
        forum.close()
    results = {n: summary(laps, facts["pages"]) for n, laps in races.items()}
    if given.json:
        sys.stdout.write(json.dumps({"site": facts, "races": results, "recrawl": again}, ensure_ascii=False) + "\n")
        return
    print(f"{facts['pages']} pages of {facts['smallest'] / 1024:.0f}-{facts['largest'] / 1024:.0f} KB, "
          f"{facts['threads'] + facts['comments']} records, {given.rounds} alternating rounds")
    for concurrency, rows in results.items():
        print(table(concurrency, rows))
    print(f"\nre-crawl of the unchanged site: {again['second_bytes'] / 1024:.0f} of {again['first_bytes'] / 1024:.0f} KB, "
          f"{again['share']:.1%} (≤ {RECRAWL_SHARE:.0%}: {'yes' if again['share'] <= RECRAWL_SHARE else 'NO'}), "
          f"{again['second_pages']:.0f} requests, {again['second_not_modified']:.0f} answered 304")


if __name__ == "__main__":
    main()
