"""Invented forum pages of 15 to 60 KB: the same from the same seed, in UTF-8 and (every fifth thread) in GB 18030.

A listing page names threads; a thread holds one post and 0 to 30 comments. Around both stands what real pages carry:
navigation, styles, scripts, a side bar, a footer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from dataclasses import dataclass

PER_PAGE = 25
ZONE = dt.timezone(dt.timedelta(hours=8))
NEWEST = dt.datetime(2026, 11, 16, 8, 0, tzinfo=ZONE)
SPAN_DAYS = 60  # the threads are spread over so many days

_OPENINGS = ("用了两周", "刚收到", "第三次买了", "朋友推荐的", "双十一囤的", "给家里老人买的", "对比了好几家", "说说真实感受")
_THINGS = ("保温杯", "电热水壶", "儿童书包", "折叠桌", "暖手宝", "加湿器", "行李箱", "台灯", "雨伞", "收纳盒")
_POINTS = (
    "杯盖有一点漏水，倒过来能看见水珠", "颜色和图片差得不多，摸上去挺厚实", "客服回复慢，等了一个下午才有人", "物流倒是快，第二天就到了门口",
    "用了几次以后边上开始掉漆", "味道散了三天还没散干净", "做工比以前那批好，接缝处很平", "退货要自己先垫运费，有点不舒服",
    "充一次电能用一个星期", "说明书写得太简单，按键要自己试", "声音比宣传的大，晚上放在卧室会吵", "包装完整，没有磕碰",
)
_ENDINGS = ("先用着看看。", "有同款的吗？", "不知道是不是个例。", "下次还会考虑。", "希望厂家看到。", "仅供参考。")
_WORDS = "家居数码美食旅行育儿宠物健身读书影音汽车房产理财手作摄影园艺露营"


@dataclass(frozen=True)
class Body:
    """One page as it is sent."""

    content: bytes
    charset: str
    etag: str
    modified: dt.datetime


@dataclass(frozen=True)
class Web:
    """All pages of the forum, by path."""

    bodies: dict[str, Body]
    threads: int
    comments: int

    @property
    def listings(self) -> int:
        return len(self.bodies) - self.threads


def build(threads: int, seed: int = 7) -> Web:
    """Return the forum; the newest thread has the highest number and stands first."""
    bodies: dict[str, Body] = {}
    total = 0
    numbers = list(range(threads, 0, -1))
    moments = {number: NEWEST - dt.timedelta(days=SPAN_DAYS * place / threads) for place, number in enumerate(numbers)}
    for number in numbers:
        source = random.Random(f"{seed}-{number}")
        comments = source.randint(0, 30)
        total += comments
        charset = "gb18030" if number % 5 == 0 else "utf-8"
        text = _thread(source, number, moments[number], comments, charset)
        bodies[f"/t/{number}"] = _body(text, charset, moments[number])
    for start in range(0, threads, PER_PAGE):
        page = start // PER_PAGE + 1
        text = _listing(random.Random(f"{seed}-list-{page}"), page, numbers[start:start + PER_PAGE], threads)
        bodies[f"/forum?page={page}"] = _body(text, "utf-8", NEWEST)
    return Web(bodies, threads, total)


def _body(text: str, charset: str, modified: dt.datetime) -> Body:
    content = text.encode(charset)
    return Body(content, charset, f'"{hashlib.sha256(content).hexdigest()[:20]}"', modified)


def _sentences(source: random.Random, count: int) -> str:
    parts = [f"{source.choice(_OPENINGS)}，{source.choice(_THINGS)}{source.choice(_POINTS)}" for _ in range(count)]
    return "。".join(parts) + "，" + source.choice(_ENDINGS)


def _thread(source: random.Random, number: int, moment: dt.datetime, comments: int, charset: str) -> str:
    thing = source.choice(_THINGS)
    paragraphs = "".join(f"<p>{_sentences(source, source.randint(1, 4))}</p>" for _ in range(source.randint(1, 5)))
    shown = "".join(
        _comment(source, number, place, moment + dt.timedelta(minutes=7 * place + 3)) for place in range(comments)
    )
    main = (
        f'<article class="thread" data-id="{number}"><h1 class="subject">{thing}使用感受 {number} 号</h1>'
        f'<div class="meta"><a class="author" href="/u/{source.randint(1, 4000)}">茶友{source.randint(1, 4000)}</a>'
        f'<time datetime="{moment.isoformat(timespec="minutes")}">{moment:%Y-%m-%d %H:%M}</time>'
        f'<span class="likes">{source.randint(0, 900)}</span><span class="replies">{comments}</span></div>'
        f'<div class="content">{paragraphs}</div></article><section class="comments">{shown}</section>'
    )
    return _frame(source, f"{thing}使用感受 {number} 号", main, charset)


def _comment(source: random.Random, thread: int, place: int, moment: dt.datetime) -> str:
    user = source.randint(1, 4000)
    return (
        f'<div class="comment" id="c{thread}-{place}"><a class="avatar" href="/u/{user}"><img src="/img/u/{user}.jpg" '
        f'alt="" width="48" height="48" loading="lazy"></a><div class="side"><a class="by" href="/u/{user}">茶友{user}</a>'
        f'<span class="badge lv{user % 9}">Lv.{user % 9}</span><span class="floor">{place + 2} 楼</span>'
        f'<time>{moment:%Y-%m-%d %H:%M}</time></div><p class="say">{_sentences(source, source.randint(1, 2))}</p>'
        f'<div class="tools"><a class="like" href="#like">赞 <b>{source.randint(0, 60)}</b></a><a href="#reply">回复</a>'
        f'<a href="#report">举报</a><a href="#share">分享</a></div></div>'
    )


def _listing(source: random.Random, page: int, numbers: list[int], threads: int) -> str:
    rows = "".join(
        f'<li class="row"><a class="title" href="/t/{number}" data-id="{number}">{source.choice(_THINGS)}使用感受 '
        f'{number} 号</a><span class="count">{source.randint(0, 30)}</span><p class="excerpt">{_sentences(source, 1)}</p></li>'
        for number in numbers
    )
    more = page * PER_PAGE < threads
    following = f'<a class="next" href="/forum?page={page + 1}">下一页</a>' if more else ""
    return _frame(source, f"茶话会 第{page}页", f'<ul class="rows">{rows}</ul><div class="pager">{following}</div>', "utf-8")


def _frame(source: random.Random, title: str, main: str, charset: str) -> str:
    """What stands around the content: 13 to 40 KB of it."""
    style = "".join(
        f".w{i}{{margin:{source.randint(0, 40)}px;color:#{source.randint(0, 0xffffff):06x}}}" for i in range(90)
    )
    links = "".join(f'<li><a href="/b/{i}" class="w{i % 90}">{_word(source)}{_word(source)}</a></li>' for i in range(60))
    hot = "".join(
        f'<div class="hot w{i}"><span class="rank">{i + 1}</span><a href="/hot/{source.randint(1, 9999)}" title="{_word(source)}">'
        f"{_word(source)}{source.choice(_THINGS)}怎么选</a><em>{source.randint(100, 99999)}</em></div>" for i in range(30)
    )
    state = ",".join(
        f'{{"id":{source.randint(1, 10**9)},"k":"{source.getrandbits(64):016x}","v":{source.random():.6f}}}'
        for _ in range(source.randint(90, 500))
    )
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="{charset}"><title>{title} - 茶话会</title>'
        f'<meta name="description" content="{title}"><link rel="stylesheet" href="/s/main.css"><style>{style}</style></head>'
        f'<body><header class="top"><a class="logo" href="/">茶话会</a><ul class="nav">{links}</ul></header>'
        f'<div class="layout"><main>{main}</main><aside>{hot}</aside></div><footer>茶话会 · 全部内容均为虚构</footer>'
        f"<script>window.__ADS__=[{state}];</script></body></html>"
    )


def _word(source: random.Random) -> str:
    start = source.randrange(0, len(_WORDS), 2)
    return _WORDS[start:start + 2]
