"""The audit log of a crawl: one line for each decision to fetch or not to fetch, chained by hashes.

A file per run under `data/audit/<business date>/<source>-<run>.jsonl`. Each line holds the sha256 of the line before
it, the first one that of its own path; the last hash and the number of lines stand in the run's row. A line that is
changed, moved, left out or added breaks the chain. Written in whole lines with each batch, so that a kill costs at
most what was not written yet.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
from scrapy import Request, signals
from scrapy.crawler import Crawler

from vocwatch.clock import business_date
from vocwatch.lang import tr
from vocwatch.plain import one_line, safe_url
from vocwatch.settings import Settings
from vocwatch.store import StorageError

Decision = Literal["fetch", "refuse", "halt", "skip"]
ROBOTS_VERDICT = "robots_verdict"  # meta key: what robots.txt said of a request
MAX_LINES = 200
MAX_SECONDS = 5.0
_VERDICTS = {"robots": "disallow", "robots_unreachable": "unreachable"}


class AuditLog:
    """Writes the lines of one run. Nothing is created before the first line."""

    def __init__(self, folder: Path, source: str, run: str, now: Callable[[], dt.datetime], day: dt.date):
        self._folder, self._source, self._run, self._now = folder, source, run, now
        self._day = day
        self._lines: list[bytes] = []
        self._handle: int | None = None
        self._written = time.monotonic()
        self._name = ""
        self._last = ""
        self.count = 0

    @classmethod
    def of(cls, settings: Settings, source: str, run_id: int | None, label: str = "test") -> AuditLog:
        """Return the log of a run; one without a run row (a try-out) is named after its moment and process."""
        moment = settings.clock.now().astimezone(settings.app.zone)
        run = str(run_id) if run_id is not None else f"{label}-{moment:%H%M%S}-{os.getpid()}"
        return cls(folder(settings), source, run, settings.clock.now, business_date(moment, settings.app.zone))

    def record(self, decision: Decision, url: str, why: str = "", robots: str = "") -> None:
        """Add a line. Raises StorageError when lines can't be written."""
        if self._handle is None:
            self._open()
        self.count += 1
        line = orjson.dumps({
            "n": self.count, "at": self._now().isoformat(timespec="milliseconds"), "source": self._source,
            "run": self._run, "url": safe_url(url), "decision": decision, "why": one_line(why, 300),
            "robots": robots, "prev": self._last,
        })
        self._last = hashlib.sha256(line).hexdigest()
        self._lines.append(line)
        if len(self._lines) >= MAX_LINES or time.monotonic() - self._written > MAX_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand the waiting lines to the system in one write. Raises StorageError."""
        self._written = time.monotonic()
        if not self._lines or self._handle is None:
            return
        block = b"\n".join(self._lines) + b"\n"
        try:
            while block:
                block = block[os.write(self._handle, block):]
        except OSError as error:
            raise self._failed(error) from error
        self._lines.clear()

    def seal(self) -> dict[str, Any]:
        """Write and sync what waits; return what the run's row keeps: file, number of lines, last hash."""
        if self._handle is None:
            return {}
        self.flush()
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise self._failed(error) from error
        return {"file": f"{self._day.isoformat()}/{self._name}", "lines": self.count, "hash": self._last}

    def close(self) -> dict[str, Any]:
        """Seal the log and let go of the file."""
        sealed = self.seal()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        return sealed

    def _open(self) -> None:
        place = self._folder / self._day.isoformat()
        try:
            place.mkdir(parents=True, exist_ok=True)
            for number in range(1, 1000):
                self._name = f"{self._source}-{self._run}{f'.{number}' if number > 1 else ''}.jsonl"
                try:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                    self._handle = os.open(place / self._name, flags, 0o640)
                    break
                except FileExistsError:
                    continue  # a run of that number in a database that is no more
        except OSError as error:
            raise self._failed(error) from error
        self._last = first_hash(f"{self._day.isoformat()}/{self._name}")

    def _failed(self, error: OSError) -> StorageError:
        place = self._folder / self._day.isoformat()
        return StorageError(tr(
            f"写不了审计记录 {place}：{error.strerror}。没有审计就不采集，请检查磁盘空间和目录权限",
            f"Cannot write the audit log {place}: {error.strerror}. Nothing is fetched without it; check disk and permissions",
        ))


