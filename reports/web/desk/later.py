"""What takes longer than a page may: made beside the pages, shared by all who ask, kept for a while."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from reports.web.pages import console_of
from vocwatch.lang import language

FRESH = dt.timedelta(minutes=2)
"""For how long what was made is shown again; then it is made anew."""
KEPT = 24
PATIENCE, PATIENCE_OF_PARTS = 0.2, 2.0
"""Seconds that a page waits, and a part that is fetched after its page."""
WORKERS = 2


@dataclass(frozen=True)
class Made:
    """What was made, and when."""

    value: Any
    at: dt.datetime


class Later:
    """Makes things in threads of its own, each once however many ask for it meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: ThreadPoolExecutor | None = None
        self._made: OrderedDict[Hashable, Future[Made]] = OrderedDict()

    def ask(self, key: Hashable, make: Callable[[], Any], now: dt.datetime, patience: float = PATIENCE) -> Made | None:
        """Return what `make` makes; None while it is still at it: ask again. Raises what it raised."""
        try:
            return self._future(key, make, now).result(timeout=patience)
        except StillRunning:
            return None

    def _future(self, key: Hashable, make: Callable[[], Any], now: dt.datetime) -> Future[Made]:
        with self._lock:
            known = self._made.get(key)
            if known is not None and (not known.done() or (known.exception() is None and now - known.result().at < FRESH)):
                return known
            self._work = self._work or ThreadPoolExecutor(WORKERS, thread_name_prefix="later")
            made = self._work.submit(copy_context().run, lambda: Made(make(), now))
            self._made[key] = made
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return made


def later(request: Request, key: Hashable, make: Callable[[], Any], patience: float = PATIENCE) -> Made | None:
    """Ask this console's maker; see `Later.ask`."""
    state = request.app.state
    if getattr(state, "later", None) is None:
        state.later = Later()
    maker: Later = state.later
    return maker.ask((language(), key), make, console_of(request).settings.clock.now(), patience)
