"""A store with pages, mentions, judgements, an incident, a digest and its files, as the stages would leave them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.conftest import ROOT
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, alerts, digests, evidence, incidents, mentions, pages
from vocwatch.store import schema as s
from vocwatch.store.incidents import Member
from vocwatch.store.mentions import MentionRow
from vocwatch.store.pages import PageRow, Visit

NOW = dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 15)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def tiny_home(home: Path) -> Path:
    """A configuration that loads at once: no topics, no session formats, no sources."""
    config = home / "config"
    (config / "sessions").mkdir(parents=True)
    (config / "vocwatch.yaml").write_text(
        "brand: {name: 松果匣, watch: songguoxia}\ncrawler:\n  contact: https://example.com/vocwatch\n", encoding="utf-8")
    (config / "watches.yaml").write_text("watches: [{id: songguoxia, kind: brand, name: 松果匣}]\n", encoding="utf-8")
    (config / "topics.yaml").write_text("version: '1'\ntopics: []\nred_lines: []\n", encoding="utf-8")
    shutil.copy(ROOT / "config" / "refusals.yaml", config)
    return home


def tiny_settings(home: Path) -> Settings:
    """The settings of a tiny home."""
    variables = {"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00"}
    return load_settings(read_environment(variables))


class Kept:
    """Fills a store."""

    def __init__(self, settings: Settings, store: Store):
        self.settings, self.store = settings, store
        self.evidence = settings.env.data / "evidence"

    def page(self, url: str, body: str, at: dt.datetime, source: str = "forum") -> str:
        raw = body.encode()
        sha256 = pages.keep_evidence(self.evidence, raw)
        with self.store.begin() as connection:
            pages.record_pages(connection, source, 1, [PageRow(
                url, url, 200, {"content-type": "text/html; charset=utf-8", "etag": '"1"', "x-note": "头"}, sha256, len(raw), at
            )])
        return sha256

    def post(
        self, native_id: str, text: str, at: dt.datetime, sha256: str | None = None, *, parent: str | None = None,
        author: str = "abcdefghij234567", url: str = "", source: str = "forum", title: str | None = None,
    ) -> int:
        row = MentionRow(
            native_id, url or f"https://forum.example/p/{parent or native_id}", "comment" if parent else "post", text,
            title=title, author_key=author, published_at=at, precision="second", likes=3, parent=parent,
        )
        row.page_sha = sha256
        with self.store.begin() as connection:
            mentions.save(connection, source, [row], at)
            query = sa.select(s.mentions.c.id).where(s.mentions.c.native_id == native_id, s.mentions.c.source == source)
            key: int = connection.execute(query).scalar_one()
            if parent is None:
                pages.record_visits(connection, source, [Visit(row.url, at, native_id, at, {"title": text})])
            connection.execute(s.hits.insert().values(
                text_kind="mention", ref_id=key, watch="cup", kind="product", rule="alias", start=0, end=2, matched=text[:2]
            ))
            connection.execute(s.assessments.insert().values(
                text_kind="mention", ref_id=key, revision_id=None, text_sha=row.text_sha, model_version="m",
                brand_match=True, sentiment="negative", score=-0.9, confidence=0.9, mixed=False, severity=2,
                topics=["产品质量/漏水"], red_lines=[{"name": "过敏", "rule": "r", "start": 0, "end": 2, "matched": text[:2]}],
                spans=[{"start": 0, "end": 4, "topic": "产品质量/漏水", "sentiment": "negative", "severity": 2}],
                voice="customer", fingerprint=b"\x00" * 17, assessed_at=at,
            ))
        return key

    def incident(self, ids: list[int], name: str = "INC-1", day: dt.date = DAY, quotes: list[dict[str, Any]] | None = None) -> None:
        with self.store.begin() as connection:
            incidents.save_incident(connection, {
                "id": name, "brand": "b", "product": "P", "topic": "产品质量/漏水", "title": "杯子漏水", "shop": None,
                "owner": "甲", "first_day": day, "last_day": day, "first_seen_at": NOW, "recurs_of": None,
            }, {
                "incident_id": name, "day": day, "level": "橙", "state": "新增", "score": 61.0, "parts": {}, "why": [],
                "authors": 2, "mentions": len(ids), "sessions": 0, "expected": 0.5, "p_value": 0.001, "formula": "f",
            }, [Member(name, "mention", key, day, ids[0]) for key in ids])
            alerts.raise_one(connection, name, "红", day, now=NOW, mention_ids=ids, session_ids=[])
            if quotes is not None:
                self.digest(connection, name, day, quotes)

    def digest(self, connection: sa.Connection, name: str, day: dt.date, quotes: list[dict[str, Any]]) -> None:
        urls = [quote["url"] for quote in quotes]
        content = {"risks": [{"incident": name, "quotes": quotes, "mention_urls": urls}],
                   "alerts": [{"incident": name, "mention_urls": urls}], "movers": [{"mention_urls": urls}],
                   "emerging": [{"kind": "incident"}, {"kind": "phrase", "mention_urls": urls}],
                   "internal": {"reasons": [{"mention_urls": urls}]}, "exposures": {"links": [{"url": url} for url in urls]}}
        digests.save(connection, day, "qa", NOW, content)
        folder = self.settings.env.data / "digests"
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f"digest-{day}"
        stem.with_suffix(".json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        plain = "\n".join(f"“{quote['text']}” {quote['url']}" for quote in quotes)
        stem.with_suffix(".txt").write_text(plain, encoding="utf-8")
        shown = "".join(f'<a href="{quote["url"]}">{quote["text"].replace("&", "&amp;").replace("<", "&lt;")}</a>' for quote in quotes)
        stem.with_suffix(".html").write_text(shown, encoding="utf-8")

    def shot(self, mention_id: int, png: bytes = PNG, at: dt.datetime = NOW) -> str:
        with self.store.begin() as connection:
            due = evidence.shots_due(connection, [mention_id])
            return evidence.keep_shot(
                connection, self.evidence, due, png, url=due[0].url, taken_at=at, width=1280, height=900
            )

    def gone(self, *ids: int, at: dt.datetime = NOW) -> None:
        with self.store.begin() as connection:
            connection.execute(s.mentions.update().where(s.mentions.c.id.in_(ids)).values(missing_since=at, gone_at=at))

    # -- looking ------------------------------------------------------------------------------------------------

    def rows(self, table: sa.Table, *columns: str) -> list[Any]:
        query = sa.select(*(table.c[name] for name in columns)) if columns else sa.select(table)
        with self.store.read() as connection:
            return sorted(map(tuple, connection.execute(query)), key=str)

    def files(self) -> set[str]:
        return {f"{path.parent.name}{path.name.removesuffix('.gz')}" for path in self.evidence.glob("??/*")}

    def everything(self) -> str:
        """All that is stored and written, as one text to search in: rows, JSON, bodies, digests, samples."""
        with self.store.read() as connection:
            rows = [str(row) for table in s.metadata.sorted_tables for row in connection.execute(sa.select(table))]
        bodies = [pages.read_evidence(self.evidence, sha).decode("utf-8", "replace") for sha in self.files()]
        written = [path.read_text(encoding="utf-8", errors="replace")
                   for name in ("digests", "sources") for path in (self.settings.env.data / name).rglob("*") if path.is_file()]
        return "\n".join([*rows, *bodies, *written])

    def snapshot(self) -> dict[str, Any]:
        """Every row, but for row numbers of proofs, and every file."""
        found: dict[str, Any] = {table.name: self.rows(table) for table in s.metadata.sorted_tables if table.name != "erasures"}
        found["erasures"] = self.rows(s.erasures, "why", "source", "subject", "rows", "at")
        found["files"] = sorted(self.files())
        found["digests on disk"] = {path.name: path.read_text(encoding="utf-8") for path in
                                    (self.settings.env.data / "digests").glob("*")}
        return found


def raw_bytes(store: Store) -> bytes:
    """The bytes of a SQLite database and its log, free pages included."""
    name = sa.make_url(store.url).database
    assert name and isinstance(sqlite3.sqlite_version, str)
    return b"".join(path.read_bytes() for path in (Path(name), Path(name + "-wal")) if path.exists())
