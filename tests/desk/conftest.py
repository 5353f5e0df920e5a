"""The invented forty days, asked about: once over SQLite, and once over PostgreSQL where the database matters."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from reports.desk.ask import Desk
from reports.digest.contract import as_dict
from reports.facts import build_facts
from tests.reports import factory
from tests.reports.conftest import at_home, copy_of, morning, shipped, story_file  # noqa: F401 - fixtures
from vocwatch.settings import Settings
from vocwatch.store import Store, digests, open_store
from vocwatch.store.schema import metadata

NOON = dt.datetime.combine(factory.LAST + dt.timedelta(days=1), dt.time(12), tzinfo=factory.ZONE)


@pytest.fixture(scope="session")
def brand(shipped: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:  # noqa: F811 - the fixture
    """Settings of the invented brand at noon after its last day."""
    home = at_home(shipped, tmp_path_factory.mktemp("desk"))
    return factory.make_settings(dataclasses.replace(home, env=dataclasses.replace(home.env, now=NOON.isoformat())))


@pytest.fixture(scope="session")
def desk(story_file: Path, brand: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:  # noqa: F811
    """The forty days on SQLite; nobody writes to it."""
    store = copy_of(story_file, tmp_path_factory.mktemp("desk_store"))
    yield Desk(brand, store)
    store.close()


@pytest.fixture(scope="session")
def other_desk(desk: Desk, postgres_url: str) -> Iterator[Desk]:
    """The same rows on PostgreSQL."""
    url = sa.make_url(postgres_url)
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE desk_story")
    store = open_store(url.set(database="desk_story").render_as_string(hide_password=False))
    with desk.store.read() as old, store.begin() as new:
        for table in metadata.sorted_tables:
            rows = [dict(row._mapping) for row in old.execute(sa.select(table))]
            if rows and not table.name.startswith("desk_"):
                new.execute(table.insert(), rows)
    yield Desk(desk.settings, store)
    store.close()
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE desk_story WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def both(brand: Settings, store: Store) -> Desk:
    """An empty desk on each database."""
    return Desk(brand, store)


@pytest.fixture(scope="session")
def console_file(story_file: Path, brand: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The forty days with the digests of the last two: the last one was sent, the one before only written."""
    folder = tmp_path_factory.mktemp("console")
    store = copy_of(story_file, folder)
    for date in (factory.LAST - dt.timedelta(days=1), factory.LAST):
        told = build_facts(brand, store, date, now=morning(date))
        with store.begin() as connection:
            digests.save(connection, date, "qa", morning(date), as_dict(told))
    with store.begin() as connection:
        digests.seal(connection, factory.LAST, "qa", morning(factory.LAST))
    store.close()
    return folder / "copy.sqlite3"


@pytest.fixture
def console(console_file: Path, brand: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A copy of it to work on."""
    store = copy_of(console_file, tmp_path)
    yield Desk(brand, store)
    store.close()
