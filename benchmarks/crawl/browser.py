"""Browser pages: vocwatch's handler against scrapy-playwright and plain Playwright, in alternating runs.

    python -m benchmarks.crawl.browser race --runs 5 [--concurrency 1]
    python -m benchmarks.crawl.browser soak --pages 1000

`race` times whole processes, start and end included, and adds up the processor time of all their children. `handler` is
the same small spider as scrapy-playwright's over vocwatch's download handler; `vocwatch` is a whole crawl, which also asks
robots.txt, checks the pages, stores the mentions and keeps the evidence. `soak` draws many pages, some of which crash, hang or pop up windows, kills the browser
now and then, and counts what is left over. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crawl.browser_site import PAGES

ROOT = Path(__file__).resolve().parents[2]
CONTESTANTS = ("handler", "vocwatch", "scrapy-playwright", "playwright")
_SUBREAPER = 36  # prctl: processes whose parent has ended become ours, so that their processor time is counted
_SOURCE = """
name: race
title: race
owner: QA
access: {{basis: benchmark, robots: allowed, impact: local, reviewer: QA, date: 2026-11-01}}
transport: browser
rate: {{delay_seconds: 0, concurrency: {concurrency}}}
start: [{starts}]
listing:
  extract: html
  records:
    - kind: comment
      items: div.item
      fields: {{native_id: "@data-id", text: p.text}}
"""
_CONFIG = """
brand: {{name: 松果匣, watch: songguoxia}}
crawler: {{contact: "https://example.com/vocwatch", default_delay_seconds: 0, allow_private_hosts: ["127.0.0.1:{port}"]}}
"""


@contextmanager
def site(pages: int) -> Iterator[int]:
    """Serve the pages in a process of their own; yields the port."""
    command = [sys.executable, "-m", "benchmarks.crawl.browser_site", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _browsers(given: argparse.Namespace) -> tuple[str, str]:
    """Which browser each side takes by itself; Playwright without one of its own is given the one on PATH."""
    from vocwatch.browser import candidates
    from vocwatch.settings import read_environment

    found = candidates(read_environment())
    if not found:
        raise SystemExit("no browser found")
    own = next((path for path in found if "ms-playwright" in path), found[-1])
    return given.ours or found[0], given.theirs or own


def _environment(home: Path, port: int, concurrency: int, browser: str) -> dict[str, str]:
    """Write a home for vocwatch's worker and return the environment of all contestants."""
    (home / "config" / "sources").mkdir(parents=True)
    for path in (ROOT / "config").glob("*.yaml"):
        (home / "config" / path.name).write_bytes(path.read_bytes())
    starts = ", ".join(f'"http://127.0.0.1:{port}/p/{n}"' for n in range(PAGES))
    (home / "config" / "sources" / "race.yaml").write_text(
        _SOURCE.format(concurrency=concurrency, starts=starts), encoding="utf-8"
    )
    (home / "config" / "vocwatch.yaml").write_text(_CONFIG.format(port=port), encoding="utf-8")
    return {
        **os.environ, "VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "race", "VOCWATCH_CHROMIUM": browser,
        "PYTHONPATH": str(ROOT),
    }


@dataclass(frozen=True)
class Cost:
    """What one contestant took."""

    seconds: float
    cpu: float


