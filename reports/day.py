"""One business date as it is judged: what is read of the store, and the findings. Reads only.

`reports.run` writes the findings down; `explain` and `replay` judge the same way and write nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from reports.baseline import (
    BASE_DAYS,
    GUARD_DAYS,
    UNNAMED,
    Baseline,
    Cell,
    Day,
    base_days,
    benjamini_hochberg,
)
from reports.calendar import campaign_on, exposures
from reports.complaint import SESSIONS, Complaint, topic_of
from reports.coverage import NEXT_MORNING, UNKNOWN_SHARE, coverage, usable_days
from reports.incidents import GAP_DAYS, LISTED_P, Group, find, old_news
from reports.judgement import Finding, Judge
from reports.parts import Tone
from reports.past import Past
from reports.stories import MAX_BEFORE, merged
from reports.texts import Reader, arrival_day
from reports.traces import Kept, Shared
from reports.window import Window
from vocwatch.clock import day_window
from vocwatch.models import SourceStatus, TextKind
from vocwatch.settings import Settings
from vocwatch.store import Connection, facts, incidents
from vocwatch.store.facts import BrandMention
from vocwatch.store.incidents import Heard, Known
from vocwatch.store.runs import Run

WINDOW_DAYS = BASE_DAYS + GUARD_DAYS
RELATED_DAYS = 7  # sessions of the same reason this far back corroborate


@dataclass
class DayRead:
    """All that one business date is judged from. `complaints` are those of the day itself, and those of the days before
    that came late, `eve` those of the day before that may make an incident together with today's. `sessions(topic,
    product, days)` reads the sessions that complained of this on days before, `before()` some complaints of last week.
    `read` is which part was read of what is usually heard outside (0 to 1).
    """

    date: dt.date
    read: float
    complaints: list[Complaint]
    known: list[Known]
    earlier: dict[str, list[Complaint]]
    taken: set[tuple[str, int]]
    baseline: Baseline
    tones: dict[str | None, Tone]
    eve: list[Complaint]
    sessions: Callable[[str, str, range], list[Complaint]]
    before: Callable[[], list[Complaint]]


def read_day(
    settings: Settings, connection: Connection, date: dt.date, past: Past, shared: Shared | None = None
) -> DayRead:
    """Read what a date is judged from; `past` tells of the incidents of the days before, `shared` what was read of the
    date's texts just before.
    """
    app = settings.app
    start, end = day_window(date, app.zone)
    known = past.known(date)
    open_ids = [k.id for k in known if (date - k.last_day).days <= GAP_DAYS]
    members = past.members(open_ids, date)
    kept = Kept(settings, connection, date - dt.timedelta(days=WINDOW_DAYS), date)
    window = Window(kept.window({(m.text_kind, m.ref_id) for m in members}))
    load = _Loader(Reader(settings), connection, window, kept.unchanged(shared) if shared else {})
    joined = {c.key: c for c in load({(m.text_kind, m.ref_id) for m in members})}
    earlier: dict[str, list[Complaint]] = defaultdict(list)
    for member in members:
        if (member.text_kind, member.ref_id) in joined:
            earlier[member.incident].append(joined[(member.text_kind, member.ref_id)])
    counts = window.counts()
    baseline, read = _baseline(settings, connection, date, kept, window, counts, past)
    today = date.toordinal()
    taken = past.taken(date)
    eve = load(window.of_cells(_raised(settings, counts, baseline), date - dt.timedelta(days=1)))
    return DayRead(
        date=date,
        read=read,
        complaints=load.day(start, end, (app.digest_moment(date - dt.timedelta(days=1)), app.digest_moment(date))),
        known=known,
        earlier=earlier,
        taken=taken,
        baseline=baseline,
        tones=_tones(settings, connection, start, end),
        eve=[c for c in eve if c.key not in taken],
        sessions=load.sessions,
        before=lambda: load(window.some(range(today - RELATED_DAYS, today - 1), MAX_BEFORE)),
    )


def _raised(settings: Settings, counts: Mapping[Cell, Mapping[Day, int]], baseline: Baseline) -> set[Cell]:
    """Return the cells in which yesterday's voices may tell something of today's: those that are surprising in two days,
    alone or with the texts that name no product, and all of red lines.
    """
    red = {topic_of(line) for line in settings.topics.red_lines}
    heard: dict[Cell, tuple[int, int]] = {}
    for cell, by_day in counts.items():
        today = sum(n for (_, day), n in by_day.items() if day == baseline.day)
        eve = sum(n for (_, day), n in by_day.items() if (baseline.day - day).days == 1)
        heard[cell] = today, today + eve
    found: set[Cell] = set()
    for (product, topic), (today, both) in heard.items():
        unnamed = (UNNAMED, topic)
        more, joined = heard.get(unnamed, (0, 0)) if product else (0, 0)
        if not (today or more) or both + joined == today + more:
            continue
        tests = [baseline.expect((product, topic), both, window=2)]
        if joined:
            tests.append(baseline.expect((product, topic), both + joined, unnamed, window=2))
        if topic in red or any(test and test.p < LISTED_P for test in tests):
            found |= {(product, topic), unnamed} if product else {(product, topic)}
    return found


class _Loader:
    """Reads single texts in full and tells of them what was found among all."""

    def __init__(
        self, reader: Reader, connection: Connection, window: Window, shared: Mapping[tuple[str, int], Complaint | None]
    ):
        self._reader, self._connection, self._window, self._shared = reader, connection, window, shared

    def __call__(self, keys: Collection[tuple[str, int]]) -> list[Complaint]:
        """Return complaints by key: mentions, then sessions, each in the order of their rows."""
        return self._window.apply(self._reader.read(self._heard(keys)))

    def _heard(self, keys: Collection[tuple[str, int]]) -> list[Heard]:
        outside = incidents.mentions_by_id(self._connection, [ref for kind, ref in keys if kind == TextKind.MENTION])
        inside = incidents.sessions_by_id(self._connection, [ref for kind, ref in keys if kind == TextKind.SESSION])
        return [*outside, *inside]

    def day(
        self, start: dt.datetime, end: dt.datetime, seen: tuple[dt.datetime, dt.datetime]
    ) -> list[Complaint]:
        """Return the complaints in [start, end), and those of the days before that were first `seen` after the last
        digest was due and before this one is.
        """
        late = incidents.complaints(self._connection, start - dt.timedelta(days=GAP_DAYS + 1), start, seen=seen)
        keys = [*incidents.complaint_keys(self._connection, start, end), *incidents.service_keys(self._connection, start, end)]
        new = [key for key in keys if key not in self._shared]
        read = {c.key: c for c in self._reader.read([*late, *self._heard(new)])}
        read.update((key, c) for key in keys if (c := self._shared.get(key)) is not None)
        return self._window.apply(sorted(read.values(), key=lambda c: (c.inside, c.heard.order)))

    def sessions(self, topic: str, product: str, days: range) -> list[Complaint]:
        """Return the sessions of some days (as ordinals) that complain of this of that product."""
        found = incidents.sessions_by_id(self._connection, self._window.sessions(topic, product, days))
        return self._window.apply(self._reader.read(sorted(found, key=lambda heard: heard.order)))


def _baseline(
    settings: Settings, connection: Connection, date: dt.date, kept: Kept, window: Window,
    counts: Mapping[Cell, Mapping[Day, int]], past: Past,
) -> tuple[Baseline, float]:
    """Return what was to be expected of the date, and which part was read of what is usually heard outside."""
    zone = settings.app.zone
    days = base_days(date)
    since, until = day_window(days[0], zone)[0], day_window(date, zone)[1]
    crawls = facts.crawl_runs(connection, since, until + NEXT_MORNING)
    usable = usable_days(
        settings, [*days, date], crawls, facts.first_crawls(connection), facts.first_mention(connection)
    )
    # What a source that is blind today used to bring must not be expected of the others.
    heard_today = {channel for channel, day in window.heard_on if day == date.toordinal()}
    ever = usable
    usable = {name: read for name, read in usable.items() if date in read or name in heard_today}
    usable[SESSIONS] = {d for d in days if facts.any_session(connection, *day_window(d, zone))}
    frozen: dict[Cell, set[dt.date]] = defaultdict(set)
    for product, topic, listed in past.listed(days[0], date):
        frozen[(product, topic)].add(listed)
        frozen[(None, topic)].add(listed)
        frozen[(UNNAMED, topic)].add(listed)
    exposed = exposures(settings, [*days, date - dt.timedelta(days=1), date], _volume(settings, date, kept, usable))
    shares = _shares(settings, date, crawls, heard_today)
    return Baseline(date, counts, usable, frozen, exposed, shares), _read_part(counts, ever, usable, shares)


def _read_part(
    counts: Mapping[Cell, Mapping[Day, int]], ever: Mapping[str, AbstractSet[dt.date]],
    usable: Mapping[str, AbstractSet[dt.date]], shares: Mapping[str, float],
) -> float:
    """Return which part was read of what the sources bring on a day they are read; 1 where nothing is known of them."""
    usual: dict[str, float] = {}
    for channel, dates in ever.items():
        if channel != SESSIONS and dates:
            by_day = (counts[cell] for cell in counts if cell[0] is None)
            usual[channel] = sum(n for own in by_day for (name, day), n in own.items() if name == channel and day in dates) / len(dates)
    whole = sum(usual.values())
    read = sum(value * shares.get(channel, 1.0) for channel, value in usual.items() if channel in usable)
    return read / whole if whole else 1.0


def _volume(settings: Settings, date: dt.date, kept: Kept, usable: Mapping[str, set[dt.date]]) -> Counter[dt.date]:
    """Mentions by day that complain of nothing, where a campaign near the base makes that matter."""
    days = base_days(date)
    volume: Counter[dt.date] = Counter()
    around = (d - dt.timedelta(days=back) for d in [*days, date] for back in (0, 1))
    if any(campaign_on(settings, d) for d in around):
        for (day, source), (total, negative) in kept.volumes().items():
            if source in usable and day >= days[0]:
                volume[day] += total - negative
    return volume


def _shares(
    settings: Settings, date: dt.date, crawls: Sequence[Run], heard_today: AbstractSet[str]
) -> dict[str, float]:
    """Which part of a source was read on the day, where it wasn't all: no more than that can be expected of it."""
    seen_until = day_window(date, settings.app.zone)[1] + NEXT_MORNING
    own = [run for run in crawls if run.started_at < seen_until]
    return {
        source.name: source.share or UNKNOWN_SHARE
        for source in coverage(settings, date, own, seen_until).blind
        if source.name in heard_today and source.status in (SourceStatus.DEGRADED, SourceStatus.BLOCKED)
    }


def _tones(
    settings: Settings, connection: Connection, start: dt.datetime, end: dt.datetime
) -> dict[str | None, Tone]:
    """Mentions and negative mentions of the day, by product and (None) for the brand."""
    skus = {w.id: w.sku or w.id for w in settings.watches.watches if w.kind == "product"}
    texts: Counter[str | None] = Counter()
    negative: Counter[str | None] = Counter()
    for sku, named, bad, number in facts.brand_tones(connection, start, end):
        for product in {None, *(skus[watch] for watch in named if watch in skus), *([sku] if sku else [])}:
            texts[product] += number
            negative[product] += number if bad else 0
    return {product: Tone(texts[product], negative[product]) for product in texts}


def speaking_of(
    settings: Settings, connection: Connection, start: dt.datetime, end: dt.datetime
) -> Iterator[tuple[BrandMention, set[str | None]]]:
    """Yield the brand's mentions in [start, end) with the products that each speaks of, and None for the brand."""
    skus = {w.id: w.sku or w.id for w in settings.watches.watches if w.kind == "product"}
    named = facts.product_hits(connection, start, end)
    for mention in facts.brand_mentions(connection, start, end):
        about: set[str | None] = {None, *(skus[w] for w in named.get(mention.ref_id, ()) if w in skus)}
        if mention.sku:
            about.add(mention.sku)
        yield mention, about


def judge_day(settings: Settings, day: DayRead) -> tuple[list[Finding], int]:
    """Return the findings of the day, most serious first, and how many texts were left out as old news."""
    reader = Reader(settings)
    late = [
        c
        for c in day.complaints
        if 1 <= (day.date - c.day).days <= GAP_DAYS
        and c.key not in day.taken
        and not c.inside
        and arrival_day(settings, c.heard, c.day) == day.date
    ]
    today = [c for c in day.complaints if c.day == day.date and c.key not in day.taken]
    groups = find(
        day.date, [*today, *(c for c in late if c.red_lines)], day.baseline, day.known, day.eve,
        settings.topics.brand_wide(),
    )
    names = [name for w in settings.watches.watches for name in (w.name, *w.aliases)]
    groups = merged(groups, day.before, names)
    judge = Judge(settings, day.date, day.tones, reader.display, day.read)
    q_of = _q_values(day.baseline, today, groups)
    used = {c.key for group in groups for c in (*group.today, *group.eve)}
    findings = []
    for group in groups:
        before = day.earlier.get(group.known.id, []) if group.known else []
        _complete(group, day, late, used)
        finding = judge.judge(group, before, q_of.get(group.cell), day.baseline.heard_before(group.cell))
        if finding:
            findings.append(finding)
    return sorted(findings, key=lambda f: (f.level.rank, -f.score, f.id)), len(
        old_news([c for c in today if c.topics])
    )


def _complete(
    group: Group,
    day: DayRead,
    late: Sequence[Complaint],
    used: set[tuple[str, int]],
) -> None:
    """Add what belongs to a group without deciding it: answers under its posts, late texts, earlier
    sessions.
    """
    def free(c: Complaint) -> bool:
        return c.key not in used and c.key not in day.taken and _same(c, group)

    group.late += [c for c in late if free(c)]
    used.update(c.key for c in group.late)
    if group.product and not group.known:
        today = day.date.toordinal()
        group.related += [c for c in day.sessions(group.topic, group.product, range(today - RELATED_DAYS, today)) if free(c)]
        used.update(c.key for c in group.related)


def _same(complaint: Complaint, group: Group) -> bool:
    return group.topic in complaint.topics and (group.product is None or complaint.product == group.product)


def _q_values(baseline: Baseline, today: Sequence[Complaint], groups: Sequence[Group]) -> dict[Cell, float]:
    """Return the day's p-values after Benjamini–Hochberg over all product × topic cells ever heard of; a group's cell
    has that of the group.
    """
    heard: dict[Cell, set[str]] = defaultdict(set)
    for c in today:
        for topic in c.topics:
            for cell in {(None, topic), (c.product, topic)}:
                if c.voice:
                    heard[cell].add(c.voice)
    tests = {cell: baseline.expect(cell, len(who)) for cell, who in heard.items()}
    p = {cell: found.p for cell, found in tests.items() if found}
    p.update((group.cell, group.p) for group in groups if group.expectation)
    q = benjamini_hochberg(p.values(), baseline.cells)
    return {cell: q[value] for cell, value in p.items()}
