"""Unpacking answers up to the size cap: a bomb ends at the cap, and a stream that breaks off is not taken for whole."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable

import brotli
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response, TextResponse
from scrapy.responsetypes import responsetypes

from crawlers.fetch import Refusal

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK = 64 * 1024
MAX_LAYERS = 3
ACCEPTED = b"gzip, deflate, br, zstd"
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's window bits for the three containers
# Servers write these where nothing is packed.
_PLAIN = frozenset({"", "identity", "none", "utf-8", "utf8", "binary"})


class Decompress:
    """Downloader middleware in the place of Scrapy's, which hands broken and unknown streams on as text."""

    def __init__(self, crawler: Crawler):
        self._limit = crawler.settings.getint("DOWNLOAD_MAXSIZE")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Decompress:
        """Scrapy's constructor."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Say what we can unpack."""
        request.headers.setdefault("Accept-Encoding", ACCEPTED)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response unpacked. Raises Refusal: too_large, truncated, or encoding for what we can't read."""
        named = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower()
        layers = [name for part in named.split(",") if (name := part.strip()) not in _PLAIN]
        if not layers or not response.body:
            return response
        if len(layers) > MAX_LAYERS or not all(name in _READERS for name in layers):
            raise Refusal("encoding", f"Content-Encoding: {named[:80]}")
        body = response.body
        for name in reversed(layers):
            body = unpack(body, name, self._limit)
        del response.headers["Content-Encoding"]
        kind = responsetypes.from_args(headers=response.headers, url=response.url, body=body)
        if issubclass(kind, TextResponse):
            return response.replace(cls=kind, body=body, encoding=None)
        return response.replace(cls=kind, body=body)


def unpack(body: bytes, name: str, limit: int) -> bytes:
    """Unpack one layer. Raises Refusal: too_large above `limit` bytes, truncated, or encoding for no such stream."""
    try:
        return _READERS[name](body, limit)
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        raise Refusal("encoding", f"{name}: {error}") from error


class _Room:
    """What has been unpacked so far, up to the limit."""

    def __init__(self, limit: int):
        self._limit, self._size = limit, 0
        self._parts: list[bytes] = []

    def take(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise Refusal("too_large")
        self._parts.append(part)

    def all(self, complete: bool) -> bytes:
        if not complete:
            raise Refusal("truncated")
        return b"".join(self._parts)


def _gunzip(body: bytes, limit: int) -> bytes:
    room, rest = _Room(limit), body
    while True:
        stream = zlib.decompressobj(_GZIP)
        _inflate_into(room, stream, rest)
        rest = stream.unused_data
        if not stream.eof or not rest.startswith(b"\x1f\x8b"):  # bytes behind the last member are padding
            return room.all(stream.eof)


def _inflate(body: bytes, limit: int) -> bytes:
    try:
        stream = zlib.decompressobj(_ZLIB)
        stream.decompress(body[:CHUNK], 1)
        stream = zlib.decompressobj(_ZLIB)
    except zlib.error:
        stream = zlib.decompressobj(_RAW)  # what some servers understand by "deflate"
    room = _Room(limit)
    _inflate_into(room, stream, body)
    return room.all(stream.eof)


def _inflate_into(room: _Room, stream: zlib._Decompress, body: bytes) -> None:
    rest = body
    while rest and not stream.eof:
        room.take(stream.decompress(rest, CHUNK))
        rest = stream.unconsumed_tail


def _unbrotli(body: bytes, limit: int) -> bytes:
    room, stream = _Room(limit), brotli.Decompressor()
    part = stream.process(body, output_buffer_limit=CHUNK)
    while part:
        room.take(part)
        part = b"" if stream.is_finished() else stream.process(b"", output_buffer_limit=CHUNK)
    return room.all(stream.is_finished())


def _unzstd(body: bytes, limit: int) -> bytes:
    room, rest, complete = _Room(limit), body, False
    while rest:
        stream = zstd.ZstdDecompressor()
        room.take(stream.decompress(rest, CHUNK))
        while not stream.eof and not stream.needs_input:
            room.take(stream.decompress(b"", CHUNK))
        complete = stream.eof
        rest = stream.unused_data if complete else b""
    return room.all(complete)


_READERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd,
}
