"""Rows behind incidents: the complaints heard, and each incident's days and members."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import TextKind
from vocwatch.store.engine import MANY, among, chunks, upsert
from vocwatch.store.schema import (
    alerts,
    assessments,
    hits,
    incident_days,
    incident_members,
    incidents,
    mentions,
    revisions,
    sessions,
    turns,
)

FETCH = 5000
VOICES = ("customer", "media")


class WatchHit(NamedTuple):
    """Where a text names a watch."""

    watch: str
    kind: str
    start: int


class Heard(NamedTuple):
    """One judged text of a customer or the press, outside (mention) or inside (session).

    `at` is when it was published (first seen, where the page gives no time) or when the session began;
    `author` the keyed pseudonym of the poster or buyer; `text` is what span and hit offsets refer to;
    `channel` the source, or 质检路径 for sessions; `kind` the mention kind, or empty.
    """

    text_kind: TextKind
    ref_id: int
    native_id: str
    channel: str
    at: dt.datetime
    first_seen_at: dt.datetime
    text: str
    sentiment: str
    score: float
    confidence: float
    severity: int
    topics: tuple[str, ...]
    red_lines: tuple[dict[str, Any], ...]
    spans: tuple[dict[str, Any], ...]
    voice: str
    brand_match: bool
    fingerprint: bytes
    hits: tuple[WatchHit, ...] = ()
    author: str | None = None
    url: str = ""
    kind: str = ""
    parent: str | None = None
    page_sha: str | None = None
    gone: bool = False
    sku: str | None = None
    product: str | None = None
    shop: str | None = None
    likes: int = 0
    replies: int = 0
    shares: int = 0
    views: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """(text kind, row id): unique over both kinds."""
        return (self.text_kind.value, self.ref_id)

    @property
    def order(self) -> tuple[str, str]:
        """(channel, native id): settles ties alike whatever the sequence in which texts were stored."""
        return (self.channel, self.native_id)


def placed_at() -> sa.ColumnElement[dt.datetime]:
    """When a mention happened: its own time, else when it was first seen."""
    return sa.func.coalesce(mentions.c.published_at, mentions.c.first_seen_at)


def placed_between(since: dt.datetime, until: dt.datetime) -> sa.ColumnElement[bool]:
    """The mention's moment lies in [since, until); written so that the index on published_at is used."""
    published, seen = mentions.c.published_at, mentions.c.first_seen_at
    return sa.or_(
        sa.and_(published >= since, published < until),
        sa.and_(published.is_(None), seen >= since, seen < until),
    )


def complaints(
    connection: Connection, since: dt.datetime, until: dt.datetime, seen: tuple[dt.datetime, dt.datetime] | None = None
) -> list[Heard]:
    """Return the mentions in [since, until) that complain: negative or with a severity, by customers or
    press. With `seen`, only those first seen in that half-open span.

    Comments are included even if they don't name the brand themselves: they belong to the post above them.
    """
    query = _mention_query().where(*_complaining(since, until))
    if seen:
        query = query.where(mentions.c.first_seen_at >= seen[0], mentions.c.first_seen_at < seen[1])
    return _mentions(connection, query)


