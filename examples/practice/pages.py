"""The six sites of the practice web: one class each, address in, Answer out (None = 404)."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from urllib.parse import quote

from markup import (
    CAPTCHA,
    JSON,
    UNDEFINED,
    Answer,
    Html,
    document,
    el,
    json_ld,
    mask_name,
    millis,
    next_link,
    one_page,
    paragraphs,
    script_json,
    wan,
)
from world import Row, World, chinese_time, parse_time

Query = Mapping[str, str]


class Site(ABC):
    """What the sites share: a world, a name, an own address and the frame around a page."""

    id = ""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url
        self.name = next(s["name"] for s in world.facts["sites"] if s["id"] == self.id)

    @abstractmethod
    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        """The page at this address."""

    def missing(self) -> Answer:
        """The 404 page."""
        return Answer(self.frame("页面不存在", el("p.removed", "内容不存在或已被删除")), status=404)

    def frame(self, title: str, *body: object, head: str = "") -> str:
        """The whole page around a body."""
        return document(self.id, self.name, title, *body, head=head)

    def ago(self, at: str) -> str:
        """The time in relative Chinese."""
        return chinese_time(parse_time(at), self.world.now)


def page_number(query: Query) -> int:
    """``page`` of a query string, from 1."""
    text = query.get("page", "1")
    return max(1, int(text)) if text.isdecimal() else 1


def number_of(post: Row) -> str:
    """The last part of a post's address."""
    return str(post["path"].rsplit("/", 1)[1])


def minute(at: str) -> str:
    """2026-11-12 20:13"""
    return f"{parse_time(at):%Y-%m-%d %H:%M}"


class Reviews(Site):
    """集云评价: product list, paged reviews of a product, one page per review."""

    id = "reviews"

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        number = page_number(query)
        if path in ("/", "/list"):
            return self.product_list(number)
        match = re.fullmatch(r"/item/([\w-]+)(/reviews)?", path)
        if match and match[1] in self.world.items:
            return self.item_reviews(match[1], number if match[2] else 1)
        post = self.world.find(self.id, path)
        if not post:
            return None
        item = self.world.items[post["item"]]
        body = (el("h1.item-title", item["title"]), el("ul.reviews", self.review(post)))
        page = self.frame(item["title"], *body, head=json_ld(self.ld(item, [post])))
        return Answer(page, modified=post["modified"])

    def product_list(self, number: int) -> Answer:
        items, more = one_page(list(self.world.items.values()), number, 6)
        rows = [
            el(
                "li.product",
                el("a.product-link", p["title"], href=f"/item/{p['sku']}/reviews?page=1"),
                el("span.price", f"¥{p['price']}"),
                el("span.shop", p["shop"]),
                el("span.review-count", f"{len(self.world.by_item[p['sku']])} 条评价"),
                data_sku=p["sku"],
            )
            for p in items
        ]
        link = next_link(f"/list?page={number + 1}", more)
        return Answer(self.frame("商品", el("ul.products", *rows), link))

    def item_reviews(self, sku: str, number: int) -> Answer:
        item, posts = self.world.items[sku], self.world.by_item[sku]
        chunk, more = one_page(posts, number, 10)
        score = f"{sum(p['stars'] for p in posts) / len(posts):.1f}" if posts else "暂无"
        total = el("span.total", f"共 {len(posts)} 条评价")
        page = self.frame(
            item["title"],
            el("h1.item-title", item["title"]),
            el("p.item-meta", el("span.shop", item["shop"]), el("span.score", score), total),
            el("ul.reviews", *map(self.review, chunk)),
            next_link(f"/item/{sku}/reviews?page={number + 1}", more),
            head=json_ld(self.ld(item, chunk)),
        )
        return Answer(page, modified=max((p["modified"] for p in chunk), default=None))

    def review(self, post: Row) -> Html:
        """One review with its follow-up (追评) and the seller's reply."""
        number, stars = number_of(post), post["stars"]
        extra = []
        if follow := post.get("follow_up"):
            when, text = el("time.follow-time", minute(follow["at"])), el("p.follow-text", follow["text"])
            extra.append(el("div.follow-up", el("span.label", "追评"), when, text))
        if reply := post.get("reply"):
            text = el("p.reply-text", reply["text"])
            extra.append(el("div.seller-reply", el("span.label", "商家回复"), text))
        head = (
            el("span.nick", mask_name(post["author"])),
            el("span.stars", "★" * stars + "☆" * (5 - stars), data_stars=stars),
            el("time.review-time", minute(post["at"])),
        )
        link = el("a.permalink", "评价详情", href=post["path"])
        foot = el("div.review-foot", link, el("span.useful", "有用 ", el("b", post["useful"])))
        text = el("p.review-text", post["text"])
        parts = (el("div.review-head", *head), text, *extra, foot)
        return el("li.review", *parts, id=f"r{number}", data_review_id=number)

    def ld(self, item: Row, posts: list[Row]) -> Row:
        """schema.org Product with the page's reviews."""
        found = [
            {
                "@type": "Review",
                "@id": f"{self.url}{p['path']}",
                "author": {"@type": "Person", "name": mask_name(p["author"])},
                "datePublished": p["at"],
                "reviewBody": p["text"],
                "reviewRating": {"@type": "Rating", "ratingValue": p["stars"], "bestRating": 5},
            }
            for p in posts
        ]
        brand = {"@type": "Brand", "name": item["brand"]}
        return {
            "@context": "https://schema.org",
            "@type": "Product",
            "sku": item["sku"],
            "name": item["title"],
            "brand": brand,
            "review": found,
        }


