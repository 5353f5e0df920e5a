"""One written form for a text, with the way back to the original offsets.

NFKC, lower case, traditional to simplified; control, format and zero-width characters removed; floods of
combining marks cut. Chinese full-width punctuation stays as it is: the rules are written with it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

MAX_CHARS = 20_000
"""Characters of the normal form that are judged; the rest is cut and the assessment says so."""
_MAX_READ = 10 * MAX_CHARS

_KEEP_WIDTH = frozenset("，！？：；（）")
_MARKS_KEPT = 2
# Text made of these alone is its own normal form, apart from case and script: the common, fast way.
_PLAIN_SET = r"\n\x20-\x7e\u00b7\u2018-\u201d\u2026\u3001-\u3011\u4e00-\u9fff，！？：；（）"
_PLAIN = re.compile(f"[{_PLAIN_SET}]*")
_ODD = re.compile(f"[^{_PLAIN_SET}]+")
_DROPPED_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF))
# Radicals that NFKC leaves alone, and the character they are read as.
_RADICALS = dict(zip("⺟⺠⻄⻅⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻥⻦⻩⻬⻰", "母民西见贝车长门青韦页风飞食马鱼鸟黄齐龙", strict=True))
# Fillers that render as nothing but are letters or marks by category.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")

# Variation selectors and skin tones: they change how a character looks, not what it says.
_VARIATIONS = (("\ufe00", "\ufe0f"), ("\U000e0100", "\U000e01ef"), ("\U0001f3fb", "\U0001f3ff"))


class Normalised(NamedTuple):
    """A normal form: `text`, and for each of its characters where it stood in the original.

    `starts` and `ends` are None where the positions are the same. `truncated` says that the original was
    longer, and that its end was not read.
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
    head = original[:MAX_CHARS]
    if _PLAIN.fullmatch(head):
        return Normalised(simplify(_lower(head)), None, None, len(original) > MAX_CHARS)
    # What is dropped does not count: a complaint behind a flood of invisible characters is still read.
    text = original[:_MAX_READ]
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for odd in _ODD.finditer(text):
        start = odd.start()
        if start and unicodedata.combining(text[start]):
            start -= 1  # a mark belongs to the plain character before it
        if start > at:
            pieces.append(_lower(text[at:start]))
            starts.extend(range(at, start))
            ends.extend(range(at + 1, start + 1))
        at = odd.end()
        if len(starts) > MAX_CHARS:
            break
        for left, right in _clusters(text, start, at):
            form = _form(text[left:right])
            pieces.append(form)
            if len(form) == 1:
                starts.append(left)
                ends.append(right)
            else:
                starts.extend([left] * len(form))
                ends.extend([right] * len(form))
    if at < len(text) and len(starts) <= MAX_CHARS:
        pieces.append(_lower(text[at:]))
        starts.extend(range(at, len(text)))
        ends.extend(range(at + 1, len(text) + 1))
    kept = "".join(pieces)[:MAX_CHARS]
    truncated = len(starts) > MAX_CHARS or len(original) > _MAX_READ
    return Normalised(simplify(kept), tuple(starts[:MAX_CHARS]), tuple(ends[:MAX_CHARS]), truncated)


def normal_form(text: str) -> str:
    """Return the normal form alone: for words of the configuration, which need no way back."""
    return normalise(text).text.strip()


def _lower(text: str) -> str:
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower()[:1] for c in text)


def _clusters(text: str, first: int, last: int) -> list[tuple[int, int]]:
    """Cut [first, last) into a base character with the combining marks that follow it."""
    spans: list[tuple[int, int]] = []
    start = first
    for position in range(first + 1, last):
        if not unicodedata.combining(text[position]):
            spans.append((start, position))
            start = position
    spans.append((start, last))
    return spans


def _form(cluster: str) -> str:
    if len(cluster) == 1:
        return _char_form(cluster)
    return _cluster_form(cluster[:1 + _MARKS_KEPT])


@lru_cache(maxsize=20_000)
def _char_form(char: str) -> str:
    if char in _KEEP_WIDTH or char == "\n":
        return char
    if char in _RADICALS:
        return _RADICALS[char]
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
    if text.isascii() or _traditional().search(text) is None:
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
def _traditional() -> re.Pattern[str]:
    """Finds the characters that have a simple form: most texts hold none, and need no conversion."""
    alone = [chr(code) for first, last in _HAN for code in range(first, last + 1)]
    converted = _converters()[0].convert("\n".join(alone)).split("\n")
    changed = (char for char, simple in zip(alone, converted, strict=True) if char != simple)
    return re.compile(f"[{''.join(changed)}]")


@lru_cache(maxsize=1)
def _converters() -> tuple[Any, Any]:
    import opencc

    return opencc.OpenCC("t2s"), opencc.OpenCC("tw2sp")


@lru_cache(maxsize=20_000)
def _simple_char(char: str) -> str:
    form: str = _converters()[0].convert(char)
    return form if len(form) == 1 else char
