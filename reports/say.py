"""Sentences as data: a key and its values, put into words in Chinese or English only when shown.

Rows store sentences this way, so that the same facts read in both languages and no number lives in prose
alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vocwatch.reasons import english

Value = str | int | float

LANGS = {"zh": 0, "en": 1}

TEXTS: dict[str, tuple[str, str]] = {
    # why an incident is listed
    "why.red_line": (
        "触发红线「{name}」，独立发布者 {authors} 名",
        "Red line “{name}”, {authors} independent voices",
    ),
    "why.media": ("经核实的媒体或监管来源已提到", "Reported by a verified media or regulatory source"),
    "why.voices": (
        "今日 {seen} 名独立发声者，预期 {expected}（p {p}）",
        "{seen} independent voices today, {expected} expected (p {p})",
    ),
    "why.voices_of": (
        "今日 {heard} 名独立发声者；其中可与往日比的 {seen} 名，预期 {expected}（p {p}）",
        "{heard} independent voices today; of the {seen} comparable with earlier days {expected} were expected (p {p})",
    ),
    "why.two_days": (
        "昨今两天 {seen} 名独立发声者，预期 {expected}（p {p}）",
        "{seen} independent voices in two days, {expected} expected (p {p})",
    ),
    "why.isolated": (
        "今日 {authors} 名发声者，还不成事件：先核实",
        "{authors} independent voices today, not yet an incident: check first",
    ),
    "why.cold": (
        "今日 {seen} 名独立发声者；基线不足（历史不到 {days} 天）",
        "{seen} independent voices today; no baseline yet (under {days} days of history)",
    ),
    "why.inside_first": (
        "{path} {inside} {inside_day}先升，{source} {outside} {outside_day}才出现，客服早 {days} 天；内部 {sessions} 个会话同因",
        "{path} rose on {inside_day} {inside}, {source} on {outside_day} {outside}: service heard it {days} days earlier; {sessions} sessions",
    ),
    "why.outside_first": (
        "{source} {outside} {outside_day}先出现，{path} {inside} {inside_day}才升，客服晚 {days} 天；内部 {sessions} 个会话同因",
        "{source} on {outside_day} {outside}, {path} only on {inside_day} {inside}: service heard it {days} days later; {sessions} sessions",
    ),
    "why.inside": ("内部 {sessions} 个会话同因", "{sessions} service sessions for the same reason"),
    "why.inside_only": (
        "外部尚未出现，内部 {sessions} 个会话集中反映",
        "Not public yet; {sessions} service sessions point to it",
    ),
    "why.outside_only": ("内部会话暂无同因反馈", "No matching service session so far"),
    "why.copies": (
        "疑似水军：{texts} 条只来自 {accounts} 个账号（最多一个发了 {most} 条），集中在 {hours} 小时内，{alike} 条文案雷同；"
        "按一名发声者计，内容照列",
        "Possibly arranged: {texts} texts from {accounts} accounts (up to {most} each) within {hours} hours, {alike} of "
        "them alike; counted as one voice, all of it listed",
    ),
    "why.reposts": ("另有 {copies} 条转载，不计入独立发布者", "{copies} more reposts, not counted as voices"),
    "why.spread": (
        "最热一条 {likes} 赞 {shares} 转 {replies} 评",
        "Hottest post: {likes} likes, {shares} shares, {replies} replies",
    ),
    "why.recurs": ("与 {date} 的同类问题相同，判为复燃", "Same problem as on {date}: it has come back"),
    "why.watch": (
        "同日检验的主题较多，多重校正后不显著，先作观察",
        "Not significant after correction for multiple tests: watch only",
    ),
    "why.late": (
        "含补录 {texts} 条（发布较早，今日才读到）",
        "Includes {texts} late texts (published earlier, read today)",
    ),
    # which rule decided the level
    "level.score": ("按分数定级：{score} 分，门槛 {floor}", "By score: {score}, floor {floor}"),
    "level.held": (
        "{score} 分低于门槛 {floor}，但不到 {hold} 分，维持昨日等级",
        "{score} is below the floor of {floor} by less than {hold}: yesterday’s level is kept",
    ),
    "level.growing": (
        "今日 {now} 人在说，多于昨日 {eve} 人；{score} 分离门槛 {floor} 不远，提前升级",
        "{now} people today, {eve} yesterday: {score} is near enough to the floor of {floor}",
    ),
    "level.halved": (
        "今日 {now} 人在说，不超过昨日 {eve} 人的一半；{score} 分刚过门槛 {floor}，提前降级",
        "{now} people today, {eve} yesterday: {score} is no longer enough above the floor of {floor}",
    ),
    "level.watch": ("多重校正后不显著，只列为观察", "Not significant after correction: watch only"),
    "level.everyday": ("红线类，但今日人数属日常波动，定为黄色", "Red line, but no more than every day: yellow"),
    "level.media": ("一类红线，且有经核实的媒体或监管来源，定为红色", "First-class red line in verified press: red"),
    "level.first_class": (
        "一类红线，独立发布者 {authors} 名，达到 {needed} 名，定为红色",
        "First-class red line with {authors} independent voices, {needed} needed: red",
    ),
    "level.red_line": (
        "一类红线，独立发布者 {authors} 名，不论声量至少橙色",
        "First-class red line with {authors} independent voices: at least orange whatever the volume",
    ),
    "level.second_class": (
        "二类红线，独立发布者 {authors} 名或有经核实的来源，至少橙色",
        "Second-class red line with {authors} independent voices or a verified source: at least orange",
    ),
    "level.few": (
        "二类红线，独立发布者 {authors} 名，不到 {needed} 名，至少黄色",
        "Second-class red line with {authors} independent voices, {needed} needed for orange: at least yellow",
    ),
    "level.few_people": (
        "近两日外面每天 {authors} 人、客服每天 {customers} 人在说，不到 {needed} 人和 {needed_inside} 人，先列蓝色关注",
        "{authors} people a day outside and {customers} in service in two days, {needed} or {needed_inside} needed: blue",
    ),
    "level.mostly_arranged": (
        "二类红线，独立发声者 {authors} 名，其余 {copies} 条疑似有组织的复制，定为黄色",
        "Second-class red line: {authors} independent voices, the other {copies} texts are copies that look arranged: yellow",
    ),
    "level.arranged": ("二类红线，但发声疑似有组织，至少黄色", "Second-class red line that looks arranged: at least yellow"),
    "level.isolated": (
        "红线线索：{authors} 名发声者，人数或把握还不够成事件，列为待核实",
        "Trace of a red line: {authors} voices, too few or too unsure for an incident: to be checked",
    ),
    # verdict
    "verdict.calm": (
        "平稳：今日无上榜风险，完整度 {percent}%。",
        "Calm: nothing ranked today, coverage {percent}%.",
    ),
    "verdict.owner_calm": (
        "你负责的店铺今日无上榜风险，完整度 {percent}%。",
        "Nothing ranked today for your shops, coverage {percent}%.",
    ),
    "verdict.watch": (
        "无需处理：仅 {watch} 个观察项，完整度 {percent}%。",
        "No action needed: {watch} items to watch, coverage {percent}%.",
    ),
    "verdict.risk": (
        "{count} 项风险，最高{level}：{title}。",
        "{count} risks, highest {level}: {title}.",
    ),
    "verdict.blind": (
        "数据不足，不能判断平稳：{count} 个来源未读到，完整度 {percent}%。",
        "Not enough data to call the day calm: {count} sources unread, coverage {percent}%.",
    ),
    "verdict.no_source": (
        "还没有启用任何来源，外部声音未知，不能判断平稳。",
        "No source is enabled: nothing is known of the public voice, so the day can’t be called calm.",
    ),
    "verdict.partial": (
        "数据不全（{count} 个来源未读到），实际风险可能更高。",
        "Data incomplete ({count} sources unread); the real risk may be higher.",
    ),
    # actions
    "action.check": (
        "核实 {count} 条红线线索（如：{title}）",
        "Check {count} traces of red lines (such as: {title})",
    ),
    "action.risk": ("{advice}：{title}", "{advice}: {title}"),
    "action.source": (
        "来源「{name}」{status}，查明原因并补采",
        "Source “{name}” is {status}: find out why and read it again",
    ),
    "action.sources": (
        "{number} 个来源没有读到（{names} 等），先查网络，再逐个补采",
        "{number} sources were not read ({names} …): check the network, then crawl them again",
    ),
    "action.overdue": (
        "{count} 件跟进逾期，最久的：{title}（跟进 {case}）",
        "{count} cases are overdue, the oldest: {title} (case {case})",
    ),
    "action.sessions": (
        "今日没有会话数据，补导出并导入",
        "No service sessions today: export and import them",
    ),
    # advice (COMPLIANCE 7: only what is on this list is ever advised)
    "advice.verify": ("核实情况，留存证据", "Verify the facts and keep the evidence"),
    "advice.contact": ("联系当事用户，了解经过", "Contact the customers concerned"),
    "advice.aftersales": ("给出退换、退款或补偿方案", "Offer return, refund or compensation"),
    "advice.statement": ("准备官方说明，由公关审定", "Prepare an official statement for PR review"),
    "advice.appeal": (
        "对不实内容走平台正规申诉",
        "Appeal false content through the platform’s regular process",
    ),
    "advice.legal": ("请法务评估", "Ask legal for an assessment"),
    "advice.escalate": ("立即上报品控负责人", "Escalate to the head of quality now"),
    "advice.hold": ("下架排查，暂停发货", "Take the product off sale while it is examined"),
    "advice.batch": ("排查批次，抽检留样", "Trace the batch and test retained samples"),
    "advice.logistics": ("联系仓库和快递核查单号", "Check with the warehouse and the carrier"),
    "advice.service": ("质检复盘会话，辅导客服", "Review the sessions and coach the agents"),
    "advice.page": (
        "核对详情页和活动说明，有误即改",
        "Check product page and offer terms; correct what is wrong",
    ),
    "advice.privacy": ("排查订单数据访问记录", "Check who accessed the order data"),
    # notes
    "note.old_news": ("旧闻翻炒 {texts} 条，未计入", "{texts} reposts of old news, not counted"),
    "note.campaign": (
        "今日为「{name}」，预期已按总声量上调",
        "Campaign day “{name}”: expectations scaled to volume",
    ),
    "note.no_sessions": (
        "今日没有导入会话，内部数字缺失，不是 0",
        "No sessions imported for today: internal figures are missing, not zero",
    ),
    "note.exposed": (
        "会话 {session} 提过「{words}」，{hours} 小时后{source}出现相似投诉，可能是同一人（{percent}%）",
        "Session {session} spoke of “{words}”; {hours} h later a similar complaint on {source}, perhaps theirs ({percent} %)",
    ),
    "note.merged": (
        "补发 {date}（当日日报没有发出）：{level}，{count} 项风险，首位「{title}」，预警 {alerts} 条",
        "Made up for {date}, whose digest did not go out: {level}, {count} risks, first “{title}”, {alerts} alerts",
    ),
    "note.merged_quiet": (
        "补发 {date}（当日日报没有发出）：{level}，没有列入的风险，预警 {alerts} 条",
        "Made up for {date}, whose digest did not go out: {level}, no risks listed, {alerts} alerts",
    ),
    "note.merged_empty": ("补发 {date}：当日日报没有发出，也没有写成", "{date} had no digest at all"),
    "note.late": (
        "补录：上一份日报写成后才读到 {texts} 条更早的内容（负面 {negative} 条），记在原日期名下；已发出的日报不改",
        "Late: {texts} earlier texts ({negative} negative) were read after the last digest was made; they count for "
        "their own dates, and digests that were sent stay as they are",
    ),
    "note.standby": (
        "判定模型曾用不了：{texts} 条只按词典判定，标为待复核，恢复后自动重判",
        "The model could not be used: {texts} texts were judged by words alone, are marked to be checked and will be judged again",
    ),
    "note.owner": (
        "只含{owner}负责的事件，另有 {others} 个归他人；指标为全品牌",
        "Incidents of {owner} only; the figures are the whole brand’s; {others} more incidents are with others",
    ),
    "note.more": ("另有 {count} 项未列出", "{count} more not shown"),
    # data health
    "health.never": ("今日没有运行", "not run today"),
    "health.early": ("只读到 {time}", "read only up to {time}"),
    "health.said": ("{reason}", "{reason}"),  # as stored, see `Say.text`
    "health.none": ("原因未记录", "no reason recorded"),
    # measures
    "csi.formula": (
        "客户满意度 =（评价总数 − 不满意评价数）÷ 评价总数，近 {days} 天 {rated} 条评价",
        "Satisfaction = (ratings − unsatisfied) ÷ ratings, {rated} ratings in {days} days",
    ),
    "csi.few": ("样本不足（{rated} 条评价）", "too few ratings ({rated})"),
    "csi.biased": (
        "样本不足（导出里只有差评会话，算不出满意度）",
        "not enough data (the export holds bad sessions only)",
    ),
    "rates.none": (
        "缺少订单与退货总数，品退率、差评率暂不计算",
        "Order and return totals are missing: rates not computed",
    ),
    "rates.formula": (
        "率 = 当日分子 ÷ 分母，与此前 {days} 天合并值比；缺分母的日子不算，不当作 0",
        "Rate = that day’s count ÷ its total, compared with the {days} days before; days without a total are left out, not 0",
    ),
    "rates.lacks": ("{day} 没有{what}，算不出", "no figure for {what} on {day}"),
    "rates.nothing": ("{day} {what}为 0", "{what} was 0 on {day}"),
    "rates.clash": (
        "口径不一：{over} {numerator} 多于{under} {denominator}，不算",
        "figures disagree: {numerator} {over}, more than {denominator} {under}",
    ),
    # follow-up
    "follow.still": ("今日{state}，{level}", "today {state}, {level}"),
    "follow.quiet": ("今日无新增", "nothing new today"),
}


@dataclass(frozen=True)
class Say:
    """One sentence: which, and its values."""

    key: str
    values: tuple[tuple[str, Value], ...] = ()

    def text(self, lang: str = "zh") -> str:
        """Put it into words."""
        filled = {name: _shown(name, value, lang) for name, value in self.values}
        if lang == "en" and self.key == "health.said":  # crawls say in Chinese why they failed
            filled["reason"] = english(filled["reason"])
        return TEXTS[self.key][LANGS[lang]].format(**filled)

    def stored(self) -> dict[str, Any]:
        """Return the form that is kept in a row."""
        return {"key": self.key, "values": dict(self.values)}


def say(key: str, **values: Value) -> Say:
    """Make a sentence."""
    return Say(key, tuple(sorted(values.items())))


def from_stored(row: Mapping[str, Any]) -> Say:
    """Read back what `stored` returned."""
    return say(str(row["key"]), **row["values"])


def _shown(name: str, value: Value, lang: str) -> str:
    if isinstance(value, float):
        digits = 3 if name == "p" else 1
        small = 10.0**-digits
        return f"<{small:g}" if 0 <= value < small else f"{value:.{digits}f}"
    if isinstance(value, str):
        return TEXTS[value][LANGS[lang]] if value in TEXTS else word(value, lang)
    return str(value)


WORDS: dict[str, tuple[str, str]] = {
    "红": ("红色", "red"),
    "橙": ("橙色", "orange"),
    "黄": ("黄色", "yellow"),
    "蓝": ("蓝色", "blue"),
    "灰": ("未知", "unknown"),
    "新增": ("新增", "new"),
    "升级": ("升级", "escalated"),
    "持续": ("持续", "ongoing"),
    "回落": ("回落", "falling"),
    "复燃": ("复燃", "recurred"),
    "ok": ("正常", "ok"),
    "degraded": ("降级", "degraded"),
    "blocked": ("受阻", "blocked"),
    "empty": ("空白", "empty"),
    "not-run": ("未运行", "not run"),
    "正常波动": ("正常波动", "normal"),
    "偏高": ("偏高", "high"),
    "零星": ("零星", "a few"),
    "偏低": ("偏低", "low"),
    "基线不足": ("基线不足", "no baseline"),
    "总声量": ("总声量", "Mentions"),
    "负面": ("负面", "Negative"),
    "客服差评会话": ("客服差评会话", "Bad service sessions"),
    "新增风险主题": ("新增风险主题", "New risk topics"),
    "服务红线": ("服务红线", "service red line"),
    "非满意": ("非满意", "unsatisfied"),
    "中差评": ("中差评", "poor review"),
    "品退": ("品退", "quality return"),
    "流失": ("流失", "lost order"),
    "舆情关键词": ("舆情关键词", "keyword"),
    "客服会话": ("客服会话", "service session"),
    "差评率": ("差评率", "Bad-review rate"),
    "品退率": ("品退率", "Quality-return rate"),
    "退货率": ("退货率", "Return rate"),
    "非满意率": ("非满意率", "Unsatisfied rate"),
    "差评会话率": ("差评会话率", "Bad-session rate"),
    "解决率": ("解决率", "Resolved rate"),
    "bad_reviews": ("差评数", "bad reviews"),
    "reviews": ("评价总数", "reviews"),
    "quality_returns": ("品退数", "quality returns"),
    "returns": ("退货数", "returns"),
    "orders": ("订单数", "orders"),
    "unsatisfied": ("不满意数", "unsatisfied ratings"),
    "rated": ("满意度评价数", "satisfaction ratings"),
    "bad_sessions": ("差评会话数", "bad sessions"),
    "sessions": ("会话总数", "sessions"),
    "resolved": ("已解决数", "resolved sessions"),
    "answered": ("有解决标记的会话数", "sessions marked resolved or not"),
    "周一": ("周一", "Mon"),
    "周二": ("周二", "Tue"),
    "周三": ("周三", "Wed"),
    "周四": ("周四", "Thu"),
    "周五": ("周五", "Fri"),
    "周六": ("周六", "Sat"),
    "周日": ("周日", "Sun"),
    "品牌整体": ("品牌整体", "whole brand"),
}


def word(value: str, lang: str) -> str:
    """Return one of the field's fixed words in a language; other text comes back as it is."""
    return WORDS.get(value, (value, value))[LANGS[lang]]


def weekday(day: dt.date) -> str:
    """Return 周一 to 周日, one of the fixed words."""
    return "周" + "一二三四五六日"[day.weekday()]


def short_date(day: dt.date) -> str:
    """Return MM-DD."""
    return day.strftime("%m-%d")
