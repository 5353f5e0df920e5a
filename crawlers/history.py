"""What the good runs of a source looked like, and how odd this run is beside them."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawlers.chance import count_tail, fit_scatter, fit_share, share_tail
from crawlers.tally import usual
from vocwatch.models import SourceStatus
from vocwatch.store.runs import Run

MIN_HISTORY = 3
POOLED = 2  # earlier runs that are looked at together with this one
MIN_SCATTER = 0.1  # weekdays and holidays move a source's volume by a third at least
MAX_HOURS = 14 * 24.0
Pair = tuple[int, int]
Stats = Mapping[str, Any]


@dataclass(frozen=True)
class History:
    """Statistics of the good runs, newest first.

    All chances are per day: a source that is read every hour has 24 times as many runs to be odd in, so each has to
    be 24 times as odd.

    `same` are those that read pages as the source file does now: only their fields and pages compare. `recent`
    are the newest of these that nothing bad stands between, and `older` the rest. `hours` is the time since the
    last run that stored anything; None without one.
    """

    good: tuple[Stats, ...] = ()
    same: tuple[Stats, ...] = ()
    recent: tuple[Stats, ...] = ()
    hours: float | None = None

    @classmethod
    def of(
        cls, past: Sequence[Run], now: dt.datetime | None = None, spec: str | None = None,
        since: dt.datetime | None = None,
    ) -> History:
        """Take the statistics of the good ones among past runs (newest first), none of them before `since`."""
        past = [run for run in past if run.outcome is not SourceStatus.NOT_RUN and (not since or run.started_at > since)]
        good = [run for run in past if run.outcome is SourceStatus.OK]
        same = [run for run in good if spec is None or run.stats.get("spec", spec) == spec]
        recent = []
        for run in past[:POOLED]:
            if run.outcome is not SourceStatus.OK or run not in same:
                break
            recent.append(run)
        stored = next((run for run in past if run.outcome is SourceStatus.OK or run.stats.get("new")), None)
        hours = (now - stored.started_at).total_seconds() / 3600 if now and stored else None
        return cls(
            tuple(run.stats for run in good), tuple(run.stats for run in same),
            tuple(run.stats for run in recent), hours,
        )

    @property
    def older(self) -> tuple[Stats, ...]:
        """The good runs before the recent ones."""
        return self.same[len(self.recent):]

    # -- what is usual ------------------------------------------------------------------------------------

    def expected(self, mode: str) -> int | None:
        """Median number of records of the good runs of this mode; None without any."""
        found = usual([run.get("records", 0) for run in self.good if run.get("mode") == mode])
        return None if found is None else int(found)

    @property
    def first_page(self) -> float:
        """Median number of entries on the first pages."""
        return usual([run.get("first_page", 0) for run in self.good]) or 0.0

    def share(self, group: str, name: str) -> float | None:
        """Median share of a field (`group`: coverage or validity); None with too little history."""
        shares = [hits / trials for hits, trials in _pairs(self.same, group, name) if trials]
        return statistics.median(shares) if len(shares) >= MIN_HISTORY else None

    # -- how odd this run is ------------------------------------------------------------------------------

    def lack(self, group: str, name: str, missing: int, total: int) -> float:
        """Return the chance that so many of `total` lack a field, after what the good runs lacked."""
        return self._per_day(_surprise(self.same, group, name, missing, total))

    def pooled_lack(self, group: str, name: str, missing: int, total: int) -> tuple[Pair, float]:
        """As `lack`, together with the recent runs against the older ones; also returns (missing, total) of all."""
        pairs = [*_pairs(self.recent, group, name), (total - missing, total)]
        whole = sum(trials for _, trials in pairs)
        lacking = whole - sum(hits for hits, _ in pairs)
        return (lacking, whole), self._per_day(_surprise(self.older, group, name, lacking, whole))

    def shapeless(self, role: str, bad: int, total: int) -> float:
        """Return the chance of so many pages that are not what the source file describes."""
        return self._per_day(_odds([_pair(run.get("shape", {}).get(role)) for run in self.same], bad, total))

    def pooled_shapeless(self, broken: frozenset[str], total: int) -> tuple[Pair, float]:
        """The same for detail pages together with the recent runs: each page once, known oddities not at all."""
        known = {page for run in self.older for page in run.get("broken", ())}
        fresh = (broken | {page for run in self.recent for page in run.get("broken", ())}) - known
        whole = total + sum(_pair(run.get("shape", {}).get("detail"))[1] for run in self.recent)
        before = [(len(run.get("broken", ())), _pair(run.get("shape", {}).get("detail"))[1]) for run in self.older]
        return (len(fresh), whole), self._per_day(_odds(before, len(fresh), whole))

    def share_of(self, name: str, hits: int, total: int) -> float:
        """Return the chance of at least `hits` in `total`, after the pairs that good runs kept under `name`."""
        return self._per_day(_odds([_pair(run.get(name)) for run in self.same], hits, total))

    def none_of(self, expected: int) -> float:
        """Return the chance of reading nothing where so many records are usual."""
        return self._per_day(count_tail(0, expected))

    def _per_day(self, chance: float) -> float:
        return min(1.0, chance / min(1.0, max(1.0, self.hours or 24.0) / 24))

    def relevance(self, missed: int, judged: int) -> float:
        """Return the chance that so many search results do not hold their keyword."""
        before = [_pair(run.get("relevance")) for run in self.good]
        return self._per_day(_odds([(judged - matched, judged) for matched, judged in before], missed, judged))

    def usual_relevance(self) -> float | None:
        """Median share of search results that hold their keyword."""
        pairs = [_pair(run.get("relevance")) for run in self.good]
        return usual([matched / judged for matched, judged in pairs if judged])

    def first_of(self, key: str) -> list[int]:
        """Return how many entries the first page of a start address had in the good runs."""
        return [run["by_start"][key][0] for run in self.good if key in run.get("by_start", {})]

    def start_surprise(self, key: str, first: int) -> tuple[float, float]:
        """Return (usual entries, chance of so few now) of a start address."""
        counts = self.first_of(key)
        if len(counts) < MIN_HISTORY:
            return 0.0, 1.0
        mean = min(statistics.median(counts), statistics.fmean(counts))
        return mean, self._per_day(count_tail(first, mean, fit_scatter([(count, mean) for count in counts])))

    def flow(self, new: int) -> tuple[float, float] | None:
        """Return (expected, chance of so few) new records for the time since the last run; None if that is unknown.

        The first, deep runs bring years at once and don't count.
        """
        past = [(float(run["new"]), float(run["hours"])) for run in self.good
                if run.get("mode") == "incremental" and run.get("hours")]
        if len(past) < 2 * MIN_HISTORY or self.hours is None:
            return None
        rate = min(statistics.median(new / hours for new, hours in past),
                   sum(new for new, _ in past) / sum(hours for _, hours in past))
        expected = rate * min(self.hours, MAX_HOURS)
        scatter = max(MIN_SCATTER, fit_scatter([(new, rate * hours) for new, hours in past]))
        return expected, self._per_day(count_tail(new, expected, scatter))


def mode_of(incremental: bool) -> str:
    """How a run reads: `incremental` stops where known ground begins, `deep` does not."""
    return "incremental" if incremental else "deep"


def _pair(value: Any) -> Pair:
    return (int(value[0]), int(value[1])) if value else (0, 0)


def _pairs(runs: Sequence[Stats], group: str, name: str) -> Iterator[Pair]:
    return (_pair(run.get(group, {}).get(name)) for run in runs)


def _surprise(runs: Sequence[Stats], group: str, name: str, missing: int, total: int) -> float:
    return _odds([(trials - hits, trials) for hits, trials in _pairs(runs, group, name)], missing, total)


def _odds(before: Sequence[Pair], hits: int, total: int) -> float:
    before = [pair for pair in before if pair[1]]
    if len(before) < MIN_HISTORY or not total:
        return 1.0
    return share_tail(hits, total, *fit_share(before))
