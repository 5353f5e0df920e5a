"""How long things are kept: raw pages, texts, deleted posts, screenshots, sample pages, audit logs.

`purge` may be killed at any instruction and run again with the same result: rows go first, each batch in one
transaction with its row of `erasures`; files follow, and what a kill leaves of them goes with the next purge. It has to
be the only one at work on the data folder (the crawl writes a page's file before its row).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.clock import business_date
from vocwatch.models import RunStatus
from vocwatch.settings import Settings
from vocwatch.store import erase, outbox, runs
from vocwatch.store.access import log
from vocwatch.store.engine import Store, chunks
from vocwatch.store.schema import (
    alerts,
    digests,
    incident_members,
    mentions,
    pages,
    revisions,
    shots,
    visits,
)

BATCH = 500
ORPHAN_AGE = dt.timedelta(hours=1)


@dataclass
class PurgeReport:
    """What went: rows (pages, texts, texts of deleted posts, screenshots, quotes), then files."""

    pages: int = 0
    held: int = 0
    texts: int = 0
    deleted: int = 0
    shots: int = 0
    quotes: int = 0
    bodies: int = 0
    orphans: int = 0
    samples: int = 0
    audit: int = 0
    letters: int = 0

    @property
    def total(self) -> int:
        """Everything that went."""
        return int(sum(asdict(self).values())) - self.held


def purge(settings: Settings, store: Store, now: dt.datetime, *, dry_run: bool = False) -> PurgeReport:
    """Remove what is past its time by `retention` and the sources' own `raw_days` and `text_days`.

    A dry run counts and changes nothing. Raises StorageError, OSError.
    """
    report = PurgeReport()
    work = _Work(settings, store, now, report, dry_run)
    work.deleted()
    work.texts()
    work.pages()
    work.shots()
    if not dry_run:
        report.bodies += erase.drop_bodies(store, work.evidence, work.bodies)
        erase.redact_files(store, settings.env.data / "digests")
        erase.settle(store)
    if work.evidence.is_dir():
        report.orphans = erase.sweep(store, work.evidence, now - ORPHAN_AGE, dry_run=dry_run)
    work.samples()
    work.audit()
    work.letters()
    work.access()
    return report


def purge_if_due(settings: Settings, store: Store, now: dt.datetime) -> PurgeReport | None:
    """Purge once a business date; None when this date's is done."""
    day = business_date(now, settings.app.zone).isoformat()
    with store.begin() as connection:
        last = runs.latest(connection, "purge", day)
        if last is not None and last.status is RunStatus.DONE:
            return None
        runs.abandon_unfinished(connection, "purge", day, now)
        run_id = runs.start(connection, "purge", day, now)
    report = purge(settings, store, now)
    with store.begin() as connection:
        runs.finish(connection, run_id, now, stats=asdict(report))
    return report