def feed_sign(text: str) -> str:
    """The header value static/notes.js computes; only a running script can page through the feed."""
    value = 5381
    for char in text:
        value = (value * 33 + ord(char)) % 4294967296
    return f"{value:08x}"


class Notes(Site):
    """山楂笔记: shells whose content a script draws."""

    id = "notes"
    script = '<script defer src="/static/notes.js"></script>'

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        if path == "/":
            button = Html('<button class="load-more" hidden>加载更多</button>')
            hint = el("noscript", "请启用 JavaScript")
            feed = el("section.feed", id="feed")
            return Answer(self.frame("发现", feed, button, hint, head=self.script))
        if path == "/api/feed":
            return self.feed(query, headers)
        post = self.world.find(self.id, path)
        if not post:
            return None
        state = f"<script>window.__INITIAL_STATE__={script_json(self.state(post))}</script>{self.script}"
        body = (el("article.note", id="note"), el("section.comments", id="comments"))
        return Answer(self.frame("笔记", *body, head=state), modified=post["modified"])

    def feed(self, query: Query, headers: Mapping[str, str]) -> Answer:
        cursor, word = query.get("cursor", "0"), query.get("q", "")
        if headers.get("x-feed-sign") != feed_sign(f"{cursor}|{word}") or not cursor.isdecimal():
            return Answer('{"code":-461,"msg":"签名错误"}', JSON, status=403)
        posts, start = self.world.search(self.id, word), int(cursor)
        cards = [
            {"id": number_of(p), "title": p["title"], "author": p["author"], "likes": wan(p["likes"])}
            for p in posts[start : start + 12]
        ]
        more = len(posts) > start + 12
        data = {"items": cards, "cursor": str(start + 12), "hasMore": more}
        return Answer(json.dumps({"code": 0, "data": data}, ensure_ascii=False), JSON)

    def state(self, post: Row) -> Row:
        """The embedded state of a note page; bare `undefined` keeps it from being JSON."""
        edited = post["edited"]
        time_text = f"编辑于 {chinese_time(edited, self.world.now)}" if edited else self.ago(post["at"])
        comments = [
            {
                "id": c["id"].rsplit("-", 1)[1],
                "content": c["text"],
                "user": {"name": c["author"], "avatar": UNDEFINED},
                "timeText": self.ago(c["at"]),
                "likes": wan(c["likes"]),
            }
            for c in post["comments"]
        ]
        counts = {"like": wan(post["likes"]), "collect": wan(post["collects"]), "comment": str(len(comments))}
        note = {
            "id": number_of(post),
            "title": post["title"],
            "desc": post["text"],
            "author": {"name": post["author"], "verified": UNDEFINED},
            "timeText": time_text,
            "place": post["place"],
            "counts": counts,
            "video": UNDEFINED,
        }
        listed = {"items": comments, "hasMore": False, "cursor": UNDEFINED}
        return {"app": {"login": UNDEFINED, "theme": "light"}, "note": {"current": note, "comments": listed}}


