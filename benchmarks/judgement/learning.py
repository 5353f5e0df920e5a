"""Table 6: what `vocwatch train` makes of the shipped model with the stars of one's own domain.

    python -m benchmarks.judgement learning [--stars N] [--limit N] [--noise SHARE] [--json]

For every corpus N rows are taken with their labels as stars (negative 1, neutral 3, positive 5; half of a smaller
corpus), the shipped model is lifted by them as `vocwatch train --stars` does, and the whole judgement is measured on
the rest: two-class macro-F1 as in table 1. Where cross-validation on the N shows no gain, the shipped model is kept
(`kept`). Nothing of this is shipped.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.judgement.corpora import CLASSES, ROOT, Domain, domains
from benchmarks.judgement.polarity import f1
from sentiment.engines.linear import LinearEngine
from sentiment.engines.model import Model
from sentiment.judge import Judge
from sentiment.training.corpus import own_texts
from sentiment.training.own import Judged, OwnText, distinct, lift, rehearsal
from vocwatch.models import Sentiment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

STARS = 1000
_ORDER = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)


@dataclass(frozen=True, slots=True)
class Lift:
    """Two-class macro-F1 on texts of a domain not trained on, before and after; negative recall before and after."""

    domain: str
    kind: str
    stars: int
    tested: int
    before: float
    after: float
    recall_before: float
    recall_after: float
    noisy: int
    kept: bool


def judge_of(own: Model | None = None) -> Judge:
    """The whole judgement with the shipped taxonomy and no watches, corrected by an own model where there is one."""
    topics = load_model(ROOT / "config" / "topics.yaml", Topics, {})
    return Judge(Watches(watches=()), topics, LinearEngine(), own=own)


def answers(judge: Judge, texts: Sequence[str]) -> np.ndarray:
    """Return 0 or 2 for each text: the side it is on."""
    found = judge.assess([TextInput(str(place), text, kind="review") for place, text in enumerate(texts)])
    three = np.array([_ORDER.index(each.sentiment) for each in found])
    return np.where(three != 1, three, np.where(np.array([each.score for each in found]) > 0, 2, 0))


def measure(domain: Domain, stars: int, noise: float, shipped: Judge) -> Lift:
    """Lift the shipped model by a domain's stars and measure both on the rest."""
    rows = domain.labelled(*CLASSES)
    size = min(stars, len(rows) // 2)
    flips = random.Random(domain.name)
    own = [
        OwnText(text, 2 - label if flips.random() < noise else label, weak=True, origin="stars")
        for text, label in rows[:size]
    ]
    lifted = lift(_remembered(shipped), distinct(own), rehearsal(own_texts()), keep_all=True)
    tested = [(text, label) for text, label in rows[size:] if label != 1]
    truth = np.array([label for _, label in tested])
    texts = [text for text, _ in tested]
    before = answers(shipped, texts)
    after = before if lifted.model is None else answers(judge_of(lifted.model), texts)
    return Lift(
        domain.name, domain.kind, size, len(tested), f1(truth, before, (0, 2)), f1(truth, after, (0, 2)),
        _recall(truth, before), _recall(truth, after), lifted.noisy, "polarity" not in lifted.heads,
    )


def _remembered(judge: Judge) -> Judged:
    """What the shipped judgement says: of the rehearsed texts it is asked once for all domains."""
    def judged(texts: Sequence[str]) -> np.ndarray:
        fresh = [text for text in texts if text not in _KNOWN]
        _KNOWN.update(zip(fresh, judge.log_odds(fresh), strict=True))
        return np.array([_KNOWN[text] for text in texts])

    return judged


_KNOWN: dict[str, tuple[float, float]] = {}


def _recall(truth: np.ndarray, answer: np.ndarray) -> float:
    return int(np.sum((truth == 0) & (answer == 0))) / max(1, int(np.sum(truth == 0)))


def table(found: Sequence[Lift]) -> str:
    """Return the table, with the means by kind."""
    lines = [f"{'domain':26s}{'stars':>6s}{'tested':>8s}{'shipped':>9s}{'trained':>9s}{'gain':>8s}   neg recall   noisy"]
    lines += [
        f"{each.domain:26s}{each.stars:6d}{each.tested:8d}{each.before:9.3f}{each.after:9.3f}"
        f"{each.after - each.before:+8.3f}   {each.recall_before:.2f} → {each.recall_after:.2f}  {each.noisy:5d}{'  kept' if each.kept else ''}"
        for each in found
    ]
    groups = {kind: [each for each in found if each.kind == kind] for kind in dict.fromkeys(each.kind for each in found)}
    for kind, of in {**groups, "shop": [each for each in found if each.domain.startswith("shop:")]}.items():
        if not of:
            continue
        before, after = np.mean([each.before for each in of]), np.mean([each.after for each in of])
        lines.append(f"{'mean ' + kind:40s}{before:9.3f}{after:9.3f}{after - before:+8.3f}")
    worse = [each.domain for each in found if each.after < each.before]
    lines.append(f"worse: {', '.join(worse) or 'none'}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print table 6."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judgement learning", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stars", type=int, default=STARS, help="how many own reviews")
    parser.add_argument("--limit", type=int, help="at most so many texts of a domain, those trained on included")
    parser.add_argument("--noise", type=float, default=0.0, help="share of stars that are turned round")
    parser.add_argument("--only", nargs="*", default=(), help="these domains")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    shipped = judge_of()
    found = [
        measure(domain, options.stars, options.noise, shipped) for domain in domains(options.limit, options.only)
    ]
    print(json.dumps([asdict(each) for each in found], ensure_ascii=False) if options.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
