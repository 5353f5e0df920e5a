"""The polarity lexicon: what Chinese customers and everyday posts praise, blame, feel, and how words bend it.

Plain text beside this module, one entry a line, fields parted by TAB, `#` for remarks. Words stand in the
normal form (`sentiment.normalise`), so that they are matched as they are. `praise`, `blame`, `mood`,
`emoticons` and `neutral` carry weights in units of one ordinary word (-3 to 3, steps of 0.5); a neutral word
(0) is matched longest-first so that it swallows the polar word inside it (好几天, 美国). `degree`, `negators`,
`turns` and `irony` say what the words around do with a weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

MAX_WEIGHT = 3.0
POLAR_FILES = ("praise", "blame", "mood", "emoticons", "neutral")

TAGS = frozenset((
    "general", "quality", "service", "logistics", "package", "trade", "price", "taste", "stay", "appliance",
    "digital", "clothes", "beauty", "baby", "car", "book", "app", "travel", "spoken", "slang", "idiom",
    "dialect", "english", "collocation", "joy", "sadness", "anger", "fear", "weak", "bracket", "emoji",
    "kaomoji", "irony", "latin",
))
"""What an entry of a polar file may be tagged: a trade or aspect, a style, a feeling.

`irony` marks emoticons that turn the praise beside them into sarcasm, `latin` words in Latin letters, which
count only between word boundaries (bad, not badge).
"""
NEGATOR_KINDS = frozenset(("negator", "soft", "relief", "pseudo"))
"""negator turns a word round, soft half so, relief turns bad words alone (去除异味), pseudo (不仅) nothing."""
IRONY_KINDS = frozenset(("sure", "likely", "beside"))
"""sure mocks in itself, likely where anything went wrong, beside only beside a plain complaint."""
TURN_KINDS = frozenset((
    "contrast", "concession", "regret", "reserve", "except", "result", "surprise", "condition", "past", "relief",
    "sum", "addition", "wish",
))


class LexiconError(ValueError):
    """An entry that can't be read or contradicts another; the message begins with file:line."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn does: factors for the weights before and after it in its sentence (0 to 2), and its kind."""

    before: float
    after: float
    kind: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The whole lexicon, read-only.

    `weights` word to weight (0 for neutral), `tags` the same words' tags; `degrees` word to multiplier (0 to 2)
    before the polar word and `degrees_after` behind it (死了, 极了); `negators` word to factor (-1 to 1) with
    `negator_kinds`; `turns`; `irony` word to sureness (0 to 1) with `irony_kinds`.
    """

    weights: Mapping[str, float]
    tags: Mapping[str, frozenset[str]]
    degrees: Mapping[str, float]
    degrees_after: Mapping[str, float]
    negators: Mapping[str, float]
    negator_kinds: Mapping[str, str]
    turns: Mapping[str, Turn]
    irony: Mapping[str, float]
    irony_kinds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    word: str
    fields: tuple[str, ...]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Return the lexicon shipped with the package; read once a process.

    Raises LexiconError where a file of it is broken.
    """
    folder = resources.files(__name__)
    return build({
        name: folder.joinpath(f"{name}.txt").read_text("utf-8")
        for name in (*POLAR_FILES, "degree", "negators", "turns", "irony")
    })


def build(files: Mapping[str, str]) -> Lexicon:
    """Build a lexicon from the texts of its files, by file name without `.txt`.

    Raises LexiconError (file:line) for a broken line, a weight or tag out of range, and a word given twice with
    different weights. The same word with the same weight may stand in several polar files; tags are united.
    """
    weights, tags = _polar(files)
    degrees, after = _degrees(files["degree"])
    negators, negator_kinds = _kinds("negators", files["negators"], NEGATOR_KINDS, -1.0, 1.0)
    irony, irony_kinds = _kinds("irony", files["irony"], IRONY_KINDS, 0.0, 1.0)
    return Lexicon(
        MappingProxyType(weights), MappingProxyType(tags), MappingProxyType(degrees), MappingProxyType(after),
        MappingProxyType(negators), MappingProxyType(negator_kinds), MappingProxyType(_turns(files["turns"])),
        MappingProxyType(irony), MappingProxyType(irony_kinds),
    )


