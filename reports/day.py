"""One business date as it is judged: what is read of the store, and the findings. Reads only.

`reports.run` writes the findings down; `explain` and `replay` judge the same way and write nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from reports.baseline import BASE_DAYS, GUARD_DAYS, Baseline, Cell, Day, base_days, benjamini_hochberg
from reports.calendar import campaign_on, exposures
from reports.clusters import collapse
from reports.complaint import SESSIONS, Complaint
from reports.coverage import NEXT_MORNING, UNKNOWN_SHARE, coverage, usable_days
from reports.incidents import GAP_DAYS, Group, find, old_news
from reports.judgement import Finding, Judge
from reports.parts import Tone
from reports.past import Past
from reports.texts import Reader, arrival_day
from vocwatch.clock import business_date, day_window
from vocwatch.models import SourceStatus, TextKind
from vocwatch.settings import Settings
from vocwatch.store import Connection, facts, incidents
from vocwatch.store.facts import BrandMention
from vocwatch.store.incidents import Heard, Known, Member
from vocwatch.store.runs import Run

WINDOW_DAYS = BASE_DAYS + GUARD_DAYS
RELATED_DAYS = 7  # sessions of the same reason this far back corroborate


@dataclass
class DayRead:
    """All that one business date is judged from."""

    date: dt.date
    complaints: list[Complaint]
    known: list[Known]
    earlier: dict[str, list[Complaint]]
    taken: set[tuple[str, int]]
    baseline: Baseline
    tones: dict[str | None, Tone]
    by_key: dict[tuple[str, int], Complaint] = field(default_factory=dict)

    @cached_property
    def recent(self) -> dict[str, list[Complaint]]:
        """What was said within the last days and may still join an incident, by topic."""
        found: dict[str, list[Complaint]] = defaultdict(list)
        for c in self.complaints:
            if (self.date - c.day).days <= max(RELATED_DAYS, GAP_DAYS):
                for topic in c.topics:
                    found[topic].append(c)
        return found


def read_day(settings: Settings, connection: Connection, date: dt.date, past: Past) -> DayRead:
    """Read what a date is judged from; `past` tells of the incidents of the days before."""
    zone = settings.app.zone
    start, end = day_window(date, zone)
    since = day_window(date - dt.timedelta(days=WINDOW_DAYS), zone)[0]
    outside = incidents.complaints(connection, since, end)
    inside = incidents.service_complaints(connection, since, end)
    known = past.known(date)
    open_ids = [k.id for k in known if (date - k.last_day).days <= GAP_DAYS]
    members = past.members(open_ids, date)
    outside += incidents.mentions_by_id(connection, _missing(members, outside, TextKind.MENTION))
    inside += incidents.sessions_by_id(connection, _missing(members, inside, TextKind.SESSION))
    reader = Reader(settings)
    complaints = reader.complaints([*outside, *inside], collapse(outside))
    by_key = {c.key: c for c in complaints}
    earlier: dict[str, list[Complaint]] = defaultdict(list)
    for member in members:
        if (member.text_kind, member.ref_id) in by_key:
            earlier[member.incident].append(by_key[(member.text_kind, member.ref_id)])
    return DayRead(
        date=date,
        complaints=complaints,
        known=known,
        earlier=earlier,
        taken=past.taken(date),
        baseline=_baseline(settings, connection, date, complaints, past),
        tones=_tones(settings, connection, start, end),
        by_key=by_key,
    )


def _missing(members: Sequence[Member], read: Sequence[Heard], kind: TextKind) -> set[int]:
    have = {heard.ref_id for heard in read}
    return {m.ref_id for m in members if m.text_kind == kind} - have


def _baseline(
    settings: Settings, connection: Connection, date: dt.date, complaints: Sequence[Complaint], past: Past
) -> Baseline:
    zone = settings.app.zone
    days = base_days(date)
    since, until = day_window(days[0], zone)[0], day_window(date, zone)[1]
    crawls = facts.crawl_runs(connection, since, until + NEXT_MORNING)
    usable = usable_days(
        settings, [*days, date], crawls, facts.first_crawls(connection), facts.first_mention(connection)
    )
    # What a source that is blind today used to bring must not be expected of the others.
    heard_today = {c.channel for c in complaints if c.day == date}
    usable = {name: read for name, read in usable.items() if date in read or name in heard_today}
    served = Counter(business_date(at, zone) for at in facts.session_times(connection, since, until))
    usable[SESSIONS] = {d for d in days if served[d]}
    frozen: dict[Cell, set[dt.date]] = defaultdict(set)
    for product, topic, listed in past.listed(days[0], date):
        frozen[(product, topic)].add(listed)
        frozen[(None, topic)].add(listed)
    exposed = exposures(settings, [*days, date], _volume(settings, connection, date, usable))
    shares = _shares(settings, date, crawls, heard_today)
    return Baseline(date, _counts(complaints), usable, frozen, exposed, shares)


def _counts(complaints: Sequence[Complaint]) -> dict[Cell, dict[Day, int]]:
    """Independent voices by cell, channel and day."""
    heard: dict[Cell, dict[Day, set[str]]] = defaultdict(lambda: defaultdict(set))
    for c in complaints:
        if c.voice is None:
            continue
        for topic in c.topics:
            heard[(None, topic)][(c.channel, c.day)].add(c.voice)
            if c.product:
                heard[(c.product, topic)][(c.channel, c.day)].add(c.voice)
    return {cell: {day: len(who) for day, who in by_day.items()} for cell, by_day in heard.items()}


def _volume(
    settings: Settings, connection: Connection, date: dt.date, usable: Mapping[str, set[dt.date]]
) -> Counter[dt.date]:
    """Mentions by day that complain of nothing, where a campaign near the base makes that matter."""
    zone = settings.app.zone
    days = base_days(date)
    volume: Counter[dt.date] = Counter()
    around = (d - dt.timedelta(days=back) for d in [*days, date] for back in (0, 1))
    if not any(campaign_on(settings, d) for d in around):
        return volume
    for mention in facts.brand_mentions(connection, day_window(days[0], zone)[0], day_window(date, zone)[1]):
        if mention.source in usable and mention.sentiment != "negative":
            volume[business_date(mention.at, zone)] += 1
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
    texts: Counter[str | None] = Counter()
    negative: Counter[str | None] = Counter()
    for mention, about in speaking_of(settings, connection, start, end):
        for product in about:
            texts[product] += 1
            negative[product] += mention.sentiment == "negative"
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
    zone = settings.app.zone
    late = [
        c
        for c in day.complaints
        if 1 <= (day.date - c.day).days <= GAP_DAYS
        and c.key not in day.taken
        and not c.inside
        and arrival_day(c.heard, day_window(c.day, zone)[1], zone) == day.date
    ]
    today = [c for c in day.complaints if c.day == day.date and c.key not in day.taken]
    groups = find(day.date, [*today, *(c for c in late if c.red_lines)], day.baseline, day.known)
    judge = Judge(settings, day.date, day.tones, reader.display)
    q_of = _q_values(day.baseline, today)
    used = {c.key for group in groups for c in group.today}
    findings = []
    for group in groups:
        before = day.earlier.get(group.known.id, []) if group.known else []
        _complete(group, day, before, late, used)
        finding = judge.judge(group, before, q_of.get(group.cell), day.baseline.heard_before(group.cell))
        if finding:
            findings.append(finding)
    return sorted(findings, key=lambda f: (f.level.rank, -f.score, f.id)), len(
        old_news([c for c in today if c.topics])
    )


def _complete(
    group: Group,
    day: DayRead,
    before: Sequence[Complaint],
    late: Sequence[Complaint],
    used: set[tuple[str, int]],
) -> None:
    """Add what belongs to a group without deciding it: answers under its posts, late texts, earlier
    sessions.
    """
    late_keys = {c.key for c in late}
    for c in day.recent.get(group.topic, ()):
        if c.key in used or c.key in day.taken or not _same(c, group):
            continue
        if c.key in late_keys:
            group.late.append(c)
        elif c.inside and group.product and not group.known and 1 <= (day.date - c.day).days <= RELATED_DAYS:
            group.related.append(c)
        else:
            continue
        used.add(c.key)


def _same(complaint: Complaint, group: Group) -> bool:
    return group.topic in complaint.topics and (group.product is None or complaint.product == group.product)


def _q_values(baseline: Baseline, today: Sequence[Complaint]) -> dict[Cell, float]:
    """Return the day's p-values after Benjamini–Hochberg over all product × topic cells ever heard of."""
    heard: dict[Cell, set[str]] = defaultdict(set)
    for c in today:
        for topic in c.topics:
            for cell in {(None, topic), (c.product, topic)}:
                if c.voice:
                    heard[cell].add(c.voice)
    tests = {cell: baseline.expect(cell, len(who)) for cell, who in heard.items()}
    p = {cell: found.p for cell, found in tests.items() if found}
    q = benjamini_hochberg(p.values(), baseline.cells)
    return {cell: q[value] for cell, value in p.items()}
