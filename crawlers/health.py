"""How a source's run ended: ok, degraded, blocked, empty or not-run, with a reason in plain words.

Blind is never shown as quiet: whatever keeps pages from being read makes the run something other than ok. And a
healthy site is never accused: single removed or broken pages are everyday life.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vocwatch.models import SourceStatus
from vocwatch.settings import Source
from vocwatch.store.runs import Run

BLOCKING = frozenset({"captcha", "blocked", "login", "forbidden", "rate_limited"})
FAILING_SHARE = 0.05
REQUIRED_SHARE = 0.5
MIN_FIRST_PAGE = 3  # with fewer entries than this on an ordinary first page, an empty one may well be true
MIN_HISTORY = 3
MIN_SAMPLE = 20


@dataclass
class Tally:
    """What happened during a run, counted."""

    pages: int = 0
    bytes: int = 0
    starts: int = 0
    starts_read: int = 0
    walked: list[str] = field(default_factory=list)
    first_page: int = 0
    listing_failed: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    details: int = 0
    details_failed: Counter[str] = field(default_factory=Counter)
    comments_failed: Counter[str] = field(default_factory=Counter)
    listed_removed: int = 0
    details_refused: int = 0
    skipped: int = 0
    records: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0
    invalid: int = 0
    truncated: int = 0
    coverage: dict[str, list[int]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    halted: tuple[str, str] | None = None
    budget: str | None = None
    gap: bool = False
    scroll_cut: int = 0
    canary: str | None = None

    def cover(self, role: str, coverage: Mapping[str, tuple[int, int]]) -> None:
        """Add one page's field coverage: how many records had each field."""
        for name, (filled, total) in coverage.items():
            sums = self.coverage.setdefault(f"{role}.{name}", [0, 0])
            sums[0] += filled
            sums[1] += total

    def fail(self, role: str, kind: str, url: str, why: str = "") -> None:
        """Count a page that could not be read."""
        self.errors[kind] += 1
        self.samples.setdefault(kind, f"{url} {why}".strip()[:300])
        counters = {"listing": self.listing_failed, "comments": self.comments_failed}
        counters.get(role, self.details_failed)[kind] += 1

    def stats(self, history: History, incremental: bool) -> dict[str, Any]:
        """The numbers for the run row."""
        return {
            "pages": self.pages, "bytes": self.bytes, "listed": self.listed, "details": self.details,
            "records": self.records, "read": self.records, "new": self.new, "changed": self.changed,
            "removed": self.removed, "skipped": self.skipped, "first_page": self.first_page,
            "coverage": self.coverage, "errors": dict(self.errors), "samples": self.samples,
            "refused": self.details_refused, "invalid": self.invalid, "truncated": self.truncated,
            "mode": _mode(incremental), "starts": self.walked, "expected": history.expected(incremental),
        }


@dataclass(frozen=True)
class History:
    """What the last good runs looked like."""

    good: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, past: Sequence[Run]) -> History:
        """Take the statistics of the good ones among past runs (newest first)."""
        return cls(tuple(run.stats for run in past if run.outcome is SourceStatus.OK)[:10])

    def expected(self, incremental: bool) -> int | None:
        """Median number of records of the good runs of this mode; None without any."""
        counts = [run.get("records", 0) for run in self.good if run.get("mode") == _mode(incremental)]
        return int(statistics.median(counts)) if counts else None

    @property
    def first_page(self) -> float:
        """Median number of entries on the first pages."""
        return statistics.median([run.get("first_page", 0) for run in self.good]) if self.good else 0.0

    def share(self, name: str) -> float | None:
        """Median share of records that had a field; None with too little history."""
        shares = [
            filled / total for run in self.good
            for filled, total in [run.get("coverage", {}).get(name, (0, 0))] if total
        ]
        return statistics.median(shares) if len(shares) >= MIN_HISTORY else None


def _mode(incremental: bool) -> str:
    return "incremental" if incremental else "deep"


def judge(
    tally: Tally, history: History, source: Source, words: Mapping[str, str], incremental: bool = False
) -> tuple[SourceStatus, str | None]:
    """Return the one outcome of a run and why; `words` gives each error kind in plain Chinese."""
    if tally.halted:
        kind, reason = tally.halted
        if kind in BLOCKING:
            return SourceStatus.BLOCKED, reason
        return (SourceStatus.DEGRADED if tally.records else SourceStatus.NOT_RUN), reason
    if not tally.starts_read:
        return _nothing_read(tally, words)
    faults = [
        *_listing_faults(tally, history, source, words), *_detail_faults(tally, words),
        *_field_faults(tally, history, source), *_volume_faults(tally, history, incremental),
    ]
    if tally.canary:
        faults.append(f"探针页（expect.canary）没读出内容：{tally.canary}")
    if tally.budget:
        faults.append(tally.budget)
    if tally.gap:
        faults.append("列表翻到 max_pages 还没接上上次读过的内容，中间可能有遗漏；请调大 max_pages 或加密采集")
    if tally.scroll_cut:
        faults.append(f"{tally.scroll_cut} 个页面滚到上限还没到底（browser.max_scrolls）")
    if faults:
        return SourceStatus.DEGRADED, "；".join(faults[:3])
    if not tally.first_page:
        return SourceStatus.EMPTY, "列表是空的，以往也没有读到过内容"
    return SourceStatus.OK, None


