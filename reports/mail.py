"""Send a digest by SMTP: once per recipient and business date."""

from __future__ import annotations

import datetime as dt
import hashlib
import smtplib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from reports.digest.render import render_html
from reports.digest.subject import subject
from reports.digest.text import render_text
from reports.shape import Facts
from vocwatch.models import Level
from vocwatch.plain import one_line
from vocwatch.settings import Settings, Smtp
from vocwatch.store import Store, digests

TIMEOUT_SECONDS = 60
KIND = "digest"


class DeliveryError(Exception):
    """Nothing can be sent at all; the message says what to set."""


@dataclass
class SendReport:
    """Who got the digest now, who had it already, and who could not be reached and why.

    `possibly_twice` were retried after a sender died: the same Message-ID lets their mail program drop the
    copy.
    """

    sent: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    possibly_twice: list[str] = field(default_factory=list)


def send_digest(
    settings: Settings,
    store: Store,
    facts: Facts,
    *,
    now: dt.datetime,
    only: Iterable[str] | None = None,
    lang: str = "zh",
) -> SendReport:
    """Send to the configured recipients of the digest's audience (or to `only`), each at most once per date.

    Each delivery is claimed before and marked after sending, so that a second call sends nothing. Raises
    DeliveryError when mail is not configured, nobody is to get it, or the server can't be reached.
    """
    smtp = settings.env.smtp
    sender = _sender(smtp)
    to = list(
        dict.fromkeys(
            only or [r.email for r in settings.app.digest.recipients if r.audience == facts.audience]
        )
    )
    if not to:
        raise DeliveryError(
            f"没有 {facts.audience} 日报的收件人。"
            "请在 config/vocwatch.yaml 的 digest.recipients 里填写，或用 --to 指定"
        )
    report = SendReport()
    claimed = []
    for address in to:
        message_id = _message_id(facts, address, sender)
        with store.begin() as connection:
            taken = digests.claim(
                connection, facts.date, facts.audience, address, message_id=message_id, now=now
            )
        if taken is None:
            report.skipped.append(address)
        else:
            claimed.append((address, message_id))
            if taken == "retry":
                report.possibly_twice.append(address)
    if claimed:
        _send_all(settings, store, facts, claimed, report, sender=sender, now=now, lang=lang)
    return report


def compose(
    settings: Settings, facts: Facts, recipient: str, message_id: str, *, now: dt.datetime, lang: str = "zh"
) -> EmailMessage:
    """Return the mail: multipart/alternative with the full text part first."""
    sender = _sender(settings.env.smtp)
    message = EmailMessage()
    message["Subject"] = subject(facts, lang, settings.app.digest.subject_prefix)
    message["From"] = Address(one_line(f"{facts.brand} vocwatch", 60), addr_spec=sender)
    message["To"] = recipient
    message["Date"] = format_datetime(now.astimezone(settings.app.zone))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Risk-Level"] = str(0 if facts.level == "灰" else Level(facts.level).rank)
    message["List-Id"] = f"<{facts.audience}.{settings.app.brand.watch}.digest.{_domain(sender)}>"
    message.set_content(render_text(facts, lang), charset="utf-8", cte="base64")
    message.add_alternative(render_html(facts, lang), subtype="html", charset="utf-8", cte="base64")
    return message


def _send_all(
    settings: Settings,
    store: Store,
    facts: Facts,
    claimed: list[tuple[str, str]],
    report: SendReport,
    *,
    sender: str,
    now: dt.datetime,
    lang: str,
) -> None:
    smtp = settings.env.smtp
    try:
        server = _connect(smtp)
    except (OSError, smtplib.SMTPException) as error:
        reason = (
            f"连不上邮件服务器 {smtp.host}:{smtp.port}（{_reason(error)}）。请检查 VOCWATCH_SMTP_* 和网络"
        )
        for address, _ in claimed:
            _mark(store, facts, address, "failed", now=now, error=reason)
        raise DeliveryError(reason) from error
    with server:
        for address, message_id in claimed:
            try:
                message = compose(settings, facts, address, message_id, now=now, lang=lang)
                server.send_message(message, from_addr=sender, to_addrs=[address])
            except (OSError, smtplib.SMTPException, ValueError) as error:
                report.failed[address] = _reason(error)
                _mark(store, facts, address, "failed", now=now, error=report.failed[address])
            else:
                report.sent.append(address)
                _mark(store, facts, address, "sent", now=now)


def _mark(
    store: Store, facts: Facts, address: str, state: str, *, now: dt.datetime, error: str | None = None
) -> None:
    with store.begin() as connection:
        digests.mark(connection, facts.date, facts.audience, address, state, now=now, error=error)


def _connect(smtp: Smtp) -> smtplib.SMTP:
    """Open the connection; certificates are checked in both secure modes."""
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if smtp.security == "tls":
        server = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS)
    try:
        if smtp.security == "starttls":
            server.starttls(context=context)
        if smtp.user:
            server.login(smtp.user, smtp.password)
    except BaseException:
        server.close()
        raise
    return server


def _sender(smtp: Smtp) -> str:
    """Return the bare sender address. Raises DeliveryError when mail is not configured."""
    if not smtp.host:
        raise DeliveryError(
            "没有配置邮件服务器。"
            "请设置 VOCWATCH_SMTP_HOST、VOCWATCH_SMTP_PORT、VOCWATCH_SMTP_FROM（见 .env.example）"
        )
    if smtp.security not in ("starttls", "tls", "none"):
        raise DeliveryError(f"VOCWATCH_SMTP_SECURITY 现在是 {smtp.security}，应为 starttls、tls 或 none")
    address = parseaddr(smtp.sender or smtp.user)[1]
    if "@" not in address:
        raise DeliveryError("没有发件人地址。请设置 VOCWATCH_SMTP_FROM，如 vocwatch@example.com")
    return address


def _domain(address: str) -> str:
    return address.rsplit("@", 1)[1]


def _message_id(facts: Facts, recipient: str, sender: str) -> str:
    """Stable for (date, recipient, kind), so that a repeated mail is recognised as the same."""
    digest = hashlib.sha256(
        f"{facts.date.isoformat()}|{recipient}|{KIND}:{facts.audience}".encode()
    ).hexdigest()
    return f"<{digest[:32]}@{_domain(sender)}>"


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
        return one_line(f"{code} {_words(answer)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return one_line(f"{error.smtp_code} {_words(error.smtp_error)}")
    return one_line(str(error) or type(error).__name__)


def _words(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
