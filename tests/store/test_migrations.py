"""Older databases are brought up to date, whole or not at all, with their rows."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations

from vocwatch.store import Store
from vocwatch.store.engine import MIGRATIONS
from vocwatch.store.schema import mentions, metadata, pages

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


@pytest.fixture
def first_schema(database_url: str) -> Store:
    """A database as the first version left it, with a few rows."""
    store = Store(database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = store.engine
    command.upgrade(config, "0001")
    old = {name: sa.Table(name, sa.MetaData(), autoload_with=store.engine) for name in ("mentions", "pages")}
    times = {"first_seen_at": NOW, "last_seen_at": NOW}
    with store.engine.begin() as connection:
        connection.execute(old["mentions"].insert(), [
            dict(source="s", native_id="a", url="u", kind="post", precision="none", gone_at=NOW, **times),
            dict(source="s", native_id="b", url="u", kind="post", precision="none", gone_at=None, **times),
        ])
        connection.execute(old["pages"].insert().values(
            run_id=1, source="s", url="u", final_url="u", status=200, headers={}, sha256="0" * 64, size=3, fetched_at=NOW
        ))
    return store


def test_rows_survive_and_one_look_is_no_deletion_any_more(first_schema: Store) -> None:
    first_schema.migrate()
    with first_schema.read() as connection:
        found = {row.native_id: row for row in connection.execute(mentions.select())}
        [page] = connection.execute(pages.select()).all()
    assert (found["a"].missing_since, found["a"].gone_at) == (NOW, None)
    assert (found["b"].missing_since, found["b"].gone_at) == (None, None)
    assert page.seen_at == page.fetched_at == NOW
    first_schema.close()


def test_a_migrated_database_is_what_the_code_describes(first_schema: Store) -> None:
    first_schema.migrate()
    with first_schema.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False, "include_name": _described})
        differences = compare_metadata(context, metadata)
    assert [d for d in differences if not _a_comment(d)] == []
    first_schema.close()


def _described(name: str | None, kind: str, _above: object) -> bool:
    """The index of words is each database's own (vocwatch/store/desk/words.py)."""
    return not (kind in ("table", "index") and str(name).startswith(("desk_words", "ix_desk_words")))


def _a_comment(difference: object) -> bool:
    return "comment" in str(difference[0][0] if isinstance(difference, list) else difference[0])  # type: ignore[index]


def test_a_migration_that_breaks_off_leaves_the_old_schema(
    first_schema: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: Operations, name: str, *args: object, **more: object) -> None:
        raise RuntimeError(f"killed at {name}")

    with monkeypatch.context() as patch:
        patch.setattr(Operations, "create_table", breaks)
        with pytest.raises(RuntimeError, match="killed"):
            first_schema.migrate()
    assert first_schema.versions()[0] == "0001"
    columns = {column["name"] for column in sa.inspect(first_schema.engine).get_columns("mentions")}
    assert "missing_since" not in columns
    first_schema.migrate()
    assert first_schema.versions()[0] == first_schema.versions()[1]
    first_schema.close()