class Audit:
    """The outermost downloader middleware: writes down what the guards behind it refuse."""

    def __init__(self, crawler: Crawler):
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Audit:
        """Scrapy's constructor."""
        made = cls(crawler)
        crawler.signals.connect(made.on_closed, signals.spider_closed)
        return made

    def on_closed(self) -> None:
        """Write what waits of a run that nothing else closes (a try-out, a single page)."""
        from crawlers.context import context_of

        context = context_of(self._crawler.spider)
        try:
            context.audit.flush()
        except StorageError as error:
            context.fatal = context.fatal or str(error)

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Write a refusal down; what failed on the wire was written down when it was sent."""
        from crawlers.context import context_of
        from crawlers.fetch import Refusal

        if isinstance(exception, Refusal):
            context = context_of(self._crawler.spider)
            halted = exception.kind == "halted" and context.halted is not None
            decision: Decision = "halt" if halted else "skip" if exception.kind == "budget" else "refuse"
            kind = context.halted.kind if halted and context.halted else exception.kind
            verdict = request.meta.pop(ROBOTS_VERDICT, "")
            context.audited(decision, request.url, kind, _VERDICTS.get(exception.kind, verdict))


def folder(settings: Settings) -> Path:
    """Return where audit logs lie."""
    return settings.env.data / "audit"


def first_hash(name: str) -> str:
    """Return what stands in the place of a line before the first: no file passes for another."""
    return hashlib.sha256(f"vocwatch audit {name}".encode("utf-8", "replace")).hexdigest()


# -- verifying ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chain:
    """What stands in one file: whole lines up to the first fault, decisions counted, and the fault in words.

    `torn`: the file ends in the middle of a line, as a kill leaves it; that piece counts as nothing.
    """

    name: str
    lines: int = 0
    last: str = ""
    fault: str | None = None
    torn: bool = False
    decisions: Counter[str] = field(default_factory=Counter)


def read_chain(root: Path, name: str) -> Chain:
    """Follow the chain of one file, named relative to the audit folder."""
    last, count, decisions = first_hash(name), 0, Counter[str]()

    def ended(fault: str | None = None, torn: bool = False) -> Chain:
        return Chain(name, count, last, fault, torn, decisions)

    try:
        with (root / name).open("rb") as file:
            for raw in file:
                if not raw.endswith(b"\n"):
                    return ended(torn=True)
                line = raw[:-1]
                stored = _parsed(line)
                if stored is None:
                    return ended(tr(f"第 {count + 1} 行读不懂", f"line {count + 1} is not readable"))
                if stored.get("prev") != last or stored.get("n") != count + 1:
                    return ended(tr(f"第 {count + 1} 行接不上前一行：有内容被改、被删或被插入",
                                    f"line {count + 1} does not follow the one before: changed, removed or added"))
                last, count = hashlib.sha256(line).hexdigest(), count + 1
                decisions[f"{stored.get('decision')} {stored.get('why', '')}".strip()] += 1
    except OSError as error:
        return ended(tr(f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})"))
    return ended()


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        stored = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return stored if isinstance(stored, dict) else None


def chains(root: Path, which: str = "") -> Iterator[Chain]:
    """Yield the chains of all files, of one date, or of one run."""
    patterns = [f"{which}/*.jsonl"] if "-" in which else [f"*/*-{which}.jsonl", f"*/*-{which}.*.jsonl"] if which else ["*/*.jsonl"]
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        yield read_chain(root, path.relative_to(root).as_posix())


def anchor(settings: Settings, source: str, run_id: int) -> dict[str, Any]:
    """Return what the row of a run keeps whose process could not say so itself: the whole lines that it left."""
    root = folder(settings)
    left = [*root.glob(f"*/{source}-{run_id}.jsonl"), *root.glob(f"*/{source}-{run_id}.*.jsonl")]
    for path in sorted(left, reverse=True):
        chain = read_chain(root, path.relative_to(root).as_posix())
        if chain.fault is None:
            return {"file": chain.name, "lines": chain.lines, "hash": chain.last, "torn": chain.torn}
    return {}


def compare(chain: Chain, kept: Mapping[str, Any]) -> dict[str, str]:
    """Return `state` (ok, open or broken) and `why`, from a chain and what its run's row keeps of it.

    Open: the run still goes on, was killed, or was a try-out, which has no row.
    """
    if chain.fault is not None:
        return {"state": "broken", "why": chain.fault}
    if not kept:
        torn = tr("，末行不完整，不作数", ", its last line is incomplete and does not count") if chain.torn else ""
        return {"state": "open", "why": tr("没有收尾：正在运行、被中止，或是试读、截图", "not closed: running, killed, a try-out or screenshots") + torn}
    if chain.lines != kept["lines"] or chain.last != kept["hash"]:
        return {"state": "broken", "why": tr(
            f"应有 {kept['lines']} 行，现有 {chain.lines} 行，末行哈希{'一致' if chain.last == kept['hash'] else '不符'}",
            f"{kept['lines']} lines expected, {chain.lines} found, last hash {'equal' if chain.last == kept['hash'] else 'differs'}")}
    if chain.torn and not kept.get("torn"):
        return {"state": "broken", "why": tr("收尾之后又有内容", "there is more after its end")}
    return {"state": "ok", "why": ""}
