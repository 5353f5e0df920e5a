"""The proxy that a tab's connections go through: it leads to what was checked, and to nothing else."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.browser_proxy import Connect, Proxy, _authority, _body_length
from crawlers.hosts import HostRules
from tests.crawlers.site import Answer, Canary, Site

Talk = Callable[[Proxy, list[Connect]], Awaitable[Any]]


def _through(rules: HostRules | None, talk: Talk, page_bytes: int = 1_000_000, excess: list[int] | None = None) -> Any:
    async def run() -> Any:
        seen: list[Connect] = []
        proxy = Proxy(rules, page_bytes, lambda: (excess or []).append(1), seen.append)
        await proxy.start()
        try:
            async with asyncio.timeout(20):
                return await talk(proxy, seen)
        finally:
            await proxy.close()

    return asyncio.run(run())


async def _say(proxy: Proxy, *words: str) -> bytes:
    """Say something and listen until the proxy hangs up or the answer is whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    got = b""
    try:
        for word in words:
            writer.write(word.encode())
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            got += head + await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        got += getattr(error, "partial", b"")
    finally:
        writer.close()
    return got


def _get(url: str, *fields: str) -> str:
    return "\r\n".join((f"GET {url} HTTP/1.1", "Host: ignored.example", "Connection: keep-alive", *fields, "", ""))


def _rules(*allowed: str, **names: str) -> HostRules:
    async def lookup(host: str) -> list[Any]:
        return [ipaddress.ip_address(address) for address in names[host.partition(".")[0]].split()]

    return HostRules(allowed, lookup)


def test_requests_are_passed_on_one_after_the_other(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.rule = lambda path: Answer(f"you asked for {path}")

    async def talk(proxy: Proxy, seen: list[Connect]) -> None:
        got = await _say(proxy, _get(f"{site.url}/a?b=c", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eA=="),
                         _get(f"{site.url}/d"))
        assert b"/a?b=c" in got and b"/d" in got
        assert {(each.host, each.port, each.address) for each in seen} == {("127.0.0.1", site.port, "127.0.0.1")}
        assert not [name for _, headers in site.headers for name in headers if name.lower().startswith("proxy")]

    _through(_rules(site.host), talk)


@pytest.mark.parametrize("target", [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://2130706433:{port}/", "http://inward.example:{port}/", "http://mixed.example:{port}/",
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://10.0.0.1/",
])
def test_nothing_inside_is_connected_to(canary: Canary, target: str) -> None:
    port = canary.url.rpartition(":")[2].partition("/")[0]
    url = target.format(port=port)
    rules = _rules(inward="127.0.0.1", mixed="93.184.216.34 127.0.0.1", localhost="127.0.0.1")

    async def talk(proxy: Proxy, seen: list[Connect]) -> None:
        host = url.partition("//")[2].partition("/")[0]
        assert b" 403 " in await _say(proxy, _get(url))
        tunnel = host if host.rpartition(":")[2].isdigit() else f"{host}:443"
        assert b" 403 " in await _say(proxy, f"CONNECT {tunnel} HTTP/1.1\r\nHost: {tunnel}\r\n\r\n")
        assert [each.refused for each in seen] == ["private", "private"] and not any(each.address for each in seen)
        assert proxy.why_failed(url) == "private"

    _through(rules, talk)
    assert not canary.touched


def test_a_proxy_without_rules_leads_nowhere(make_site: Callable[..., Site]) -> None:
    site = make_site()

    async def talk(proxy: Proxy, seen: list[Connect]) -> None:
        assert b" 403 " in await _say(proxy, _get(f"{site.url}/"))
        assert [each.refused for each in seen] == ["private"]

    _through(None, talk)
    assert not site.log


def test_another_host_on_the_same_connection_is_not_passed_on(make_site: Callable[..., Site], canary: Canary) -> None:
    site = make_site()
    site.rule = lambda path: Answer("fine")

    async def talk(proxy: Proxy, seen: list[Connect]) -> None:
        got = await _say(proxy, _get(f"{site.url}/a"), _get(canary.url))
        assert got.count(b"HTTP/1.") == 1 and len(seen) == 1

    _through(_rules(site.host), talk)
    assert not canary.touched and site.log == ["/a"]


def test_a_page_that_brings_too_much_is_cut_off(make_site: Callable[..., Site]) -> None:
    site, excess = make_site(), [0]
    site.rule = lambda path: Answer(b"x" * 300_000)

    async def talk(proxy: Proxy, seen: list[Connect]) -> None:
        assert len(await _say(proxy, _get(f"{site.url}/big"))) < 300_000
        proxy.begin_page()
        assert b" 502 " not in await _say(proxy, _get(f"{site.url}/big"))

    _through(_rules(site.host), talk, 100_000, excess)
    assert sum(excess) >= 2


def test_a_dead_host_is_refused_and_a_tunnel_is_blind(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.rule = lambda path: Answer("through the tunnel")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()[1]

    async def talk(proxy: Proxy, seen: list[Connect]) -> None:
        assert b" 502 " in await _say(proxy, _get(f"http://127.0.0.1:{dead}/"))
        assert proxy.why_failed(f"http://127.0.0.1:{dead}/x") == "refused"
        got = await _say(proxy, f"CONNECT {site.host} HTTP/1.1\r\n\r\n", "GET /inside HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 Connection established" in got and b"through the tunnel" in got

    _through(_rules(site.host, f"127.0.0.1:{dead}"), talk)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_no_head_upsets_the_reading_of_it(head: bytes) -> None:
    text = head.decode("latin-1")
    for read in (lambda: _authority(text), lambda: _authority(f"//{text}"), lambda: _body_length(head.split(b"\r\n"))):
        try:
            found = read()
        except ValueError:
            continue
        assert found is not None


def test_a_body_without_one_clear_length_is_not_passed_on() -> None:
    for fields in ([b"Content-Length: 5", b"content-length: 6"], [b"Transfer-Encoding: chunked"], [b"Content-Length: -1"]):
        with pytest.raises(ValueError):
            _body_length(fields)
    assert _body_length([b"Content-Length: 12", b"X: y"]) == 12