def complaint_keys(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[tuple[str, int]]:
    """Return the (text kind, row id) of what `complaints` returns, in no order."""
    judged = sa.and_(assessments.c.text_kind == "mention", assessments.c.ref_id == mentions.c.id)
    query = sa.select(mentions.c.id).join(assessments, judged).where(*_complaining(since, until))
    return [("mention", ref) for ref in connection.execute(query).scalars()]


def _complaining(since: dt.datetime, until: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    a = assessments.c
    return (
        placed_between(since, until),
        a.voice.in_(VOICES),
        a.refused.is_(None),
        sa.or_(a.brand_match, mentions.c.parent.is_not(None)),
        sa.or_(a.sentiment == "negative", a.severity >= 1),
    )


def mentions_by_id(connection: Connection, ids: Iterable[int]) -> list[Heard]:
    """Return judged mentions by row id."""
    found: list[Heard] = []
    for part in chunks(sorted(set(ids)), MANY):
        found += _mentions(connection, _mention_query().where(among(connection, mentions.c.id, part)))
    return found


def service_complaints(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[Heard]:
    """Return the judged sessions that began in [since, until)."""
    query = _session_query().where(sessions.c.started_at >= since, sessions.c.started_at < until)
    return _sessions(connection, query)


def service_keys(connection: Connection, since: dt.datetime, until: dt.datetime) -> list[tuple[str, int]]:
    """Return the (text kind, row id) of what `service_complaints` returns, in no order."""
    judged = sa.and_(assessments.c.text_kind == "session", assessments.c.ref_id == sessions.c.id)
    query = sa.select(sessions.c.id).join(assessments, judged).where(
        sessions.c.started_at >= since, sessions.c.started_at < until, assessments.c.refused.is_(None)
    )
    return [("session", ref) for ref in connection.execute(query).scalars()]


def sessions_by_id(connection: Connection, ids: Iterable[int]) -> list[Heard]:
    """Return judged sessions by row id."""
    found: list[Heard] = []
    for part in chunks(sorted(set(ids)), MANY):
        found += _sessions(connection, _session_query().where(among(connection, sessions.c.id, part)))
    return found


_JUDGED = [
    assessments.c[name]
    for name in (
        "sentiment",
        "score",
        "confidence",
        "severity",
        "topics",
        "red_lines",
        "spans",
        "voice",
        "brand_match",
        "fingerprint",
    )
]


def _mention_query() -> sa.Select[Any]:
    m = mentions.c
    return (
        sa.select(
            m.id,
            m.native_id,
            m.source,
            m.url,
            m.kind,
            m.parent,
            m.author_key,
            m.first_seen_at,
            m.gone_at,
            m.missing_since,
            m.sku,
            m.product,
            m.shop,
            m.likes,
            m.replies,
            m.shares,
            m.views,
            placed_at().label("placed"),
            revisions.c.title,
            revisions.c.text,
            revisions.c.page_sha,
            *_JUDGED,
        )
        .join(assessments, sa.and_(assessments.c.text_kind == "mention", assessments.c.ref_id == m.id))
        .join(revisions, revisions.c.id == sa.func.coalesce(assessments.c.revision_id, m.revision_id))
        .order_by(m.source, m.native_id)
    )


def _session_query() -> sa.Select[Any]:
    s = sessions.c
    return (
        sa.select(
            s.id,
            s.native_id,
            s.path,
            s.buyer_key,
            s.started_at,
            s.imported_at,
            s.sku,
            s.product,
            s.shop,
            s.review,
            *_JUDGED,
        )
        .join(assessments, sa.and_(assessments.c.text_kind == "session", assessments.c.ref_id == s.id))
        .where(assessments.c.refused.is_(None))
        .order_by(s.path, s.native_id)
    )


def _mentions(connection: Connection, query: sa.Select[Any]) -> list[Heard]:
    parts = connection.execute(query).partitions(FETCH)
    return [heard for rows in parts for heard in _mentions_of(connection, rows)]


def _mentions_of(connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Heard]:
    where = _hits(connection, "mention", [row[0] for row in rows])
    return [
        Heard(
            TextKind.MENTION, ref, native_id, intern(source), placed, seen, f"{title}\n{text}" if title else text, *_judged(judged),
            hits=where.get(ref, ()), author=author, url=url, kind=intern(kind), parent=parent, page_sha=page_sha,
            # Not quoted from the first finding on: whoever deletes does not wait a day to be heard.
            gone=gone_at is not None or missing_since is not None,
            sku=_name(sku), product=_name(product), shop=_name(shop), likes=likes or 0, replies=replies or 0, shares=shares or 0, views=views or 0,
        )
        for (
            ref, native_id, source, url, kind, parent, author, seen, gone_at, missing_since, sku, product, shop, likes, replies,
            shares, views, placed, title, text, page_sha, *judged,
        ) in rows
    ]


def _sessions(connection: Connection, query: sa.Select[Any]) -> list[Heard]:
    rows = connection.execute(query).all()
    ids = [row[0] for row in rows]
    where = _hits(connection, "session", ids)
    said = customer_turns(connection, ids)
    return [
        Heard(
            TextKind.SESSION, ref, native_id, intern(path), started, imported, "\n".join([*said.get(ref, ()), *([review] if review else [])]),
            *_judged(judged), hits=where.get(ref, ()), author=buyer, sku=_name(sku), product=_name(product),
            shop=_name(shop),
        )
        for ref, native_id, path, buyer, started, imported, sku, product, shop, review, *judged in rows
    ]


_Dicts = tuple[dict[str, Any], ...]
_Judged = tuple[str, float, float, int, tuple[str, ...], _Dicts, _Dicts, str, bool, bytes]


def _judged(values: Sequence[Any]) -> _Judged:
    """The values of `_JUDGED` as `Heard` has them. Names that thousands of texts share are kept once."""
    sentiment, score, confidence, severity, topics, red_lines, spans, voice, brand_match, fingerprint = values
    for span in spans or ():
        span.update((name, intern(value)) for name, value in span.items() if type(value) is str)
    return (
        intern(sentiment), score, confidence, severity, tuple(map(intern, topics or ())), tuple(red_lines or ()),
        tuple(spans or ()), intern(voice), brand_match, bytes(fingerprint),
    )


def _name(value: str | None) -> str | None:
    return None if value is None else intern(value)


def _hits(connection: Connection, text_kind: str, ids: Sequence[int]) -> dict[int, tuple[WatchHit, ...]]:
    found: dict[int, list[WatchHit]] = defaultdict(list)
    for part in chunks(ids, MANY):
        query = (
            sa.select(hits.c.ref_id, hits.c.watch, hits.c.kind, hits.c.start)
            .where(hits.c.text_kind == text_kind, among(connection, hits.c.ref_id, part))
            .order_by(hits.c.ref_id, hits.c.start)
        )
        for ref, watch, kind, start in connection.execute(query):
            found[ref].append(WatchHit(intern(watch), intern(kind), start))
    return {ref: tuple(items) for ref, items in found.items()}


def customer_turns(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return what the customer said in each session, turn by turn."""
    said: dict[int, list[str]] = defaultdict(list)
    for part in chunks(ids, MANY):
        query = (
            sa.select(turns.c.session_id, turns.c.text)
            .where(among(connection, turns.c.session_id, part), turns.c.role == "customer")
            .order_by(turns.c.session_id, turns.c.seq)
        )
        for session, text in connection.execute(query):
            said[session].append(text)
    return said


@dataclass(frozen=True, slots=True)
class Known:
    """An incident as it stood at the end of an earlier day."""

    id: str
    product: str | None
    topic: str
    first_day: dt.date
    last_day: dt.date
    level: str
    score: float
    recurs_of: str | None
    watched: bool = False


def known_before(connection: Connection, day: dt.date, within_days: int) -> list[Known]:
    """Return the incidents listed in the `within_days` days before `day`, as of their last such day."""
    d = incident_days.c
    query = (
        sa.select(incidents, d.day, d.level, d.score, d.watched)
        .join(incident_days, d.incident_id == incidents.c.id)
        .where(d.day < day, d.day >= day - dt.timedelta(days=within_days))
        .order_by(d.day, incidents.c.id)
    )
    found: dict[str, Known] = {}
    for row in connection.execute(query):
        found[row.id] = Known(
            row.id, row.product, row.topic, row.first_day, row.day, row.level, row.score, row.recurs_of, row.watched
        )
    return list(found.values())


def listed_days(
    connection: Connection, since: dt.date, until: dt.date
) -> list[tuple[str | None, str, dt.date]]:
    """Return (product, topic, day) of every incident listed in [since, until); not of what was only to be checked."""
    d = incident_days.c
    query = (
        sa.select(incidents.c.product, incidents.c.topic, d.day)
        .join(incident_days, d.incident_id == incidents.c.id)
        .where(d.day >= since, d.day < until, ~d.watched)
    )
    return [(row.product, row.topic, row.day) for row in connection.execute(query)]


class Member(NamedTuple):
    """One text of an incident: which, when it joined, and the mention it copies (itself if original)."""

    incident: str
    text_kind: str
    ref_id: int
    day: dt.date
    cluster: int | None


def members(connection: Connection, ids: Iterable[str], until: dt.date | None = None) -> list[Member]:
    """Return the members of incidents that joined before `until`."""
    m = incident_members.c
    found: list[Member] = []
    for part in chunks(sorted(set(ids))):
        query = sa.select(m.incident_id, m.text_kind, m.ref_id, m.day, m.cluster).where(m.incident_id.in_(part))
        if until:
            query = query.where(m.day < until)
        for row in connection.execute(query.order_by(m.incident_id, m.day, m.text_kind, m.ref_id)):
            found.append(Member._make(row))
    return found


def taken_before(connection: Connection, day: dt.date, within_days: int) -> set[tuple[str, int]]:
    """Return the (text kind, row id) of texts that joined an incident in the days before `day`.

    What was only to be checked on its day is still free to join one.
    """
    m, d = incident_members.c, incident_days.c
    query = (
        sa.select(m.text_kind, m.ref_id)
        .join(incident_days, sa.and_(d.incident_id == m.incident_id, d.day == m.day))
        .where(m.day < day, m.day >= day - dt.timedelta(days=within_days), ~d.watched)
    )
    return {(row.text_kind, row.ref_id) for row in connection.execute(query)}


def forget_day(connection: Connection, day: dt.date) -> None:
    """Remove what was said of one business date, so that it can be said anew. Other dates are untouched."""
    connection.execute(incident_days.delete().where(incident_days.c.day == day))
    connection.execute(incident_members.delete().where(incident_members.c.day == day))


def drop_empty(connection: Connection, day: dt.date) -> None:
    """Remove incidents that no day lists any more, and the alerts of `day` that speak of unlisted ones."""
    listed = sa.select(incident_days.c.incident_id)
    connection.execute(incidents.delete().where(incidents.c.id.not_in(listed)))
    today = sa.select(incident_days.c.incident_id).where(incident_days.c.day == day)
    connection.execute(alerts.delete().where(alerts.c.day == day, alerts.c.incident_id.not_in(today)))


def save_incident(
    connection: Connection, row: dict[str, Any], day_row: dict[str, Any], joined: Sequence[Member]
) -> None:
    """Write one incident's day. Title, shop and owner are those of its latest day, whatever day is
    rewritten.
    """
    stored = connection.execute(sa.select(incidents.c.last_day).where(incidents.c.id == row["id"])).first()
    if stored is None:
        connection.execute(incidents.insert().values(**row))
    elif stored.last_day <= row["last_day"]:
        fresh = {name: row[name] for name in ("title", "shop", "owner", "last_day")}
        connection.execute(incidents.update().where(incidents.c.id == row["id"]).values(**fresh))
    upsert(
        connection,
        incident_days,
        [day_row],
        ("incident_id", "day"),
        tuple(set(day_row) - {"incident_id", "day"}),
    )
    upsert(
        connection,
        incident_members,
        [
            {
                "incident_id": m.incident,
                "text_kind": m.text_kind,
                "ref_id": m.ref_id,
                "day": m.day,
                "cluster": m.cluster,
            }
            for m in joined
        ],
        ("incident_id", "text_kind", "ref_id"),
    )


def incident_list(connection: Connection, day: dt.date) -> list[dict[str, Any]]:
    """Return the incidents listed on a day with that day's judgement, highest level and score first."""
    d = incident_days.c
    query = (
        sa.select(incidents, incident_days)
        .join(incident_days, d.incident_id == incidents.c.id)
        .where(d.day == day)
        .order_by(incidents.c.id)
    )
    rows = [dict(row._mapping) for row in connection.execute(query)]
    order = "红橙黄蓝"
    return sorted(rows, key=lambda row: (order.index(row["level"]), -row["score"], row["id"]))
