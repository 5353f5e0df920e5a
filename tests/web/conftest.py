"""A console in a real uvicorn on loopback, over incidents that were planted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from reports.links import link_secret, sign
from reports.web.serve import listen, server_for
from tests.delivery.kit import HOUR, NOW, configured
from tests.delivery.plant import FIRST, alarm
from tests.reports.conftest import at_home
from tests.reports.conftest import shipped as shipped
from vocwatch.settings import Settings
from vocwatch.store import Store

INCIDENT = "inc-burn"
SUBJECT = f"{INCIDENT}/{FIRST.isoformat()}"


@dataclass
class Served:
    """A running console."""

    settings: Settings
    store: Store
    client: httpx.Client

    def token(self, purpose: str, *, expires: dt.datetime = NOW + HOUR, **data: Any) -> str:
        """A token of this installation."""
        return sign(purpose, data, link_secret(self.settings.env), expires=expires)

    def feedback(self, to: str = "qa@example.com", subject: str = SUBJECT) -> str:
        """The path of a feedback link."""
        return f"/f/{self.token('feedback', s=subject, to=to)}"

    def alert(self) -> str:
        """The path of an alert's link."""
        return f"/a/{self.token('alert', incident=INCIDENT)}"


@pytest.fixture
def settings(shipped: Settings, tmp_path: Path) -> Settings:
    """The invented brand with a console and an administrator; the clock stands at nine."""
    made = configured(at_home(shipped, tmp_path), console="https://voc.example.com", alerts={"admins": ["admin@example.com"]})
    return dataclasses.replace(made, env=dataclasses.replace(made.env, now=NOW.isoformat()))


@pytest.fixture
def served(settings: Settings, sqlite_store: Store) -> Iterator[Served]:
    """The console, with one incident that raised an alert."""
    alarm(sqlite_store)
    with running(settings, sqlite_store) as client:
        yield Served(settings, sqlite_store, client)


class running:
    """A uvicorn in a thread, and a client of it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._server = server_for(settings, store)
        self.app: Any = self._server.config.app
        self._socket = listen("127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> httpx.Client:
        self._socket.listen()  # a client may come before the server is ready, and waits
        self._thread.start()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self._socket.getsockname()[1]}", timeout=30, trust_env=False)
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.get("/healthz")  # it is up, so that it can be told to stop
        self._client.close()
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        assert not self._thread.is_alive()


