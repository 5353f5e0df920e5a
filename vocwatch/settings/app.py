"""`config/vocwatch.yaml`: the brand, the people, the house-wide limits."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from vocwatch.clock import business_date, day_window, first_at
from vocwatch.lang import tr
from vocwatch.settings.base import Section, Slug
from vocwatch.settings.console import ConsoleSettings
from vocwatch.settings.delivery import Alerts, Channel, Mail, is_address


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(tr(f"没有这个时区：{name}（例：Asia/Shanghai）", f"no such time zone: {name} (as: Asia/Shanghai)")) from error
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
    audience: Slug = Field("qa", description="qa 全部，executive 到重点风险为止，owner 只含 owner 负责的事件")
    owner: str = Field("", description="audience 为 owner 时：shops 里的负责人，或 default_owner")
    lang: Literal["", "zh", "en"] = Field("", description="这位收件人的语言；不写按命令的语言")
    privacy: bool = Field(False, description="增强隐私：不含顾客原话、标题用主题代替、不含帖子链接")

    @model_validator(mode="after")
    def _whose(self) -> Recipient:
        if (self.audience == "owner") != bool(self.owner):
            raise ValueError(tr(
                "audience: owner 要写明 owner（shops 里的负责人）；其他读者不写 owner",
                "audience: owner needs owner (one of shops); other audiences take none",
            ))
        return self


class Schedule(Section):
    """When the standing work is done."""

    digest_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    digest_zone: Annotated[str, AfterValidator(lambda name: _zone(name) if name else name)] = Field(
        "", description="digest_at 是哪个时区的钟点；不写按 timezone。业务日仍按 timezone 划分"
    )
    crawl_every_minutes: int = Field(60, ge=1, le=10080, description="每个来源多久采集一次；来源文件里的 every_minutes 优先")
    analyse_every_minutes: int = Field(2, ge=1, le=1440, description="多久看一次导入文件夹和新文本；每次采集之后总会立刻判定")
    jitter: float = Field(0.1, ge=0, le=0.5, description="采集间隔随机增减的比例，免得总在同一时刻去敲同一个网站")
    crawls_at_once: int = Field(2, ge=1, le=16)
    blind_minutes: int = Field(180, ge=10, description="所有来源都读不到这么久，发“盲区”告警")
    late_minutes: int = Field(30, ge=5, description="日报过点这么久还没送到，发“日报缺席”告警")


class SessionView(Section):
    """A view of another database from which sessions are read; its address stands in the environment."""

    name: Slug
    url_env: Annotated[str, Field(pattern=r"^VOCWATCH_VIEW_[A-Z0-9_]+$", description="放数据库地址的环境变量，如 VOCWATCH_VIEW_CS；用只读账号")]
    view: Annotated[str, Field(pattern=r"^[\w$]+(\.[\w$]+)?$", description="视图名，可带 schema：cs.sessions_v")]
    key: Annotated[str, Field(pattern=r"^[\w$]+$", description="只增不减的列，如自增编号或更新时间；下次从上次的最大值读起")]
    mapping: str = Field("auto", description="config/sessions/ 里的映射名")


class SessionImports(Section):
    """Where customer-service exports come from."""

    folder: str = Field("", description="盯着的文件夹（相对项目目录）；文件大小和时间两次看都没变才导入")
    done: Literal["mark", "move"] = Field("mark", description="导入后留在原处（mark）或移到“已导入”（move）")
    views: tuple[SessionView, ...] = ()


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
    until: dt.date | None = Field(None, description="最后一天（含）；只有一天就不写")
    name: str

    @model_validator(mode="after")
    def _forward(self) -> Campaign:
        if self.until and not self.date <= self.until <= self.date + dt.timedelta(days=60):
            raise ValueError(tr("until 要在 date 之后、60 天以内", "until must come after date, within 60 days"))
        return self


class Levels(Section):
    """Score floors of the levels; below blue nothing is ranked."""

    red: float = 80
    orange: float = 65
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
    hold_points: float = Field(3, ge=0, le=20, description="降级要比门槛低这么多分，免得在门槛上下来回跳")
    red_line_authors: int = Field(3, ge=1, description="红线类达到几名独立发布者即判红")
    yellow_authors: float = Field(3, ge=0, description="没有红线时，外面每天至少几人在说才够黄色（近两日平均）")
    yellow_customers: float = Field(7, ge=0, description="或者客服里每天至少几名顾客在说才够黄色")


class DigestSettings(Section):
    """What the mail shows."""

    subject_prefix: str = ""
    max_risks: int = Field(5, ge=1, le=20)
    quotes: bool = True
    shop_owners: bool = Field(False, description="shops 里写了 email 的每位负责人，各收一封只含自己店铺的日报")
    attach_xlsx: bool = Field(False, description="邮件附上 XLSX（同一份日报的表格）")
    recipients: tuple[Recipient, ...] = ()


class Retention(Section):
    """How long things are kept, in days."""

    raw_days: int = Field(30, ge=1)
    text_days: int = Field(180, ge=1)
    deleted_days: int = Field(0, ge=0, description="对方删除的内容，确认后几天清除正文；0 为下次清理时")
    evidence_days: int = Field(180, ge=1, description="进过日报、事件或预警的内容，原始页面留几天")
    audit_days: int = Field(1095, ge=180)


def _endpoint(url: str) -> str:
    """Accept the base address of an API: http(s)://host[:port]/path, and nothing that could hold a secret."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        plain = False
    if not plain or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(tr(
            "要写成 https://主机/v1 的样子，不带用户名、密钥和问号（密钥用环境变量 VOCWATCH_LLM_KEY）",
            "must look like https://host/v1, without user, key or question mark (the key is VOCWATCH_LLM_KEY)",
        ))
    return url


