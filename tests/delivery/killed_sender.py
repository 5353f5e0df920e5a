"""Senders that are killed where a test says: a process that has everything imported and forks one for each plan.

Reads one JSON plan a line: `port` of the mail server, `date`, `now`, `to`, and where to kill -9
(`point`, `when`, and `at`: the at-th call). Answers with how the sender ended. Nothing in the production code knows of
this: the points are its own functions, wrapped here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import itertools
import json
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

from reports.delivery import deliver, enqueue_digest
from reports.delivery.deliver import _Round
from reports.delivery.smtp import Post
from reports.digest.render import render_html
from tests.delivery.kit import Inbox, configured
from vocwatch.settings import Settings
from vocwatch.store import Store, outbox

STEPS: dict[str, tuple[Any, str, str]] = {
    "1 composed, not committed": (outbox, "hurry", "after"),
    "2 in the outbox, not claimed": (_Round, "run", "before"),
    "3 claimed, not connected": (_Round, "_send", "before"),
    "4 recipient taken, not on the wire": (_Round, "_begin", "before"),
    "5 on the wire, not handed over": (Post, "_hand_over", "before"),
    "6 accepted, not marked": (_Round, "_sent", "before"),
    "7 marked": (_Round, "_sent", "after"),
}
"""Each step of a message, and what is killed around: the server may have taken the mail from the fifth on."""
MAYBE = ("5 on the wire, not handed over", "6 accepted, not marked")


def arm(step: str, at: int) -> None:
    """Make this process kill itself at the at-th time that it comes by a step."""
    owner, name, when = STEPS[step]
    real = getattr(owner, name)
    calls = itertools.count(1)

    @functools.wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        mine = next(calls) == at
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def send(base: Settings, facts: Any, store: Store, plan: dict[str, Any]) -> None:
    """Put one digest into the outbox and send what is due."""
    if plan.get("step"):
        arm(plan["step"], plan["at"])
    inbox = Inbox()
    inbox.port = plan["port"]
    settings = configured(base, inbox, recipients=plan["to"])
    now = dt.datetime.fromisoformat(plan["now"])
    if plan["put"]:
        told = dataclasses.replace(facts, date=dt.date.fromisoformat(plan["date"]))
        enqueue_digest(settings, store, told, now=now)
    deliver(settings, store, now=now)


def main() -> None:
    """Fork a sender for each plan, one after the other. Arguments: a pickle of settings and digest, the database."""
    base, facts = pickle.loads(Path(sys.argv[1]).read_bytes())
    store = Store(sys.argv[2])
    render_html(facts)  # templates and statements are compiled once, before all forks
    deliver(configured(base), store, now=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    store.close()  # lets go of the connection, which can't be shared
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            send(base, facts, store, json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
