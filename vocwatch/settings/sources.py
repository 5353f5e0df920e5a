"""`config/sources/*.yaml`: where to listen. A source is data until it needs a branch."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from vocwatch.lang import tr
from vocwatch.models import MentionKind
from vocwatch.settings.base import Pattern, Section, Slug

_HOST = re.compile(r"[\w.:-]*\w")  # letters of any script: xn-- is made of them on the way
# A joint such as a line break is all white space, which must stay.
Joint = Annotated[str, StringConstraints(strip_whitespace=False)]

RecordField = Literal[
    "native_id", "url", "title", "text", "author", "published_at", "rating", "likes", "replies", "shares",
    "views", "parent", "product", "sku", "shop",
]


class FieldSpec(Section):
    """How one value is read. In YAML a plain string is short for `{path: …}`.

    `path` is JMESPath in a json or feed step (into the feed's entry, e.g. `author` or `tags[0].term`); CSS
    in an html step, with `selector@attribute` for an attribute, `@attribute` for one of the item itself,
    `:scope` for the item's own text, `xpath:…` for XPath (inside an item it sees that item only), `page:…`
    to look in the whole page instead of the item. Of several paths the first with a value wins; false,
    objects and lists are no values. JSON paths are looked up in the item; a leading `$.` looks from the
    document's root, and `page:` looks with CSS in the web page that the JSON stood in. `path |> inner`
    reads the value at `path` as JSON and looks `inner` (JMESPath) up in that: for JSON kept in attributes
    or strings.

    Order: path, `html`, `regex`, `map`, then `const` where nothing was found, then `template`.
    """

    path: tuple[str, ...] = ()
    const: str | None = None
    regex: Pattern | None = Field(None, description="取第一个分组（没有分组取整个匹配）")
    template: str | None = Field(
        None,
        description="拼成的值：{value} 为读到的值，其余花括号为同条记录的字段，"
        "都不是时按路径在条目里找；缺一个就整个不要",
    )
    map: dict[str, str] = Field(default_factory=dict, description="读到的值 → 换成的值")
    join: Joint | None = Field(None, description="把所有匹配用它连起来；不写只取第一个")
    html: bool = Field(False, description="值本身是 HTML，转成文字")
    best: float | None = Field(None, gt=0, description="评分的满分，换算成五星；不写按 5 分")

    @model_validator(mode="after")
    def _something(self) -> FieldSpec:
        if not self.path and self.const is None and self.template is None:
            raise ValueError(tr("path、const、template 至少写一个", "give at least one of path, const, template"))
        return self


def _short(value: object) -> object:
    if isinstance(value, str):
        return {"path": [value]}
    if isinstance(value, list):
        return {"path": value}
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        return {**value, "path": [value["path"]]}
    return value


Fields = Annotated[FieldSpec, BeforeValidator(_short)]


class RecordSpec(Section):
    """One kind of record on a page: where each stands (`items`) and how its fields are read.

    `items` is JMESPath in a json step, CSS or `xpath:…` in an html step; a JMESPath that begins with `**`
    is looked up in the list of all objects of the document, however deep (`**[?kind=='t1'].data`). Without
    `items` the page itself is one record (in a feed: each entry). `jsonld` instead of `items` takes the
    page's JSON-LD objects of that schema.org type, or its microdata where JSON-LD has none (json paths
    inside; the usual properties of schema.org are read without being named, and ratings brought to five
    stars). `article` lets the article extractor fill title, text, author and time where no field is given;
    with `jsonld` it replaces a text that is only the beginning of the article. A record without text takes
    its title as text. `required` fields drop the record where they are missing.
    """

    kind: MentionKind
    items: str | None = None
    jsonld: str | None = None
    article: bool = False
    where: str | None = Field(
        None, description="json：JMESPath 条件，为真才要；html：条目里或条目本身须有的 CSS，! 开头表示不得有"
    )
    fallback: bool = Field(False, description="只在前面几种记录一条也没读到时才用")
    fields: dict[RecordField, Fields] = Field(default_factory=dict)
    required: tuple[RecordField, ...] = ("text",)


LinkField = RecordField | Literal["updated_at"]


class Links(Section):
    """Where a listing page names its detail pages. Values other than `url`/`native_id` are carried along.

    `updated_at` is when the listing says that something was last added: a page that was read after that is
    left alone, one that was read before is read again whatever the schedule says. `replies` serves likewise.
    """

    items: str
    where: str | None = None
    fields: dict[LinkField, Fields]

    @model_validator(mode="after")
    def _url(self) -> Links:
        if "url" not in self.fields:
            raise ValueError(tr("links.fields 里要有 url", "links.fields must have url"))
        return self


class Next(Section):
    """How the following page is found: a link on this page, a page number, or a cursor.

    Only asked for on a page that gave records or links. A cursor that is empty, 0 or -1 ends the list.
    """

    link: str | None = Field(None, description="html：下一页链接的 CSS；json：下一页地址的 JMESPath")
    param: str | None = Field(None, description="地址里要加一（或换成游标）的参数名")
    cursor: str | None = Field(None, description="游标的 JMESPath；不写则 param 每页加一")
    first: int = Field(1, description="地址里还没有 param 时，这一页算第几")
    by: int = Field(1, ge=1, description="param 每页加多少（按条数翻页的网站填每页条数）")
    more: str | None = Field(None, description="json：JMESPath，为假就停；html：须有的 CSS")
    max_pages: int = Field(50, ge=1, le=10000)


class Check(Section):
    """A sign in an answer that tells success from refusal: JMESPath, or CSS in an html step.

    `removed` is looked at first. A refusal whose message speaks of login, verification or deletion counts as
    that, any other as blocked.
    """

    ok: str | None = Field(None, description="JMESPath，结果为真表示正常")
    message: str | None = Field(None, description="说明原因的 JMESPath")
    removed: str | None = Field(None, description="JMESPath，结果为真表示内容已删除")
    statuses: tuple[int, ...] = Field(
        (), description="这些状态码不直接算拒绝，看正文判断（有的接口用 403 表示评论已关闭）"
    )


class Step(Section):
    """One kind of page of a source and what is read from it."""

    extract: Literal["feed", "json", "html"]
    state: str | None = Field(
        None,
        description="嵌在网页里的状态对象名，如 window.__INITIAL_STATE__ 或 __NEXT_DATA__；a || b 依次尝试；"
        "页面本身是 JSON 时直接读",
    )
    fragment: str | None = Field(None, description="html：网页片段装在 JSON 里时，它的 JMESPath")
    uncomment: bool = Field(False, description="html：内容藏在 HTML 注释里，先去掉注释号")
    empty: str | None = Field(None, description="页面正常但没有内容的标志（CSS 或 JMESPath）")
    unseen: dict[str, str] = Field(
        default_factory=dict,
        description="页面上写着有、却不给看的内容：叫法 → 为真即如此的 JMESPath 或 CSS。如 {评论: …}：页面写有评论，未登录看不到",
    )
    absent: Literal["drift", "blocked", "removed"] = Field(
        "drift", description="该有的结构不在时算什么：有的网站对未登录访客不给数据，写 blocked"
    )
    python: str | None = Field(None, description="crawlers/extractors/ 下的模块名：声明式写不出来时的分支")
    url: str | None = Field(None, description="comments 步骤单独取时的地址，{native_id} 等为主帖字段")
    check: Check | None = None
    records: tuple[RecordSpec, ...] = ()
    links: Links | None = None
    next: Next | None = None
    transport: Literal["http", "browser"] | None = None


class Rate(Section):
    """How hard the site may be worked: the ceiling, not the aim."""

    delay_seconds: float | None = Field(None, ge=0)
    concurrency: int = Field(1, ge=1, le=16)
    max_pages: int = Field(500, ge=1)
    max_minutes: int = Field(20, ge=1, le=240)


class Access(Section):
    """On what ground the source is read, and what reading does to the site."""

    basis: str = Field(description="依据：公开页面 / 官方接口 / 自有后台导出 …")
    robots: str = Field(description="复核 robots.txt 的结论")
    terms: str = Field("", description="服务条款链接")
    impact: str = Field("", description="对网站影响的评估：每天多少次请求、什么时段、上限多少")
    screenshot: bool = Field(True, description="进入日报或预警的内容，允许用浏览器截图存证")
    reviewer: str
    date: dt.date


class Browser(Section):
    """What the browser waits for and does on a page."""

    wait_for: str | None = Field(None, description="等这个 CSS 出现（最多 15 秒）；没等到也照样读")
    scroll_until: str | None = Field(None, description="一直往下滚，直到这个 CSS 的数量不再增加")
    max_scrolls: int = Field(30, ge=0, le=500)
    settle_ms: int = Field(
        300, ge=0, le=10000,
        description="最多再等多少毫秒让页面静下来：没有请求在途、没有到期的定时器、内容不再变，就不再等；滚动时是每一屏的等待",
    )


class Expect(Section):
    """What a healthy run looks like; missing it is a fault to report, not a quiet day."""

    min_links: int = Field(1, ge=0, description="第一页列表至少应有几条")
    canary: str | None = Field(None, description="必须能打开且读得出内容的地址")
    canary_query: str | None = Field(None, description="必定搜得到内容的词，填进 start 的 {keyword} 多查一次")
    signs: tuple[str, ...] = Field((), description="受阻页特有的文字，通用的已内置")


class Split(Section):
    """How a search that shows only its first so many results is cut into stretches of time.

    `start` holds `{since}` and `{until}`. A stretch that reaches the cap is halved until `min_hours`; one that can't
    be halved any more is reported as incomplete.
    """

    days: float = Field(7, gt=0, description="往回查几天")
    cap: int = Field(ge=1, description="一次搜索最多给多少条；达到即视为被截断")
    format: str = Field("%Y-%m-%d", description="{since}、{until} 的写法（strftime；%s 为秒数）")
    min_hours: float = Field(24, gt=0, description="时间段最短切到几小时")


def _address(value: str) -> str:
    """Refuse what is no address of a website: a missing scheme, a comma for a dot."""
    try:
        found = urlsplit(value)
        good = found.scheme in ("http", "https") and _HOST.fullmatch(found.hostname or "") is not None and found.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"不是网址：{value[:200]}。要以 https:// 或 http:// 开头，后面是站点，如 https://bbs.example.com/")
    return value


def _from_environment(value: str) -> str:
    if not re.fullmatch(r"env:[A-Z][A-Z0-9_]*", value):
        raise ValueError(tr(
            "密钥不写进文件：写 env:变量名，值放在环境变量里（例：env:YOUTUBE_API_KEY）",
            "secrets don't stand in files: write env:NAME and put the value into the environment (as: env:YOUTUBE_API_KEY)",
        ))
    return value


class Source(Section):
    """One file under `config/sources/`."""

    name: Slug
    title: str
    enabled: bool = True
    owner: str
    access: Access
    transport: Literal["http", "browser", "export"] = Field(
        "http", description="export：不采集，由 vocwatch sessions import 导入自有后台的导出文件"
    )
    tier: float = Field(0.5, ge=0, le=1, description="传播力 0–1，用于风险分的传播 P")
    media: bool = Field(False, description="经核实的媒体或监管来源")
    rate: Rate = Rate()
    raw_days: int | None = Field(None, ge=1)
    text_days: int | None = Field(None, ge=1)
    charset: str | None = Field(None, description="确知的编码；不写则自动判断")
    keywords: tuple[str, ...] | Literal["watches"] = Field((), description="填进 start 的 {keyword}")
    start: tuple[Annotated[str, AfterValidator(_address)], ...]
    every_minutes: int | None = Field(
        None, ge=1, le=10080, description="常驻运行时多久采集一次（分钟）；不写按 schedule.crawl_every_minutes"
    )
    reread_hours: tuple[float, ...] = Field(
        (1, 6, 24, 72, 168), description="发布后过了这些小时各重读一次（评论、追评、编辑、删除）；[] 为不重读"
    )
    split: Split | None = Field(None, description="结果有上限的搜索，按时间切段")
    headers: dict[str, Annotated[str, AfterValidator(_from_environment)]] = Field(
        default_factory=dict, description="官方接口的密钥：请求头名 → env:变量名；只发给 start 所在的网站"
    )
    limits: str = Field("", description="平台的实际限制，写给看日报的人：能读到什么、读不到什么")
    listing: Step | None = None
    detail: Step | None = None
    comments: Step | None = None
    browser: Browser = Browser()
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _steps(self) -> Source:
        if self.transport == "export":
            if self.start or self.listing or self.detail or self.comments:
                raise ValueError(tr(
                    "transport: export 的来源由文件导入，不写 start、listing、detail、comments",
                    "a source of transport: export is imported from files; it has no start, listing, detail or comments",
                ))
            return self
        if not (self.listing or self.detail):
            raise ValueError(tr("listing 和 detail 至少写一个", "give at least one of listing and detail"))
        if self.listing and self.listing.links and not self.detail:
            raise ValueError(tr(
                "listing.links 指向详情页，所以要写 detail", "listing.links lead to detail pages, so detail is needed",
            ))
        if any("{keyword}" in url for url in self.start) and not self.keywords:
            raise ValueError(tr("start 里有 {keyword}，所以要写 keywords", "start has {keyword}, so keywords is needed"))
        windows = any("{since}" in url or "{until}" in url for url in self.start)
        if windows != (self.split is not None):
            raise ValueError(tr("start 里的 {since}/{until} 和 split 要一起写", "{since} and {until} in start, and split, go together"))
        return self


TO_FILL = "待填"
"""What stands in a field that a person has to fill in before the source is switched on."""


def unfilled(source: Source) -> list[str]:
    """Return the fields that still say 待填."""
    values = {"owner": source.owner, **{f"access.{key}": value for key, value in source.access.model_dump().items()}}
    return [name for name, value in values.items() if isinstance(value, str) and value.startswith(TO_FILL)]
