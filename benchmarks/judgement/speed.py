"""Table 5: how fast the whole judgement is, against SnowNLP's polarity alone in the same run.

    python -m benchmarks.judgement speed [--texts N] [--parts] [--json]

The judge is the default one, with the shipped taxonomy and the watches of the scenario's configuration: normal form,
matching, voice, topics, red lines, polarity, spans, fingerprint. Texts are those of our own corpus, short and long, in
random order; SnowNLP gets the first of each of our batches. Both run by turns, ROUNDS times, so that what else the
machine does weighs on both alike. What counts are processor seconds; the wall clock is shown beside them. Memory is the
whole process before SnowNLP is loaded; start-up is a fresh process that loads the configuration and judges one text,
and `vocwatch judge` as people call it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from benchmarks.judgement.corpora import ROOT
from sentiment.clauses import split
from sentiment.drafts import Draft
from sentiment.engines.snownlp import SnowNlpEngine
from sentiment.judge import CHUNK, Judge
from sentiment.normalise import normalise
from sentiment.ready import make_engine
from sentiment.training.corpus import own_texts
from sentiment.voice import voices_of
from vocwatch.fingerprint import fingerprints
from vocwatch.models import TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

MEAN = 45
ROUNDS, SNOWNLP_SHARE = 10, 30
"""How often both run, and one of how many texts SnowNLP is asked."""
_START = """
from pathlib import Path
from sentiment.judge import Judge
from sentiment.ready import make_engine
from vocwatch.models import TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model
topics = load_model(Path("config/topics.yaml"), Topics, {})
watches = load_model(Path("tests/scenario/config/watches.yaml"), Watches, {})
Judge(watches, topics, make_engine()).assess([TextInput("1", "洗一次就掉色")])
"""


def judge() -> Judge:
    """The default judge with watches that have something to do."""
    topics = load_model(ROOT / "config" / "topics.yaml", Topics, {})
    watches = load_model(ROOT / "tests" / "scenario" / "config" / "watches.yaml", Watches, {})
    return Judge(watches, topics, make_engine())


def sample(count: int) -> list[str]:
    """Return texts of our own corpus in random order, again from the first where they don't suffice; fewer of the
    short ones, so that their mean length is that of reviews (MEAN).
    """
    found = [text.text for text in own_texts()]
    random.Random(5).shuffle(found)
    chosen: list[str] = []
    total = 0
    for text in itertools.cycle(found):
        if len(text) >= MEAN or total >= MEAN * len(chosen):
            chosen.append(text)
            total += len(text)
        if len(chosen) == count:
            return chosen
    return chosen


class Spent(NamedTuple):
    """Seconds that work took: of the processor, and on the wall."""

    processor: float
    wall: float


def seconds(work: Callable[[], object]) -> Spent:
    """Return the time that a call takes."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Spent(time.process_time() - processor, time.perf_counter() - wall)


def fresh(*words: str, text: str = "") -> Spent:
    """Return the time of a fresh Python process."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], input=text, text=True, stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Spent(processor, time.perf_counter() - wall)


def by_turns(made: Judge, items: Sequence[TextInput], snow: SnowNlpEngine) -> tuple[Spent, Spent, int]:
    """Return what the judge took for all texts, what SnowNLP took for some of them, and for how many."""
    ours, theirs, asked = [], [], 0
    size = -(-len(items) // ROUNDS)
    for start in range(0, len(items), size):
        batch = items[start:start + size]
        few = [item.body for item in batch[:max(1, len(batch) // SNOWNLP_SHARE)]]
        asked += len(few)
        ours.append(seconds(partial(made.assess, batch)))
        theirs.append(seconds(partial(snow.polarity, few)))
    return _together(ours), _together(theirs), asked


def _together(spent: Sequence[Spent]) -> Spent:
    return Spent(sum(one.processor for one in spent), sum(one.wall for one in spent))


def parts(made: Judge, items: Sequence[TextInput]) -> dict[str, float]:
    """Return the processor's microseconds that a text takes in each part."""
    batches = [items[start:start + CHUNK] for start in range(0, len(items), CHUNK)]
    forms = [[normalise(item.text) for item in batch] for batch in batches]
    made_drafts = [
        [draft for draft in made._drafts(batch) if isinstance(draft, Draft) and draft.refused is None]
        for batch in batches
    ]
    work: dict[str, Callable[[], object]] = {
        "normalise": lambda: [normalise(item.text) for item in items],
        "clauses": lambda: [[split(form.text) for form in batch] for batch in forms],
        "matching": lambda: [
            made._matcher.match_many(batch, read) for batch, read in zip(batches, forms, strict=True)
        ],
        "voice": lambda: [voices_of([(form.text, "review", False) for form in batch]) for batch in forms],
        "topics, red lines": lambda: [
            made._taxonomy.find_many([draft.passage() for draft in drafts]) for drafts in made_drafts
        ],
        "polarity: rules and engine": lambda: [made._ask(drafts) for drafts in made_drafts],
        "fingerprint": lambda: [fingerprints([item.text for item in batch]) for batch in batches],
    }
    gc.disable()  # as while judging
    return {name: seconds(call).processor / len(items) * 1e6 for name, call in work.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print table 5."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judgement speed", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--parts", action="store_true", help="also the time of each part")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    texts = sample(options.texts)
    items = [TextInput(str(number), text, kind="review") for number, text in enumerate(texts)]
    made = judge()
    made.assess(items[:200])
    made.assess(items)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)
    snow = SnowNlpEngine()
    snow.polarity(["预热"])
    ours, theirs, asked = by_turns(made, items, snow)
    start = fresh("-c", _START)
    command = fresh("-c", "from vocwatch.cli import main; main()", "judge", text="洗一次就掉色\n")
    per_second, snow_per_second = len(items) / ours.processor, asked / theirs.processor
    figures = {
        "texts": len(texts), "mean_length": round(sum(map(len, texts)) / len(texts), 1),
        "judgement_per_second": round(per_second), "judgement_per_second_wall": round(len(items) / ours.wall),
        "snownlp_polarity_per_second": round(snow_per_second), "ratio": round(per_second / snow_per_second, 1),
        "memory_mb": round(memory), "start_up_seconds": round(start.processor, 2),
        "start_up_seconds_wall": round(start.wall, 2), "judge_command_seconds": round(command.processor, 2),
    }
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:30s}{value:>10}")
    if options.parts:
        for name, value in parts(made, items).items():
            print(f"  {name:28s}{value:10.1f} µs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
