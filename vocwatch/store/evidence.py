"""The evidence behind a mention: its texts, the raw pages they were read from, screenshots; and who is to get one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.models import Level
from vocwatch.store.engine import chunks, upsert
from vocwatch.store.pages import keep_evidence
from vocwatch.store.schema import (
    alerts,
    engagement,
    incident_days,
    incident_members,
    mentions,
    pages,
    revisions,
    runs,
    shots,
)

PER_INCIDENT = 3
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Body:
    """One raw page (or screenshot): where and when it was got, with what answer, under which hash.

    `purged`: its time was over, or somebody asked for it; only the hash is left.
    """

    sha256: str
    url: str = ""
    final_url: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    fetched_at: dt.datetime | None = None
    seen_at: dt.datetime | None = None
    purged: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """One revision, and the hash of the page that it was read from."""

    id: int
    seen_at: dt.datetime
    title: str | None
    text: str
    page_sha: str | None


@dataclass(frozen=True, slots=True)
class Shot:
    """One screenshot."""

    sha256: str
    url: str
    taken_at: dt.datetime
    width: int
    height: int


@dataclass(frozen=True)
class Case:
    """Everything that stands behind one mention."""

    id: int
    source: str
    native_id: str
    url: str
    kind: str
    author_key: str | None
    published_at: dt.datetime | None
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    missing_since: dt.datetime | None
    gone_at: dt.datetime | None
    purged_at: dt.datetime | None
    texts: tuple[Text, ...]
    bodies: tuple[Body, ...]
    shots: tuple[Shot, ...]
    counts: int


def find(connection: Connection, key: str, source: str = "") -> list[tuple[int, str, str, str]]:
    """Return (row id, source, native id, URL) of the mentions that a key may mean.

    A key is a row id, a native id, `source:native id`, a URL, or the hash of a raw page. Of several mentions at one
    URL the post is returned; a native id before a row id where `source` is given.
    """
    m = mentions.c
    named, _, rest = key.partition(":")
    conditions = [m.native_id == key, m.url == key, sa.and_(m.source == named, m.native_id == rest)]
    if key.isdigit() and len(key) < 18 and not source:
        conditions.append(m.id == int(key))
    if _SHA.fullmatch(key):
        conditions.append(m.id.in_(sa.select(revisions.c.mention_id).where(revisions.c.page_sha == key)))
    query = sa.select(m.id, m.source, m.native_id, m.url, m.parent).where(sa.or_(*conditions)).order_by(m.id)
    if source:
        query = query.where(m.source == source)
    rows = connection.execute(query.limit(200)).all()
    if len(rows) > 1 and all(row.url == key or _SHA.fullmatch(key) for row in rows):
        rows = [row for row in rows if row.parent is None] or rows
    return [(row.id, row.source, row.native_id, row.url) for row in rows]


def load(connection: Connection, mention_id: int) -> Case:
    """Return what stands behind a mention. Raises NoResultFound for an unknown row id."""
    m = connection.execute(sa.select(mentions).where(mentions.c.id == mention_id)).one()
    texts = tuple(
        Text(row.id, row.seen_at, row.title, row.text, row.page_sha)
        for row in connection.execute(
            sa.select(revisions).where(revisions.c.mention_id == mention_id).order_by(revisions.c.seen_at, revisions.c.id)
        )
    )
    pictures = tuple(
        Shot(row.sha256, row.url, row.taken_at, row.width, row.height)
        for row in connection.execute(sa.select(shots).where(shots.c.mention_id == mention_id).order_by(shots.c.taken_at))
    )
    counted = sa.select(sa.func.count()).where(engagement.c.mention_id == mention_id)
    return Case(
        m.id, m.source, m.native_id, m.url, m.kind, m.author_key, m.published_at, m.first_seen_at, m.last_seen_at,
        m.missing_since, m.gone_at, m.purged_at, texts, _bodies(connection, m.source, texts), pictures,
        connection.execute(counted).scalar_one(),
    )


def _bodies(connection: Connection, source: str, texts: Sequence[Text]) -> tuple[Body, ...]:
    found: dict[str, Body] = {}
    for sha256 in dict.fromkeys(text.page_sha for text in texts if text.page_sha):
        row = connection.execute(
            sa.select(pages).where(pages.c.source == source, pages.c.sha256 == sha256)
            .order_by(pages.c.fetched_at, pages.c.id).limit(1)
        ).first()
        found[sha256] = Body(sha256, purged=True) if row is None else Body(
            sha256, row.url, row.final_url, row.status, dict(row.headers), row.size, row.fetched_at, row.seen_at
        )
    return tuple(found.values())


# -- screenshots ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """A mention that is to be photographed."""

    mention_id: int
    revision_id: int
    source: str
    url: str


def shot_candidates(connection: Connection, day: dt.date, max_risks: int) -> list[int]:
    """Return the mentions behind a date's risk cards and red-line alerts: originals, the newest few of each incident."""
    d, m = incident_days.c, incident_members.c
    order = {level.value: level.rank for level in Level}
    listed = connection.execute(sa.select(d.incident_id, d.level, d.score).where(d.day == day)).all()
    ranked = sorted(listed, key=lambda row: (order.get(row.level, 9), -row.score, row.incident_id))
    wanted = [row.incident_id for row in ranked[:max_risks]]
    found: list[int] = []
    for raised in connection.execute(sa.select(alerts).where(alerts.c.day == day)):
        wanted.append(raised.incident_id)
    for incident in dict.fromkeys(wanted):
        query = (
            sa.select(m.ref_id).join(mentions, mentions.c.id == m.ref_id)
            .where(m.incident_id == incident, m.text_kind == "mention", m.day <= day,
                   sa.or_(m.cluster.is_(None), m.cluster == m.ref_id), mentions.c.missing_since.is_(None))
            .order_by(m.day.desc(), mentions.c.id.desc()).limit(PER_INCIDENT)
        )
        found += connection.execute(query).scalars()
    return list(dict.fromkeys(found))


