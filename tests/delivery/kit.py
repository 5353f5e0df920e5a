"""Real servers on loopback that behave badly on request, and settings that send to them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email
import json
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.reports.factory import ZONE, make_settings
from vocwatch.settings import Settings, Smtp
from vocwatch.settings.app import App
from vocwatch.store import Store, outbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # aiosmtpd imports what later Pythons drop
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP

NOW = dt.datetime(2026, 11, 16, 9, 0, tzinfo=ZONE)
DAY = dt.date(2026, 11, 15)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
SENDER = "vocwatch@mail.example.com"


class Inbox:
    """A mail server's mailboxes. `at_rcpt` and `at_data` hold the answers to give before all is well."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.to: list[str] = []
        self.at_rcpt: dict[str, list[str]] = {}
        self.at_data: list[str] = []
        self.tried: Counter[str] = Counter()
        self.port = 0
        self.sessions = 0
        self.goodbyes = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_QUIT(self, server, session, envelope):
        self.goodbyes += 1
        return "221 Bye"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tried[address] += 1
        if self.at_rcpt.get(address):
            return self.at_rcpt[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = self.at_data.pop(0) if self.at_data else "250 OK"
        if said[0] in "45":
            return said
        content = envelope.content
        assert max(len(line) for line in content.split(b"\r\n")) <= 998
        self.raw.append(content)
        self.mails.append(email.message_from_bytes(content, policy=default))
        self.to += envelope.rcpt_tos
        if said == "drop":
            server.transport.abort()
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


@contextmanager
def mail_server(inbox: Inbox, **more: Any) -> Iterator[Inbox]:
    """Serve an inbox; it may be done again later on another port."""
    controller = Quiet(inbox, hostname="127.0.0.1", port=0, **more)
    controller.start()
    inbox.port = controller.port
    try:
        yield inbox
    finally:
        controller.stop()


class Robot:
    """A group-chat robot: takes texts, and keeps to a limit of calls a minute by the clock that it is told.

    `answers` are given first, each (status, body, headers) or "drop".
    """

    def __init__(self, per_minute: int = 0, field: str = "errcode") -> None:
        self.per_minute, self.field = per_minute, field
        self.now = NOW
        self.texts: list[str] = []
        self.paths: list[str] = []
        self.calls: list[dt.datetime] = []
        self.rejected = 0
        self.answers: list[Any] = []
        robot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                robot.paths.append(self.path)
                answer = robot.answer(body)
                if answer == "drop":
                    self.connection.close()
                    return
                status, content, headers = answer
                raw = json.dumps(content).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()

    def answer(self, body: dict[str, Any]) -> Any:
        self.calls = [at for at in self.calls if self.now - at < MINUTE]
        if self.per_minute and len(self.calls) >= self.per_minute:
            self.rejected += 1
            return 200, {self.field: 45009, "errmsg": "api freq out of limit"}, {}
        self.calls.append(self.now)
        said = self.answers.pop(0) if self.answers else (200, {self.field: 0, "errmsg": "ok"}, {})
        if said == "drop" or (isinstance(said[1], dict) and said[1].get(self.field) == 0):
            self.texts.append((body.get("text") or body.get("content"))["content" if "text" in body else "text"])
        return said

    def url(self, key: str = "k3y-0123456789abcdef") -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/cgi-bin/webhook/send?key={key}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def configured(
    settings: Settings, inbox: Inbox | None = None, *, recipients: list[str] | None = None,
    variables: dict[str, str] | None = None, console: str = "", smtp: dict[str, Any] | None = None, **sections: Any,
) -> Settings:
    """The invented brand, sending to an inbox; `sections` are those of vocwatch.yaml."""
    made = make_settings(settings)
    raw = {**made.app.model_dump(mode="json"), **sections}
    if recipients is not None:
        raw["digest"] = {"recipients": [{"email": address} for address in recipients]}
    values = {"host": "127.0.0.1", "port": inbox.port if inbox else 1, "sender": SENDER, "security": "none", **(smtp or {})}
    env = dataclasses.replace(
        made.env, smtp=Smtp(**values), console_url=console, variables={**made.env.variables, **(variables or {})}
    )
    return dataclasses.replace(made, env=env, app=App.model_validate(raw))


def states(store: Store, kind: str | None = None) -> dict[str, str]:
    """The state of each outbox row, by recipient (of the newest message)."""
    with store.read() as connection:
        return {row["recipient"]: row["state"] for row in reversed(outbox.listed(connection, kind=kind))}


def rows(store: Store, **which: Any) -> list[dict[str, Any]]:
    with store.read() as connection:
        return outbox.listed(connection, **which)


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
