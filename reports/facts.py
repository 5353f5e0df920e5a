"""Fill the digest's facts: the store is read once, in one transaction; the rest is counting."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import exposure, measures
from reports.actions import MAX_ACTIONS, actions
from reports.advice import advice_for
from reports.baseline import BASE_DAYS
from reports.belated import belated_notes
from reports.calendar import campaign_on
from reports.complaint import Complaint
from reports.coverage import Coverage, coverage, usable_days
from reports.emerging import Phrase, emerging
from reports.exposure import Exposures
from reports.incidents import voices
from reports.inside import Inside, read_inside
from reports.judgement import lead
from reports.overdue import Overdue, overdue
from reports.precision import Precision, precision_of_week
from reports.rising import Rising, read_rising
from reports.say import Say, from_stored, say
from reports.score import reach, version
from reports.shape import Alert, Case, Emerging, Facts, FollowUp, Quote, Risk, Today
from reports.shops import shop_days
from reports.texts import Reader, told_together
from reports.traces import Kept
from reports.usual import Usual, usual
from reports.verdict import level_of, verdict_of
from reports.vocabulary import words_before
from reports.words import Word, hot_words
from vocwatch.clock import day_window
from vocwatch.collecting import no_collecting
from vocwatch.models import Level, TextKind
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, digests, facts, incidents, keywords, runs
from vocwatch.store.facts import ServiceSession
from vocwatch.store.incidents import Heard, Member

MAX_QUOTES = 2
QUOTE_LETTERS = 80
MAX_EMERGING = 5
MAX_CASES = 2
CASES_AT_A_TIME = 50
MAX_EXPOSED = 3


@dataclass
class _Rows:
    """What was read of the store. `read` are the day's public texts one by one, None where they complain of nothing."""

    listed: list[dict[str, Any]]
    members: dict[str, list[Member]]
    heard: dict[tuple[str, int], Heard]
    read: dict[tuple[str, int], Complaint | None]
    complaints: list[Complaint]
    coverage: Coverage
    measured: measures.Measured
    inside: Inside
    bad_cases: tuple[Case, ...]
    good_cases: tuple[Case, ...]
    alerts: list[Alert]
    yesterday: list[dict[str, Any]]
    words: tuple[Word, ...]
    phrases: tuple[Phrase, ...]
    rising: tuple[Rising, ...]
    old_news: int
    exposures: Exposures
    belated: list[Say]
    overdue: tuple[Overdue, ...]
    precision: Precision


def build_facts(
    settings: Settings, store: Store, date: dt.date, *, now: dt.datetime, audience: str = "qa"
) -> Facts:
    """Return everything the digest of a business date says. Reads only; nothing is invented where rows are
    missing.
    """
    reader = Reader(settings)
    with no_collecting():
        with store.read() as connection:
            rows = _read(settings, reader, connection, date, now=now, audience=audience)
        return _told(settings, reader, rows, date, now, audience)


def _told(settings: Settings, reader: Reader, rows: _Rows, date: dt.date, now: dt.datetime, audience: str) -> Facts:
    zone = settings.app.zone
    risks, to_check, rises = _sorted_out(settings, reader, rows)
    shown = risks[: settings.app.digest.max_risks]
    start, end = day_window(date, zone)
    indicators = measures.indicators(rows.measured, rows.coverage)
    return Facts(
        date=date,
        brand=settings.app.brand.name,
        audience=audience,
        level=level_of([*risks, *to_check, *rises], rows.coverage),
        verdict=verdict_of([*risks, *to_check, *rises], rows.coverage),
        window=(start.astimezone(zone), end.astimezone(zone)),
        generated_at=now.astimezone(zone),
        coverage=rows.coverage,
        indicators=indicators,
        actions=actions(
            settings, date, risks, to_check, rows.coverage, rows.measured.sessions_missing, rows.overdue
        ),
        risks=shown,
        more_risks=len(risks) - len(shown),
        others=risks[len(shown) :],
        console=settings.env.console_url,
        to_check=to_check,
        alerts=tuple(rows.alerts),
        emerging=_emerging([*risks[len(shown) :], *rises]),
        phrases=rows.phrases,
        rising=rows.rising,
        usual=_usual(rows.measured, rows.coverage),
        internal=rows.inside.added_to(measures.internal(rows.measured, rows.complaints, reader.display)),
        shops=shop_days(settings, rows.measured),
        trend=measures.trend(rows.measured, rows.coverage),
        platforms=measures.platforms(rows.measured, rows.coverage),
        words=rows.words,
        followups=_followups(rows),
        bad_cases=rows.bad_cases,
        good_cases=rows.good_cases,
        exposures=rows.exposures,
        overdue=rows.overdue,
        precision=rows.precision,
        notes=_notes(settings, rows, date),
        versions={
            "formula": str(rows.listed[0]["formula"]) if rows.listed else version(settings.app.risk),
            "topics": settings.topics.version,
            "thresholds": _thresholds(settings),
        },
    )


