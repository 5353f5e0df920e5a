"""The pages that a proposal was made from, as they may be kept: without the names and numbers of people."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from crawlers.extractors import Extraction, decode, extract
from crawlers.extractors.htmltext import parse_html
from crawlers.extractors.jsonpage import parse_json
from crawlers.propose import Proposal, SavedPage
from vocwatch import masking
from vocwatch.models import MentionRecord, Page
from vocwatch.settings import Settings, Source

STAND_IN = "用户{number}"
_KINDS = (
    masking.PHONE, masking.LANDLINE, masking.ID_CARD, masking.BANK, masking.ORDER, masking.ADDRESS, masking.NAME,
    masking.EMAIL, masking.WECHAT, masking.QQ, masking.PLATE, masking.PASSPORT,
)
_TOKEN = re.compile(rf"\[(?:{'|'.join(_KINDS)})\]")
_SPOKEN = re.compile("[\u4e00-\u9fff]{3}|@| \\w+ ")  # words, not an id or an address alone
_FIELDS = (
    "kind", "native_id", "url", "title", "text", "author", "published_at", "precision", "rating", "likes", "replies",
    "shares", "views", "parent", "product", "sku", "shop",
)


def files_of(settings: Settings, proposal: Proposal) -> dict[str, bytes]:
    """Return name → content of the files that make a case for `tests/pages`: each page and what it must give."""
    source = proposal.source
    found: dict[str, bytes] = {}
    for saved in proposal.pages:
        page = masked_page(saved)
        carried = {name: value for name, value in saved.carried.items() if isinstance(value, str | int | float) and name != "author"}
        facts = {"step": saved.step, **_facts(page), "carried": carried}
        result = _read(settings, source, saved.step, page, carried)
        _put(found, saved.step, page, {**facts, **expected(result, settings.app.zone)})
        if source.comments is not None and not source.comments.url and saved.step == "detail" and len(result.records) == 1:
            root = {"native_id": result.records[0].native_id, "url": result.records[0].url}
            answers = _read(settings, source, "comments", page, {}, result.records[0])
            _put(found, "comments", page, {"step": "comments", **_facts(page), "root": root, **expected(answers, settings.app.zone)})
    return found


def expected(result: Extraction, zone: ZoneInfo) -> dict[str, Any]:
    """Return what a page gives, as plain JSON values; names of people are left out unless they are stand-ins."""
    return {
        "state": result.state,
        "records": [_plain(record, zone) for record in result.records],
        "links": [{"url": link.url, "native_id": link.native_id, "title": link.carried.get("title")} for link in result.links],
        "next_url": result.next_url,
    }


def _read(
    settings: Settings, source: Source, step: str, page: Page, carried: Mapping[str, Any], root: MentionRecord | None = None
) -> Extraction:
    spec = getattr(source, step)
    return extract(page, spec, source, page.fetched_at, settings.app.zone, carried=carried, root=root)


def _facts(page: Page) -> dict[str, Any]:
    return {
        "url": page.url, "request_url": page.request_url or page.url, "status": page.status, "headers": dict(page.headers),
        "now": page.fetched_at.isoformat(), "fetched_at": page.fetched_at.isoformat(),
    }


def _put(found: dict[str, bytes], name: str, page: Page, facts: dict[str, Any]) -> None:
    found[f"{name}.{_suffix(page.body)}"] = page.body
    text = json.dumps({key: value for key, value in facts.items() if value not in ({}, None)}, ensure_ascii=False, indent=1, default=str)
    found[f"{name}.expected.json"] = (text + "\n").encode("utf-8", "replace")


def _plain(record: MentionRecord, zone: ZoneInfo) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _FIELDS}
    if not re.fullmatch(STAND_IN.format(number=r"\d+"), record.author or ""):
        values.pop("author")
    if record.published_at is not None:
        values["published_at"] = record.published_at.astimezone(zone).isoformat()
    values["kind"] = record.kind.value
    return {name: value for name, value in values.items() if value is not None}


def _suffix(body: bytes) -> str:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:100].lower()
    if start.startswith((b"{", b"[")):
        return "json"
    return "xml" if start.startswith((b"<?xml", b"<rss", b"<feed", b"<rdf")) else "html"


# -- masking ------------------------------------------------------------------------------------------------------


def masked_page(saved: SavedPage) -> Page:
    """Return the page as UTF-8, the authors on it called 用户1, 用户2 …, personal data in its texts replaced by tokens."""
    text = decode(saved.page)
    for original, token in _replacements(saved, text):
        for written in dict.fromkeys((original, html.escape(original), json.dumps(original)[1:-1])):
            text = _bounded(written).sub(lambda _, token=token: token, text)  # type: ignore[misc]
    kind = saved.page.headers.get("content-type", "text/html").partition(";")[0]
    return dataclasses.replace(
        saved.page, body=text.encode("utf-8", "replace"), headers={"content-type": f"{kind}; charset=utf-8"}
    )


def _shown(text: str) -> Iterator[str]:
    """Yield the texts that a reader sees: those of elements, or the strings of a JSON document."""
    try:
        todo: list[Any] = [parse_json(text)]
    except ValueError:
        body = parse_html(text).body
        for node in body.traverse(include_text=True) if body is not None else ():
            if node.tag == "-text" and node.parent is not None and node.parent.tag not in ("script", "style"):
                yield node.text() or ""
        return
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            yield node
        else:
            todo += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _replacements(saved: SavedPage, text: str) -> list[tuple[str, str]]:
    """Longest first, so that no name is cut in two by another that it holds."""
    names = [record.author for record in saved.records if record.author]
    names += [str(saved.carried["author"])] if saved.carried.get("author") else []
    stand_ins = {name: STAND_IN.format(number=number) for number, name in enumerate(dict.fromkeys(names), 1) if len(name) > 1}
    said = [words for record in saved.records for words in (record.text, record.title or "")]
    said += [words for words in _shown(text) if _SPOKEN.search(words)]
    private = dict(pair for words in said for pair in _private(words))
    return sorted({**stand_ins, **private}.items(), key=lambda pair: -len(pair[0]))


def _private(text: str) -> Iterable[tuple[str, str]]:
    """Yield what masking takes out of a text, with the token that stands there instead."""
    masked = masking.mask(text)
    tokens, pieces = _TOKEN.findall(masked), _TOKEN.split(masked)
    position = len(pieces[0])
    for number, (token, following) in enumerate(zip(tokens, pieces[1:], strict=True), 1):
        last = number == len(tokens)
        end = len(text) if last and not following else text.find(following, position) if following else -1
        if masked == text or end < position:
            return  # the text held such a token before
        yield text[position:end], token
        position = end + len(following)


def _bounded(written: str) -> re.Pattern[str]:
    """A name in Latin letters is replaced only where it stands alone: it may also be part of an address or a class."""
    escaped = re.escape(written)
    return re.compile(rf"(?<![A-Za-z0-9_./#-]){escaped}(?![A-Za-z0-9_./=-])" if written.isascii() else escaped)
