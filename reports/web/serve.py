"""Running the console: one process, on this machine alone unless somebody says otherwise."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from reports.web.app import make_app
from reports.web.setup.first import first_path
from reports.web.tools import MakeTools
from vocwatch.settings import Settings
from vocwatch.store import Store


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; port 0 lets the system choose. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(100)  # before anybody is told the address
    except OSError:
        made.close()
        raise
    return made


def server_for(settings: Settings, store: Store, tools: MakeTools | None = None) -> uvicorn.Server:
    """Return a server that logs no addresses: they hold signatures.

    Only the proxies of `console.proxies` are believed about who came and how.
    """
    proxies = list(settings.app.console.proxies)
    logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)  # whatever handlers another library hangs on
    return uvicorn.Server(uvicorn.Config(
        make_app(settings, store, tools), access_log=False, log_config=None, server_header=False, proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies, lifespan="off", ws="none", http="h11", loop="asyncio", limit_concurrency=100, timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
    ))


def serve(
    settings: Settings, store: Store, host: str, port: int, ready: Callable[[str, str], None],
    tools: MakeTools | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the address can't be listened on.

    `ready` is told the address, and the path of the first run's link (empty where there are people already).
    """
    with listen(host, port) as made:
        name = f"[{host}]" if ":" in host else host
        server = server_for(settings, store, tools)
        app = server.config.app
        assert isinstance(app, FastAPI)
        ready(f"http://{name}:{made.getsockname()[1]}", first_path(app))
        server.run(sockets=[made])
