"""Serve the practice web on loopback: ``python examples/practice/serve.py --port 8710``.

The base port answers an index page; the six sites follow on base+1 … base+6. ``--port 0`` takes seven
free ports in a row. Everything is deterministic for one ``--now``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import signal
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from markup import JSON, Answer, document, el
from pages import SITE_IDS, SITES, Site
from world import DEFAULT_NOW, World, parse_time

STATIC = Path(__file__).resolve().parent / "static"
STATIC_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
ROBOTS = "User-agent: *\nDisallow: /trap/\n"


class Home(Site):
    """The index page on the base port."""

    def __init__(self, world: World, urls: dict[str, str]) -> None:
        self.world, self.urls, self.name = world, urls, "练习用网络"

    def answer(self, path: str, query: Any, headers: Any) -> Answer | None:
        if path == "/sites.json":
            return Answer(json.dumps(self.urls, ensure_ascii=False), JSON)
        if path != "/":
            return None
        rows = [
            el("li", el("a", el("b", s["name"]), s["about"], href=f"{self.urls[s['id']]}/"))
            for s in self.world.facts["sites"]
        ]
        moment = f"此刻是 {self.world.now:%Y-%m-%d %H:%M}，之后的内容尚不存在。"
        body = (el("h1", "练习用网络"), el("p", moment), el("ul.sites", *rows))
        return Answer(document("home", self.name, "首页", *body))

    def missing(self) -> Answer:
        return Answer(document("home", self.name, "页面不存在", el("p", "页面不存在")), status=404)


class AccessLog:
    """One JSON line per request, so that a test can see what a crawler really asked for."""

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream, self.lock = stream, threading.Lock()

    def write(self, **row: Any) -> None:
        if self.stream:
            line = json.dumps(row, ensure_ascii=False) + "\n"
            with self.lock:
                self.stream.write(line)
                self.stream.flush()


def common_answer(site_id: str, path: str) -> Answer | None:
    """What every site answers in the same way: robots.txt, static files, the trap."""
    if path == "/robots.txt":
        return Answer(ROBOTS, "text/plain; charset=utf-8")
    if path == "/favicon.ico":
        return Answer("", "image/x-icon", status=404)
    if path.startswith("/trap/"):
        return Answer(
            document(site_id, "陷阱", "陷阱", el("p", "robots.txt 不允许访问这里")), cacheable=False
        )
    file = STATIC / path.removeprefix("/static/")
    if path.startswith("/static/") and file.parent == STATIC and file.is_file():
        return Answer(file.read_bytes(), STATIC_TYPES[file.suffix])
    return None


def not_modified(answer: Answer, headers: dict[str, str]) -> bool:
    """Whether the client already has this page; ETag goes before the date, as RFC 9110 says."""
    if "ETag" not in answer.headers:
        return False
    if "if-none-match" in headers:
        return answer.headers["ETag"] in [t.strip() for t in headers["if-none-match"].split(",")]
    modified = answer.headers.get("Last-Modified")
    return modified is not None and headers.get("if-modified-since") == modified


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for the site of its server."""

    protocol_version = "HTTP/1.1"
    timeout = 15
    server: SiteServer

    def do_GET(self) -> None:
        began = time.monotonic()
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        site = self.server.site
        answer = common_answer(site.id or "home", path) or site.answer(path, query, headers) or site.missing()
        body = answer.finish()
        status = 304 if not_modified(answer, headers) else answer.status
        sent = self._send(status, answer.headers, b"" if status == 304 else body)
        self.server.log.write(
            ts=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            site=site.id or "home",
            method=self.command,
            path=self.path,
            status=status,
            bytes=sent,
            ms=round((time.monotonic() - began) * 1000, 1),
            ua=headers.get("user-agent", ""),
            conditional="if-none-match" in headers or "if-modified-since" in headers,
        )

    do_HEAD = do_GET

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> int:
        self.send_response(status)
        for name, value in headers.items():
            if status != 304 or name != "Content-Type":
                self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD" or not body:
            return 0
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):  # the client left; nothing to repair
            self.close_connection = True
        return len(body)

    def version_string(self) -> str:
        return "practice"

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: --log writes what matters."""


class SiteServer(ThreadingHTTPServer):
    """One port, one site."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], log: AccessLog) -> None:
        super().__init__(address, Handler)
        self.log = log
        self.site: Site

    def server_bind(self) -> None:
        """Bind without the reverse name look-up that HTTPServer does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is normal for a web server; no traceback for it."""


def bind_all(host: str, port: int, log: AccessLog) -> list[SiteServer]:
    """Servers on ``port`` and the six ports after it; port 0 looks for seven free ones in a row."""
    candidates = [port] if port else [random.randrange(20000, 59000, 10) for _ in range(200)]
    for base in candidates:
        servers: list[SiteServer] = []
        try:
            for offset in range(len(SITES) + 1):
                servers.append(SiteServer((host, base + offset), log))
        except OSError:
            for server in servers:
                server.server_close()
            if port:
                raise
        else:
            return servers
    raise OSError("no seven free ports in a row were found")


@contextmanager
def running(
    port: int = 0, host: str = "127.0.0.1", now: str = DEFAULT_NOW, log_file: Path | None = None
) -> Iterator[dict[str, str]]:
    """The practice web while the block runs; gives {site: base URL}, with ``home`` for the index."""
    world = World(parse_time(now))
    with ExitStack() as stack:
        stream = stack.enter_context(log_file.open("a", encoding="utf-8")) if log_file else None
        servers = bind_all(host, port, AccessLog(stream))
        for server in servers:
            stack.callback(server.server_close)
        ids = ["home", *SITE_IDS]
        urls = {name: f"http://{host}:{s.server_port}" for name, s in zip(ids, servers, strict=True)}
        servers[0].site = Home(world, urls)
        for name, make, server in zip(SITE_IDS, SITES, servers[1:], strict=True):
            server.site = make(world, urls[name])
        for server in servers:
            thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield urls


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Serve the practice web (invented content) on loopback.")
    parser.add_argument("--port", type=int, default=8710, help="base port; 0 = seven free ports in a row")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--now", default=DEFAULT_NOW, help="moment of the practice web (ISO 8601)")
    parser.add_argument("--port-file", type=Path, help="write {site: base URL} as JSON when ready")
    parser.add_argument("--log", type=Path, help="append one JSON line per request")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    chosen = options()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if chosen.lifeline:  # whoever started this holds the other end; even kill -9 closes it
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), stop.set()), daemon=True).start()
    with running(chosen.port, chosen.host, chosen.now, chosen.log) as urls:
        if chosen.port_file:
            draft = chosen.port_file.with_name(chosen.port_file.name + ".part")
            draft.write_text(json.dumps(urls) + "\n", encoding="utf-8")
            draft.replace(chosen.port_file)  # a reader never sees half a file
        print(f"ready {urls['home']}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
