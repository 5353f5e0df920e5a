"""What one page with one step becomes: the parts of the declarative format, one by one."""

from __future__ import annotations

import datetime as dt
import json
import sys
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extractors import Extraction, SpecError, extract
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings.sources import Source

ZONE = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 11, 16, 8, 30, tzinfo=ZONE)
URL = "https://example.com/list?page=1"


def source(step: dict[str, Any]) -> Source:
    access = {"basis": "x", "robots": "x", "reviewer": "x", "date": "2026-11-22"}
    return Source.model_validate({
        "name": "x", "title": "x", "owner": "x", "access": access, "start": [URL], "listing": step,
        "detail": {"extract": "html"},
    })


def run(step: dict[str, Any], body: object, url: str = URL, **more: Any) -> Extraction:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    page = Page(url, text.encode(), NOW, request_url=url)
    spec = source(step)
    assert spec.listing is not None
    return extract(page, spec.listing, spec, NOW, ZONE, **more)


def json_step(fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"extract": "json", "records": [{"kind": "post", "items": "data", "fields": fields}], **more}


def test_field_parts() -> None:
    fields = {
        "native_id": {"path": "id", "template": "n-{value}"}, "url": {"template": "/t/{id}?k={extra.key}"},
        "text": {"path": "lines[]", "join": "\n"}, "author": [["none"][0], "who"], "title": {"path": "t", "html": True},
        "rating": {"path": "score", "map": {"好评": "5", "差评": "1"}}, "shop": {"const": "自营"},
        "likes": {"path": "stat", "regex": r"赞(\d+)"}, "sku": "$.sku", "product": "packed |> name",
    }
    data = {"sku": "S1", "data": [{"id": 7, "extra": {"key": "a b"}, "lines": ["一", "二"], "who": "甲", "t": "<b>好</b>", "score": "差评", "stat": "赞12 踩3", "packed": '{"name":"杯"}'}]}
    [record] = run(json_step(fields), data).records
    assert (record.native_id, record.url) == ("n-7", "https://example.com/t/7?k=a%20b")
    assert (record.text, record.author, record.title, record.rating) == ("一\n二", "甲", "好", 1.0)
    assert (record.shop, record.likes, record.sku, record.product) == ("自营", 12, "S1", "杯")


def test_a_record_without_a_required_field_is_dropped_and_named() -> None:
    step = json_step({"native_id": "id", "text": "t", "author": "a"})
    step["records"][0]["required"] = ["text", "author"]
    got = run(step, {"data": [{"id": 1, "t": "有", "a": "甲"}, {"id": 2, "t": "没作者"}, {"id": 3, "a": "乙"}]})
    assert [record.native_id for record in got.records] == ["1"]
    assert {(problem.index, problem.field) for problem in got.problems} == {(1, "author"), (2, "text")}
    assert got.coverage == {"native_id": (3, 3), "text": (2, 3), "author": (2, 3)}


def test_an_unreadable_time_is_a_problem_but_not_the_end() -> None:
    got = run(json_step({"native_id": "id", "text": "t", "published_at": "at"}), {"data": [{"id": 1, "t": "x", "at": "吉日"}]})
    assert got.records[0].published_at is None and got.records[0].precision == "none"
    assert [problem.field for problem in got.problems] == ["published_at"]


def test_a_time_in_the_future_is_capped_and_marked() -> None:
    [record] = run(json_step({"native_id": "id", "text": "t", "published_at": "at"}), {"data": [{"id": 1, "t": "x", "at": "2027-01-01 10:00"}]}).records
    assert record.published_at == NOW and record.precision == "minute" and record.extra == {"future": True}


def test_identity_falls_back_to_address_then_to_content() -> None:
    step = json_step({"url": "u", "text": "t", "author": "a"})
    data = {"data": [{"u": "/a?utm_source=x", "t": "一"}, {"t": "二", "a": "甲"}, {"t": "二", "a": "乙"}, {"t": "二", "a": "甲"}]}
    records = run(step, data).records
    assert records[0].native_id == "https://example.com/a"
    assert len({record.native_id for record in records}) == 3 and len(records) == 3
    assert run(step, data).records == records


@pytest.mark.parametrize(("body", "state"), [
    ({"data": []}, "empty"), ({"list": [1]}, "drift"), ({"data": [{"x": 1}]}, "drift"), ("<html><body>维护中</body></html>", "drift"),
    ({"code": 1, "msg": "请先登录"}, "login"), ({"msg": "访问过于频繁"}, "blocked"), ("", "unavailable"), ({"comments": [], "x": 1}, "empty"),
])
def test_states(body: object, state: str) -> None:
    got = run(json_step({"native_id": "id", "text": "t"}), body)
    assert (got.state, bool(got.reason)) == (state, True)


