"""An endpoint, settings that use it, a quick empty store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sentiment.conftest import WATCHES
from tests.sentiment.llm.endpoint import Endpoint, serve
from tests.sentiment.llm.kit import Prepared
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.settings.app import Llm
from vocwatch.settings.topics import Topics
from vocwatch.store import Store, open_store


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The shipped configuration, read once."""
    home = tmp_path_factory.mktemp("home")
    return load_settings(read_environment({
        "VOCWATCH_HOME": str(home), "VOCWATCH_CONFIG": str(ROOT / "config"), "VOCWATCH_SECRET": "test",
        "VOCWATCH_NOW": "2026-11-16T08:30:00", "VOCWATCH_LLM_KEY": "k-123",
    }))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without a row."""
    path = tmp_path_factory.mktemp("store") / "empty.sqlite3"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_store(empty: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of it: migrating takes longer than most of these tests."""
    copy = shutil.copy(empty, tmp_path / "test.sqlite3")
    opened = open_store(f"sqlite:///{copy}")
    yield opened
    opened.close()


@pytest.fixture
def on(shipped: Settings, topics: Topics, endpoint: Endpoint) -> Prepared:
    """Make settings with the second reader switched on."""
    def make(**more: Any) -> Settings:
        told = {"enabled": True, "base_url": endpoint.url, "model": "reader-1", "max_share": 1, **more}
        app = shipped.app.model_copy(update={"llm": Llm(**told)})
        return replace(shipped, app=app, watches=WATCHES, topics=topics)
    return make
