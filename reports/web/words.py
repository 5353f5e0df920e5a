"""The words of the console's pages, Chinese and English."""

from __future__ import annotations

from starlette.requests import Request

from reports.web.access_words import WORDS as ACCESS

LANGS = ("zh", "en")

WORDS: dict[str, tuple[str, str]] = {
    "home": ("这里接邮件和预警里的链接：反馈、确认、静音、退订。请从邮件里点开。",
             "Links of mails and alerts lead here: feedback, acknowledge, silence, unsubscribe. Open them from there."),
    "not_found": ("没有这个页面", "No such page"),
    "not_found_more": ("网址可能被邮件软件截断了，请从邮件里重新点开。", "A mail program may have cut the address: open it from the mail again."),
    "forged": ("链接无效", "This link is not valid"),
    "forged_more": ("不是本系统签发的，或在转发中被截断、改动过。请从原邮件里重新点开。",
                    "It was not signed here, or was cut or changed on its way. Open it from the original mail."),
    "expired": ("链接已过期", "This link has expired"),
    "expired_more": ("请用最新一封邮件里的链接，或在命令行操作。", "Use the newest mail, or the command line."),
    "too_big": ("提交的内容太长", "Too much was sent"),
    "bad_form": ("提交的内容看不懂", "What was sent can't be read"),
    "again": ("返回重填", "Go back"),
    "broken": ("系统出错了", "Something broke"),
    "broken_more": ("没有记下任何东西。请稍后再试，或告诉管理员看日志。", "Nothing was noted. Try again later, or have the log looked at."),
    "storage": ("数据库暂时用不了", "The database can't be used now"),
    "feedback": ("这条判断准不准？", "Was this finding right?"),
    "gone": ("这件事已经不在库里", "This is not stored any more"),
    "gone_more": ("可能已按保留期清除。", "It may have been deleted at the end of its retention."),
    "choose": ("你的判断", "Your verdict"),
    "note": ("备注（可不填；电话、姓名会打码）", "Note (optional; personal data is masked)"),
    "level_right": ("应该定的等级（可不填）", "The right level (optional)"),
    "level_none": ("无：不该上榜", "none: should not be listed"),
    "not_said": ("不说", "not said"),
    "handed_to": ("已转派的话，转给谁（可不填；填了就立一件跟进）", "If handed on: to whom (optional; opens a case)"),
    "send": ("提交", "Send"),
    "noted": ("已记下：{verdict}", "Noted: {verdict}"),
    "noted_more": ("谢谢。它用于校准和训练，不会自己改动判定。", "Thank you. It feeds calibration and training; judgements do not change by themselves."),
    "noted_before": ("你已经说过“{verdict}”（{at}），没有重复记", "You said “{verdict}” before ({at}); it was not noted twice"),
    "said_before": ("这条链接用过了，你说过：", "This link was used; you said:"),
    "change_mind": ("改主意可以再选一项，以最新的为准。", "You may choose another; the newest counts."),
    "others": ("别人说过", "Others said"),
    "object": ("我不同意", "I disagree"),
    "object_reason": ("不同意的理由（必填）", "Why you disagree (required)"),
    "objected": ("异议已记下", "Your objection is noted"),
    "objected_more": ("由双方以外的人裁定；裁定之前这条反馈不参与学习。", "Somebody else settles it; until then nothing is learned from that word."),
    "case_made": ("跟进 {case} 已交给 {owner}", "Case {case} was given to {owner}"),
    "disputed": ("有异议，待裁定", "disputed, to be settled"),
    "level": ("等级", "Level"), "score": ("风险分", "Score"), "product": ("商品", "Product"), "topic": ("主题", "Topic"),
    "owner": ("负责", "Owner"), "date": ("业务日", "Date"), "incident": ("事件", "Incident"), "you": ("你是", "You are"),
    "where": ("出处", "Where"),
    "alarm": ("红线预警", "Red-line alert"),
    "voices": ("今日独立发声者", "Independent voices today"),
    "raised": ("触发", "Raised"),
    "told_last": ("最近一次报", "Told last"),
    "ack": ("确认收到", "Acknowledge"),
    "ack_more": ("确认后不再重复报；升级时会再报。", "It is not repeated then; it is told again if it gets worse."),
    "acked": ("已确认", "Acknowledged"),
    "acked_by": ("已由 {who} 于 {at} 确认", "Acknowledged by {who} at {at}"),
    "not_told": ("这个事件还没有报过预警，无须确认。", "Nothing was told of this incident, so there is nothing to acknowledge."),
    "not_standing": ("这个预警已经过去", "This alert is over"),
    "not_standing_more": ("今天和昨天都没有再触发，不必确认或静音。", "It was not raised today or yesterday: nothing to acknowledge or silence."),
    "silence": ("静音", "Silence"),
    "silence_more": ("到期前 {level}色及以下不报，更高的照报；日报照常列出。",
                     "Until it expires up to {level} is not told, what is worse is; the digest lists it all the same."),
    "silenced": ("已静音到 {at}", "Silenced until {at}"),
    "silenced_by": ("静音 {id}：{who}，{reason}，到 {at}", "Silence {id}: {who}, {reason}, until {at}"),
    "reason": ("原因（必填）", "Reason (required)"),
    "how_long": ("多久", "How long"),
    "name": ("你的名字（必填）", "Your name (required)"),
    "need_name": ("请写你的名字", "Say who you are"),
    "need_reason": ("请写原因", "Say why"),
    "need_verdict": ("请选一项", "Choose one"),
    "need_hours": ("时长不在可选范围", "Choose one of the spans"),
    "hours": ("{n} 小时", "{n} h"), "days": ("{n} 天", "{n} days"),
    "unsubscribe": ("退订", "Unsubscribe"),
    "unsubscribe_ask": ("不再把{list}发给 {to}？", "Stop sending {list} to {to}?"),
    "unsubscribe_duty": ("这是内部值班邮件：退订即暂停发送，并通知管理员安排别人接收。",
                         "This is an internal duty mail: it is paused, and the administrator is told to find somebody else."),
    "unsubscribed": ("已退订", "Unsubscribed"),
    "unsubscribed_more": ("{list}不再发给 {to}，已通知管理员。要恢复：vocwatch outbox resume {to} {raw}",
                          "{to} does not get {list} any more; the administrator is told. To resume: vocwatch outbox resume {to} {raw}"),
    "unsubscribed_before": ("之前已经退订", "Unsubscribed before"),
    "list_digest": ("日报（{audience}）", "the digest ({audience})"), "list_alert": ("预警", "alerts"),
    "right": ("准", "right"), "wrong": ("不准", "wrong"), "false": ("误报", "false alarm"), "repeat": ("重复", "repeated"),
    "handed": ("已转派", "handed on"), "done": ("已处置", "dealt with"), "missed": ("漏报", "missed"),
    "红": ("红", "red"), "橙": ("橙", "orange"), "黄": ("黄", "yellow"), "蓝": ("蓝", "blue"),
    **ACCESS,
}


def words(key: str, lang: str, **values: object) -> str:
    """Return a fixed word or sentence in "zh" or "en"."""
    text = WORDS[key][LANGS.index(lang)]
    return text.format(**values) if values else text


def language_of(request: Request) -> str:
    """Return the language that the address or the browser asks for; Chinese where neither is English."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    first = asked.strip().lower()[:2]
    return "en" if first == "en" else "zh"
