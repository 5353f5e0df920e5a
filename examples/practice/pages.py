"""The six sites of the practice web: one class each, address in, Answer out (None = 404)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime

from markup import (
    CAPTCHA,
    JSON,
    UNDEFINED,
    Answer,
    document,
    esc,
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


class Site:
    """What the sites share: a world, a name, an own address and the frame around a page."""

    id = ""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url
        self.name = next(s["name"] for s in world.facts["sites"] if s["id"] == self.id)

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        """The page at this address."""
        raise NotImplementedError

    def missing(self) -> Answer:
        """The 404 page."""
        return Answer(self.frame("页面不存在", '<p class="removed">内容不存在或已被删除</p>'), status=404)

    def frame(self, title: str, body: str, head: str = "") -> str:
        return document(self.id, self.name, title, body, head=head)

    def ago(self, at: str) -> str:
        return chinese_time(parse_time(at), self.world.now)


def page_number(query: Query) -> int:
    """``page`` of a query string, from 1."""
    text = query.get("page", "1")
    return max(1, int(text)) if text.isdecimal() else 1


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
        body = f'<h1 class="item-title">{esc(item["title"])}</h1><ul class="reviews">{self.review(post)}</ul>'
        return Answer(self.frame(item["title"], body, json_ld(self.ld(item, [post]))), modified=post["modified"])

    def product_list(self, number: int) -> Answer:
        items, more = one_page(list(self.world.items.values()), number, 6)
        rows = "".join(
            f'<li class="product" data-sku="{p["sku"]}"><a class="product-link" href="/item/{p["sku"]}/reviews?page=1">'
            f'{esc(p["title"])}</a><span class="price">¥{p["price"]}</span><span class="shop">{esc(p["shop"])}</span>'
            f'<span class="review-count">{len(self.world.by_item[p["sku"]])} 条评价</span></li>'
            for p in items
        )
        return Answer(
            self.frame("商品", f'<ul class="products">{rows}</ul>{next_link(f"/list?page={number + 1}", more)}')
        )

    def item_reviews(self, sku: str, number: int) -> Answer:
        item, posts = self.world.items[sku], self.world.by_item[sku]
        chunk, more = one_page(posts, number, 10)
        stars = f"{sum(p['stars'] for p in posts) / len(posts):.1f}" if posts else "暂无"
        body = (
            f'<h1 class="item-title">{esc(item["title"])}</h1><p class="item-meta"><span class="shop">{esc(item["shop"])}</span>'
            f'<span class="score">{stars}</span><span class="total">共 {len(posts)} 条评价</span></p>'
            f'<ul class="reviews">{"".join(map(self.review, chunk))}</ul>{next_link(f"/item/{sku}/reviews?page={number + 1}", more)}'
        )
        newest = max((p["modified"] for p in chunk), default=None)
        return Answer(self.frame(item["title"], body, json_ld(self.ld(item, chunk))), modified=newest)

    def review(self, post: Row) -> str:
        number = post["path"].rsplit("/", 1)[1]
        follow, reply = post.get("follow_up"), post.get("reply")
        extra = ""
        if follow:
            extra += (
                f'<div class="follow-up"><span class="label">追评</span><time>{minute(follow["at"])}</time>'
                f'<p class="follow-text">{esc(follow["text"])}</p></div>'
            )
        if reply:
            extra += f'<div class="seller-reply"><span class="label">商家回复</span><p class="reply-text">{esc(reply["text"])}</p></div>'
        return (
            f'<li class="review" id="r{number}" data-review-id="{number}"><div class="review-head"><span class="nick">{esc(mask_name(post["author"]))}</span>'
            f'<span class="stars" data-stars="{post["stars"]}">{"★" * post["stars"]}{"☆" * (5 - post["stars"])}</span>'
            f'<time class="review-time">{minute(post["at"])}</time></div><p class="review-text">{esc(post["text"])}</p>{extra}'
            f'<div class="review-foot"><a class="permalink" href="{post["path"]}">评价详情</a>'
            f'<span class="useful">有用 <b>{post["useful"]}</b></span></div></li>'
        )

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
            body = '<section id="feed" class="feed"></section><button class="load-more" hidden>加载更多</button>'
            return Answer(self.frame("发现", f'{body}<noscript>请启用 JavaScript</noscript>', self.script))
        if path == "/api/feed":
            return self.feed(query, headers)
        post = self.world.find(self.id, path)
        if not post:
            return None
        state = f"<script>window.__INITIAL_STATE__={script_json(self.state(post))}</script>{self.script}"
        body = '<article id="note" class="note"></article><section id="comments" class="comments"></section>'
        return Answer(self.frame("笔记", body, state), modified=post["modified"])

    def feed(self, query: Query, headers: Mapping[str, str]) -> Answer:
        cursor, word = query.get("cursor", "0"), query.get("q", "")
        if headers.get("x-feed-sign") != feed_sign(f"{cursor}|{word}") or not cursor.isdecimal():
            return Answer('{"code":-461,"msg":"签名错误"}', JSON, status=403)
        posts, start = self.world.search(self.id, word), int(cursor)
        cards = [
            {"id": p["path"].rsplit("/", 1)[1], "title": p["title"], "author": p["author"], "likes": wan(p["likes"])}
            for p in posts[start : start + 12]
        ]
        more = len(posts) > start + 12
        data = {"items": cards, "cursor": str(start + 12), "hasMore": more}
        return Answer(json.dumps({"code": 0, "data": data}, ensure_ascii=False), JSON)

    def state(self, post: Row) -> Row:
        """The embedded state of a note page; bare `undefined` keeps it from being JSON."""
        edited, number = post["edited"], post["path"].rsplit("/", 1)[1]
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
            "id": number,
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
            return self.threads(title, [p for p in self.world.by_site[self.id] if p["board"] == title], path, number)
        if path in ("/", "/new", "/search"):
            word = query.get("q", "") if path == "/search" else ""
            link = f"/search?q={esc(word)}" if word else "/new"
            return self.threads("最新主题", self.world.search(self.id, word), link, number)
        post = self.world.find(self.id, path)
        return self.thread(post, number) if post else None

    def frame(self, title: str, body: str, head: str = "") -> str:
        links = "".join(f'<a href="/b/{b["id"]}">{b["name"]}</a>' for b in self.world.facts["boards"])
        nav = f'<nav class="boards">{links}</nav>'
        return document(self.id, self.name, title, nav + body, head=head, charset="gb2312")

    def missing(self) -> Answer:
        page = self.frame("提示信息", '<p class="removed">该主题不存在或已被删除</p>')
        return Answer(page, "text/html; charset=gbk", status=404, encoding="gb18030")

    def threads(self, title: str, posts: list[Row], link: str, number: int) -> Answer:
        chunk, more = one_page(posts, number, 20)
        rows = "".join(
            f'<tr class="thread"><td class="board">{p["board"]}</td><td><a class="subject" href="{p["path"]}">{esc(p["title"])}</a></td>'
            f'<td class="by">{esc(p["author"])}</td><td class="when">{self.ago(p["at"])}</td>'
            f'<td class="replies">{len(p["comments"])}/{p["views"]}</td></tr>'
            for p in chunk
        )
        more_link = next_link(f"{link}{'&' if '?' in link else '?'}page={number + 1}", more)
        page = self.frame(title, f'<h1>{esc(title)}</h1><table class="threads">{rows}</table>{more_link}')
        return Answer(page, "text/html; charset=gb2312", encoding="gb18030")

    def thread(self, post: Row, number: int) -> Answer:
        floors = [{**post, "id": f"{post['id']}-0"}, *post["comments"]]
        chunk, more = one_page(list(enumerate(floors, 1)), number, 5)
        rows = "".join(
            f'<div class="floor" id="f{n}" data-floor="{n}"><div class="floor-head"><span class="floor-author">{esc(f["author"])}</span>'
            f'<span class="floor-no">{"楼主" if n == 1 else f"{n}楼"}</span><span class="floor-time">发表于 {self.ago(f["at"])}</span></div>'
            f'<div class="floor-text">{paragraphs(f["text"])}</div></div>'
            for n, f in chunk
        )
        head = (
            f'<h1 class="thread-title">{esc(post["title"])}</h1><p class="thread-meta"><span class="board">{post["board"]}</span>'
            f'<span class="views">{post["views"]} 次查看</span></p>'
        )
        body = f'{head}<div class="floors">{rows}</div>{next_link(f"{post['path']}?page={number + 1}", more)}'
        # Every third thread has a header that lies; the bytes are always GB18030.
        charset = "utf-8" if int(post["path"].rsplit("/", 1)[1]) // 3 % 3 == 0 else "gb2312"
        page = self.frame(post["title"], body)
        return Answer(page, f"text/html; charset={charset}", modified=post["modified"], encoding="gb18030")


class Complaints(Site):
    """直言投诉: a JSON list and HTML details."""

    id = "complaints"

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        if path == "/":
            rows = "".join(
                f'<li class="complaint"><a href="{p["path"]}">{esc(p["title"])}</a><span class="merchant">{esc(p["merchant"])}</span>'
                f'<span class="status">{p["steps"][-1]["name"] if p["steps"] else "已提交"}</span></li>'
                for p in self.world.by_site[self.id][:20]
            )
            return Answer(self.frame("最新投诉", f'<ul class="complaint-list">{rows}</ul>'))
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
            "id": post["path"].rsplit("/", 1)[1],
            "url": post["path"],
            "title": post["title"],
            "summary": text if len(text) <= 40 else text[:40] + "…",
            "user": {"nick": mask_name(post["author"])},
            "merchant": {"name": post["merchant"]},
            "appeal": post["appeal"],
            "amount": post["amount"],
            "created_at": millis(parse_time(post["at"])),
            "updated_at": millis(post["modified"]),
            "status": steps[-1]["code"] if steps else "submitted",
            "steps": steps,
        }

    def detail(self, post: Row) -> Answer:
        steps = "".join(
            f'<li class="step" data-code="{s["code"]}"><time>{minute(s["at"])}</time><b class="step-name">{s["name"]}</b>'
            f'<p class="step-text">{esc(s["text"])}</p></li>'
            for s in post["steps"]
        )
        facts = (("投诉对象", "merchant", post["merchant"]), ("投诉诉求", "appeal", post["appeal"]))
        rows = "".join(f'<dt>{label}</dt><dd class="{key}">{esc(value)}</dd>' for label, key, value in facts)
        body = (
            f'<h1 class="c-title">{esc(post["title"])}</h1><p class="c-meta"><span class="c-user">{esc(mask_name(post["author"]))}</span>'
            f'<time class="c-time">{minute(post["at"])}</time><span class="c-no">编号 {post["path"].rsplit("/", 1)[1]}</span></p>'
            f'<dl class="c-facts">{rows}<dt>涉诉金额</dt><dd class="amount">{post["amount"]} 元</dd></dl>'
            f'<div class="c-text">{paragraphs(post["text"])}</div><h2>处理进度</h2><ol class="timeline">{steps}</ol>'
        )
        return Answer(self.frame(post["title"], body), modified=post["modified"])


class News(Site):
    """早城网: RSS and articles."""

    id = "news"

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> Answer | None:
        posts = self.world.by_site[self.id]
        if path == "/rss.xml":
            newest = posts[0]["modified"] if posts else None
            return Answer(self.rss(posts[:30]), "application/rss+xml; charset=utf-8", modified=newest)
        if path == "/":
            rows = "".join(
                f'<li class="headline"><a href="{p["path"]}">{esc(p["title"])}</a><time>{minute(p["at"])}</time></li>'
                for p in posts
            )
            link = '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
            return Answer(self.frame("要闻", f'<ul class="headlines">{rows}</ul>', link))
        post = self.world.find(self.id, path)
        return self.article(post) if post else None

    def rss(self, posts: list[Row]) -> str:
        items = "".join(
            f"<item><title>{esc(p['title'])}</title><link>{esc(self.url + p['path'])}</link><guid>{esc(self.url + p['path'])}</guid>"
            f"<pubDate>{format_datetime(parse_time(p['at']))}</pubDate><description>{esc(p['text'][:60])}</description></item>\n"
            for p in posts
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
            f"<title>{self.name}</title><link>{self.url}/</link><description>{self.name} 要闻</description>"
            f"<language>zh-CN</language>\n{items}</channel></rss>\n"
        )

    def article(self, post: Row) -> Answer:
        body = (
            f'<article class="article"><h1>{esc(post["title"])}</h1><p class="byline"><span class="source">{self.name}</span>'
            f'<time datetime="{post["at"]}">{minute(post["at"])}</time></p><div class="article-body">{paragraphs(post["text"])}</div></article>'
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
        return Answer(self.frame(post["title"], body, json_ld(data)), modified=post["modified"])


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
        rows = "".join(
            f'<li class="clip"><a class="clip-link" href="{p["path"]}">{esc(p["title"])}</a><span class="clip-author">{esc(p["author"])}</span>'
            f'<time class="clip-time">{minute(p["at"])}</time><span class="clip-likes">{wan(p["likes"])}</span></li>'
            for p in chunk
        )
        return Answer(self.frame("推荐", f'<ul class="clips">{rows}</ul>{next_link("/feed?page=2", more)}'))

    def clip(self, post: Row) -> Answer:
        body = (
            f'<article class="clip-page"><h1 class="clip-title">{esc(post["title"])}</h1><p class="clip-meta"><span class="clip-author">{esc(post["author"])}</span>'
            f'<time class="clip-time">{minute(post["at"])}</time><span class="clip-likes">{wan(post["likes"])}</span></p>'
            f'<div class="clip-text">{paragraphs(post["text"])}</div></article>'
        )
        return Answer(self.frame(post["title"], body), modified=post["modified"])


SITES: list[Callable[[World, str], Site]] = [Reviews, Notes, Forum, Complaints, News, Video]
SITE_IDS = ["reviews", "notes", "forum", "complaints", "news", "video"]
