"""Importing from a database view: read-only, from the last key on."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sessions.importer import Export, ImportRefused, ImportReport, import_export
from sessions.problems import RowProblem
from sessions.tables import Row, Table
from sessions.values import Cell
from vocwatch.lang import tr
from vocwatch.settings import Settings
from vocwatch.settings.app import SessionView
from vocwatch.store import Store, runs
from vocwatch.store.views import ViewError, open_view

_LOOKED_AT = 50  # newest runs among which the last key is looked for


def import_view(settings: Settings, store: Store, view: SessionView) -> ImportReport | None:
    """Import what the view holds from the last key on, that key's rows once more; None where there is nothing.

    The key moves only when everything was stored. Raises ImportRefused.
    """
    url = settings.env.variables.get(view.url_env, "")
    if not url:
        raise ImportRefused(tr(
            f"视图 {view.name}: 环境变量 {view.url_env} 没有设置。请写成 postgresql+psycopg://只读用户:密码@主机/库",
            f"view {view.name}: environment variable {view.url_env} is not set. As: postgresql+psycopg://reader:password@host/database",
        ))
    subject = f"view:{view.name}"
    with store.read() as connection:
        history = runs.history(connection, "import", subject, _LOOKED_AT)
    after = next((_value(run.stats["key"]) for run in history if run.stats.get("key")), None)
    last: list[Any] = [after]
    try:
        with open_view(url, view.view, view.key, after) as (header, rows):
            place = _place(view, header)
            items = _rows(header, rows, place, last)
            top, first = next(items), next(items, None)
            if first is None:
                return None
            export = Export(
                Path(f"{view.name}.view"), subject, f"view:{view.name}:{last[0]}",
                iter([Table(None, _chained(top, first, items), headed=True)]), lambda: {"key": _stored(last[0])},
            )
            return import_export(settings, store, export, view.mapping)
    except ViewError as error:
        raise ImportRefused(tr(
            f"视图 {view.name}: 读不了（{error}）。请检查 {view.url_env}、视图名 {view.view}、列 {view.key} 和只读权限",
            f"view {view.name}: cannot be read ({error}). Check {view.url_env}, the view {view.view}, its column {view.key} "
            "and the right to read",
        )) from error


def _place(view: SessionView, header: Sequence[str]) -> int:
    for place, name in enumerate(header):
        if name.lower() == view.key.lower():
            return place
    raise ImportRefused(tr(f"视图 {view.name}: 没有 {view.key} 这一列", f"view {view.name}: there is no column {view.key}"))


def _rows(
    header: list[str], rows: Iterator[Sequence[Any]], place: int, last: list[Any]
) -> Iterator[Row | RowProblem]:
    yield 0, list(header)
    for number, row in enumerate(rows, 1):
        last[0] = row[place]
        yield number, [_cell(value) for value in row]


def _chained(top: Row | RowProblem, first: Row | RowProblem, rest: Iterator[Row | RowProblem]) -> Iterator[Row | RowProblem]:
    yield top
    yield first
    yield from rest


def _cell(value: Any) -> Cell:
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else value


def _stored(key: Any) -> dict[str, Any] | None:
    """How a run row keeps the key: a number, a moment or a text."""
    if isinstance(key, dt.datetime):
        return {"moment": key.isoformat()}
    if isinstance(key, decimal.Decimal):
        return {"value": int(key)} if key == key.to_integral_value() else {"value": float(key)}
    return {"value": key} if isinstance(key, int | float | str) else None


def _value(stored: dict[str, Any]) -> Any:
    return dt.datetime.fromisoformat(stored["moment"]) if "moment" in stored else stored.get("value")
