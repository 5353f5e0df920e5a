"""The frame of the desk: hostile titles, addresses below any path, the language kept, assets packed and kept by browsers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from reports.web.access.people import needs
from reports.web.app import make_app
from reports.web.assets import assets
from reports.web.desk.charts import Line, heat, over_time
from reports.web.desk.frame import desk_message
from reports.web.desk.shown import MAX_MARKS, Span, host_of, marked, safe_link, shown
from reports.web.words import LANGS, PARTS, WORDS
from tests.web.conftest import settings as settings
from tests.web.conftest import shipped as shipped
from tests.web.login import client_of
from vocwatch.settings import Settings
from vocwatch.store import Store

NASTY = "<script>alert(1)</script>{{7*7}}\"><img src=x onerror=alert(1)>\u202e"


def plain(request: Request) -> Response:
    return desk_message(request, NASTY, NASTY * 3, here="mentions")


@pytest.fixture
def client(settings: Settings, sqlite_store: Store) -> Iterator[httpx.Client]:
    app = make_app(settings, sqlite_store)
    app.add_api_route("/deep/er/plain", plain, dependencies=[Depends(needs("reader"))])
    with client_of(settings, sqlite_store, "reader", app=app) as found:
        yield found


def test_a_hostile_title_is_text_and_nothing_is_loaded_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/deep/er/plain", params={"q": NASTY})
    assert page.status_code == 200 and "{{7*7}}" in page.text and "\u202e" not in page.text
    assert "<script>alert" not in page.text and "<img" not in page.text and page.text.count("<script ") == 2
    assert 'src="http' not in page.text and "style=" not in page.text and "onerror=alert(1)&gt;" in page.text
    assert 'href="../../mentions"' in page.text and 'aria-current="page"' in page.text


def test_the_chosen_language_is_kept(client: httpx.Client) -> None:
    assert '<html lang="en">' in client.get("/deep/er/plain", params={"lang": "en", "q": "a b"}).text
    again = client.get("/deep/er/plain", params={"q": "a"})
    assert '<html lang="en">' in again.text and "q=a&amp;lang=zh" in again.text
    assert '<html lang="zh-CN">' in client.get("/deep/er/plain", params={"lang": "zh"}).text


def test_assets_are_packed_and_kept_for_as_long_as_they_are_the_same(client: httpx.Client) -> None:
    for name in ("desk.css", "desk.js", "vendor/htmx.min.js", "vendor/echarts.min.js", "icon.svg"):
        mark = assets()[name].mark
        packed = client.get(f"/static/{name}", params={"v": mark})
        assert packed.headers["content-encoding"] == "gzip" and "immutable" in packed.headers["cache-control"]
        plain_one = client.get(f"/static/{name}", params={"v": "old"}, headers={"accept-encoding": "identity"})
        assert plain_one.content == packed.content == gzip.decompress(assets()[name].packed)
        assert "content-encoding" not in plain_one.headers and "immutable" not in plain_one.headers["cache-control"]
    for bad in ("nothing.js", "../assets.py", "vendor/README.md", "%2e%2e/assets.py"):
        assert client.get(f"/static/{bad}").status_code == 404


def test_words_stand_in_one_part_only_and_in_both_languages() -> None:
    assert len(WORDS) == sum(len(part.WORDS) for part in PARTS)
    assert all(len(said) == len(LANGS) and all(said) for said in WORDS.values())


def test_marked_pieces_are_the_text_whatever_the_spans() -> None:
    text = "外壳发烫把手烫伤了<b>"
    spans = [Span(2, 4, "neg", "热"), Span(3, 8, "hit"), Span(-1, 3, "bad"), Span(5, 5, "bad"), Span(9, 99, "neg"), Span(70, 80, "bad")]
    pieces = marked(text, spans)
    assert "".join(piece.text for piece in pieces) == text
    assert [(p.text, p.kinds) for p in pieces if p.kinds] == [("发", ("neg",)), ("烫", ("neg", "hit")), ("把手烫伤", ("hit",)), ("<b>", ("neg",))]
    assert "".join(piece.text for piece in marked("字" * 50, [Span(0, 50, "neg")], limit=10)) == "字" * 10 + "…"


def test_text_is_shown_without_what_breaks_a_page() -> None:
    assert shown("a\u202eb\x00c\u200bd\ud800") == "abcd" and shown(None) == "" and shown("一\n二") == "一\n二"
    assert len(shown("e" + "\u0301" * 100_000)) <= 2 + MAX_MARKS
    assert len(shown("长" * 5_000_000)) < 30_000


@pytest.mark.parametrize(("url", "fine", "host"), [
    ("https://a.example.com/x", True, "a.example.com"), ("javascript:alert(1)", False, ""), ("data:text/html,x", False, ""),
    ("//evil.example/x", False, "evil.example"), ("https://bank.example@evil.example/", False, "evil.example"),
    ("https://аpple.com/", True, "xn--pple-43d.com"), ("http://[", False, ""), ("java\nscript:alert(1)", False, ""),
    ("https://a.example/\u202egnp.exe", False, "a.example"), (" https://b.example ", True, "b.example"),
])
def test_only_addresses_of_the_web_are_links_and_the_real_host_is_shown(url: str, fine: bool, host: str) -> None:
    assert bool(safe_link(url)) is fine and host_of(url) == host


def test_an_unknown_value_is_hatched_and_unknown_never_zero() -> None:
    made = over_time("x", "走势", ["1", "2"], [Line("负面", [3, None], ["/a", ""])], first="日", unknown="未知")
    assert made.hatched and made.rows[1][1].value is None and made.rows[0][1].href == "/a"
    bars, blind = made.option["series"]
    assert bars["data"][1]["value"] is None and blind["data"] == [None, 1] and blind["itemStyle"]["color"] == "hatch"
    grid = heat("y", "热", ["p"], ["a", "b"], [[2], [None]], [["/r"], [""]], first="主题")
    assert grid.rows[1][1].value is None and grid.option["series"][0]["data"] == [{"value": [0, 0, 2], "href": "/r"}]