def _nothing_read(tally: Tally, words: Mapping[str, str]) -> tuple[SourceStatus, str]:
    """No start page could be read: not run if we never got through, degraded if something unusable came back."""
    kinds = tally.errors
    if not kinds:
        return SourceStatus.NOT_RUN, tally.budget or "没有可以读的起始地址"
    main = kinds.most_common(1)[0][0]
    sample = tally.samples.get(main, "")
    if main in ("robots", "robots_unreachable", "private", "scheme"):
        return SourceStatus.NOT_RUN, f"{words[main]}：{sample}"
    if main in ("dns", "refused", "timeout", "tls", "network", "server_error", "redirects", "browser"):
        return SourceStatus.NOT_RUN, f"连不上：{words[main]}（{sample}）"
    return SourceStatus.DEGRADED, f"列表页没读出来：{words.get(main, main)}（{sample}）"


def _listing_faults(
    tally: Tally, history: History, source: Source, words: Mapping[str, str]
) -> list[str]:
    faults = []
    if tally.listing_failed:
        kind, count = tally.listing_failed.most_common(1)[0]
        faults.append(f"有 {sum(tally.listing_failed.values())} 页列表没读出来：{words.get(kind, kind)} {count} 页")
    wanted, explicit = source.expect.min_links, "min_links" in source.expect.model_fields_set
    if tally.first_page == 0 and history.first_page >= MIN_FIRST_PAGE:
        faults.append(f"列表突然是空的，平时第一页有 {history.first_page:.0f} 条，可能被限制")
    elif tally.first_page < wanted and (tally.first_page or (explicit and wanted > 0)):
        faults.append(f"第一页列表只有 {tally.first_page} 条，少于 expect.min_links 的 {wanted} 条")
    return faults


def _detail_faults(tally: Tally, words: Mapping[str, str]) -> list[str]:
    faults = []
    failed = sum(tally.details_failed.values())
    if failed and failed > FAILING_SHARE * tally.details:
        kind, count = tally.details_failed.most_common(1)[0]
        faults.append(f"{tally.details} 个详情页有 {failed} 个没读出来：{words.get(kind, kind)} {count} 个")
    broken = sum(tally.comments_failed.values())
    if broken and broken > FAILING_SHARE * max(tally.details, 1):
        kind, count = tally.comments_failed.most_common(1)[0]
        faults.append(f"有 {broken} 次评论没读出来：{words.get(kind, kind)} {count} 次")
    if tally.details_refused and tally.details_refused >= tally.details:
        faults.append(f"robots.txt 不允许读详情页，{tally.details_refused} 个都没有读")
    if tally.listed_removed > max(2, 0.5 * tally.details):
        faults.append(f"列表上的 {tally.details} 个详情页有 {tally.listed_removed} 个说内容已删除，多半是访问受限")
    cut = tally.errors.get("truncated", 0)
    if cut and not any("没收全" in fault for fault in faults):
        faults.append(f"{cut} 个页面没收全（长度少于 Content-Length）")
    return faults


def _field_faults(tally: Tally, history: History, source: Source) -> list[str]:
    """Fields that are missing more often than they should: required ones, and any that used to be there."""
    required = {
        f"{role}.{name}"
        for role, step in (("listing", source.listing), ("detail", source.detail), ("comments", source.comments))
        if step for record in step.records for name in record.required
    }
    faults = []
    for name, (filled, total) in sorted(tally.coverage.items()):
        if not total:
            continue
        share, usual = filled / total, history.share(name)
        if name in required and share < REQUIRED_SHARE:
            faults.append(f"{total} 条里只有 {filled} 条读到了 {name}，页面写法可能变了")
        elif usual is not None and total >= MIN_SAMPLE and _dropped(share, usual, total, name in required):
            faults.append(f"{name} 只有 {share:.0%} 读到，平时 {usual:.0%}，页面写法可能变了")
    return faults


def _dropped(share: float, usual: float, total: int, required: bool) -> bool:
    noise = 3 * math.sqrt(max(usual * (1 - usual), 0.01) / total)
    if required:
        return usual - share > max(0.15, noise)
    return usual >= 0.8 and share < 0.5 * usual


def _volume_faults(tally: Tally, history: History, incremental: bool) -> list[str]:
    """Nothing at all where a good run reads so much that chance does not explain it (Poisson, p < 0.001)."""
    expected = history.expected(incremental)
    if tally.records == 0 and tally.details and expected is not None and math.exp(-expected) < 0.001:
        return [f"一条内容也没读到，平时每次约 {expected} 条，可能被限制"]
    return []
