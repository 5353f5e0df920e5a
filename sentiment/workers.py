"""Judging in several processes: batches of texts go out, their judgements come back. Nothing here touches the store."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process

from sentiment.judge import Judge
from sentiment.ready import make_judge
from vocwatch.models import Assessment, TextInput
from vocwatch.settings import Settings

LEAST = 20_000
"""Fewer texts than this are judged before other processes are ready."""
MOST = 3
"""What reads and writes the store keeps no more than these busy."""
AHEAD = 2
"""Batches that wait for each process."""
Asked = Future[list[Assessment]]


def wanted(texts: int) -> int:
    """Return how many processes are worth starting for so many texts: none for few texts, or on one processor."""
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(processors, MOST) if texts >= LEAST and processors > 1 else 0


class Workers:
    """Processes that judge with the model `version`. What they don't answer has to be judged by who asks."""

    def __init__(self, settings: Settings, engine: str, version: str, processes: int):
        self._version = version
        # Started anew, not forked: other threads of this process may hold locks.
        self._pool: ProcessPoolExecutor | None = ProcessPoolExecutor(
            processes, get_context("spawn"), _begin, (settings, engine)
        ) if processes else None
        self.ahead = AHEAD * processes

    def ask(self, texts: Sequence[TextInput]) -> Asked | None:
        """Give a batch away; None where there is no process to take it."""
        try:
            return self._pool.submit(_assess, texts) if self._pool else None
        except BrokenProcessPool:
            return None

    def answer(self, asked: Asked | None) -> list[Assessment] | None:
        """Return the judgements of a batch, in its order; None where there are none."""
        if asked is None:
            return None
        try:
            found = asked.result()
        except BrokenProcessPool:  # killed, out of memory, or unable to start
            self.close()
            return None
        except Exception:
            return None  # whoever asked judges it, and meets the same
        return found if all(assessment.model_version == self._version for assessment in found) else None

    def close(self) -> None:
        """End the processes; what they had not answered is lost."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None


_ready: list[Judge] = []


def _begin(settings: Settings, engine: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _ready.append(make_judge(settings, engine))


def _end_with_parent() -> None:
    """A pool's processes would wait forever for one that was killed."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _assess(texts: Sequence[TextInput]) -> list[Assessment]:
    return _ready[0].assess(texts)
