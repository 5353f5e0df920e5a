"""What an import of reviews says of its source: read in full, in part, or once more the same file.

An export that did not arrive leaves no row, so that its day stays unknown; one that arrived stands among the
readings of its source like a crawl.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sessions.spool import Span
from vocwatch.models import SourceStatus
from vocwatch.store.runs import Run

OLD = dt.timedelta(days=7)  # a fresh export of a living shop holds something younger
BAD_SHARE = 0.01
_CHUNK = 1 << 20


@dataclass(frozen=True)
class SourceReading:
    """How a source's export was read."""

    outcome: SourceStatus
    reason: str | None
    stats: dict[str, Any]


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def judge_reading(
    span: Span, bad: int, sha256: str, history: Sequence[Run], now: dt.datetime, zone: ZoneInfo
) -> SourceReading | None:
    """Judge an import for its source; None for a file that was imported before: it tells nothing new."""
    if any(run.stats.get("sha256") == sha256 for run in history):
        return None
    stats: dict[str, Any] = {
        "records": span.mentions, "read": span.rows, "expected": span.rows + bad if bad else None, "sha256": sha256,
    }
    if span.first and span.last:
        # A fresh export without a review of yesterday says that yesterday had none.
        until = max(span.last, now - dt.timedelta(days=1))
        stats |= {"from": f"{span.first.astimezone(zone):%Y-%m-%d}", "to": f"{until.astimezone(zone):%Y-%m-%d}"}
    if not span.rows and not bad:
        return SourceReading(SourceStatus.EMPTY, "导出里一条评价也没有，请确认导出时选的日期和店铺", stats)
    if bad > BAD_SHARE * (span.rows + bad):
        return SourceReading(SourceStatus.DEGRADED, f"导出的 {span.rows + bad} 行里有 {bad} 行读不了", stats)
    if span.last and now - span.last > OLD:
        shown = f"{span.last.astimezone(zone):%Y-%m-%d}"
        return SourceReading(SourceStatus.DEGRADED, f"导出里最新一条是 {shown}，不像最近的导出，请确认日期范围", stats)
    return SourceReading(SourceStatus.OK, None, stats)
