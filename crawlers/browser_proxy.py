"""The only way out for a browser's page: a forward proxy on loopback, inside the worker.

It looks names up, checks every address (`crawlers.hosts`), connects to exactly the address that was checked, and
counts what comes back. TLS stays between browser and site: for https (and WebSockets) it passes bytes on and sees none.
Each tab has a proxy of its own, so that what one page does is counted for that page.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crawlers.hosts import Address, Denied, HostRules

CONNECT_SECONDS = 10.0
HEAD_SECONDS = 30.0
CONNECTION_SECONDS = 300.0
MAX_CONNECTIONS = 64  # under way at the same time, for one page
MAX_CONNECTS = 2000  # opened by one page
_HEAD_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_HOP_BY_HOP = (b"proxy-connection:", b"proxy-authorization:")


@dataclass(frozen=True)
class Connect:
    """One attempt to reach a host: the address that was connected to, or why none was."""

    host: str
    port: int
    address: str = ""
    refused: str = ""


@dataclass
class _Upstream:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Proxy:
    """A listening port on loopback that leads to what may be spoken to, and nowhere else; without `hosts`, nowhere.

    `page_bytes` caps what one page may receive over the wire; `on_excess` is called when it does, `on_connect` with
    every attempt to reach a host.
    """

    def __init__(
        self, hosts: HostRules | None, page_bytes: int, on_excess: Callable[[], None] = lambda: None,
        on_connect: Callable[[Connect], None] = lambda connect: None,
    ):
        self._hosts, self._page_bytes = hosts, page_bytes
        self._on_excess, self._on_connect = on_excess, on_connect
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._received = self._connects = 0
        self._failed: dict[tuple[str, int], str] = {}
        self.port = 0

    async def start(self) -> None:
        """Begin to listen on a free port of loopback. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._open, return_exceptions=True)

    def begin_page(self) -> None:
        """Count from zero for the next page."""
        self._received = self._connects = 0
        self._failed.clear()

    def why_failed(self, url: str) -> str | None:
        """Return the error kind under which this page's connection to the host of a URL failed, if it did."""
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        return self._failed.get(((parts.hostname or "").lower(), port))

    def cut(self) -> None:
        """End every connection at once."""
        for task in self._open:
            task.cancel()

    # -- one connection -----------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if len(self._open) <= MAX_CONNECTIONS:
                async with asyncio.timeout(CONNECTION_SECONDS):
                    await self._serve(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, TimeoutError, asyncio.CancelledError):
            pass  # either side has had enough; a cut is no error of this task
        finally:
            self._open.discard(task)
            _abort(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        tunnel = method == "CONNECT"
        host, port = _authority(f"//{target}" if tunnel else target)
        upstream = await self._reach(host, port)
        if upstream is None:
            status = "403 Forbidden" if self._failed.get((host, port)) == "private" else "502 Bad Gateway"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            return
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                up = self._pass_on(reader, upstream.writer, count=False)
            else:
                up = self._requests(head, reader, upstream.writer, (host, port))
            await _both(up, self._pass_on(upstream.reader, writer, count=True))
        finally:
            _abort(upstream.writer)

    async def _reach(self, host: str, port: int) -> _Upstream | None:
        """Connect to a checked address of the host; None, and the reason noted, where there is none."""
        self._connects += 1
        kind, addresses = await self._lookup(host, port)
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(str(address), port, limit=_CHUNK)
            except TimeoutError:
                kind = "timeout"
            except OSError as error:
                kind = "refused" if isinstance(error, ConnectionError) else "network"
            else:
                self._on_connect(Connect(host, port, str(address)))
                return _Upstream(reader, writer)
        self._failed[host, port] = kind
        self._on_connect(Connect(host, port, refused=kind))
        return None

    async def _lookup(self, host: str, port: int) -> tuple[str, tuple[Address, ...]]:
        """Return the addresses that may be connected to, and the error kind that stands when none answers."""
        if self._hosts is None:
            return "private", ()
        if self._connects > MAX_CONNECTS:
            return "too_large", ()
        try:
            return "refused", await self._hosts.addresses(host, port)
        except Denied as error:
            return error.kind, ()

    async def _requests(
        self, head: bytes, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, bound: tuple[str, int]
    ) -> None:
        """Pass plain http requests on, one after the other, as long as they are for the same host."""
        while True:
            line, _, rest = head.partition(b"\r\n")
            method, target, version = line.decode("latin-1").split(" ", 2)
            if _authority(target) != bound or not target.startswith("http://"):
                return  # the browser opens another connection for it
            parts = urlsplit(target)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            fields = [field for field in rest.split(b"\r\n") if not field.lower().startswith(_HOP_BY_HOP)]
            upstream.write(f"{method} {path} {version}\r\n".encode("latin-1") + b"\r\n".join(fields))
            left = _body_length(fields)
            while left > 0:
                piece = await reader.read(min(left, _CHUNK))
                if not piece:
                    return
                left -= len(piece)
                upstream.write(piece)
                await upstream.drain()
            await upstream.drain()
            head = await reader.readuntil(b"\r\n\r\n")

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool) -> None:
        while True:
            piece = await reader.read(_CHUNK)
            if not piece:
                return
            if count:
                self._received += len(piece)
                if self._received > self._page_bytes:
                    self._on_excess()
                    return
            writer.write(piece)
            await writer.drain()


def _authority(target: str) -> tuple[str, int]:
    """Return host and port that a request is for. Raises ValueError."""
    parts = urlsplit(target)
    host = (parts.hostname or "").lower()
    port = parts.port or (80 if parts.scheme == "http" else 0)
    if not host or not port:
        raise ValueError("no host to go to")
    return host, port


def _body_length(fields: list[bytes]) -> int:
    """Return the bytes of a request's body. Raises ValueError for a length that is none, or a body without one."""
    lengths = set()
    for field in fields:
        name, _, value = field.partition(b":")
        if name.strip().lower() == b"transfer-encoding":
            raise ValueError("a body without a length")
        if name.strip().lower() == b"content-length":
            lengths.add(int(value.strip()))
    if len(lengths) > 1 or min(lengths, default=0) < 0:
        raise ValueError("more than one length")
    return max(lengths, default=0)


async def _both(up: Coroutine[Any, Any, None], down: Coroutine[Any, Any, None]) -> None:
    """Run both directions until either ends."""
    tasks = [asyncio.ensure_future(up), asyncio.ensure_future(down)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _abort(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(Exception):
        if writer.transport.get_write_buffer_size():
            writer.close()
        else:
            writer.transport.abort()
