"""Composing: mails with their headers, and what is added when one goes out late or a second time."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from reports.delivery.faults import DeliveryError
from reports.links import link
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings import Settings, Smtp
from vocwatch.settings.delivery import MAIL, is_address
from vocwatch.store.outbox import Message

UNSUBSCRIBE_DAYS = 400
NOWHERE = "vocwatch.invalid"
_XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BODY = re.compile(r"<body\b[^>]*>", re.I)


def sender_of(smtp: Smtp) -> str:
    """Return the bare sender address. Raises DeliveryError when mail is not configured."""
    if not smtp.host:
        raise DeliveryError(tr(
            "没有配置邮件服务器。请设置 VOCWATCH_SMTP_HOST、VOCWATCH_SMTP_PORT、VOCWATCH_SMTP_FROM（见 .env.example）",
            "No mail server is configured. Set VOCWATCH_SMTP_HOST, VOCWATCH_SMTP_PORT, VOCWATCH_SMTP_FROM (see .env.example)",
        ))
    if smtp.security not in ("starttls", "tls", "none"):
        raise DeliveryError(tr(
            f"VOCWATCH_SMTP_SECURITY 现在是 {smtp.security}，应为 starttls、tls 或 none",
            f"VOCWATCH_SMTP_SECURITY is {smtp.security}; it must be starttls, tls or none",
        ))
    address = parseaddr(smtp.sender or smtp.user)[1]
    if not is_address(address) or not address.isascii():
        raise DeliveryError(tr(
            "没有发件人地址。请设置 VOCWATCH_SMTP_FROM，如 vocwatch@example.com",
            "No sender address. Set VOCWATCH_SMTP_FROM, such as vocwatch@example.com",
        ))
    return address


def message_id(kind: str, key: str, channel: str, recipient: str, smtp: Smtp) -> str:
    """Return an id that depends on nothing but these: a repeated message is recognised as the same."""
    domain = parseaddr(smtp.sender or smtp.user)[1].rpartition("@")[2] or NOWHERE
    digest = hashlib.sha256("|".join((kind, key, channel, recipient)).encode("utf-8", "replace")).hexdigest()
    return f"<{digest[:32]}@{domain}>"


def mail(
    settings: Settings, *, kind: str, key: str, recipient: str, which: str, subject: str, text: str, now: dt.datetime,
    hours: float, page: str = "", thread: str = "", extra: Mapping[str, str] | None = None, fallback: bool = False,
    sheet: tuple[str, bytes] | None = None,
) -> Message:
    """Return a mail for one recipient. `which` is its list (digest/qa, alert, notice), `thread` the id it answers,
    `sheet` the name and content of an attached workbook.

    No value of a header can hold a line break: it is put on one line, and the mail library would refuse it.
    """
    identity = message_id(kind, key, MAIL, recipient, settings.env.smtp)
    domain = identity.rpartition("@")[2].rstrip(">")
    made = EmailMessage(policy=SMTP)
    subject = one_line(subject, 250)
    made["Subject"] = subject
    try:
        address = sender_of(settings.env.smtp)
    except DeliveryError:
        address = f"vocwatch@{NOWHERE}"  # is not sent before mail is configured
    made["From"] = Address(one_line(f"{settings.app.brand.name} vocwatch", 60), addr_spec=address)
    if is_address(recipient) and recipient.isascii():
        made["To"] = recipient
    if settings.app.mail.reply_to:
        made["Reply-To"] = settings.app.mail.reply_to
    made["Date"] = format_datetime(now.astimezone(settings.app.zone))
    made["Message-ID"] = identity
    if thread:
        made["In-Reply-To"] = thread
        made["References"] = thread
    made["Auto-Submitted"] = "auto-generated"
    made["List-Id"] = f"<{_list_label(which)}.{settings.app.brand.watch}.{kind}.{domain}>"
    for name, value in {**_unsubscribe(settings, recipient, which, now), **(extra or {})}.items():
        made[name] = one_line(value, 900)
    made.set_content(text, charset="utf-8", cte="base64")
    if page:
        made.add_alternative(page, subtype="html", charset="utf-8", cte="base64")
    if sheet:
        made.add_attachment(sheet[1], maintype="application", subtype=_XLSX, filename=one_line(sheet[0], 80))
    return Message(
        kind, key, MAIL, recipient, identity, subject, made.as_bytes(), now, now + dt.timedelta(hours=hours), fallback
    )


def _list_label(which: str) -> str:
    return which.rpartition("/")[2]


def _unsubscribe(settings: Settings, recipient: str, which: str, now: dt.datetime) -> dict[str, str]:
    """RFC 2369, and RFC 8058 where the console has an https address; notices to administrators can't be stopped."""
    if which == "notice":
        return {}
    expires = now + dt.timedelta(days=UNSUBSCRIBE_DAYS)
    address = link(settings.env, "unsubscribe", {"to": recipient, "list": which}, expires=expires)
    if address is None:
        return {"List-Unsubscribe": f"<mailto:{settings.app.mail.reply_to}?subject=unsubscribe>"} if settings.app.mail.reply_to else {}
    found = {"List-Unsubscribe": f"<{address}>"}
    if address.startswith("https://"):
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def chat(
    settings: Settings, *, kind: str, key: str, channel: str, subject: str, text: str, now: dt.datetime, hours: float,
    fallback: bool = False,
) -> Message:
    """Return a message for a group chat: plain text, so that nothing in it is markup there."""
    identity = message_id(kind, key, channel, channel, settings.env.smtp)
    return Message(
        kind, key, channel, channel, identity, one_line(subject, 250), text.encode("utf-8", "replace"), now,
        now + dt.timedelta(hours=hours), fallback,
    )


def to_targets(
    settings: Settings, targets: Sequence[str], *, kind: str, key: str, which: str, subject: str, text: str,
    now: dt.datetime, hours: float, thread_key: str = "", extra: Mapping[str, str] | None = None, fallback: bool = False,
) -> list[Message]:
    """Return one message for each target: a mail for an address, plain text for a channel."""
    made = []
    for target in dict.fromkeys(targets):
        if is_address(target):
            thread = message_id(kind, thread_key, MAIL, target, settings.env.smtp) if thread_key else ""
            made.append(mail(
                settings, kind=kind, key=key, recipient=target, which=which, subject=subject, text=text, now=now,
                hours=hours, thread=thread, extra=extra, fallback=fallback,
            ))
        else:
            made.append(chat(
                settings, kind=kind, key=key, channel=target, subject=subject, text=text, now=now, hours=hours,
                fallback=fallback,
            ))
    return made


def with_notes(raw: bytes, marks: Sequence[str], notes: Sequence[str]) -> bytes:
    """Return a composed mail with `marks` before its subject and `notes` above its text; without any, unchanged.

    Message-ID and Date stay: a mail program that knows them shows one mail.
    """
    if not marks and not notes:
        return raw
    found = message_from_bytes(raw, policy=SMTP)
    subject = str(found["Subject"])
    del found["Subject"]
    found["Subject"] = one_line("".join(f"（{mark}）" for mark in marks) + subject, 300)
    said = "".join(f'<p style="margin:8px;font-size:14px">{html.escape(note)}</p>' for note in notes)
    for part in found.walk():
        if part.get_content_type() == "text/plain":
            part.set_content("\n".join((*notes, "", part.get_content())), charset="utf-8", cte="base64")
        elif part.get_content_type() == "text/html":
            page = _BODY.sub(lambda match: match[0] + said, part.get_content(), count=1)
            part.set_content(page, subtype="html", charset="utf-8", cte="base64")
    return found.as_bytes()
