"""Crawls from the outside: one process for each source, under a time limit, and a closed run row whatever happens."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from crawlers import stop
from crawlers.audit import AuditLog, anchor
from crawlers.browser import needed as needs_browser
from vocwatch.lang import tr
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.settings import ConfigError, Settings, Source, checkout_root
from vocwatch.store import Store, pages, runs

AT_ONCE = 2
EXPORT = "export"
IMPORTED = "这个来源不采集：从商家后台导出后，用 vocwatch sessions import 导入"
LOOK_SECONDS = 0.5
GRACE_SECONDS = 90.0  # the worker stops by itself at rate.max_minutes; this is for pages still under way
_MARK = "VOCWATCH_RUN"  # in the environment of everything that a run starts: its folder
_PROGRESS = re.compile(r"progress (?:\w+=\d+ ?)+$")
Progress = Callable[[str, dict[str, int]], None]


@dataclass(frozen=True)
class CrawlResult:
    """How the crawl of one source ended. `records` is filled by a dry run only, which has no run id."""

    source: str
    status: SourceStatus
    reason: str | None
    stats: Mapping[str, Any] = field(default_factory=dict)
    run_id: int | None = None
    records: tuple[dict[str, Any], ...] = ()


def crawl(
    settings: Settings, store: Store, names: Sequence[str] | None = None, *, limit: int | None = None,
    dry_run: bool = False, on_progress: Progress | None = None,
) -> list[CrawlResult]:
    """Crawl the named sources (all without names), two at a time, one browser at a time.

    `limit` caps the pages of each source. Disabled sources and those told to wait end as not-run. A dry run
    returns the records as they would be stored and stores nothing. Raises ConfigError for an unknown name.
    """
    crawled = [name for name in sorted(settings.sources) if settings.sources[name].transport != EXPORT]
    sources = [_source(settings, name) for name in (names or crawled)]
    browser = threading.Lock()

    def one(source: Source) -> CrawlResult:
        if source.transport == EXPORT:  # without a run row: that would hide how its last import went
            return CrawlResult(source.name, SourceStatus.NOT_RUN, IMPORTED)
        with browser if needs_browser(source) else contextlib.nullcontext():
            if dry_run:
                return _dry_run(settings, source, limit, on_progress)
            return crawl_one(settings, store, source, limit=limit, on_progress=on_progress)

    # Browser sources first: they take longest, and only one of them runs at a time.
    first = sorted(sources, key=lambda source: not needs_browser(source))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = {result.source: result for result in pool.map(one, first)}
    return [ended[source.name] for source in sources]


def _source(settings: Settings, name: str) -> Source:
    if name in settings.sources:
        return settings.sources[name]
    near = difflib.get_close_matches(name, list(settings.sources), n=1, cutoff=0.4)
    hint = tr(f"是不是 {near[0]}？", f"Is it {near[0]}? ") if near else ""
    folder = settings.env.config / "sources"
    raise ConfigError([tr(f"{folder}: 没有来源 {name}。{hint}用 vocwatch source list 查看全部",
                          f"{folder}: no source {name}. {hint}vocwatch source list shows them all")])


def crawl_one(
    settings: Settings, store: Store, source: Source, *, limit: int | None = None,
    on_progress: Progress | None = None, time_limit: float | None = None, cancelled: threading.Event | None = None,
) -> CrawlResult:
    """Crawl one source in its own process and return how it ended; `time_limit` in seconds is for tests.

    Once `cancelled` is set the process is killed; what it has stored stays, the rest is read by the next crawl.
    """
    now = settings.clock.now()
    with store.begin() as connection:
        runs.abandon_unfinished(connection, "crawl", source.name, now)
        run_id = runs.start(connection, "crawl", source.name, now)
        state = pages.read_state(connection, source.name)
        refusal, waiting = _refusal(settings, source, state)
        # Left alone because it blocks us: that is what stands between us and the source, not that nobody tried.
        outcome = SourceStatus.BLOCKED if waiting and state.blocks else SourceStatus.NOT_RUN
        if refusal:
            log = AuditLog.of(settings, source.name, run_id)
            log.record("skip", source.start[0] if source.start else "", refusal)
            stats = {"audit": log.close()}
            runs.finish(connection, run_id, now, outcome=outcome, reason=refusal, stats=stats)
    if refusal:
        return CrawlResult(source.name, outcome, refusal, stats, run_id)
    seconds = source.rate.max_minutes * 60 + GRACE_SECONDS if time_limit is None else time_limit
    arguments = ["--run-id", str(run_id), *(["--limit", str(limit)] if limit else [])]
    ended = _work(settings, source, arguments, seconds, on_progress, cancelled)
    return _closed(settings, store, source, run_id, ended)


def _refusal(settings: Settings, source: Source, state: pages.SourceState) -> tuple[str | None, bool]:
    """Return why the source is not asked now (None: it is), and whether that is only a matter of waiting."""
    stopped = stop.stopped(settings)
    if stopped is not None:
        return f"已按总开关停止：{stopped}", False
    if not source.enabled:
        return "已停用（enabled: false）", False
    if state.next_allowed_at and settings.clock.now() < state.next_allowed_at:
        local = state.next_allowed_at.astimezone(settings.app.zone)
        if state.blocks:
            return f"上次受阻（连续 {state.blocks} 次），{local:%m-%d %H:%M:%S} 之后再试", True
        return f"对方要求 {local:%m-%d %H:%M:%S} 之后再来，还没到时间", True
    return None, False


@dataclass(frozen=True)
class Ended:
    """How a worker process ended."""

    code: int
    killed: bool
    last_line: str
    cancelled: bool = False


def _closed(settings: Settings, store: Store, source: Source, run_id: int, ended: Ended) -> CrawlResult:
    """Read the run row; where the worker left it open, close it with what is known."""
    with store.begin() as connection:
        run = runs.get(connection, run_id)
        assert run is not None
        if run.status is RunStatus.RUNNING:
            read = pages.count_pages(connection, run_id)
            outcome = SourceStatus.DEGRADED if read else SourceStatus.NOT_RUN
            if ended.cancelled:
                reason = "常驻进程停止时中断，下次从断点继续"
            elif ended.killed:
                reason = f"超时被终止（rate.max_minutes 为 {source.rate.max_minutes} 分钟）"
            else:
                reason = f"采集进程异常退出（{ended.code}）：{ended.last_line or '没有留下说明'}"
            stats = {"pages": read, "audit": anchor(settings, source.name, run_id)}
            runs.finish(connection, run_id, settings.clock.now(), RunStatus.FAILED, outcome, reason, stats)
            run = runs.get(connection, run_id)
            assert run is not None
    return CrawlResult(source.name, run.outcome or SourceStatus.NOT_RUN, run.reason, run.stats, run_id)


def _dry_run(
    settings: Settings, source: Source, limit: int | None, on_progress: Progress | None
) -> CrawlResult:
    with tempfile.TemporaryDirectory(prefix="vocwatch-") as folder:
        out = Path(folder) / "records.jsonl"
        arguments = ["--dry-run", str(out), *(["--limit", str(limit)] if limit else [])]
        seconds = source.rate.max_minutes * 60 + GRACE_SECONDS
        ended = _work(settings, source, arguments, seconds, on_progress)
        lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    verdict = json.loads(ended.last_line) if ended.last_line.startswith('{"status"') else {}
    status = SourceStatus(verdict.get("status", SourceStatus.NOT_RUN))
    reason = verdict.get("reason", None if verdict else ended.last_line)
    return CrawlResult(source.name, status, reason, verdict.get("stats", {}), None,
                       tuple(json.loads(line) for line in lines))


def _work(
    settings: Settings, source: Source, arguments: list[str], seconds: float, on_progress: Progress | None,
    cancelled: threading.Event | None = None,
) -> Ended:
    command = ["crawlers.worker", "--source", source.name, *arguments]
    return in_process(settings, command, seconds, source.name, on_progress, cancelled)


def in_process(
    settings: Settings, command: Sequence[str], seconds: float, name: str = "", on_progress: Progress | None = None,
    cancelled: threading.Event | None = None,
) -> Ended:
    """Run `python -m command` in a process group and temporary folder of its own; nothing of either is left behind."""
    with tempfile.TemporaryDirectory(prefix="vocwatch-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--with-parent"],
            cwd=checkout_root(), env=_environment(settings, folder), start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        tail: deque[str] = deque(maxlen=50)
        reader = threading.Thread(target=_listen, args=(process.stderr, tail, name, on_progress))
        reader.start()
        killed = True
        try:
            killed = not _ends_within(process, seconds, cancelled)
        finally:
            _kill_group(process)
            _kill_strays(folder)
            reader.join(10)
            process.stderr.close()
            assert process.stdin is not None
            process.stdin.close()
    return Ended(process.returncode, killed, tail[-1] if tail else "", killed and cancelled is not None and cancelled.is_set())


def _environment(settings: Settings, folder: str) -> dict[str, str]:
    env = settings.env
    return {
        **env.variables, "VOCWATCH_HOME": str(env.home), "VOCWATCH_CONFIG": str(env.config),
        "VOCWATCH_DATA": str(env.data), "VOCWATCH_DATABASE_URL": env.database_url, "VOCWATCH_NOW": env.now,
        "VOCWATCH_SECRET": env.secret, "TMPDIR": folder, _MARK: folder, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1",
    }


def _listen(stream: IO[bytes], tail: deque[str], name: str, on_progress: Progress | None) -> None:
    """Keep the last lines and pass progress on, until the worker closes its end."""
    for raw in stream:
        line = raw.decode("utf-8", "replace").strip()
        if _PROGRESS.match(line):
            if on_progress:
                on_progress(name, {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)})
        elif line:
            # The verdict of a dry run is read again and has to be whole.
            tail.append(line if line.startswith('{"status"') else line[:500])


def _ends_within(process: subprocess.Popen[bytes], seconds: float, cancelled: threading.Event | None) -> bool:
    """Wait without reaping, so that the process id can't be another's when its group is killed."""
    if cancelled is not None:  # look every half second whether anybody still wants it
        deadline = time.monotonic() + seconds
        while not cancelled.is_set() and (left := deadline - time.monotonic()) > 0:
            if _ends_within(process, min(LOOK_SECONDS, left), None):
                return True
        return False
    if not hasattr(os, "pidfd_open"):  # not Linux
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode is not None
    with selectors.DefaultSelector() as selector:
        handle = os.pidfd_open(process.pid)
        try:
            selector.register(handle, selectors.EVENT_READ)
            return bool(selector.select(seconds))
        finally:
            os.close(handle)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kill_strays(folder: str) -> None:
    """Kill what this run started and left: browsers lead process groups of their own."""
    mark = f"{_MARK}={folder}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