def _sorted_out(
    settings: Settings, reader: Reader, rows: _Rows
) -> tuple[tuple[Risk, ...], tuple[Risk, ...], tuple[Risk, ...]]:
    """Return the day's incidents, the red lines of one voice that are to be checked, and the rises that may be chance."""
    listed = [row for row in rows.listed if not row["watched"]]
    risks = tuple(_risk(settings, reader, rows, row, rank) for rank, row in enumerate(listed, 1))
    watched = [_risk(settings, reader, rows, row, 0) for row in rows.listed if row["watched"]]
    single = [risk for risk in watched if any(s.key == "why.isolated" for s in risk.why)]
    return risks, tuple(single), tuple(risk for risk in watched if risk not in single)


def _read(
    settings: Settings,
    reader: Reader,
    connection: Connection,
    date: dt.date,
    *,
    now: dt.datetime,
    audience: str,
) -> _Rows:
    zone = settings.app.zone
    start, end = day_window(date, zone)
    since = day_window(date - dt.timedelta(days=BASE_DAYS), zone)[0]
    crawls = facts.crawl_runs(connection, since, now)
    days = [date - dt.timedelta(days=back) for back in range(BASE_DAYS, -1, -1)]
    usable = usable_days(
        settings, days, crawls, facts.first_crawls(connection), facts.first_mention(connection)
    )
    listed = incidents.incident_list(connection, date)
    kept = Kept(settings, connection, days[0], date)
    members = defaultdict(list)
    for member in incidents.members(connection, [row["id"] for row in listed], date + dt.timedelta(days=1)):
        members[member.incident].append(member)
    everything = [m for own in members.values() for m in own]
    today = incidents.complaints(connection, start, end)
    served = facts.service_sessions(connection, since, end)
    inside = [s for s in served if s.started_at >= start]
    heard = _heard(connection, everything, today)
    built = runs.latest(connection, "incidents", date.isoformat())
    read: dict[tuple[str, int], Complaint | None] = dict.fromkeys(h.key for h in today)
    read.update((c.key, c) for c in reader.read(today))
    told = told_together((c for c in read.values() if c), {})
    return _Rows(
        listed=listed,
        members=members,
        heard=heard,
        read=read,
        complaints=told,
        coverage=coverage(settings, date, crawls, now),
        measured=measures.Measured(
            date=date,
            days=days,
            mentions={key: measures.Volume(*value) for key, value in kept.volumes().items()},
            sessions=served,
            zone=zone,
            usable=usable,
            new_incidents=facts.new_incidents(connection, days[0], date + dt.timedelta(days=1)),
            built=facts.built_days(connection, days[0], date + dt.timedelta(days=1)),
        ),
        inside=read_inside(settings, connection, date, days, served),
        bad_cases=_cases(reader, connection, sorted(inside, key=lambda s: (-s.severity, s.score or 0.0, s.order)), "negative"),
        good_cases=_cases(reader, connection, sorted(inside, key=lambda s: (-(s.score or 0.0), s.order)), "positive"),
        alerts=_alerts(settings, connection, date),
        yesterday=_yesterday(connection, date, audience),
        words=_words(settings, connection, date, today),
        phrases=emerging(settings, today, kept.negative_texts(date)),
        rising=read_rising(settings, connection, date),
        old_news=int(built.stats.get("old_news", 0)) if built else 0,
        exposures=_exposures(settings, reader, connection, date, told),
        belated=belated_notes(settings, connection, date, audience, now),
        overdue=overdue(connection, date),
        precision=precision_of_week(settings, connection, date),
    )


def _heard(connection: Connection, members: Iterable[Member], today: Iterable[Heard]) -> dict[tuple[str, int], Heard]:
    """Return the texts of incidents; those of the day itself are read already."""
    found = {h.key: h for h in today}
    keys = {(m.text_kind, m.ref_id) for m in members} - found.keys()
    more = [
        *incidents.mentions_by_id(connection, [ref for kind, ref in keys if kind == TextKind.MENTION]),
        *incidents.sessions_by_id(connection, [ref for kind, ref in keys if kind == TextKind.SESSION]),
    ]
    found.update((h.key, h) for h in more)
    return found


