"""Handing mails over by SMTP, one at a time, so that it is known of each how it ended."""

from __future__ import annotations

import base64
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress

from reports.delivery.compose import sender_of
from reports.delivery.faults import DeliveryError, Failure, LostClaim, smtp_fault, without
from vocwatch.lang import tr
from vocwatch.settings import Smtp
from vocwatch.settings.delivery import is_address

TIMEOUT_SECONDS = 60
LIMITED_SECONDS = 900.0
PER_CONNECTION = 50  # some servers take no more in one session, and call more than that too many
_DOT = re.compile(rb"(?m)^\.")


class Post:
    """One connection to the mail server, opened when it is needed and again after it was lost."""

    def __init__(self, smtp: Smtp):
        self._smtp = smtp
        self._server: smtplib.SMTP | None = None
        self._handed = 0

    def send(self, recipient: str, raw: bytes, begin: Callable[[], bool]) -> None:
        """Hand one message over. `begin` is asked when the server is ready to take it in.

        Raises Failure, or LostClaim where `begin` says no: the connection is dropped then, and the server with it
        what it was about to be told.
        """
        if not is_address(recipient) or not recipient.isascii():
            raise Failure("address", tr(f"不是能用的邮箱地址：{recipient}", f"not a usable mail address: {recipient}"))
        if self._handed >= PER_CONNECTION:
            self.hang_up()
        server = self._connected()
        self._handed += 1
        try:
            self._check(server.mail(self._sender), "sender")
            self._check(server.rcpt(recipient), "recipient")
            self._check(server.docmd("DATA"), "content", 354)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Failure("network", self._words(error)) from error
        if not begin():
            self.close()
            raise LostClaim
        self._hand_over(server, raw)

    def _hand_over(self, server: smtplib.SMTP, raw: bytes) -> None:
        """From here on a lost connection leaves it open whether the message has arrived."""
        try:
            server.send(_DOT.sub(b"..", raw) + (b"" if raw.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            answer = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Failure("unknown", self._words(error), unknown=True) from error
        self._check(answer, "content")

    def hang_up(self) -> None:
        """Say goodbye and close; what was handed over is settled by then."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self.close()

    def close(self) -> None:
        """Close without a word."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._handed = 0

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            try:
                self._sender = sender_of(self._smtp)
            except DeliveryError as error:
                raise Failure("config", str(error)) from error
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        """Open the connection; certificates are checked in both secure modes, and no mail goes out in the clear."""
        smtp = self._smtp
        where = f"{smtp.host}:{smtp.port}"
        name = self._sender.rpartition("@")[2]  # for EHLO; without it the machine's own name is looked up
        server: smtplib.SMTP | None = None
        try:
            if smtp.security == "tls":
                server = smtplib.SMTP_SSL(smtp.host, smtp.port, name, timeout=TIMEOUT_SECONDS, context=_trust())
            else:
                server = smtplib.SMTP(smtp.host, smtp.port, name, timeout=TIMEOUT_SECONDS)
            if smtp.security == "starttls":
                server.starttls(context=_trust())
            if smtp.user:
                server.login(smtp.user, smtp.password)
            server.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as error:
            if server is not None:
                server.close()
            fault, words = _opening_fault(error), self._words(error)
            raise Failure(fault, tr(
                f"连不上邮件服务器 {where}（{words}）。请检查 VOCWATCH_SMTP_* 和网络",
                f"cannot use the mail server {where} ({words}). Check VOCWATCH_SMTP_* and the network",
            ), wait=LIMITED_SECONDS if fault == "limited" else 0.0) from error
        return server

    def _check(self, answer: tuple[int, bytes], stage: str, wanted: int = 250) -> None:
        code, said = answer
        if code == wanted or (wanted == 250 and code == 251):
            return
        words = without(f"{code} {said.decode('utf-8', 'replace')}", self._secrets())
        fault = smtp_fault(code, words, stage)
        if code == 421 or fault in ("limited", "login"):
            self.close()  # the server is about to
        else:
            self._reset()
        raise Failure(fault, words, wait=LIMITED_SECONDS if fault == "limited" else 0.0)

    def _reset(self) -> None:
        try:
            if self._server is not None:
                self._server.rset()
        except (OSError, smtplib.SMTPException):
            self.close()

    def _words(self, error: Exception) -> str:
        if isinstance(error, smtplib.SMTPResponseException):
            said = error.smtp_error
            told = f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
        else:
            told = str(error) or type(error).__name__
        return without(told, self._secrets())

    def _secrets(self) -> list[str]:
        password = self._smtp.password
        plain = f"\0{self._smtp.user}\0{password}".encode()
        return [password, base64.b64encode(password.encode()).decode(), base64.b64encode(plain).decode()] if password else []


def _trust() -> ssl.SSLContext:
    """Certificates are checked against the system's authorities (SSL_CERT_FILE), names and dates included."""
    return ssl.create_default_context()


def _opening_fault(error: Exception) -> str:
    if isinstance(error, (ssl.SSLError, smtplib.SMTPNotSupportedError)):
        return "tls"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return smtp_fault(error.smtp_code, str(error.smtp_error), "sender") if error.smtp_code < 500 else "login"
    if isinstance(error, smtplib.SMTPResponseException):
        fault = smtp_fault(error.smtp_code, str(error.smtp_error), "sender")
        return "network" if fault == "busy" else fault  # it does not even greet: nobody else would get through
    return "network"
