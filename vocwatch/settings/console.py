"""The console: how long a login holds, which proxy is believed, who else may vouch for people."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from vocwatch.lang import tr
from vocwatch.settings.base import Section

Role = Literal["reader", "analyst", "editor", "admin"]


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError(tr(f"不是 IP 地址或网段：{text}", f"not an address or network: {text}")) from error


def _issuer(url: str) -> str:
    if not url:
        return url
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if (parts.scheme != "https" and not (parts.scheme == "http" and local)) or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(tr("要写成 https://主机/路径（本机可用 http）", "must look like https://host/path (http only on this machine)"))
    return url.rstrip("/")


class Oidc(Section):
    """Logging in by the company's own accounts. The client's secret is VOCWATCH_OIDC_SECRET in the environment."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field("", description="OIDC 提供方的地址（issuer）；空则不用。客户端密钥用环境变量 VOCWATCH_OIDC_SECRET")
    client_id: str = ""
    label: str = Field("公司账号", description="登录页按钮上的名字")
    name_claim: str = Field("preferred_username", description="哪一项是名字")
    role_claim: str = Field("groups", description="哪一项是用户组")
    roles: dict[str, Role] = Field(default_factory=dict, description="用户组 → 角色；属于几个组时取最高的，每次登录重新核对")
    default_role: Literal["", "reader", "analyst", "editor", "admin"] = Field(
        "", description="不属于上面任何组的人得到的角色；空则只有管理员先建好的人能进"
    )

    @model_validator(mode="after")
    def _complete(self) -> Oidc:
        if self.issuer and not self.client_id:
            raise ValueError(tr("写了 issuer 就要写 client_id", "issuer needs client_id"))
        return self


class ConsoleSettings(Section):
    """How the console behaves."""

    idle_minutes: int = Field(120, ge=5, le=1440, description="登录后多久不操作就要重新登录")
    session_hours: int = Field(12, ge=1, le=168, description="登录最长多久")
    query_seconds: float = Field(10, gt=0, le=600, description="一次查询最多算几秒")
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="前面的反向代理的地址或网段：只有它们转告的来访地址和协议才算数"
    )
    oidc: Oidc = Oidc()
