"""Learning from a team's own texts: gather labels, train, measure against what is in use, adopt or refuse.

Nothing here changes what is judged until a new model has been found better, by cross-validation, and not worse on
texts that it had never seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sentiment import shelf, topic_model
from sentiment.evaluation import CLASSES, Answer, answer, compare, evaluate
from sentiment.judge import Judge
from sentiment.ready import make_engine, own_pages
from sentiment.shelf import Models
from sentiment.training.corpus import NEGATIVE, Labelled, own_texts
from sentiment.training.gain import Gain
from sentiment.training.labels import stars_label
from sentiment.training.own import Lifted, OwnText, distinct, lift, rehearsal
from sentiment.training.own_topics import LiftedTopics, lift_topics
from vocwatch.models import TextInput
from vocwatch.settings import Settings
from vocwatch.store import Store, feedback

TOLERANCE, MOST_FALL = 0.005, 0.02
"""How far macro-F1 (topics: micro-F1) may fall on either held-out set: less than the first is nothing, between the
two it counts where the texts newly wrong outnumber those newly right by more than chance would (one standard
error), more than the second always counts.
"""
MOST_RATED = 20_000
SHORTEST = 4
"""Shorter reviews (好, 不错) teach nothing that the stars of others don't."""
Progress = Callable[[str, int], None]


class LearnError(Exception):
    """There is not enough to learn from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A held-out set: how the version in use and the new one do on it; `p_value` after McNemar.

    `topics_before` and `topics_after` are the micro-F1 of complaint topics, None where none are known.
    """

    name: str
    texts: int
    before: float
    after: float
    mended: int
    broken: int
    p_value: float
    topics_before: float | None = None
    topics_after: float | None = None

    def worse(self) -> str | None:
        """Say in what the new model is worse here; None where it is not."""
        fall, net = self.before - self.after, self.broken - self.mended
        if fall > MOST_FALL or (fall > TOLERANCE and net > math.sqrt(self.broken + self.mended)):
            return f"macro-F1 从 {self.before:.3f} 降到 {self.after:.3f}，改错 {self.broken} 条，改对 {self.mended} 条"
        before, after = self.topics_before, self.topics_after
        if before is not None and after is not None and after < before - TOLERANCE:
            return f"主题 micro-F1 从 {before:.3f} 降到 {after:.3f}"
        return None


@dataclass
class TrainReport:
    """What training came to: texts by origin, labels used and left out, what cross-validation shows (None: too few
    texts of both sides), measures, and why it was refused if it was.
    """

    version: str
    base: str
    origins: dict[str, int]
    used: tuple[int, int, int]
    noisy: int
    heads: tuple[str, ...]
    leaves: tuple[str, ...]
    gain: Gain | None = None
    measured: tuple[Measured, ...] = ()
    refused: str | None = None
    adopted: bool = False

    def card(self) -> dict[str, Any]:
        """Return what is kept beside the weights."""
        return asdict(self)


@dataclass
class Gathered:
    """Texts to learn from, by origin and with what was left out."""

    texts: list[OwnText] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def from_store(store: Store, *, stars: bool) -> Gathered:
    """Return what the store teaches: feedback always, stars where they are wanted."""
    found = Gathered()
    with store.read() as connection:
        for entry in feedback.told(connection):
            label = feedback.label_of(entry)
            if label is None and entry.topics is None:
                found.left_out[f"反馈“{entry.verdict}”没说应该是什么"] += 1
                continue
            number = None if label is None else [each.value for each in CLASSES].index(label)
            found.texts.append(OwnText(entry.text, number, entry.topics, origin="feedback"))
        for entry in feedback.rated(connection, MOST_RATED) if stars else ():
            side = stars_label(entry.stars or 0.0)
            if side is None or len(entry.text.strip()) < SHORTEST:
                found.left_out["四星、半星或太短"] += 1
            else:
                found.texts.append(OwnText(entry.text, side, weak=True, origin="stars"))
    return found


def judge_with(settings: Settings, models: Models) -> Judge:
    """Return the judge that the settings describe, with these models."""
    return Judge(
        settings.watches, settings.topics, make_engine(), own_pages(settings), models.polarity, models.topics
    )