def _alerts(settings: Settings, connection: Connection, date: dt.date) -> list[Alert]:
    found = []
    for row in facts.day_alerts(connection, date):
        urls = facts.mention_urls(connection, row["mention_ids"])
        native = facts.native_sessions(connection, row["session_ids"])
        found.append(
            Alert(
                time=row["raised_at"].astimezone(settings.app.zone),
                incident=row["incident_id"],
                level=row["level"],
                title=row["title"],
                mention_urls=tuple(sorted(urls[i] for i in row["mention_ids"] if i in urls)),
                session_ids=tuple(sorted({native[i] for i in row["session_ids"] if i in native})),
            )
        )
    return found


def _exposures(
    settings: Settings, reader: Reader, connection: Connection, date: dt.date, outside: Sequence[Complaint]
) -> Exposures:
    """Threats of the day, and those of the week that a post of the day may have carried out."""
    zone = settings.app.zone
    start, end = day_window(date, zone)
    since = start - dt.timedelta(days=exposure.WINDOW_DAYS)
    said = exposure.threats(keywords.keyword_sessions(connection, since, end))
    inside = reader.complaints(incidents.sessions_by_id(connection, said), {})
    titles = {name: source.title for name, source in settings.sources.items()}
    today = sorted({s.native_id for s in said.values() if s.started_at >= start})
    return Exposures(tuple(today), exposure.link(inside, outside, said, titles))


def _yesterday(connection: Connection, date: dt.date, audience: str) -> list[dict[str, Any]]:
    """Return the risks of the day before as its digest told them, or as they were found if none was
    written.
    """
    eve = date - dt.timedelta(days=1)
    told = digests.load(connection, eve, audience)
    if told is not None:
        return list(told.get("risks", []))
    return [{**row, "incident": row["id"]} for row in incidents.incident_list(connection, eve)]


def _words(settings: Settings, connection: Connection, date: dt.date, today: Iterable[Heard]) -> tuple[Word, ...]:
    """`today` are the day's complaints; what is negative of them counts."""
    names = [name for w in settings.watches.watches for name in (w.name, *w.aliases, *w.ambiguous)]
    before = words_before(settings, connection, date, BASE_DAYS)
    negative = (h for h in today if h.brand_match and h.sentiment == "negative")
    return hot_words(((f"{h.channel}:{h.author}" if h.author else f"#{h.ref_id}", h.text) for h in negative), before, names)


def _risk(settings: Settings, reader: Reader, rows: _Rows, row: Mapping[str, Any], rank: int) -> Risk:
    members = rows.members[row["id"]]
    # By kind and id: a session and a mention may well have the same row number.
    found = [(m, rows.heard[(m.text_kind, m.ref_id)]) for m in members if (m.text_kind, m.ref_id) in rows.heard]
    found.sort(key=lambda pair: (pair[0].day, pair[1].order))
    mentions = [(m, h) for m, h in found if h.text_kind is TextKind.MENTION]
    sessions = [h for _, h in found if h.text_kind is TextKind.SESSION]
    originals = [h for m, h in mentions if m.cluster in (None, m.ref_id)]
    began = row["first_seen_at"]
    # What was heard since it began, or else before.
    first = min((h for _, h in found), key=lambda h: (h.at < began, h.at, h.order))
    read = [c for _, h in mentions if (c := rows.read.get(h.key))]
    read += reader.read(h for _, h in mentions if h.key not in rows.read)
    outside = told_together(read, {m.ref_id: m.cluster or m.ref_id for m, _ in mentions})
    why = tuple(from_stored(stored) for stored in row["why"])
    zone = settings.app.zone
    level = Level(row["level"])
    return Risk(
        rank=rank,
        incident=row["id"],
        level=level.value,
        state=row["state"],
        title=row["title"],
        topic=row["topic"],
        product=row["product"],
        product_name=reader.display.get(row["product"] or "", row["product"]) or "品牌整体",
        shop=row["shop"],
        owner=row["owner"],
        score=row["score"],
        formula=row["formula"],
        parts=dict(row["parts"]),
        why=why,
        authors=len(voices(outside)),
        copies=len(mentions) - len(originals),
        mention_urls=tuple(dict.fromkeys(h.url for _, h in mentions)),
        session_ids=tuple(dict.fromkeys(h.native_id for h in sessions)),
        sources=tuple(sorted({_source_title(settings, h.channel) for _, h in mentions})),
        lead_days=lead(_days(sessions, zone), _days([h for _, h in mentions], zone)),
        first_seen=row["first_seen_at"].astimezone(zone),
        first_source="客服会话"
        if first.text_kind is TextKind.SESSION
        else _source_title(settings, first.channel),
        today=Today(row["authors"], row["mentions"], row["sessions"], row["expected"], row["p_value"]),
        quotes=_quotes(settings, originals, row["topic"]),
        advice=advice_for(row["topic"], level, any(s.key == "why.copies" for s in why)),
        recurs_of=row["recurs_of"],
    )


