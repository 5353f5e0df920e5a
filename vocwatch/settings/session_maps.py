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


class Transcript(Section):
    """How the turns are told apart inside the transcript cell (or JSON list)."""

    style: Literal["lines", "json"] = "lines"
    head: Pattern = Field(
        r"^(?P<name>.{1,40}?)[（(](?P<role>[^）)]{1,10})[）)]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2})?)?\s*$",
        description="每句开头一行的写法，须含 name/role/time 命名组（role、time 可缺）",
    )
    roles: dict[str, Literal["customer", "agent", "system"]] = Field(
        default_factory=lambda: {
            "买家": "customer", "顾客": "customer", "客户": "customer", "用户": "customer",
            "客服": "agent", "商家": "agent", "卖家": "agent", "系统": "system", "机器人": "system",
            "buyer": "customer", "customer": "customer", "staff": "agent", "agent": "agent", "system": "system",
        }
    )
    text_key: str = "text"
    role_key: str = "role"
    name_key: str = "nick"
    time_key: str = "time"


class SessionMap(Section):
    """One export format."""

    name: Slug
    title: str
    columns: dict[Target, tuple[str, ...]] = Field(description="字段 → 可能的列名，按顺序取第一个存在的")
    required: tuple[Target, ...] = ("native_id", "started_at", "transcript")
    path: Path | None = Field(None, description="整个文件或工作表都是同一路径时写在这里")
    sheets: dict[str, Path] = Field(default_factory=dict, description="XLSX 工作表名 → 路径")
    path_values: dict[str, Path] = Field(default_factory=dict, description="path 列的取值 → 路径")
    skip_first_cell: tuple[str, ...] = Field(("合计", "总计", "小计"), description="首格是这些字的行不是会话")
    transcript: Transcript = Transcript()
