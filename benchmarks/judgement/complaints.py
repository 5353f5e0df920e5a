"""Complaints, the real question: this aspect AND negative; ours against three plain ways in the same run.

    python -m benchmarks.judgement complaints [--limit N] [--snow-rows N]

Baselines: an aspect's keyword stands in the text; and SnowNLP finds the text negative; and the mean of the
keyword's clause and 0.4 of the text is negative by SnowNLP. SnowNLP reads a dozen long reviews a second: it is asked
about evenly spaced rows only, and every way is measured on those rows as well as (where it can be) on all.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.judgement.aspects import COSMETICS, RESTAURANTS, Corpus, Count
from benchmarks.judgement.topics import shipped
from sentiment.clauses import split
from sentiment.engines.snownlp import SnowNlpEngine
from sentiment.judge import Judge
from sentiment.normalise import normalise
from sentiment.ready import make_engine
from vocwatch.models import Sentiment, Span, TextInput
from vocwatch.settings.watches import Watches

CLAUSE_SHARE = 0.4

Guess = Callable[[str], set[str]]
Row = tuple[str, set[str], set[str]]
"""Text, aspects spoken of, aspects complained of."""


def keywords(corpus: Corpus, text: str) -> dict[str, list[str]]:
    """For each aspect the clauses in which one of its keywords stands."""
    form = normalise(text).text
    clauses = [form[clause.start:clause.end] for clause in split(form)]
    found = {
        aspect: [clause for clause in clauses if any(word in clause for word in words.split())]
        for aspect, words in corpus.keywords.items()
    }
    return {aspect: hit for aspect, hit in found.items() if hit}


class Snow:
    """SnowNLP's log-odds, asked once for each text."""

    def __init__(self) -> None:
        self._engine = SnowNlpEngine()
        self._known: dict[str, float] = {}

    def odds(self, text: str) -> float:
        """Log-odds of positive, between -7 and 7."""
        if text not in self._known:
            row = self._engine.polarity([text])[0]
            low, high = max(1e-3, float(row[0])), max(1e-3, float(row[2]))
            self._known[text] = math.log(high / low)
        return self._known[text]


def plain(corpus: Corpus, snow: Snow | None) -> dict[str, Guess]:
    """The baselines by name."""
    def alone(text: str) -> set[str]:
        return set(keywords(corpus, text))

    def with_text(text: str) -> set[str]:
        assert snow is not None
        found = keywords(corpus, text)
        return set(found) if found and snow.odds(text) < 0 else set()

    def with_clause(text: str) -> set[str]:
        assert snow is not None
        found = keywords(corpus, text)
        if not found:
            return set()
        whole = CLAUSE_SHARE * snow.odds(text)
        return {aspect for aspect, hit in found.items() if min(map(snow.odds, hit)) + whole < 0}

    named: dict[str, Guess] = {"keywords": alone}
    if snow is not None:
        named |= {"keywords + SnowNLP's text": with_text, "keyword's clause + 0.4 text": with_clause}
    return named


def ours(corpus: Corpus, texts: Sequence[str], engine: str = "auto") -> list[set[str]]:
    """The aspects that the whole judgement complains of, for each text."""
    judge = Judge(Watches.model_validate({"watches": []}), shipped(), make_engine(engine))
    found = judge.assess([TextInput(id=str(number), body=text) for number, text in enumerate(texts)])
    return [_blamed(corpus, assessment.spans) for assessment in found]


def _blamed(corpus: Corpus, spans: Sequence[Span]) -> set[str]:
    """The aspects of which at least as many clauses complain as praise."""
    balance: Counter[str] = Counter()
    complained = set()
    for span in spans:
        for aspect in corpus.aspects_of(span.topic):
            blame = span.sentiment is Sentiment.NEGATIVE
            balance[aspect] += 1 if blame else -1
            if blame:
                complained.add(aspect)
    return {aspect for aspect in complained if balance[aspect] >= 0}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=int, default=None, help="texts per corpus")
    parser.add_argument("--snow-rows", type=int, default=400, help="texts per corpus that SnowNLP reads; 0: none")
    options = parser.parse_args(arguments)
    snow = Snow() if options.snow_rows else None
    for corpus in (RESTAURANTS, COSMETICS):
        rows = list(itertools.islice(corpus.rows(), options.limit))
        step = max(1, len(rows) // options.snow_rows) if snow else 1
        whole = {"keywords": [set(keywords(corpus, text)) for text, _, _ in rows]}
        whole["ours"] = ours(corpus, [text for text, _, _ in rows])
        _print(f"{corpus.name}: all {len(rows)}", whole, rows)
        if snow is not None:
            part = rows[::step]
            guesses = {name: [guess(text) for text, _, _ in part] for name, guess in plain(corpus, snow).items()}
            guesses["ours"] = whole["ours"][::step]
            _print(f"{corpus.name}: every {step}. row, {len(part)}", guesses, part)
    return 0


def _print(title: str, guesses: dict[str, list[set[str]]], rows: Sequence[Row]) -> None:
    print(f"\n{title}")
    for name, found in guesses.items():
        count = Count()
        for guess, (_, _, blamed) in zip(found, rows, strict=True):
            count.add(guess, blamed)
        print(f"  {name:28} P {count.precision:.3f}  R {count.recall:.3f}  F1 {count.f1:.3f}", flush=True)


if __name__ == "__main__":
    main()
