"""The store on both databases."""

from __future__ import annotations

import datetime as dt

import pytest

from vocwatch.store import Connection, StorageError, Store, open_store, runs
from vocwatch.store.engine import upsert
from vocwatch.store.schema import mentions

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def row(native_id: str, likes: int | None) -> dict[str, object]:
    return dict(source="s", native_id=native_id, url="u", kind="post", precision="none", first_seen_at=NOW,
                last_seen_at=NOW, likes=likes)


def test_schema_is_current_and_migrating_again_changes_nothing(store: Store) -> None:
    store.migrate()
    current, head = store.versions()
    assert current == head is not None


def test_upsert_updates_and_keeps_where_null(store: Store) -> None:
    with store.begin() as connection:
        upsert(connection, mentions, [row("a", 3), row("b", None)], ["source", "native_id"])
        upsert(connection, mentions, [row("a", None), row("b", 5)], ["source", "native_id"], ["likes"], ["likes"])
    with store.read() as connection:
        found = {r.native_id: (r.likes, r.first_seen_at) for r in connection.execute(mentions.select())}
    assert found == {"a": (3, NOW), "b": (5, NOW)}


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.begin() as connection:
        upsert(connection, mentions, [row("a", 3)], ["source", "native_id"])
        raise RuntimeError
    with store.read() as connection:
        assert not connection.execute(mentions.select()).all()


def test_runs_end_once(store: Store) -> None:
    with store.begin() as connection:
        run_id = runs.start(connection, "crawl", "s", NOW)
        runs.finish(connection, run_id, NOW, reason="first")
        runs.finish(connection, run_id, NOW, reason="second")
        found = runs.latest(connection, "crawl", "s")
    assert found is not None and found.reason == "first"


def test_naive_times_are_refused(sqlite_store: Store) -> None:
    import sqlalchemy as sa

    with pytest.raises(sa.exc.StatementError), sqlite_store.begin() as connection:
        runs.start(connection, "crawl", "s", NOW.replace(tzinfo=None))


def test_an_unreachable_database_says_what_to_do() -> None:
    with pytest.raises(StorageError, match="VOCWATCH_DATABASE_URL"):
        open_store("postgresql+psycopg://nobody@127.0.0.1:1/none")


def test_what_is_durable_waits_for_the_disk_and_nothing_else_does(sqlite_store: Store) -> None:
    def synchronous(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    for durable, wanted in ((False, 1), (True, 2), (False, 1)):
        with sqlite_store.begin(durable=durable) as connection:
            assert synchronous(connection) == wanted
    with pytest.raises(KeyError), sqlite_store.begin(durable=True):
        raise KeyError
    with sqlite_store.begin() as connection:
        assert synchronous(connection) == 1
