"""The data dictionary, made from the tables themselves."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from vocwatch.store import schema  # noqa: F401 - the tables
from vocwatch.store.columns import metadata
from vocwatch.store.desk.bi import VIEWS

HEAD = """# Data dictionary · 数据字典

Made from `vocwatch/store/schema.py` by `vocwatch doctor --write-docs`; a test fails when it is stale.
Times are UTC. The same tables stand in SQLite and PostgreSQL.

由 `vocwatch/store/schema.py` 生成（`vocwatch doctor --write-docs`），过期时测试会失败。时间一律 UTC，SQLite 与 PostgreSQL 相同。
"""
VIEWS_HEAD = """
## Views for SQL tools · 给 BI 工具的只读视图

The contract for Metabase, Superset, Excel, DuckDB, pandas; the same numbers as `vocwatch query`. See [analyse.md](analyse.md).

给 Metabase、Superset、Excel、DuckDB、pandas 用，数字和 `vocwatch query` 相同，见 [analyse.zh-CN.md](analyse.zh-CN.md)。
"""


def data_dictionary() -> str:
    """Return the whole dictionary as Markdown."""
    return HEAD + "".join(_section(table) for table in metadata.sorted_tables) + VIEWS_HEAD + "".join(map(_view, VIEWS))


def _view(name: str) -> str:
    lines = [f"\n### {name}\n", f"\n{VIEWS[name].comment}\n\n", "| column | meaning |\n", "|---|---|\n"]
    return "".join([*lines, *(f"| {column} | {meaning} |\n" for column, (meaning, _) in VIEWS[name].columns.items())])


def _section(table: Table) -> str:
    lines = [f"\n## {table.name}\n", f"\n{table.comment}\n\n", "| column | type | null | meaning |\n", "|---|---|---|---|\n"]
    for column in table.columns:
        kind = str(column.type.compile(dialect=sqlite.dialect())).lower()
        mark = " (key)" if column.primary_key else ""
        lines.append(f"| {column.name}{mark} | {kind} | {'yes' if column.nullable else ''} | {column.comment or ''} |\n")
    return "".join(lines)
