"""Sending over real SMTP on loopback: once per recipient and date, and clear errors."""

from __future__ import annotations

import dataclasses
import email
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default

import pytest

from reports.facts import build_facts
from reports.mail import DeliveryError, send_digest
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED
from vocwatch.settings import Smtp
from vocwatch.store import digests
from vocwatch.store import schema as s

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # aiosmtpd imports what later Pythons drop
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP

NOW = morning(PLANTED["burn"])


class Inbox:
    """Keeps what arrives; refuses the addresses it is told to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: set[str] = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        assert max(len(line) for line in envelope.content.split(b"\r\n")) <= 998
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"


class Quiet(Controller):
    """A controller on a free port."""

    def factory(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]  # the free port that the system chose
        super()._trigger_server()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    found = Inbox()
    controller = Quiet(found, hostname="127.0.0.1", port=0)
    controller.start()
    found.port = controller.port
    yield found
    controller.stop()


def with_smtp(cups, **smtp):
    values = {"host": "127.0.0.1", "sender": "vocwatch@mail.example.com", "security": "none", **smtp}
    return dataclasses.replace(cups, env=dataclasses.replace(cups.env, smtp=Smtp(**values)))


@pytest.fixture
def mailing(cups, inbox):
    return with_smtp(cups, port=inbox.port)


@pytest.fixture
def told(cups, story):
    return build_facts(cups, story, PLANTED["burn"], now=NOW)


def states(store) -> dict[str, str]:
    with store.read() as connection:
        return {row["recipient"]: row["state"] for row in digests.delivered(connection, PLANTED["burn"])}


def test_one_mail_with_text_and_html(mailing, story, told, inbox):
    report = send_digest(mailing, story, told, now=NOW)
    assert report.sent == ["qa@example.com"] and not report.failed
    (mail,) = inbox.mails
    assert mail["Subject"].startswith("【红色】松果匣舆情日报 11-15|") and mail["X-Risk-Level"] == "1"
    assert (
        mail["Auto-Submitted"] == "auto-generated"
        and mail["List-Id"] == "<qa.songguoxia.digest.mail.example.com>"
    )
    assert (
        mail["To"] == "qa@example.com"
        and "vocwatch@mail.example.com" in mail["From"]
        and mail["Date"].endswith("+0800")
    )
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in mail.iter_parts())
    assert "■ 今日需处理" in text and "<h2" in html and told.risks[0].title in text


def test_a_second_call_sends_nothing(mailing, story, told, inbox):
    send_digest(mailing, story, told, now=NOW)
    again = send_digest(mailing, story, told, now=NOW)
    assert again.sent == [] and again.skipped == ["qa@example.com"] and len(inbox.mails) == 1
    assert states(story) == {"qa@example.com": "sent"}


def test_the_message_id_depends_on_date_and_recipient_only(mailing, story, told, inbox):
    send_digest(mailing, story, told, now=NOW, only=["a@example.com", "b@example.com"])
    with story.begin() as connection:
        connection.execute(s.deliveries.delete())
    send_digest(mailing, story, told, now=NOW, only=["a@example.com"])
    first, other, again = (mail["Message-ID"] for mail in inbox.mails)
    assert first == again != other and first.endswith("@mail.example.com>")


def test_one_bad_address_does_not_stop_the_others(mailing, story, told, inbox):
    inbox.refuse = {"gone@example.com"}
    report = send_digest(mailing, story, told, now=NOW, only=["gone@example.com", "qa@example.com"])
    assert report.sent == ["qa@example.com"] and "550" in report.failed["gone@example.com"]
    assert states(story) == {"gone@example.com": "failed", "qa@example.com": "sent"}
    inbox.refuse = set()
    assert send_digest(mailing, story, told, now=NOW, only=["gone@example.com", "qa@example.com"]).sent == [
        "gone@example.com"
    ]
    assert len(inbox.mails) == 2


def test_a_claim_left_by_a_dead_sender_is_taken_over_after_its_lease(mailing, story, told, inbox):
    with story.begin() as connection:
        digests.claim(connection, told.date, "qa", "qa@example.com", message_id="<x@y>", now=NOW)
    assert send_digest(mailing, story, told, now=NOW).skipped == ["qa@example.com"]
    late = send_digest(mailing, story, told, now=NOW + digests.LEASE)
    assert late.sent == late.possibly_twice == ["qa@example.com"] and len(inbox.mails) == 1


def test_without_a_server_it_says_what_to_set(cups, story, told):
    with pytest.raises(DeliveryError, match="VOCWATCH_SMTP_HOST"):
        send_digest(cups, story, told, now=NOW)
    with pytest.raises(DeliveryError, match="VOCWATCH_SMTP_FROM"):
        send_digest(with_smtp(cups, sender=""), story, told, now=NOW)
    with pytest.raises(DeliveryError, match="starttls"):
        send_digest(with_smtp(cups, security="ssl3"), story, told, now=NOW)
    assert states(story) == {}


def test_without_recipients_it_says_where_to_write_them(mailing, story, told):
    with pytest.raises(DeliveryError, match=r"digest\.recipients"):
        send_digest(mailing, story, dataclasses.replace(told, audience="nobody"), now=NOW)


def test_a_dead_server_fails_clearly_and_can_be_tried_again(cups, mailing, story, told, inbox):
    with pytest.raises(DeliveryError, match="连不上邮件服务器 127"):
        send_digest(with_smtp(cups, port=1), story, told, now=NOW)
    assert states(story) == {"qa@example.com": "failed"}
    assert send_digest(mailing, story, told, now=NOW).sent == ["qa@example.com"]


def test_an_unknown_certificate_is_refused(cups, story, told, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    found = Inbox()
    controller = Quiet(found, hostname="127.0.0.1", port=0, tls_context=context)
    controller.start()
    try:
        with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            send_digest(with_smtp(cups, port=controller.port, security="starttls"), story, told, now=NOW)
    finally:
        controller.stop()
    assert found.mails == []


def test_a_server_without_starttls_gets_nothing_in_the_clear(cups, story, told, inbox):
    with pytest.raises(DeliveryError, match="STARTTLS"):
        send_digest(with_smtp(cups, port=inbox.port, security="starttls"), story, told, now=NOW)
    assert inbox.mails == []
