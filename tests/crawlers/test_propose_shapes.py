"""Invented pages of many shapes: each must be read without a person's help, its texts, times and names rightly."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from crawlers.propose_page import Reading
from tests.crawlers.test_propose_pages import NOW, TEXTS, ZONE, page_of, read
from vocwatch.models import MentionKind, MentionRecord

POST, COMMENT, APPEND, REPLY = MentionKind.POST, MentionKind.COMMENT, MentionKind.APPEND, MentionKind.REPLY
NAMES = ["青柚子", "慢半拍", "小河边", "不吃香菜", "阿树"]
LINES = [f"本地第{n}家商场的柜台说，杯子{n * 7}天内可以换新，超过的要寄回工厂检测，检测要等很久。" for n in range(1, 6)]
BODY = "".join(f"<p>{line}</p>" for line in LINES)


def records(reading: Reading, *kinds: MentionKind) -> list[MentionRecord]:
    assert reading.records is not None, reading.seen
    return [record for record in reading.records.found.records if not kinds or record.kind in kinds]


def day(record: MentionRecord) -> str:
    assert record.published_at is not None, record
    return record.published_at.astimezone(ZONE).strftime("%m-%d")


def whole(found: list[MentionRecord], texts: list[str] = TEXTS, names: list[str] = NAMES) -> None:
    """The texts in order, each with its time and its author."""
    assert [record.text for record in found] == texts
    assert [record.author for record in found] == names
    assert all(record.published_at and record.published_at <= NOW for record in found)


def test_rows_of_a_forum_table_name_threads_with_replies_and_a_next_page() -> None:
    rows = "".join(
        f'<tr class="topic"><td class="folder"></td><td><a class="topic-title" href="/thread-{88100 + n}-1-1.html">{text}</a></td>'
        f'<td class="author">{NAMES[n]}</td><td class="replies">{n * 3}</td><td class="lastpost">2026-11-1{n}</td></tr>'
        for n, text in enumerate(TEXTS)
    )
    reading = read(page_of(f"<table><tbody>{rows}</tbody></table>", '<a class="nxt" href="/forum-2-2.html">下一页</a>'))
    assert reading.links is not None
    links = reading.links.found.links
    assert [link.carried["title"] for link in links] == TEXTS
    assert [link.carried["replies"] for link in links] == [0, 3, 6, 9, 12]
    assert reading.links.draft.following == {"link": "a.nxt"}
    assert reading.records is None or not reading.records.real


def test_a_discuz_list_is_found_by_its_numbered_ids() -> None:
    rows = "".join(
        f'<tbody id="normalthread_{77001 + n}"><tr><th class="common"><a href="thread-{77001 + n}-1-1.html" class="s xst">{text}</a></th>'
        f'<td class="by"><cite><a href="space-uid-{n}.html">{NAMES[n]}</a></cite><em><span>2026-11-1{n}</span></em></td>'
        f'<td class="num"><a class="xi2">{n}</a><em>{100 + n}</em></td></tr></tbody>' for n, text in enumerate(TEXTS)
    )
    reading = read(page_of(f'<table summary="forum">{rows}</table>'))
    assert reading.links is not None
    assert [link.url for link in reading.links.found.links] == [f"https://bbs.example.com/thread-{77001 + n}-1-1.html" for n in range(5)]


def test_a_discuz_thread_is_a_post_and_its_floors() -> None:
    floors = "".join(
        f'<div id="post_{560101 + n * 7}"><table class="plhin"><tr><td class="pls"><div class="authi"><a class="xw1" href="space-uid-{n}.html">{NAMES[n]}</a></div></td>'
        f'<td class="plc"><div class="pi"><strong><a>{"楼主" if n == 0 else f"{n + 1}#"}</a></strong><div class="authi"><em id="authorposton{560101 + n * 7}">发表于 2026-11-1{n} 09:0{n}</em></div></div>'
        f'<div class="t_fsz"><table><tr><td class="t_f" id="postmessage_{560101 + n * 7}">{text}</td></tr></table></div></td></tr></table></div>'
        for n, text in enumerate(TEXTS)
    )
    reading = read(page_of('<h1 class="ts"><span id="thread_subject">杯盖漏水</span></h1>', f'<div id="postlist">{floors}</div>'))
    found = records(reading)
    assert [record.kind for record in found] == [POST] + [COMMENT] * 4
    whole(found)
    assert [day(record) for record in found] == [f"11-1{n}" for n in range(5)]
    assert {record.parent for record in found[1:]} == {found[0].native_id}
    assert len({record.native_id for record in found}) == 5


def test_cards_with_comments_inside() -> None:
    cards = "".join(
        f'<div class="card" data-id="{90210 + n}"><b class="card-author">{NAMES[n]}</b><time datetime="2026-11-1{n}T08:00:00+08:00">11-1{n}</time>'
        f'<div class="card-text">{text}</div><ul class="replies">'
        + "".join(f'<li class="reply"><b class="reply-user">{NAMES[4 - m]}</b><span class="reply-text">我也遇到了，第{n}{m}次</span></li>' for m in range(2))
        + "</ul></div>" for n, text in enumerate(TEXTS)
    )
    reading = read(page_of(cards))
    whole(records(reading, POST))
    assert len(records(reading, COMMENT)) == 10
    assert all(record.author and "我也遇到了" in record.text for record in records(reading, COMMENT))


def test_a_definition_list() -> None:
    items = "".join(
        f'<dl class="msg"><dt><span class="who">{NAMES[n]}</span><span class="posted">2026-11-1{n} 10:00</span></dt><dd class="words">{text}</dd></dl>'
        for n, text in enumerate(TEXTS)
    )
    found = records(read(page_of(items)))
    assert [record.text for record in found] == TEXTS
    assert [day(record) for record in found] == [f"11-1{n}" for n in range(5)]


def test_a_review_widget_with_microdata() -> None:
    items = "".join(
        f'<div itemprop="review" itemscope itemtype="https://schema.org/Review"><span itemprop="author">{NAMES[n]}</span>'
        f'<meta itemprop="datePublished" content="2026-11-1{n}"><span itemprop="reviewRating" itemscope itemtype="https://schema.org/Rating">'
        f'<meta itemprop="ratingValue" content="{n + 1}"></span><p itemprop="reviewBody">{text}</p></div>' for n, text in enumerate(TEXTS)
    )
    reading = read(page_of(f'<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">保温杯</h1>{items}</div>'))
    found = records(reading)
    whole(found)
    assert [record.rating for record in found] == [1, 2, 3, 4, 5]


def test_fields_in_json_attributes() -> None:
    items = "".join(
        "<div class='floor-box' data-field='" + json.dumps({"author": {"user_name": NAMES[n]}, "content": {"post_id": 700100 + n, "ctime": f"2026-11-1{n} 07:30"}})
        + f"'><div class='words'>{text}</div></div>" for n, text in enumerate(TEXTS)
    )
    found = records(read(page_of(items)))
    whole(found)
    assert [record.native_id for record in found] == [str(700100 + n) for n in range(5)]


def test_html_inside_json() -> None:
    markup = "".join(
        f'<li class="feed-item"><a class="feed-name" href="/u/{n}">{NAMES[n]}</a><span class="feed-time">2026-11-1{n} 12:00</span><p class="feed-text">{text}</p></li>'
        for n, text in enumerate(TEXTS)
    )
    reading = read(json.dumps({"code": 0, "data": {"html": f"<ul>{markup}</ul>", "count": 5}}), kind="application/json")
    assert reading.kind == "JSON 里的网页片段"
    whole(records(reading))


def _entry(n: int, **more: Any) -> dict[str, Any]:
    return {"cid": f"c{8800 + n}", "content": TEXTS[n], "created_at": 1762900000 + 86400 * n, "user": {"nickname": NAMES[n]}, **more}


def test_an_api_of_nested_lists_with_a_cursor() -> None:
    entries = [_entry(n, digg_count=n) for n in range(5)]
    entries[1]["reply_list"] = [{"cid": "c9901", "content": "回复里说的也一样", "created_at": 1763000000, "user": {"nickname": "晚风"}, "parent_id": "c8801"}]
    answer = {"status": 0, "result": {"comments": entries, "cursor": "20", "has_more": 1 > 0}}
    reading = read(json.dumps(answer), "https://api.example.com/comments?aid=7&cursor=0", "application/json")
    found = records(reading)
    assert len(found) == 6
    assert {record.text for record in found} == {*TEXTS, "回复里说的也一样"}
    assert next(record for record in found if record.native_id == "c9901").parent == "c8801"
    assert reading.records is not None
    assert reading.records.draft.following == {"param": "cursor", "cursor": "result.cursor", "more": "result.has_more"}


def test_a_graphql_answer() -> None:
    nodes = [{"node": {"id": f"R{4400 + n}", "body": TEXTS[n], "createdAt": f"2026-11-1{n}T02:00:00Z", "author": {"displayName": NAMES[n]}, "rating": n + 1}} for n in range(5)]
    answer = {"data": {"product": {"name": "保温杯", "reviews": {"edges": nodes, "pageInfo": {"hasNextPage": True, "endCursor": "abc="}}}}}
    reading = read(json.dumps(answer), "https://api.example.com/graphql?after=x", "application/json")
    whole(records(reading))
    assert [record.rating for record in records(reading)] == [1, 2, 3, 4, 5]
    assert reading.records is not None
    assert reading.records.draft.following == {
        "param": "after", "cursor": "data.product.reviews.pageInfo.endCursor", "more": "data.product.reviews.pageInfo.hasNextPage",
    }


@pytest.mark.parametrize("script", [
    '<script id="__NEXT_DATA__" type="application/json">{}</script>', "<script>window.__NUXT__={}</script>",
    '<script>window.pageData = JSON.parse({})</script>',
])
def test_a_state_object_inside_a_page(script: str) -> None:
    state = json.dumps({"props": {"pageProps": {"shop": {"title": "杯子店"}, "list": [_entry(n) for n in range(5)]}}}, ensure_ascii=False)
    content = json.dumps(state) if "JSON.parse" in script else state
    reading = read(page_of("<div id=app></div>", head=script.replace("{}", content)))
    assert "网页内嵌状态" in reading.kind
    whole(records(reading))


def test_an_endless_list_with_a_pager_of_numbers() -> None:
    items = "".join(
        f'<article class="post-item"><h2 class="post-title"><a href="/p/{60100 + n}">第{n}篇：用后感</a></h2><span class="post-author">{NAMES[n]}</span>'
        f'<span class="post-date">2026-11-1{n} 08:00</span><div class="post-content">{text}</div></article>' for n, text in enumerate(TEXTS)
    )
    pager = "".join(f'<a href="/x?tab=new&amp;page={n}">{n}</a>' for n in (1, 2, 3))
    reading = read(page_of(items, f"<p>{pager}</p>"), "https://bbs.example.com/x?tab=new")
    whole(records(reading))
    assert reading.records is not None
    assert reading.records.draft.following == {"param": "page"}
    assert [record.url for record in records(reading)] == [f"https://bbs.example.com/p/{60100 + n}" for n in range(5)]


def test_advertisements_among_the_blocks_are_left_out() -> None:
    blocks = [
        f'<div class="item" data-rid="{51000 + n}"><span class="nick">{NAMES[n]}</span><span class="ctime">2026-11-1{n} 21:00</span><p class="comment-text">{text}</p></div>'
        for n, text in enumerate(TEXTS)
    ]
    advert = '<div class="item ad"><a href="https://ad.example.net/go?id=9">双11保温杯特价，点此领券，全场包邮到家</a></div>'
    whole(records(read(page_of(blocks[0], advert, *blocks[1:3], advert, *blocks[3:]))))


def test_relative_times() -> None:
    times = ["刚刚", "5分钟前", "3小时前", "昨天 20:13", "11-02"]
    items = "".join(
        f'<li class="cmt"><b class="cmt-name">{NAMES[n]}</b><i class="cmt-time">{times[n]}</i><p class="cmt-body">{text}</p></li>' for n, text in enumerate(TEXTS)
    )
    found = records(read(page_of(f"<ul>{items}</ul>")))
    whole(found)
    assert found[1].published_at == NOW - dt.timedelta(minutes=5)
    assert [day(record) for record in found[3:]] == ["11-15", "11-02"]


def test_a_table_of_two_columns_is_one_complaint() -> None:
    facts = (("投诉人", "林**"), ("投诉时间", "2026-11-12 09:20"), ("投诉对象", "杯子专营店"))
    rows = "".join(f'<tr><th>{name}</th><td class="v{n}">{value}</td></tr>' for n, (name, value) in enumerate(facts))
    reading = read(
        page_of(f'<h1>杯盖漏水不给退</h1><table class="facts">{rows}</table><div class="complaint-body">{BODY}</div>'),
        "https://tousu.example.com/complaint/88",
    )
    (found,) = records(reading)
    assert found.kind is MentionKind.COMPLAINT
    assert found.title == "杯盖漏水不给退"
    assert LINES[0] in found.text and LINES[4] in found.text
    assert day(found) == "11-12"


def test_a_follow_up_and_the_sellers_answer_inside_a_review() -> None:
    items = "".join(
        f'<li class="rate" data-rate-id="{33001 + n}"><span class="rate-user">{NAMES[n]}</span><i class="rate-star" data-score="{n + 1}"></i>'
        f'<time class="rate-date">2026-11-0{n + 1} 10:00</time><p class="rate-content">{text}</p>'
        + (f'<div class="rate-append"><time>2026-11-1{n} 10:00</time><p class="append-content">追评：两周后{text}</p></div>' if n < 2 else "")
        + (f'<div class="seller-reply"><p class="reply-content">亲，给您换一个新的，请联系客服{n}</p></div>' if n > 2 else "") + "</li>"
        for n, text in enumerate(TEXTS)
    )
    reading = read(page_of(f"<ul>{items}</ul>"), "https://shop.example.com/item/1/rate")
    whole(records(reading, MentionKind.REVIEW))
    appends, replies = records(reading, APPEND), records(reading, REPLY)
    assert [record.text for record in appends] == [f"追评：两周后{text}" for text in TEXTS[:2]]
    assert [day(record) for record in appends] == ["11-10", "11-11"]
    assert [record.parent for record in appends] == ["33001", "33002"]
    assert [record.parent for record in replies] == ["33004", "33005"]


def test_follow_ups_and_answers_in_json() -> None:
    entries = [{"rateId": 33001 + n, "rateContent": TEXTS[n], "rateDate": f"2026-11-0{n + 1} 10:00:00", "displayUserNick": NAMES[n],
                "appendComment": {"content": "用了两周又漏了", "commentTime": "2026-11-12 10:00:00"} if n == 1 else None,
                "reply": "亲，给您换一个新的" if n == 3 else ""} for n in range(5)]
    reading = read(json.dumps({"rateDetail": {"rateList": entries}}), "https://rate.example.com/list?currentPage=1", "application/json")
    found = records(reading)
    assert [record.text for record in found if record.kind not in (APPEND, REPLY)] == TEXTS
    assert [(record.text, record.parent) for record in records(reading, APPEND)] == [("用了两周又漏了", "33002")]
    assert [(record.text, record.parent) for record in records(reading, REPLY)] == [("亲，给您换一个新的", "33004")]


def test_a_list_hidden_in_a_comment() -> None:
    rows = "".join(
        f'<li class="entry"><span class="entry-name">{NAMES[n]}</span><span class="entry-date">2026-11-1{n} 10:00</span><div class="entry-text">{text}</div></li>'
        for n, text in enumerate(TEXTS)
    )
    reading = read(page_of(f'<code class="pagelet"><!--<ul>{rows}</ul>--></code>'))
    assert reading.records is not None
    assert reading.records.draft.step["uncomment"] is True
    whole(records(reading))


def test_an_article_with_comments_below_and_more_articles_beside() -> None:
    comments = "".join(
        f'<div class="comment-item"><a class="comment-user" href="/user/{n}">{NAMES[n]}</a><span class="comment-date">2026-11-1{n} 10:00</span>'
        f'<p class="comment-text">{text}</p></div>' for n, text in enumerate(TEXTS[1:])
    )
    more = "".join(f'<li class="more-item"><a href="/a/{n}">别的新闻{n}，说的是另一件完全不相干的事情</a><span>2026-11-0{n + 1}</span></li>' for n in range(5))
    reading = read(page_of(
        f'<article><h1>杯盖漏水，多地家长反映</h1><p class="byline"><span class="source">早城网</span><time datetime="2026-11-12T10:00:00+08:00">11-12</time></p>'
        f'<div class="article-body">{BODY}</div></article>', f'<section class="comments">{comments}</section>', f'<ul class="related">{more}</ul>',
    ))
    first, *rest = records(reading)
    assert first.title == "杯盖漏水，多地家长反映"
    assert LINES[4] in first.text and day(first) == "11-12"
    assert [record.text for record in rest] == TEXTS[1:]
    assert all(record.kind is COMMENT and record.author for record in rest)


def test_comment_ids_that_only_count_are_told_apart_by_their_post() -> None:
    state = {"note": {"id": "66aa77", "title": "翻车", "desc": "".join(LINES), "time": 1762900000000, "user": {"nickname": "小茉"}},
             "comments": [{"id": str(n + 1), "content": TEXTS[n], "time": 1762990000000, "user": {"nickname": NAMES[n]}} for n in range(5)]}
    reading = read(page_of("<div id=app></div>", head=f"<script>window.__INITIAL_STATE__={json.dumps(state)}</script>"))
    assert [record.native_id for record in records(reading, COMMENT)] == [f"66aa77-{n + 1}" for n in range(5)]


def test_two_groups_that_look_alike_are_both_offered() -> None:
    def group(name: str, texts: list[str]) -> str:
        return "".join(
            f'<div class="{name}"><b class="{name}-user">{NAMES[n]}</b><i class="{name}-time">2026-11-1{n} 10:00</i><p class="{name}-text">{text}</p></div>'
            for n, text in enumerate(texts)
        )
    reading = read(page_of(group("ask", [f"请问{text}怎么办呢" for text in TEXTS]), group("say", TEXTS)))
    assert reading.records is not None
    offered = [reading.records, *reading.rivals]
    assert {trial.draft.step["records"][0]["items"] for trial in offered} == {"div.ask", "div.say"}
