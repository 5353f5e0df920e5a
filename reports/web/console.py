"""What every page is made from, and how a page finds it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import Request

from vocwatch.settings import Settings, load_settings
from vocwatch.store import Store


@dataclass(frozen=True)
class Console:
    """The settings as they are now, and the store."""

    settings: Settings
    store: Store


def console_of(request: Request) -> Console:
    """Return the console that a request came to."""
    found: Console = request.app.state.console
    return found


def reload(app: FastAPI) -> Settings:
    """Read the configuration again, after it was changed, and go on with it; the clock stays. Raises ConfigError."""
    before: Console = app.state.console
    settings = load_settings(before.settings.env).with_clock(before.settings.clock)
    app.state.console = Console(settings, before.store)
    return settings
