"""Importing one export: read and mask first, then store everything in one transaction."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import orjson

from sessions.headers import SEARCHED_ROWS, Fit, PathFinder, best_fit, explain_misfit
from sessions.problems import ImportRefused, RowProblem
from sessions.rows import House, RowReader
from sessions.tables import Row, Table, open_tables
from vocwatch.clock import Clock
from vocwatch.models import Path as QcPath
from vocwatch.models import RunStatus, SessionRecord, Turn
from vocwatch.pseudonym import load_pseudonyms
from vocwatch.settings import SessionMap, Settings
from vocwatch.store import Store, runs
from vocwatch.store.sessions import UpsertCounts, upsert_sessions

__all__ = ["ImportRefused", "ImportReport", "RowProblem", "import_file", "read_export"]

_BATCH = 1000
_KEPT_PROBLEMS = 200  # in the run row
_MAX_PROBLEMS = 10_000  # in the report; a file with more is wrong as a whole
_IN_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    `rows` counts the rows that are or should be sessions; `paths` the sessions of each 质检路径.
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
            read = _read_all(settings, path, format, clock, spool)
            with store.begin() as connection:
                counts = UpsertCounts()
                for batch in _batches(read.latest(spool)):
                    counts += upsert_sessions(connection, batch, run_id, clock.now())
                report = read.report(path.name, counts, run_id)
                runs.finish(connection, run_id, clock.now(), stats=_stats(report))
        return report
    except ImportRefused as error:
        _fail(store, run_id, clock.now(), str(error))
        raise
    except Exception as error:
        _fail(store, run_id, clock.now(), f"导入中断：{type(error).__name__}")
        raise


def _fail(store: Store, run_id: int, now: dt.datetime, reason: str) -> None:
    with store.begin() as connection:
        runs.finish(connection, run_id, now, status=RunStatus.FAILED, reason=reason[:2000])


def _stats(report: ImportReport) -> dict[str, object]:
    shown = [asdict(problem) for problem in report.problems[:_KEPT_PROBLEMS]]
    return {
        "format": report.format, "rows": report.rows, "added": report.added, "updated": report.updated,
        "unchanged": report.unchanged, "bad": sum(not problem.kept for problem in report.problems),
        "paths": report.paths, "problems": shown,
    }


@dataclass
class _Reading:
    """What was read of a file; the masked sessions themselves are in the spool, one JSON line each."""

    format: str
    rows: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    paths: Counter[str] = field(default_factory=Counter)
    last: dict[bytes, int] = field(default_factory=dict)  # digest of (id, path) -> number of its last record
    count: int = 0

    def add(self, item: SessionRecord | RowProblem, spool: IO[bytes]) -> None:
        """Take in one thing that the reader yielded."""
        if isinstance(item, RowProblem):
            self.rows += not item.kept
            if len(self.problems) < _MAX_PROBLEMS:
                self.problems.append(item)
            return
        self.rows += 1
        key = _digest(item)
        if key not in self.last:
            self.paths[item.path.value] += 1
        self.last[key] = self.count
        self.count += 1
        spool.write(orjson.dumps(item) + b"\n")

    def latest(self, spool: IO[bytes]) -> Iterator[SessionRecord]:
        """Yield the sessions, of those with one id only the last."""
        spool.seek(0)
        for number, line in enumerate(spool):
            record = _restored(line)
            if self.last[_digest(record)] == number:
                yield record

    def report(self, name: str, counts: UpsertCounts, run_id: int) -> ImportReport:
        """Put the report together."""
        return ImportReport(
            name, self.format, self.rows, counts.added, counts.updated, counts.unchanged,
            tuple(self.problems), dict(self.paths), run_id,
        )


def _digest(record: SessionRecord) -> bytes:
    return hashlib.blake2b(f"{record.native_id}\0{record.path}".encode(), digest_size=12).digest()


def _restored(line: bytes) -> SessionRecord:
    values = orjson.loads(line)
    values["path"] = QcPath(values["path"])
    values["started_at"] = dt.datetime.fromisoformat(values["started_at"])
    values["turns"] = [
        Turn(turn["role"], turn["text"], dt.datetime.fromisoformat(turn["at"]) if turn["at"] else None)
        for turn in values["turns"]
    ]
    return SessionRecord(**values)


def _read_all(settings: Settings, path: Path, format: str, clock: Clock, spool: IO[bytes]) -> _Reading:
    mapping, items = _read(settings, path, format, clock)
    reading = _Reading(mapping.name)
    for line, sheet, item in items:
        if isinstance(item, SessionRecord) and _digest(item) in reading.last:
            reason = f"会话编号 {item.native_id[:60]} 与前面的行重复，以这一行为准"
            reading.add(RowProblem(line, sheet, None, reason, kept=True), spool)
        reading.add(item, spool)
    if not reading.rows:
        raise ImportRefused(f"{path}: 只有表头，没有会话。请重新导出；如果当天确实没有会话，不用导入")
    return reading


def _batches(records: Iterator[SessionRecord]) -> Iterator[Sequence[SessionRecord]]:
    while batch := list(itertools.islice(records, _BATCH)):
        yield batch


def read_export(
    settings: Settings, path: Path, format: str = "auto", clock: Clock | None = None
) -> tuple[SessionMap, Iterator[SessionRecord | RowProblem]]:
    """Read an export without a store: the mapping of its first table, and its masked sessions and bad rows.

    Raises ImportRefused, at once or while reading.
    """
    mapping, items = _read(settings, path, format, clock or settings.clock)
    return mapping, (item for _, _, item in items)


_Item = tuple[int, str | None, SessionRecord | RowProblem]


def _read(settings: Settings, path: Path, format: str, clock: Clock) -> tuple[SessionMap, Iterator[_Item]]:
    maps = _chosen(settings, path, format)
    house = House(
        settings.app.zone, clock.now(), load_pseudonyms(settings.env),
        {shop.name: shop.platform for shop in settings.app.shops if shop.platform},
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
    nearest: Fit | None = None
    for table in tables:
        peeked = list(itertools.islice(table.rows, 1 if table.headed else SEARCHED_ROWS))
        fit = best_fit(maps, [row[1] for row in peeked if not isinstance(row, RowProblem)], table.headed)
        paths = PathFinder(fit, table.sheet, path.stem) if fit and not fit.missing else None
        if fit is None or paths is None or not (paths.has_column or paths.default):
            nearest = fit if fit and (nearest is None or fit.score > nearest.score) else nearest
            why = "看不出质检路径" if paths else explain_misfit(fit, [mapping.name for mapping in maps])
            problem = RowProblem(1, table.sheet, None, f"这一页没有导入：{why}", kept=True)
            passed.append((1, table.sheet, problem))
            continue
        if not known:
            known = True
            yield fit.mapping
        yield from passed
        passed = []
        yield from _rows(RowReader(house, fit, table.sheet, paths), fit, peeked, table)
    if not known:
        raise ImportRefused(_refusal(path, nearest, [mapping.name for mapping in maps]))
    yield from passed


def _rows(reader: RowReader, fit: Fit, peeked: Sequence[Row | RowProblem], table: Table) -> Iterator[_Item]:
    """Yield what the rows under the header say; `peeked` are the first, taken from the table already."""
    plain = [place for place, item in enumerate(peeked) if not isinstance(item, RowProblem)]
    for item in itertools.chain(peeked[plain[fit.row] + 1:], table.rows):
        if isinstance(item, RowProblem):
            yield item.line, table.sheet, dataclasses.replace(item, sheet=table.sheet)
            continue
        line, cells = item
        for result in reader.read(line, cells):
            yield line, table.sheet, result


def _refusal(path: Path, nearest: Fit | None, names: Sequence[str]) -> str:
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
