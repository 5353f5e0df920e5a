"""Reading a saved page as a source would: what `vocwatch source test NAME --file` shows."""

from __future__ import annotations

import gzip
from pathlib import Path

from crawlers.extractors import Extraction, extract
from crawlers.requests import starts, with_page
from vocwatch.models import Page
from vocwatch.settings import ConfigError, Settings, Source
from vocwatch.settings.sources import Step

_TYPES = {".json": "application/json", ".xml": "application/xml", ".rss": "application/rss+xml"}


def read_saved(
    settings: Settings, source: Source, file: Path, step: str | None = None, url: str | None = None
) -> tuple[str, Extraction]:
    """Extract a saved page (gzip'd or not) and return (name of the step, what it found).

    Without `step`, the steps detail, listing and comments are tried, and the one that finds most is taken.
    Raises ConfigError when the file cannot be read or the source has no such step.
    """
    try:
        body = file.read_bytes()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
    except (OSError, EOFError) as error:
        raise ConfigError([f"{file}: 读不到保存的网页（{error}）"]) from error
    steps = {name: found for name in ("detail", "listing", "comments") if (found := getattr(source, name))}
    if step is not None and step not in steps:
        raise ConfigError([f"来源 {source.name} 没有 {step} 这一步，可用：{'、'.join(steps)}"])
    suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
    start = next(starts(settings, source, settings.clock.now()), None)
    address = url or (with_page(start.url, 1) if start else "https://saved.invalid/")
    page = Page(
        url=address, body=body, fetched_at=settings.clock.now(), request_url=address,
        headers={"content-type": _TYPES.get(suffix, "text/html")},
    )
    chosen = {step: steps[step]} if step else steps
    found = {name: _extract(settings, source, page, spec) for name, spec in chosen.items()}
    best = max(found, key=lambda name: (len(found[name].records), len(found[name].links)))
    return best, found[best]


def _extract(settings: Settings, source: Source, page: Page, step: Step) -> Extraction:
    return extract(page, step, source, settings.clock.now(), settings.app.zone)

