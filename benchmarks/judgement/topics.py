"""Table 2: which aspects a text speaks of, per corpus with aspect labels: rules alone, model alone, both.

    python -m benchmarks.judgement topics [--limit N]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from benchmarks.judgement.aspects import ALL, Corpus, Count
from sentiment.clauses import split
from sentiment.normalise import normalise
from sentiment.topic_model import TopicModel
from sentiment.topic_model import load as load_model_file
from sentiment.topics import Taxonomy
from vocwatch.settings.topics import Group, Leaf, Topics
from vocwatch.settings.yamlfile import load_model

ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=1)
def shipped() -> Topics:
    """The taxonomy of config/topics.yaml."""
    return load_model(ROOT / "config" / "topics.yaml", Topics, {})


def without_rules(topics: Topics) -> Topics:
    """The same leaves with no word and no pattern: what is left is the model's."""
    groups = tuple(
        Group(name=group.name, leaves=tuple(Leaf(name=leaf.name, severity=leaf.severity) for leaf in group.leaves))
        for group in topics.topics
    )
    return Topics(version=topics.version, topics=groups, red_lines=())


def variants() -> dict[str, Taxonomy]:
    """The three that the table compares."""
    topics, model = shipped(), load_model_file()
    return {
        "rules": Taxonomy(topics, TopicModel.empty()), "model": Taxonomy(without_rules(topics), model),
        "both": Taxonomy(topics, model),
    }


def measure(taxonomy: Taxonomy, corpus: Corpus, limit: int | None) -> dict[str, Count]:
    """Counts for each measured aspect, and for all together under ''."""
    counts = {name: Count() for name in ("", *corpus.aspects)}
    for number, (text, spoken, _) in enumerate(corpus.rows()):
        if limit is not None and number >= limit:
            break
        form = normalise(text).text
        found = taxonomy.find(form, split(form)).aspects
        guess = {aspect for item in found for aspect in corpus.aspects_of(item.topic)}
        counts[""].add(guess, spoken)
        for name in corpus.aspects:
            counts[name].add(guess & {name}, spoken & {name})
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=int, default=None, help="texts per corpus")
    options = parser.parse_args(arguments)
    three = variants()
    for corpus in ALL:
        columns = {name: measure(taxonomy, corpus, options.limit) for name, taxonomy in three.items()}
        print(f"\n{corpus.name:12} {'rules':>8} {'model':>8} {'both':>8}   both: precision / recall")
        for aspect in ("", *corpus.aspects):
            cells = "".join(f" {counts[aspect].f1:8.3f}" for counts in columns.values())
            both = columns["both"][aspect]
            print(f"{aspect or 'micro-F1':12}{cells}   {both.precision:.3f} / {both.recall:.3f}  ({both.true})")
    return 0


if __name__ == "__main__":
    main()
