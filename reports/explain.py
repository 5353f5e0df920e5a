"""Every part of an incident's score on one day, with the rows behind it. Reads only.

The day is judged again from what the store holds now; where that differs from what was written down then (texts that
came later, were erased or judged anew, other weights), both are told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import score
from reports.day import judge_day, read_day, speaking_of
from reports.facts import excerpt
from reports.judgement import Finding
from reports.parts import Behind, Key
from reports.past import StoredPast
from reports.say import Say, from_stored
from vocwatch.clock import day_window
from vocwatch.models import TextKind
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, history, incidents
from vocwatch.store.facts import BrandMention
from vocwatch.store.incidents import Heard, Member


class UnknownIncident(Exception):
    """There is no such incident, or it wasn't listed on that day; `days` are those on which it was."""

    def __init__(self, days: Sequence[dt.date]):
        super().__init__("unknown incident")
        self.days = tuple(days)


@dataclass(frozen=True)
class Explanation:
    """An incident's day taken apart.

    `stored` is the row as written then; `finding` the same judged again today, None where it would not be listed
    any more. `attitude` are the mentions of the day that speak of the product, negative ones told apart.
    """

    date: dt.date
    stored: Mapping[str, Any]
    finding: Finding | None
    days: tuple[Mapping[str, Any], ...]
    weights: Mapping[str, float]
    formula: str
    members: tuple[Member, ...]
    attitude: tuple[BrandMention, ...]
    texts: Mapping[Key, Heard]
    topic: str

    @property
    def same(self) -> bool:
        """Judged again it comes to the same score and level."""
        found = self.finding
        return found is not None and (found.score, found.level.value) == (self.stored["score"], self.stored["level"])

    @property
    def why(self) -> tuple[Say, ...]:
        """The reasons as they were written."""
        return tuple(from_stored(row) for row in self.stored["why"])


def explain(settings: Settings, store: Store, incident: str, date: dt.date | None = None) -> Explanation:
    """Explain an incident on one of its days, the last where none is named. Raises UnknownIncident."""
    with store.read() as connection:
        days = history.days_of(connection, incident)
        stored = next((row for row in reversed(days) if date is None or row["day"] == date), None)
        if stored is None:
            raise UnknownIncident([row["day"] for row in days])
        day = stored["day"]
        read = read_day(settings, connection, day, StoredPast(connection))
        finding = next((f for f in judge_day(settings, read)[0] if f.id == incident), None)
        members = incidents.members(connection, [incident], day + dt.timedelta(days=1))
        start, end = day_window(day, settings.app.zone)
        attitude = tuple(
            mention
            for mention, about in speaking_of(settings, connection, start, end)
            if stored["product"] in about
        )
        wanted = {(m.text_kind, m.ref_id) for m in members}
        if finding:
            wanted |= {key for part in finding.behind for key in part.rows}
        texts = _texts(connection, wanted)
    risk = settings.app.risk
    weights = {name: float(getattr(risk, name)) for name in score.Parts.__dataclass_fields__}
    return Explanation(
        day, stored, finding, tuple(days), weights, score.version(risk), tuple(members), attitude, texts, stored["topic"]
    )


def _texts(connection: Connection, keys: set[Key]) -> dict[Key, Heard]:
    mentions = [ref for kind, ref in keys if kind == TextKind.MENTION]
    sessions = [ref for kind, ref in keys if kind == TextKind.SESSION]
    found = [
        *incidents.mentions_by_id(connection, mentions),
        *incidents.sessions_by_id(connection, sessions),
    ]
    return {h.key: h for h in sorted(found, key=lambda h: (h.at, h.order))}


def as_dict(told: Explanation) -> dict[str, Any]:
    """Return the explanation as JSON: each part with value, weight, points, inputs, and the ids of its texts; then the
    texts themselves with address and evidence.
    """
    row, found = told.stored, told.finding
    return {
        "incident": row["id"], "date": told.date.isoformat(), "title": row["title"], "topic": row["topic"],
        "product": row["product"], "shop": row["shop"], "owner": row["owner"], "level": row["level"],
        "state": row["state"], "score": row["score"], "formula": row["formula"],
        "why": [s.text() for s in told.why],
        "days": [
            {"date": d["day"].isoformat(), "level": d["level"], "state": d["state"], "score": d["score"], "formula": d["formula"]}
            for d in told.days
        ],
        "now": {
            "same": told.same, "formula": told.formula,
            "score": found.score if found else None, "level": found.level.value if found else None,
            "rule": found.rule.text() if found else None,
        },
        "parts": _parts(told),
        "baseline": [
            {"source": channel, "date": day.isoformat(), "voices": number}
            for channel, day, number in (found.history if found else ())
        ],
        "members": {
            "mentions": [m.ref_id for m in told.members if m.text_kind == TextKind.MENTION],
            "sessions": [m.ref_id for m in told.members if m.text_kind == TextKind.SESSION],
        },
        "texts": [_text(told, h) for h in told.texts.values()],
    }


def _parts(told: Explanation) -> list[dict[str, Any]]:
    behind: dict[str, Behind] = {part.name: part for part in (told.finding.behind if told.finding else ())}
    out = []
    for name, weight in told.weights.items():
        part = behind.get(name)
        rows = part.rows if part else ()
        entry: dict[str, Any] = {
            "part": name, "stored": told.stored["parts"].get(name), "value": round(part.value, 3) if part else None,
            "weight": weight, "points": round(weight * part.value, 2) if part else None,
            "inputs": dict(part.inputs) if part else {},
            "mentions": [ref for kind, ref in rows if kind == TextKind.MENTION],
            "sessions": [ref for kind, ref in rows if kind == TextKind.SESSION],
        }
        if name == "attitude":
            entry["mentions"] = [m.ref_id for m in told.attitude]
            entry["negative_mentions"] = [m.ref_id for m in told.attitude if m.sentiment == "negative"]
        out.append(entry)
    return out


def _text(told: Explanation, h: Heard) -> dict[str, Any]:
    member = next((m for m in told.members if (m.text_kind, m.ref_id) == h.key), None)
    inside = h.text_kind is TextKind.SESSION
    return {
        "kind": h.text_kind.value, "id": h.ref_id, "session": h.native_id if inside else None,
        "url": None if inside else h.url, "source": h.channel, "at": h.at.isoformat(timespec="minutes"),
        "first_seen": h.first_seen_at.isoformat(timespec="minutes"), "author": h.author,
        "copy_of": member.cluster if member and member.cluster != h.ref_id else None,
        "joined": member.day.isoformat() if member else None,
        "sentiment": h.sentiment, "confidence": round(h.confidence, 3), "severity": h.severity,
        "topics": list(h.topics), "red_lines": [str(r.get("name")) for r in h.red_lines],
        "likes": h.likes, "replies": h.replies, "shares": h.shares, "views": h.views,
        "evidence": h.page_sha, "excerpt": None if h.gone else excerpt(h, told.topic),
    }
