"""Crawl workers that are killed where a test says: a process that has everything imported and forks one for each plan.

Reads one JSON plan a line: `arguments` of the worker, and either `point` and `at` (kill -9 before or after the at-th
call of that function) or `after` (kill -9 so many seconds after the start). Answers with how the worker ended.
Nothing in the production code knows of this: the points are its own functions, wrapped here.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import crawlers.fetch
import crawlers.pipeline
import crawlers.robots
import crawlers.spider
from crawlers import audit, worker
from vocwatch.store import mentions, pages, runs, writer

BATCH_PAGES = 7  # many small batches, so that there is much to be cut in two

# Where state changes hands, in the order in which a crawl comes by.
POINTS: dict[str, tuple[Any, str]] = {
    "robots kept": (crawlers.robots.Robots, "_keep"),
    "request sent": (crawlers.fetch.HttpHandler, "download_request"),
    "evidence handed over": (writer.EvidenceWriter, "keep"),
    "evidence written": (writer, "write_evidence"),
    "evidence settled": (writer.EvidenceWriter, "settle"),
    "pages recorded": (pages, "record_pages"),
    "mentions saved": (mentions, "save"),
    "revisions saved": (mentions, "_save_revisions"),
    "visits recorded": (pages, "record_visits"),
    "batch committed": (crawlers.pipeline.StorePages, "flush"),
    "audit written": (audit.AuditLog, "flush"),
    "run judged": (crawlers.pipeline, "finish"),
    "state written": (pages, "write_state"),
    "run closed": (runs, "finish"),
}


def arm(point: str, when: str, at: int) -> None:
    """Make this process kill itself before or after the at-th call of a point."""
    owner, name = POINTS[point]
    real: Callable[..., Any] = getattr(owner, name)
    calls = itertools.count(1)

    def met(moment: str, number: int) -> None:
        if number == at and moment == when:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        number = next(calls)
        met("before", number)
        result = real(*args, **kwargs)
        met("after", number)
        return result

    @functools.wraps(real)
    async def wrapped_coroutine(*args: Any, **kwargs: Any) -> Any:
        number = next(calls)
        met("before", number)
        result = await real(*args, **kwargs)
        met("after", number)
        return result

    setattr(owner, name, wrapped_coroutine if inspect.iscoroutinefunction(real) else wrapped)


def _child(plan: dict[str, Any]) -> None:
    crawlers.pipeline.MAX_PAGES = BATCH_PAGES
    if "point" in plan:
        arm(plan["point"], plan["when"], plan["at"])
    os._exit(worker.main(plan["arguments"]))


def main() -> None:
    """Fork a worker for each plan, one after the other."""
    for line in sys.stdin:
        plan = json.loads(line)
        child = os.fork()
        if child == 0:
            _child(plan)
        if "after" in plan:
            time.sleep(plan["after"])
            os.kill(child, signal.SIGKILL)  # not reaped yet, so the id is still its own
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
