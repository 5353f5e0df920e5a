"""Logged-in clients for tests of pages: by httpx within the process, and in a real Chromium.

    with client_of(settings, store, "analyst") as client:      # httpx within this process, logged in
        client.get("/mentions"); client.post("/cases", data={...})   # the form token goes along by itself

    with browser_page(settings, store, "editor", width=390) as page:   # Playwright, logged in, over a real uvicorn
        page.goto("/mentions")                                  # relative to the console

The password of everybody made here is PASSWORD. Argon2 is slow by design: these tests hash at a cost of their own.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Page, sync_playwright

from reports.web.access import passwords
from reports.web.access.cookies import _token
from reports.web.app import make_app
from reports.web.serve import listen, server_for
from vocwatch.browser import find_browser, launch_options
from vocwatch.settings import Settings
from vocwatch.store import Store
from vocwatch.store.access import logins, users
from vocwatch.store.access.logins import Terms
from vocwatch.store.access.users import User

passwords._cost = (1, 64, 1)
PASSWORD = "松果在屋顶上晒着太阳"
NAMES = {"reader": "读者甲", "analyst": "分析乙", "editor": "编辑丙", "admin": "管理丁"}


@lru_cache(maxsize=1)
def _hash() -> str:
    return passwords.hashed(PASSWORD)


def somebody(settings: Settings, store: Store, role: str, name: str = "") -> User:
    """A person of that role, made when they are not there yet."""
    name = name or NAMES[role]
    with store.begin() as connection:
        return users.find(connection, name) or users.add(connection, name, role, password=_hash(), now=settings.clock.now())


def secret_of(settings: Settings, store: Store, user: User) -> str:
    """The value of a login's cookie."""
    rules = settings.app.console
    terms = Terms(dt.timedelta(minutes=rules.idle_minutes), dt.timedelta(hours=rules.session_hours))
    with store.begin() as connection:
        return logins.begin(connection, user.id, "password", settings.clock.now(), terms)


class _WithinProcess(httpx.BaseTransport):
    """Hands requests to the application directly; a portal's thread is its event loop, so that a browser may run beside it."""

    def __init__(self, app: Any, portal: BlockingPortal):
        self._asgi, self._portal = httpx.ASGITransport(app, raise_app_exceptions=False), portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self._asgi.handle_async_request(request)
            content = b"".join([part async for part in answer.stream])  # type: ignore[union-attr]
            return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content))

        return self._portal.call(ask)


class LoggedIn(httpx.Client):
    """A client with a login, whose changes carry the form token; `csrf` is that token, `app` the console."""

    csrf = ""
    app: Any = None

    def transport_address(self, address: str) -> None:
        """Come from another address."""
        self._transport._asgi.client = (address, 40_000)  # type: ignore[attr-defined]

    def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        """Ask, with the form token for what changes something."""
        if self.csrf and method.upper() not in ("GET", "HEAD", "OPTIONS"):
            more["headers"] = {"X-CSRF-Token": self.csrf, **dict(more.get("headers") or {})}
        return super().request(method, url, **more)


@contextmanager
def client_of(settings: Settings, store: Store, role: str = "", *, name: str = "", app: Any = None) -> Iterator[LoggedIn]:
    """A client within this process, logged in as somebody of that role; nobody without one. Redirects are not followed."""
    app = app or make_app(settings, store)
    with start_blocking_portal() as portal, LoggedIn(transport=_WithinProcess(app, portal), base_url="http://testserver") as client:
        client.app = app
        if role:
            log_in(client, settings, store, role, name)
        yield client


def log_in(client: LoggedIn, settings: Settings, store: Store, role: str, name: str = "") -> User:
    """Log a client in as somebody of that role."""
    user = somebody(settings, store, role, name)
    secret = secret_of(settings, store, user)
    client.cookies.set("vocwatch", secret)
    client.csrf = _token(secret)
    return user


@contextmanager
def served_at(settings: Settings, store: Store, tools: Any = None) -> Iterator[str]:
    """A real uvicorn on loopback; gives its address."""
    server, socket = server_for(settings, store, tools), listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    socket.listen()  # a client may come before the server is ready, and waits
    thread.start()
    address = f"http://127.0.0.1:{socket.getsockname()[1]}"
    try:
        yield address
    finally:
        httpx.get(f"{address}/healthz", timeout=30, trust_env=False)  # it is up, so that it can be told to stop
        server.should_exit = True
        thread.join(20)
        socket.close()
        assert not thread.is_alive()


@contextmanager
def browser_page(
    settings: Settings, store: Store, role: str = "", *, width: int = 1280, height: int = 900, lang: str = "zh-CN", name: str = "",
    tools: Any = None, **context_options: Any,
) -> Iterator[Page]:
    """A page of a real Chromium over a real server, logged in as somebody of that role; skips where there is no browser.

    `page.goto("/…")` is relative to the console. A script error or a breach of the content policy fails the test.
    """
    binary = find_browser(settings.env)
    if binary is None:
        pytest.skip("no Chromium")
    with served_at(settings, store, tools) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(binary))
        context = browser.new_context(base_url=address, viewport={"width": width, "height": height}, locale=lang, **context_options)
        if role:
            secret = secret_of(settings, store, somebody(settings, store, role, name))
            context.add_cookies([{"name": "vocwatch", "value": secret, "url": address, "httpOnly": True, "sameSite": "Lax"}])
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if _breach(message) else None)
        try:
            yield page
        finally:
            browser.close()
        assert not wrong, wrong


def _breach(message: Any) -> bool:
    return message.type == "error" and "Content Security Policy" in message.text
