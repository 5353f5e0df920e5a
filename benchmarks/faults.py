"""Every fault of a simulated world on every site: how each run ends, in a table. No fault may pass for quiet.

    python -m benchmarks.faults --kit ../shared/scenario --work var/faults

All six sites are crawled in good order for some days (which counts the wrong accusations); each fault then begins on
a copy of that history. A cell is wrong where a run ended ok although the fault kept something from being read.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.scenario import SITES
from crawlers.runner import CrawlResult, crawl
from vocwatch.models import SourceStatus
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import open_store
from vocwatch.store.schema import mentions, revisions

ROOT = Path(__file__).resolve().parents[1]
BAD = SourceStatus.OK, SourceStatus.EMPTY
ACCIDENT = 0.02  # texts that a good run may miss, of its pages, if the next run brings them
# name, rule, days it lasts
FAULTS: list[tuple[str, dict[str, Any], int]] = [
    *((kind, {"fault": kind}, 1) for kind in (
        "too_many", "forbidden", "server_error", "captcha", "login", "soft_empty", "schema_drift", "slow", "truncate",
        "gzip_bomb", "malformed_json", "robots_error", "robots_disallow",
    )),
    ("redirect inward", {"fault": "redirect", "to": "local"}, 1),
    ("redirect metadata", {"fault": "redirect", "to": "metadata"}, 1),
    *((f"{kind} 30 %", {"fault": kind, "rate": 0.3}, 1) for kind in (
        "too_many", "forbidden", "server_error", "captcha", "login", "soft_empty", "schema_drift", "truncate",
        "malformed_json",
    )),
    *((f"{kind} first 3", {"fault": kind, "first": 3}, 1) for kind in ("captcha", "login", "soft_empty", "schema_drift")),
    ("schema_drift 5 %", {"fault": "schema_drift", "rate": 0.05}, 3),
    ("login 5 %", {"fault": "login", "rate": 0.05}, 3),
]


@dataclass
class World:
    """A served world and the homes that crawl it."""

    work: Path
    port: int
    config: Path

    def environment(self, database: Path, now: str) -> dict[str, str]:
        ports = {f"SCENARIO_{site.upper()}_PORT": str(self.port + n) for n, site in enumerate(SITES, 1)}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, **ports, "VOCWATCH_HOME": str(ROOT), "VOCWATCH_CONFIG": str(self.config),
                "VOCWATCH_DATA": str(self.work / "data"), "VOCWATCH_DATABASE_URL": f"sqlite:///{database}",
                "VOCWATCH_SECRET": "faults", "VOCWATCH_NOW": now}

    def day(self, number: int) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__control__/day?n={number}") as answer:
            return str(answer.read().decode()) + "+08:00"

    def rule(self, *rules: dict[str, Any]) -> None:
        """Let rules loose on each site by itself, so that the first requests are each site's own."""
        apart = [{"site": site, **rule} for rule in rules for site in SITES]
        (self.work / "faults.json").write_text(json.dumps({"rules": apart}))
        time.sleep(0.4)  # the server looks at the file five times a second

    def hits(self) -> Counter[str]:
        lines = (self.work / "access.jsonl").read_text(encoding="utf-8").splitlines()
        return Counter(row["site"] for row in map(json.loads, lines) if row["fault"])

    def crawl(self, database: Path, day: int, sites: Sequence[str]) -> dict[str, CrawlResult]:
        settings = load_settings(read_environment(self.environment(database, self.day(day))))
        store = open_store(settings.env.database_url)
        try:
            return {result.source: result for result in crawl(settings, store, list(sites))}
        finally:
            store.close()


def texts(database: Path) -> dict[str, set[tuple[str, str]]]:
    """(native id, text) of every stored mention, by source."""
    query = sa.select(mentions.c.source, mentions.c.native_id, revisions.c.text).join(
        revisions, revisions.c.id == mentions.c.revision_id)
    engine = sa.create_engine(f"sqlite:///{database}")
    found: dict[str, set[tuple[str, str]]] = {site: set() for site in SITES}
    with engine.connect() as connection:
        for source, native_id, text in connection.execute(query):
            found[source].add((native_id, text))
    engine.dispose()
    return found


