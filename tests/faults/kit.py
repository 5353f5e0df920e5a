"""Crawls whose worker processes are watched from inside: every connection and the peak of memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from crawlers.runner import CrawlResult, crawl
from tests.conftest import ROOT
from tests.crawlers.kit import NOW, Lab
from tests.crawlers.site import Answer, Site
from vocwatch.settings import Settings
from vocwatch.store import Store, open_store


class Watched(Lab):
    """A home folder, a store, and workers that tell where they connect to."""

    def __init__(self, home: Path):
        shutil.copytree(ROOT / "config", home / "config")
        super().__init__(home)
        self.folder = home / "watch"
        self.folder.mkdir()
        self.names: dict[str, list[list[str]]] = {}
        self.variables: dict[str, str] = {}
        self.store: Store = open_store(f"sqlite:///{home / 'test.sqlite3'}")
        self.sites: list[Site] = []

    def site(self, *args: Any, **kwargs: Any) -> Site:
        """Start a site that may be crawled, closed with the lab."""
        site = Site(*args, **kwargs)
        self.sites.append(site)
        self.hosts.append(site.host)
        return site

    def watched(self, now: str = NOW, **more: str) -> Settings:
        """Settings whose workers are watched."""
        return self.settings(
            self.store.url, now, WATCH_FOLDER=str(self.folder), WATCH_NAMES=json.dumps(self.names),
            PYTHONPATH=str(Path(__file__).parent / "child"), **self.variables, **more,
        )

    def crawl(self, names: Iterable[str] | None = None, now: str = NOW) -> dict[str, CrawlResult]:
        """Crawl in real workers."""
        wanted = list(names) if names is not None else None
        return {result.source: result for result in crawl(self.watched(now), self.store, wanted)}

    def told(self) -> list[dict[str, Any]]:
        """Everything that the workers wrote down."""
        lines = [line for file in self.folder.glob("*.jsonl") for line in file.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    def connects(self) -> list[tuple[str, int]]:
        """All connections of all workers."""
        return [(line["connect"], line["port"]) for line in self.told() if "connect" in line]

    def peak_mb(self, source: str) -> float:
        """Peak of resident memory of a source's worker."""
        [line] = [line for line in self.told() if "peak_kb" in line and source in line["argv"]]
        return float(line["peak_kb"]) / 1024

    def close(self) -> None:
        for site in self.sites:
            site.close()
        self.store.close()


def starts(first: str, *others: str) -> Callable[[str], str]:
    """Return a change to a source's text that gives it more start addresses."""
    listed = ", ".join(f'"{url}"' for url in (first, *others))
    return lambda text: text.replace(f'start: ["{first}"]', f"start: [{listed}]")


def listing(links: Iterable[str]) -> Answer:
    """A list page that names these addresses."""
    rows = "".join(f'<li class=item><a href="{url}" data-id="x{n}">帖子</a></li>' for n, url in enumerate(links))
    page = f"<!doctype html><meta charset=utf-8><title>论坛</title><body><ul>{rows}</ul>"
    return Answer(page, headers={"Content-Type": "text/html; charset=utf-8"})
