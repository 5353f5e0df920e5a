"""The replay server, in a process of its own: `python -m benchmarks.crawl.server --threads 800`.

Speaks HTTP/1.1 with keep-alive, honours If-None-Match and If-Modified-Since, and counts what it sends.
`/-/count` gives the counts since the last time it was asked, and starts them anew.
"""

from __future__ import annotations

import argparse
import asyncio
import email.utils
import json
import os
import sys
import threading
from collections import Counter

from benchmarks.crawl.pages import Body, build

_ROBOTS = b"User-agent: *\nDisallow: /admin/\n"


class Replay(asyncio.Protocol):
    """One connection."""

    bodies: dict[str, Body] = {}  # noqa: RUF012 - filled once before the server listens
    counts: Counter[str] = Counter()  # noqa: RUF012
    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head, self._pending = self._pending[:end], self._pending[end + 4:]
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self._answer, head)
            else:
                self._answer(head)

    def _answer(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        asked = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        reply = self._reply(path, asked)
        if path != "/-/count":
            self.counts["bytes"] += len(reply)
        assert isinstance(self._transport, asyncio.WriteTransport)
        if not self._transport.is_closing():
            self._transport.write(reply)

    def _reply(self, path: str, asked: dict[str, str]) -> bytes:
        if path == "/-/count":
            told = json.dumps(dict(self.counts)).encode()
            self.counts.clear()
            return _response("200 OK", told, "Content-Type: application/json\r\n")
        if path == "/robots.txt":
            return _response("200 OK", _ROBOTS, "Content-Type: text/plain\r\n")
        body = self.bodies.get(path)
        if body is None:
            self.counts["missing"] += 1
            return _response("404 Not Found", b"", "")
        self.counts["pages"] += 1
        modified = email.utils.format_datetime(body.modified.astimezone(tz=None), usegmt=False)
        headers = f"ETag: {body.etag}\r\nLast-Modified: {modified}\r\n"
        if asked.get("if-none-match") == body.etag or (
            "if-none-match" not in asked and asked.get("if-modified-since") == modified
        ):
            self.counts["not_modified"] += 1
            return _response("304 Not Modified", b"", headers)
        return _response("200 OK", body.content, f"{headers}Content-Type: text/html; charset={body.charset}\r\n")


def _response(status: str, content: bytes, headers: str) -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(content)}\r\n\r\n".encode("latin-1") + content


async def serve(threads: int, latency: float) -> None:
    """Serve until standard input closes; the first line printed tells the port and what there is."""
    web = build(threads)
    Replay.bodies, Replay.latency = web.bodies, latency
    server = await asyncio.get_running_loop().create_server(Replay, "127.0.0.1", 0)
    sizes = [len(body.content) for body in web.bodies.values()]
    sys.stdout.write(json.dumps({
        "port": server.sockets[0].getsockname()[1], "pages": len(web.bodies), "threads": web.threads,
        "comments": web.comments, "bytes": sum(sizes), "smallest": min(sizes), "largest": max(sizes),
    }) + "\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=800)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(serve(given.threads, given.latency))


if __name__ == "__main__":
    main()
