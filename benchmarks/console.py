"""The console under a million mentions and fifty people: `python -m benchmarks.console [--database URL]`.

Fills a database as `benchmarks.query` does (or takes one that it left: `--database`), serves the console in a process of
its own, and tells of each page the median server time of nine requests and how long a real Chromium takes until the page
can be used (its scripts ran) and until its charts stand. Then fifty people browse for a while, each reading a page for a second or three before the
next, while a writer stores judged mentions as a crawl does: requests, median, 95th percentile, longest, errors.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from benchmarks.day.filler import DAY
from benchmarks.query.filler import QueryFiller
from benchmarks.query.steps import LAST, WORD
from reports.web.app import make_app
from reports.web.serve import listen
from tests.web.login import secret_of, somebody
from vocwatch.browser import find_browser, launch_options
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store

ROOT = Path(__file__).resolve().parents[1]
MONTH = f"since={LAST - dt.timedelta(days=27)}&until={LAST}"
PAGES = {
    "today": "/", "incidents": "/incidents", "incident": "/incidents/INC-089-0", "mentions": f"/mentions?{MONTH}",
    "search": f"/mentions?{MONTH}&q={WORD}", "search, all time": f"/mentions?q={WORD}", "mention": "/mentions/5000",
    "facets (part)": f"/mentions/facets?{MONTH}", "topics": "/topics", "topics, 90 days": f"/topics?since={LAST - dt.timedelta(days=89)}&until={LAST}",
    "sessions": "/sessions", "compare (form)": "/topics/compare", "page 20": f"/mentions?{MONTH}&page=20",
}
BROWSED = tuple(path for name, path in PAGES.items() if "part" not in name)
TIMES = 9


def settings_for(folder: Path) -> Settings:
    """The shipped settings at noon of the day after the last full one."""
    environment = {"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "bench", "VOCWATCH_DATA": str(folder), "VOCWATCH_NOW": f"{DAY}T12:00:00"}
    return load_settings(read_environment(environment))


def main() -> None:
    """Parse the command line, measure, print the tables. `serve` and `write` are the parts with processes of their own."""
    if len(sys.argv) > 2 and sys.argv[1] in ("serve", "write"):
        (serve if sys.argv[1] == "serve" else write)(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--database", default="", help="an address that benchmarks.query filled")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{Path(folder) / 'console.sqlite3'}"
        if not options.database:
            subprocess.run([sys.executable, "-m", "benchmarks.query.steps", "fill", url, str(options.mentions)], cwd=ROOT, check=True)
        settings = settings_for(Path(folder))
        store = open_store(url)
        secret = secret_of(settings, store, somebody(settings, store, "analyst", "bench"))
        store.close()
        with child("serve", url, folder) as server:
            address = str(json.loads(server.stdout.readline())["address"])  # type: ignore[union-attr]
            pages = server_times(address, secret, server.pid)
            if not options.no_browser:
                for name, found in browser_times(address, secret).items():
                    pages[name] |= found
            with child("write", url, folder):
                browsing = asyncio.run(people(address, secret, options.people, options.seconds))
    show(pages, browsing)


@contextmanager
def child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a part of this in a process of its own until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.console", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def serve(url: str, folder: str) -> None:
    """Serve the console on a free port and say where."""
    import uvicorn

    settings, store = settings_for(Path(folder)), Store(url)
    socket = listen("127.0.0.1", 0)
    print(json.dumps({"address": f"http://127.0.0.1:{socket.getsockname()[1]}"}), flush=True)
    uvicorn.Server(uvicorn.Config(
        make_app(settings, store), access_log=False, log_config=None, lifespan="off", ws="none", http="h11", limit_concurrency=200,
    )).run(sockets=[socket])


def write(url: str, folder: str) -> None:
    """Store judged mentions in small batches, as a crawl and the analysis after it do, until told to stop."""
    settings, store = settings_for(Path(folder)), Store(url)
    filler = QueryFiller(settings, store)
    first = 50_000_000 + os.getpid() * 1000
    while True:
        filler._mentions(DAY, range(first, first + 20), True)
        first += 20
        time.sleep(0.2)


def server_times(address: str, secret: str, server: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each page: the first request, the median of some more, and what these cost the server's processor
    (which stays the same on a machine that others use as well).
    """
    found: dict[str, dict[str, float]] = {}
    with httpx.Client(base_url=address, cookies={"vocwatch": secret}, timeout=60, trust_env=False) as client:
        for name, path in PAGES.items():
            first = timed(client, path)
            before = busy(server)
            taken = statistics.median(timed(client, path) for _ in range(TIMES))
            found[name] = {"first_ms": first, "server_ms": taken, "cpu_ms": (busy(server) - before) / TIMES}
            print(name, found[name], file=sys.stderr, flush=True)
    return found


