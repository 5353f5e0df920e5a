"""`config/vocwatch.yaml`: the brand, the people, the house-wide limits."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from vocwatch.settings.base import Section, Slug


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"没有这个时区：{name}（例：Asia/Shanghai）") from error
    return name


class Brand(Section):
    """The brand that is watched."""

    name: str
    watch: Slug = Field(description="config/watches.yaml 中代表本品牌的监测词 id")


class Shop(Section):
    """One shop and the QA owner who answers for it."""

    id: Slug
    name: str
    platform: str = ""
    owner: str
    email: str = ""
    skus: tuple[str, ...] = ()


class Recipient(Section):
    """Who gets which digest."""

    email: str
    audience: Slug = "qa"


class Schedule(Section):
    """When the standing work is done (business zone)."""

    digest_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    crawl_every_minutes: int = Field(60, ge=5, le=1440)
    analyse_every_minutes: int = Field(5, ge=1, le=1440)
    import_folder: str = ""


class Crawler(Section):
    """How the crawler presents itself and what it may use up."""

    contact: str = Field(description="写进 User-Agent 的联系方式：网址或邮箱")
    respect: Literal["robots"] = "robots"
    stopped: bool = Field(False, description="总开关：true 则任何来源都不采集")
    default_delay_seconds: float = Field(2.0, ge=0)
    timeout_seconds: int = Field(30, ge=1, le=300)
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    allow_private_hosts: tuple[str, ...] = Field(
        (), description="允许访问的内网主机，只给练习网站和自建实例用"
    )


class Campaign(Section):
    """A day on which more volume is expected."""

    date: dt.date
    name: str


class Levels(Section):
    """Score floors of the levels; below blue nothing is ranked."""

    red: float = 80
    orange: float = 60
    yellow: float = 40
    blue: float = 20


class Risk(Section):
    """Weights of the score parts (they sum to 100) and the references of ../docs/architecture."""

    sensitivity: float = 25
    intensity: float = 20
    evolution: float = 20
    spread: float = 15
    attitude: float = 10
    corroboration: float = 10
    reference_authors: int = Field(20, ge=2)
    levels: Levels = Levels()
    red_line_authors: int = Field(3, ge=1, description="红线类达到几名独立发布者即判红")


class DigestSettings(Section):
    """What the mail shows."""

    subject_prefix: str = ""
    max_risks: int = Field(5, ge=1, le=20)
    quotes: bool = True
    recipients: tuple[Recipient, ...] = ()


class Retention(Section):
    """How long things are kept, in days."""

    raw_days: int = Field(30, ge=1)
    text_days: int = Field(180, ge=1)
    deleted_days: int = Field(0, ge=0, description="对方删除的内容，确认后几天清除正文；0 为下次清理时")
    evidence_days: int = Field(180, ge=1, description="进过日报、事件或预警的内容，原始页面留几天")
    audit_days: int = Field(1095, ge=180)


class App(Section):
    """The whole of `vocwatch.yaml`."""

    brand: Brand
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    shops: tuple[Shop, ...] = ()
    default_owner: str = "值班QA"
    crawler: Crawler
    schedule: Schedule = Schedule()
    campaigns: tuple[Campaign, ...] = ()
    risk: Risk = Risk()
    digest: DigestSettings = DigestSettings()
    retention: Retention = Retention()

    @property
    def zone(self) -> ZoneInfo:
        """The business zone."""
        return ZoneInfo(self.timezone)
