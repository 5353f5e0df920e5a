"""What the API takes and gives, as its published schema tells it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.desk.ask import Question
from vocwatch.models import IncidentState, Level, Sentiment
from vocwatch.models import Path as SessionPath
from vocwatch.store.access.users import ROLES
from vocwatch.store.desk.question import NO_LEVEL, TO_CHECK, VOICES

Word = Annotated[str, Field(max_length=200)]
Words = Annotated[list[Word], Field(max_length=200)]
MAX_ROWS = 1000


def _one_of(values: Iterable[str]) -> Any:
    """A value of these; `Question` itself refuses others, with the list of what there is."""
    return Field(max_length=200, json_schema_extra={"enum": list(values)})


Sentiments = list[Annotated[str, _one_of(one.value for one in Sentiment)]]
Levels = list[Annotated[str, _one_of([*(one.value for one in Level), NO_LEVEL])]]
Paths = list[Annotated[str, _one_of(one.value for one in SessionPath)]]
States = list[Annotated[str, _one_of([*(one.value for one in IncidentState), TO_CHECK])]]
Voices = list[Annotated[str, _one_of(VOICES)]]


class Asked(BaseModel):
    """The conditions of a question; all hold, and of several values of one any does."""

    model_config = ConfigDict(extra="forbid")  # a misspelt condition would count too much, silently

    since: dt.date | None = Field(None, description="从哪个业务日起")
    until: dt.date | None = Field(None, description="到哪个业务日为止（含）")
    topic: Words = Field([], description="大类，或 大类/小类")
    source: Words = Field([], description="来源名")
    product: Words = Field([], description="SKU，或产品监测词 id")
    watch: Words = Field([], description="监测词 id")
    sentiment: Sentiments = Field([], description="negative、neutral、positive")
    severity: int = Field(0, ge=0, le=3, description="严重度至少")
    level: Levels = Field([], description="所属事件的等级：红、橙、黄、蓝、无")
    shop: Words = Field([], description="店铺")
    path: Paths = Field([], description="质检路径（会话）")
    state: States = Field([], description="事件状态：新增、升级、持续、回落、复燃、待核")
    voice: Voices = Field([], description="发声者：customer、media、merchant …")
    red_line: Words = Field([], description="红线类别")
    q: str = Field("", max_length=2000, description="全文搜索：掉色 (杯 OR 壶) NOT \"不掉色\" NEAR/5")
    brand: bool | None = Field(None, description="说到本品牌的")
    incident: str = Field("", max_length=200, description="事件编号")
    cluster: int | None = Field(None, ge=0, le=2**63 - 1, description="重复簇：被抄的那条的编号")

    def question(self) -> Question:
        """Return the question. Raises QuestionError."""
        params: dict[str, list[str]] = {}
        for name in Asked.model_fields:
            value = getattr(self, name)
            if value in (None, "", []) or (name == "severity" and value == 0):
                continue
            params[name] = value if isinstance(value, list) else [("1" if value else "0") if isinstance(value, bool) else str(value)]
        return Question.from_params(params)


class Rows(Asked):
    """A question whose rows are wanted, a page of them at a time."""

    order: str = Field("", max_length=40, description="排序，如 -time、time、-severity；- 为从大到小")
    limit: int = Field(100, ge=1, le=MAX_ROWS, description="一次几行")
    offset: int = Field(0, ge=0, le=10_000_000, description="从第几行起")
    explain: bool = Field(False, description="附上数了什么、没数什么")


class Counts(Rows):
    """A question whose rows are counted in groups."""

    by: Annotated[list[Annotated[str, Field(max_length=20)]], Field(min_length=1, max_length=3)] = Field(
        description="分组：day week month topic major product source sentiment severity level shop voice watch path reason"
    )
    change: bool = Field(False, description="和前一段同样长的时间比；要写 since")


class Column(BaseModel):
    """A column of the rows."""

    key: str
    title: str
    kind: str = Field(description="text long number percent score date time list link bool id")


class Answer(BaseModel):
    """Rows, and how many there are without `limit`."""

    subject: str
    question: dict[str, list[str]] = Field(description="按系统的理解，可以原样当作地址参数")
    columns: list[Column]
    rows: list[dict[str, Any]]
    total: int
    next_offset: int | None = Field(description="下一页的 offset；没有下一页为空")
    counted: list[str] = Field(description="explain=true 时：数了什么、没数什么、哪些来源哪几天没读到")


class Me(BaseModel):
    """Whose token or login it is."""

    name: str
    role: Literal["reader", "analyst", "editor", "admin"]
    via: str


class DigestDays(BaseModel):
    """The business dates that have a digest, newest first."""

    audience: str
    days: list[dt.date]


class Said(BaseModel):
    """What somebody says of a finding."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(min_length=1, max_length=2000, description="事件编号、提及的编号或网址、会话编号")
    verdict: str = Field(max_length=12, description="准、不准、误报、漏报、重复、已转派、已处置")
    level: Literal["红", "橙", "黄", "蓝", "无", ""] = Field("", description="事件应该定的等级")
    day: dt.date | None = Field(None, description="说的是事件的哪个业务日；默认最近上榜的那天")
    note: str = Field("", max_length=500, description="备注；电话、姓名会打码")


class Heard(BaseModel):
    """What was noted."""

    subject_kind: str
    subject_id: str
    verdict: str
    who: str


class RuleTried(BaseModel):
    """A watch that is being written, to be tried on what is stored; nothing is changed."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, Any] = Field(description="和 config/watches.yaml 里一条监测词的写法一样：kind、name、aliases、exclude、query …")
    replaces: str = Field("", max_length=64, description="替换哪条已有的监测词（id），和它比得失")
    days: Literal[7, 28] = Field(7, description="最近几天")


class CaseOpened(BaseModel):
    """What is to be taken care of, and by whom."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(min_length=1, max_length=2000, description="事件编号，或提及的编号、网址")
    owner: str = Field("", max_length=100, description="交给谁")
    due_on: dt.date | None = Field(None, description="期限：当天结束前完成")
    note: str = Field("", max_length=500)


class CaseStep(BaseModel):
    """What happens to a case: any of assigning, a date, a comment; or its end."""

    model_config = ConfigDict(extra="forbid")

    owner: str = Field("", max_length=100)
    due_on: dt.date | None = None
    note: str = Field("", max_length=500)
    outcome: Literal["改评", "补偿", "下架", "澄清", "误报", ""] = Field("", description="写了就结案")


class Case(BaseModel):
    """A case as it stands."""

    id: int
    subject_kind: str
    subject_id: str
    title: str
    state: Literal["open", "closed"]
    owner: str | None
    due_on: dt.date | None
    outcome: str | None
    opened_at: dt.datetime
    closed_at: dt.datetime | None


assert set(ROLES) == {"reader", "analyst", "editor", "admin"}
