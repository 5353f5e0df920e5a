"""Cutting a text into sentences and clauses, with offsets."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CLAUSE = 200
"""A run without any punctuation is cut after this many characters."""

_SENTENCE_END = "。！？!?；;\n…"
_CUT = re.compile(
    r"(?P<sentence>[。！？!?；;\n…]+)"
    r"|(?P<clause>[，,～~]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff]))"
    r"|(?P<turn>(?:(?<![不非])但(?!凡|愿|丁)(?:是)?|(?<!只)(?<!再好)(?<!再)(?<!超)(?<!说得)不过(?!如此|分|敏|关|期|瘾|时|三|一|来|去|几)"
    r"|可是|然而|却是|只可惜|可惜|遗憾的是|美中不足|唯一(?:的)?(?:不足|缺点|问题)|(?<!不)(?<!也)(?<!这)(?<!那)(?<!要)就是(?!说|要)|(?<!不)只是|没想到|谁知|结果))"
)
_TURN_START = re.compile(
    r"\s*(?:但|不过|可是|然而|就是|只是|可惜|只可惜|却|遗憾|美中不足|唯一|没想到|谁知|结果|奈何|偏偏|除了|虽然说但)"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a sentence: half-open offsets into the text it was cut from.

    `sentence` numbers the sentences from 0; `turn` marks a clause opened by 但是, 就是, 不过 …; `question`
    a sentence that ends in a question mark.
    """

    start: int
    end: int
    sentence: int
    sentence_start: int
    sentence_end: int
    turn: bool
    question: bool


def split(text: str) -> list[Clause]:
    """Cut a text into clauses; together they cover all of it but punctuation and blanks."""
    raw: list[tuple[int, int, int]] = []
    ends: list[tuple[int, bool]] = []
    start = sentence = 0
    for cut in _CUT.finditer(text):
        at, after = cut.span()
        if cut.lastgroup == "turn":
            if at > start:
                raw.append((start, at, sentence))
                start = at
            continue
        raw.append((start, at, sentence))
        start = after
        if cut.lastgroup == "sentence":
            ends.append((at, "?" in cut.group() or "？" in cut.group()))
            sentence += 1
    raw.append((start, len(text), sentence))
    ends.append((len(text), False))
    return _finish(text, raw, ends)


def _finish(text: str, raw: list[tuple[int, int, int]], ends: list[tuple[int, bool]]) -> list[Clause]:
    clauses = []
    begins: dict[int, int] = {}
    for start, end, sentence in raw:
        begins.setdefault(sentence, start)
        for piece in range(start, end, MAX_CLAUSE):
            left, right = piece, min(end, piece + MAX_CLAUSE)
            while left < right and text[left].isspace():
                left += 1
            while right > left and text[right - 1].isspace():
                right -= 1
            if left < right:
                stop, question = ends[sentence]
                clauses.append(Clause(
                    left, right, sentence, begins[sentence], stop,
                    _TURN_START.match(text, left, right) is not None, question,
                ))
    return clauses
