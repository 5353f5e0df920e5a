"""The analysis stage: judges what is new in the store. It can be killed at any moment and run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from sentiment.engines.base import Engine
from sentiment.engines.rules import RulesEngine
from sentiment.engines.snownlp import SnowNlpEngine
from sentiment.judge import Judge
from vocwatch.models import RunStatus
from vocwatch.settings import Settings
from vocwatch.store import Store, assessments, runs
from vocwatch.store.assessments import Pending

ENGINES = ("auto", "snownlp", "rules")
BATCH = 500
SUBJECT = "all"


@dataclass(frozen=True, slots=True)
class AnalyseReport:
    """What a run did: texts judged, texts refused among them, texts still waiting, by which model version."""

    assessed: int
    refused: int
    left: int
    model_version: str


def make_engine(name: str = "auto") -> Engine:
    """Return an engine by name: `snownlp`, `rules`, or `auto` (snownlp where it is installed, else rules).

    Raises ValueError for any other name.
    """
    if name not in ENGINES:
        raise ValueError(f"没有这个判定引擎：{name}。可用：{'、'.join(ENGINES)}")
    if name == "rules" or (name == "auto" and find_spec("snownlp") is None):
        return RulesEngine()
    return SnowNlpEngine()


def own_pages(settings: Settings) -> tuple[str, ...]:
    """SKUs and shop names whose pages speak of the brand."""
    return tuple(dict.fromkeys(
        entry for shop in settings.app.shops for entry in (shop.name, shop.id, *shop.skus) if entry
    ))


def make_judge(settings: Settings, engine: str = "auto") -> Judge:
    """Return the judge that the settings describe."""
    return Judge(settings.watches, settings.topics, make_engine(engine), own_pages(settings))


def analyse(
    settings: Settings, store: Store, *, rebuild: bool = False, engine: str = "auto", batch: int = BATCH,
    on_progress: Callable[[int, int], None] | None = None, judge: Judge | None = None,
) -> AnalyseReport:
    """Judge every text whose newest version has no judgement; with `rebuild` also those of another version.

    Works in batches, one transaction each. `on_progress` is told (judged so far, still waiting). `judge`,
    where given, is used instead of one made from the settings and `engine`.
    """
    judge = judge or make_judge(settings, engine)
    other_than = judge.version if rebuild else None
    with store.begin() as connection:
        runs.abandon_unfinished(connection, "analyse", SUBJECT, settings.clock.now())
        run_id = runs.start(connection, "analyse", SUBJECT, settings.clock.now())
        waiting = assessments.count_pending(connection, other_than)
    done = refused = 0
    try:
        for pending in _batches(store, batch, other_than):
            refused += _judge_batch(settings, store, judge, pending)
            done += len(pending)
            if on_progress:
                on_progress(done, max(0, waiting - done))
    except Exception as error:
        with store.begin() as connection:
            runs.finish(
                connection, run_id, settings.clock.now(), RunStatus.FAILED,
                reason=f"{type(error).__name__}: {error}"[:500], stats={"assessed": done, "refused": refused},
            )
        raise
    with store.begin() as connection:
        left = assessments.count_pending(connection, other_than)
        stats = {"assessed": done, "refused": refused, "left": left, "model_version": judge.version}
        runs.finish(connection, run_id, settings.clock.now(), stats=stats)
    return AnalyseReport(done, refused, left, judge.version)


def _judge_batch(settings: Settings, store: Store, judge: Judge, pending: Sequence[Pending]) -> int:
    """Judge and save one batch; returns how many were refused. Judging is done outside the transaction."""
    found = judge.assess([waiting.item for waiting in pending])
    with store.begin() as connection:
        assessments.save(connection, zip(pending, found, strict=True), settings.clock.now())
    return sum(assessment.refused is not None for assessment in found)


def _batches(store: Store, size: int, other_than: str | None) -> Iterator[list[Pending]]:
    """Posts first, then what hangs on them, then sessions; each text at most once a run."""
    sources = (
        partial(assessments.pending_mentions, replies=False),
        partial(assessments.pending_mentions, replies=True),
        assessments.pending_sessions,
    )
    for fetch in sources:
        after = 0
        while True:
            with store.read() as connection:
                pending = fetch(connection, after=after, limit=size, other_than=other_than)
            if not pending:
                break
            after = pending[-1].ref_id
            yield pending
