"""Putting the configuration together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from vocwatch.clock import Clock, FixedClock, SystemClock, parse_moment
from vocwatch.lang import tr
from vocwatch.settings.app import App
from vocwatch.settings.catalogue import CatalogueEnglish, UnavailableList
from vocwatch.settings.env import Environment, checkout_root, read_environment
from vocwatch.settings.keywords import Keywords
from vocwatch.settings.refusals import FILE as REFUSALS_FILE
from vocwatch.settings.refusals import Refusals
from vocwatch.settings.session_maps import SessionMap
from vocwatch.settings.sources import Source
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import LEARNED_FILE, Learned, Watches
from vocwatch.settings.yamlfile import ConfigError, load_model

_Model = TypeVar("_Model", bound=BaseModel)

SCHEMAS: dict[str, type[BaseModel]] = {
    "vocwatch": App, "watches": Watches, "topics": Topics, "source": Source, "sessions": SessionMap,
    "keywords": Keywords,
    "refusals": Refusals, "unavailable": UnavailableList,
    "catalogue-english": CatalogueEnglish,
}
NO_TOPICS = Topics.model_construct(version="", topics=(), red_lines=())
NOT_SOURCES = frozenset({"unavailable.yaml", "catalogue.en.yaml"})  # files beside the sources that are none


@dataclass(frozen=True)
class Settings:
    """Everything that configuration and environment say, typed and checked."""

    env: Environment
    app: App
    watches: Watches
    topics: Topics
    sources: dict[str, Source]
    session_maps: dict[str, SessionMap]
    refusals: Refusals = field(default_factory=Refusals)
    keywords: Keywords = field(default_factory=Keywords)

    @cached_property
    def clock(self) -> Clock:
        """The injected clock: fixed where VOCWATCH_NOW says so, else the system's."""
        if self.env.now:
            return FixedClock(parse_moment(self.env.now, self.app.zone))
        return SystemClock()

    def with_clock(self, clock: Clock) -> Settings:
        """Return the same settings by another clock."""
        found = replace(self)
        found.__dict__["clock"] = clock
        return found

    def owner_of(self, shop: str | None, sku: str | None = None) -> str:
        """Return the QA owner responsible for a shop, or for the first shop that sells the SKU."""
        for candidate in self.app.shops:
            if shop and shop in (candidate.name, candidate.id):
                return candidate.owner
        for candidate in self.app.shops:
            if sku and sku in candidate.skus:
                return candidate.owner
        return self.app.default_owner


def load_settings(env: Environment | None = None, *, source: str | None = None, judging: bool = False) -> Settings:
    """Load and check all of `config/`. Raises ConfigError with every fault found, each with file:line.

    A folder other than the checkout's own `config/` may leave out topics.yaml, keywords.yaml and sessions/: the
    shipped ones are used then. With `source`, only what a crawl of that source needs is read (a third of a second less):
    no other source, no topics, no session formats. With `judging`, only what judging texts needs: neither sources nor
    session formats nor keywords.
    """
    env = env or read_environment()
    problems: list[str] = []
    if not env.config.is_dir():
        raise ConfigError([tr(
            f"{env.config}: 没有这个配置目录。请设置 VOCWATCH_CONFIG，或在项目目录里运行",
            f"{env.config}: no such configuration folder. Set VOCWATCH_CONFIG, or run in the project folder",
        )])
    app = _load(env, _find(env, "vocwatch.yaml"), App, problems)
    watches = _load(env, _find(env, "watches.yaml"), Watches, problems)
    learned = env.config / LEARNED_FILE
    if watches and learned.exists():
        watches = _with_learned(watches, _load(env, learned, Learned, problems), learned, problems)
    sources: dict[str, Source] = {}
    if not judging:
        sources = _load_folder(env, env.config / "sources", Source, problems, f"{source or '*'}.yaml")
    topics: Topics | None = NO_TOPICS
    maps: dict[str, SessionMap] = {}
    keywords: Keywords | None = Keywords()
    if source is None and not judging:
        keywords = _load(env, _find(env, "keywords.yaml", shipped=True), Keywords, problems)
        maps_folder = env.config / "sessions"
        if not maps_folder.is_dir():
            maps_folder = checkout_root() / "config" / "sessions"
        maps = _load_folder(env, maps_folder, SessionMap, problems)
    if source is None:
        topics = _load(env, _find(env, "topics.yaml", shipped=True), Topics, problems)
        if app and topics:
            topics = _merged(env, app, topics, problems)
    if app and watches and app.brand.watch not in {watch.id for watch in watches.watches}:
        problems.append(tr(
            f"{env.config / 'vocwatch.yaml'}: brand.watch 指向不存在的监测词：{app.brand.watch}",
            f"{env.config / 'vocwatch.yaml'}: brand.watch names no watch: {app.brand.watch}",
        ))
    refusals = _refusals(env, problems)
    if problems or app is None or watches is None or topics is None or refusals is None or keywords is None:
        raise ConfigError(problems)
    return Settings(env, app, watches, topics, sources, maps, refusals, keywords)


def _merged(env: Environment, app: App, topics: Topics, problems: list[str]) -> Topics:
    try:
        return topics.merged(app.merge_topics)
    except ValueError as error:
        told = str(error).partition("Value error, ")[2].partition(" [type")[0] or str(error)
        problems.append(f"{env.config / 'vocwatch.yaml'}: merge_topics: {told}")
        return topics


def _with_learned(watches: Watches, learned: Learned | None, path: Path, problems: list[str]) -> Watches:
    if learned is None:
        return watches
    known = {watch.id for watch in watches.watches}
    problems.extend(
        tr(f"{path}: {name} 不是 watches.yaml 里的监测词 id，请删掉或改名", f"{path}: {name} is no watch of watches.yaml; delete or rename it")
        for name in learned.learned if name not in known
    )
    return watches.model_copy(update={"learned": dict(learned.learned)})


def _refusals(env: Environment, problems: list[str]) -> Refusals | None:
    """Without a file nothing is refused; with a broken one nothing is collected at all."""
    path = env.config / REFUSALS_FILE
    return _load(env, path, Refusals, problems) if path.exists() else Refusals()


def _find(env: Environment, name: str, shipped: bool = False) -> Path:
    own = env.config / name
    return checkout_root() / "config" / name if shipped and not own.exists() else own


def _load(env: Environment, path: Path, model: type[_Model], problems: list[str]) -> _Model | None:
    try:
        return load_model(path, model, env.variables)
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _load_folder(
    env: Environment, folder: Path, model: type[Any], problems: list[str], pattern: str = "*.yaml"
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(folder.glob(pattern)):
        if path.name in NOT_SOURCES:
            continue
        item = _load(env, path, model, problems)
        if item is None:
            continue
        if item.name in found:
            problems.append(tr(f"{path}:1: 名字重复：{item.name}", f"{path}:1: the name is taken: {item.name}"))
        elif item.name != path.stem:
            problems.append(tr(f"{path}:1: name 是 {item.name}，应与文件名 {path.stem} 一致", f"{path}:1: name is {item.name}, the file is {path.stem}"))
        else:
            found[item.name] = item
    return found


def export_schemas(folder: Path) -> list[Path]:
    """Write one JSON Schema per kind of file, for editors; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, model in SCHEMAS.items():
        path = folder / f"{name}.schema.json"
        text = json.dumps(model.model_json_schema(), ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    return written
