"""kill -9 of senders at each step of the outbox, and what must hold after. Used by the suite and `benchmarks.delivery`."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from reports.shape import Facts
from tests.conftest import ROOT
from tests.delivery.killed_sender import MAYBE, STEPS
from tests.delivery.kit import NOW, Inbox
from vocwatch.settings import Settings
from vocwatch.store import Store, outbox

PEOPLE = ("a@example.com", "b@example.com", "c@example.com")
KILLED = -9


@dataclass
class Trial:
    """What came of one kill: mails lost, copies too many, copies without the mark, ids that differ."""

    step: str
    killed: bool
    lost: int
    doubled: int
    unmarked: int
    wrong_ids: int

    @property
    def allowed(self) -> int:
        """Copies that can't be avoided: the server had taken the mail and nobody knew."""
        return 1 if self.step in MAYBE else 0


class Senders:
    """Forks senders over one database and one mail server."""

    def __init__(self, folder: Path, base: Settings, facts: Facts, url: str, inbox: Inbox):
        kept = folder / "senders.pickle"
        kept.write_bytes(pickle.dumps((base, facts)))
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.delivery.killed_sender", str(kept), url], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self._inbox = inbox
        self._date = dt.date(2026, 1, 1)

    def __enter__(self) -> Senders:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _run(self, now: dt.datetime, **plan: Any) -> int:
        assert self._process.stdin and self._process.stdout
        whole = {"port": self._inbox.port, "date": self._date.isoformat(), "now": now.isoformat(),
                 "to": PEOPLE, "put": True, **plan}
        self._process.stdin.write(json.dumps(whole) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._process.stdout.readline())["code"])

    def trial(self, step: str, at: int) -> Trial:
        """Kill one sender of a new business date at a step; let others come after it until nothing is left to do."""
        self._date += dt.timedelta(days=1)
        self._inbox.mails.clear()
        self._inbox.to.clear()
        code = self._run(NOW, step=step, at=at)
        for minutes in (1, 30):  # at once, and after the lease
            assert self._run(NOW + dt.timedelta(minutes=minutes), put=minutes == 1) == 0
        got = Counter(self._inbox.to)
        ids: dict[str, set[str]] = {}
        marked = 0
        for mail in self._inbox.mails:
            ids.setdefault(mail["To"], set()).add(f"{mail['Message-ID']} {mail['Date']}")
            marked += "可能重复" in mail["Subject"]
        copies = sum(count - 1 for count in got.values())
        return Trial(
            step, code == KILLED, sum(person not in got for person in PEOPLE), copies, max(0, copies - marked),
            sum(len(found) > 1 for found in ids.values()),
        )


def unsettled(store: Store) -> list[dict[str, Any]]:
    """Rows of which it is not known how they ended."""
    with store.read() as connection:
        return outbox.listed(connection, states=("waiting", "claimed", "retry", "dead"), limit=10_000)


__all__ = ["KILLED", "MAYBE", "PEOPLE", "STEPS", "Senders", "Trial", "unsettled"]
