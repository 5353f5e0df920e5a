"""Stored reasons in the chosen language.

Crawl workers say in Chinese why a page or a run was not what it should be, and that is what is stored; digests and
most readers are Chinese. For `--lang en` a reason is turned into English where it is printed, by the templates of
`reasons_en`. What is in no template stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from vocwatch.lang import language
from vocwatch.reasons_en import TEMPLATES

MAX_LENGTH = 4_000  # characters; a longer reason holds a page, no sentence
_DEPTH = 6  # reasons hold reasons: the page that could not be read, and what it said
_JOINED = 4  # parts of one template that a semicolon divides, at most
_STEPS = 300  # places tried for one template: texts of strangers stand in reasons
_OPEN, _CLOSE = "（“", "）”"
_HAN = re.compile(r"[\u3400-\u9fff]")
_COUNTED = re.compile(r" (?:个|条|页|次|篇|段|秒|分钟|行|层|百万字)")
_NUMBER = re.compile(r"[\d.,]{1,12}")
_MARKS = str.maketrans({"，": ", ", "、": ", ", "；": "; ", "：": ": ", "（": " (", "）": ")"})
_GENERAL = ((("", "（", "）"), "{} ({})"), (("", "：", ""), "{}: {}"))


def spoken(text: str | None) -> str:
    """Return a stored reason as it is printed: itself, or its English form with `--lang en`; "" for None."""
    if not text:
        return ""
    return english(text) if language() == "en" else text


def english(text: str) -> str:
    """Return the English form of a reason, its numbers, names and addresses kept; unknown words stay. Never raises."""
    return _sentence(text, _DEPTH) if len(text) <= MAX_LENGTH else text


def _sentence(text: str, depth: int) -> str:
    """Several reasons stand in one text, divided by semicolons; some hold a semicolon themselves."""
    if depth == 0:
        return text
    if not _HAN.search(text):
        return text.translate(_MARKS)
    parts = _parts(text)
    said, at = [], 0
    while at < len(parts):
        for end in range(at + 1, min(at + _JOINED, len(parts)) + 1):
            found = _whole("；".join(parts[at:end]), depth)
            if found is not None:
                said.append(found)
                at = end
                break
        else:
            said.append(_pieces(parts[at], depth))
            at += 1
    return "; ".join(said)


def _parts(text: str) -> list[str]:
    """Divide at the semicolons that stand in no bracket or quote."""
    parts, deep, begin = [], 0, 0
    for at, char in enumerate(text):
        if char in _OPEN:
            deep += 1
        elif char in _CLOSE:
            deep = max(0, deep - 1)
        elif char == "；" and not deep:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def _whole(text: str, depth: int) -> str | None:
    """Return the text by the template that fits the whole of it and says most; None where there is none."""
    if text in TEMPLATES:
        return TEMPLATES[text]
    for literals, form in _templates():
        if text.startswith(literals[0]) and text.endswith(literals[-1]):
            values = _Places(text, literals).values()
            if values is not None:
                return form.format(*(_sentence(value, depth - 1) for value in values))
    return None


def _pieces(text: str, depth: int) -> str:
    """A reason behind an address, a file or a name: `URL why`, `file: why`, `field：why`, `why（more）`."""
    head, blank, tail = text.partition(" ")
    if blank and "://" in head and not _HAN.search(head):
        return f"{head} {_sentence(tail, depth - 1)}"
    head, colon, tail = text.partition(": ")
    if colon and not _HAN.search(head):
        return f"{head}: {_sentence(tail, depth - 1)}"
    for literals, form in _GENERAL:
        values = _Places(text, literals).values()
        told = [_sentence(value, depth - 1) for value in values or ()]
        if values and told != values:
            return form.format(*told)
    return text


class _Places:
    """Finds what stands between the fixed parts of a template: whole in its brackets, a number where one is counted."""

    def __init__(self, text: str, literals: tuple[str, ...]):
        self._text, self._literals = text, literals
        self._end = len(text) - len(literals[-1])
        self._left = _STEPS

    def values(self) -> list[str] | None:
        """Return the values in order, the first ones as short as can be; None where the template does not fit."""
        at = len(self._literals[0])
        if at > self._end or not self._text.startswith(self._literals[0]) or not self._text.endswith(self._literals[-1]):
            return None
        return self._from(0, at)

    def _from(self, number: int, at: int) -> list[str] | None:
        """Return the values from a place on; `number` is the fixed part that ends there."""
        literal = self._literals[number + 1]
        counted = _COUNTED.match(literal) is not None
        if number + 2 == len(self._literals):
            value = self._text[at:self._end]
            return [value] if _fits(value, counted) else None
        found = self._text.find(literal, at, self._end)
        while found >= 0 and self._left:
            self._left -= 1
            value = self._text[at:found]
            if _fits(value, counted):
                rest = self._from(number + 1, found + len(literal))
                if rest is not None:
                    return [value, *rest]
            found = self._text.find(literal, found + 1, self._end)
        return None


def _fits(value: str, counted: bool) -> bool:
    if counted:
        return _NUMBER.fullmatch(value) is not None
    deep = 0
    for char in value:
        deep += (char in _OPEN) - (char in _CLOSE)
        if deep < 0:
            return False
    return deep == 0


@cache
def _templates() -> list[tuple[tuple[str, ...], str]]:
    """The templates with something that varies, those that say most first."""
    parts = [(tuple(zh.split("{}")), en) for zh, en in TEMPLATES.items() if "{}" in zh]
    return sorted(parts, key=lambda pair: -sum(map(len, pair[0])))
