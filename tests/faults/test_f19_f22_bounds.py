"""F19 bombs, F20 slow and endless answers, F21 endless lists and outsized pages, F22 unreadable letters.

All are crawled at once by real workers; each test looks at one of them.
"""

from __future__ import annotations

import datetime as dt
import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import brotli
import pytest
import sqlalchemy as sa

from crawlers.compression import unpack, zstd
from crawlers.extractors import extract
from crawlers.extractors.charset import decode, replaced_share
from crawlers.fetch import Refusal
from crawlers.runner import CrawlResult
from crawlers.timelimit import OutOfTime, time_limit
from tests.crawlers.site import Answer, Site
from tests.faults.charsets import fixtures
from tests.faults.kit import Watched, listing
from vocwatch.models import Page, SourceStatus
from vocwatch.settings import Source
from vocwatch.store.schema import mentions, revisions

HTML = {"Content-Type": "text/html; charset=utf-8"}
BUDGET = 25
DEADLINE = 2
STAYS = 30.0  # how long the slow ones would go on


def packed(body: bytes, encoding: str) -> Answer:
    return Answer(body, headers={**HTML, "Content-Encoding": encoding})


@cache
def bombs() -> dict[str, tuple[bytes, str]]:
    """Ten gigabytes each where that fits below the size cap, as much as fits where it does not."""
    quarter = bytes(256 << 20)
    member, frame = gzip.compress(quarter, 6), zstd.compress(quarter)
    return {
        "gzip": (member * 3, "gzip"), "nested": (gzip.compress(member * 40, 6), "gzip, gzip"),
        "deflate": (zlib.compress(quarter, 6), "deflate"), "br": (brotli.compress(quarter, quality=1), "br"),
        "zstd": (frame * 40, "zstd"),
    }


@dataclass
class Slow:
    """Answers that never end; keeps how long the other side stood them, in seconds."""

    stood: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def dripping(self, chunked: bool) -> Answer:
        """A byte at a time, or one small chunk after the other for ever."""
        head = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: 100000\r\n"

        def write(out: Any) -> None:
            began = time.monotonic()
            try:
                out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + head + b"\r\n")
                while time.monotonic() - began < STAYS and not self.stop.wait(0.1):
                    out.write(b"3\r\nabc\r\n" if chunked else b"x")
            except OSError:
                self.stood.append(time.monotonic() - began)

        return Answer(write=write)


@dataclass
class Bounds:
    lab: Watched
    sites: dict[str, Site]
    results: dict[str, CrawlResult]
    slow: Slow

    def texts(self, name: str) -> list[str]:
        query = sa.select(revisions.c.text).join(mentions, revisions.c.mention_id == mentions.c.id)
        with self.lab.store.read() as connection:
            return list(connection.execute(query.where(mentions.c.source == name)).scalars())


def _post(number: int, text: bytes, tail: bytes = b"") -> Answer:
    body = b'<!doctype html><meta charset=utf-8><title>t</title><article data-id="%d"><p class=text>%s</p></article>%s'
    return Answer(body % (number, text, tail), headers=HTML)


def _bombs(site: Site) -> None:
    made = {f"/bomb/{name}": packed(*bomb) for name, bomb in bombs().items()}
    good = gzip.compress(b"<meta charset=utf-8><article data-id=1><p class=text>" + "杯盖漏水".encode() + b"</p></article>")
    made |= {
        "/odd/unknown": packed(b"<p>text</p>", "compress"), "/odd/broken": packed(b"<p>text</p>", "gzip"),
        "/odd/cut": packed(good[:-20], "gzip"), "/odd/layers": packed(good, "gzip, gzip, gzip, gzip"),
        "/odd/plain": Answer(_post(77, "说是 utf-8 编码".encode()).body, headers={**HTML, "Content-Encoding": "utf-8"}),
    }
    site.rule = lambda path: (
        listing([*made, "/p/1", "/p/2", "/p/3"]) if path == "/list?page=1" else made.get(path)
    )


def _outsized(site: Site) -> None:
    pages = {
        "/odd/deep": _post(101, b"deep", b"<div>" * 150_000),
        "/odd/long": _post(102, "漏水".encode() * 120_000),
        "/odd/many": _post(103, b"many", b"".join(b"<div class=c id=c%d><p>%d</p></div>" % (n, n) for n in range(6000))),
        "/odd/garbled": _post(104, b"\x81\xff\x82\xfe" * 300),
        "/odd/huge": _post(105, b"x" * 2_000_000),
    }
    site.rule = lambda path: listing([*pages, "/p/1", "/p/2"]) if path == "/list?page=1" else pages.get(path)


