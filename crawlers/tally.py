"""What happens during a run, counted; the counts go into the run's row and are the history of later runs."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The page answered, and yet it is not what the source file describes.
SHAPELESS = frozenset({
    "drift", "hollow", "extract_error", "charset", "slow", "encoding", "unavailable", "login", "blocked", "captcha",
})
MAX_BROKEN = 200
MAX_KINDS = 20  # kinds of unreadable values that are kept of a run
MIN_TEXT = 6  # shorter texts repeat by nature


@dataclass
class Start:
    """One start address: entries on its first page, those never seen before, and whether results hold the keyword."""

    first: int = 0
    fresh: int = 0
    matched: int = 0
    judged: int = 0


@dataclass
class Tally:
    """What happened during a run, counted."""

    pages: int = 0
    bytes: int = 0
    starts: int = 0
    starts_read: int = 0
    walked: list[str] = field(default_factory=list)
    by_start: dict[str, Start] = field(default_factory=dict)
    first_page: int = 0
    listing_failed: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    details: int = 0
    details_failed: Counter[str] = field(default_factory=Counter)
    details_empty: int = 0
    comments_failed: Counter[str] = field(default_factory=Counter)
    listed_removed: int = 0
    details_refused: int = 0
    skipped: int = 0
    records: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    removed: int = 0
    capped: int = 0
    unchanged: int = 0
    retried: int = 0
    invalid: int = 0
    quarantined: int = 0
    truncated: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    coverage: dict[str, list[int]] = field(default_factory=dict)
    validity: dict[str, list[int]] = field(default_factory=dict)
    shape: dict[str, list[int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    promised: list[int] = field(default_factory=lambda: [0, 0])
    texts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    halted: tuple[str, str] | None = None
    budget: str | None = None
    gap: bool = False
    scroll_cut: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    following: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    canary: str | None = None
    canary_found: int | None = None
    canary_query: str | None = None
    faults: list[str] = field(default_factory=list)

    def cover(self, role: str, coverage: Mapping[str, tuple[int, int]]) -> None:
        """Add one page's field coverage: how many records had each field."""
        _add(self.coverage, role, coverage)

    def validate(self, role: str, validity: Mapping[str, tuple[int, int]]) -> None:
        """Add one page's field validity: of the values that were there, how many made sense."""
        _add(self.validity, role, validity)

    def fail(self, role: str, kind: str, url: str, why: str = "") -> None:
        """Count a page that could not be read."""
        self.errors[kind] += 1
        self.samples.setdefault(kind, f"{url} {why}".strip()[:300])
        counters = {"listing": self.listing_failed, "comments": self.comments_failed}
        counters.get(role, self.details_failed)[kind] += 1
        if kind in SHAPELESS:
            self._shaped(role, False)
            if role == "detail" and len(self.broken) < MAX_BROKEN:
                self.broken.add(short_hash(url))

    def read(self, role: str, empty: bool) -> None:
        """Count a page that answered with what the source file describes; `empty`: in order, but nothing on it."""
        self._shaped(role, True)
        self.details_empty += empty and role == "detail"

    def _shaped(self, role: str, good: bool) -> None:
        counts = self.shape.setdefault(role, [0, 0])
        counts[0] += not good
        counts[1] += 1

    def start(self, key: str) -> Start:
        """Return the counts of a start address."""
        return self.by_start.setdefault(key, Start())

    def promise(self, kept: bool) -> None:
        """Count a post that says it has comments, and whether any could be read."""
        self.promised[0] += not kept
        self.promised[1] += 1

    def canary_says(self, url: str, found: int) -> None:
        """Note how many results the search for the canary word gave."""
        self.canary_found = (self.canary_found or 0) + found
        if not found:
            self.canary_query = url

    def told(self, text: str) -> None:
        """Note the text of a post that has a page of its own: walls and visitor pages repeat theirs."""
        if len(text) >= MIN_TEXT:
            self.texts[short_hash(text)] += 1

    @property
    def repeated(self) -> tuple[int, int]:
        """How many post pages hold the most frequent text, and how many there were."""
        most = self.texts.most_common(1)
        return (most[0][1] if most[0][1] > 1 else 0, self.texts.total()) if most else (0, 0)

    @property
    def relevance(self) -> tuple[int, int]:
        """How many search results hold their keyword, of those whose whole text was seen."""
        return (sum(start.matched for start in self.by_start.values()),
                sum(start.judged for start in self.by_start.values()))

    def stats(self, expected: int | None, mode: str, hours: float | None) -> dict[str, Any]:
        """The numbers for the run row; `hours`: since the last run that stored anything."""
        return {
            "pages": self.pages, "bytes": self.bytes, "listed": self.listed, "details": self.details,
            "records": self.records, "read": self.records, "new": self.new, "changed": self.changed,
            "removed": self.removed, "missing": self.missing, "unchanged": self.unchanged, "retried": self.retried,
            "skipped": self.skipped, "first_page": self.first_page,
            "coverage": self.coverage, "errors": dict(self.errors), "samples": self.samples,
            "refused": self.details_refused, "invalid": self.invalid, "truncated": self.truncated,
            "mode": mode, "starts": self.walked, "expected": expected, "hours": hours,
            "by_start": {key: [start.first, start.fresh, start.matched, start.judged]
                         for key, start in self.by_start.items()},
            "validity": self.validity, "shape": self.shape, "broken": sorted(self.broken),
            "empties": [self.details_empty, self.shape.get("detail", [0, 0])[1]], "promised": self.promised, "repeated": list(self.repeated),
            "relevance": list(self.relevance), "quarantined": self.quarantined,
            "canary": None if self.canary_found is None else [self.canary_found, self.canary_query],
            "faults": self.faults, "unseen": dict(self.unseen), "cut": dict(self.cut),
            "following": self.following, "problems": dict(self.problems.most_common(MAX_KINDS)),
        }


def usual(values: list[float]) -> float | None:
    """Return the median; None of nothing."""
    return statistics.median(values) if values else None


def short_hash(text: str) -> str:
    """A short name for an address or a text in the statistics."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _add(sums: dict[str, list[int]], role: str, part: Mapping[str, tuple[int, int]]) -> None:
    for name, (filled, total) in part.items():
        pair = sums.setdefault(f"{role}.{name}", [0, 0])
        pair[0] += filled
        pair[1] += total
