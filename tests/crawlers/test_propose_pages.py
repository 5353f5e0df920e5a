"""What `source new` makes of pages, without a network: recognition, fields, and the file that is written."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawlers.extractors import check_source
from crawlers.propose import Proposal, ProposeError, SavedPage, write_source
from crawlers.propose_page import Reading, read_page
from crawlers.propose_selectors import classes
from tests.conftest import ROOT
from vocwatch.exits import Exit
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings import Settings, Source, load_settings
from vocwatch.settings.edit import set_key
from vocwatch.settings.yamlfile import load_model

ZONE = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)
URL = "https://bbs.example.com/x"
BASE: dict[str, Any] = {
    "name": "site", "title": "站点", "owner": "值班QA", "start": [URL], "enabled": False,
    "access": {"basis": "公开页面", "robots": "允许", "reviewer": "值班QA", "date": dt.date(2026, 11, 16)},
}
SAVED = ROOT / "tests" / "pages"


def read(body: str, url: str = URL, kind: str = "text/html") -> Reading:
    headers = {"content-type": f"{kind}; charset=utf-8"}
    return read_page(Page(url, body.encode(), NOW, headers=headers, request_url=url), BASE, ZONE)


def step_of(reading: Reading) -> dict[str, Any]:
    assert reading.records is not None, reading.seen
    return reading.records.draft.step


def page_of(*blocks: str, head: str = "") -> str:
    menu = "".join(f'<a href="/{n}">栏目{n}</a>' for n in range(9))
    return f"<!doctype html><html><head><title>站点</title>{head}</head><body><nav>{menu}</nav><div id=main>{''.join(blocks)}</div></body></html>"


TEXTS = [
    "用了两周杯盖就开始漏水，书包湿了一大片", "客服半天不回，退货还要自己出运费", "颜色跟图片一样，孩子很喜欢",
    "保温只有三个小时，跟宣传的差太远", "包装破了，杯身有一道划痕",
]


# -- repeated blocks ----------------------------------------------------------------------------------------------


def test_reviews_in_blocks_with_stars_time_and_pages() -> None:
    blocks = [
        f'<div class="rv css-1a2b3"><span class="rv-user">用户{n}</span><i class="rv-star" data-score="{n % 5 + 1}"></i>'
        f'<span class="rv-date">2026-11-0{n + 1}</span><p class="rv-text">{text}</p><a class="rv-link" href="/r/{1000 + n}">详情</a></div>'
        for n, text in enumerate(TEXTS)
    ]
    reading = read(page_of(*blocks, '<a href="/x?page=2">下一页</a>'), "https://shop.example.com/item/reviews")
    trial = reading.records
    assert trial is not None
    assert [record.text for record in trial.found.records] == TEXTS
    spec = step_of(reading)["records"][0]
    assert spec["items"] == "div.rv"
    assert spec["kind"] == "review"
    assert spec["fields"]["rating"] == "i.rv-star@data-score"
    assert trial.found.records[0].rating == 1.0
    assert trial.found.records[0].url == "https://shop.example.com/r/1000"
    assert trial.draft.following == {"link": "xpath://a[contains(., '下一页')]/@href"}


def test_a_table_without_classes_is_found_by_its_container() -> None:
    rows = [f"<tr><td>{text}</td><td>网友{n}</td><td>2026-11-1{n} 10:0{n}</td></tr>" for n, text in enumerate(TEXTS)]
    reading = read(page_of(f'<table class="posts"><tbody>{"".join(rows)}</tbody></table>'))
    spec = step_of(reading)["records"][0]
    assert spec["items"] == "table.posts > tbody > tr"
    assert spec["fields"]["text"] == "td:nth-child(1)"
    assert spec["fields"]["published_at"] == "td:nth-child(3)"


def test_floors_are_a_post_and_its_comments() -> None:
    floors = [
        f'<div class="post"><b class="author">网友{n}</b><em class="no">{"楼主" if n == 0 else f"{n + 1}楼"}</em>'
        f'<span class="date">11-1{n} 08:00</span><div class="msg">{text}</div></div>' for n, text in enumerate(TEXTS)
    ]
    reading = read(page_of("<h1>保温杯漏水大家遇到过吗</h1>", *floors))
    trial = reading.records
    assert trial is not None
    kinds = [record.kind for record in trial.found.records]
    assert kinds == [MentionKind.POST] + [MentionKind.COMMENT] * 4
    assert trial.found.records[0].title == "保温杯漏水大家遇到过吗"
    assert {record.parent for record in trial.found.records[1:]} == {trial.found.records[0].native_id}


def test_a_list_of_titles_names_links_and_the_menu_and_the_trap_do_not() -> None:
    rows = [
        f'<li class="row"><a class="tit" href="/t/{2000 + n}">{text}</a><span class="when">11-1{n}</span></li>'
        for n, text in enumerate(TEXTS)
    ]
    reading = read(page_of(f"<ul>{''.join(rows)}</ul>", '<a href="/trap" rel="nofollow" style="display:none">.</a>'))
    assert reading.links is not None
    assert [link.url for link in reading.links.found.links] == [f"https://bbs.example.com/t/{2000 + n}" for n in range(5)]
    assert all("published_at" in link.carried for link in reading.links.found.links)
    assert reading.records is None or not reading.records.real


def test_layout_and_build_classes_name_nothing() -> None:
    node = LexborHTMLParser('<p class="col-md-6 css-x1y2z3 clearfix is-open Review_text__3xYz1 review-text">x</p>').css_first("p")
    assert node is not None
    assert classes(node) == ["review-text"]


# -- one post -----------------------------------------------------------------------------------------------------


def test_a_complaint_page_is_one_record() -> None:
    body = page_of(
        '<h1 class="c-title">要求退款</h1><p class="meta"><span class="c-user">张**</span><time>2026-11-12 09:00</time></p>'
        f'<div class="c-text"><p>{TEXTS[0]}</p><p>{TEXTS[1]}</p></div>'
    )
    reading = read(body, "https://tousu.example.com/complaint/1")
    trial = reading.records
    assert trial is not None
    assert trial.draft.step["records"][0]["fields"]["text"] == "div.c-text"
    record = trial.found.records[0]
    assert (record.kind, record.title, record.author) == (MentionKind.COMPLAINT, "要求退款", "张**")
    assert TEXTS[0] in record.text
    assert TEXTS[1] in record.text


# -- JSON ---------------------------------------------------------------------------------------------------------


def _comments(count: int = 5) -> list[dict[str, Any]]:
    return [
        {"comment_id": 9000 + n, "content": TEXTS[n], "ctime": 1762900000 + n, "user": {"nick_name": f"用户{n}", "avatar": "https://i"},
         "like_count": n * 3, "score": n % 5 + 1} for n in range(count)
    ]


def test_an_api_is_read_by_the_names_of_its_keys() -> None:
    answer = {"code": 0, "data": {"banners": [{"title": "活动", "img": "/a.png"}], "list": _comments(), "has_more": True}}
    reading = read(json.dumps(answer), "https://api.example.com/review/list?page=1&size=5", "application/json")
    trial = reading.records
    assert trial is not None
    spec = trial.draft.step["records"][0]
    assert spec["items"] == "data.list"
    assert spec["fields"] == {
        "native_id": "comment_id", "text": "content", "author": "user.nick_name", "published_at": "ctime",
        "rating": "score", "likes": "like_count",
    }
    assert trial.draft.following == {"param": "page", "more": "data.has_more"}


def test_votes_are_no_stars() -> None:
    posts = [{"id": n, "title": f"帖子{n}的标题", "body": TEXTS[n], "created": 1762900000 + n, "score": n * 40} for n in range(5)]
    spec = step_of(read(json.dumps(posts), kind="application/json"))["records"][0]
    assert "rating" not in spec["fields"]
    assert spec["fields"]["likes"] == "score"


def test_objects_keyed_by_id_and_comments_beside_them_in_a_state() -> None:
    note = {"noteId": "a1b2c3d4", "title": "翻车了", "desc": TEXTS[0], "time": 1762900000000, "user": {"nickname": "小茉"}}
    comments = [{name: value for name, value in comment.items() if name != "score"} for comment in _comments(3)]
    state = {"note": {"detailMap": {"a1b2c3d4": {"note": note, "comments": {"list": comments}}}}}
    script = f"<script>window.__INITIAL_STATE__={json.dumps(state).replace('null', 'undefined')}</script>"
    reading = read(page_of("<div id=app></div>", head=script))
    trial = reading.records
    assert trial is not None
    assert "__INITIAL_STATE__" in reading.kind
    assert [record.kind for record in trial.found.records] == [MentionKind.POST] + [MentionKind.COMMENT] * 3
    assert trial.found.records[0].text == TEXTS[0]
    assert {record.parent for record in trial.found.records[1:]} == {"a1b2c3d4"}


# -- saved pages --------------------------------------------------------------------------------------------------


def _saved(case: Path) -> tuple[dict[str, Any], Reading]:
    wanted = json.loads(case.read_text(encoding="utf-8"))
    stem = case.name.removesuffix(".expected.json")
    body = next(path for path in case.parent.glob(f"{stem}.*") if path != case).read_bytes()
    page = Page(
        url=wanted["url"], body=body, fetched_at=NOW, status=wanted.get("status", 200),
        headers=wanted.get("headers", {}), request_url=wanted.get("request_url", wanted["url"]),
    )
    return wanted, read_page(page, BASE, ZONE)


def _cases(*states: str) -> Iterator[Any]:
    for case in sorted(SAVED.glob("*/*.expected.json")):
        if json.loads(case.read_text(encoding="utf-8"))["state"] in states:
            yield pytest.param(case, id=f"{case.parent.name}/{case.name.split('.')[0]}")


@pytest.mark.parametrize("case", list(_cases("captcha", "blocked", "login", "removed", "unavailable")))
def test_a_wall_is_never_taken_for_a_source(case: Path) -> None:
    _, reading = _saved(case)
    refused = reading.sign.hard or (reading.sign.state != "ok" and not (reading.records and reading.records.sure))
    assert refused or (reading.records is None and reading.links is None)


READABLE = (
    "appstore-xml/reviews", "bilibili/replies", "douban/review", "douyin/share_page", "hackernews/stories", "heimao/complaint",
    "jd/comments_array", "jd/comments_jsonp_gbk", "news/article_json_ld", "news/article_visible_time", "rss/atom",
    "rss/gb2312_malformed", "rss/rss_content_encoded", "schema-org/product_json_ld", "schema-org/product_microdata",
    "trustpilot/company_page", "trustpilot-page/graph", "v2ex/topics", "v2ex/replies", "weibo/detail", "weibo/timeline",
    "weibo/hotflow", "wechat-mp/article", "xiaohongshu/note_logged_out", "xiaohongshu/note_with_comments",
    "xiaohongshu/comment_page", "zhihu/question_page", "reddit/thread",
)


@pytest.mark.parametrize("name", READABLE)
def test_a_saved_page_gives_records_with_their_times(name: str) -> None:
    _, reading = _saved(SAVED / f"{name}.expected.json")
    assert reading.records is not None
    records = reading.records.found.records
    assert records
    assert all(record.text and record.published_at for record in records)


# -- hostile pages ------------------------------------------------------------------------------------------------


@limits(max_examples=60, deadline=None)
@given(st.one_of(
    st.text(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=20,
    ).map(json.dumps),
    st.lists(st.sampled_from(["<li class='a b'>", "</li>", "<a href='x'>", "<script>", "window.x={", "文字 2026-11-01", "\x00", "<table>"]), max_size=30).map("".join),
))
def test_nothing_on_a_page_breaks_the_reading(body: str) -> None:
    page = Page(URL, body.encode("utf-8", "replace"), NOW, request_url=URL)
    assert isinstance(read_page(page, BASE, ZONE), Reading)


# -- the file -----------------------------------------------------------------------------------------------------


def _proposal(title: str = "站点", note: str = "", **steps: Any) -> Proposal:
    steps = steps or {"listing": {
        "extract": "html", "next": {"link": "a.next"},
        "records": [{"kind": "review", "items": "li.r", "fields": {
            "text": "p.review-text", "rating": "@data-stars", "native_id": {"path": "a@href", "regex": r"(\d+)"},
            "author": ["b.nick", "b.user"],
        }}],
    }}
    source = Source.model_validate({**BASE, "title": title, **steps})
    record = MentionRecord("1", URL, MentionKind.REVIEW, TEXTS[0], author="小茉")
    page = Page(URL, b"<!doctype html><p>x", NOW, request_url=URL)
    return Proposal(source, "重复区块", "允许", [record], {"text": (1, 1)}, (note,) if note else (), (SavedPage("listing", page, [record]),))


def test_the_file_is_short_commented_and_loads(settings: Settings) -> None:
    proposal = _proposal()
    path = write_source(settings, proposal)
    text = path.read_text(encoding="utf-8")
    assert "      text: p.review-text\n" in text
    assert "author: [b.nick, b.user]" in text
    assert r"native_id: {path: a@href, regex: (\d+)}" in text
    assert "enabled: false" in text
    assert "date: 2026-11-16" in text
    assert "next: {link: a.next}" in text
    assert load_model(path, Source, {}) == proposal.source
    set_key(path, "enabled", True)
    changed = [line for line in path.read_text(encoding="utf-8").splitlines() if line not in text.splitlines()]
    assert len(changed) == 1, "switching on rewrites nothing else"
    set_key(path, "enabled", False)
    assert load_settings(settings.env).sources["site"] == proposal.source
    expected = json.loads((settings.env.data / "sources" / "site" / "listing.expected.json").read_text(encoding="utf-8"))
    assert "小茉" not in json.dumps(expected, ensure_ascii=False)


def test_an_existing_file_is_never_written_over(settings: Settings) -> None:
    path = settings.env.config / "sources" / "site.yaml"
    path.write_text("# 手写的\n", encoding="utf-8")
    with pytest.raises(ProposeError, match="已经存在") as caught:
        write_source(settings, _proposal())
    assert caught.value.code is Exit.USAGE
    assert path.read_text(encoding="utf-8") == "# 手写的\n"
    assert [entry.name for entry in path.parent.iterdir() if "draft" in entry.name] == []


@pytest.mark.parametrize("words", ["x\nenabled: true\n# y", "a: {b", "${HOME}x", "'\"\\ #:", "\u2028enabled: true", "- x"])
def test_words_from_outside_cannot_change_the_file(settings: Settings, words: str) -> None:
    proposal = _proposal(title=words.replace("${", "$ {"), note=words)
    path = write_source(settings, proposal)
    loaded = load_model(path, Source, {})
    assert loaded.enabled is False
    assert loaded.title == proposal.source.title


# -- the documents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["add-a-source.md", "add-a-source.zh-CN.md"])
def test_the_documented_files_are_valid(name: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 3
    for block in blocks:
        path = tmp_path / "source.yaml"
        path.write_text(block, encoding="utf-8")
        check_source(load_model(path, Source, {}))
