"""What pages tell of their site's honesty: results without the word asked for, texts that repeat, broken promises.

A search is held against the watch's own word, not against the site's claim that these are its results.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from crawlers.context import start_key
from crawlers.extractors import Extraction
from crawlers.requests import Start
from crawlers.tally import Tally
from vocwatch.fingerprint import squeeze
from vocwatch.models import MentionKind, MentionRecord
from vocwatch.settings import Source

_SEARCHED = ("title", "text", "product", "sku", "shop", "author")
_SECONDARY = (MentionKind.COMMENT, MentionKind.APPEND, MentionKind.REPLY)
_FIRST_HAN = 0x2E80  # below this there is nothing that has a simplified form


@functools.cache
def _simplify() -> Callable[[str], str]:
    import opencc

    convert: Callable[[str], str] = opencc.OpenCC("t2s").convert
    return convert


def fold(text: str) -> str:
    """Return a text as a search sees it: NFKC, small letters, simplified characters, without blanks and punctuation."""
    bare = squeeze(text)
    return _simplify()(bare) if any(ord(char) >= _FIRST_HAN for char in bare) else bare


def holds(word: str, texts: Iterable[str | None]) -> bool:
    """Whether the word stands in one of the texts, or each of its parts (it may have blanks) somewhere in them."""
    whole = fold("\n".join(text for text in texts if text))
    parts = [fold(part) for part in word.split()]
    return fold(word) in whole or all(part in whole for part in parts)


def texts_of(records: Iterable[MentionRecord]) -> list[str | None]:
    """Return everything of records that a search could have found."""
    return [getattr(record, name) for record in records for name in _SEARCHED]


def texts_carried(carried: Mapping[str, Any]) -> list[str | None]:
    """Return everything that a listing told of a post and a search could have found."""
    return [str(carried[name]) for name in _SEARCHED if carried.get(name)]


def count_results(tally: Tally, start: Start, found: Extraction, whole: bool) -> list[bool]:
    """Look for the keyword in what a listing tells; `whole`: its records are all that there is of their texts.

    Returns for each link whether that settled it; the others are looked at on their own pages.
    """
    word = start.keyword
    if not word:
        return [True] * len(found.links)
    if whole:
        for record in found.records:
            _count(tally, start, word, texts_of([record]), True)
    return [_count(tally, start, word, texts_carried(link.carried), False) for link in found.links]


def count_detail(
    tally: Tally, search: Start | None, records: Sequence[MentionRecord], root: MentionRecord | None,
    comments_here: bool, start: bool = False,
) -> None:
    """Count the first page of a detail; `root`: its one post, if it has one; `start`: a list of posts of its own."""
    if search is not None and search.keyword:
        for part in [[record] for record in records] if start else [records]:
            _count(tally, search, search.keyword, texts_of(part), True)
    if root is None or start:
        return
    tally.told(root.text)
    if root.replies and comments_here:
        tally.promise(any(record.parent is not None for record in records))


def comments_inside(source: Source) -> bool:
    """Whether the page of a post is said to hold its comments, too."""
    if source.comments is not None:
        return source.comments.url is None
    return source.detail is not None and any(record.kind in _SECONDARY for record in source.detail.records)


def _count(tally: Tally, start: Start, word: str, texts: Iterable[str | None], whole: bool) -> bool:
    """Count one search result; without the whole text only a hit counts. True when it counted."""
    found = holds(word, texts)
    if found or whole:
        counts = tally.start(start_key(start.key))
        counts.matched += found
        counts.judged += 1
    return found or whole
