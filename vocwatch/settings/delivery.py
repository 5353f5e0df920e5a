"""Whom to tell and how: channels, red-line alerts, the mail's limits. Secrets stand in the environment."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from vocwatch.lang import tr
from vocwatch.settings.base import Section, Slug

_ADDRESS = re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;:\"().]+")
MAIL = "smtp"


def is_address(target: str) -> bool:
    """Whether a target is a mail address; else it is the name of a channel."""
    return _ADDRESS.fullmatch(target) is not None


class Channel(Section):
    """A group chat or push service. Its address holds a key and so stands in the environment."""

    name: Slug = Field(description="在 alerts.to 里用的名字")
    kind: Literal["wecom", "dingtalk", "feishu", "apprise"] = Field(
        description="wecom 企业微信群机器人，dingtalk 钉钉，feishu 飞书，apprise 其他（Slack、Teams、Telegram……）"
    )
    url_env: Annotated[str, Field(
        pattern=r"^VOCWATCH_CHANNEL_[A-Z0-9_]+$", description="放地址的环境变量：机器人的 webhook 网址，或 Apprise 网址",
    )]
    secret_env: Annotated[str, Field(
        pattern=r"^(VOCWATCH_CHANNEL_[A-Z0-9_]+)?$", description="放加签密钥的环境变量（钉钉、飞书开了“加签”才要）",
    )] = ""
    per_minute: int = Field(0, ge=0, le=1000, description="每分钟最多几条；0 为平台公布的上限")
    per_day: int = Field(0, ge=0, description="每个业务日最多几条；0 为不限")
    max_bytes: int = Field(0, ge=0, le=1_000_000, description="一条最多多少字节；0 为平台公布的上限")

    @model_validator(mode="after")
    def _named(self) -> Channel:
        if self.name == MAIL:
            raise ValueError(tr("smtp 是邮件的名字，请换一个", "smtp is the name of mail; choose another"))
        return self


class Alerts(Section):
    """Red-line alerts: to whom, how often, when not."""

    to: tuple[str, ...] = Field((), description="渠道名或邮箱地址，每个都收到")
    second: tuple[str, ...] = Field((), description="第一次没发出去时，马上改发这些")
    admins: tuple[str, ...] = Field((), description="发送出了问题（地址失效、密码不对、有人退订）告诉谁")
    repeat_hours: float = Field(4, gt=0, le=72, description="没人确认就隔这么久再报一次")
    update_minutes: int = Field(10, ge=0, le=240, description="同一事件两次更新至少隔几分钟；升到红不用等")
    settle_minutes: int = Field(60, ge=0, le=1440, description="降级要稳住这么久才算，免得在门槛上来回报")
    quiet_from: str = Field("22:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="黄、蓝级从几点起不打扰；红、橙不受限")
    quiet_until: str = Field("08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


def _reply(address: str) -> str:
    if address and not is_address(address):
        raise ValueError(tr(f"不是邮箱地址：{address}", f"not a mail address: {address}"))
    return address


class Mail(Section):
    """What all mails share."""

    reply_to: Annotated[str, AfterValidator(_reply)] = Field("", description="有人看的邮箱，回信到这里")
    per_minute: int = Field(0, ge=0, le=10_000, description="每分钟最多几封；0 为不限")
    per_day: int = Field(0, ge=0, description="每个业务日最多几封，填企业邮箱的额度；0 为不限")
    digest_hours: int = Field(36, ge=1, le=168, description="日报最晚补发到写好后几小时；红线预警 24 小时")
