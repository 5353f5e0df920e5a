"""`config/sessions/*.yaml`: how the columns of a customer-service export become a session."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vocwatch.lang import tr
from vocwatch.models import Path
from vocwatch.settings.base import Pattern, Section, Slug

Target = Literal[
    "native_id", "path", "started_at", "ended_at", "shop", "platform", "sku", "product", "order",
    "agent", "buyer", "rating", "return_reason", "violation", "amount", "review", "transcript",
    "response_seconds", "resolved", "url", "likes", "kind", "parent", "append", "append_at", "reply", "reply_at",
    "speaker", "speaker_role", "said", "said_at", "day", "sessions_total", "orders_total", "returns_total",
    "quality_returns_total", "reviews_total", "bad_reviews_total", "rated_total", "unsatisfied_total",
    "resolved_total", "satisfied_total", "fair_total",
]
TOTALS: dict[Target, str] = {
    "sessions_total": "sessions", "orders_total": "orders", "returns_total": "returns",
    "quality_returns_total": "quality_returns", "reviews_total": "reviews", "bad_reviews_total": "bad_reviews",
    "rated_total": "rated", "unsatisfied_total": "unsatisfied", "resolved_total": "resolved",
    "satisfied_total": "satisfied", "fair_total": "fair",
}
"""Columns of an export of daily totals, and what each counts (store/totals.py)."""

Role = Literal["customer", "agent", "system"]
ROLES: dict[str, Role] = {
    "买家": "customer", "顾客": "customer", "客户": "customer", "用户": "customer",
    "客服": "agent", "商家": "agent", "卖家": "agent", "系统": "system", "机器人": "system",
    "buyer": "customer", "customer": "customer", "staff": "agent", "agent": "agent", "system": "system",
}


class Transcript(Section):
    """How the turns are told apart inside the transcript cell (or JSON list)."""

    style: Literal["lines", "json", "rows"] = Field(
        "lines", description="lines 一格文字；json 一格列表；rows 一行一句话，同一会话的行挨着（列 speaker、said、said_at）"
    )
    head: Pattern = Field(
        r"^(?P<name>.{1,40}?)[（(](?P<role>[^）)]{1,10})[）)]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2})?)?\s*$",
        description="每句开头一行的写法，须含 name/role/time 命名组（role、time 可缺）",
    )
    more_heads: tuple[Pattern, ...] = Field(
        (), description="其他开头写法，按顺序试；话和昵称同在一行时加命名组 text"
    )
    roles: dict[str, Role] = Field(default_factory=lambda: dict(ROLES))
    text_key: str = Field("text", description="JSON 列表里每句的键，可写 author.role 这样的路径")
    role_key: str = "role"
    name_key: str = "nick"
    time_key: str = "time"
    html: bool = Field(False, description="每句是 HTML，去掉标签")


class ReviewExport(Section):
    """The rows are reviews out of a shop's own back office: stored as mentions of `source`, not as sessions.

    Which platform an export comes from is told by its names (in the name of the file or sheet, the platform
    column, or the platform of a shop of vocwatch.yaml) and by the columns that only this platform writes.
    """

    source: Slug = Field(description="存成哪个来源的提及；目录里有同名的来源文件，启用后才算进数据完整度")
    platform: str = Field(description="平台名，如 京东；表里没写店铺、而 vocwatch.yaml 只有一家这个平台的店时用它")
    names: tuple[str, ...] = Field(description="文件名、工作表名、平台列里的叫法")
    marks: tuple[str, ...] = Field((), description="只有这个平台的导出才有的列名")
    address: str = Field("", description="评价所在网页，如 https://item.example.com/{sku}.html；花括号为 sku、native_id")
    home: str = Field(description="拼不出评价网页时用的地址：商家后台")
    ratings: dict[str, float] = Field(
        default_factory=lambda: {"好评": 5.0, "中评": 3.0, "差评": 1.0}, description="评价等级的写法 → 五星制的星数"
    )
    best: float = Field(5, gt=0, description="星级列的满分，换算成五星")
    additions: tuple[str, ...] = Field(("追评", "追加"), description="kind 列里含这些字的行是追评")
    answers: tuple[str, ...] = Field(("回复",), description="kind 列里含这些字的行是商家回复")

    @model_validator(mode="after")
    def _web(self) -> ReviewExport:
        for address in (self.address, self.home):
            if address and not address.startswith(("http://", "https://")):
                raise ValueError(tr(f"应为 http(s) 网址：{address}", f"expected an http(s) address: {address}"))
        return self


class Judge(Section):
    """The export holds all sessions, good ones too, and no 质检路径: each row is judged by its own columns.

    A session is bad by the first that holds: violation → 服务红线, a quality reason → 品退, a bad review → 中差评,
    a bad rating → 非满意, a keyword class of keywords.yaml → 舆情关键词, lost → 流失. The others are only counted:
    they are the denominators.
    """

    bad_ratings: tuple[str, ...] = Field(
        ("不满意", "差评", "中评", "一般", "较差", "很差", "差", "bad", "poor", "terrible", "angry", "sad", "not good"),
        description="rating 列里的这些写法是不满意",
    )
    bad_stars: float = Field(3, description="星级不高于它算不满意")
    quality_reasons: tuple[str, ...] = Field(
        ("质量", "破损", "瑕疵", "损坏", "坏了", "故障", "掉色", "开裂", "异味", "与描述不符", "描述不符", "假冒", "少件", "漏发", "过敏", "变质", "污渍", "做工", "defect", "broken", "damaged"),
        description="退货原因里含这些字的是品退",
    )
    lost: tuple[str, ...] = Field(("流失", "未下单", "未成交", "未转化", "lost"), description="path 列里的这些写法是流失")
    keywords: bool = Field(True, description="命中 keywords.yaml 的会话算 舆情关键词")


class SessionMap(Section):
    """One export format."""

    name: Slug
    title: str
    columns: dict[Target, tuple[str, ...]] = Field(description="字段 → 可能的列名，按顺序取第一个存在的")
    required: tuple[Target, ...] = Field(
        ("native_id", "started_at", "transcript"),
        description="缺了就不能导入的字段；started_at 可由 ended_at 代替，transcript 可由 review 代替",
    )
    identity: tuple[Target, ...] = Field(
        (), description="没有会话编号时，用这些字段合成编号（只存加密代号）；为空则必须有编号"
    )
    records: tuple[str, ...] = Field((), description="JSON 文件里放记录的列表的键，按顺序取第一个存在的")
    path: Path | None = Field(None, description="整个文件或工作表都是同一路径时写在这里")
    sheets: dict[str, Path] = Field(default_factory=dict, description="XLSX 工作表名 → 路径")
    path_values: dict[str, Path] = Field(default_factory=dict, description="path 列的取值 → 路径")
    path_columns: dict[Target, Path] = Field(
        default_factory=dict, description="哪里都没写路径时，凭这些专有列认路径（只有一个符合才算）"
    )
    skip_first_cell: tuple[str, ...] = Field(("合计", "总计", "小计"), description="首格是这些字的行不是会话")
    transcript: Transcript = Transcript()
    marks: tuple[str, ...] = Field((), description="配 judge：只有这个工具才写的列名，至少有一个才自动用这份映射")
    judge: Judge | None = Field(None, description="写了这一段（可以是 {}），就是全部会话的导出：逐行判断路径，其余只计数")
    totals: bool = Field(False, description="true：每天的会话数、订单数、退货数等，用作比率的分母")
    reviews: ReviewExport | None = Field(None, description="写了这一段，就是商家后台的评价导出：行存成提及，不是会话")