class Forum(Site):
    """闲谈院: GB18030 bytes, a meta that says gb2312, and some headers that say utf-8."""

    id = "forum"

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        boards = {b["id"]: b["name"] for b in self.world.facts["boards"]}
        number = page_number(query)
        match = re.fullmatch(r"/b/(\w+)", path)
        if match and match[1] in boards:
            title = boards[match[1]]
            posts = [p for p in self.world.by_site[self.id] if p["board"] == title]
            return self.threads(title, posts, path, number)
        if path in ("/", "/new", "/search"):
            word = query.get("q", "") if path == "/search" else ""
            link = f"/search?q={quote(word)}" if word else "/new"
            return self.threads("最新主题", self.world.search(self.id, word), link, number)
        post = self.world.find(self.id, path)
        return self.thread(post, number) if post else None

    def frame(self, title: str, *body: object, head: str = "") -> str:
        links = [el("a", b["name"], href=f"/b/{b['id']}") for b in self.world.facts["boards"]]
        nav = el("nav.boards", *links)
        return document(self.id, self.name, title, nav, *body, head=head, charset="gb2312")

    def missing(self) -> Answer:
        page = self.frame("提示信息", el("p.removed", "该主题不存在或已被删除"))
        return Answer(page, "text/html; charset=gbk", status=404, encoding="gb18030")

    def threads(self, title: str, posts: list[Row], link: str, number: int) -> Answer:
        chunk, more = one_page(posts, number, 20)
        rows = [
            el(
                "tr.thread",
                el("td.board", p["board"]),
                el("td", el("a.subject", p["title"], href=p["path"])),
                el("td.by", p["author"]),
                el("td.when", self.ago(p["at"])),
                el("td.replies", f"{len(p['comments'])}/{p['views']}"),
            )
            for p in chunk
        ]
        more_link = next_link(f"{link}{'&' if '?' in link else '?'}page={number + 1}", more)
        page = self.frame(title, el("h1", title), el("table.threads", *rows), more_link)
        return Answer(page, "text/html; charset=gb2312", encoding="gb18030")

    def thread(self, post: Row, number: int) -> Answer:
        floors = list(enumerate([post, *post["comments"]], 1))
        chunk, more = one_page(floors, number, 5)
        views = el("span.views", f"{post['views']} 次查看")
        page = self.frame(
            post["title"],
            el("h1.thread-title", post["title"]),
            el("p.thread-meta", el("span.board", post["board"]), views),
            el("div.floors", *(self.floor(n, row) for n, row in chunk)),
            next_link(f"{post['path']}?page={number + 1}", more),
        )
        # Every third thread has a header that lies; the bytes are always GB18030.
        charset = "utf-8" if int(number_of(post)) // 3 % 3 == 0 else "gb2312"
        return Answer(page, f"text/html; charset={charset}", modified=post["modified"], encoding="gb18030")

    def floor(self, number: int, row: Row) -> Html:
        """One floor; the first is the thread's own text."""
        head = (
            el("span.floor-author", row["author"]),
            el("span.floor-no", "楼主" if number == 1 else f"{number}楼"),
            el("span.floor-time", f"发表于 {self.ago(row['at'])}"),
        )
        parts = (el("div.floor-head", *head), el("div.floor-text", paragraphs(row["text"])))
        return el("div.floor", *parts, id=f"f{number}", data_floor=number)


class Complaints(Site):
    """直言投诉: a JSON list and HTML details."""

    id = "complaints"

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        if path == "/":
            rows = [
                el(
                    "li.complaint",
                    el("a", p["title"], href=p["path"]),
                    el("span.merchant", p["merchant"]),
                    el("span.status", p["steps"][-1]["name"]),
                )
                for p in self.world.by_site[self.id][:20]
            ]
            return Answer(self.frame("最新投诉", el("ul.complaint-list", *rows)))
        if path == "/api/complaints":
            return self.api(query)
        post = self.world.find(self.id, path)
        return self.detail(post) if post else None

    def api(self, query: Query) -> Answer:
        number, size_text = page_number(query), query.get("size", "20")
        size = min(50, max(1, int(size_text))) if size_text.isdecimal() else 20
        posts = self.world.search(self.id, query.get("q", ""))
        chunk, _ = one_page(posts, number, size)
        data = {"total": len(posts), "page": number, "size": size, "list": [self.entry(p) for p in chunk]}
        return Answer(json.dumps({"code": 0, "message": "ok", "data": data}, ensure_ascii=False), JSON)

    def entry(self, post: Row) -> Row:
        """One complaint of the JSON list; the full text is on its page only."""
        steps = [
            {"code": s["code"], "name": s["name"], "time": millis(parse_time(s["at"]))} for s in post["steps"]
        ]
        text = post["text"]
        return {
            "id": number_of(post),
            "url": post["path"],
            "title": post["title"],
            "summary": text if len(text) <= 40 else text[:40] + "…",
            "user": {"nick": mask_name(post["author"])},
            "merchant": {"name": post["merchant"]},
            "appeal": post["appeal"],
            "amount": post["amount"],
            "created_at": millis(parse_time(post["at"])),
            "updated_at": millis(post["modified"]),
            "status": steps[-1]["code"],
            "steps": steps,
        }

    def detail(self, post: Row) -> Answer:
        steps = [
            el(
                "li.step",
                el("time", minute(s["at"])),
                el("b.step-name", s["name"]),
                el("p.step-text", s["text"]),
                data_code=s["code"],
            )
            for s in post["steps"]
        ]
        meta = (
            el("span.c-user", mask_name(post["author"])),
            el("time.c-time", minute(post["at"])),
            el("span.c-no", f"编号 {number_of(post)}"),
        )
        facts = (
            *(el("dt", "投诉对象"), el("dd.merchant", post["merchant"])),
            *(el("dt", "投诉诉求"), el("dd.appeal", post["appeal"])),
            *(el("dt", "涉诉金额"), el("dd.amount", f"{post['amount']} 元")),
        )
        page = self.frame(
            post["title"],
            el("h1.c-title", post["title"]),
            el("p.c-meta", *meta),
            el("dl.c-facts", *facts),
            el("div.c-text", paragraphs(post["text"])),
            el("h2", "处理进度"),
            el("ol.timeline", *steps),
        )
        return Answer(page, modified=post["modified"])


