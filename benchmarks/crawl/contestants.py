"""Who runs: each contestant crawls the whole forum once in a process of its own and says how many records it read."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crawl import measure
from benchmarks.crawl.measure import Cost

ROOT = Path(__file__).resolve().parents[2]
NOW = "2026-11-16T08:30:00+08:00"
APP = """
brand: {{name: 测试品牌, watch: brand}}
crawler:
  contact: https://example.com/vocwatch
  default_delay_seconds: 0
  allow_private_hosts: ["{host}"]
"""
WATCHES = "watches: [{id: brand, kind: brand, name: 测试品牌}]\n"
SOURCE = """
name: forum
title: 茶话会
owner: 值班QA
access: {{basis: 基准测试, robots: 允许, reviewer: 值班QA, date: 2026-11-01}}
rate: {{delay_seconds: 0, concurrency: {concurrency}, max_pages: 1000000, max_minutes: 60}}
start: ["{url}/forum?page=1"]
listing:
  extract: html
  links:
    items: "li.row"
    fields: {{url: "a.title@href", native_id: "a.title@data-id"}}
  next: {{link: "a.next", max_pages: 10000}}
detail:
  extract: html
  records:
    - kind: post
      items: "article.thread"
      fields:
        native_id: "@data-id"
        title: "h1"
        text: "div.content"
        author: "a.author"
        published_at: "time@datetime"
        likes: "span.likes"
        replies: "span.replies"
    - kind: comment
      items: "div.comment"
      fields:
        native_id: "@id"
        text: "p.say"
        author: "a.by"
        published_at: "time"
        likes: "a.like b"
"""


@dataclass(frozen=True)
class Lap:
    """One crawl: what it took and what it read."""

    cost: Cost
    records: int


Contestant = Callable[[str, int, Path], Lap]
"""(address, concurrency, scratch folder) → lap"""


def _base_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


def prepare(url: str, concurrency: int, folder: Path) -> dict[str, str]:
    """Write a home whose one source is the forum, with an empty database; returns the worker's environment."""
    sources = folder / "config" / "sources"
    sources.mkdir(parents=True)
    (folder / "config" / "vocwatch.yaml").write_text(APP.format(host=url.partition("://")[2]), encoding="utf-8")
    (sources / "forum.yaml").write_text(SOURCE.format(url=url, concurrency=concurrency), encoding="utf-8")
    (folder / "config" / "watches.yaml").write_text(WATCHES, encoding="utf-8")
    return {
        **_base_environment(), "VOCWATCH_HOME": str(folder), "VOCWATCH_DATA": str(folder / "var"),
        "VOCWATCH_SECRET": "benchmark", "VOCWATCH_NOW": NOW,
    }


def open_run(environment: dict[str, str]) -> str:
    """Migrate the database and open a run row, as `crawlers.runner` does before it starts a worker."""
    code = (
        "from vocwatch.settings import load_settings; from vocwatch.store import open_store, runs\n"
        "settings = load_settings(); store = open_store(settings.env.database_url)\n"
        "with store.begin() as c: print(runs.start(c, 'crawl', 'forum', settings.clock.now()))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def vocwatch(url: str, concurrency: int, folder: Path) -> Lap:
    """The worker as shipped: evidence, validation, masking, rows in SQLite."""
    environment = prepare(url, concurrency, folder)
    return vocwatch_again(environment, folder)


def vocwatch_again(environment: dict[str, str], folder: Path) -> Lap:
    """Crawl with a home that is ready; the records are those in the database afterwards."""
    command = [sys.executable, "-m", "crawlers.worker", "--source", "forum", "--run-id", open_run(environment)]
    cost = measure.run(command, folder, environment)
    with sqlite3.connect(folder / "var" / "vocwatch.sqlite3") as database:
        [[outcome, reason]] = database.execute("SELECT outcome, reason FROM runs ORDER BY id DESC LIMIT 1")
        [[records]] = database.execute("SELECT count(*) FROM mentions")
    database.close()
    if outcome != "ok":
        raise RuntimeError(f"vocwatch: {outcome} {reason}")
    return Lap(cost, records)


def plain(url: str, concurrency: int, folder: Path) -> Lap:
    """The smallest plain spider, with settings of a careful author."""
    return _scrapy(url, concurrency, folder)


def defaults(url: str, concurrency: int, folder: Path) -> Lap:
    """The same spider as Scrapy's defaults have it, its log in a file."""
    return _scrapy(url, concurrency, folder, "--defaults", str(folder / "scrapy.log"))


def _scrapy(url: str, concurrency: int, folder: Path, *more: str) -> Lap:
    command = [sys.executable, "-m", "benchmarks.crawl.plain", url, str(concurrency), *more]
    cost = measure.run(command, folder, _base_environment())
    return Lap(cost, json.loads(cost.told)["records"])


def crawlee(python: str) -> Contestant:
    """crawlee-python by an interpreter that has it."""
    def lap(url: str, concurrency: int, folder: Path) -> Lap:
        script = Path(__file__).with_name("with_crawlee.py")
        command = [python, str(script), url, str(concurrency), str(folder / "storage")]
        cost = measure.run(command, folder, _base_environment())
        return Lap(cost, json.loads(cost.told.strip().splitlines()[-1])["records"])

    return lap
