"""Build the incidents of one business date from the store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from reports import score
from reports.baseline import BASE_DAYS
from reports.day import WINDOW_DAYS, DayRead, judge_day, read_day
from reports.hourly import fast_movers
from reports.judgement import Finding
from reports.past import StoredPast
from reports.traces import Shared, keep
from reports.vocabulary import keep_words
from vocwatch.collecting import no_collecting
from vocwatch.models import IncidentState, RunStatus
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, alerts, incidents, runs
from vocwatch.store.incidents import Member


@dataclass(frozen=True)
class IncidentReport:
    """What was found for one business date, most serious first; `old_news` texts were left out as reposts
    of old news.
    """

    date: dt.date
    findings: tuple[Finding, ...]
    alerts: int
    old_news: int

    def without_texts(self) -> IncidentReport:
        """Return the same without the texts and rows behind it, which the store has: it may be kept at no cost."""
        bare = tuple(replace(finding, members=(), behind=(), history=()) for finding in self.findings)
        return replace(self, findings=bare)


def build_incidents(settings: Settings, store: Store, date: dt.date, *, now: dt.datetime) -> IncidentReport:
    """Judge one business date anew and replace what was said of it. Other dates stay as they are.

    Idempotent: the same store gives the same rows; an alert that was raised keeps its time.
    """
    with no_collecting():
        return _build(settings, store, date, now)


def _build(settings: Settings, store: Store, date: dt.date, now: dt.datetime) -> IncidentReport:
    shared = Shared(date)
    keep(settings, store, date, WINDOW_DAYS, shared)
    keep_words(settings, store, date, BASE_DAYS)
    with store.begin() as connection:
        run = runs.start(connection, "incidents", date.isoformat(), now)
        incidents.forget_day(connection, date)
        day = read_day(settings, connection, date, StoredPast(connection), shared)
        findings, old = judge_day(settings, day)
        for finding in findings:
            _save(settings, connection, finding, date)
        incidents.drop_empty(connection, date)
        raised = [finding for finding in findings if _alarming(finding)]
        for finding in raised:
            _alert(connection, finding, date, now, day)
        fast = fast_movers(settings, connection, day.baseline, day.complaints, now)
        runs.finish(
            connection,
            run,
            now,
            RunStatus.DONE,
            stats={
                "movers": [mover.stored() for mover in fast],
                "incidents": len(findings),
                "alerts": len(raised),
                "old_news": old,
                "formula": score.version(settings.app.risk),
            },
        )
    return IncidentReport(date, tuple(findings), len(raised), old)


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
            "formula": score.version(settings.app.risk),
            "watched": finding.watched,
        },
        [
            Member(finding.id, c.heard.text_kind.value, c.heard.ref_id, date, c.origin)
            for c in finding.members
        ],
    )


def _alarming(finding: Finding) -> bool:
    """A red line that is new, worse, back, or has new red-line texts today.

    One voice of the second class waits for the digest, to be checked: most who threaten with the authorities only do so.
    """
    if finding.watched and not any(line.first_class for c in finding.members for line in c.red_lines):
        return False
    changed = finding.state not in (IncidentState.ONGOING, IncidentState.FALLING)
    return finding.red_line and (changed or any(c.red_lines for c in finding.members))


def _alert(connection: Connection, finding: Finding, date: dt.date, now: dt.datetime, day: DayRead) -> None:
    everything = [*day.earlier.get(finding.id, []), *finding.members]
    alerts.raise_one(
        connection,
        finding.id,
        finding.level.value,
        date,
        now=now,
        mention_ids=sorted(c.heard.ref_id for c in everything if not c.inside),
        session_ids=sorted(c.heard.ref_id for c in everything if c.inside),
    )
