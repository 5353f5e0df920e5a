"""A language model's endpoint on loopback: answers as a test tells it to, and remembers everything it was sent."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sentiment.llm import CONTROLS

Texts = list[dict[str, str]]


@dataclass
class Reply:
    """What goes back: `content` is what the model "wrote", unless the raw `body` is given."""

    content: object = None
    status: int = 200
    body: bytes | None = None
    message: dict[str, Any] = field(default_factory=dict)
    ended: str = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    drip: int = 0

    def raw(self) -> bytes:
        if self.body is not None:
            return self.body
        content = self.content if isinstance(self.content, str) else json.dumps(self.content, ensure_ascii=False)
        message = {"role": "assistant", "content": content, **self.message}
        return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": self.ended}]}).encode()


@dataclass
class Endpoint:
    """`answer` turns the texts of a request into a reply; `sent` holds the bodies, `heads` the headers."""

    url: str = ""
    sent: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[Texts], Reply] = lambda texts: Reply(well(texts))
    released: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        """Every text it was sent, but for our own two."""
        ours = {text for text, _ in CONTROLS}
        return [entry["text"] for body in self.sent for entry in texts_of(body) if entry["text"] not in ours]


def texts_of(body: bytes) -> Texts:
    """The texts of a request."""
    found: Texts = json.loads(json.loads(body)["messages"][1]["content"])["texts"]
    return found


def well(texts: Texts, **of: dict[str, Any]) -> dict[str, Any]:
    """The answers of a model that reads: by what stands in `of` for words of a text, else neutral."""
    return {"answers": [{"id": entry["id"], **reading(entry["text"], of)} for entry in texts]}


def reading(text: str, of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    for control, expected in CONTROLS:
        if text == control:
            return said(expected.value, control[:4])
    return next((value for word, value in of.items() if word in text), {"sentiment": "neutral", "spans": []})


def said(sentiment: str, quote: str, topic: str | None = None) -> dict[str, Any]:
    """One answer with one quote."""
    return {"sentiment": sentiment, "spans": [{"quote": quote, "topic": topic, "sentiment": sentiment}]}


@contextmanager
def serve(certificate: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """Run an endpoint on a free port."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.sent.append(body)
            endpoint.heads.append(dict(self.headers) | {":path": self.path})
            reply = endpoint.answer(texts_of(body))
            raw = reply.raw()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(raw) + reply.drip), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for _ in range(reply.drip):
                    self.wfile.write(b" ")
                    endpoint.released.wait(0.02)
                self.wfile.write(raw)
            except OSError:
                self.close_connection = True  # the client had enough

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, address: object) -> None:
            return  # a client that goes away is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        server.socket = certificate.wrap_socket(server.socket, server_side=True)
    endpoint.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
