"""Opening the database, transactions, upserts."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.pool import ConnectionPoolEntry

from vocwatch.exits import StorageError
from vocwatch.lang import tr

BATCH = 2000
STEPS = 20_000  # of SQLite's machine between two looks at the clock
FILL = 50_000  # narrow rows that are made in one transaction when a database is brought up to date
_MIGRATING = threading.Lock()  # alembic keeps its context in module globals
MIGRATIONS = Path(__file__).parent / "migrations"


class TooSlowError(Exception):
    """A question took longer than it may; it was stopped."""


class Store:
    """The one door to the database. Thread-safe; each `begin()` is one transaction."""

    def __init__(self, url: str):
        self.url = url
        self.engine = _create(url)
        self.dialect = self.engine.dialect.name
        self._has_desk = False

    @contextmanager
    def begin(self, *, durable: bool = False) -> Iterator[Connection]:
        """Open a writing transaction: commits at the end, rolls back on an exception.

        What is committed survives a killed process; `durable` survives a power cut as well (SQLite waits for the
        disk; PostgreSQL always does).
        """
        with _translated(self.url), self.engine.connect() as plain:
            connection = plain.execution_options(durable=durable)
            try:
                with connection.begin():
                    yield connection
                    self._keep_desk(connection)
            finally:
                if durable and self.dialect == "sqlite":
                    _raw(plain, "PRAGMA synchronous=NORMAL")  # the connection goes back to the pool

    @contextmanager
    def read(self, seconds: float | None = None) -> Iterator[Connection]:
        """Open a transaction that only reads; with `seconds` one that takes no longer, and can be interrupted.

        SQLite counts the seconds from here on, PostgreSQL those of each statement. Raises TooSlowError.
        """
        with _translated(self.url), self.engine.connect() as plain:
            connection = plain.execution_options(write=False)
            if self.dialect == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            with _only_reading(connection), _limited(connection, seconds):
                yield connection
            connection.rollback()

    def migrate(self) -> None:
        """Bring the schema to this version's. Safe, and cheap, to call at every start."""
        current, newest = self.versions()
        if current == newest:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["engine"] = self.engine
        with _MIGRATING, _translated(self.url):
            command.upgrade(config, "head")
        self._fill_desk()

    def _fill_desk(self) -> None:
        """Make the narrow rows of what was judged before there were any, some thousands at a time."""
        from vocwatch.store.desk.keep import drain

        while True:
            with _translated(self.url), self.engine.begin() as connection:
                if not drain(connection, FILL):
                    return

    def versions(self) -> tuple[str | None, str]:
        """Return (revision in the database, revision of this code)."""
        # Read without alembic: importing it costs half a second, and nearly always there is nothing to do.
        newest = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
        with _translated(self.url), self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None, newest
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar(), newest

    def _keep_desk(self, connection: Connection) -> None:
        """Make the narrow rows of what this transaction has changed anew, as a part of it."""
        if not self._has_desk:
            self._has_desk = sa.inspect(connection).has_table("desk_changes")
        if self._has_desk:
            from vocwatch.store.desk.keep import drain  # it stands on this module

            drain(connection)

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open the database and bring its schema up to date. Raises StorageError."""
    store = Store(url)
    store.migrate()
    return store


def _create(url: str) -> Engine:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StorageError(tr(
            "VOCWATCH_DATABASE_URL 写法不对。例：postgresql+psycopg://用户:密码@主机/库",
            "VOCWATCH_DATABASE_URL is malformed. Example: postgresql+psycopg://user:password@host/database",
        )) from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            try:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(tr(
                    f"建不了数据目录 {Path(parsed.database).parent}：{error.strerror}。请换一个可写的 VOCWATCH_DATA",
                    f"Cannot make {Path(parsed.database).parent}: {error.strerror}. Choose a writable VOCWATCH_DATA",
                )) from error
        engine = sa.create_engine(parsed, connect_args={"timeout": 60}, json_serializer=_json, json_deserializer=_loads)
        sa.event.listen(engine, "connect", _sqlite_pragmas)
        sa.event.listen(engine, "begin", _sqlite_begin)
        return engine
    try:
        return sa.create_engine(parsed, pool_pre_ping=True, json_serializer=_json, json_deserializer=_loads)
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise StorageError(tr(
            f"不支持这种数据库：{parsed.drivername}。可用 sqlite 或 postgresql+psycopg",
            f"No such database: {parsed.drivername}. Use sqlite or postgresql+psycopg",
        )) from error


@contextmanager
def _only_reading(connection: Connection) -> Iterator[None]:
    """Let SQLite refuse to write, as PostgreSQL does in a transaction that only reads."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        driver.execute("PRAGMA query_only=OFF")  # the connection goes back to the pool