def test_check() -> None:
    step = json_step({"native_id": "id", "text": "t"}, check={"ok": "code == `0`", "message": "msg", "removed": "code == `404`"})
    good = {"code": 0, "data": [{"id": 1, "t": "x"}]}
    assert run(step, good).state == "ok"
    assert run(step, {**good, "code": 404}).state == "removed"
    assert run(step, {**good, "code": 5, "msg": "奇怪的错误"}).state == "blocked"
    assert run(step, {**good, "code": 5, "msg": "登录已过期"}).state == "login"


@pytest.mark.parametrize(("following", "body", "url", "wanted"), [
    ({"param": "page"}, {}, URL, "https://example.com/list?page=2"), ({"param": "p"}, {}, "https://example.com/l?q=%E6%9D%AF", "https://example.com/l?q=%E6%9D%AF&p=2"),
    ({"param": "start", "first": 0, "by": 20}, {}, "https://example.com/l", "https://example.com/l?start=20"),
    ({"param": "page", "more": "more"}, {"more": False}, URL, None), ({"param": "c", "cursor": "next"}, {"next": "a=b"}, URL, "https://example.com/list?page=1&c=a%3Db"),
    ({"param": "c", "cursor": "next"}, {"next": ""}, URL, None), ({"param": "c", "cursor": "next"}, {"next": 0}, URL, None),
    ({"link": "next"}, {"next": "/list?page=9"}, URL, "https://example.com/list?page=9"), ({"link": "next"}, {"next": URL}, URL, None),
    ({"link": "next"}, {"next": "javascript:void(0)"}, URL, None),
])
def test_next(following: dict[str, Any], body: dict[str, Any], url: str, wanted: str | None) -> None:
    step = json_step({"native_id": "id", "text": "t"}, next=following)
    assert run(step, {**body, "data": [{"id": 1, "t": "x"}]}, url).next_url == wanted
    assert run(step, {**body, "data": []}, url).next_url is None


HTML = """<html><body><ul><li class="item" data-id="1" data-j='{"k":{"n":5}}'><a href="/d/1">标题一</a><p>第一段</p><p>第二段</p><i>昨天 12:30</i></li>
<li class="item ad" data-id="2"><a href="/d/2">广告</a><p>买</p></li></ul><h1>板块名</h1><a class="next" href="?page=2">下一页</a></body></html>"""


def test_html_paths() -> None:
    fields = {
        "native_id": "@data-id", "url": "a@href", "title": "a", "text": {"path": "p", "join": "\n"}, "published_at": "i",
        "shop": "page:h1", "likes": "@data-j |> k.n", "author": "xpath:concat('作者', string(./a))",
    }
    step = {"extract": "html", "next": {"link": "a.next"}, "records": [{"kind": "post", "items": "li.item", "where": "!.ad", "fields": fields}]}
    got = run(step, HTML)
    [record] = got.records
    assert (record.native_id, record.url, record.title, record.text) == ("1", "https://example.com/d/1", "标题一", "第一段\n第二段")
    assert (record.shop, record.likes, record.author) == ("板块名", 5, "作者标题一")
    assert record.published_at == dt.datetime(2026, 11, 15, 12, 30, tzinfo=ZONE)
    assert got.next_url == "https://example.com/list?page=2"
    step["records"][0]["items"] = "xpath://li[@data-id='2']"  # type: ignore[index]
    step["records"][0].pop("where")  # type: ignore[index]
    assert [found.native_id for found in run(step, HTML).records] == ["2"]


def test_links_carry_what_the_listing_knows() -> None:
    step = {"extract": "html", "links": {"items": "li.item", "fields": {"url": "a@href", "native_id": "@data-id", "title": "a", "published_at": "i"}}}
    links = run(step, HTML).links
    assert [(link.url, link.native_id) for link in links] == [("https://example.com/d/1", "1"), ("https://example.com/d/2", "2")]
    assert links[0].carried["title"] == "标题一" and links[0].carried["precision"] == "minute"
    detail = {"extract": "html", "records": [{"kind": "post", "fields": {"text": "div.t"}}, {"kind": "comment", "items": "div.c", "fields": {"text": "p"}}]}
    body = "<html><body><div class='t'>正文</div><div class='c'><p>沙发</p></div></body></html>"
    post, comment = run(detail, body, "https://example.com/d/1?from=list", carried=links[0].carried).records
    assert (post.native_id, post.title, post.precision) == ("1", "标题一", "minute")
    assert post.published_at == links[0].carried["published_at"]
    assert comment.parent == "1" and comment.title is None


def test_comments_belong_to_their_root() -> None:
    root = MentionRecord("r9", "https://example.com/t/9", MentionKind.POST, "帖子")
    step = {"extract": "json", "records": [{"kind": "comment", "items": "data", "fields": {"native_id": "id", "text": "t"}}]}
    [comment] = run(step, {"data": [{"id": 3, "t": "回"}]}, root=root).records
    assert (comment.parent, comment.url) == ("r9", "https://example.com/t/9#3")


