"""What stands behind a list: up to three of its pages are looked at, so that one without comments does not mislead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from crawlers.extractors import Link
from crawlers.extractors.records import SECONDARY
from crawlers.propose_draft import ID_IN_ADDRESS, Bench, Draft, Trial, ids_in
from crawlers.propose_page import Reading

SAMPLES = 3


def telling_links(links: Trial, summaries: Trial | None) -> list[Link]:
    """Return the links to look behind: the longest (cut) summary or the most replies first, then others of the list."""
    listed = links.found.links
    if summaries is not None:
        longest = max(summaries.found.records, key=lambda record: len(record.text))
        first = next((link for link in listed if link.url == longest.url), listed[0])
    else:
        first = max(listed, key=lambda link: link.carried.get("replies") or 0)
    replied = sorted((link for link in listed if link is not first), key=lambda link: -(link.carried.get("replies") or 0))
    spread = replied if any(link.carried.get("replies") for link in replied) else replied[len(replied) // 2 :] + replied
    unique = {link.url: link for link in (first, *spread)}
    return list(unique.values())[:SAMPLES]


def has_answers(reading: Reading) -> bool:
    """Whether the page was read as a post with what others say to it, or as many records."""
    if reading.records is None:
        return False
    found = reading.records.found.records
    return len(found) > 1 or any(record.kind in SECONDARY for record in found)


def best_of(readings: Iterable[Reading], benches: Iterable[Bench]) -> tuple[Reading, Trial] | None:
    """Return the draft that reads all the looked-at pages best, with the page that shows most of it."""
    pages = [pair for pair in zip(readings, benches, strict=True) if pair[0].records is not None]
    if not pages:
        return None
    best: tuple[float, Reading, Trial] | None = None
    for reading, _ in pages:
        assert reading.records is not None
        for draft in _drafts(reading):
            trials = [(other, trial) for other, bench in pages if (trial := bench.run(draft)) is not None]
            total = sum(trial.mark for _, trial in trials)
            if trials and (best is None or total > best[0] * 1.02):
                shown, trial = max(trials, key=lambda pair: len(pair[1].found.records))
                best = (total, shown, trial)
    return (best[1], best[2]) if best is not None else None


def _drafts(reading: Reading) -> Iterator[Draft]:
    assert reading.records is not None
    yield reading.records.draft
    yield from (trial.draft for trial in reading.rivals)


def fitted_listing(links: Trial, detail: Trial, listed: dict[str, Any] | None = None) -> dict[str, Any]:
    """Let the listing carry what belongs to the pages behind it.

    One post: its id, from its address. A list of reviews: a product's title is no review's title, and neither its id
    nor its number of reviews is theirs.
    """
    listing = listed or links.draft.complete()
    fields = dict(listing["links"]["fields"])
    if detail.draft.whole:
        addresses = [link.url for link in links.found.links]
        plain = isinstance(fields["url"], str)
        if "native_id" not in fields and plain and listing["extract"] == "html" and ids_in(addresses):
            fields = {"native_id": {"path": fields["url"], "regex": ID_IN_ADDRESS}, **fields}
    else:
        fields = {name: spec for name, spec in fields.items() if name not in ("replies", "native_id", "likes")}
        if "title" in fields and any(spec["kind"] == "review" for spec in detail.draft.step.get("records", ())):
            fields["product"] = fields.pop("title")
    return {**listing, "links": {**listing["links"], "fields": fields}}


def one_further(listing: dict[str, Any], link: Link, more: str) -> dict[str, Any] | None:
    """Let the listing name the page behind its link's page: `/item/1` becomes `/item/1/reviews?page=1`.

    None where the further address cannot be made of the link's own.
    """
    fields = dict(listing["links"]["fields"])
    path = fields["url"]
    name = urlsplit(link.url).path.rstrip("/").rpartition("/")[2]
    if not isinstance(path, str) or len(name) < 2 or name not in more:
        return None
    before, _, after = more.partition(name)
    if "{" in more:
        return None
    fields["url"] = {"path": path, "regex": r"([^/?#]+)/?(?:[?#].*)?$", "template": f"{before}{{value}}{after.replace(name, '{value}')}"}
    return {**listing, "links": {**listing["links"], "fields": fields}}
