"""What is said about sending itself: that it is late, may be doubled, or needs somebody's hand."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings.delivery import MAIL
from vocwatch.store.outbox import Parcel

LATE = dt.timedelta(minutes=15)


def late_words(parcel: Parcel, now: dt.datetime, zone: ZoneInfo) -> str:
    """Say how late a message goes out and why; nothing where it is in time."""
    late = now - parcel.dated_at
    if late <= LATE:
        return ""
    written, sent = parcel.dated_at.astimezone(zone), now.astimezone(zone)
    minutes = int(late.total_seconds() // 60)
    zh = f"{minutes // 60} 小时 {minutes % 60} 分" if minutes >= 60 else f"{minutes} 分"
    en = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    why_zh, why_en = _WHY.get(parcel.fault or "", ("发送受阻", "it could not be sent"))
    return tr(
        f"这一封 {written:%m-%d %H:%M} 写好，因{why_zh}，{sent:%m-%d %H:%M} 才发出，晚了 {zh}。内容以写好时为准。",
        f"Written {written:%m-%d %H:%M}, sent {sent:%m-%d %H:%M}, {en} late: {why_en}. It says what was known when written.",
    )


def twice_words() -> str:
    """Say that the recipient may have had this message before."""
    return tr(
        "上一次发送没有等到对方服务器的答复，这一封可能与先前收到的重复。",
        "The server gave no answer when this was sent before: you may have had it already.",
    )


_WHY = {
    "network": ("邮件服务器连不上", "the mail server could not be reached"),
    "tls": ("邮件服务器的证书不可信", "the mail server's certificate was not to be trusted"),
    "login": ("发信账号登录失败", "the mail account could not log in"),
    "config": ("发送配置有误", "sending was not set up"),
    "busy": ("对方服务器暂缓接收", "the server asked to come back later"),
    "limited": ("到了发送上限", "the sending limit was reached"),
    "unknown": ("发送中断", "sending was interrupted"),
}

# fault: (title, what to do), Chinese and English
_ADVICE = {
    "address": (
        ("收不到信的地址：{who}", "An address that takes no mail: {who}"),
        ("不再重试。请核对 config/vocwatch.yaml 里的地址，改好后：vocwatch outbox retry",
         "It is not tried again. Check the address in config/vocwatch.yaml, then: vocwatch outbox retry"),
    ),
    "refused": (
        ("被拒收：{who}", "Refused by the recipient's server: {who}"),
        ("对方服务器不收这封信（多为垃圾邮件规则），不再重试。请联系对方邮箱管理员把发件人加入白名单。",
         "Their server will not take this mail (often a spam rule); it is not tried again. Ask their postmaster."),
    ),
    "tls": (
        ("证书不可信，{channel} 暂停发送", "Certificate not trusted, {channel} sends nothing"),
        ("证书过期、域名不符或自签名都不发，不会改用明文。换好证书后自动恢复。",
         "With an expired, foreign or self-signed certificate nothing is sent, and nothing goes in the clear. It goes on by itself once mended."),
    ),
    "login": (
        ("登录失败，{channel} 暂停发送", "Login failed, {channel} sends nothing"),
        ("请核对 VOCWATCH_SMTP_USER 和 VOCWATCH_SMTP_PASSWORD（企业邮箱多要用客户端专用密码）。改好后自动恢复。",
         "Check VOCWATCH_SMTP_USER and VOCWATCH_SMTP_PASSWORD. It goes on by itself once mended."),
    ),
    "config": (
        ("配置有误，{channel} 暂停发送", "{channel} is not set up right and sends nothing"),
        ("请按下面的原因改 config/vocwatch.yaml 或环境变量，再运行 vocwatch doctor。改好后自动恢复。",
         "Mend config/vocwatch.yaml or the environment as said below, then run vocwatch doctor. It goes on by itself."),
    ),
    "unknown": (
        ("不知道送没送到：{who}", "Nobody knows whether it arrived: {who}"),
        ("发出后没等到服务器的答复；日报至多重发一次。请问一下对方是否收到；要再发：vocwatch outbox retry 编号",
         "No answer came after it was handed over; a digest is sent once more at most. Ask them; to send again: vocwatch outbox retry ID"),
    ),
    "expired": (
        ("过了期限没送到：{who}", "Too late, not delivered: {who}"),
        ("一直没发出去，已放弃。要补发：vocwatch outbox retry 编号",
         "It could not be sent in time and was given up. To send it all the same: vocwatch outbox retry ID"),
    ),
}


def advice(fault: str, channel: str, recipient: str, words: str, subject: str) -> tuple[str, str]:
    """Return the title and the text of a notice to the administrators."""
    title, step = _ADVICE[fault]
    name = tr("邮件", "mail") if channel == MAIL else channel
    who = one_line(recipient or name, 100)
    lines = [
        tr(*title).format(who=who, channel=name),
        tr(f"原因：{one_line(words, 300)}", f"Why: {one_line(words, 300)}"),
        tr(f"内容：{one_line(subject, 120)}", f"What: {one_line(subject, 120)}"),
        tr(*step),
    ]
    return one_line(lines[0], 150), "\n".join(lines)
