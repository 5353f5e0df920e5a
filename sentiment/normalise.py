"""One written form for a text, with the way back to the original offsets.

NFKC, lower case, traditional to simplified; control, format and zero-width characters removed; floods of
combining marks cut. Chinese full-width punctuation stays as it is: the rules are written with it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_CHARS = 20_000
"""Characters of the original that are judged; the rest is cut and the assessment says so."""

_KEEP_WIDTH = frozenset("，！？：；（）")
_MARKS_KEPT = 2
# Text made of these alone is its own normal form, apart from case and script: the common, fast way.
_PLAIN = re.compile(r"[\n\x20-\x7e\u00b7\u2018-\u201d\u2026\u3001-\u3011\u4e00-\u9fff，！？：；（）]*")
_DROPPED_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
# Fillers that render as nothing but are letters or marks by category.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")

# Variation selectors and skin tones: they change how a character looks, not what it says.
_VARIATIONS = (("\ufe00", "\ufe0f"), ("\U000e0100", "\U000e01ef"), ("\U0001f3fb", "\U0001f3ff"))


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normal form: `text`, and for each of its characters where it stood in the original.

    `starts` and `ends` are None where the positions are the same. `truncated` says that the original was
    longer than MAX_CHARS.
    """

    text: str
    starts: tuple[int, ...] | None
    ends: tuple[int, ...] | None
    truncated: bool = False

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open span of the original that [start, end) of the normal form came from."""
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return at, at
        return self.starts[start], self.ends[end - 1]


def normalise(original: str) -> Normalised:
    """Return the normal form of a text; never raises, whatever the text holds."""
    truncated = len(original) > MAX_CHARS
    text = original[:MAX_CHARS] if truncated else original
    if _PLAIN.fullmatch(text):
        return Normalised(simplify(_lower(text)), None, None, truncated)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        form = _form(text[start:end])
        pieces.append(form)
        starts.extend([start] * len(form))
        ends.extend([end] * len(form))
    return Normalised(simplify("".join(pieces)), tuple(starts), tuple(ends), truncated)


def normal_form(text: str) -> str:
    """Return the normal form alone: for words of the configuration, which need no way back."""
    return normalise(text).text.strip()


def _lower(text: str) -> str:
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower()[:1] for c in text)


def _clusters(text: str) -> list[tuple[int, int]]:
    """Cut into a base character with the combining marks that follow it."""
    spans: list[tuple[int, int]] = []
    start = 0
    for position in range(1, len(text)):
        if not unicodedata.combining(text[position]):
            spans.append((start, position))
            start = position
    if text:
        spans.append((start, len(text)))
    return spans


def _form(cluster: str) -> str:
    if len(cluster) == 1:
        return _char_form(cluster)
    return _cluster_form(cluster[:1 + _MARKS_KEPT])


@lru_cache(maxsize=20_000)
def _char_form(char: str) -> str:
    if char in _KEEP_WIDTH or char == "\n":
        return char
    if char in "\t\r\x0b\x0c\x85\u2028\u2029":
        return "\n" if char in "\r\u2028\u2029" else " "
    if unicodedata.category(char) in _DROPPED_CATEGORIES or char in _INVISIBLE or _is_variation(char):
        return ""
    form = unicodedata.normalize("NFKC", char).lower()
    if len(form) > 1:  # what unfolds may hold marks or controls of its own
        form = "".join(
            c for c in form
            if unicodedata.category(c) not in _DROPPED_CATEGORIES and not unicodedata.combining(c)
        )
    return form


def _cluster_form(cluster: str) -> str:
    composed = unicodedata.normalize("NFKC", cluster).lower()
    return "".join(_char_form(c) for c in composed if not unicodedata.combining(c))


def _is_variation(char: str) -> bool:
    return any(first <= char <= last for first, last in _VARIATIONS)


def simplify(text: str) -> str:
    """Turn traditional characters into simplified ones, keeping the length.

    Phrases are converted (軟體 to 软件) where that keeps the length of the whole; else single characters.
    """
    if text.isascii():
        return text
    characters, phrases = _converters()
    simple: str = characters.convert(text)
    if simple == text:
        return text
    phrased: str = phrases.convert(text)
    if len(phrased) == len(text):
        return phrased
    return simple if len(simple) == len(text) else "".join(_simple_char(c) for c in text)


@lru_cache(maxsize=1)
def _converters() -> tuple[Any, Any]:
    import opencc

    return opencc.OpenCC("t2s"), opencc.OpenCC("tw2sp")


@lru_cache(maxsize=20_000)
def _simple_char(char: str) -> str:
    form: str = _converters()[0].convert(char)
    return form if len(form) == 1 else char
