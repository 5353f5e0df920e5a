"""A judge made ready from the settings: which engine, which of the team's own models, which pages are its own."""

from __future__ import annotations

from collections.abc import Callable

from sentiment import shelf
from sentiment.engines.base import Engine
from sentiment.engines.linear import LinearEngine
from sentiment.engines.rules import RulesEngine
from sentiment.engines.snownlp import SnowNlpEngine
from sentiment.judge import Judge
from sentiment.training.corpus import own_texts
from vocwatch.settings import Settings

ENGINES = ("auto", "linear", "snownlp", "snownlp-retrained", "rules")
OWN_ENGINES = ("auto", "linear")
"""The engines that a team's own model corrects."""


def make_engine(name: str = "auto") -> Engine:
    """Return an engine by name; `auto` is `linear`, which together with the rules measures best;
    `snownlp-retrained` has been taught the own corpus too (it takes half a minute to learn it).

    Raises ValueError for any other name, ModelError where the model file can't be read.
    """
    if name not in ENGINES:
        raise ValueError(f"没有这个判定引擎：{name}。可用：{'、'.join(ENGINES)}")
    if name == "rules":
        return RulesEngine()
    if name.startswith("snownlp"):
        return SnowNlpEngine(lessons() if name == "snownlp-retrained" else ())
    return LinearEngine()


def lessons() -> list[tuple[str, int]]:
    """Return what of the own corpus may be trained on: texts and their classes."""
    return [(text.text, text.label) for text in own_texts() if not text.held_out]


def own_pages(settings: Settings) -> tuple[str, ...]:
    """SKUs and shop names whose pages speak of the brand."""
    return tuple(dict.fromkeys(
        entry for shop in settings.app.shops for entry in (shop.name, shop.id, *shop.skus) if entry
    ))


def make_judge(settings: Settings, engine: str = "auto", on_problem: Callable[[str], None] | None = None) -> Judge:
    """Return the judge that the settings describe, with the team's own model where one was adopted.

    A broken own model is told to `on_problem`, and the shipped one judges.
    """
    name = make_engine(engine)
    if engine not in OWN_ENGINES:
        return Judge(settings.watches, settings.topics, name, own_pages(settings))
    models, problem = shelf.in_use(settings.env.data)
    if problem and on_problem:
        on_problem(problem)
    return Judge(settings.watches, settings.topics, name, own_pages(settings), models.polarity, models.topics)
