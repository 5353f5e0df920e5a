"""Mentions and sessions as lists show them: an excerpt around what matters, spans marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.desk.ask import Question
from reports.web.desk.shown import Piece, Span, excerpt, marked
from vocwatch.settings.grammar import words_of

KINDS = {"negative": "neg", "positive": "pos", "neutral": "neu"}
_MAX_FOUND = 200


def whole_text(row: Mapping[str, Any]) -> str:
    """Return what was judged, as offsets count it: the title and the text below it."""
    title, text = row.get("title"), row.get("text") or ""
    return f"{title}\n{text}" if title else str(text)


def spans_of(row: Mapping[str, Any], words: Sequence[str] = ()) -> list[Span]:
    """Return what is highlighted in a mention: judged clauses, red lines, watch hits, searched words."""
    found = [
        Span(s.get("start", -1), s.get("end", -1), KINDS.get(str(s.get("sentiment")), "neu"), str(s.get("topic") or ""))
        for s in row.get("spans") or () if isinstance(s, Mapping)
    ]
    found += [
        Span(s.get("start", -1), s.get("end", -1), "red", str(s.get("name") or ""))
        for s in row.get("red_lines") or () if isinstance(s, Mapping)
    ]
    found += [Span(h["start"], h["end"], "hit", str(h["watch"])) for h in row.get("hits") or ()]
    return found + found_words(whole_text(row), words)


def found_words(text: str, words: Sequence[str]) -> list[Span]:
    """Return where words stand in a text, whatever their case."""
    low = text.lower()
    if len(low) != len(text):
        low = text
    found: list[Span] = []
    for word in words:
        at = low.find(word.lower())
        while at >= 0 and len(found) < _MAX_FOUND:
            found.append(Span(at, at + len(word), "word"))
            at = low.find(word.lower(), at + len(word))
    return found


def searched(question: Question) -> list[str]:
    """Return the words that a question looks for."""
    node = question.expression()
    return [word for word in words_of(node) if word != "@"] if node else []


def in_short(row: Mapping[str, Any], words: Sequence[str], length: int = 200) -> list[Piece]:
    """Return the excerpt of a mention, around its complaint where it has one, else around what was searched."""
    spans = spans_of(row, words)
    # The clause that was judged is what a reader wants to see; a brand's name at the top is not.
    leading = [s for s in spans if s.kind in ("neg", "red")] or [s for s in spans if s.kind == "word"] or []
    return excerpt(whole_text(row), spans, length, leading=leading)


def in_full(row: Mapping[str, Any], words: Sequence[str] = ()) -> list[Piece]:
    """Return a whole text with its spans."""
    return marked(whole_text(row), spans_of(row, words))


def moment(value: Any, zone: dt.tzinfo) -> str:
    """Return “11-15 18:00” of a moment (aware, or ISO text); a date alone where the time is midnight; empty for none."""
    if value is None or value == "":
        return ""
    at = (dt.datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(zone)
    return f"{at:%m-%d}" if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{at:%m-%d %H:%M}"


def long_moment(value: Any, zone: dt.tzinfo) -> str:
    """Return “2026-11-15 18:00”."""
    if value is None or value == "":
        return ""
    at = (dt.datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M}"


def newest_marks(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the newest word on a subject, None for none."""
    return next(iter(rows), None)
