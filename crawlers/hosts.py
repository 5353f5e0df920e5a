"""Which addresses may be spoken to: the public web, and private hosts only where configuration names them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from scrapy.resolver import dnscache

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_public(address: _Address) -> bool:
    """Whether an address belongs to the public internet; embedded IPv4 addresses are looked into."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


class HostRules:
    """Answers, for an address, whether it may be fetched. Answers are kept for the length of a run."""

    def __init__(self, allowed_private: Iterable[str] = ()):
        self._allowed = {entry.strip().lower() for entry in allowed_private}
        self._known: dict[str, bool] = {}

    async def refusal(self, url: str) -> str | None:
        """Return None when the URL may be fetched, else the error kind: scheme, private or dns."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower().rstrip("."), parts.port
        except ValueError:
            return "scheme"
        if parts.scheme not in _DEFAULT_PORTS or not host:
            return "scheme"
        if host in self._allowed or f"{host}:{port or _DEFAULT_PORTS[parts.scheme]}" in self._allowed:
            return None
        if host not in self._known:
            try:
                self._known[host] = await self._resolves_publicly(host)
            except (OSError, UnicodeError):
                return "dns"
        return None if self._known[host] else "private"

    async def _resolves_publicly(self, host: str) -> bool:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        if not all(is_public(address) for address in addresses):
            return False
        ipv4 = [address for address in addresses if address.version == 4]
        if ipv4:
            # What was checked is what Scrapy connects to: a second, different DNS answer has no effect.
            dnscache[host] = str(ipv4[0])
        return bool(addresses)