class _Work:
    """One purge under way."""

    def __init__(self, settings: Settings, store: Store, now: dt.datetime, report: PurgeReport, dry_run: bool):
        self._settings, self._store, self._now, self._report, self._dry = settings, store, now, report, dry_run
        self._rules = settings.app.retention
        self.evidence = settings.env.data / "evidence"
        self.bodies: set[str] = set()  # hashes that have lost a row

    def _before(self, days: int) -> dt.datetime:
        return self._now - dt.timedelta(days=days)

    def _sources(self, column: sa.ColumnElement[Any]) -> list[str]:
        with self._store.read() as connection:
            return sorted(connection.execute(sa.select(column).distinct()).scalars())

    def _text_days(self, name: str) -> int:
        source = self._settings.sources.get(name)
        return (source.text_days if source else None) or self._rules.text_days

    def _raw_days(self, name: str) -> int:
        source = self._settings.sources.get(name)
        return (source.raw_days if source else None) or self._rules.raw_days

    # -- texts ----------------------------------------------------------------------------------------------------

    def deleted(self) -> None:
        """Texts of posts that their site has deleted, with the bodies that hold nothing else."""
        for name in self._sources(mentions.c.source):
            query = sa.select(mentions.c.id).where(
                mentions.c.source == name, mentions.c.gone_at <= self._before(self._rules.deleted_days),
                mentions.c.purged_at.is_(None),
            )
            for ids in self._batches(query):
                self._report.deleted += len(ids)
                if self._dry:
                    continue
                with erase.erasing(self._store) as connection:
                    self._take(connection, ids, erase.DELETED, unlink=True)
                    self._forget_carried(connection, name, ids)
                    self._drop_pages(connection, _their_pages(connection, name, ids))
                    erase.record(connection, "deleted", name, "", len(ids), self._now)

    def texts(self) -> None:
        """Texts older than `text_days`, counted from when that text was first read."""
        for name in self._sources(mentions.c.source):
            before = self._before(self._text_days(name))
            newest = sa.select(mentions.c.id).join(revisions, revisions.c.id == mentions.c.revision_id).where(
                mentions.c.source == name, revisions.c.seen_at <= before, mentions.c.purged_at.is_(None)
            )
            for ids in self._batches(newest):
                self._report.texts += len(ids)
                if self._dry:
                    continue
                with erase.erasing(self._store) as connection:
                    self._take(connection, ids, erase.EXPIRED, unlink=False)
                    self._forget_carried(connection, name, ids)
                    erase.record(connection, "text_days", name, f"<= {before:%Y-%m-%d}", len(ids), self._now)
            self._old_revisions(name, before)

    def _old_revisions(self, name: str, before: dt.datetime) -> None:
        """Earlier texts of mentions whose newest text is younger."""
        query = sa.select(revisions.c.id).join(mentions, mentions.c.id == revisions.c.mention_id).where(
            mentions.c.source == name, revisions.c.seen_at <= before, revisions.c.id != mentions.c.revision_id,
            sa.or_(revisions.c.text != "", revisions.c.title.is_not(None)), mentions.c.purged_at.is_(None),
        )
        for ids in self._batches(query):
            self._report.texts += len(ids)
            if not self._dry:
                with erase.erasing(self._store) as connection:
                    connection.execute(revisions.update().where(revisions.c.id.in_(ids)).values(title=None, text=""))
                    erase.record(connection, "text_days", name, f"<= {before:%Y-%m-%d}", len(ids), self._now)

    def _take(self, connection: Connection, ids: Sequence[int], words: str, *, unlink: bool) -> None:
        query = sa.select(shots.c.sha256).where(shots.c.mention_id.in_(ids))
        taken = list(connection.execute(query).scalars())
        self.bodies.update(taken)
        self._report.shots += len(taken)
        self._report.quotes += erase.redact_digests(connection, erase.said(connection, ids), words)
        erase.blank(connection, ids, self._now, unlink=unlink)

    def _forget_carried(self, connection: Connection, name: str, ids: Sequence[int]) -> None:
        """What a listing said of these posts is text of theirs too."""
        their = sa.select(mentions.c.native_id, mentions.c.url).where(mentions.c.id.in_(ids))
        rows = connection.execute(their).all()
        for column, keys in ((visits.c.native_id, [r.native_id for r in rows]), (visits.c.url, [r.url for r in rows])):
            connection.execute(
                visits.update().where(visits.c.source == name, column.in_(keys)).values(carried={})
            )

    # -- what was sent -----------------------------------------------------------------------------------------------

    def letters(self) -> None:
        """Messages that were given up lose their text with `text_days`, all rows go with `audit_days`."""
        if self._dry:
            return
        with erase.erasing(self._store) as connection:
            self._report.letters = outbox.forget_old(
                connection, texts_before=self._before(self._rules.text_days),
                rows_before=self._before(self._rules.audit_days),
            )

    def access(self) -> None:
        """What people did goes from the log with `audit_days`, oldest first; the chain goes on from there."""
        if not self._dry:
            with erase.erasing(self._store) as connection:
                self._report.audit += log.forget_old(connection, self._before(self._rules.audit_days), self._now)

    # -- bodies -----------------------------------------------------------------------------------------------------

    def pages(self) -> None:
        """Raw pages not seen for `raw_days`, but for those that stand behind a digest, incident or alert."""
        with self._store.read() as connection:
            held = held_bodies(connection, self._before(self._rules.evidence_days).date())
        seen = sa.func.coalesce(pages.c.seen_at, pages.c.fetched_at)
        for name in self._sources(pages.c.source):
            before = self._before(self._raw_days(name))
            with self._store.read() as connection:
                rows = connection.execute(
                    sa.select(pages.c.id, pages.c.sha256).where(pages.c.source == name, seen <= before)
                ).all()
            old = [row.id for row in rows if row.sha256 not in held]
            self._report.held += len(rows) - len(old)
            self._report.pages += len(old)
            for ids in () if self._dry else chunks(old, BATCH):
                with erase.erasing(self._store) as connection:
                    self._drop_pages(connection, ids)
                    erase.record(connection, "raw_days", name, f"<= {before:%Y-%m-%d}", len(ids), self._now)

    def _drop_pages(self, connection: Connection, ids: Sequence[int]) -> None:
        for part in chunks(list(ids), BATCH):
            self.bodies.update(connection.execute(sa.select(pages.c.sha256).where(pages.c.id.in_(part))).scalars())
            connection.execute(pages.delete().where(pages.c.id.in_(part)))

    def shots(self) -> None:
        """Screenshots older than `evidence_days`."""
        before = self._before(self._rules.evidence_days)
        for ids in self._batches(sa.select(shots.c.id).where(shots.c.taken_at <= before)):
            self._report.shots += len(ids)
            if not self._dry:
                with erase.erasing(self._store) as connection:
                    query = sa.select(shots.c.sha256).where(shots.c.id.in_(ids))
                    self.bodies.update(connection.execute(query).scalars())
                    connection.execute(shots.delete().where(shots.c.id.in_(ids)))
                    erase.record(connection, "evidence_days", None, f"<= {before:%Y-%m-%d}", len(ids), self._now)

    def _batches(self, query: sa.Select[Any]) -> Iterator[list[int]]:
        with self._store.read() as connection:
            ids = list(connection.execute(query).scalars())
        for part in chunks(ids, BATCH):
            yield list(part)

    # -- files --------------------------------------------------------------------------------------------------

    def samples(self) -> None:
        """Pages that `source new` has saved, with what was read from them."""
        for place in sorted((self._settings.env.data / "sources").glob("*")):
            before = self._before(self._raw_days(place.name))
            old = [path for path in place.iterdir() if _saved_at(place, path) <= before] if place.is_dir() else []
            self._report.samples += len(old)
            self._files(old, "samples", place.name)

    def audit(self) -> None:
        """Audit logs older than `audit_days`, a whole business date at a time."""
        first = business_date(self._before(self._rules.audit_days), self._settings.app.zone)
        for place in sorted((self._settings.env.data / "audit").glob("????-??-??")):
            with contextlib.suppress(ValueError):
                if dt.date.fromisoformat(place.name) < first:
                    count = sum(1 for _ in place.iterdir())
                    self._report.audit += count
                    self._files([place], "audit_days", None, f"{place.name}: {count}")

    def _files(self, old: Sequence[Path], why: str, source: str | None, subject: str = "") -> None:
        if self._dry or not old:
            return
        # Proof first: a file that outlives a kill is proved again, one that is gone without proof would not be.
        with self._store.begin() as connection:
            erase.record(connection, why, source, subject, len(old), self._now)
        for path in old:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def held_bodies(connection: Connection, since: dt.date) -> set[str]:
    """Return the hashes of the pages behind incidents, alerts and digests of the days from `since` on."""
    m = incident_members.c
    ids: set[int] = set(connection.execute(
        sa.select(m.ref_id).where(m.text_kind == "mention", m.day >= since)
    ).scalars())
    for listed in connection.execute(sa.select(alerts.c.mention_ids).where(alerts.c.day >= since)).scalars():
        ids.update(listed)
    held: set[str] = set()
    for part in chunks(sorted(ids)):
        query = sa.select(revisions.c.page_sha).where(
            revisions.c.mention_id.in_(part), revisions.c.page_sha.is_not(None)
        )
        held.update(connection.execute(query).scalars())
    for content in connection.execute(sa.select(digests.c.content).where(digests.c.day >= since)).scalars():
        held.update(q["evidence"] for r in content.get("risks", ()) for q in r.get("quotes", ()) if q.get("evidence"))
    # What a post's author has deleted is no longer held for anybody's sake.
    for part in chunks(sorted(held)):
        query = sa.select(revisions.c.page_sha).join(mentions, mentions.c.id == revisions.c.mention_id).where(
            revisions.c.page_sha.in_(part), mentions.c.gone_at.is_not(None)
        )
        held.difference_update(connection.execute(query).scalars())
    return held


