"""Addresses: filling placeholders, and the requests made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from scrapy import Request

from crawlers.browser import browser_meta
from vocwatch.models import MentionRecord
from vocwatch.settings import Settings, Source
from vocwatch.settings.sources import Step

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def keywords(settings: Settings, source: Source) -> list[str]:
    """Return the words to search for: the source's own, or names and aliases of the brand watches."""
    if source.keywords != "watches":
        return list(source.keywords)
    found = [
        word for watch in settings.watches.watches if watch.kind == "brand" for word in (watch.name, *watch.aliases)
    ]
    return list(dict.fromkeys(found))


def start_urls(settings: Settings, source: Source) -> Iterator[str]:
    """Yield the start addresses, one for each keyword where they ask for one; `{page}` is left in."""
    words = keywords(settings, source)
    for template in source.start:
        if "{keyword}" in template:
            yield from (template.replace("{keyword}", quote(word, safe="")) for word in words)
        else:
            yield template


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
        meta = browser_meta(source, timeout)
    return Request(url, meta=meta, **options)
