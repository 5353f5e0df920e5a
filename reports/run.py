"""Build the incidents of one business date from the store."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.baseline import BASE_DAYS, GUARD_DAYS, Baseline, Cell, Day, base_days, benjamini_hochberg
from reports.clusters import collapse
from reports.coverage import usable_days
from reports.incidents import GAP_DAYS, RECUR_DAYS, Group, find, old_news
from reports.judgement import Finding, Judge, Tone
from reports.score import FORMULA
from reports.texts import SESSIONS, Complaint, Reader, arrival_day
from vocwatch.clock import business_date, day_window
from vocwatch.models import IncidentState, RunStatus, TextKind
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, facts, incidents, runs
from vocwatch.store.incidents import Heard, Known, Member

WINDOW_DAYS = BASE_DAYS + GUARD_DAYS
RELATED_DAYS = 7  # sessions of the same reason this far back corroborate


@dataclass(frozen=True)
class IncidentReport:
    """What was found for one business date, most serious first; `old_news` texts were left out as reposts
    of old news.
    """

    date: dt.date
    findings: tuple[Finding, ...]
    alerts: int
    old_news: int


@dataclass
class _Day:
    """All that one business date is judged from."""

    date: dt.date
    complaints: list[Complaint]
    known: list[Known]
    earlier: dict[str, list[Complaint]]
    taken: set[tuple[str, int]]
    baseline: Baseline
    tones: dict[str | None, Tone]
    by_key: dict[tuple[str, int], Complaint] = field(default_factory=dict)


def build_incidents(settings: Settings, store: Store, date: dt.date, *, now: dt.datetime) -> IncidentReport:
    """Judge one business date anew and replace what was said of it. Other dates stay as they are.

    Idempotent: the same store gives the same rows; an alert that was raised keeps its time.
    """
    with store.begin() as connection:
        run = runs.start(connection, "incidents", date.isoformat(), now)
        incidents.forget_day(connection, date)
        day = _read(settings, connection, date)
        reader = Reader(settings)
        findings, old = _judge(settings, reader, day)
        for finding in findings:
            _save(settings, connection, finding, date)
        incidents.drop_empty(connection, date)
        raised = [finding for finding in findings if _alarming(finding)]
        for finding in raised:
            _alert(connection, finding, date, now, day)
        runs.finish(
            connection,
            run,
            now,
            RunStatus.DONE,
            stats={
                "incidents": len(findings),
                "alerts": len(raised),
                "old_news": old,
                "formula": FORMULA,
            },
        )
    return IncidentReport(date, tuple(findings), len(raised), old)


def _read(settings: Settings, connection: Connection, date: dt.date) -> _Day:
    zone = settings.app.zone
    start, end = day_window(date, zone)
    since = day_window(date - dt.timedelta(days=WINDOW_DAYS), zone)[0]
    outside = incidents.complaints(connection, since, end)
    inside = incidents.service_complaints(connection, since, end)
    known = incidents.known_before(connection, date, RECUR_DAYS)
    open_ids = [k.id for k in known if (date - k.last_day).days <= GAP_DAYS]
    members = incidents.members(connection, open_ids, date)
    outside += incidents.mentions_by_id(connection, _missing(members, outside, TextKind.MENTION))
    inside += incidents.sessions_by_id(connection, _missing(members, inside, TextKind.SESSION))
    reader = Reader(settings)
    complaints = reader.complaints([*outside, *inside], collapse(outside))
    by_key = {c.key: c for c in complaints}
    earlier: dict[str, list[Complaint]] = defaultdict(list)
    for member in members:
        if (member.text_kind, member.ref_id) in by_key:
            earlier[member.incident].append(by_key[(member.text_kind, member.ref_id)])
    return _Day(
        date=date,
        complaints=complaints,
        known=known,
        earlier=earlier,
        taken=incidents.taken_before(connection, date, RECUR_DAYS),
        baseline=_baseline(settings, connection, date, complaints),
        tones=_tones(settings, connection, start, end),
        by_key=by_key,
    )


def _missing(members: Sequence[Member], read: Sequence[Heard], kind: TextKind) -> set[int]:
    have = {heard.ref_id for heard in read}
    return {m.ref_id for m in members if m.text_kind == kind} - have


def _baseline(
    settings: Settings, connection: Connection, date: dt.date, complaints: Sequence[Complaint]
) -> Baseline:
    zone = settings.app.zone
    days = base_days(date)
    since, until = day_window(days[0], zone)[0], day_window(date, zone)[1]
    crawls = facts.crawl_runs(connection, since, until)
    usable = usable_days(
        settings, [*days, date], crawls, facts.first_crawls(connection), facts.first_mention(connection)
    )
    # What a source that is blind today used to bring must not be expected of the others.
    heard_today = {c.channel for c in complaints if c.day == date}
    usable = {name: read for name, read in usable.items() if date in read or name in heard_today}
    served = Counter(business_date(at, zone) for at in facts.session_times(connection, since, until))
    usable[SESSIONS] = {d for d in days if served[d]}
    for channel in usable:
        usable[channel] -= {campaign.date for campaign in settings.app.campaigns if campaign.date != date}
    frozen: dict[Cell, set[dt.date]] = defaultdict(set)
    for product, topic, listed in incidents.listed_days(connection, days[0], date):
        frozen[(product, topic)].add(listed)
        frozen[(None, topic)].add(listed)
    return Baseline(date, _counts(complaints), usable, frozen, _exposure(settings, connection, date, usable))


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


def _exposure(
    settings: Settings, connection: Connection, date: dt.date, usable: Mapping[str, set[dt.date]]
) -> float:
    """On a campaign day and the day after: today's volume of mentions over the usual one; otherwise 1."""
    eve = date - dt.timedelta(days=1)
    if not any(campaign.date in (date, eve) for campaign in settings.app.campaigns):
        return 1.0
    zone = settings.app.zone
    days = base_days(date)
    volume: Counter[dt.date] = Counter()
    for mention in facts.brand_mentions(connection, day_window(days[0], zone)[0], day_window(date, zone)[1]):
        if mention.source in usable:
            volume[business_date(mention.at, zone)] += 1
    usual = [volume[d] for d in days if volume[d]]
    return volume[date] * len(usual) / sum(usual) if usual else 1.0