def _their_pages(connection: Connection, name: str, ids: Sequence[int]) -> list[int]:
    """Return the pages that hold deleted posts and no text that still stands."""
    their = connection.execute(
        sa.select(mentions.c.url, mentions.c.parent, revisions.c.page_sha).join(revisions, revisions.c.mention_id == mentions.c.id)
        .where(mentions.c.id.in_(ids))
    ).all()
    shas = sorted({row.page_sha for row in their if row.page_sha})
    urls = sorted({row.url for row in their if row.parent is None})
    rows: dict[int, str] = {}
    for column, keys in ((pages.c.sha256, shas), (pages.c.url, urls), (pages.c.final_url, urls)):
        for part in chunks(keys):
            query = sa.select(pages.c.id, pages.c.sha256).where(pages.c.source == name, column.in_(part))
            rows.update((row.id, row.sha256) for row in connection.execute(query))
    standing: set[str] = set()
    for part in chunks(sorted(set(rows.values()))):
        query = sa.select(revisions.c.page_sha).join(mentions, mentions.c.id == revisions.c.mention_id).where(
            revisions.c.page_sha.in_(part), mentions.c.gone_at.is_(None)
        )
        standing.update(connection.execute(query).scalars())
    return [key for key, sha256 in rows.items() if sha256 not in standing]


def _saved_at(place: Path, path: Path) -> dt.datetime:
    """When a sample was fetched, as the file beside it says; else when it was written."""
    stem = path.name.partition(".")[0]
    beside = place / ("expected.json" if stem in ("page", "expected") else f"{stem}.expected.json")
    try:
        fetched = dt.datetime.fromisoformat(json.loads(beside.read_text(encoding="utf-8"))["fetched_at"])
        return fetched if fetched.tzinfo else fetched.replace(tzinfo=dt.UTC)
    except (OSError, ValueError, KeyError, TypeError):
        return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
