"""The invented forty days, built once; each test works on its own copy."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.run import build_incidents
from tests.conftest import ROOT
from tests.reports import factory
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store


def morning(date: dt.date) -> dt.datetime:
    """When the digest of a date is made: 08:30 the next day."""
    return dt.datetime.combine(date + dt.timedelta(days=1), dt.time(8, 30), tzinfo=factory.ZONE)


@pytest.fixture(scope="session")
def shipped() -> Settings:
    """The shipped settings, read once."""
    return load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "test"}))


@pytest.fixture
def cups(shipped: Settings, tmp_path: Path) -> Settings:
    """Settings of the invented brand over a throw-away home."""
    return factory.make_settings(at_home(shipped, tmp_path))


def at_home(settings: Settings, folder: Path) -> Settings:
    """Return settings whose files lie in `folder`."""
    return dataclasses.replace(
        settings, env=dataclasses.replace(settings.env, home=folder, data=folder / "var")
    )


_built: list[Path] = []  # a fixture that other folders import is one of its own there, and need not build again


@pytest.fixture(scope="session")
def story_file(shipped: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole story with its incidents built for every day."""
    if _built:
        return _built[0]
    folder = tmp_path_factory.mktemp("story")
    settings = factory.make_settings(at_home(shipped, folder))
    store = open_store(f"sqlite:///{folder / 'store.sqlite3'}")
    factory.forty_days(store)
    for number in range(20, factory.LENGTH + 1):
        date = factory.day(number)
        build_incidents(settings, store, date, now=morning(date))
    store.close()
    _built.append(folder / "store.sqlite3")
    return _built[0]


@pytest.fixture(scope="session")
def quiet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-three ordinary days and nothing else."""
    path = tmp_path_factory.mktemp("quiet") / "store.sqlite3"
    store = open_store(f"sqlite:///{path}")
    factory.quiet_days(store).save()
    store.close()
    return path


def copy_of(path: Path, folder: Path) -> Store:
    """Open a copy of a database file."""
    target = folder / "copy.sqlite3"
    shutil.copy(path, target)
    return Store(f"sqlite:///{target}")


@pytest.fixture
def story(story_file: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of the story to work on."""
    store = copy_of(story_file, tmp_path)
    yield store
    store.close()


@pytest.fixture
def small(quiet_file: Path, tmp_path: Path) -> Iterator[factory.World]:
    """Ordinary days to which a test adds its own."""
    store = copy_of(quiet_file, tmp_path)
    world = factory.World(store, 11)
    world.mentions = world.sessions = 10_000
    yield world
    store.close()