def shots_due(connection: Connection, mention_ids: Iterable[int]) -> list[Due]:
    """Return those of the mentions that still stand and whose newest revision has no screenshot."""
    m = mentions.c
    found: list[Due] = []
    for part in chunks(sorted(set(mention_ids))):
        taken = sa.select(shots.c.id).where(shots.c.mention_id == m.id, shots.c.revision_id == m.revision_id)
        query = sa.select(m.id, m.revision_id, m.source, m.url).where(
            m.id.in_(part), m.revision_id.is_not(None), m.missing_since.is_(None), m.purged_at.is_(None),
            ~taken.exists(),
        ).order_by(m.id)
        found += [Due(row.id, row.revision_id, row.source, row.url) for row in connection.execute(query)]
    return found


def keep_shot(
    connection: Connection, folder: Path, due: Sequence[Due], png: bytes, *, url: str, taken_at: dt.datetime,
    width: int, height: int,
) -> str:
    """Store one picture for the mentions that it shows (bytes first, then rows); returns its sha256."""
    sha256 = keep_evidence(folder, png)
    upsert(connection, shots, [
        {"mention_id": one.mention_id, "revision_id": one.revision_id, "url": url, "sha256": sha256,
         "taken_at": taken_at, "width": width, "height": height}
        for one in due
    ], ["mention_id", "revision_id"])
    return sha256


# -- audit --------------------------------------------------------------------------------------------------------


def audit_anchors(connection: Connection) -> dict[str, tuple[int, Mapping[str, Any]]]:
    """Return (run id, what its row keeps of its audit log) by file, for every crawl that has one."""
    query = sa.select(runs.c.id, runs.c.stats).where(runs.c.kind == "crawl").order_by(runs.c.id)
    return {
        row.stats["audit"]["file"]: (row.id, row.stats["audit"])
        for row in connection.execute(query) if row.stats and row.stats.get("audit")
    }
