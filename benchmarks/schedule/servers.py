"""A mail server and a group-chat robot that are out of order when the world says so, and remember what they accepted."""

from __future__ import annotations

import email
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP

Down = Callable[[str], bool]


@dataclass
class Accepted:
    """What was accepted: mails as (recipient, Message-ID, text), texts of the chat; and what was turned away."""

    mails: list[tuple[str, str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=lambda: {"smtp": 0, "robot": 0})


class _Mailbox:
    def __init__(self, accepted: Accepted, down: Down):
        self.accepted, self.down = accepted, down

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.down("smtp"):
            self.accepted.refused["smtp"] += 1
            if self.accepted.refused["smtp"] % 3 == 0:
                server.transport.abort()
            return "451 4.3.0 temporarily out of order"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=default)
        part = mail.get_body(("plain",))
        words = str(part.get_content()) if part else ""
        self.accepted.mails += [(to, str(mail["Message-ID"]), words) for to in envelope.rcpt_tos]
        return "250 OK"


class _Quiet(Controller):
    def factory(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def serving(accepted: Accepted, down: Down) -> Iterator[tuple[int, str]]:
    """Serve both on loopback; yields the mail server's port and the robot's address."""
    controller = _Quiet(_Mailbox(accepted, down), hostname="127.0.0.1", port=0)
    controller.start()

    class Robot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if down("robot"):
                accepted.refused["robot"] += 1
                self.connection.close()
                return
            accepted.texts.append(json.dumps(body, ensure_ascii=False))
            raw = b'{"errcode": 0, "errmsg": "ok"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: object) -> None:
            pass

    robot = ThreadingHTTPServer(("127.0.0.1", 0), Robot)
    robot.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=robot.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
    try:
        yield controller.port, f"http://127.0.0.1:{robot.server_address[1]}/cgi-bin/webhook/send?key=k3y-0123456789abcdef"
    finally:
        robot.shutdown()
        robot.server_close()
        controller.stop()
