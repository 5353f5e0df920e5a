"""What the pages of the configuration share: the settings as the files say now, and changes with everything around them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from reports.web.access.people import Person, audit
from reports.web.console import Console, console_of
from vocwatch.configuring import By, ChangeError, Configuring
from vocwatch.settings import Settings
from vocwatch.settings.changes import Change
from vocwatch.settings.live import LiveSettings
from vocwatch.store.versions import Version

FORM_BYTES = 1_000_000
"""A form with ten thousand words; percent-encoding makes nine bytes of a Chinese character."""
_MAKING = threading.Lock()


@dataclass(frozen=True)
class Now:
    """The settings that are in use, and why the files are not, where they are broken: a line for each fault."""

    settings: Settings
    problems: tuple[str, ...]


def settings_now(request: Request) -> Now:
    """Return the configuration as the files say now; where they are broken the last good one goes on.

    What was edited by hand is taken over here, for all pages.
    """
    app = request.app
    with _MAKING:
        console: Console = app.state.console
        live: LiveSettings | None = getattr(app.state, "live", None)
        if live is None:
            live = app.state.live = LiveSettings(console.settings)
        before = console.settings
        found = live.now(at_once=True)
        if found is not before:
            app.state.console = Console(found, console.store)
    return Now(found, live.problems)


def configuring_of(request: Request) -> Configuring:
    """Return what changes this console's configuration."""
    console = console_of(request)
    return Configuring(console.settings.env, console.store)


def by(request: Request, person: Person, note: str = "") -> By:
    """Return who changes something through the console."""
    return By(person.name, "console", console_of(request).settings.clock.now(), note.strip()[:500])


def changed(request: Request, file: str, entry: str, make: Callable[[Configuring], Version]) -> Version:
    """Make a change, log it, and take the files over. Raises ChangeError."""
    version = make(configuring_of(request))
    audit(request, "change config", f"{file} {entry} {version.id} {version.state}".strip())
    settings_now(request)
    return version


__all__ = ["FORM_BYTES", "Change", "ChangeError", "Now", "by", "changed", "configuring_of", "settings_now"]
