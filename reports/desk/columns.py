"""The columns of answers, with their names in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from vocwatch.lang import tr


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer.

    `kind` says how to show it: text, long, number, percent (1.0 is 100 %), score, date, time, list, link, bool, id.
    """

    key: str
    zh: str
    en: str
    kind: str = "text"

    @property
    def title(self) -> str:
        """The name in the language of this moment."""
        return tr(self.zh, self.en)


def _all(*columns: tuple[str, str, str] | tuple[str, str, str, str]) -> dict[str, Column]:
    return {column[0]: Column(*column) for column in columns}


GROUPS = _all(
    ("day", "日期", "Day", "date"), ("week", "周（周一）", "Week (its Monday)", "date"), ("month", "月", "Month", "date"),
    ("topic", "主题", "Topic"), ("major", "大类", "Main topic"), ("product", "产品", "Product"), ("source", "来源", "Source"),
    ("sentiment", "情感", "Sentiment"), ("severity", "严重度", "Severity", "number"), ("level", "等级", "Level"),
    ("shop", "店铺", "Shop"), ("voice", "发声者", "Voice"), ("watch", "监测词", "Watch"), ("red_line", "红线", "Red line"),
    ("kind", "类型", "Kind"), ("path", "质检路径", "Path"), ("reason", "原因", "Reason"), ("state", "状态", "State"),
)
NUMBERS = _all(
    ("mentions", "条数", "Mentions", "number"), ("authors", "独立发布者", "Independent authors", "number"),
    ("negative", "负面", "Negative", "number"), ("sessions", "会话", "Sessions", "number"),
    ("customers", "顾客", "Customers", "number"), ("incidents", "事件", "Incidents", "number"),
    ("days", "上榜天数", "Days listed", "number"), ("rate", "占比", "Share", "percent"),
    ("before", "上期", "Before", "number"), ("change", "变化", "Change", "percent"),
)
MENTIONS = tuple(_all(
    ("id", "编号", "Id", "id"), ("published_at", "发布时间", "Published", "time"), ("source", "来源", "Source"),
    ("sentiment", "情感", "Sentiment"), ("topics", "主题", "Topics", "list"), ("severity", "严重度", "Severity", "number"),
    ("title", "标题", "Title"), ("text", "正文", "Text", "long"), ("url", "链接", "URL", "link"),
    ("red_lines", "红线", "Red lines", "list"), ("watches", "监测词", "Watches", "list"), ("product", "产品", "Product"),
    ("sku", "SKU", "SKU"), ("shop", "店铺", "Shop"), ("voice", "发声者", "Voice"), ("kind", "类型", "Kind"),
    ("brand_match", "说到本品牌", "Own brand", "bool"), ("score", "情感分", "Score", "score"),
    ("confidence", "把握", "Confidence", "percent"), ("rating", "评分", "Rating", "number"), ("likes", "赞", "Likes", "number"),
    ("replies", "评论", "Replies", "number"), ("shares", "转发", "Shares", "number"), ("views", "阅读", "Views", "number"),
    ("cluster", "重复簇", "Cluster", "id"), ("first_seen_at", "首次读到", "First seen", "time"),
    ("model_version", "模型", "Model"),
).values())
SESSIONS = tuple(_all(
    ("id", "编号", "Id", "id"), ("session", "会话", "Session"), ("started_at", "开始时间", "Started", "time"),
    ("path", "质检路径", "Path"), ("shop", "店铺", "Shop"), ("sku", "SKU", "SKU"), ("product", "产品", "Product"),
    ("topics", "主题", "Topics", "list"), ("reason", "原因", "Reason"), ("sentiment", "情感", "Sentiment"),
    ("severity", "严重度", "Severity", "number"), ("rating", "评价", "Rating"), ("stars", "星级", "Stars", "number"),
    ("resolved", "已解决", "Resolved", "bool"), ("response_seconds", "响应秒数", "Response (s)", "number"),
    ("red_lines", "红线", "Red lines", "list"), ("platform", "平台", "Platform"), ("amount", "金额", "Amount", "number"),
).values())
INCIDENTS = tuple(_all(
    ("day", "业务日", "Day", "date"), ("level", "等级", "Level"), ("state", "状态", "State"), ("score", "分数", "Score", "score"),
    ("title", "事件", "Incident"), ("topic", "主题", "Topic"), ("product", "产品", "Product"), ("owner", "负责人", "Owner"),
    ("shop", "店铺", "Shop"), ("authors", "独立发布者", "Authors", "number"), ("mentions", "提及", "Mentions", "number"),
    ("sessions", "会话", "Sessions", "number"), ("incident", "编号", "Id", "id"), ("first_day", "首日", "First day", "date"),
    ("last_day", "最近一日", "Last day", "date"), ("recurs_of", "复燃自", "Recurs of", "id"), ("watched", "待核", "To check", "bool"),
).values())
TRENDS = (
    GROUPS["topic"], NUMBERS["mentions"], NUMBERS["authors"], NUMBERS["before"], NUMBERS["change"],
    Column("low", "变化下限", "Change, low", "percent"), Column("high", "变化上限", "Change, high", "percent"),
    Column("p", "p 值", "p", "score"), Column("verdict", "判断", "Verdict"), Column("values", "逐日", "By day", "list"),
)
SOURCES = (
    GROUPS["source"], Column("title", "名称", "Title"), Column("enabled", "启用", "Enabled", "bool"),
    Column("status", "最近一次", "Latest run"), Column("why", "原因", "Why"), Column("last_run", "运行时间", "Run at", "time"),
    NUMBERS["mentions"], NUMBERS["negative"], Column("days_read", "读全天数", "Days read", "number"),
    Column("days_blind", "缺读天数", "Days missed", "number"), Column("coverage", "完整度", "Coverage", "percent"),
    Column("owner", "负责人", "Owner"),
)
ROWS = {"mentions": MENTIONS, "sessions": SESSIONS, "incidents": INCIDENTS, "trends": TRENDS, "sources": SOURCES}
