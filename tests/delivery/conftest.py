"""An inbox, a robot, a digest of an empty day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.facts import build_facts
from reports.shape import Facts
from tests.delivery.kit import DAY, NOW, Inbox, Robot, configured, mail_server
from tests.reports.conftest import at_home
from tests.reports.conftest import shipped as shipped
from vocwatch.settings import Settings
from vocwatch.store import Store


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


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """SQLite; what the outbox does in both databases stands in tests/store/test_outbox.py."""
    return sqlite_store


@pytest.fixture
def mailing(base: Settings, inbox: Inbox) -> Settings:
    """One reader of the digest."""
    return configured(base, inbox, recipients=["qa@example.com"])


@pytest.fixture
def facts(mailing: Settings, store: Store) -> Facts:
    """The digest of a day on which nothing was read."""
    return build_facts(mailing, store, DAY, now=NOW)
