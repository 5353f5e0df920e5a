"""Importing one export: read and mask first, then store everything in one transaction.

A customer-service export becomes sessions; a merchant back office's review export becomes mentions of the source
that its mapping names, and counts as a reading of that source.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from sessions.cells import House
from sessions.choosing import Choice, choose
from sessions.headers import SEARCHED_ROWS, Fit, explain_misfit
from sessions.problems import ImportRefused, RowProblem
from sessions.readings import file_digest, judge_reading
from sessions.reviews import Review, ReviewReader
from sessions.rows import RowReader
from sessions.spool import Reading, Record, Span, digest
from sessions.tables import Row, Table, open_tables
from vocwatch.clock import Clock
from vocwatch.models import Path as QcPath
from vocwatch.models import RunStatus
from vocwatch.pseudonym import load_pseudonyms
from vocwatch.settings import SessionMap, Settings
from vocwatch.store import Store, mentions, runs
from vocwatch.store.sessions import UpsertCounts, upsert_sessions

__all__ = ["ImportRefused", "ImportReport", "RowProblem", "import_file", "read_export"]

_BATCH = 1000
_KEPT_PROBLEMS = 200  # in the run row
_HISTORY = 50  # readings of a source in which the same file is looked for
_IN_MEMORY = 16 * 1024 * 1024
_Stored = TypeVar("_Stored")


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    `rows` counts the rows that are or should be sessions or reviews; `paths` the sessions of each 质检路径;
    `sources` the mentions (additions and answers among them) that each source was given.
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


def import_file(
    settings: Settings, store: Store, path: Path, format: str = "auto", clock: Clock | None = None
) -> ImportReport:
    """Import one export. Good rows are stored even where others are bad; importing again adds nothing.

    Raises ImportRefused if the whole file cannot be used; nothing is stored then but a failed run.
    """
    clock = clock or settings.clock
    subject = path.name[:200]
    with store.begin() as connection:
        runs.abandon_unfinished(connection, "import", subject, clock.now())
        run_id = runs.start(connection, "import", subject, clock.now())
    try:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            mapping, items = _read(settings, path, format, clock)
            read = Reading(mapping.name, spool)
            _read_all(settings, path, mapping, items, read)
            return _store(settings, store, path, read, run_id, clock)
    except ImportRefused as error:
        _fail(store, run_id, clock.now(), str(error))
        raise
    except Exception as error:
        _fail(store, run_id, clock.now(), f"导入中断：{type(error).__name__}")
        raise


def _fail(store: Store, run_id: int, now: dt.datetime, reason: str) -> None:
    with store.begin() as connection:
        runs.finish(connection, run_id, now, status=RunStatus.FAILED, reason=reason[:2000])


def _store(
    settings: Settings, store: Store, path: Path, read: Reading, run_id: int, clock: Clock
) -> ImportReport:
    """Write everything that was read, and what that says of the sources, in one transaction."""
    now, sha256 = clock.now(), file_digest(path)
    counts, given = UpsertCounts(), dict.fromkeys(read.sources, 0)
    with store.begin() as connection:
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
                    reason=told.reason, stats={**told.stats, "file": path.name[:200], "import": run_id},
                )
        report = ImportReport(
            path.name, read.format, read.rows, counts.added, counts.updated, counts.unchanged,
            tuple(read.problems), dict(read.paths), run_id, given,
        )
        runs.finish(connection, run_id, now, stats=_stats(report))
    return report


def _stats(report: ImportReport) -> dict[str, object]:
    shown = [asdict(problem) for problem in report.problems[:_KEPT_PROBLEMS]]
    return {
        "format": report.format, "rows": report.rows, "added": report.added, "updated": report.updated,
        "unchanged": report.unchanged, "bad": sum(not problem.kept for problem in report.problems),
        "paths": report.paths, "sources": report.sources, "problems": shown,
    }


def _read_all(
    settings: Settings, path: Path, mapping: SessionMap, items: Iterator[_Item], reading: Reading
) -> None:
    if mapping.reviews is not None:
        reading.sources[mapping.reviews.source] = Span()  # an export without a row is a reading as well
    for line, sheet, item in items:
        if not isinstance(item, RowProblem) and digest(item) in reading.last:
            number = item.row.native_id if isinstance(item, Review) else item.native_id
            what = "评价" if isinstance(item, Review) else "会话"
            reason = f"{what}编号 {number[:60]} 与前面的行重复，以这一行为准"
            reading.add(RowProblem(line, sheet, None, reason, kept=True))
        reading.add(item)
    if not reading.rows and not reading.sources:
        raise ImportRefused(f"{path}: 只有表头，没有会话。请重新导出；如果当天确实没有会话，不用导入")
    for source in reading.sources:
        if source not in settings.sources:
            reading.add(RowProblem(1, None, None, (
                f"来源 {source} 还没有登记，没导出的日子不会显示为未知。把 config/sources/catalogue/{source}.yaml "
                f"复制到 config/sources/，再 vocwatch source enable {source}"
            ), kept=True))


def _batches(records: Iterator[_Stored]) -> Iterator[Sequence[_Stored]]:
    while batch := list(itertools.islice(records, _BATCH)):
        yield batch


def read_export(
    settings: Settings, path: Path, format: str = "auto", clock: Clock | None = None
) -> tuple[SessionMap, Iterator[Record | RowProblem]]:
    """Read an export without a store: the mapping of its first table, and its masked records and bad rows.

    Raises ImportRefused, at once or while reading.
    """
    mapping, items = _read(settings, path, format, clock or settings.clock)
    return mapping, (item for _, _, item in items)


_Item = tuple[int, str | None, Record | RowProblem]


def _read(settings: Settings, path: Path, format: str, clock: Clock) -> tuple[SessionMap, Iterator[_Item]]:
    maps = _chosen(settings, path, format)
    house = House(
        settings.app.zone, clock.now(), load_pseudonyms(settings.env),
        {shop.name: shop.platform for shop in settings.app.shops if shop.platform}, settings.refusals,
    )
    lists = [name for mapping in maps for name in mapping.records]
    items = _tables(path, maps, house, open_tables(path, lists))
    first = next(items)  # the mapping comes first, or ImportRefused
    assert isinstance(first, SessionMap)
    return first, (item for item in items if not isinstance(item, SessionMap))


def _chosen(settings: Settings, path: Path, format: str) -> list[SessionMap]:
    known = settings.session_maps
    if format == "auto":
        return list(known.values())
    if format not in known:
        listed = "、".join(known)
        raise ImportRefused(f"{path}: 没有 {format} 这种格式。可用：auto、{listed}（请见 config/sessions/）")
    return [known[format]]


def _tables(
    path: Path, maps: Sequence[SessionMap], house: House, tables: Iterator[Table]
) -> Iterator[SessionMap | _Item]:
    """Yield the mapping once it is known, then everything read, table by table."""
    known = False
    passed: list[_Item] = []  # sheets before the first that fits
    refused: Choice | None = None
    for table in tables:
        peeked = list(itertools.islice(table.rows, SEARCHED_ROWS))
        rows = [row[1] for row in peeked if not isinstance(row, RowProblem)]
        choice = choose(maps, rows, table.headed, table.sheet, path.stem, house.platforms)
        if choice.fit is None:
            refused = _nearer(refused, choice)
            problem = RowProblem(1, table.sheet, None, f"这一页没有导入：{choice.why}", kept=True)
            passed.append((1, table.sheet, problem))
            continue
        if not known:
            known = True
            yield choice.fit.mapping
        yield from passed
        passed = []
        reader = (
            RowReader(house, choice.fit, table.sheet, choice.paths) if choice.paths is not None
            else ReviewReader(house, choice.fit, table.sheet)
        )
        yield from _rows(reader, choice.fit, peeked, table)
    if not known:
        raise ImportRefused(_refusal(path, refused, [mapping.name for mapping in maps]))
    yield from passed


def _nearer(before: Choice | None, choice: Choice) -> Choice:
    """Of two tables that were refused, the one that came nearer to a mapping."""
    if before is None or before.nearest is None:
        return choice
    return choice if choice.nearest is not None and choice.nearest.score > before.nearest.score else before


def _rows(reader: RowReader | ReviewReader, fit: Fit, peeked: Sequence[Row | RowProblem], table: Table) -> Iterator[_Item]:
    """Yield what the rows under the header say; `peeked` are the first, taken from the table already."""
    plain = [place for place, item in enumerate(peeked) if not isinstance(item, RowProblem)]
    for item in itertools.chain(peeked[plain[fit.row] + 1:], table.rows):
        if isinstance(item, RowProblem):
            yield item.line, table.sheet, dataclasses.replace(item, sheet=table.sheet)
            continue
        line, cells = item
        for result in reader.read(line, cells):
            yield line, table.sheet, result


def _refusal(path: Path, choice: Choice | None, names: Sequence[str]) -> str:
    nearest = choice.nearest if choice else None
    if choice is not None and nearest is None and choice.why.startswith("看得出"):
        return f"{path}: {choice.why}"
    if nearest and not nearest.missing:
        listed = "、".join(item.value for item in QcPath)
        return (
            f"{path}: 看不出这些会话属于哪条质检路径。"
            f"请在文件名或工作表名里写明（{listed}），或加一列“数据来源”"
        )
    return (
        f"{path}: {explain_misfit(nearest, names)}。"
        "请在 config/sessions/ 里照现有文件补上列名，或用 --format 指定格式"
    )
