"""Counts every number of a digest's JSON again, straight from the rows, without the code that made the digest."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from reports.words import tokens
from vocwatch.store import Store
from vocwatch.store import people_schema as people
from vocwatch.store import schema as s

# Not counts of rows: scores, probabilities, ratios, ranks, and what a crawl said of itself.
MEASURES = re.compile(
    r"coverage\.percent|coverage\.sources\.[^.]+\.(expected|read|usual|usual_days|usual_read|p_low)|indicators\.\d+\.(baseline|share)|shops\.\d+\.baseline|internal\.csi"
    r"|internal\.rates\.\d+\.(value|low|high|change|base\.value)|internal\.keywords\.\d+\.(level|expected|p_value)"
    r"|movers\.\d+\.(hours|expected|p_value)"
    r"|exposures\.links\.\d+\.(lag_hours|probability)"
    r"|precision\.(overall|by_topic\.\d+|by_source\.\d+)\.(value|low|high)|overdue\.\d+\.case"
    r"|(risks|to_check)\.\d+\.(rank|score|parts\.\w+|lead_days|today\.(expected|p_value))|words\.\d+\.z|emerging\.\d+\.(expected|p_value|z)"
)


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield (path, number) of every number in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from numbers(inner, f"{path}.{place}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


@dataclass
class Ledger:
    """All rows of a store that a digest may count, in plain lists."""

    store: Store
    digest: dict[str, Any]
    zone: ZoneInfo
    mentions: list[Any] = field(init=False)
    sessions: list[Any] = field(init=False)
    incident_days: list[Any] = field(init=False)
    members: list[Any] = field(init=False)
    totals: list[Any] = field(init=False)
    keywords: list[Any] = field(init=False)
    people: list[list[Any]] = field(init=False)
    topics: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.date = dt.date.fromisoformat(self.digest["date"])
        m, a, r = s.mentions.c, s.assessments.c, s.revisions.c
        with self.store.read() as connection:
            self.mentions = list(connection.execute(
                sa.select(m.id, m.source, m.author_key, m.url, m.sku, m.published_at, m.first_seen_at, a.sentiment, a.voice,
                          a.brand_match, a.topics, a.severity, r.title, r.text)
                .join(s.assessments, sa.and_(a.text_kind == "mention", a.ref_id == m.id))
                .join(s.revisions, r.id == m.revision_id)
            ))
            self.sessions = list(connection.execute(
                sa.select(s.sessions, a.topics)
                .outerjoin(s.assessments, sa.and_(a.text_kind == "session", a.ref_id == s.sessions.c.id))
            ))
            self.totals = list(connection.execute(sa.select(s.totals)))
            self.keywords = list(connection.execute(sa.select(s.session_keywords)))
            self.incident_days = list(connection.execute(sa.select(s.incident_days)))
            self.members = list(connection.execute(sa.select(s.incident_members)))
            self.people = [list(connection.execute(sa.select(table))) for table in (s.feedback, people.objections, people.cases)]
            self.topics = {row.id: row.topic for row in connection.execute(sa.select(s.incidents.c.id, s.incidents.c.topic))}
        self.by_id = {row.id: row for row in self.mentions}
        self.calls = {row.id: row for row in self.sessions}
        self.brand = [row for row in self.mentions if row.brand_match and row.voice in ("customer", "media")]

    def day(self, at: dt.datetime) -> dt.date:
        return at.astimezone(self.zone).date()

    def on(self, date: dt.date, source: str | None = None, negative: bool = False) -> int:
        """Brand mentions of a date."""
        return sum(
            self.day(row.published_at or row.first_seen_at) == date and source in (None, row.source)
            and (not negative or row.sentiment == "negative")
            for row in self.brand
        )

    def served(self, date: dt.date) -> list[Any]:
        return [row for row in self.sessions if self.day(row.started_at) == date]

    def recount(self, path: str) -> float | None:
        """Count the rows behind the number at a path; None for one that nobody accounts for."""
        top, *rest = path.split(".")
        found = getattr(self, f"_{top}", None)
        return found(*rest) if found else None

    def _indicators(self, place: str, name: str) -> float | None:
        if name != "value":
            return None
        new = [row for row in self.incident_days if row.state in ("新增", "复燃") and not row.watched]
        fresh = sum(row.day == self.date for row in new)
        sessions = len({row.native_id for row in self.served(self.date)})
        return [self.on(self.date), self.on(self.date, negative=True), sessions, fresh][int(place)]

    def _trend(self, place: str, name: str) -> float | None:
        date = dt.date.fromisoformat(self.digest["trend"][int(place)]["date"])
        if name == "sessions":
            return len({row.native_id for row in self.served(date)})
        return self.on(date, negative=name == "negative") if name in ("total", "negative") else None

    def _platforms(self, place: str, name: str) -> float | None:
        source = self.digest["platforms"][int(place)]["source"]
        return self.on(self.date, source, negative=name == "negative") if name in ("total", "negative") else None

    def _more_risks(self) -> float:
        return sum(row.day == self.date and not row.watched for row in self.incident_days) - len(self.digest["risks"])

    def _emerging(self, place: str, name: str) -> float | None:
        entry = self.digest["emerging"][int(place)]
        if entry["kind"] == "phrase":
            return self._phrase(entry, name)
        return len(self._voices(entry["incident"])) if name == "seen" else None

    def _coverage(self, _: str, source: str, name: str) -> float | None:
        return self.on(self.date, source) if name == "heard" else None

    def _movers(self, place: str, name: str) -> float | None:
        """The voices of the hours told: authors and customers behind the rows that are named."""
        told = self.digest["movers"][int(place)]
        since, until = (dt.datetime.fromisoformat(told["window"][end]) for end in ("from", "to"))
        public = [row for row in self.mentions if row.url in told["mention_urls"]]
        calls = [row for row in self.sessions if row.native_id in told["session_ids"]]
        if not all(since < at <= until for at in [*(row.published_at for row in public), *(row.started_at for row in calls)]):
            return None
        people = {(row.source, row.author_key) if row.author_key else row.id for row in public}
        return len(people | {("call", row.buyer_key or row.native_id) for row in calls}) if name == "seen" else None

    def _phrase(self, entry: dict[str, Any], name: str) -> float | None:
        """The people and texts of today behind a phrase, by their addresses; the negative texts that had it before."""
        def said(row: Any) -> bool:
            return entry["title"] in f"{row.title or ''}\n{row.text}" and row.sentiment == "negative"

        when = [(self.day(row.published_at or row.first_seen_at), row) for row in self.brand if said(row)]
        today = [row for day, row in when if day == self.date and row.url in entry["mention_urls"]]
        earlier = [row for day, row in when if self.date - dt.timedelta(days=28) <= day < self.date]
        people = {(row.source, row.author_key) if row.author_key else row.id for row in today}
        return {"authors": len(people), "texts": len(today), "before": len(earlier)}.get(name)

    def _risks(self, place: str, name: str, *rest: str) -> float | None:
        return self._of_risk(self.digest["risks"][int(place)], name, *rest)

    def _to_check(self, place: str, name: str, *rest: str) -> float | None:
        return self._of_risk(self.digest["to_check"][int(place)], name, *rest)

    def _of_risk(self, risk: dict[str, Any], name: str, *rest: str) -> float | None:
        own = [m for m in self.members if m.incident_id == risk["incident"] and m.day <= self.date]
        public = [m for m in own if m.text_kind == "mention"]
        if name == "copies":
            return sum(m.cluster not in (None, m.ref_id) for m in public)
        if name == "authors":
            return len(self._people([m for m in public if m.cluster in (None, m.ref_id)]))
        if name == "today":
            joined = [m for m in self._joined(risk["incident"]) if m.text_kind == rest[0].rstrip("s")]
            return len(self._voices(risk["incident"])) if rest[0] == "voices" else len(joined)
        return None

    def _joined(self, incident: str) -> list[Any]:
        """What joined an incident today and is of today: neither late nor an earlier session that corroborates."""
        rows = [m for m in self.members if m.incident_id == incident and m.day == self.date]
        when = {("mention", row.id): row.published_at or row.first_seen_at for row in self.mentions}
        when |= {("session", row.id): row.started_at for row in self.sessions}
        return [m for m in rows if self.day(when[m.text_kind, m.ref_id]) == self.date]

    def _voices(self, incident: str) -> set[Any]:
        joined = self._joined(incident)
        public = [m for m in joined if m.text_kind == "mention" and m.cluster in (None, m.ref_id)]
        calls = [self.calls[m.ref_id] for m in joined if m.text_kind == "session"]
        return self._people(public) | {("call", row.buyer_key or row.native_id) for row in calls}

    def _people(self, members: list[Any]) -> set[Any]:
        rows = [self.by_id[m.ref_id] for m in members]
        return {(row.source, row.author_key) if row.author_key else row.id for row in rows}

    def _internal(self, name: str, *rest: str) -> float | None:
        rows = self.served(self.date)
        if name == "total":
            return len({row.native_id for row in rows})
        if name == "paths":
            return Counter(path for path, _ in {(row.path, row.native_id) for row in rows})[rest[0]]
        if name == "reasons" and rest[1] in ("sessions", "mentions"):
            told = self.digest["internal"]["reasons"][int(rest[0])]
            if rest[1] == "mentions":
                # Which product a post without its own page speaks of is judged elsewhere: here its rows are looked up.
                here = {m.url for m in self.mentions if self.day(m.published_at or m.first_seen_at) == self.date}
                return len(set(told["mention_urls"]) & here)
            ids = {
                row.native_id for row in rows
                if row.native_id in told["session_ids"] and told["reason"] in (row.topics or [row.return_reason])
            }
            return len(ids) if ids == set(told["session_ids"]) else None
        if name == "rates":
            return self._rate(int(rest[0]), rest[1], *rest[2:])
        if name == "keywords" and rest[1] == "sessions":
            told = self.digest["internal"]["keywords"][int(rest[0])]
            hit = {row.session_id for row in self.keywords if row.name == told["name"]}
            ids = {row.native_id for row in rows if row.id in hit}
            return len(ids) if ids == set(told["session_ids"]) else None
        if name == "keywords_unsearched":
            return len({row.native_id for row in rows if row.keywords is None})
        return None

    def _shops(self, place: str, name: str, *rest: str) -> float | None:
        told = self.digest["shops"][int(place)]
        rows = [row for row in self.served(self.date) if row.shop in (told["shop"], told["name"])]
        kept = [row for row in rows if not rest or row.path == rest[0]]
        return len({row.native_id for row in kept}) if name in ("sessions", "paths") else None

    def _rate(self, place: int, name: str, *rest: str) -> float | None:
        """A rate's counts: the totals it names, or the sessions of its path; those of the base day by day."""
        told = self.digest["internal"]["rates"][place]
        if name == "totals":
            row = told["totals"][int(rest[0])]
            return next((t.value for t in self.totals if (t.day.isoformat(), t.shop, t.what) == (row["day"], row["shop"], row["what"])), None)
        what = {"numerator": told["over"], "denominator": told["under"]}[name if name != "base" else rest[0]]
        if name == "numerator" and told["basis"] == "sessions":
            return len(told["session_ids"]) if set(told["session_ids"]) == self._path(self.date, what) else None
        days = [self.date] if name != "base" else [dt.date.fromisoformat(day) for day in told["base"]["days"]]
        return sum(self._total(day, what) for day in days)

    def _total(self, day: dt.date, what: str) -> int:
        found = {row.shop: row.value for row in self.totals if row.day == day and row.what == what}
        if found:
            return found[""] if "" in found else sum(found.values())
        return len(self._path(day, what))

    def _path(self, day: dt.date, what: str) -> set[str]:
        path = {"bad_reviews": "中差评", "quality_returns": "品退", "unsatisfied": "非满意", "bad_sessions": ""}[what]
        return {row.native_id for row in self.served(day) if row.path == path or not path}

    def _exposures(self, name: str, *_: str) -> float | None:
        told = set(self.digest["exposures"]["session_ids"])
        return len(told & {row.native_id for row in self.served(self.date)}) if name == "threats" else None

    def _words(self, place: str, name: str) -> float | None:
        word = self.digest["words"][int(place)]["word"]
        used: dict[Any, int] = defaultdict(int)
        for row in self.brand:
            today = self.day(row.published_at or row.first_seen_at) == self.date
            if today and row.sentiment == "negative" and word in tokens(f"{row.title or ''}\n{row.text}"):
                used[(row.source, row.author_key) if row.author_key else row.id] += 1
        return {"authors": len(used), "texts": sum(used.values())}.get(name)


    def _precision(self, name: str, *rest: str) -> float | None:
        """What people said in the week, a word a subject: the ruling, else the newest; none where an objection is open."""
        said, objections, _ = self.people
        if name == "open_objections":
            return sum(row.state == "open" for row in objections)
        first = dt.date.fromisoformat(self.digest["precision"]["from"])
        spoken = [row for row in said if self.day(row.at) <= self.date and row.verdict in ("准", "不准", "误报", "重复", "漏报")]
        disputed = {row.feedback_id for row in objections if row.state == "open"}
        contested = {(row.subject_kind, row.subject_id) for row in said if row.id in disputed}
        words: dict[tuple[str, str], Any] = {}
        for row in sorted(spoken, key=lambda row: (row.channel == "settled", row.at, row.id)):
            words[row.subject_kind, row.subject_id] = row
        kept = [
            row for key, row in words.items()
            if key not in contested and key[0] in ("incident", "mention") and self.day(row.at) >= first
            and row.verdict in ("准", "不准", "误报")
        ]
        if name in ("by_topic", "by_source"):
            wanted = self.digest["precision"][name][int(rest[0])]["name"]
            kept = [row for row in kept if wanted in (self._kinds(row) if name == "by_topic" else self._places(row))]
        return sum(row.verdict == "准" or rest[-1] == "whole" for row in kept)

    def _kinds(self, word: Any) -> set[str]:
        if word.subject_kind == "mention":
            return set(word.judged.get("topics") or ())
        return {self.topics[word.subject_id.partition("/")[0]]}

    def _places(self, word: Any) -> set[str]:
        if word.subject_kind == "mention":
            return {self.by_id[int(word.subject_id)].source}
        incident, _, day = word.subject_id.partition("/")
        return {
            self.by_id[m.ref_id].source for m in self.members
            if m.incident_id == incident and m.text_kind == "mention" and m.day <= dt.date.fromisoformat(day)
        }

    def _overdue(self, place: str, name: str) -> float | None:
        told = self.digest["overdue"][int(place)]
        due = next((row.due_on for row in self.people[2] if row.id == told["case"] and row.closed_at is None), None)
        return (self.date - due).days + 1 if due and name == "days" else None


def unaccounted(ledger: Ledger) -> list[str]:
    """Return the numbers of the digest that are no count of rows: `path: told, counted`."""
    wrong = []
    for path, number in numbers(ledger.digest):
        if not MEASURES.fullmatch(path) and (counted := ledger.recount(path)) != number:
            wrong.append(f"{path}: told {number}, counted {counted}")
    return wrong
