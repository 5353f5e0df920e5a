"""The one door to the network: every name and address that this process connects to is looked up and checked here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from twisted.internet._idna import _idnaBytes
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer

from crawlers.context import context_of
from crawlers.hosts import Denied, HostRules


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str):
        self.name = name
        self.task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """Stop looking; nothing is answered."""
        if self.task is not None:
            self.task.cancel()


@implementer(IHostnameResolver)
class CheckedResolver:
    """Scrapy's TWISTED_DNS_RESOLVER: names and literal addresses alike pass the host rules of the run.

    Twisted connects to exactly the addresses that are answered here, for redirect hops, robots.txt and retries too.
    Without a run there are no rules, and then nothing is connected to.
    """

    def __init__(self, process: Any, reactor: Any):
        self._process, self._reactor = process, reactor

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> CheckedResolver:
        """Scrapy's constructor; what it calls a crawler is the process that all crawlers live in."""
        return cls(crawler, reactor)

    def install_on_reactor(self) -> None:
        """Take the place of the reactor's own resolver."""
        self._reactor.installNameResolver(self)

    def resolveHostName(
        self, resolutionReceiver: Any, hostName: str, portNumber: int = 0,
        addressTypes: Sequence[type[Any]] | None = None, transportSemantics: str = "TCP",
    ) -> _Resolution:
        """Answer the checked addresses of a host; none where it is refused."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        wanted = tuple(addressTypes or (IPv4Address, IPv6Address))
        resolution.task = asyncio.ensure_future(self._answer(resolutionReceiver, hostName, portNumber, wanted))
        return resolution

    async def _answer(self, receiver: Any, host: str, port: int, wanted: Sequence[type[Any]]) -> None:
        try:
            name = host if host.isascii() else _idnaBytes(host).decode("ascii")  # as it stood in the URL
            for address in [found for rules in self._rules() for found in await rules.addresses(name, port)]:
                kind = IPv4Address if address.version == 4 else IPv6Address
                if kind in wanted:
                    receiver.addressResolved(kind("TCP", str(address), port))
        except (Denied, UnicodeError):
            pass  # no address, no connection; why is remembered by the rules
        finally:
            receiver.resolutionComplete()

    def _rules(self) -> list[HostRules]:
        return [context_of(crawler.spider).hosts for crawler in self._process.crawlers if crawler.spider][:1]