def _tones(
    settings: Settings, connection: Connection, start: dt.datetime, end: dt.datetime
) -> dict[str | None, Tone]:
    """Mentions and negative mentions of the day, by product and (None) for the brand."""
    skus = {w.id: w.sku or w.id for w in settings.watches.watches if w.kind == "product"}
    named = facts.product_hits(connection, start, end)
    texts: Counter[str | None] = Counter()
    negative: Counter[str | None] = Counter()
    for mention in facts.brand_mentions(connection, start, end):
        about: set[str | None] = {None, *(skus[w] for w in named.get(mention.ref_id, ()) if w in skus)}
        if mention.sku:
            about.add(mention.sku)
        for product in about:
            texts[product] += 1
            negative[product] += mention.sentiment == "negative"
    return {product: Tone(texts[product], negative[product]) for product in texts}


def _judge(settings: Settings, reader: Reader, day: _Day) -> tuple[list[Finding], int]:
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
        finding = judge.judge(group, before, q_of.get(group.cell))
        if finding:
            findings.append(finding)
    return sorted(findings, key=lambda f: (f.level.rank, -f.score, f.id)), len(
        old_news([c for c in today if c.topics])
    )


def _complete(
    group: Group,
    day: _Day,
    before: Sequence[Complaint],
    late: Sequence[Complaint],
    used: set[tuple[str, int]],
) -> None:
    """Add what belongs to a group without deciding it: answers under its posts, late texts, earlier
    sessions.
    """
    late_keys = {c.key for c in late}
    for c in day.complaints:
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
    return {cell: benjamini_hochberg(value, p.values(), baseline.cells) for cell, value in p.items()}


def _save(settings: Settings, connection: Connection, finding: Finding, date: dt.date) -> None:
    incidents.save_incident(
        connection,
        {
            "id": finding.id,
            "brand": settings.app.brand.watch,
            "product": finding.product,
            "topic": finding.topic,
            "title": finding.title,
            "shop": finding.shop,
            "owner": finding.owner,
            "first_day": finding.first_day,
            "last_day": date,
            "first_seen_at": finding.first_seen_at,
            "recurs_of": finding.recurs_of,
        },
        {
            "incident_id": finding.id,
            "day": date,
            "level": finding.level.value,
            "state": finding.state.value,
            "score": finding.score,
            "parts": finding.parts.as_dict(),
            "why": [s.stored() for s in finding.why],
            "authors": finding.voices,
            "mentions": finding.mentions,
            "sessions": finding.sessions,
            "expected": finding.expected,
            "p_value": finding.p_value,
            "formula": FORMULA,
        },
        [
            Member(finding.id, c.heard.text_kind.value, c.heard.ref_id, date, c.origin)
            for c in finding.members
        ],
    )


def _alarming(finding: Finding) -> bool:
    """A red line that is new, worse, back, or has new red-line texts today."""
    changed = finding.state not in (IncidentState.ONGOING, IncidentState.FALLING)
    return finding.red_line and (changed or any(c.red_lines for c in finding.members))


def _alert(connection: Connection, finding: Finding, date: dt.date, now: dt.datetime, day: _Day) -> None:
    everything = [*day.earlier.get(finding.id, []), *finding.members]
    incidents.raise_alert(
        connection,
        finding.id,
        finding.level.value,
        date,
        now=now,
        mention_ids=sorted(c.heard.ref_id for c in everything if not c.inside),
        session_ids=sorted(c.heard.ref_id for c in everything if c.inside),
    )