def _rows(name: str, text: str, least: int, most: int) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{name}.txt:{number}"
        word, *fields = line.split("\t")
        if not word or word != word.strip() or not least <= len(fields) <= most:
            raise LexiconError(f"{where}: word and {least} to {most} fields parted by TAB expected: {line!r}")
        yield _Row(where, word, tuple(fields))


def _number(row: _Row, field: str, low: float, high: float, step: float) -> float:
    try:
        value = float(field)
    except ValueError:
        raise LexiconError(f"{row.where}: {row.word}: {field!r} is no number") from None
    steps = value / step
    if not low <= value <= high or abs(steps - round(steps)) > 1e-6:
        raise LexiconError(f"{row.where}: {row.word}: {field} is not in {low:g}…{high:g} by steps of {step:g}")
    return value


def _labels(row: _Row, field: str, known: frozenset[str]) -> frozenset[str]:
    found = frozenset(field.split())
    if unknown := found - known:
        raise LexiconError(f"{row.where}: {row.word}: unknown tag {min(unknown)!r}")
    return found


def _polar(files: Mapping[str, str]) -> tuple[dict[str, float], dict[str, frozenset[str]]]:
    weights: dict[str, float] = {}
    tags: dict[str, frozenset[str]] = {}
    places: dict[str, str] = {}
    read: dict[tuple[str, ...], tuple[float, frozenset[str]]] = {}  # few kinds of fields, many words
    for name in POLAR_FILES:
        for row in _rows(name, files[name], 1, 2):
            if row.fields not in read:
                read[row.fields] = (
                    _number(row, row.fields[0], -MAX_WEIGHT, MAX_WEIGHT, 0.5),
                    _labels(row, row.fields[1] if len(row.fields) > 1 else "", TAGS),
                )
            weight, labels = read[row.fields]
            if (name == "neutral") != (weight == 0):
                raise LexiconError(f"{row.where}: {row.word}: weight 0 belongs to neutral.txt and nowhere else")
            if weights.setdefault(row.word, weight) != weight:
                raise LexiconError(
                    f"{row.where}: {row.word}: weight {weight:g}, but {weights[row.word]:g} at {places[row.word]}"
                )
            places.setdefault(row.word, row.where)
            known = tags.get(row.word)
            tags[row.word] = known | labels if known else labels
    return weights, tags


def _degrees(text: str) -> tuple[dict[str, float], dict[str, float]]:
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    for row in _rows("degree", text, 1, 2):
        kinds = _labels(row, row.fields[1] if len(row.fields) > 1 else "", frozenset(("after", "latin")))
        side = after if "after" in kinds else before
        _once(row, side)
        side[row.word] = _number(row, row.fields[0], 0.0, 2.0, 0.1)
    return before, after


def _kinds(
    name: str, text: str, known: frozenset[str], low: float, high: float
) -> tuple[dict[str, float], dict[str, str]]:
    values: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for row in _rows(name, text, 2, 2):
        _once(row, values)
        values[row.word] = _number(row, row.fields[0], low, high, 0.1)
        found = _labels(row, row.fields[1], known | {"latin"}) - {"latin"}
        if len(found) != 1:
            raise LexiconError(f"{row.where}: {row.word}: one kind expected, not {row.fields[1]!r}")
        kinds[row.word] = min(found)
    return values, kinds


def _turns(text: str) -> dict[str, Turn]:
    turns: dict[str, Turn] = {}
    for row in _rows("turns", text, 3, 3):
        _once(row, turns)
        before, after = (_number(row, field, 0.0, 2.0, 0.1) for field in row.fields[:2])
        _labels(row, row.fields[2], TURN_KINDS)
        turns[row.word] = Turn(before, after, row.fields[2])
    return turns


def _once(row: _Row, known: Mapping[str, object]) -> None:
    if row.word in known:
        raise LexiconError(f"{row.where}: {row.word} stands twice")
