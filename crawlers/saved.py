"""Reading a saved page as a source would, and holding it against what was expected of it: `vocwatch source test`."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crawlers.extractors import Extraction, SpecError, extract
from crawlers.propose_saved import expected
from crawlers.requests import starts, with_page
from vocwatch.lang import listed, tr
from vocwatch.masking import mask
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.pseudonym import load_pseudonyms
from vocwatch.reasons import spoken
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
    steps = {name: found for name in ("detail", "listing", "comments") if (found := getattr(source, name))}
    if step is not None and step not in steps:
        raise ConfigError([tr(f"来源 {source.name} 没有 {step} 这一步，可用：{listed(steps)}",
                              f"source {source.name} has no step {step}; there are: {listed(steps)}")])
    suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
    start = next(starts(settings, source, settings.clock.now()), None)
    address = url or (with_page(start.url, 1) if start else "https://saved.invalid/")
    page = Page(
        url=address, body=_body(file), fetched_at=settings.clock.now(), request_url=address,
        headers={"content-type": _TYPES.get(suffix, "text/html")},
    )
    chosen = {step: steps[step]} if step else steps
    found = {name: _extract(settings, source, page, spec) for name, spec in chosen.items()}
    best = max(found, key=lambda name: (len(found[name].records), len(found[name].links)))
    return best, found[best]


def _body(file: Path) -> bytes:
    try:
        body = file.read_bytes()
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError) as error:
        raise ConfigError([tr(f"{file}: 读不到保存的网页（{error}）。请确认路径和权限",
                              f"{file}: the saved page can't be read ({error}). Check path and permissions")]) from error


def _extract(settings: Settings, source: Source, page: Page, step: Step) -> Extraction:
    try:
        return extract(page, step, source, settings.clock.now(), settings.app.zone)
    except SpecError as error:
        raise ConfigError([f"{settings.env.config / 'sources' / source.name}.yaml: {spoken(str(error))}"]) from error


def as_stored(settings: Settings, source: Source, records: Sequence[MentionRecord]) -> list[dict[str, Any]]:
    """Return records as they would be stored: personal data masked, the author a pseudonym."""
    pseudonyms = load_pseudonyms(settings.env)
    rows = []
    for record in records:
        row = asdict(record)
        row.update(
            kind=str(record.kind), text=mask(record.text), title=mask(record.title) if record.title else None,
            author_key=pseudonyms.of(source.name, record.author),
        )
        del row["author"]
        rows.append(row)
    return rows


# -- expectations -------------------------------------------------------------------------------------------------


def differences(settings: Settings, source: Source, place: Path) -> tuple[int, list[str]]:
    """Read saved pages again and return (how many there are, how what they give differs from the expectation).

    `place` is one `….expected.json` or a folder of them. Raises ConfigError where there is none.
    """
    cases = sorted(place.glob("*.expected.json")) if place.is_dir() else [place]
    if not cases or not all(case.name.endswith(".expected.json") and case.is_file() for case in cases):
        raise ConfigError([tr(
            f"{place}: 这里没有 *.expected.json。它由 vocwatch source new 写在数据目录的 sources/来源名/ 下",
            f"{place}: no *.expected.json here. vocwatch source new writes it to sources/NAME/ in the data folder",
        )])
    return len(cases), [line for case in cases for line in _compared(settings, source, case)]


def _compared(settings: Settings, source: Source, case: Path) -> Iterator[str]:
    name = case.name.removesuffix(".expected.json")
    try:
        wanted = json.loads(case.read_text(encoding="utf-8"))
        saved = next(path for path in sorted(case.parent.glob(f"{name}.*")) if path != case)
        got = expected(_again(settings, source, wanted, _body(saved)), settings.app.zone)
    except StopIteration:
        raise ConfigError([tr(f"{case}: 旁边没有它说的网页 {name}.html（或 .json、.xml）",
                              f"{case}: its page {name}.html (or .json, .xml) is not beside it")]) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError([tr(f"{case}: 读不出预期结果（{error}）。请用 vocwatch source new 重新生成",
                              f"{case}: no expectations in it ({error}). Make it anew with vocwatch source new")]) from error
    for key in ("state", "next_url"):
        if got[key] != wanted.get(key):
            yield tr(f"{name} {key}：{got[key]} ≠ {wanted.get(key)}", f"{name} {key}: {got[key]} ≠ {wanted.get(key)}")
    for key in ("records", "links"):
        expectations = wanted.get(key, [])
        if len(got[key]) != len(expectations):
            yield tr(f"{name} {key}：{len(got[key])} 条 ≠ {len(expectations)} 条", f"{name} {key}: {len(got[key])} ≠ {len(expectations)}")
        for number, (one, other) in enumerate(zip(got[key], expectations, strict=False)):
            yield from (
                f"{name} {key}[{number}].{field}{tr('：', ': ')}{one.get(field)!r} ≠ {other[field]!r}"
                for field in other if one.get(field) != other[field]
            )


def _again(settings: Settings, source: Source, wanted: dict[str, Any], body: bytes) -> Extraction:
    now = dt.datetime.fromisoformat(wanted["now"])
    step = getattr(source, wanted["step"], None)
    if step is None:
        raise ConfigError([tr(f"来源 {source.name} 现在没有 {wanted['step']} 这一步", f"source {source.name} has no step {wanted['step']} now")])
    page = Page(
        url=wanted["url"], body=body, fetched_at=now, status=wanted.get("status", 200),
        headers=wanted.get("headers", {}), request_url=wanted.get("request_url", wanted["url"]),
    )
    root = MentionRecord(kind=MentionKind.POST, text="", **wanted["root"]) if wanted.get("root") else None
    return extract(page, step, source, now, settings.app.zone, carried=wanted.get("carried"), root=root)
