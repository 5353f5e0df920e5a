"""Reading a view of somebody else's database: rows only, in the order of one key, never a write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

FETCH = 1000


class ViewError(Exception):
    """The view cannot be read; the message is the driver's first line, without the address."""


@contextmanager
def open_view(url: str, view: str, key: str, after: Any = None) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    """Open `view` (or schema.view): its column names, and its rows from `after` on (that included) by `key`.

    Rows are streamed. Raises ViewError, also while the rows are read.
    """
    try:
        engine = sa.create_engine(url, pool_pre_ping=False, poolclass=sa.pool.NullPool)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise ViewError(type(error).__name__) from error
    try:
        with engine.connect().execution_options(stream_results=True) as connection:
            _read_only(connection)
            result = connection.execution_options(yield_per=FETCH).execute(_query(view, key, after))
            yield list(result.keys()), _rows(result)
            connection.rollback()
    except sa.exc.SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        raise ViewError((str(cause or type(error).__name__).strip().splitlines() or ["?"])[0][:200]) from error
    finally:
        engine.dispose()


def _query(view: str, key: str, after: Any) -> sa.Select[Any]:
    """Names are quoted as names, values are bound: nothing of them is ever SQL."""
    schema, _, name = view.rpartition(".")
    column: sa.ColumnClause[Any] = sa.column(key)
    query: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(sa.table(name, schema=schema or None)).order_by(column)
    return query if after is None else query.where(column >= after)


def _rows(result: sa.CursorResult[Any]) -> Iterator[Sequence[Any]]:
    for row in result:
        yield tuple(row)


def _read_only(connection: Connection) -> None:
    """Tell the database that nothing will be written, where it knows such a promise."""
    name = connection.dialect.name
    if name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only=ON")
    elif name in ("postgresql", "mysql", "mariadb"):
        if name != "postgresql":
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.commit()
        else:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
