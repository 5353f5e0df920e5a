"""Trying an edited taxonomy before it is saved: its own examples, and what changes on given texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sentiment.clauses import split
from sentiment.normalise import normalise
from sentiment.topics import COMPLAINT, OTHER, PRAISED, Findings, Passage, Taxonomy
from vocwatch.settings.topics import Topics

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Failed:
    """An example that a leaf or red line does not keep: `kind` is the key of topics.yaml that it stands under."""

    name: str
    kind: str
    text: str


@dataclass(slots=True)
class Change:
    """What a leaf (or, with `!` in front, a red line) has now and would have; samples of what comes and goes."""

    name: str
    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    gains: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def check(topics: Topics, taxonomy: Taxonomy | None = None) -> list[Failed]:
    """Return the examples and counter-examples that the taxonomy itself does not keep."""
    taxonomy = taxonomy or Taxonomy(topics)
    asked: list[tuple[str, str, str]] = []
    for group in topics.topics:
        for leaf in group.leaves:
            name = f"{group.name}/{leaf.name}"
            for kind in ("examples", "counter_examples", "praise_examples"):
                asked += [(name, kind, text) for text in getattr(leaf, kind)]
    for line in topics.red_lines:
        asked += [("!" + line.name, "examples", text) for text in line.examples]
        asked += [("!" + line.name, "counter_examples", text) for text in line.counter_examples]
    found = taxonomy.find_many([_passage(text) for _, _, text in asked])
    return [
        Failed(name, kind, text) for (name, kind, text), findings in zip(asked, found, strict=True)
        if not _kept(name, kind, findings)
    ]


def _kept(name: str, kind: str, findings: Findings) -> bool:
    blamed = name in _named(findings)
    if kind == "examples":
        return blamed
    praised = any(item.topic == name and item.polarity == PRAISED for item in findings.aspects)
    return not blamed and (kind != "praise_examples" or praised)


def compare(now: Topics, then: Topics, texts: Iterable[str], samples: int = 3) -> tuple[int, list[Change]]:
    """Return how many texts were read, and for each leaf and red line of either taxonomy what would change."""
    old, new = Taxonomy(now), Taxonomy(then)
    changes = {name: Change(name) for name in dict.fromkeys([*_names(now), *_names(then)])}
    read = 0
    for batch in _batches(texts):
        passages = [_passage(text) for text in batch]
        read += len(batch)
        for text, was, will in zip(batch, old.find_many(passages), new.find_many(passages), strict=True):
            _count(text, _named(was), _named(will), changes, samples)
    return read, list(changes.values())


def _count(text: str, before: set[str], after: set[str], changes: dict[str, Change], samples: int) -> None:
    for name in before | after:
        change = changes[name]
        change.before += name in before
        change.after += name in after
        if name in before and name not in after:
            change.lost += 1
            if len(change.losses) < samples:
                change.losses.append(text)
        elif name not in before:
            change.gained += 1
            if len(change.gains) < samples:
                change.gains.append(text)


def _named(findings: Findings) -> set[str]:
    blamed = {item.topic for item in findings.aspects if item.polarity == COMPLAINT}
    return blamed | {"!" + alarm.line.name for alarm in findings.alarms}


def _names(topics: Topics) -> Iterator[str]:
    for group in topics.topics:
        yield from (f"{group.name}/{leaf.name}" for leaf in group.leaves if f"{group.name}/{leaf.name}" != OTHER)
    yield from ("!" + line.name for line in topics.red_lines)


def _passage(text: str) -> Passage:
    form = normalise(text).text
    return Passage(form, split(form))


def _batches(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    left = iter(texts)
    while batch := list(islice(left, _BATCH)):
        yield batch