def _once(name: str, port: int, given: argparse.Namespace) -> Cost:
    ours, theirs = _browsers(given)
    with tempfile.TemporaryDirectory(prefix="vocwatch-race-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        environment = _environment(home, port, given.concurrency, ours)
        if name == "vocwatch":
            command = [sys.executable, "-m", "crawlers.worker", "--source", "race", "--run-id", _prepared(environment)]
        else:
            command = [sys.executable, "-m", "benchmarks.crawl.browser", "rival", name, "--port", str(port),
                       "--concurrency", str(given.concurrency), "--theirs", theirs]
        cost, told = _run(command, {**environment, "TMPDIR": folder})
        read = _stored(home) if name == "vocwatch" else int(told.split()[-1])
    if read < PAGES * 40:
        raise SystemExit(f"{name} read only {read} posts")
    return cost


def _run(command: list[str], environment: dict[str, str]) -> tuple[Cost, str]:
    """Run a command to its end, and wait for whatever it leaves behind."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    told = subprocess.run(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    seconds = time.monotonic() - began
    for child in _orphans():
        os.waitpid(child, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu), told.stdout.decode()


def _orphans() -> list[int]:
    """Children that are no longer anybody else's: all but the site."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in children if b"browser_site" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _prepared(environment: dict[str, str]) -> str:
    """Make the database, as a scheduler would have long ago, and return the id of a new run."""
    from vocwatch.settings import load_settings, read_environment
    from vocwatch.store import open_store, runs

    settings = load_settings(read_environment(environment))
    store = open_store(settings.env.database_url)
    with store.begin() as connection:
        number = runs.start(connection, "crawl", "race", settings.clock.now())
    store.close()
    return str(number)


def _stored(home: Path) -> int:
    import sqlite3

    [path] = (home / "var").glob("*.sqlite3")
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM mentions").fetchone()[0])
    finally:
        connection.close()


def race(given: argparse.Namespace) -> None:
    """Alternate the contestants and print the medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in CONTESTANTS}
    with site(PAGES) as port:
        for number in range(given.runs):
            for name in CONTESTANTS:
                costs[name].append(_once(name, port, given))
                print(f"{number + 1}/{given.runs} {name:18s} {costs[name][-1].seconds:6.2f} s", file=sys.stderr)
    seconds = {name: statistics.median(cost.seconds for cost in found) for name, found in costs.items()}
    cpu = {name: statistics.median(cost.cpu for cost in found) for name, found in costs.items()}
    ours, theirs = _browsers(given)
    print(f"{PAGES} pages, {given.concurrency} at a time, median of {given.runs}; vocwatch: {ours}; others: {theirs}")
    for name in CONTESTANTS:
        print(f"{name:18s} {seconds[name]:6.2f} s  {PAGES / seconds[name]:6.1f} pages/s  "
              f"{seconds[name] / seconds['handler']:5.2f} x the handler's time  {cpu[name]:6.2f} s of processor "
              f"({cpu[name] / cpu['handler']:.2f} x)")


# -- the others -----------------------------------------------------------------------------------------------


def rival(given: argparse.Namespace) -> None:
    """Run one of the others over the pages and print how many posts it saw."""
    urls = [f"http://127.0.0.1:{given.port}/p/{n}" for n in range(PAGES)]
    launch = {"executable_path": given.theirs, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}
    if given.name == "handler":
        _scrapy(urls, given.concurrency, _ours(given.port))
    elif given.name == "playwright":
        print(asyncio.run(_plain(urls, launch, given.concurrency)))
    else:
        _scrapy_playwright(urls, launch, given.concurrency)


async def _plain(urls: list[str], launch: dict[str, object], concurrency: int) -> int:
    from playwright.async_api import async_playwright

    gate = asyncio.Semaphore(concurrency)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch)  # type: ignore[arg-type]
        context = await browser.new_context()

        async def read(url: str) -> int:
            async with gate:
                page = await context.new_page()
                await page.goto(url)
                html = await page.content()
                await page.close()
                return html.count('<div class="item')

        total = sum(await asyncio.gather(*map(read, urls)))
        await browser.close()
    return total


def _scrapy_playwright(urls: list[str], launch: dict[str, object], concurrency: int) -> None:
    handler = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
    settings = {"DOWNLOAD_HANDLERS": {"http": handler, "https": handler}, "PLAYWRIGHT_LAUNCH_OPTIONS": launch}
    _scrapy(urls, concurrency, (settings, {"playwright": True}, None))


Given = tuple[dict[str, object], dict[str, object], object]


def _ours(port: int) -> Given:
    """Settings, request meta and run of a spider over vocwatch's handler."""
    from crawlers.browser import browser_meta, scrapy_settings
    from crawlers.context import RunContext
    from vocwatch.settings import load_settings

    settings = load_settings()
    source = settings.sources["race"]
    return scrapy_settings(settings, source), browser_meta(source), RunContext(settings, source)


def _scrapy(urls: list[str], concurrency: int, given: Given) -> None:
    """Crawl with the smallest spider and print how many posts it saw."""
    import scrapy
    from scrapy.crawler import CrawlerProcess

    settings, meta, run = given
    seen = []

    class Race(scrapy.Spider):
        name = "race"
        context = run

        async def start(self):  # type: ignore[no-untyped-def]
            for url in urls:
                yield scrapy.Request(url, meta=meta)

        def parse(self, response, **kwargs):  # type: ignore[no-untyped-def]
            for item in response.css("div.item"):
                seen.append(1)
                yield {"id": item.attrib["data-id"], "text": item.css("p.text::text").get()}

    process = CrawlerProcess({
        **settings, "CONCURRENT_REQUESTS": concurrency, "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        "LOG_LEVEL": "WARNING",
    })
    process.crawl(Race)
    process.start()
    print(len(seen))


def main() -> None:
    """Entry point."""
    from benchmarks.crawl.browser_soak import soak

    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl.browser", description=__doc__)
    commands = parser.add_subparsers(required=True)
    racing = commands.add_parser("race")
    racing.add_argument("--runs", type=int, default=5)
    racing.set_defaults(work=race)
    other = commands.add_parser("rival")
    other.add_argument("name", choices=CONTESTANTS)
    other.add_argument("--port", type=int, required=True)
    other.set_defaults(work=rival)
    for command in (racing, other):
        command.add_argument("--concurrency", type=int, default=1)
        command.add_argument("--ours", default="", help="browser for vocwatch; otherwise the one it finds")
        command.add_argument("--theirs", default="", help="browser for the others; otherwise Playwright's or the one on PATH")
    soaking = commands.add_parser("soak")
    soaking.add_argument("--pages", type=int, default=1000)
    soaking.add_argument("--concurrency", type=int, default=2)
    soaking.set_defaults(work=lambda given: print(json.dumps(soak(given.pages, given.concurrency), indent=1)))
    given = parser.parse_args()
    began = time.monotonic()
    given.work(given)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
