"""Every saved page under tests/pages/<source>/ against its <case>.expected.json, found by folder.

The expectation says how the page was fetched (step, url, status, headers, now, root, carried) and what must come
of it: state, records, links, next_url. Records name the fields they check; others are free. A folder's source is
its own source.yaml, or the catalogue's file of that name. All people and words on the pages are invented.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawlers.extractors import Extraction, extract
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings.sources import Source
from vocwatch.settings.yamlfile import load_model

HERE = Path(__file__).parent
CATALOGUE = HERE.parents[1] / "config" / "sources" / "catalogue"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = "2026-11-16T08:30:00+08:00"
CASES = sorted(HERE.glob("*/*.expected.json"))
# What "at least one saved page each" means.
MUST_HAVE = {
    "xiaohongshu", "weibo", "weibo-cn", "jd", "tieba", "heimao", "appstore", "appstore-xml", "trustpilot", "hackernews",
    "rss", "schema-org", "news",
}


def source_of(folder: Path) -> Source:
    own = folder / "source.yaml"
    return load_model(own if own.exists() else CATALOGUE / f"{folder.name}.yaml", Source, {})


def run(case: Path) -> tuple[dict[str, Any], Extraction]:
    wanted = json.loads(case.read_text(encoding="utf-8"))
    stem = case.name.removesuffix(".expected.json")
    saved = next(path for path in case.parent.glob(f"{stem}.*") if path != case)
    now = dt.datetime.fromisoformat(wanted.get("now", NOW))
    page = Page(
        url=wanted["url"], body=saved.read_bytes(), fetched_at=now, status=wanted.get("status", 200),
        headers=wanted.get("headers", {}), request_url=wanted.get("request_url", wanted["url"]),
    )
    root = wanted.get("root")
    post = MentionRecord(kind=MentionKind.POST, text="", **root) if root else None
    source = source_of(case.parent)
    return wanted, extract(page, getattr(source, wanted["step"]), source, now, ZONE, wanted.get("carried"), post)


def shown(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(ZONE).isoformat()
    return value.value if isinstance(value, MentionKind) else value


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name.split('.')[0]}")
def test_saved_page(case: Path) -> None:
    wanted, got = run(case)
    faults = []
    if got.state != wanted["state"]:
        faults.append(f"state: {got.state}（{got.reason}） ≠ {wanted['state']}")
    if len(got.records) != len(wanted.get("records", [])):
        faults.append(f"records: {len(got.records)} ≠ {len(wanted.get('records', []))}")
    for index, (record, fields) in enumerate(zip(got.records, wanted.get("records", []), strict=False)):
        for name, value in fields.items():
            if shown(getattr(record, name)) != value:
                faults.append(f"records[{index}].{name}: {shown(getattr(record, name))!r} ≠ {value!r}")
    if "links" in wanted:
        links = [{"url": link.url, "native_id": link.native_id, "title": link.carried.get("title")} for link in got.links]
        if links != wanted["links"]:
            faults.append(f"links: {links} ≠ {wanted['links']}")
    if got.next_url != wanted.get("next_url"):
        faults.append(f"next_url: {got.next_url} ≠ {wanted.get('next_url')}")
    if list(got.unseen) != wanted.get("unseen", []):
        faults.append(f"unseen: {got.unseen} ≠ {wanted.get('unseen')}")
    assert not faults, "\n".join(faults)


def test_every_listed_source_has_a_page() -> None:
    assert {case.parent.name for case in CASES} >= MUST_HAVE


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name.split('.')[0]}")
def test_every_record_is_whole(case: Path) -> None:
    """What the store relies on: an id, an http address, text, an aware moment not in the future."""
    wanted, got = run(case)
    now = dt.datetime.fromisoformat(wanted.get("now", NOW))
    seen = set()
    for record in got.records:
        assert record.native_id and (record.kind, record.native_id) not in seen
        seen.add((record.kind, record.native_id))
        assert record.url.startswith(("http://", "https://"))
        assert record.text and record.text == record.text.strip()
        assert record.published_at is None or record.published_at <= now
        assert record.precision in ("second", "minute", "hour", "day", "none")
    if got.state != "ok":
        assert not got.records and not got.links and got.reason
