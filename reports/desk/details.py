"""One mention, one session, one incident, with everything that belongs to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from reports.desk.handle import Desk
from reports.say import from_stored
from vocwatch.lang import language
from vocwatch.models import TextKind
from vocwatch.store import Connection, cases, evidence, facts, feedback, history
from vocwatch.store.desk import single

MAX_COPIES = 50
NEAR = dt.timedelta(hours=36)


def mention_detail(desk: Desk, ref_id: int) -> dict[str, Any] | None:
    """Return everything about one mention, None where there is none.

    Its row, `judged` (the public contract, or None), `revisions` newest first, `evidence` (pages by hash), `shots`,
    `origin` and `copies` of its cluster, `incidents`, `cases`, `feedback`, and `health`: how the source's last crawl
    before it was seen ended.
    """
    with desk.read() as connection:
        row = single.mention(connection, ref_id)
        if row is None:
            return None
        behind = evidence.load(connection, ref_id)
        origin, copies = single.copies(connection, ref_id, MAX_COPIES)
        told = (TextKind.MENTION.value, str(ref_id))
        return {
            **row,
            "source_title": desk.source_title(row["source"]),
            "revisions": [
                {"id": t.id, "seen_at": t.seen_at, "title": t.title, "text": t.text, "page_sha": t.page_sha} for t in reversed(behind.texts)
            ],
            "evidence": [
                {"sha256": b.sha256, "url": b.final_url, "status": b.status, "size": b.size, "fetched_at": b.fetched_at,
                 "seen_at": b.seen_at, "purged": b.purged}
                for b in behind.bodies
            ],
            "shots": [{"sha256": s.sha256, "url": s.url, "taken_at": s.taken_at, "width": s.width, "height": s.height} for s in behind.shots],
            "origin": origin, "copies": copies,
            "incidents": single.incidents_of(connection, TextKind.MENTION, ref_id),
            "cases": cases.listed(connection, state=None, subject=str(ref_id)),
            "feedback": feedback.rows(connection, subject=told),
            "health": _health(connection, row["source"], row["first_seen_at"]),
        }


def _health(connection: Connection, source: str, seen: dt.datetime) -> dict[str, Any] | None:
    """How the source was read when the mention was first seen."""
    runs = [run for run in facts.crawl_runs(connection, seen - NEAR, seen) if run.subject == source]
    if not runs:
        return None
    run = runs[-1]
    return {
        "status": run.outcome.value if run.outcome else run.status.value, "why": run.reason, "at": run.started_at,
        "read": run.stats.get("read", run.stats.get("records")), "expected": run.stats.get("expected"),
    }


def session_detail(desk: Desk, ref_id: int) -> dict[str, Any] | None:
    """Return everything about one session, None where there is none: its masked `turns`, `keywords` (turn, place, class,
    word), `judged`, `incidents` and `feedback`.
    """
    with desk.read() as connection:
        row = single.session(connection, ref_id)
        if row is None:
            return None
        return {
            **row,
            "incidents": single.incidents_of(connection, TextKind.SESSION, ref_id),
            "feedback": feedback.rows(connection, subject=(TextKind.SESSION.value, str(ref_id))),
        }


def incident_detail(desk: Desk, incident: str, day: dt.date | None = None, *, explained: bool = True) -> dict[str, Any] | None:
    """Return everything about one incident, None where there is none, as it stood on `day` (its last without one).

    `days` (each with level, state, score, parts, numbers, and `why` as sentences), `day` (that of them which is shown),
    `mentions` and `sessions` (its members in short), `timeline` (day by day how many of either joined), `cases`,
    `feedback` by day, and with `explained` the score taken apart as `vocwatch explain --json` tells it.
    """
    with desk.read() as connection:
        days = history.days_of(connection, incident)
        if not days:
            return None
        own = single.members(connection, incident)
        open_cases = cases.listed(connection, state=None, subject=incident)
        told = [
            {**row, "day": one["day"]}
            for one in days
            for row in feedback.rows(connection, subject=(feedback.INCIDENT, f"{incident}{feedback.DAY_MARK}{one['day'].isoformat()}"))
        ]
    shown = next((row for row in reversed(days) if day is None or row["day"] == day), days[-1])
    head = {name: shown[name] for name in ("title", "topic", "product", "shop", "owner", "first_day", "last_day", "first_seen_at", "recurs_of")}
    return {
        "id": incident, **head,
        "days": [_day(row) for row in days], "day": _day(shown), **own, "timeline": _timeline(days, own),
        "cases": open_cases, "feedback": told, "explained": _explained(desk, incident, shown["day"]) if explained else None,
    }


def _day(row: dict[str, Any]) -> dict[str, Any]:
    names = ("day", "level", "state", "score", "parts", "authors", "mentions", "sessions", "expected", "p_value", "formula", "watched")
    return {**{name: row[name] for name in names}, "why": [from_stored(why).text(language()) for why in row["why"]]}


def _timeline(days: list[dict[str, Any]], own: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    listed = {row["day"]: row for row in days}
    joined = {
        kind: {day: sum(1 for m in own[kind] if m["day"] == day) for day in {m["day"] for m in own[kind]}} for kind in ("mentions", "sessions")
    }
    every = sorted({*listed, *joined["mentions"], *joined["sessions"]})
    return [
        {"day": day, "mentions": joined["mentions"].get(day, 0), "sessions": joined["sessions"].get(day, 0),
         "level": listed[day]["level"] if day in listed else None, "state": listed[day]["state"] if day in listed else None,
         "score": listed[day]["score"] if day in listed else None}
        for day in every
    ]


def _explained(desk: Desk, incident: str, day: dt.date) -> dict[str, Any] | None:
    from reports.explain import (  # judging a day again is loaded where it is done
        UnknownIncident,
        as_dict,
        explain,
    )

    try:
        return as_dict(explain(desk.settings, desk.store, incident, day))
    except UnknownIncident:
        return None