class News(Site):
    """早城网: RSS and articles."""

    id = "news"

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        posts = self.world.by_site[self.id]
        if path == "/rss.xml":
            newest = posts[0]["modified"] if posts else None
            return Answer(self.rss(posts[:30]), "application/rss+xml; charset=utf-8", modified=newest)
        if path == "/":
            rows = [
                el("li.headline", el("a", p["title"], href=p["path"]), el("time", minute(p["at"])))
                for p in posts
            ]
            link = '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
            return Answer(self.frame("要闻", el("ul.headlines", *rows), head=link))
        post = self.world.find(self.id, path)
        return self.article(post) if post else None

    def rss(self, posts: list[Row]) -> str:
        items = [
            el(
                "item",
                el("title", p["title"]),
                el("link", self.url + p["path"]),
                el("guid", self.url + p["path"]),
                el("pubDate", format_datetime(parse_time(p["at"]))),
                el("description", p["text"].split("\n")[0][:60]),
            )
            for p in posts
        ]
        channel = (el("title", self.name), el("link", f"{self.url}/"), el("description", "要闻"))
        feed = el("rss", el("channel", *channel, *items), version="2.0")
        return f'<?xml version="1.0" encoding="utf-8"?>\n{feed}\n'

    def article(self, post: Row) -> Answer:
        when = el("time", minute(post["at"]), datetime=post["at"])
        body = (
            el("h1", post["title"]),
            el("p.byline", el("span.source", self.name), when),
            el("div.article-body", paragraphs(post["text"])),
        )
        data = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": post["title"],
            "datePublished": post["at"],
            "author": {"@type": "Organization", "name": self.name},
            "articleBody": post["text"],
            "mainEntityOfPage": self.url + post["path"],
        }
        page = self.frame(post["title"], el("article.article", *body), head=json_ld(data))
        return Answer(page, modified=post["modified"])


class Video(Site):
    """快看短评: the first list page and the newest details answer; all else asks for a captcha.

    The rule depends on the address alone, so that two crawls of it see the same.
    """

    id = "video"
    readable = 4

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        posts = self.world.by_site[self.id]
        if path in ("/", "/feed") and page_number(query) == 1:
            return self.feed(posts)
        for post in posts[: self.readable]:
            if post["path"] == path:
                return self.clip(post)
        return Answer(CAPTCHA, cacheable=False)

    def feed(self, posts: list[Row]) -> Answer:
        chunk, more = one_page(posts, 1, 12)
        rows = [el("li.clip", el("a.clip-link", p["title"], href=p["path"]), *self.meta(p)) for p in chunk]
        return Answer(self.frame("推荐", el("ul.clips", *rows), next_link("/feed?page=2", more)))

    def clip(self, post: Row) -> Answer:
        title, meta = el("h1.clip-title", post["title"]), el("p.clip-meta", *self.meta(post))
        text = el("div.clip-text", paragraphs(post["text"]))
        page = self.frame(post["title"], el("article.clip-page", title, meta, text))
        return Answer(page, modified=post["modified"])

    @staticmethod
    def meta(post: Row) -> tuple[Html, ...]:
        """Author, time and likes, as the list and the page show them."""
        return (
            el("span.clip-author", post["author"]),
            el("time.clip-time", minute(post["at"])),
            el("span.clip-likes", wan(post["likes"])),
        )


SITES: list[Callable[[World, str], Site]] = [Reviews, Notes, Forum, Complaints, News, Video]
SITE_IDS = ["reviews", "notes", "forum", "complaints", "news", "video"]