class Llm(Section):
    """A language model that reads uncertain texts a second time. Off unless somebody switches it on."""

    enabled: bool = Field(False, description="true 则把拿不准的文本（先脱敏）发给下面的接口")
    base_url: Annotated[str, AfterValidator(_endpoint)] = Field("", description="OpenAI 兼容接口的地址，如 https://llm.example.com/v1")
    model: str = Field("", max_length=120, description="接口里的模型名")
    max_share: float = Field(0.2, gt=0, le=1, description="每次判定最多送出百分之几的文本，0.2 即两成")
    requests_per_day: int = Field(500, ge=1, le=100_000, description="每个业务日最多请求几次")
    batch: int = Field(8, ge=1, le=20, description="一次请求放几条")
    timeout_seconds: float = Field(60, gt=0, le=600)
    stop_after_failures: int = Field(3, ge=1, le=100, description="连续失败几次后，本次不再请求")
    max_tokens: int = Field(4000, ge=0, description="回答的长度上限；0 为不限")
    response_format: Literal["json_schema", "json_object", "text"] = Field(
        "json_schema", description="接口支持哪种输出约束；无论哪种，回答都再校验一遍"
    )

    @model_validator(mode="after")
    def _complete(self) -> Llm:
        if self.enabled and not (self.base_url and self.model):
            raise ValueError(tr("enabled 为 true 时，base_url 和 model 都要写", "enabled: true needs base_url and model"))
        return self


class App(Section):
    """The whole of `vocwatch.yaml`."""

    brand: Brand
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    shops: tuple[Shop, ...] = ()
    default_owner: str = "值班QA"
    crawler: Crawler
    schedule: Schedule = Schedule()
    sessions: SessionImports = SessionImports()
    campaigns: tuple[Campaign, ...] = ()
    campaign_calendar: bool = Field(True, description="自带的大促日历：618、双11、双12、年货节；当天声量确实高才上调预期")
    risk: Risk = Risk()
    csi: Literal["满意-一般满意", "满意-不满意", "满意"] = Field(
        "满意-一般满意", description="CSI 的分子；分母都是总反馈。公式随数字一起打印"
    )
    digest: DigestSettings = DigestSettings()
    channels: tuple[Channel, ...] = ()
    alerts: Alerts = Alerts()
    mail: Mail = Mail()
    retention: Retention = Retention()
    console: ConsoleSettings = ConsoleSettings()
    llm: Llm = Llm()
    merge_topics: dict[str, str] = Field(
        default_factory=dict, description="把一个小类并进另一个来统计，如 宣传/色差: 宣传/描述不符；topics.yaml 不用改"
    )

    @model_validator(mode="after")
    def _targets(self) -> App:
        names = [channel.name for channel in self.channels]
        if len(set(names)) < len(names):
            raise ValueError(tr("channels 里有重名", "two channels share a name"))
        for key in ("to", "second", "admins"):
            for target in getattr(self.alerts, key):
                if target not in names and not is_address(target):
                    raise ValueError(tr(
                        f"alerts.{key} 里的 {target} 既不是 channels 里的名字，也不是邮箱地址",
                        f"alerts.{key}: {target} is neither a channel nor a mail address",
                    ))
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The business zone."""
        return ZoneInfo(self.timezone)

    def digest_moment(self, date: dt.date) -> dt.datetime:
        """Return when the digest of a business date is due: the first digest_at after that date is over, in UTC."""
        plan = self.schedule
        at = dt.time.fromisoformat(plan.digest_at)
        return first_at(day_window(date, self.zone)[1], at, ZoneInfo(plan.digest_zone or self.timezone))

    def digest_due(self, moment: dt.datetime) -> dt.date:
        """Return the last business date whose digest is due at that moment."""
        date = business_date(moment, self.zone)
        while self.digest_moment(date) > moment:
            date -= dt.timedelta(days=1)
        return date