@contextmanager
def _limited(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Let the reading within take no longer than so many seconds."""
    if seconds is None:
        yield
        return
    sqlite = connection.dialect.name == "sqlite"
    driver: Any = connection.connection.dbapi_connection
    if sqlite:
        end = time.monotonic() + seconds
        # Python runs between the steps, so that Ctrl-C is heard as well.
        driver.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    else:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
    try:
        yield
    except sa.exc.OperationalError as error:
        if "interrupted" in str(error.orig) or type(error.orig).__name__ == "QueryCanceled":
            raise TooSlowError(seconds) from error
        raise
    finally:
        if sqlite:
            driver.set_progress_handler(None, 0)


def _raw(connection: Connection, statement: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _json(value: Any) -> str:
    # Chinese stays readable, and can be searched with LIKE.
    return json.dumps(value, ensure_ascii=False)


def _loads(text: str | bytes) -> Any:
    # Most lists are empty, and a day reads hundreds of thousands of them.
    if text == "[]":
        return []
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)  # it also takes what is no number, as it was written here


def _sqlite_pragmas(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    # Transactions are begun by hand (below), so that a writer takes its lock at once and waits instead of failing.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=60000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("durable"):
        _raw(connection, "PRAGMA synchronous=FULL")  # can't be changed within a transaction
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write", True) else "BEGIN")


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turn driver errors about the connection into StorageError with the next step."""
    try:
        yield
    except sa.exc.OperationalError as error:
        shown = sa.make_url(url).render_as_string(hide_password=True)
        cause = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        raise StorageError(tr(
            f"数据库用不了：{shown}（{cause}）。请检查 VOCWATCH_DATABASE_URL、服务是否启动、磁盘空间",
            f"The database cannot be used: {shown} ({cause}). Check VOCWATCH_DATABASE_URL, the server, disk space",
        )) from error


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str],
    update: Sequence[str] = (), keep_if_null: Sequence[str] = (),
) -> None:
    """Insert rows; where `key` exists, set the `update` columns (or do nothing when there are none).

    Columns in `keep_if_null` keep their stored value when the new one is null. Rows must share one set of
    keys and no two rows may share a key. Works alike on SQLite and PostgreSQL; batches of 2,000.
    """
    if not rows:
        return
    statement = insert_into(connection, table)
    if update:
        new = statement.excluded
        values = {
            name: sa.func.coalesce(new[name], table.c[name]) if name in keep_if_null else new[name]
            for name in update
        }
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=values)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    for start in range(0, len(rows), BATCH):
        _execute_many(connection, statement, table, rows[start:start + BATCH])


def _execute_many(connection: Connection, statement: Any, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an insert for many rows; on SQLite the values are put in order here, at half of SQLAlchemy's cost."""
    if connection.dialect.name != "sqlite":
        connection.execute(statement, list(rows))
        return
    names = list(rows[0])
    compiled = statement.compile(dialect=connection.dialect, column_keys=names)
    if len(names) < 2 or sorted(compiled.positiontup) != sorted(names):  # a column has a default of its own
        connection.execute(statement, list(rows))
        return
    types = (table.c[name].type.dialect_impl(connection.dialect) for name in compiled.positiontup)
    # A truth value is written as it is: SQLite's driver knows it.
    found = [None if isinstance(kind, sa.Boolean) else kind.bind_processor(connection.dialect) for kind in types]
    processes = [(place, process) for place, process in enumerate(found) if process is not None]
    in_order = itemgetter(*compiled.positiontup)
    values = [list(in_order(row)) for row in rows]
    for place, process in processes:
        for row_values in values:
            row_values[place] = process(row_values[place])
    connection.exec_driver_sql(compiled.string, [tuple(row_values) for row_values in values])


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an insert that knows `on_conflict_do_…`, for the database at hand."""
    # Imported where they are needed: the PostgreSQL dialect brings all its drivers along.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite

        return insert_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql

    return insert_postgresql(table)


MANY = 5000
"""How many rows are asked for at a time by `among`."""


def chunks(items: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """Yield `items` in pieces small enough for an IN list."""
    for start in range(0, len(items), size):
        yield items[start:start + size]


def among(connection: Connection, column: sa.ColumnElement[int], ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """The condition that a whole number is one of these: thousands of them are one value of the statement, not thousands."""
    if connection.dialect.name == "sqlite":
        return column.in_(sa.select(sa.func.json_each(_json(list(ids))).table_valued("value").c.value))
    return column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))
