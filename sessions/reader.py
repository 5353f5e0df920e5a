"""Reading an export without a store: which mapping fits, and what its rows say, masked."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sessions.cells import House
from sessions.choosing import Choice, choose
from sessions.grouping import grouped
from sessions.headers import SEARCHED_ROWS, Fit, explain_misfit
from sessions.judging import Counted
from sessions.keywords import Matcher
from sessions.problems import ImportRefused, RowProblem
from sessions.reviews import ReviewReader
from sessions.rows import RowReader
from sessions.spool import Record
from sessions.tables import Row, Table, open_tables
from sessions.totals import TotalsReader
from vocwatch.clock import Clock
from vocwatch.lang import listed, tr
from vocwatch.models import Path as QcPath
from vocwatch.pseudonym import load_pseudonyms
from vocwatch.settings import SessionMap, Settings
from vocwatch.settings.session_maps import Target
from vocwatch.store.totals import Total


@dataclass(frozen=True)
class Heading:
    """The header of one table as its mapping reads it; `kind` tells tables of different columns apart."""

    mapping: SessionMap
    sheet: str | None
    kind: str
    header: tuple[str, ...]
    columns: dict[Target, tuple[str, ...]] = field(default_factory=dict)

    def as_stats(self) -> dict[str, object]:
        """What the run row keeps of it: the next import of the same export is compared with it."""
        return {
            "format": self.mapping.name, "sheet": self.sheet, "kind": self.kind,
            "header": [name[:60] for name in self.header[:200]],
            "columns": {target: list(names) for target, names in self.columns.items()},
        }


Read = Record | Counted | Total | RowProblem
Item = tuple[int, str | None, Read]


def read_export(
    settings: Settings, path: Path, format: str = "auto", clock: Clock | None = None
) -> tuple[SessionMap, Iterator[Read]]:
    """Read an export without a store: the mapping of its first table, and its masked records and bad rows.

    Raises ImportRefused, at once or while reading.
    """
    first, items = read_tables(settings, path, format, clock or settings.clock)
    return first.mapping, (item[2] for item in items if not isinstance(item, Heading))


def read_tables(
    settings: Settings, path: Path, format: str, clock: Clock, tables: Iterator[Table] | None = None
) -> tuple[Heading, Iterator[Item | Heading]]:
    """Read the tables of a file (or those given, in its name): the first heading, then everything after it.

    Raises ImportRefused, at once or while reading.
    """
    maps = _chosen(settings, path, format)
    house = House(
        settings.app.zone, clock.now(), load_pseudonyms(settings.env),
        {shop.name: shop.platform for shop in settings.app.shops if shop.platform}, settings.refusals,
        Matcher(settings.keywords),
    )
    lists = [name for mapping in maps for name in mapping.records]
    items = _tables(path, maps, house, open_tables(path, lists) if tables is None else tables)
    first = next(items)  # the heading comes first, or ImportRefused
    assert isinstance(first, Heading)
    return first, itertools.chain([first], items)


def _chosen(settings: Settings, path: Path, format: str) -> list[SessionMap]:
    known = settings.session_maps
    if format == "auto":
        return list(known.values())
    if format not in known:
        names = listed(("auto", *known))
        raise ImportRefused(tr(f"{path}: 没有 {format} 这种格式。可用：{names}（请见 config/sessions/）",
                               f"{path}: no format {format}. There are: {names} (see config/sessions/)"))
    return [known[format]]


def _tables(
    path: Path, maps: Sequence[SessionMap], house: House, tables: Iterator[Table]
) -> Iterator[Heading | Item]:
    """Yield the heading of each table before what was read of it; one of them first of all."""
    known = False
    passed: list[Item] = []  # sheets before the first that fits
    refused: Choice | None = None
    for table in tables:
        peeked = list(itertools.islice(table.rows, SEARCHED_ROWS))
        rows = [row[1] for row in peeked if not isinstance(row, RowProblem)]
        choice = choose(maps, rows, table.headed, table.sheet, path.stem, house.platforms)
        if choice.fit is None:
            refused = _nearer(refused, choice)
            problem = RowProblem(1, table.sheet, None, tr(f"这一页没有导入：{choice.why}", f"this sheet was not imported: {choice.why}"), kept=True)
            passed.append((1, table.sheet, problem))
            continue
        known = True
        yield _heading(choice, table.sheet)
        yield from passed
        passed = []
        yield from _rows(_reader(house, choice, table.sheet), choice.fit, peeked, table)
    if not known:
        raise ImportRefused(_refusal(path, refused, [mapping.name for mapping in maps]))
    yield from passed


def _reader(house: House, choice: Choice, sheet: str | None) -> RowReader | ReviewReader | TotalsReader:
    assert choice.fit is not None
    if choice.paths is not None:
        return RowReader(house, choice.fit, sheet, choice.paths)
    return (TotalsReader if choice.fit.mapping.totals else ReviewReader)(house, choice.fit, sheet)


def _heading(choice: Choice, sheet: str | None) -> Heading:
    fit = choice.fit
    assert fit is not None
    columns = {target: tuple(fit.header[index] for index in indices) for target, indices in fit.columns.items()}
    path = choice.paths.default if choice.paths is not None else None
    return Heading(fit.mapping, sheet, path.value if path else "", fit.header, columns)


def _nearer(before: Choice | None, choice: Choice) -> Choice:
    """Of two tables that were refused, the one that came nearer to a mapping."""
    if before is None or before.nearest is None:
        return choice
    return choice if choice.nearest is not None and choice.nearest.score > before.nearest.score else before


def _rows(
    reader: RowReader | ReviewReader | TotalsReader, fit: Fit, peeked: Sequence[Row | RowProblem], table: Table
) -> Iterator[Item]:
    """Yield what the rows under the header say; `peeked` are the first, taken from the table already."""
    plain = [place for place, item in enumerate(peeked) if not isinstance(item, RowProblem)]
    rows: Iterator[Row | RowProblem] = itertools.chain(peeked[plain[fit.row] + 1:], table.rows)
    if fit.mapping.transcript.style == "rows":
        rows = grouped(fit, rows)
    for item in rows:
        if isinstance(item, RowProblem):
            yield item.line, table.sheet, dataclasses.replace(item, sheet=table.sheet)
            continue
        line, cells = item
        for result in reader.read(line, cells):
            yield line, table.sheet, result


def _refusal(path: Path, choice: Choice | None, names: Sequence[str]) -> str:
    nearest = choice.nearest if choice else None
    if choice is not None and choice.ambiguous:
        return f"{path}: {choice.why}"
    if nearest and not nearest.missing:
        known = listed(item.value for item in QcPath)
        return tr(
            f"{path}: 看不出这些会话属于哪条质检路径。"
            f"请在文件名或工作表名里写明（{known}），或加一列“数据来源”",
            f"{path}: nothing says which quality-check path these sessions belong to. "
            f"Name it in the file or sheet name ({known}), or add a column 数据来源",
        )
    misfit = explain_misfit(nearest, names)
    return tr(
        f"{path}: {misfit}。请运行 vocwatch sessions map 文件 让它提出映射，或用 --format 指定格式",
        f"{path}: {misfit}. Run vocwatch sessions map FILE to have a mapping proposed, or name the format with --format",
    )
