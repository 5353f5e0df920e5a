"""Addresses: filling placeholders, and the requests made of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from scrapy import Request

from crawlers.browser import browser_meta
from vocwatch.models import MentionRecord
from vocwatch.settings import Settings, Source
from vocwatch.settings.sources import Step

OVERLAP = dt.timedelta(days=1)  # late posts: a search index lags behind
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def keywords(settings: Settings, source: Source) -> list[str]:
    """Return the words to search for: the source's own, or names and aliases of the brand watches."""
    if source.keywords != "watches":
        return list(source.keywords)
    found = [
        word for watch in settings.watches.watches if watch.kind == "brand" for word in (watch.name, *watch.aliases)
    ]
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Start:
    """One start address: `url` as asked for (`{page}` left in), `key` its name from run to run.

    `keyword` is the word that was filled in; `window` the stretch of time that a split search is limited to.
    """

    url: str
    key: str
    keyword: str | None = None
    window: tuple[dt.datetime, dt.datetime] | None = None

    def halves(self, source: Source, zone: ZoneInfo) -> list[Start]:
        """Cut the stretch of time in two; nothing where it can't be cut any more."""
        assert self.window is not None and source.split is not None
        since, until = self.window
        middle = since + (until - since) / 2
        if until - since < dt.timedelta(hours=2 * source.split.min_hours):
            return []
        return [_windowed(self.key, self.keyword, stretch, source, zone) for stretch in ((middle, until), (since, middle))]


def starts(settings: Settings, source: Source, now: dt.datetime, read_until: dt.datetime | None = None) -> Iterator[Start]:
    """Yield the start addresses, one for each keyword where they ask for one.

    A split search begins where the last finished run had read to (less a day), at most `split.days` back.
    """
    words = keywords(settings, source)
    for template in source.start:
        for word in words if "{keyword}" in template else [None]:
            key = template.replace("{keyword}", quote(word, safe="")) if word else template
            if source.split is None:
                yield Start(key, key, word)
            else:
                since = now - dt.timedelta(days=source.split.days)
                since = max(since, read_until - OVERLAP) if read_until else since
                yield _windowed(key, word, (since, now), source, settings.app.zone)


def canary_starts(settings: Settings, source: Source, now: dt.datetime) -> Iterator[Start]:
    """Yield the searches for the word that must always find something."""
    word = source.expect.canary_query
    if word:
        searches = tuple(template for template in source.start if "{keyword}" in template)
        yield from starts(settings, source.model_copy(update={"keywords": (word,), "start": searches}), now)


def _windowed(
    key: str, word: str | None, window: tuple[dt.datetime, dt.datetime], source: Source, zone: ZoneInfo
) -> Start:
    assert source.split is not None
    url = key
    for name, moment in zip(("{since}", "{until}"), window, strict=True):
        local = moment.astimezone(zone)
        text = str(int(moment.timestamp())) if source.split.format == "%s" else local.strftime(source.split.format)
        url = url.replace(name, quote(text, safe=""))
    return Start(url, key, word, window)


def with_page(template: str, number: int) -> str:
    """Return the address of a page of a start address."""
    return template.replace("{page}", str(number))


def fill(template: str, root: MentionRecord, carried: Mapping[str, Any]) -> str | None:
    """Fill `{native_id}` and the like from a post; None when a value is missing."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match.group(1)
        found = carried.get(name) if getattr(root, name, None) is None else getattr(root, name)
        missing = missing or found is None
        return quote(str(found), safe="")

    url = _PLACEHOLDER.sub(value, template)
    return None if missing else url


def make_request(source: Source, step: Step, url: str, timeout: int, **options: Any) -> Request:
    """Return the request for a page of a step, over the transport that the step asks for."""
    meta: dict[str, Any] = {}
    if (step.transport or source.transport) == "browser":
        meta = browser_meta(source)
    return Request(url, meta=meta, **options)
