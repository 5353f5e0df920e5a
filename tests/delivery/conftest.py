"""An inbox, a robot, a digest of an empty day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.facts import build_facts
from reports.shape import Facts
from tests.delivery.kit import DAY, NOW, Inbox, Robot, configured, mail_server
from tests.reports.conftest import at_home, copy_of
from tests.reports.conftest import shipped as shipped
from vocwatch.settings import Settings
from vocwatch.store import Store, open_store


@pytest.fixture
def base(shipped: Settings, tmp_path: Path) -> Settings:
    """The shipped settings over a throw-away home."""
    return at_home(shipped, tmp_path)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server(Inbox()) as found:
        yield found


@pytest.fixture
def robot() -> Iterator[Robot]:
    found = Robot()
    yield found
    found.close()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once."""
    path = tmp_path_factory.mktemp("empty") / "store.sqlite3"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def store(empty_file: Path, tmp_path: Path) -> Iterator[Store]:
    """SQLite; what the outbox does in both databases stands in tests/store/test_outbox.py."""
    store = copy_of(empty_file, tmp_path)
    yield store
    store.close()


@pytest.fixture
def mailing(base: Settings, inbox: Inbox) -> Settings:
    """One reader of the digest."""
    return configured(base, inbox, recipients=["qa@example.com"])


@pytest.fixture(scope="session")
def facts(shipped: Settings, empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """The digest of a day on which nothing was read, made once."""
    folder = tmp_path_factory.mktemp("facts")
    store = copy_of(empty_file, folder)
    found = build_facts(configured(at_home(shipped, folder), recipients=["qa@example.com"]), store, DAY, now=NOW)
    store.close()
    return found
