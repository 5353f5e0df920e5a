"""Many pages through one pool of tabs, some of them out to break it, and a browser that is killed now and then."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from crawlers.browser_pool import Pool
from crawlers.browser_visit import Decision, Failed, Limits, Loaded, Slow
from crawlers.fetch import Refusal
from crawlers.hosts import HostRules
from vocwatch.settings import read_environment
from vocwatch.settings.sources import Browser

TROUBLE = {
    "dialogs": "<script>for (let i = 0; i < 40; i++) { alert(i); confirm(i); prompt(i); print() }</script><p class=ok>ok",
    "popups": "<script>for (let i = 0; i < 100; i++) open('/fine/pop' + i)</script><p class=ok>ok",
    "memory": "<script>const all = []; for (;;) all.push(new Array(1e6).fill(Math.random()))</script>",
    "loop": "<p class=ok>ok<script>for (;;);</script>",
    "leaving": "<p class=ok>ok<script>onbeforeunload = () => 'stay'; onunload = () => { for (;;); }</script>",
    "download": "",
    "silent": "",
    "fine": "<p class=ok></p><script>document.querySelector('p').textContent = 'ok'</script>",
}
EACH = 25  # of so many pages one makes trouble
KILL_EACH = 60  # and after so many the browser is killed from outside, or frozen


def plan(pages: int, each: int = EACH) -> list[str]:
    """Return which page is asked for when: fine ones with every kind of trouble among them in turn."""
    kinds = [kind for kind in TROUBLE if kind != "fine"]
    return [kinds[n // each % len(kinds)] if n % each == each - 1 else "fine" for n in range(pages)]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
            kind = path.split("/")[1]
            if kind == "silent":
                await asyncio.sleep(3600)
            extra = "Content-Disposition: attachment; filename=a.bin\r\n" if kind == "download" else ""
            body = f"<!doctype html><meta charset=utf-8>{TROUBLE.get(kind, '')}".encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
    except (OSError, EOFError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def trouble_site() -> AsyncIterator[str]:
    """Serve the pages of TROUBLE under /<kind>/<anything>; yields host:port."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def allow(url: str, asked: str) -> Decision:
    """Let every document pass."""
    return Decision()


async def read(pool: Pool, url: str, seconds: float = 60) -> str:
    """Return what came of a page: ok, or the kind of what went wrong."""
    try:
        loaded: Loaded = await pool.run(lambda tab: tab.load(url, {}, Browser(), allow), seconds)
    except Refusal as error:
        return error.kind
    except Slow:
        return "timeout"
    except Failed as error:
        return error.kind or "network"
    return "ok" if ">ok<" in loaded.html else "empty"


def soak(
    pages: int, concurrency: int = 2, each: int = EACH, kill_each: int = KILL_EACH,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, object]:
    """Read so many pages and return what came of them and what is left over afterwards."""
    return asyncio.run(_soak(plan(pages, each), concurrency, kill_each, progress))


async def _soak(
    kinds: list[str], concurrency: int, kill_each: int, progress: Callable[[int], None]
) -> dict[str, object]:
    environment = read_environment()
    outcomes: dict[str, Counter[str]] = {kind: Counter() for kind in TROUBLE}
    began, most = time.monotonic(), 0
    async with trouble_site() as host:
        limits = Limits(3, 1_000_000, 4_000_000, grace=1.5)
        pool = Pool(environment, "Asia/Shanghai", HostRules([host]), "vocwatch/soak", limits, concurrency)
        waiting = asyncio.Queue[tuple[int, str]]()
        for numbered in enumerate(kinds):
            waiting.put_nowait(numbered)

        async def work() -> None:
            nonlocal most
            while not waiting.empty():
                number, kind = waiting.get_nowait()
                outcome = await read(pool, f"http://{host}/{kind}/{number}")
                if kind == "fine" and outcome == "timeout":  # a crawl asks again, too
                    outcome = await read(pool, f"http://{host}/{kind}/{number}")
                outcomes[kind][outcome] += 1
                if number % kill_each == kill_each - 1:
                    how = signal.SIGSTOP if number // kill_each % 2 else signal.SIGKILL
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(pool.started[-1], how)
                most = max(most, len(living(pool.started)))
                progress(number)

        await asyncio.gather(*(work() for _ in range(concurrency)))
        await pool.close()
        free = pool.free
    return {
        "pages": len(kinds), "outcomes": {kind: dict(seen) for kind, seen in outcomes.items()},
        "counts": dict(pool.counts), "free_places": free, "places": concurrency,
        "processes_at_most": most, "left_over": living(pool.started), "seconds": round(time.monotonic() - began, 1),
    }


def living(sessions: Collection[int]) -> list[str]:
    """Command lines of the processes that belong to these sessions."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session = (entry / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()[:4]
            if int(session) in sessions and state != "Z":
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200])
        except OSError:
            continue
    return found