def _days(heard: Sequence[Heard], zone: dt.tzinfo) -> list[dt.date]:
    return [h.at.astimezone(zone).date() for h in heard]


def _source_title(settings: Settings, name: str) -> str:
    source = settings.sources.get(name)
    return source.title if source else name


def _quotes(settings: Settings, originals: Sequence[Heard], topic: str) -> tuple[Quote, ...]:
    """Two public texts that still stand, those most read first; none when the configuration says so."""
    if not settings.app.digest.quotes:
        return ()
    standing = [h for h in originals if not h.gone and h.text.strip()]
    order = sorted(
        standing,
        key=lambda h: (-bool(h.red_lines), -reach(h.likes, h.replies, h.shares, h.views), h.at, h.order),
    )
    return tuple(
        Quote(
            excerpt(h, topic),
            h.url,
            h.page_sha,
            _source_title(settings, h.channel),
            h.at.astimezone(settings.app.zone),
        )
        for h in order[:MAX_QUOTES]
    )


def excerpt(heard: Heard, topic: str = "") -> str:
    """Return up to 80 characters around the clause that complains of `topic`."""
    spans = [s for s in heard.spans if s.get("topic") == topic] or list(heard.spans)
    start = max(0, int(spans[0]["start"]) - 20) if spans else 0
    if len(heard.text) <= QUOTE_LETTERS:
        start = 0
    cut = one_line(heard.text[start : start + 2 * QUOTE_LETTERS], 2 * QUOTE_LETTERS).strip()
    return ("…" if start else "") + one_line(cut, QUOTE_LETTERS - bool(start))


def _emerging(rest: Sequence[Risk]) -> tuple[Emerging, ...]:
    return tuple(
        Emerging(
            r.incident, r.level, r.title, r.topic, r.today.voices, r.today.expected, r.today.p_value,
            next((s for s in r.why if s.key in ("why.voices", "why.voices_of", "why.two_days", "why.cold")), None),
        )
        for r in rest[:MAX_EMERGING]
    )


def _followups(rows: _Rows) -> tuple[FollowUp, ...]:
    now = {row["id"]: row for row in rows.listed}
    return tuple(
        FollowUp(
            old["incident"],
            old["title"],
            old["level"],
            old["owner"],
            say("follow.still", state=now[old["incident"]]["state"], level=now[old["incident"]]["level"])
            if old["incident"] in now
            else say("follow.quiet"),
        )
        for old in rows.yesterday[:MAX_ACTIONS]
    )


def _cases(
    reader: Reader, connection: Connection, ordered: Sequence[ServiceSession], sentiment: str
) -> tuple[Case, ...]:
    """The first of these sessions that have something to read; some are read at a time."""
    found: dict[str, Case] = {}
    wanted = [s.ref_id for s in ordered if s.sentiment == sentiment]
    for first in range(0, len(wanted), CASES_AT_A_TIME):
        part = wanted[first : first + CASES_AT_A_TIME]
        heard = {h.ref_id: h for h in incidents.sessions_by_id(connection, part)}
        for h in (heard[ref] for ref in part if ref in heard):
            if h.text.strip() and h.native_id not in found:
                product = reader.product(h)
                found[h.native_id] = Case(
                    h.native_id, h.channel, reader.display.get(product or "", product) or "", excerpt(h)
                )
            if len(found) == MAX_CASES:
                return tuple(found.values())
    return tuple(found.values())


def _usual(m: measures.Measured, covered: Coverage) -> dict[str, Usual]:
    return usual(m.date, m.days, {key: volume.total for key, volume in m.mentions.items()}, m.usable, covered)


def _notes(settings: Settings, rows: _Rows, date: dt.date) -> tuple[Say, ...]:
    campaign = campaign_on(settings, date)
    notes = list(rows.belated)
    if campaign:
        notes.append(say("note.campaign", name=campaign))
    if rows.old_news:
        notes.append(say("note.old_news", texts=rows.old_news))
    if rows.measured.sessions_missing:
        notes.append(say("note.no_sessions"))
    notes += [
        say(
            "note.exposed", session=link.session_id, words=link.words[0] if link.words else "", hours=link.lag_hours,
            source=_source_title(settings, link.source), percent=round(100 * link.probability),
        )
        for link in rows.exposures.links[:MAX_EXPOSED]
    ]
    return tuple(notes)


def _thresholds(settings: Settings) -> str:
    levels = settings.app.risk.levels
    return f"Ⅰ≥{levels.red:g} Ⅱ≥{levels.orange:g} Ⅲ≥{levels.yellow:g} Ⅳ≥{levels.blue:g}"
