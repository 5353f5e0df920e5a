"""The catalogue of sources (`config/sources/catalogue/`), and taking one of them into use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vocwatch.plain import one_line
from vocwatch.settings import ConfigError, Settings, Source
from vocwatch.settings.changes import edit_text
from vocwatch.settings.env import checkout_root
from vocwatch.settings.yamlfile import load_model

TO_FILL = "待填"


class CatalogueError(ValueError):
    """Why a source of the catalogue can't be taken into use; a key of the words."""


@dataclass(frozen=True)
class Entry:
    """A source of the catalogue. `delivered`: it reads files that somebody exports, and has no address."""

    name: str
    title: str
    limits: str
    start: tuple[str, ...]
    robots: str
    delivered: bool


def entries(settings: Settings) -> list[Entry]:
    """Return the catalogue, by title."""
    folder = _folder(settings)
    return sorted(_entries(folder, folder.stat().st_mtime_ns if folder.is_dir() else 0), key=lambda one: one.title)


def filled(settings: Settings, name: str, *, start: Sequence[str], owner: str, robots: str, today: dt.date) -> str:
    """Return a file of the catalogue as it is taken into use: switched on, and signed by whoever answers for it.

    Raises CatalogueError where something is missing, or there is no such source.
    """
    known = next((one for one in entries(settings) if one.name == name), None)
    if known is None:
        raise CatalogueError("setup_source_gone")
    if not owner or owner.startswith(TO_FILL):
        raise CatalogueError("setup_source_owner")
    if known.robots.startswith(TO_FILL) and not robots:
        raise CatalogueError("setup_source_robots")
    if any("example.com" in address for address in start) or (known.start and not start):
        raise CatalogueError("setup_source_start")

    def step(tree: Any) -> None:
        tree["enabled"] = True
        tree["owner"] = owner
        tree["access"].update({"reviewer": owner, "date": today, **({"robots": robots} if robots else {})})
        if start and tuple(start) != known.start:
            tree["start"] = list(start)

    return edit_text((_folder(settings) / f"{known.name}.yaml").read_text(encoding="utf-8"), step)


def _folder(settings: Settings) -> Path:
    own = settings.env.config / "sources" / "catalogue"
    return own if own.is_dir() else checkout_root() / "config" / "sources" / "catalogue"


@lru_cache(maxsize=4)
def _entries(folder: Path, _changed: int) -> tuple[Entry, ...]:
    found = []
    for path in folder.glob("*.yaml"):
        try:
            source = load_model(path, Source, {})
        except ConfigError:
            continue  # a broken file of the catalogue is the doctor's to tell
        start = tuple(str(address) for address in source.start)
        found.append(Entry(source.name, source.title, one_line(source.limits, 300), start, source.access.robots, not start))
    return tuple(found)
