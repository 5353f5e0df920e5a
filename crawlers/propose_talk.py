"""What the proposer asks a person, and what it answers by itself where nobody is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from vocwatch.models import MentionRecord
from vocwatch.settings.sources import TO_FILL

__all__ = ["TO_FILL", "Ask", "Choice", "Person", "Search", "filled", "say_nothing", "search_in", "take_best"]

_KEYWORDS = frozenset((
    "q", "query", "kw", "wd", "word", "words", "keyword", "keywords", "key", "search", "searchkey", "search_key", "s", "w",
    "text", "term", "sw", "k",
))
_PATH = re.compile(r"/(?:search|s|so|tag|topic)/([^/?#]{1,60})(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Choice:
    """One answer that can be given: what it is, and records that it would bring."""

    label: str
    records: tuple[MentionRecord, ...] = ()


Ask = Callable[[str, Sequence[Choice]], int]
"""Puts a question with its choices, the best first; returns the number of the one that was taken."""


def take_best(question: str, choices: Sequence[Choice]) -> int:
    """Answer for nobody: the first choice is the best."""
    return 0


def say_nothing(line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Person:
    """Who answers for a source. What is empty is written as 待填 and asked for before the source is switched on."""

    title: str = ""
    owner: str = ""
    basis: str = ""
    impact: str = ""
    reviewer: str = ""


@dataclass(frozen=True)
class Search:
    """A search address: the word that was searched for, and the address with a place for other words."""

    word: str
    template: str


def search_in(url: str) -> Search | None:
    """Recognise a search: a parameter such as q, wd or keyword that holds a word, or /search/WORD."""
    if "{keyword}" in url:
        return None
    parts = urlsplit(url)
    for name, value in parse_qsl(parts.query, encoding="utf-8", errors="replace"):
        if name.lower() in _KEYWORDS and value.strip() and not value.strip().isdigit() and "{" not in value:
            pattern = rf"(?<![^?&]){re.escape(name)}=[^&#]*"
            return Search(value.strip(), re.sub(pattern, f"{name}={{keyword}}", url, count=1))
    match = _PATH.search(parts.path)
    word = unquote(match.group(1)) if match else ""
    if match is None or not word.strip() or word.isdigit() or "." in word:
        return None
    return Search(word, url.replace(match.group(1), "{keyword}", 1))


def filled(search: Search) -> str:
    """Return the address that was given, made of the template again: what the source will ask for first."""
    return search.template.replace("{keyword}", quote(search.word, safe=""))
