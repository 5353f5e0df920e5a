"""Which addresses may be spoken to: the public web, and private hosts only where configuration names them.

A name is looked up once and kept for a few minutes; what was looked up is checked, and what was checked is what is
connected to (`crawlers.resolver`), so that a second, different DNS answer finds nobody who asks for it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str], Awaitable[list[Address]]]

DNS_SECONDS = 10.0
PIN_SECONDS = 300.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Cloud machines tell their secrets there; some of these addresses pass for ordinary private or even public ones.
_METADATA = frozenset(map(ipaddress.ip_address, (
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
    "fd20:ce::254",
)))


class Denied(Exception):
    """A host that is not spoken to; `kind` is one of the keys of `fetch.WORDS`: scheme, address, private or dns."""

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class _Pinned:
    addresses: tuple[Address, ...]
    until: float


class HostRules:
    """Answers whether a URL may be fetched and which addresses its host has. Lives as long as a run.

    `allowed_private` names hosts (`host` or `host:port`) that may be private ones; cloud metadata, link-local and
    multicast addresses stay closed even then. `lookup` turns a name into addresses; it may raise OSError.
    """

    def __init__(
        self, allowed_private: Iterable[str] = (), lookup: Lookup | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._allowed = {entry.strip().lower().replace("[", "").replace("]", "") for entry in allowed_private}
        self._lookup, self._clock = lookup or _look_up, clock
        self._pins: dict[str, _Pinned] = {}
        self._denied: dict[tuple[str, int], str] = {}

    async def refusal(self, url: str) -> str | None:
        """Return None when the URL may be fetched, else the error kind: scheme, address, private or dns."""
        try:
            host, port = host_and_port(url)
            await self.addresses(host, port)
        except Denied as error:
            return error.kind
        return None

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses to connect to for a host, every one of them checked. Raises Denied."""
        key = (host, port)
        self._denied.pop(key, None)
        try:
            return await self._checked(normal_host(host), port)
        except Denied as error:
            self._denied[key] = error.kind
            raise

    def why_denied(self, url: str) -> str | None:
        """Return the error kind under which the host of this URL was last refused."""
        try:
            return self._denied.get(host_and_port(url))
        except Denied as error:
            return error.kind

    def is_listed(self, url: str) -> bool:
        """Whether configuration names the host of this URL as one that may be private."""
        try:
            host, port = host_and_port(url)
        except Denied:
            return False
        return self._listed(host, port)

    def _listed(self, host: str, port: int) -> bool:
        return host in self._allowed or f"{host}:{port}" in self._allowed

    async def _checked(self, host: str, port: int) -> tuple[Address, ...]:
        pinned = self._pins.get(host)
        if pinned is None or pinned.until < self._clock():
            pinned = _Pinned(await self._find(host), self._clock() + PIN_SECONDS)
            self._pins[host] = pinned
        listed = self._listed(host, port)
        for address in pinned.addresses:
            # One private answer among public ones is an attempt, not an accident.
            if not is_public(address) and (not listed or is_never(address)):
                raise Denied("private")
        return pinned.addresses

    async def _find(self, host: str) -> tuple[Address, ...]:
        literal = literal_address(host)
        if literal is not None:
            return (literal,)
        try:
            found = await asyncio.wait_for(self._lookup(host), DNS_SECONDS)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise Denied("dns") from error
        if not found:
            raise Denied("dns")
        return tuple(dict.fromkeys(found))


async def _look_up(host: str) -> list[Address]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host of an http(s) URL in its normal form, and its port. Raises Denied (scheme or address)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Denied("address") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise Denied("scheme")
    if not host or _is_tricky(parts):
        raise Denied("address")
    return normal_host(host), _DEFAULT_PORTS[parts.scheme] if port is None else port


def _is_tricky(parts: SplitResult) -> bool:
    """Whether the part before the path is one that programs read differently from each other."""
    return any(mark in parts.netloc for mark in "@\\ \t\r\n%") or parts.netloc.endswith(":") or parts.port == 0


def normal_host(host: str) -> str:
    """Return a host as resolvers see it: lower case, full-width forms folded, without brackets and final dot.

    Raises Denied where it is none.
    """
    folded = unicodedata.normalize("NFKC", host.strip("[]")).replace("。", ".").lower()
    folded = folded.partition("%")[0].removesuffix(".")
    try:
        plain = folded if folded.isascii() else folded.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise Denied("address") from error
    if not plain or len(plain) > 253 or not all(char.isalnum() or char in "-._:" for char in plain):
        raise Denied("address")
    return plain


def literal_address(host: str) -> Address | None:
    """Return the address that a host spells out (127.1, 0x7f000001 and 2130706433 too); None for a name.

    Raises Denied for what ends like an IPv4 address and is none.
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    last = host.rpartition(".")[2]
    if ":" in host:
        raise Denied("address")
    if not (last.isdigit() or (last.startswith("0x") and all(char in "0123456789abcdef" for char in last[2:]))):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError as error:
        raise Denied("address") from error


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet; embedded IPv4 addresses are looked into."""
    if address in _METADATA or address.is_multicast or address.is_reserved:
        return _is_public_nat64(address)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return _is_public_nat64(address)
        inner = [*([address.sixtofour] if address.sixtofour else []), *(address.teredo or ())]
        if not all(is_public(each) for each in inner) or address not in _GLOBAL_UNICAST:
            return False
    return address.is_global


def _is_public_nat64(address: Address) -> bool:
    """An IPv4 address behind the well-known NAT64 prefix is public where that address is."""
    if address not in _NAT64:
        return False
    return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))


def is_never(address: Address) -> bool:
    """Whether an address stays closed even for a host that configuration allows: metadata, link-local, multicast."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        return is_never(mapped)
    return address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified
