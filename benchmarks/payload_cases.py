"""The saved payloads and how their records are counted without the extractors."""

from __future__ import annotations

import re
from typing import Any

import orjson
from selectolax.lexbor import LexborHTMLParser

from benchmarks.payloads import Case, Rows, count, every, everywhere, has, nodes, rows, walk

XHS = "https://www.xiaohongshu.com/explore/64f30ef7000000001e02cf80"


def note(text: str) -> list[Any]:
    """The note inside a 小红书 page's state, if it is not an empty object."""
    found = re.search(r'"noteDetailMap":\{"\w+":\{.*?"note":\{(.)', text, re.S)
    return [found.group(1)] if found and found.group(1) != "}" else []


def next_data(text: str) -> Any:
    """The Next.js data of a page."""
    found = re.search(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', text, re.S)
    return orjson.loads(found.group(1)) if found else {}


def trustpilot(text: str) -> list[Any]:
    """Reviews and the company's replies."""
    reviews = next_data(text)["props"]["pageProps"]["reviews"]
    return reviews + [review["reply"] for review in reviews if review["reply"]]


def initial_data(text: str) -> list[Any]:
    """Answers and articles in a 知乎 page's initial data."""
    found = re.search(r'<script id="js-initialData"[^>]*>(.*?)</script>', text, re.S)
    entities = orjson.loads(found.group(1))["initialState"]["entities"] if found else {}
    return [*entities.get("answers", {}).values(), *entities.get("articles", {}).values()]


def jd_reviews(text: str) -> list[Any]:
    """Reviews (one stands twice in the dump), follow-ups and the shop's replies."""
    reviews = list({review["id"]: review for review in orjson.loads(text)}.values())
    return [
        *reviews,
        *(review["afterUserComment"] for review in reviews if review.get("afterUserComment")),
        *(review["replies"][0] for review in reviews if review.get("replies")),
    ]


def heimao_numbers(text: str) -> list[Any]:
    """Complaint numbers; the file holds each complaint twice."""
    return sorted(set(re.findall(r"投诉编号：</label>\s*(\d+)", text)))


def in_json(key: str, selector: str) -> Rows:
    """CSS nodes of HTML that travels in a JSON field."""
    return lambda text: list(LexborHTMLParser(orjson.loads(text)[key]).css(selector))


def microblogs(root: Any) -> list[dict[str, Any]]:
    """Posts of a 微博 timeline, the reposted originals too."""
    return walk(root, lambda node: "text" in node and "user" in node and "reposts_count" in node)


def amounts(*keys: str) -> Any:
    """The row has a value at one of the keys."""
    return lambda row: any(row.get(key) not in (None, "") for key in keys)


ONE: Rows = lambda text: [1]  # noqa: E731
NEWS = every("time", "author")
FEED = every("time")

CASES = [
    Case(
        "xiaohongshu/note_page_64f30ef7000000001e02cf80.html",
        "xiaohongshu",
        "detail",
        XHS,
        note,
        every("time", "author", "likes"),
    ),
    Case(
        "xiaohongshu/note_page_685e9b3d_loggedin_2025-07.html",
        "xiaohongshu",
        "detail",
        XHS,
        note,
        every("time", "author", "likes"),
    ),
    Case(
        "xiaohongshu/note_page_68caded3000000000b01195a.html",
        "xiaohongshu",
        "detail",
        XHS,
        note,
        every("time", "author", "likes"),
    ),
    Case(
        "xiaohongshu/note_page_68f83fda0000000007014846.html",
        "xiaohongshu",
        "detail",
        XHS,
        note,
        {},
        "removed",
    ),
    Case(
        "xiaohongshu/feed_note_detail_66696f98.json",
        "xiaohongshu",
        "detail",
        XHS,
        rows(lambda d: d["data"]["items"]),
        every("time", "author", "likes"),
    ),
    Case(
        "xiaohongshu/comment_page_66696f98.json",
        "xiaohongshu",
        "detail",
        XHS,
        everywhere(lambda n: "content" in n and "user_info" in n and "create_time" in n),
        {**every("time", "author", "likes"), "parent": amounts("note_id")},
    ),
    Case(
        "xiaohongshu/app_comment_list_2026-02.json",
        "xiaohongshu",
        "detail",
        XHS,
        everywhere(lambda n: "content" in n and "user" in n and "like_count" in n),
        {**every("time", "author", "likes"), "parent": amounts("note_id")},
    ),
    Case(
        "xiaohongshu/search_notes_2024.json",
        "xiaohongshu-search",
        rows=rows(lambda d: [i for i in d["data"]["items"] if i["model_type"] == "note"]),
        held={**every("author", "likes")},
    ),
    Case(
        "xiaohongshu/app_search_notes_2026-02.json",
        "xiaohongshu-search",
        rows=rows(lambda d: [i for i in d["data"]["items"] if i["model_type"] == "note"]),
        held=every("time", "author", "likes"),
    ),
    Case(
        "weibo/m_getIndex_user_timeline_2019.json",
        "weibo",
        rows=lambda text: microblogs(orjson.loads(text)),
        held=every("time", "author", "likes"),
    ),
    Case(
        "weibo/m_comments_hotflow_2019.json",
        "weibo",
        "comments",
        rows=everywhere(lambda n: "floor_number" in n and "text" in n),
        held={
            **every("time", "author"),
            "likes": amounts("like_count"),
            "parent": lambda row: row.get("rootid") not in (None, row.get("id")),
        },
    ),
    Case(
        "weibo/weibo_cn_comment_2020.html",
        "weibo-cn",
        "detail",
        "https://weibo.cn/comment/J5cVGuUNq",
        nodes('#M_, div.c[id^="C_"]'),
        every("time", "author", "likes"),
    ),
    Case(
        "weibo/weibo_cn_profile_page1_2020.html",
        "weibo-cn",
        rows=nodes('div.c[id^="M_"]'),
        held=every("time", "author", "likes"),
    ),
    Case("weibo/visitor_wall_2026-03.html", "weibo", "detail", "https://weibo.com/", state="blocked"),
    Case(
        "jd/club_comments_2025.json",
        "jd",
        rows=jd_reviews,
        held={
            **every("author"),
            "time": amounts("creationTime"),
            "rating": lambda row: "guid" in row,
            "likes": lambda row: "guid" in row,
            "parent": lambda row: "guid" not in row,
        },
    ),
    Case(
        "tieba/thread_9117905169.html",
        "tieba",
        "detail",
        "https://tieba.baidu.com/p/9117905169",
        nodes(".l_post[data-field*=post_id], li.lzl_single_post"),
        {
            **every("time", "author"),
            "parent": lambda n: '"post_no":1,' not in (n.attributes.get("data-field") or "").replace(" ", ""),
        },
    ),
    Case(
        "tieba/sub_comments_lzl.html",
        "tieba",
        "comments",
        rows=nodes("li.lzl_single_post"),
        held=every("time", "author"),
    ),
    Case("tieba/search_result.html", "tieba-search", rows=nodes(".s_post"), held=every("time", "author")),
    Case(
        "tieba/forum_list_daomubiji.html",
        "tieba",
        rows=count("<li class=.[^>]*j_thread_list[^>]*author_name"),
        held=every("author", "time"),
    ),
    Case(
        "tousu_heimao/complaint_view_2020.html",
        "heimao",
        "detail",
        rows=heimao_numbers,
        held=every("time", "author", "likes"),
    ),
    Case("tousu_heimao/complaints_parsed_2025.json", "heimao-api", rows=rows(list), held=every("time")),
    Case(
        "appstore/customerreviews_jp_2020_1.json",
        "appstore",
        rows=rows(lambda d: [e for e in d["feed"]["entry"] if "im:rating" in e]),
        held=every("author", "rating", "likes"),
    ),
    Case(
        "trustpilot/bt.com_reviews_2023.html",
        "trustpilot",
        url="https://www.trustpilot.com/review/bt.com",
        rows=trustpilot,
        held={**every("time", "author"), "rating": amounts("rating")},
    ),
    Case(
        "trustpilot/bt.com_reviews_2023.html",
        "trustpilot-page",
        url="https://www.trustpilot.com/review/bt.com",
        rows=lambda text: next_data(text)["props"]["pageProps"]["reviews"],
        held=every("time", "author", "rating"),
    ),
    Case(
        "hackernews/algolia_search_stories_2026-07.json",
        "hackernews",
        rows=rows(lambda d: d["hits"]),
        held=every("time", "author", "likes"),
    ),
    Case("rss/weibo_following_feed_2025-09.xml", "rss", rows=count("<item>"), held=every("time", "author")),
    Case(
        "rss/rsshub_bilibili_popular_2025-11.xml", "rss", rows=count("<item>"), held=every("time", "author")
    ),
    Case("rss/bilibili_user_feed_2021.xml", "rss", rows=count("<item>"), held=every("time", "author")),
    Case("rss/reddit_top_atom_2026-07.rss", "rss", rows=count("<entry>"), held=every("time", "author")),
    Case("rss/rss_entries_perceval.xml", "rss", rows=count("<item>"), held=every("time", "author")),
    Case(
        "schema_org/pcgamer_review_jsonld.html",
        "schema-org",
        url="https://www.pcgamer.com/x/",
        rows=count('"@type": "Review"'),
        held=every("time", "author", "rating"),
    ),
    *(
        Case(f"news_zh/{name}.html", "news", "detail", f"https://news.example.com/{name}", ONE, NEWS)
        for name in (
            "163_subscription",
            "baijiahao_1",
            "csdn_news",
            "gamersky_jsonld",
            "guancha_apple_jsonld",
            "thepaper_powerbank",
            "toutiao_article",
            "xinhuanet",
        )
    ),
    Case(
        "wechat_mp/article_samsung_s20.html", "wechat-mp", "detail", "https://mp.weixin.qq.com/s/x", ONE, NEWS
    ),
    Case("v2ex/api_topics_2026.json", "v2ex", rows=rows(lambda d: d["topics"]), held=every("time")),
    Case(
        "v2ex/home_list_2019.html",
        "v2ex-web",
        url="https://www.v2ex.com/",
        rows=nodes("div.cell.item"),
        held=every("author"),
    ),
    Case(
        "reddit/comments_page_2025.json",
        "reddit",
        rows=everywhere(lambda n: n.get("kind") in ("t1", "t3")),
        held={**every("time", "author", "likes"), "parent": lambda row: row["kind"] == "t1"},
    ),
    Case(
        "reddit/search_listing_2016.json",
        "reddit",
        rows=everywhere(lambda n: n.get("kind") == "t3"),
        held=every("time", "author", "likes"),
    ),
    Case(
        "discourse/topic_1148.json",
        "discourse",
        "detail",
        "https://forum.example.com/t/1148.json",
        rows(lambda d: d["post_stream"]["posts"]),
        {**every("time", "author"), "parent": lambda row: row["post_number"] > 1},
    ),
    Case(
        "discourse/posts.json",
        "discourse",
        "detail",
        "https://forum.example.com/t/1448.json",
        rows(lambda d: d["post_stream"]["posts"]),
        {**every("time", "author"), "parent": lambda row: row["post_number"] > 1},
    ),
    Case(
        "discourse/latest_topics.json",
        "discourse",
        url="https://forum.example.com/latest.json",
        rows=rows(lambda d: d["topic_list"]["topics"]),
        held=every("time"),
    ),
    Case(
        "mastodon/search_v2_2026.json",
        "mastodon",
        rows=rows(lambda d: d["statuses"]),
        held={**every("time", "author", "likes"), "parent": amounts("in_reply_to_id")},
    ),
    Case(
        "mastodon/status_context_2026.json",
        "mastodon",
        rows=rows(lambda d: d["ancestors"] + d["descendants"]),
        held={**every("time", "author", "likes"), "parent": amounts("in_reply_to_id")},
    ),
    Case(
        "stackoverflow/question.html",
        "blog",
        "detail",
        "https://stackoverflow.blog/x/",
        lambda text: [1, *LexborHTMLParser(text).css("li.comment")],
        every("time", "author"),
    ),
    Case(
        "youtube/innertube_comments_2026-02.json",
        "youtube",
        rows=everywhere(lambda n: "commentEntityPayload" in n),
        held={
            **every("time", "author"),
            "likes": lambda n: n["commentEntityPayload"]["toolbar"]["likeCountNotliked"].strip(),
        },
    ),
    Case(
        "bilibili/reply_list_2026-02.json",
        "bilibili",
        "comments",
        rows=everywhere(lambda n: "rpid" in n and "content" in n and "member" in n),
        held={**every("time", "author", "likes"), "parent": lambda row: row["root"] != 0},
    ),
    Case(
        "bilibili/search_video_2026-02.json",
        "bilibili",
        rows=rows(lambda d: d["data"]["result"]),
        held=every("time", "author", "likes"),
    ),
    Case(
        "bilibili/popular_docs.json",
        "bilibili",
        rows=rows(lambda d: d["data"]["list"]),
        held=every("time", "author", "likes"),
    ),
    Case("zhihu/answer_detail_2026.json", "zhihu", "detail", rows=ONE, held=every("time", "author", "likes")),
    Case("zhihu/comment_2026.json", "zhihu", "comments", rows=ONE, held=every("time", "author", "likes")),
    Case(
        "zhihu/search_general_2026.json",
        "zhihu",
        rows=everywhere(lambda n: n.get("type") in ("answer", "article") and "content" in n),
        held=every("time", "author", "likes"),
    ),
    Case("zhihu/topic_python_2018.html", "zhihu", rows=initial_data, held=every("time", "author", "likes")),
    Case(
        "zhihu/search_result_page_2020.html",
        "zhihu-page",
        url="https://www.zhihu.com/search",
        rows=nodes(".ContentItem.AnswerItem, .ContentItem.ArticleItem"),
        held={**every(), "time": has(".SearchItem-time")},
    ),
    Case(
        "smzdm/m_list_ajax_2017.json",
        "smzdm",
        url="https://m.smzdm.com/",
        rows=in_json("data", "li"),
        held=every("time"),
    ),
    Case(
        "taobao_tmall/tmall_list_detail_rate_2017.json",
        "taobao-tmall",
        rows=rows(
            lambda d: [*d["rateDetail"]["rateList"], *(r for r in d["rateDetail"]["rateList"] if r["reply"])]
        ),
        held={"text": lambda r: True},
    ),
    Case(
        "douban/movie_review_2022_a.html",
        "douban",
        url="https://movie.douban.com/review/14122109/",
        rows=nodes(".main[id], .comment-item[id]"),
        held=every("time", "author"),
    ),
    Case(
        "dianping/shop_3500059_2018.html",
        "dianping",
        url="https://www.dianping.com/shop/3500059",
        rows=nodes("li.comment-item, .comment-follows .desc"),
        held={
            **every("time", "author"),
            "rating": lambda n: n.tag == "li",
            "likes": lambda n: re.search(r"赞\(\d", n.text()) and n.tag == "li",
            "parent": lambda n: n.tag != "li",
        },
    ),
    Case(
        "dongchedi/series_score_2026.json",
        "dongchedi",
        rows=rows(lambda d: d["reviewListData"]["review_list"]),
        held=every("time", "author", "rating", "likes"),
    ),
    Case("autohome/koubei_summary_2026.json", "autohome", state="empty"),
    Case(
        "hupu/hot_home_fixture_2026.html",
        "hupu",
        url="https://bbs.hupu.com/",
        rows=nodes(".text-list-model .list-item"),
        held={**every(), "likes": has(".t-lights")},
    ),
    Case(
        "amazon/product_reviews_uk_2024.html",
        "amazon",
        url="https://www.amazon.co.uk/product-reviews/x",
        rows=nodes('[data-hook="review"]'),
        held={**every("time", "author", "rating"), "likes": has('[data-hook="helpful-vote-statement"]')},
    ),
    Case(
        "cfpb/complaint_search_hits.json", "cfpb", rows=rows(lambda d: d["hits"]["hits"]), held=every("time")
    ),
    Case(
        "peertube/comments.json",
        "peertube",
        rows=rows(lambda d: [c for c in d["data"] if not c["isDeleted"]]),
        held=every("time", "author", "parent"),
    ),
    Case(
        "zendesk/tickets_list_2024.json",
        "zendesk",
        rows=rows(lambda d: d["tickets"]),
        held=every("time", "author"),
    ),
    Case(
        "douyin/general_search_2026-02.json",
        "douyin",
        rows=rows(
            lambda d: (
                [x for x in d["data"] if x.get("aweme_info")]
                + [c for x in d["data"] for c in x.get("comment_list") or []]
            )
        ),
        held=every("time", "author", "likes"),
    ),
    Case(
        "douyin/comment_list_2026-02.json",
        "douyin",
        "comments",
        rows=rows(lambda d: d["comments"]),
        held=every("time", "author", "likes", "parent"),
    ),
    Case(
        "weixin_channels/search_2026-02.json",
        "weixin-channels",
        rows=rows(lambda d: d["media_list"]),
        held=every("time", "author", "likes"),
    ),
    Case(
        "weixin_channels/comments_2026-02.json",
        "weixin-channels",
        rows=everywhere(lambda n: "comment_id" in n and "content" in n and "createtime" in n),
        held={
            **every("time", "author", "likes"),
            "parent": lambda row: row["reply_comment_id"] not in ("", "0", 0),
        },
    ),
]
