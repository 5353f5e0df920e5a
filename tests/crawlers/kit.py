"""Settings over invented sources, and the rows of a store in a form that can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store
from vocwatch.store.schema import mentions, pages, revisions, visits

NOW = "2026-11-16T08:30:00"

FORUM = """
name: {name}
title: 测试论坛
owner: 值班QA
access: {{basis: 测试, robots: 允许, reviewer: 值班QA, date: 2026-11-01}}
rate: {{delay_seconds: 0, concurrency: {concurrency}, max_pages: {max_pages}}}
start: ["{start}"]
transport: {transport}
{extra}
listing:
  extract: html
  links:
    items: "li.item"
    fields: {{url: "a@href", native_id: "a@data-id"}}
  next: {{link: "a.next"}}
detail:
  extract: html
  records:
    - kind: post
      fields:
        native_id: "article@data-id"
        title: "h1"
        text: "p.text"
        author: "b.by"
        published_at: "time"
        likes: "i.likes"
    - kind: comment
      items: "div.c"
      fields: {{native_id: "@id", text: "p", author: "b"}}
"""

APP = """
brand: {{name: 松果匣, watch: songguoxia}}
crawler:
  contact: https://example.com/vocwatch
  default_delay_seconds: 0
  timeout_seconds: {timeout}
  max_body_bytes: 1000000
  allow_private_hosts: [{hosts}]
"""


class Lab:
    """A home folder whose sources are written by the test."""

    def __init__(self, home: Path):
        self.home = home
        self.hosts: list[str] = []
        self.timeout = 2
        for old in (home / "config" / "sources").glob("*.yaml"):
            old.unlink()

    def forum(
        self, name: str, url: str, *, start: str = "/list?page=1", concurrency: int = 2, max_pages: int = 500,
        transport: str = "http", extra: str = "", allow: bool = True,
    ) -> None:
        """Add a source that reads a `Site`."""
        self.source(name, FORUM.format(
            name=name, start=url + start, concurrency=concurrency, max_pages=max_pages, transport=transport,
            extra=extra,
        ))
        if allow:
            self.hosts.append(url.partition("://")[2])

    def source(self, name: str, text: str) -> None:
        """Add a source file."""
        folder = self.home / "config" / "sources"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def settings(self, database_url: str = "", now: str = NOW, data: str = "var", **more: str) -> Settings:
        """Load what has been written."""
        hosts = ", ".join(f'"{host}"' for host in self.hosts)
        (self.home / "config" / "vocwatch.yaml").write_text(APP.format(hosts=hosts, timeout=self.timeout), encoding="utf-8")
        import os

        return load_settings(read_environment({
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "VOCWATCH_HOME": str(self.home), "VOCWATCH_DATA": str(self.home / data), "VOCWATCH_SECRET": "test",
            "VOCWATCH_NOW": now, "VOCWATCH_DATABASE_URL": database_url, **more,
        }))


def rows(store: Store) -> dict[str, list[Any]]:
    """Everything that a crawl leaves, without row numbers and moments."""
    texts = sa.select(
        mentions.c.source, mentions.c.native_id, mentions.c.url, mentions.c.kind, mentions.c.parent,
        mentions.c.author_key, mentions.c.published_at, mentions.c.precision, mentions.c.gone_at.is_(None),
        revisions.c.title, revisions.c.text, revisions.c.page_sha, revisions.c.id == mentions.c.revision_id,
    ).join(revisions, revisions.c.mention_id == mentions.c.id)
    with store.read() as connection:
        return {
            "texts": sorted(tuple(map(str, row)) for row in connection.execute(texts)),
            "visits": sorted(tuple(map(str, row)) for row in connection.execute(
                sa.select(visits.c.url, visits.c.native_id, visits.c.published_at))),
            "pages": sorted(tuple(map(str, row)) for row in connection.execute(
                sa.select(pages.c.url, pages.c.sha256, pages.c.status))),
        }
