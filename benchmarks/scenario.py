"""Run vocwatch over a simulated world (a folder with build.py, serve.py, export_sessions.py, score.py) day by day.

    python -m benchmarks.scenario --kit ../shared/scenario --days 36-42 --work var/scenario

For each day: the world's web is moved to that day's end, all six sites are crawled, the day's export imported,
texts judged, incidents built, and the digest written. Then the kit's own scorer reads digests and posts, and the
posts that were visible on the sites are compared with what was stored.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.judgement.posts import four_classes

ROOT = Path(__file__).resolve().parents[1]
SITES = ("reviews", "notes", "forum", "complaints", "news", "video")


def main() -> None:
    """Parse the command line, run the days, print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kit", type=Path, default=ROOT.parent / "shared" / "scenario")
    parser.add_argument("--world", default="dev")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", default="36-42")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "scenario")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--config", type=Path, default=ROOT / "tests" / "scenario" / "config")
    parser.add_argument("--engine", default="auto")
    options = parser.parse_args()
    first, _, last = options.days.partition("-")
    days = range(int(first), int(last or first) + 1)
    world = options.work / f"world-{options.world}-{options.seed}"
    if not (world / "truth.json").exists():
        run([sys.executable, "build.py", "--world", options.world, "--days", "42", "--seed", str(options.seed),
             "--out", str(world.resolve())], options.kit)
    start = dt.date.fromisoformat(json.loads((world / "world.json").read_text(encoding="utf-8"))["start_date"])
    rows = []
    with serving(options, world, days[0]):
        for day in days:
            rows.append(one_day(options, world, start, day))
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    report(options, world, start, days, rows)


def run(command: list[str], where: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command, its standard error shown; raises where it fails in an unexpected way."""
    done = subprocess.run(command, cwd=where, env={**os.environ, **extra}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 6):
        raise SystemExit(f"{command} ended with {done.returncode}\n{done.stdout}")
    return done


@contextmanager
def serving(options: argparse.Namespace, world: Path, day: int) -> Iterator[None]:
    """Serve the world on loopback while the body runs."""
    process = subprocess.Popen(
        [sys.executable, "serve.py", "--data", str(world.resolve()), "--port", str(options.port), "--day", str(day),
         "--log", str(options.work.resolve() / "access.jsonl")],
        cwd=options.kit, stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


def control(options: argparse.Namespace, path: str) -> str:
    """Ask the kit's control port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{options.port}{path}") as answer:
        return str(answer.read().decode())


def one_day(options: argparse.Namespace, world: Path, start: dt.date, day: int) -> dict[str, object]:
    """Crawl, import, judge and write the digest of one simulated day; returns its figures."""
    now = control(options, f"/__control__/day?n={day}")
    date = start + dt.timedelta(days=day - 1)
    exports = options.work / "exports"
    exports.mkdir(parents=True, exist_ok=True)
    wanted = range(1, day + 1) if not (options.work / "data").exists() else [day]
    files = []
    for number in wanted:  # the first import brings the history
        kind, suffix = [("xlsx", "xlsx"), ("csv-gbk", "csv"), ("jsonl", "jsonl")][number % 3]
        files.append(exports / f"day{number:02d}.{suffix}")
        run([sys.executable, "export_sessions.py", "--data", str(world.resolve()), "--day", str(number), "--format", kind,
             "--out", str(files[-1].resolve())], options.kit)
    began = time.monotonic()
    command = [sys.executable, "-c", "from vocwatch.cli import main; main()", "--now", now + "+08:00", "run", "--date",
               date.isoformat(), "--out", str((options.work / "digests").resolve()), "--engine", options.engine]
    for file in files:
        command += ["--sessions", str(file.resolve())]
    run(command, ROOT, **variables(options))
    digest = json.loads((options.work / "digests" / f"digest-{date}.json").read_text(encoding="utf-8"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "day": day, "seconds": round(time.monotonic() - began, 1), "peak_child_mb": used.ru_maxrss // 1024,
        "level": digest["level"], "risks": len(digest["risks"]),
        "coverage": {name: f"{entry['status']} {entry['read']}/{entry['expected']}" for name, entry in digest["coverage"]["sources"].items()},
    }


def variables(options: argparse.Namespace) -> dict[str, str]:
    """The environment that points vocwatch at the simulated sites."""
    ports = {f"SCENARIO_{site.upper()}_PORT": str(options.port + number) for number, site in enumerate(SITES, 1)}
    return {**ports, "VOCWATCH_CONFIG": str(options.config.resolve()), "VOCWATCH_DATA": str((options.work / "data").resolve()),
            "VOCWATCH_SECRET": "scenario"}


def report(options: argparse.Namespace, world: Path, start: dt.date, days: range, rows: list[dict[str, object]]) -> None:
    """Print collection against truth, and the scorer's own output."""
    posts = options.work / "posts.jsonl"
    run([sys.executable, "-c", "from vocwatch.cli import main; main()", "query", "mentions", "--format", "jsonl", "--out",
         str(posts.resolve())], ROOT, **variables(options))
    found = [four_classes(json.loads(line)) for line in posts.open(encoding="utf-8")]
    posts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")
    truth = json.loads((world / "truth.json").read_text(encoding="utf-8"))
    visible = visible_posts(world, truth, start, days)
    # A follow-up review or a reply stands at its review's address; it is no second copy of it.
    paths = Counter(path_of(row["url"]) for row in found if row["kind"] not in ("append", "reply"))
    missing = sorted(visible - set(paths))
    print(json.dumps({
        "visible_brand_posts": len(visible), "stored": len(visible) - len(missing),
        "share": round(1 - len(missing) / max(1, len(visible)), 4), "duplicates": sum(n - 1 for n in paths.values()),
        "missing": missing[:20], "mentions": len(found), "seconds": sum(float(str(r["seconds"])) for r in rows),
    }, ensure_ascii=False, indent=1))
    digests = [str(options.work.resolve() / "digests" / f"digest-{start + dt.timedelta(days=day - 1)}.json") for day in days]
    print(run([sys.executable, "score.py", "--truth", str((world / "truth.json").resolve()), "--posts", str(posts.resolve()),
               "--digest", *digests], options.kit).stdout)


def path_of(url: str) -> str:
    """An address without host; a comment keeps its fragment."""
    path = "/" + url.split("://", 1)[-1].partition("/")[2].split("?")[0].split("#")[0]
    return path + (f"#{url.split('#', 1)[1]}" if "#c-" in url else "")


def visible_posts(world: Path, truth: dict[str, object], start: dt.date, days: range) -> set[str]:
    """Brand posts that a site showed at the end of at least one of the days (a feed shows its newest 30)."""
    brand = {p["url"] for p in truth["posts"] if p["brand_match"] and "#" not in p["url"]}  # type: ignore[attr-defined]
    rows = [json.loads(line) for line in (world / "posts.jsonl").open(encoding="utf-8")]
    faults = json.loads((world / "faults.json").read_text(encoding="utf-8"))["rules"]
    seen: set[str] = set()
    for day in days:
        end = f"{start + dt.timedelta(days=day - 1)}T23:59:59"
        blind = {rule["site"] for rule in faults if day in rule.get("days", [])}
        alive = [r for r in rows if r["created"] <= end and not (r["deleted_at"] and r["deleted_at"] <= end)]
        for site in set(SITES) - blind:
            listed = sorted((r for r in alive if r["site"] == site), key=lambda r: r["created"], reverse=True)
            seen |= {r["path"] for r in (listed[:30] if site == "news" else listed)}
    return seen & brand


if __name__ == "__main__":
    main()
