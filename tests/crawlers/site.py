"""A small site on loopback that can misbehave in every way that a real one does."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    """One response. `claim` lies about the length; `drip` sends a byte a second; `hang` sends nothing.

    `write` is given the connection and writes whatever it likes.
    """

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    claim: int | None = None
    hang: float = 0
    drip: bool = False
    write: Callable[[Any], None] | None = None


Rule = Callable[[str], "Answer | None"]


@dataclass
class Post:
    number: int
    text: str
    comments: list[str] = field(default_factory=list)
    posted: str = "2026-11-10 12:00"
    removed: bool = False
    likes: int | None = None


class Site:
    """A forum: /list?page=N names posts, /p/N is a post with its comments; `rule` may answer in its place."""

    def __init__(self, posts: int = 0, per_page: int = 10, certificate: Path | ssl.SSLContext | None = None):
        self.posts = {n: Post(n, f"第{n}个保温杯，杯盖有点漏水", [f"同款，楼主第{n}"] if n % 3 == 0 else [])
                      for n in range(1, posts + 1)}
        self.per_page = per_page
        self.robots: Answer = Answer("User-agent: *\nDisallow: /trap/\n", headers={"Content-Type": "text/plain"})
        self.rule: Rule = lambda path: None
        self.encoding, self.content_type = "utf-8", "text/html; charset=utf-8"
        self.log: list[str] = []
        self.etags = False
        self.sent = 0
        self.agents: set[str] = set()
        self.headers: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        scheme = "http"
        if certificate is not None:
            context = certificate if isinstance(certificate, ssl.SSLContext) else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if not isinstance(certificate, ssl.SSLContext):
                context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.port = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{scheme}://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def content_log(self) -> list[str]:
        return [path for path in self.log if path != "/robots.txt"]

    def answer(self, path: str) -> Answer:
        if path == "/robots.txt":
            return self.robots
        special = self.rule(path)
        if special is not None:
            return special
        parts = urlsplit(path)
        if parts.path == "/list":
            return self._listing(int(parse_qs(parts.query).get("page", ["1"])[0]))
        if parts.path.startswith("/p/"):
            return self._post(int(parts.path[3:]))
        return Answer("没有这一页", 404)

    def _html(self, body: str) -> Answer:
        page = f"<!doctype html><meta charset={self.encoding}><title>论坛</title><body>{body}"
        return Answer(page.encode(self.encoding), headers={"Content-Type": self.content_type})

    def _listing(self, number: int) -> Answer:
        there = sorted((p for p in self.posts.values() if not p.removed), key=lambda p: -p.number)
        shown = there[(number - 1) * self.per_page:number * self.per_page]
        rows = "".join(f'<li class=item><a href="/p/{p.number}" data-id="{p.number}">帖子</a><u>{len(p.comments)}</u></li>' for p in shown)
        more = len(there) > number * self.per_page
        following = f'<a class=next href="/list?page={number + 1}">下一页</a>' if more else ""
        return self._html(f"<ul>{rows or '<p>暂无帖子</p>'}</ul>{following}<a href=/trap/1>.</a>")

    def _post(self, number: int) -> Answer:
        post = self.posts.get(number)
        if post is None or post.removed:
            return Answer("该帖已被删除", 404)
        comments = "".join(
            f'<div class=c id="c{post.number}-{i}"><b>路人{i}</b><p>{text}</p></div>'
            for i, text in enumerate(post.comments)
        )
        return self._html(
            f'<article data-id="{post.number}"><h1>求助{post.number}</h1><b class=by>网友{post.number % 7}</b>'
            f"<time>{post.posted}</time><p class=text>{post.text}</p>{'' if post.likes is None else f'<i class=likes>{post.likes}</i>'}</article>{comments}"
        )

    def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.log.append(self.path)
                site.agents.add(self.headers.get("User-Agent", ""))
                site.headers.append((self.path, dict(self.headers)))
                answer = site.answer(self.path)
                body = answer.body.encode() if isinstance(answer.body, str) else answer.body
                if site.etags and answer.status == 200:
                    answer.headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                    if self.headers.get("If-None-Match") == answer.headers["ETag"]:
                        answer, body = Answer(status=304, headers=answer.headers), b""
                site.sent += len(body)
                time.sleep(answer.hang)
                try:
                    if answer.write is not None:
                        self.close_connection = True
                        answer.write(self.wfile)
                        return
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(answer.claim or len(body)))
                    self.end_headers()
                    self._send(body, answer)
                except OSError:
                    pass  # the other side has had enough
                if answer.claim or answer.drip or answer.hang:
                    self.close_connection = True

            def _send(self, body: bytes, answer: Answer) -> None:
                if not answer.drip:
                    self.wfile.write(body)
                    return
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.2)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


class Canary:
    """A port that nothing may ever connect to."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/latest/secret"

    @property
    def touched(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


CAPTCHA = Answer(
    "<!doctype html><meta charset=utf-8><title>安全验证</title><body><div id=captcha-slider>请拖动滑块完成验证</div>",
    headers={"Content-Type": "text/html; charset=utf-8"},
)


def self_signed(path: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1 with its key."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