@contextmanager
def serving(options: argparse.Namespace, world: Path) -> Iterator[World]:
    """Serve the world on loopback while the body runs."""
    (options.work / "faults.json").write_text('{"rules": []}')
    process = subprocess.Popen(
        [sys.executable, "serve.py", "--data", str(world), "--port", str(options.port), "--day", "1",
         "--faults", str(options.work / "faults.json"), "--log", str(options.work / "access.jsonl")],
        cwd=options.kit, stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield World(options.work, options.port, options.config)
    finally:
        process.terminate()
        process.wait()


def healthy(world: World, database: Path, days: range, browser_from: int, sites: Sequence[str]) -> dict[str, Any]:
    """Crawl day after day in good order; returns the number of runs and whom was accused wrongly."""
    runs, wrong = 0, []
    for day in days:
        now = [site for site in sites if site != "video" or day >= browser_from]
        for name, result in world.crawl(database, day, now).items():
            runs += 1
            if result.status is not SourceStatus.OK:
                wrong.append(f"{name} day {day}: {result.status.value} {result.reason}")
        print(f"day {day}: {runs} runs, {len(wrong)} wrong accusations", flush=True)
    return {"runs": runs, "wrong": wrong}


def one_fault(
    world: World, history: Path, clean: dict[str, set[tuple[str, str]]], rule: dict[str, Any], days: range, sites: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Let a fault loose on a copy of the history; returns how each site's runs ended."""
    database = world.work / "fault.sqlite3"
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(history, database)
    shutil.rmtree(world.work / "data" / "robots", ignore_errors=True)  # a good copy of the day would hide its faults
    before, cells = world.hits(), {site: {"status": [], "reason": "", "wrong": False} for site in sites}
    world.rule(rule)
    for day in days:
        for site, result in world.crawl(database, day, sites).items():
            cells[site]["status"].append(result.status.value)
            cells[site]["reason"] = result.reason or cells[site]["reason"]
            cells[site]["faults"] = result.stats.get("faults", [])
            cells[site]["pages"] = result.stats.get("pages", 0)
    world.rule()
    read, after = texts(database), world.hits()
    for site, cell in cells.items():
        quiet = set(cell["status"]) <= {status.value for status in BAD}
        lost, odd = len(clean[site] - read[site]), len(read[site] - clean[site])
        cell.update(hits=after[site] - before[site], lost=lost, odd=odd, quiet=quiet, wrong=quiet and bool(odd))
    # Where a run ended well and yet missed something, an accident is what the next run makes good by itself.
    missed = [site for site, cell in cells.items() if cell["quiet"] and cell["lost"]]
    if missed:
        world.crawl(database, days[-1], missed)
        read = texts(database)
    for site in missed:
        cells[site]["caught_up"] = clean[site] <= read[site]
        few = cells[site]["lost"] <= max(1, ACCIDENT * cells[site]["pages"])
        cells[site]["wrong"] |= not (few and cells[site]["caught_up"])
    return cells


def table(rows: dict[str, dict[str, dict[str, Any]]], sites: Sequence[str]) -> str:
    """The matrix as Markdown."""
    lines = ["| fault | " + " | ".join(sites) + " |", "|---" * (len(sites) + 1) + "|"]
    for name, cells in rows.items():
        shown = []
        for site in sites:
            cell = cells.get(site)
            if cell is None:
                shown.append("")
                continue
            mark = "**WRONG** " if cell["wrong"] else ""
            calm = f"{cell['lost']} texts late by one run" if cell["lost"] else "nothing lost"
            note = cell["reason"] or (calm if cell["hits"] else "not touched")
            shown.append(f"{mark}{' → '.join(cell['status'])}: {note[:110]}".replace("|", "\\|"))
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    """Parse the command line, build, crawl, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kit", type=Path, default=ROOT.parent / "shared" / "scenario")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "faults")
    parser.add_argument("--config", type=Path, default=ROOT / "tests" / "scenario" / "config")
    parser.add_argument("--world", default="dev")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--port", type=int, default=8400)
    parser.add_argument("--days", default="17-36", help="days in good order; faults begin two days later")
    parser.add_argument("--browser-days", type=int, default=6, help="of these, how many the browser site is crawled")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--sites", default=",".join(SITES))
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    sites = options.sites.split(",")
    first, _, last = options.days.partition("-")
    days = range(int(first), int(last) + 1)
    built = options.work / f"world-{options.world}-{options.seed}"
    if not (built / "truth.json").exists():
        subprocess.run([sys.executable, "build.py", "--world", options.world, "--days", "42", "--seed", str(options.seed),
                        "--out", str(built)], cwd=options.kit, check=True, stdout=subprocess.DEVNULL)
    history = options.work / "history.sqlite3"
    with serving(options, built) as world:
        good_file = options.work / "healthy.json"
        if not history.exists():
            good_file.write_text(json.dumps(
                healthy(world, history, days, days[-1] + 1 - options.browser_days, sites), ensure_ascii=False))
        good = json.loads(good_file.read_text())
        rows = faults(world, history, days[-1] + 2, sites, options.only)
    wrong = [f"{name} × {site}" for name, cells in rows.items() for site, cell in cells.items() if cell["wrong"]]
    (options.work / "faults-table.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    print(table(rows, sites))
    print(f"\n{good['runs']} healthy runs: wrong accusations {len(good['wrong'])}", *good["wrong"], sep="\n")
    print(f"{sum(map(len, rows.values()))} cells: shown as quiet {len(wrong)}", *wrong, sep="\n")
    raise SystemExit(1 if wrong or good["wrong"] else 0)


def faults(world: World, history: Path, day: int, sites: Sequence[str], only: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Every fault in turn, against what a run in good order reads on the same days."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    clean: dict[int, dict[str, set[tuple[str, str]]]] = {}
    for name, rule, lasting in FAULTS:
        if only not in name:
            continue
        if lasting not in clean:
            one_fault(world, history, {site: set() for site in sites}, {"fault": "none", "path": "^$"},
                      range(day, day + lasting), sites)
            clean[lasting] = texts(world.work / "fault.sqlite3")
        began = time.monotonic()
        rows[name] = one_fault(world, history, clean[lasting], rule, range(day, day + lasting), sites)
        shown = {site: "/".join(cell["status"]) + (" WRONG" if cell["wrong"] else "") for site, cell in rows[name].items()}
        print(f"{name} ({time.monotonic() - began:.0f} s): {shown}", flush=True)
    return rows


if __name__ == "__main__":
    main()
