"""Own models in the data folder: `models/<version>/` holds the weights and a card, `models/current` names the one in
use. Everything is written beside its place and then moved there, so that a kill leaves the old state or the new.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentiment import topic_model
from sentiment.engines import model as polarity_model
from sentiment.engines.lexical import NAMES
from sentiment.engines.model import Model, Scorer
from sentiment.modelfile import ModelError
from sentiment.topic_model import TopicModel
from sentiment.training.own import OWN

POLARITY, TOPICS, CARD, CURRENT = "polarity.bin", "topics.bin", "card.json", "current"
SHIPPED = "shipped"
"""The name of the models that come with the package."""
_VERSION = re.compile(r"[0-9a-f]{12}")


class ShelfError(Exception):
    """An own model can't be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Models:
    """What a judge is made with: corrections to the shipped polarity (None: none), a topic model (None: the shipped
    one), and a short name of both.
    """

    version: str = SHIPPED
    polarity: Model | None = None
    topics: TopicModel | None = None


def version_of(polarity: Model | None, topics: TopicModel | None) -> str:
    """Return a short name of exactly these weights."""
    parts = (b"" if each is None else each.to_bytes() for each in (polarity, topics))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def folder(data: Path) -> Path:
    """Return where a data folder keeps its own models."""
    return data / "models"


def put(data: Path, models: Models, card: dict[str, Any]) -> Path:
    """Save models with what is to be known of them; the same version is written once. Raises OSError."""
    place = folder(data) / models.version
    if place.is_dir():
        return place
    half = folder(data) / f".{models.version}.half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for name, model in ((POLARITY, models.polarity), (TOPICS, models.topics)):
        if model is not None:
            _write(half / name, model.to_bytes())
    _write(half / CARD, json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True).encode())
    half.replace(place)
    return place


def use(data: Path, version: str) -> None:
    """Make a saved version the one in use, or with SHIPPED go back to the package's. Raises ShelfError, OSError."""
    pointer = folder(data) / CURRENT
    if version == SHIPPED:
        pointer.unlink(missing_ok=True)
        return
    get(data, version)
    half = pointer.with_suffix(".half")
    _write(half, version.encode())
    half.replace(pointer)


def current(data: Path) -> str:
    """Return the version in use, SHIPPED where there is no other. Raises ShelfError for a name that is none."""
    try:
        name = (folder(data) / CURRENT).read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return SHIPPED
    except OSError as error:
        raise ShelfError(f"读不到 {folder(data) / CURRENT}：{error.strerror}") from None
    if not _VERSION.fullmatch(name):
        raise ShelfError(f"{folder(data) / CURRENT} 里写的不是模型版本")
    return name


def get(data: Path, version: str) -> Models:
    """Return a saved version, tried out on a word. Raises ShelfError when it is not there or broken."""
    if version == SHIPPED:
        return Models()
    place = folder(data) / version
    if not _VERSION.fullmatch(version) or not place.is_dir():
        known = "、".join(versions(data)) or "还没有"
        raise ShelfError(f"没有自训模型 {version}。现有：{known}")
    try:
        own = polarity_model.load(place / POLARITY) if (place / POLARITY).exists() else None
        topics = topic_model.load(place / TOPICS) if (place / TOPICS).exists() else None
        if own is not None:
            if not own.about.get(OWN) or len(own.positive.lexical) != len(NAMES):
                raise ShelfError(f"自训模型 {version} 属于另一个程序版本，请重新 vocwatch train")
            Scorer(own).log_odds(["好"])
    except (ModelError, ValueError, IndexError) as error:
        raise ShelfError(f"自训模型 {version} 坏了：{error}") from None
    models = Models(version, own, topics)
    if version_of(models.polarity, models.topics) != version:
        raise ShelfError(f"自训模型 {version} 坏了：内容和版本号对不上")
    return models


def in_use(data: Path) -> tuple[Models, str | None]:
    """Return the models in use, and why they are not the ones that were chosen (the shipped ones take over)."""
    try:
        return get(data, current(data)), None
    except ShelfError as error:
        return Models(), f"{error}；先用自带模型判定"


def versions(data: Path) -> list[str]:
    """Return the saved versions."""
    place = folder(data)
    if not place.is_dir():
        return []
    return sorted(path.name for path in place.iterdir() if path.is_dir() and _VERSION.fullmatch(path.name))


def card(data: Path, version: str) -> dict[str, Any]:
    """Return what is known of a saved version; nothing where its card can't be read."""
    try:
        found = json.loads((folder(data) / version / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