@pytest.fixture(scope="module")
def bounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bounds]:
    lab, slow = Watched(tmp_path_factory.mktemp("bounds")), Slow()
    lab.timeout = DEADLINE
    names = ("bombs", "control", "neighbour", "drip", "chunks", "robots", "lengths", "endless", "outsized")
    sites = {name: lab.site(posts=20) for name in names}
    _bombs(sites["bombs"])
    _outsized(sites["outsized"])
    for name, answer in (("drip", slow.dripping(chunked=False)), ("chunks", slow.dripping(chunked=True))):
        sites[name].rule = lambda path, answer=answer: answer if path.startswith("/list") else None
    sites["robots"].robots = slow.dripping(chunked=False)
    sites["lengths"].rule = lambda path: {
        "/p/4": Answer(_post(4, b"half").body, headers=HTML, claim=4000),
        "/p/5": Answer(_post(5, "全文在这里".encode(), b"<p>" + b"more" * 100).body, headers=HTML, claim=110),
    }.get(path)
    sites["endless"].rule = lambda path: Answer(
        f'<meta charset=utf-8><ul><li class=item><a href="/p/{time.monotonic_ns()}" data-id="{time.monotonic_ns()}">帖</a>'
        f'</li></ul><a class=next href="/list?page={time.monotonic_ns()}">下一页</a>', headers=HTML,
    ) if path.startswith("/list") else _post(time.monotonic_ns(), "日历上的一天".encode())
    for name in ("bombs", "control", "lengths", "outsized"):
        lab.forum(name, sites[name].url, allow=False, concurrency=4)
    lab.forum("endless", sites["endless"].url, allow=False, max_pages=BUDGET)
    slowly = [sites[name].url + "/list?page=1" for name in ("drip", "chunks", "robots", "neighbour")]
    lab.forum("slow", sites["neighbour"].url, allow=False, concurrency=4)
    path = lab.home / "config/sources/slow.yaml"
    text = path.read_text().replace(f'"{slowly[-1]}"', ", ".join(f'"{url}"' for url in slowly))
    path.write_text(text)
    results = lab.crawl()
    yield Bounds(lab, sites, results, slow)
    slow.stop.set()
    lab.close()


# -- F19 ------------------------------------------------------------------------------------------------------


def test_F19_bombs_end_at_the_cap(bounds: Bounds) -> None:
    result, rise = bounds.results["bombs"], bounds.lab.peak_mb("bombs") - bounds.lab.peak_mb("control")
    print(f"F19 bombs {len(bombs())}, refused {result.stats['errors'].get('too_large')}, RSS rise {rise:.0f} MB")
    assert result.stats["errors"]["too_large"] == len(bombs())
    assert rise <= 200


def test_F19_a_bomb_is_dealt_with_at_once() -> None:
    for body, encoding in bombs().values():
        began = time.process_time()
        with pytest.raises(Refusal) as refused:
            for name in reversed(encoding.split(", ")):
                body = unpack(body, name, 8 << 20)
        assert refused.value.kind == "too_large" and time.process_time() - began < 2


def test_F19_the_others_are_read(bounds: Bounds) -> None:
    texts = bounds.texts("bombs")
    assert sum("保温杯" in text for text in texts) == 3
    assert "说是 utf-8 编码" in texts  # a server that means the charset


def test_F19_what_cannot_be_unpacked_is_no_text(bounds: Bounds) -> None:
    errors = bounds.results["bombs"].stats["errors"]
    assert errors["encoding"] == 3 and errors["truncated"] == 1
    assert bounds.results["bombs"].status is SourceStatus.DEGRADED


# -- F20 ------------------------------------------------------------------------------------------------------


def test_F20_no_answer_outlasts_the_deadline(bounds: Bounds) -> None:
    stood = bounds.slow.stood
    print(f"F20 slow answers {len(stood)}, longest {max(stood):.1f} s of {STAYS:.0f} s, deadline {DEADLINE} s")
    assert len(stood) >= 3
    assert max(stood) < DEADLINE + 5  # far from the time that they would have taken


def test_F20_the_neighbour_goes_on(bounds: Bounds) -> None:
    """In the same worker, while the others hang."""
    assert sum(path.startswith("/p/") for path in bounds.sites["neighbour"].log) == 20
    assert len([text for text in bounds.texts("slow") if "保温杯" in text]) == 20
    assert bounds.results["slow"].stats["errors"] == {"timeout": 2, "robots_unreachable": 1}
    assert "超时" in str(bounds.results["slow"].reason)


def test_F20_a_wrong_content_length(bounds: Bounds) -> None:
    """Too little came: not read, and said so. Too much came: what HTTP calls the answer is read, nothing after it."""
    result = bounds.results["lengths"]
    assert result.stats["errors"] == {"truncated": 1}
    texts = bounds.texts("lengths")
    assert "half" not in texts and "全文在这里" in texts
    assert len([text for text in texts if "保温杯" in text]) == 18


# -- F21 ------------------------------------------------------------------------------------------------------


def test_F21_an_endless_list_ends_at_the_budget(bounds: Bounds) -> None:
    result, asked = bounds.results["endless"], len(bounds.sites["endless"].content_log)
    print(f"F21 pages {asked}, budget {BUDGET}")
    assert asked <= BUDGET
    assert result.status is SourceStatus.DEGRADED and f"{BUDGET}（rate.max_pages）" in str(result.reason)


