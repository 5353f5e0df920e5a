"""What is known of one page while it is open in a tab, and the ways in which opening it can end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crawlers.browser_cdp import Message
from crawlers.fetch import Refusal


class Stuck(Exception):
    """A page that broke the tab: it crashed, hangs, or won't go away. The tab is of no further use."""


class Slow(Exception):
    """The site did not answer in time; nothing is wrong with the tab."""


class Failed(Exception):
    """The page could not be loaded; the message is Chromium's (`net::ERR_…`), `kind` ours where the proxy knows."""

    def __init__(self, message: str, kind: str = ""):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Decision:
    """Whether a document may be loaded: `refused` says why not; `login` that it is where one is to log in."""

    refused: Refusal | None = None
    login: bool = False


Gate = Callable[[str, str], Awaitable[Decision]]


@dataclass(frozen=True)
class Limits:
    """What one page may cost: seconds until it has loaded, bytes of any one answer, bytes over the wire.

    `grace`: so many seconds it may take to answer when nothing keeps it from answering.
    """

    seconds: float
    body_bytes: int
    page_bytes: int
    grace: float = 2.0


@dataclass(frozen=True)
class Loaded:
    """A page as it stood when it was ready. `location` is set instead of `html` where it led to a login page."""

    url: str
    status: int
    headers: Mapping[str, str]
    html: str
    address: str = ""
    scroll_cut: bool = False
    location: str = ""


@dataclass
class Visit:
    """What is known of the page that is open."""

    url: str
    headers: Mapping[str, str]
    gate: Gate
    at: str = ""  # the document that it has come to
    moving: str = ""  # the request for the document that comes next, while it is under way
    hops: int = 0
    popups: int = 0
    asked: int = 0
    under_way: set[str] = field(default_factory=set)
    received: Counter[str] = field(default_factory=Counter)
    response: Message | None = None
    origins: set[str] = field(default_factory=set)
    login: str = ""
    # Set with the reason when the page has to be given up; everything that waits for the page waits for this too.
    over: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, error: Exception) -> None:
        """Give the page up. The first reason stands."""
        if not self.over.done():
            self.over.set_exception(error)
            self.over.exception()  # seen, even where nobody waits any more


def with_ours(event: Message, headers: Mapping[str, str]) -> Message:
    """The headers of a request with ours among them."""
    if not headers:
        return {}
    ours = {name.lower() for name in headers}
    kept = [(name, value) for name, value in event["request"]["headers"].items() if name.lower() not in ours]
    return {"headers": [{"name": name, "value": str(value)} for name, value in (*kept, *headers.items())]}


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as the browser writes it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