def test_a_fallback_is_used_only_where_nothing_was_read() -> None:
    first = {"kind": "review", "jsonld": "Review"}
    second = {"kind": "review", "fallback": True, "items": "div.r", "fields": {"text": "p"}}
    linked = '<script type="application/ld+json">{"@type":"Review","reviewBody":"甲"}</script>'
    body = "<html><body>{}<div class='r'><p>乙</p></div></body></html>"
    step = {"extract": "html", "records": [first, second]}
    assert [record.text for record in run(step, body.format(linked)).records] == ["甲"]
    assert [record.text for record in run(step, body.format("")).records] == ["乙"]


def test_undecodable_pages_say_so() -> None:
    spec = source(json_step({"native_id": "id", "text": "t"}))
    assert spec.listing is not None
    body = b'{"data":[{"id":1,"t":"' + b"\x81\xff" * 30 + b'"}]}'
    got = extract(Page(URL, body, NOW, request_url=URL), spec.listing, spec, NOW, ZONE)
    assert got.state == "charset" and "解不开" in got.reason and not got.records


def test_a_branch_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("crawlers.extractors.some_platform")

    def branch(page: Page, text: str, *_: Any) -> list[MentionRecord]:
        return [MentionRecord("b1", page.url, MentionKind.POST, text.strip())]

    module.extract = branch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "crawlers.extractors.some_platform", module)
    step = {"extract": "html", "python": "some_platform"}
    assert [record.text for record in run(step, "<p>x</p>").records] == ["<p>x</p>"]
    with pytest.raises(SpecError, match="nowhere"):
        run({"extract": "html", "python": "nowhere"}, "<p>x</p>")


def test_endless_lists_are_cut_off() -> None:
    assert len(run(json_step({"native_id": "id", "text": "t"}), {"data": [{"id": n, "t": "x"} for n in range(6000)]}).records) == 5000


STEPS = [
    json_step({"native_id": "id", "text": "t"}), {"extract": "json", "state": "window.S", "records": [{"kind": "post", "items": "**[?t]", "fields": {"text": "t"}}]},
    {"extract": "html", "records": [{"kind": "post", "items": "p", "fields": {"text": ":scope"}}]}, {"extract": "feed"},
    {"extract": "html", "records": [{"kind": "review", "jsonld": "Review"}]}, {"extract": "html", "records": [{"kind": "article", "article": True}]},
]


@given(st.sampled_from(STEPS), st.binary(max_size=300) | st.text(alphabet="<>/pdiv{}[]\"':=S.window \n中&;", max_size=200).map(str.encode))
@settings(deadline=None, max_examples=150)
def test_never_raises_on_any_page(step: dict[str, Any], body: bytes) -> None:
    spec = source(step)
    assert spec.listing is not None
    got = extract(Page(URL, body, NOW, request_url=URL), spec.listing, spec, NOW, ZONE)
    assert got.state in ("ok", "empty", "blocked", "captcha", "login", "removed", "unavailable", "charset", "drift")
    assert got.state != "ok" or got.records or got.links


def test_pages_nested_to_exhaust_the_parser_are_cut_and_said_so() -> None:
    step = {"extract": "html", "records": [{"kind": "post", "items": "p.t", "fields": {"text": ":scope"}}]}
    got = run(step, "<p class='t'>读得到</p>" + "<div>" * 200_000)
    assert [record.text for record in got.records] == ["读得到"]
    assert got.cut == ("网页嵌套超过 2000 层，后面的没有读",)
    long_list = "<ul>" + "".join(f"<li class='x'><p class='t'>第{n}条<br>" for n in range(3000)) + "</ul>"
    assert len(run(step, long_list).records) == 3000


def test_several_posts_on_a_page_keep_their_own_replies() -> None:
    specs = [
        {"kind": "review", "items": "data", "fields": {"native_id": "id", "text": "t", "url": {"template": "/r/{id}"}}},
        {"kind": "reply", "items": "data", "where": "re", "fields": {"native_id": {"template": "{id}-re"}, "text": "re", "parent": "id"}},
        {"kind": "reply", "items": "loose", "fields": {"text": "re"}},
    ]
    body = {"data": [{"id": 1, "t": "一", "re": "回一"}, {"id": 2, "t": "二", "re": "回二"}], "loose": [{"re": "不知回谁"}]}
    records = run({"extract": "json", "records": specs}, body).records
    assert [(record.parent, record.url) for record in records[2:4]] == [
        ("1", "https://example.com/r/1#1-re"), ("2", "https://example.com/r/2#2-re"),
    ]
    assert records[4].parent is None
