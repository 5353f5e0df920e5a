"""How `vocwatch source` shows records and their fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from vocwatch.cli.context import print_rows, say
from vocwatch.lang import tr
from vocwatch.plain import one_line

REQUIRED = ("text", "published_at", "url")  # what most records must have for a source to be of use
FIELDS = (
    "text", "published_at", "url", "native_id", "author_key", "title", "rating", "likes", "replies", "shares", "views",
    "parent", "product", "sku", "shop",
)


def show_records(records: Sequence[Mapping[str, Any]], zone: ZoneInfo, limit: int = 10) -> None:
    """Print records as a table: the first ones, on one line each, in local time."""
    columns = {
        "kind": tr("种类", "Kind"), "published_at": tr("时间", "Time"), "author_key": tr("作者代号", "Author"),
        "rating": tr("星级", "Stars"), "likes": tr("赞", "Likes"), "text": tr("正文", "Text"), "url": tr("网址", "URL"),
    }
    shown = [
        {**record, "text": one_line(record.get("text") or record.get("title"), 60), "published_at": _local(record.get("published_at"), zone)}
        for record in records[:limit]
    ]
    print_rows(shown, columns, False)
    if len(records) > limit:
        say(tr(f"（共 {len(records)} 条，只列前 {limit} 条；--json 看全部）", f"({len(records)} in all, the first {limit} shown; --json shows all)"))


def _local(moment: Any, zone: ZoneInfo) -> str:
    if not moment:
        return ""
    known = moment if isinstance(moment, dt.datetime) else dt.datetime.fromisoformat(str(moment))
    return known.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def show_coverage(coverage: Sequence[Mapping[str, Any]]) -> None:
    """Print how full each field is."""
    print_rows(coverage, {
        "field": tr("字段", "Field"), "filled": tr("有值", "Filled"), "share": tr("占比", "Share"), "sample": tr("样例", "Sample"),
    }, False)


def coverage_of(records: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return for each field how many records have it, which share that is, and one value."""
    rows = []
    for field in FIELDS:
        count = filled(records, field)
        if count or field in REQUIRED:
            sample = next((record[field] for record in records if record.get(field) not in (None, "")), "")
            sample = _local(sample, zone) if field == "published_at" else sample
            share = f"{count / len(records):.0%}" if records else "—"
            rows.append({"field": field, "filled": f"{count}/{len(records)}", "share": share, "sample": one_line(sample, 40)})
    return rows


def filled(records: Sequence[Mapping[str, Any]], field: str) -> int:
    """Return how many records have the field."""
    return sum(record.get(field) not in (None, "") for record in records)