def busy(process: int) -> float:
    """Milliseconds of processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(client: httpx.Client, path: str) -> float:
    """Ask for a page; milliseconds. Anything but 200 ends the measurement."""
    began = time.perf_counter()
    answer = client.get(path)
    spent = 1000 * (time.perf_counter() - began)
    assert answer.status_code == 200, (path, answer.status_code)
    return spent


def browser_times(address: str, secret: str) -> dict[str, dict[str, float]]:
    """Milliseconds from asking until the page's scripts have run (it can be used), and until its charts are drawn."""
    binary = find_browser(read_environment({"VOCWATCH_HOME": str(ROOT)}))
    if binary is None:
        return {}
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(binary))
        context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "vocwatch", "value": secret, "url": address}])
        page = context.new_page()
        for name, path in PAGES.items():
            if "part" in name:
                continue
            ready, drawn = [], []
            for _ in range(3):
                page.goto(path)
                ready.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
                page.wait_for_function("() => [...document.querySelectorAll('figure[data-chart]')].every(f => f.dataset.drawn)")
                drawn.append(page.evaluate("performance.now()"))
            found[name] = {"interactive_ms": statistics.median(ready), "charts_ms": statistics.median(drawn)}
        browser.close()
    return found


async def people(address: str, secret: str, number: int, seconds: int) -> dict[str, float]:
    """Let people browse; what their requests took."""
    spent: list[float] = []
    wrong: list[str] = []
    ends = time.perf_counter() + seconds
    async with httpx.AsyncClient(
        base_url=address, cookies={"vocwatch": secret}, timeout=60, trust_env=False, limits=httpx.Limits(max_connections=number)
    ) as client:
        await asyncio.gather(*(person(client, random.Random(seed), ends, spent, wrong) for seed in range(number)))
    spent.sort()
    return {
        "people": number, "seconds": seconds, "requests": len(spent), "median_ms": statistics.median(spent), "p95_ms": spent[int(0.95 * len(spent))],
        "longest_ms": spent[-1], "errors": len(wrong),
    }


async def person(client: httpx.AsyncClient, draw: random.Random, ends: float, spent: list[float], wrong: list[str]) -> None:
    """One person: a page, a while of reading, the next page."""
    await asyncio.sleep(draw.uniform(0, 2))
    while time.perf_counter() < ends:
        path = draw.choice(BROWSED)
        began = time.perf_counter()
        try:
            answer = await client.get(path)
            if answer.status_code != 200:
                wrong.append(f"{path} {answer.status_code}")
        except httpx.HTTPError as error:
            wrong.append(f"{path} {error!r}")
        spent.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(draw.uniform(1, 3))


def show(pages: dict[str, dict[str, float]], browsing: dict[str, float]) -> None:
    """Print both tables."""
    columns = ("first_ms", "server_ms", "cpu_ms", "interactive_ms", "charts_ms")
    print("| page | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for name, row in pages.items():
        print(f"| {name} | " + " | ".join(f"{row[key]:.0f}" if key in row else "" for key in columns) + " |")
    print("\n| " + " | ".join(browsing) + " |\n|" + "---:|" * len(browsing))
    print("| " + " | ".join(f"{value:.0f}" for value in browsing.values()) + " |")


if __name__ == "__main__":
    main()
