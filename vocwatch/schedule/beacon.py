"""The heartbeat itself: a file that is touched, an address that is asked.

The address comes from the environment, as an operator's word; all the same it goes through the crawler's rules: what is
looked up is checked and what was checked is connected to, private addresses only where `crawler.allow_private_hosts`
names them, metadata and link-local ones never. Redirects and the environment's proxies are not followed.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from crawlers.fetch import WORDS
from crawlers.hosts import Denied, HostRules, host_and_port
from vocwatch.lang import tr
from vocwatch.plain import safe_url
from vocwatch.settings import Settings

SECONDS = 10.0


class BeaconError(Exception):
    """The monitor could not be told; the message says why, without secrets."""


def ping(settings: Settings, now: dt.datetime) -> None:
    """Touch the heartbeat file and ask the heartbeat address, where the environment names them. Raises BeaconError."""
    if settings.env.heartbeat_file:
        path = settings.env.home / settings.env.heartbeat_file
        try:
            _touch(path, now)
        except OSError as error:
            raise BeaconError(tr(
                f"心跳文件 {path} 写不了（{error.strerror}）。请检查 VOCWATCH_HEARTBEAT_FILE",
                f"The heartbeat file {path} can't be written ({error.strerror}). Check VOCWATCH_HEARTBEAT_FILE",
            )) from error
    if settings.env.heartbeat_url:
        _ask(settings, settings.env.heartbeat_url)


def _touch(path: Path, now: dt.datetime) -> None:
    half = path.with_name(f".{path.name}.half")
    half.write_text(now.isoformat(timespec="seconds") + "\n", encoding="utf-8")
    half.replace(path)


def _ask(settings: Settings, url: str) -> None:
    shown = urlsplit(safe_url(url)).netloc  # the path of such an address is its key
    try:
        host, port = host_and_port(url)
        rules = HostRules(settings.app.crawler.allow_private_hosts)
        address = asyncio.run(rules.addresses(host, port))[0]
        status = _get(url, host, str(address), port)
    except Denied as error:
        raise BeaconError(tr(
            f"心跳地址 {shown} 不能访问：{WORDS.get(error.kind, error.kind)}。内网的监控要写进 crawler.allow_private_hosts",
            f"The heartbeat address {shown} is not asked: {error.kind}. Put a monitor of your own network into "
            "crawler.allow_private_hosts",
        )) from error
    except (OSError, http.client.HTTPException) as error:
        raise BeaconError(tr(
            f"心跳没送到 {shown}（{type(error).__name__}）", f"The heartbeat did not reach {shown} ({type(error).__name__})",
        )) from error
    if not 200 <= status < 300:
        raise BeaconError(tr(f"心跳地址 {shown} 回答 {status}", f"The heartbeat address {shown} answered {status}"))


def _get(url: str, host: str, address: str, port: int) -> int:
    """Ask at exactly this address; the certificate must be the host's. Returns the status."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    with socket.create_connection((address, port), SECONDS) as plain:
        wire: socket.socket = plain
        if parts.scheme == "https":
            wire = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        connection.sock = wire
        try:
            connection.request("GET", path, headers={"User-Agent": "vocwatch", "Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()
