"""The data dictionary, made from the tables themselves."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from vocwatch.store import schema  # noqa: F401 - the tables
from vocwatch.store.columns import metadata

HEAD = """# Data dictionary · 数据字典

Made from `vocwatch/store/schema.py` by `vocwatch doctor --write-docs`; a test fails when it is stale.
Times are UTC. The same tables stand in SQLite and PostgreSQL.

由 `vocwatch/store/schema.py` 生成（`vocwatch doctor --write-docs`），过期时测试会失败。时间一律 UTC，SQLite 与 PostgreSQL 相同。
"""


def data_dictionary() -> str:
    """Return the whole dictionary as Markdown."""
    return HEAD + "".join(_section(table) for table in metadata.sorted_tables)


def _section(table: Table) -> str:
    lines = [f"\n## {table.name}\n", f"\n{table.comment}\n\n", "| column | type | null | meaning |\n", "|---|---|---|---|\n"]
    for column in table.columns:
        kind = str(column.type.compile(dialect=sqlite.dialect())).lower()
        mark = " (key)" if column.primary_key else ""
        lines.append(f"| {column.name}{mark} | {kind} | {'yes' if column.nullable else ''} | {column.comment or ''} |\n")
    return "".join(lines)
