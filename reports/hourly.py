"""Fast movers: what rises within hours, told between two digests.

For each product × topic: the independent voices of the last 1, 2 and 3 hours against what the daily baseline
(`reports.baseline`: 28 days, same weekdays, campaign, coverage, blind sources left out, pooled negative-binomial
dispersion) leads to expect of these hours of the day. The share of an hour in its day is pooled over all topics, since a
single one has too few texts for a shape of its own; it is shrunk towards the even share. The smallest of the three
p-values counts three times (Bonferroni), and must survive Benjamini–Hochberg over all cells. The thresholds are tighter
than those of a day, because the hours are looked at many times a day.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from reports.baseline import Baseline, Cell, benjamini_hochberg, nb_tail
from reports.complaint import ARRANGED, Complaint
from vocwatch.clock import business_date, day_window
from vocwatch.models import OTHER_TOPIC
from vocwatch.settings import Settings
from vocwatch.store import Connection, facts, runs

HOURS = (1, 2, 3)
MIN_VOICES = 3
FAST_P = 1e-4
FAST_Q = 0.01
UNHEARD = 0.5  # voices over the whole base, of what was never heard before
PROFILE_DAYS = 7
PROFILE_TEXTS = 50_000
EVEN_TEXTS = 240.0  # texts of an even day added to the profile: ten an hour
MAX_RUNS = 500  # of one day: a round every three minutes

Profile = Sequence[float]  # the share of each hour of the day


@dataclass(frozen=True)
class Mover:
    """A product's topic that rose within `hours` before `at`: `seen` voices where `expected` were to be expected.

    `p` is corrected for the three windows, not for the other cells. The rows are those of the voices counted; `told_at`
    is when it was first told on that day.
    """

    at: str
    hours: int
    product: str | None
    topic: str
    seen: int
    expected: float
    p: float
    mention_ids: tuple[int, ...]
    session_ids: tuple[int, ...]
    told_at: str = ""

    @property
    def cell(self) -> Cell:
        """(product, topic)."""
        return (self.product, self.topic)

    @property
    def window(self) -> tuple[dt.datetime, dt.datetime]:
        """From and to."""
        end = dt.datetime.fromisoformat(self.at)
        return end - dt.timedelta(hours=self.hours), end

    def stored(self) -> dict[str, Any]:
        """Return the form that is kept with the run that found it."""
        return asdict(self)


def from_stored(row: Mapping[str, Any]) -> Mover:
    """Read back what `stored` returned."""
    return Mover(**{**row, "mention_ids": tuple(row["mention_ids"]), "session_ids": tuple(row["session_ids"])})


def profile(moments: Iterable[dt.datetime], zone: dt.tzinfo) -> Profile:
    """Return each hour's share of a day. Texts of midnight sharp have a date and no hour: they are left out."""
    count = Counter(local.hour for at in moments if has_hour(local := at.astimezone(zone)))
    total = sum(count.values()) + EVEN_TEXTS
    return [(count[hour] + EVEN_TEXTS / 24) / total for hour in range(24)]


def has_hour(local: dt.datetime) -> bool:
    """Whether a moment of the business zone is more than a date."""
    return (local.hour, local.minute, local.second) != (0, 0, 0)


def share_of(shape: Profile, now: dt.datetime, hours: int) -> float:
    """Return the share of a day that lies in the `hours` before `now` (in the business zone)."""
    past = now.minute / 60 + now.second / 3600
    whole = sum(shape[(now.hour - back) % 24] for back in range(1, hours))
    return shape[now.hour] * past + whole + shape[(now.hour - hours) % 24] * (1 - past)


