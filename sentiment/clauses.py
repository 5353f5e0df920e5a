"""Cutting a text into sentences and clauses, with offsets."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_CLAUSE = 200
"""A run without any punctuation is cut after this many characters."""

_SENTENCE_ENDS = "。！？!?；;\n…"
_CLAUSE_ENDS = "，,～~"
_TURN_FIRSTS = "但不可然却只遗美唯就没谁结"
# It begins with the set of all first characters, and looks back at which it was: so the search skips the others.
_CUT = re.compile(
    rf"[{_SENTENCE_ENDS}{_CLAUSE_ENDS}{_TURN_FIRSTS}\s](?:"
    rf"(?<=[{_SENTENCE_ENDS}])[{_SENTENCE_ENDS}]*|(?<=[{_CLAUSE_ENDS}])[{_CLAUSE_ENDS}]*"
    r"|(?<=但)(?<![不非]但)(?!凡|愿|丁)是?|(?<=不)过(?<![只再超]不过)(?<!再好不过)(?<!说得不过)(?!如此|分|敏|关|期|瘾|时|三|一|来|去|几)"
    r"|(?<=可)[是惜]|(?<=然)而|(?<=却)是|(?<=只)可惜|(?<=遗)憾的是|(?<=美)中不足|(?<=唯)一的?(?:不足|缺点|问题)"
    r"|(?<=就)是(?<![不也这那要]就是)(?<![说讲指图要问]的就是)(?!说|要)|(?<=只)是(?<!不只是)|(?<=没)想到|(?<=谁)知|(?<=结)果"
    r"|(?<=[\u4e00-\u9fff]\s)\s*(?=[\u4e00-\u9fff]))"
)
_TURN_STARTS = "但不可然就只却遗美唯没谁结奈偏除虽"
_TURN_START = re.compile(
    r"(?:但|不过|可是|然而|就是(?!不[给退发理点认肯让同接回承])|只是|可惜|只可惜|却|遗憾|美中不足|唯一|没想到|谁知|结果|奈何|偏偏|除了|虽然说但)"
)


class Clause(NamedTuple):
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
    clauses: list[Clause] = []
    pieces: list[tuple[int, int]] = []  # of the sentence that is being read
    start = sentence = 0
    for cut in _CUT.finditer(text):
        at, after = cut.span()
        first = text[at]
        if first in _TURN_FIRSTS:
            if at > start:
                pieces.append((start, at))
                start = at
            continue
        pieces.append((start, at))
        start = after
        if first in _SENTENCE_ENDS:
            marks = text[at:after]
            _finish(text, clauses, pieces, sentence, at, "?" in marks or "？" in marks)
            pieces = []
            sentence += 1
    pieces.append((start, len(text)))
    _finish(text, clauses, pieces, sentence, len(text), False)
    return clauses


def _finish(
    text: str, clauses: list[Clause], pieces: list[tuple[int, int]], sentence: int, stop: int, question: bool
) -> None:
    """Append the clauses of a sentence: no blanks around them, none too long."""
    begins = pieces[0][0]
    for start, end in pieces:
        for piece in range(start, end, MAX_CLAUSE):
            left, right = piece, min(end, piece + MAX_CLAUSE)
            if text[left].isspace() or text[right - 1].isspace():
                body = text[left:right]
                left, right = right - len(body.lstrip()), left + len(body.rstrip())
                if left >= right:
                    continue
            turn = text[left] in _TURN_STARTS and _TURN_START.match(text, left, right) is not None
            clauses.append(Clause(left, right, sentence, begins, stop, turn, question))
