"""`config/sessions/*.yaml`: how the columns of a customer-service export become a session."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vocwatch.models import Path
from vocwatch.settings.base import Pattern, Section, Slug

Target = Literal[
    "native_id", "path", "started_at", "ended_at", "shop", "platform", "sku", "product", "order",
    "agent", "buyer", "rating", "return_reason", "violation", "amount", "review", "transcript",
    "response_seconds", "resolved",
]

Role = Literal["customer", "agent", "system"]
ROLES: dict[str, Role] = {
    "买家": "customer", "顾客": "customer", "客户": "customer", "用户": "customer",
    "客服": "agent", "商家": "agent", "卖家": "agent", "系统": "system", "机器人": "system",
    "buyer": "customer", "customer": "customer", "staff": "agent", "agent": "agent", "system": "system",
}


class Transcript(Section):
    """How the turns are told apart inside the transcript cell (or JSON list)."""

    style: Literal["lines", "json"] = "lines"
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