def movers(baseline: Baseline, complaints: Iterable[Complaint], shape: Profile, now: dt.datetime) -> list[Mover]:
    """Return the fast movers at `now` (in the business zone), most surprising first; none without a baseline.

    A whole brand's topic is left out where one of its products is told.
    """
    zone = now.tzinfo
    recent = [
        c for c in complaints
        if c.voice and not c.old_news and _age(c, now) < max(HOURS) and has_hour(c.heard.at.astimezone(zone))
    ]
    tested: dict[Cell, Mover] = {}
    for cell, own in _cells(recent).items():
        found = [m for hours in HOURS if (m := _tested(baseline, cell, own, shape, now, hours))]
        if found:
            best = min(found, key=lambda mover: (mover.p, mover.hours))
            tested[cell] = replace(best, p=min(1.0, best.p * len(HOURS)))
    q_of = benjamini_hochberg([mover.p for mover in tested.values()], max(baseline.cells, len(tested)))
    fast = {cell: m for cell, m in tested.items() if m.seen >= MIN_VOICES and m.p < FAST_P and q_of[m.p] < FAST_Q}
    told = {topic for product, topic in fast if product is not None}
    chosen = [m for cell, m in fast.items() if cell[0] is not None or cell[1] not in told]
    return sorted(chosen, key=lambda m: (m.p, -m.seen, m.topic, m.product or ""))


def _age(complaint: Complaint, now: dt.datetime) -> float:
    """Hours since it was said; infinite for what lies ahead."""
    hours = (now - complaint.heard.at).total_seconds() / 3600
    return hours if hours >= 0 else float("inf")


def _cells(recent: Iterable[Complaint]) -> dict[Cell, list[Complaint]]:
    found: dict[Cell, list[Complaint]] = defaultdict(list)
    for c in recent:
        for topic in c.topics:
            if topic != OTHER_TOPIC:
                for product in {None, c.product}:
                    found[product, topic].append(c)
    return found


def _tested(
    baseline: Baseline, cell: Cell, own: Iterable[Complaint], shape: Profile, now: dt.datetime, hours: int
) -> Mover | None:
    """One window of one cell, its p-value not corrected yet."""
    rows = _once([c for c in own if _age(c, now) < hours])
    seen = len({c.voice for c in rows})
    told = baseline.expect(cell, seen) if seen else None
    if told is None:
        return None
    mean = max(told.mean, UNHEARD / told.days) * share_of(shape, now, hours)
    return Mover(
        now.isoformat(timespec="seconds"), hours, cell[0], cell[1], seen, round(mean, 3), nb_tail(seen, mean, told.alpha),
        tuple(sorted(c.heard.ref_id for c in rows if not c.inside)), tuple(sorted(c.heard.ref_id for c in rows if c.inside)),
    )


def _once(rows: Iterable[Complaint]) -> list[Complaint]:
    """Texts that look arranged are one voice: the earliest stands for it."""
    kept, arranged = [], set()
    for c in sorted(rows, key=lambda c: (c.heard.at, c.heard.order)):
        if c.voice and c.voice.startswith(ARRANGED):
            if c.voice in arranged:
                continue
            arranged.add(c.voice)
        kept.append(c)
    return kept


def fast_movers(
    settings: Settings, connection: Connection, baseline: Baseline, complaints: Iterable[Complaint], now: dt.datetime
) -> list[Mover]:
    """Return what rose within the hours before `now`; nothing where the baseline is that of another date."""
    zone = settings.app.zone
    if baseline.day != business_date(now, zone):
        return []
    start = day_window(baseline.day, zone)[0]
    since = start - dt.timedelta(days=PROFILE_DAYS)
    moments = facts.complaint_times(connection, since, start, PROFILE_TEXTS) + facts.session_times(connection, since, start)
    return movers(baseline, complaints, profile(moments, zone), now.astimezone(zone))


def movers_of(connection: Connection, day: dt.date) -> list[Mover]:
    """Return what was told of a date, oldest first: each product's topic as it stood when it surprised most."""
    first: dict[Cell, str] = {}
    best: dict[Cell, Mover] = {}
    for run in reversed(runs.history(connection, "incidents", day.isoformat(), MAX_RUNS)):
        for row in run.stats.get("movers", ()):
            mover = from_stored(row)
            first.setdefault(mover.cell, mover.at)
            if mover.cell not in best or mover.p < best[mover.cell].p:
                best[mover.cell] = mover
    told = [replace(m, told_at=first[cell]) for cell, m in best.items()]
    return sorted(told, key=lambda m: (m.told_at, m.p, m.topic, m.product or ""))