def test_F21_outsized_pages_are_flagged(bounds: Bounds) -> None:
    result = bounds.results["outsized"]
    print(f"F21 cut {result.stats['cut']}, long texts {result.stats['truncated']}, errors {result.stats['errors']}")
    assert result.stats["cut"] == {"网页嵌套超过 2000 层，后面的没有读": 1, "一页超过 5000 条，后面的没有读": 1}
    assert result.stats["truncated"] == 1 and result.stats["errors"] == {"charset": 1, "too_large": 1}
    assert result.status is SourceStatus.DEGRADED and "没有读完" in str(result.reason)
    texts = bounds.texts("outsized")
    assert {"deep", "many"} <= set(texts) and max(map(len, texts)) == 100_000


def _source(step: dict[str, Any]) -> Source:
    return Source.model_validate({
        "name": "s", "title": "s", "owner": "o", "start": ["https://s.example/"],
        "access": {"basis": "b", "robots": "r", "reviewer": "v", "date": "2026-11-01"}, "listing": step,
    })


def _extract(step: dict[str, Any], body: bytes, kind: str = "text/html") -> Any:
    now, source = dt.datetime(2026, 11, 16, tzinfo=dt.UTC), _source(step)
    page = Page("https://s.example/", body, now, request_url="https://s.example/", headers={"content-type": kind})
    assert source.listing is not None
    from zoneinfo import ZoneInfo

    return extract(page, source.listing, source, now, ZoneInfo("Asia/Shanghai"))


def test_F21_json_without_bottom() -> None:
    step = {"extract": "json", "records": [{"kind": "post", "items": "data", "fields": {"text": "t"}}]}
    for deep in (b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
                 b"[" * 100_000):
        found = _extract(step, deep, "application/json")
        assert not found.records and found.state == "drift" and found.reason


def test_F21_lists_of_a_hundred_thousand() -> None:
    rows = b",".join(b'{"id":%d,"t":"%d"}' % (n, n) for n in range(100_000))
    records = [{"kind": "post", "items": "data", "fields": {"text": "t", "native_id": "id"}}]
    found = _extract({"extract": "json", "records": records}, b'{"data":[' + rows + b"]}", "application/json")
    print(f"F21 records {len(found.records)}, cut {found.cut}")
    assert found.records and found.cut
    links = {"extract": "html", "links": {"items": "a", "fields": {"url": "@href"}}}
    page = b"<meta charset=utf-8>" + b"".join(b"<a href=/p/%d>x</a>" % n for n in range(100_000))
    source_step = _source({**links, "records": [{"kind": "post", "items": "a", "fields": {"text": "@href"}}]} | {"links": None})
    assert source_step.listing is not None
    found = _extract({"extract": "html", "records": [{"kind": "post", "items": "a", "fields": {"text": "@href"}}]}, page)
    assert found.cut and len(found.records) <= 5000


def test_F21_a_million_divs_and_a_text_of_megabytes() -> None:
    step = {"extract": "html", "records": [{"kind": "post", "items": "article", "fields": {"text": "p"}}]}
    deep = _extract(step, b"<article><p>here</p></article>" + b"<div>" * 1_000_000)
    long = _extract(step, b"<article><p>" + b"long " * 1_500_000 + b"</p></article>")
    inside = _extract(step, b"<div>" * 1_000_000 + b"<article><p>here</p></article>")
    assert deep.cut and [record.text for record in deep.records] == ["here"]
    assert long.cut and len(long.records[0].text or "") <= 100_000
    assert inside.cut and not inside.records


def test_F21_work_without_end_is_ended() -> None:
    with pytest.raises(OutOfTime), time_limit(0.2):
        until = time.process_time() + 20  # not for ever, should the limit be missing
        while time.process_time() < until:
            try:
                sum(range(1000))
            except Exception:  # what a fallback in an extractor would do
                continue


# -- F22 ------------------------------------------------------------------------------------------------------


def test_F22_mojibake_is_0() -> None:
    tried, bad = 0, []
    for fixture in fixtures():
        tried += 1
        declared = "text/html" + (f"; charset={fixture.header}" if fixture.header else "")
        now = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
        text = decode(Page("https://s.example/", fixture.body, now, request_url="", headers={"content-type": declared}))
        if not all(sentence in text for sentence in fixture.sentences) or replaced_share(text) > 0.005:
            bad.append(fixture.name)
    print(f"F22 mojibake {len(bad)}/{tried}")
    assert tried >= 200 and not bad


def test_F22_unreadable_pages_are_quarantined(bounds: Bounds) -> None:
    result = bounds.results["outsized"]
    assert result.stats["errors"]["charset"] == 1
    assert not [text for text in bounds.texts("outsized") if "�" in text]


def test_F22_one_record_in_another_encoding_is_left_out() -> None:
    step = {"extract": "html", "records": [{"kind": "post", "items": "li", "fields": {"text": "p", "native_id": "@id"}}]}
    good = "".join(f"<li id=g{n}><p>第{n}个杯子漏水，客服说在处理</p></li>" for n in range(400)).encode()
    found = _extract(step, b"<meta charset=utf-8>" + good + "<li id=bad><p>杯盖漏水</p></li>".encode("gb18030"))
    assert len(found.records) == 400 and found.quarantined == 1
