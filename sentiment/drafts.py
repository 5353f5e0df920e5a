"""A text while it is being judged: everything that is known before polarity, and what can't be judged at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sentiment.clauses import Clause
from sentiment.engines.rules import Subject
from sentiment.matching import Matched
from sentiment.normalise import Normalised
from sentiment.topics import PRAISED, Findings, Passage
from vocwatch.models import TextInput

_LINK = re.compile(r"https?://\S+|www\.\S+")
_LETTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]|[^\W\d_]+")
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{200,}")
_PICTURE = re.compile(r"[\u2600-\u27bf\U0001f300-\U0001faff]|\[[^\[\]\s]{1,6}\]")


@dataclass(slots=True)
class Draft:
    """One text judged as far as it goes without polarity; `findings` are filled in for the whole batch at once,
    `refused` says why it can't be judged.
    """

    item: TextInput
    form: Normalised
    clauses: Sequence[Clause]
    matched: Matched
    findings: Findings
    voice: str
    refused: str | None
    _pieces: list[str] | None = None

    def passage(self) -> Passage:
        """Return what the taxonomy reads."""
        return Passage(self.form.text, self.clauses, self.matched.own, self.matched.others)

    def subject(self) -> Subject:
        """Return what the rules weigh."""
        findings = self.findings
        if not findings.aspects and not findings.dismissed:
            return Subject(self.form.text, self.clauses)
        return Subject(
            self.form.text, self.clauses, [complaint.clause.start for complaint in findings.complaints],
            [clause.start for clause in findings.denied],
            [aspect.clause.start for aspect in findings.aspects if aspect.polarity == PRAISED],
            findings.dismissed,
        )

    def pieces(self) -> list[str]:
        """Return the texts of the clauses, where there are several."""
        if self._pieces is None:
            text = self.form.text
            self._pieces = [text[start:end] for start, end, *_ in self.clauses] if len(self.clauses) > 1 else []
        return self._pieces


def refusal(text: str) -> str | None:
    """Return why a normal form can't be judged, or None."""
    if not text.strip():
        return "空文本"
    rest = _LINK.sub(" ", text) if "http" in text or "www." in text else text
    if not rest.strip():
        return "只有链接"
    if not _LETTER.search(rest) and not _PICTURE.search(rest):
        return "没有文字"
    if len(rest) >= 200 and _BLOB.search(rest) and not _WORD.search(_BLOB.sub(" ", rest)):
        return "不是自然语言（编码数据）"
    return None
