"""Importing one export: read and mask first, then store everything in one transaction.

A customer-service export becomes sessions; a merchant back office's review export becomes mentions of the source
that its mapping names, and counts as a reading of that source; daily totals become denominators.
"""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from sessions.changes import renamed
from sessions.keywords import scan
from sessions.problems import ImportRefused, RowProblem
from sessions.reader import Heading, Item, read_export, read_tables
from sessions.readings import file_digest, judge_reading
from sessions.reviews import Review
from sessions.spool import Reading, Span, digest
from sessions.tables import Table
from vocwatch.clock import Clock
from vocwatch.lang import tr
from vocwatch.models import RunStatus, SessionRecord
from vocwatch.settings import Settings
from vocwatch.store import Store, keywords, mentions, runs, totals
from vocwatch.store.sessions import UpsertCounts, upsert_sessions

__all__ = ["Export", "ImportRefused", "ImportReport", "RowProblem", "import_export", "import_file", "read_export"]

_BATCH = 1000
_KEPT_PROBLEMS = 200  # in the run row
_HISTORY = 50  # readings of a source in which the same file is looked for
_IN_MEMORY = 16 * 1024 * 1024
_Stored = TypeVar("_Stored")


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    `rows` counts the rows that are or should be sessions, reviews or totals; `paths` the sessions of each 质检路径;
    `sources` the mentions (additions and answers among them) that each source was given; `counted` the sessions
    that an export of all sessions held, good ones too; `totals` the daily totals that were new or changed;
    `keywords` the sessions in which each keyword class was found.
    """

    file: str
    format: str
    rows: int
    added: int
    updated: int
    unchanged: int
    problems: tuple[RowProblem, ...]
    paths: dict[str, int]
    run_id: int | None
    sources: dict[str, int] = field(default_factory=dict)
    counted: int = 0
    totals: int = 0
    keywords: dict[str, int] = field(default_factory=dict)

    @property
    def bad(self) -> int:
        """Rows that could not be read."""
        return sum(not problem.kept for problem in self.problems)


@dataclass(frozen=True)
class Export:
    """What is imported: `path` names it (its stem may tell path or platform); its tables, if it is no file."""

    path: Path
    subject: str
    sha256: str | None = None
    tables: Iterator[Table] | None = None
    notes: Callable[[], Mapping[str, object]] = dict


def import_file(
    settings: Settings, store: Store, path: Path, format: str = "auto", clock: Clock | None = None
) -> ImportReport:
    """Import one export file. Good rows are stored even where others are bad; importing again adds nothing.

    Raises ImportRefused if the whole file cannot be used; nothing is stored then but a failed run.
    """
    return import_export(settings, store, Export(path, path.name[:200]), format, clock)


def import_export(
    settings: Settings, store: Store, export: Export, format: str = "auto", clock: Clock | None = None
) -> ImportReport:
    """Import a file, or tables from elsewhere, as one piece. Raises ImportRefused."""
    clock = clock or settings.clock
    with store.begin() as connection:
        runs.abandon_unfinished(connection, "import", export.subject, clock.now())
        run_id = runs.start(connection, "import", export.subject, clock.now())
    try:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            first, items = read_tables(settings, export.path, format, clock, export.tables)
            read = Reading(first.mapping.name, spool, settings.app.zone)
            _read_all(settings, export.path, first, items, read)
            report = _store(settings, store, export, read, run_id, clock)
    except ImportRefused as error:
        _fail(store, run_id, clock.now(), str(error))
        raise
    except Exception as error:
        _fail(store, run_id, clock.now(), tr(f"导入中断：{type(error).__name__}", f"the import broke off: {type(error).__name__}"))
        raise
    scan(settings, store)
    with store.read() as connection:
        return replace(report, keywords=keywords.of_run(connection, run_id))


def _fail(store: Store, run_id: int, now: dt.datetime, reason: str) -> None:
    with store.begin() as connection:
        runs.finish(connection, run_id, now, status=RunStatus.FAILED, reason=reason[:2000])


def _store(
    settings: Settings, store: Store, export: Export, read: Reading, run_id: int, clock: Clock
) -> ImportReport:
    """Write everything that was read, and what that says of the sources, in one transaction."""
    now, sha256 = clock.now(), export.sha256 or file_digest(export.path)
    counts, given = UpsertCounts(), dict.fromkeys(read.sources, 0)
    with store.begin() as connection:
        for problem in renamed(read.headings, runs.recent(connection, "import", _HISTORY)):
            read.add(problem)
        for batch in _batches(read.sessions()):
            counts += upsert_sessions(connection, batch, run_id, now)
        for source, span in read.sources.items():
            for rows in _batches(read.reviews(source)):
                saved = mentions.save(connection, source, rows, now)
                given[source] += len(rows)
                counts += UpsertCounts(saved.new, saved.changed, len(rows) - saved.new - saved.changed)
            history = runs.history(connection, "crawl", source, _HISTORY)
            told = judge_reading(span, read.bad, sha256, history, now, settings.app.zone)
            if told is not None:
                runs.finish(
                    connection, runs.start(connection, "crawl", source, now), now, outcome=told.outcome,
                    reason=told.reason, stats={**told.stats, "file": export.subject, "import": run_id},
                )
        report = ImportReport(
            export.subject, read.format, read.rows, counts.added, counts.updated, counts.unchanged,
            tuple(read.problems), dict(read.paths), run_id, given, len(read.counted),
            totals.save(connection, read.totals(), run_id, now),
        )
        stats = {**_stats(report), "sha256": sha256, "tables": [heading.as_stats() for heading in read.headings]}
        runs.finish(connection, run_id, now, stats={**stats, **export.notes()})
    return report


def _stats(report: ImportReport) -> dict[str, object]:
    shown = [asdict(problem) for problem in report.problems[:_KEPT_PROBLEMS]]
    return {
        "format": report.format, "rows": report.rows, "added": report.added, "updated": report.updated,
        "unchanged": report.unchanged, "bad": report.bad, "paths": report.paths, "sources": report.sources,
        "counted": report.counted, "totals": report.totals, "problems": shown,
    }


def _read_all(
    settings: Settings, path: Path, first: Heading, items: Iterator[Item | Heading], reading: Reading
) -> None:
    if first.mapping.reviews is not None:
        reading.sources[first.mapping.reviews.source] = Span()  # an export without a row is a reading as well
    for read in items:
        if isinstance(read, Heading):
            reading.headings.append(read)
            continue
        line, sheet, item = read
        if isinstance(item, SessionRecord | Review) and digest(item) in reading.last:
            number = item.row.native_id if isinstance(item, Review) else item.native_id
            what = tr("评价", "review") if isinstance(item, Review) else tr("会话", "session")
            reason = tr(f"{what}编号 {number[:60]} 与前面的行重复，以这一行为准",
                        f"the {what} id {number[:60]} stood in a row before; this row counts")
            reading.add(RowProblem(line, sheet, None, reason, kept=True))
        reading.add(item)
    if not reading.rows and not reading.sources:
        raise ImportRefused(tr(
            f"{path}: 只有表头，没有会话。请重新导出；如果当天确实没有会话，不用导入",
            f"{path}: a header and no sessions. Export it again; a day that had no sessions needs no import",
        ))
    for source in reading.sources:
        if source not in settings.sources:
            reading.add(RowProblem(1, None, None, tr(
                f"来源 {source} 还没有登记，没导出的日子不会显示为未知。把 config/sources/catalogue/{source}.yaml "
                f"复制到 config/sources/，再 vocwatch source enable {source}",
                f"source {source} is not registered, so days without an export will not show as unknown. Copy "
                f"config/sources/catalogue/{source}.yaml to config/sources/, then vocwatch source enable {source}",
            ), kept=True))


def _batches(records: Iterator[_Stored]) -> Iterator[Sequence[_Stored]]:
    while batch := list(itertools.islice(records, _BATCH)):
        yield batch