def train(
    settings: Settings, texts: Sequence[OwnText], *, dry_run: bool = False, on_progress: Progress = lambda what, size: None,
) -> TrainReport:
    """Train on these texts, measure, and (unless `dry_run`) save and adopt what cross-validation shows to be better and
    is not worse on what is held out.

    Raises LearnError when there is too little to learn from.
    """
    texts = distinct(texts)
    data = settings.env.data
    old, _ = shelf.in_use(data)
    corpus = own_texts()
    shipped = judge_with(settings, Models())
    lifted, topics = _learn(shipped, texts, corpus, on_progress)
    own_topics = topics.model if topics.leaves else None
    models = Models(shelf.version_of(lifted.model, own_topics), lifted.model, own_topics)
    report = TrainReport(
        models.version, old.version, dict(Counter(each.origin for each in texts)), lifted.used, lifted.noisy,
        lifted.heads, topics.leaves, lifted.gain,
    )
    if lifted.model is None and not topics.leaves:
        report.refused = lifted.gain.lacking() if lifted.gain else None
        return report
    before = shipped if old.version == shelf.SHIPPED else judge_with(settings, old)
    after = judge_with(settings, models)
    report.measured = tuple(
        _measure(name, held, before, after, on_progress) for name, held in _held_out(corpus, texts) if held
    )
    worse = [f"{each.name}：{why}" for each in report.measured if (why := each.worse())]
    report.refused = f"新模型更差。{'；'.join(worse)}" if worse else None
    if not report.refused and not dry_run:
        report.adopted = True
        card = {
            **report.card(), "trained_at": settings.clock.now().isoformat(), "engine": make_engine().version,
        }
        shelf.put(data, models, card)
        shelf.use(data, models.version)
    return report


def _learn(
    shipped: Judge, texts: Sequence[OwnText], corpus: Sequence[Labelled], on_progress: Progress,
) -> tuple[Lifted, LiftedTopics]:
    lifted = lift(
        lambda asked: np.array(shipped.log_odds(asked)), texts, rehearsal(corpus), on_progress=on_progress
    )
    topics = lift_topics(topic_model.load(), texts)
    if lifted.gain is None and not topics.leaves:
        counts = Counter(each.label for each in texts if not each.held_out)
        raise LearnError(
            f"可用的标注太少：负 {counts[0]}、中 {counts[1]}、正 {counts[2]}。正负各要 20 条以上，"
            "或同一主题 8 条以上（另有五分之一留作检验，不参加训练）"
        )
    return lifted, topics


def _held_out(corpus: Sequence[Labelled], texts: Sequence[OwnText]) -> list[tuple[str, list[OwnText]]]:
    """The two sets that only measure. Three stars say too little to be held against a judgement."""
    pinned = [
        OwnText(
            each.text, each.label,
            tuple(dict.fromkeys(span.topic for span in each.spans if span.label == NEGATIVE)) if each.spans else None,
        )
        for each in corpus if each.held_out
    ]
    own = [each for each in texts if each.held_out and (each.label != 1 or not each.weak)]
    return [("自带检验集", pinned), ("自有检验集", own)]


def _measure(name: str, held: Sequence[OwnText], before: Judge, after: Judge, on_progress: Progress) -> Measured:
    on_progress("measure", len(held))
    texts = [each.text for each in held]
    old, new = answers(before, texts), answers(after, texts)
    polar = [place for place, each in enumerate(held) if each.label is not None]
    truth = [held[place].label or 0 for place in polar]
    a, b = [old[place] for place in polar], [new[place] for place in polar]
    change = compare(truth, a, b)
    known = {place: topics for place, each in enumerate(held) if (topics := each.topics) is not None}
    first, second = evaluate([0] * len(held), old, known).topics, evaluate([0] * len(held), new, known).topics
    return Measured(
        name, len(held), evaluate(truth, a).macro_f1, evaluate(truth, b).macro_f1, change.mended, change.broken,
        change.p_value, first.f1 if first else None, second.f1 if second else None,
    )


def answers(judge: Judge, texts: Sequence[str]) -> list[Answer]:
    """Return what a judge says of these texts by their words alone."""
    return [answer(found) for found in judge.assess([TextInput(str(n), text) for n, text in enumerate(texts)])]
