"""The steps of `benchmarks.day`, each run in a process of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.day.filler import DAY, Filler
from benchmarks.day.peak import Peak
from reports.baseline import BASE_DAYS
from reports.day import WINDOW_DAYS
from reports.digest import write_digest
from reports.facts import build_facts
from reports.run import build_incidents
from reports.traces import keep
from reports.vocabulary import keep_words
from sentiment.run import analyse
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]


def main(name: str, path: str, *values: str) -> None:
    """Run one step on the store at `path` and print what it measured as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "bench"}))
        settings = dataclasses.replace(settings, env=dataclasses.replace(settings.env, data=Path(folder)))
        store = open_store(f"sqlite:///{path}")
        peak = Peak()
        peak.start()
        if name == "measure":
            found = measure(settings, store, peak)
        elif name == "backfill":
            found = backfill(settings, store, peak, int(values[0]), float(values[1]))
        else:
            found = {**(fill if name == "fill" else put)(settings, store, int(values[0]), float(values[1])), "peak_mb": peak.take()}
        peak.end()
        store.close()
    print(json.dumps(found))


@contextmanager
def timed(found: dict[str, float], name: str, peak: Peak | None = None) -> Iterator[None]:
    """Note the seconds on the clock under a name, the processor's, and the highest memory where it is watched."""
    if peak:
        peak.take()
    began, before = time.perf_counter(), processor()
    yield
    found[name] = round(time.perf_counter() - began, 2)
    found[f"{name}_cpu"] = round(processor() - before, 2)
    if peak:
        found[f"{name}_mb"] = peak.take()


def fill(settings: Settings, store: Store, history: int, negative: float) -> dict[str, float]:
    """Fill the days before and keep their traces."""
    found: dict[str, float] = {"history": history}
    with timed(found, "filled"):
        Filler(settings, store, negative).history(history)
    with timed(found, "kept"):
        keep(settings, store, DAY - dt.timedelta(days=1), WINDOW_DAYS)
        keep_words(settings, store, DAY - dt.timedelta(days=1), BASE_DAYS)
    return found


def put(settings: Settings, store: Store, mentions: int, negative: float) -> dict[str, float]:
    """Store the day's new texts, not judged."""
    found: dict[str, float] = {}
    with timed(found, "stored"):
        Filler(settings, store, negative).day(mentions)
    return found


def backfill(settings: Settings, store: Store, peak: Peak, mentions: int, negative: float) -> dict[str, float]:
    """Store weeks of texts that nobody judged, judge them all, and build the incidents of their last day."""
    found: dict[str, float] = {"mentions": mentions, "sessions": mentions // 10}
    date = DAY - dt.timedelta(days=1)
    now = dt.datetime.combine(DAY, dt.time(8, 30), tzinfo=settings.app.zone)
    with timed(found, "stored", peak):
        Filler(settings, store, negative).history(mentions, judged=False)
    with timed(found, "analyse", peak):
        analyse(settings, store)
    with timed(found, "incidents", peak):
        build_incidents(settings, store, date, now=now)
    with timed(found, "digest", peak):
        write_digest(settings, store, date, now=now)
    return {**found, "peak_mb": max(value for name, value in found.items() if name.endswith("_mb"))}


def measure(settings: Settings, store: Store, peak: Peak) -> dict[str, float]:
    """Judge the day and write its digest. `judged` is incidents and facts, `cycle` all from stored texts to the digest."""
    now = dt.datetime.combine(DAY + dt.timedelta(days=1), dt.time(8, 30), tzinfo=settings.app.zone)
    found: dict[str, float] = {}
    with timed(found, "analyse", peak):
        analyse(settings, store)
    with timed(found, "incidents", peak):
        report = build_incidents(settings, store, DAY, now=now).without_texts()  # as a cycle keeps it
    with timed(found, "facts", peak):
        build_facts(settings, store, DAY, now=now)
    with timed(found, "digest", peak):
        write_digest(settings, store, DAY, now=now)
    found["judged"] = round(found["incidents"] + found["facts"], 2)
    found["cycle"] = round(found["analyse"] + found["incidents"] + found["digest"], 2)
    found["cpu"] = round(found["analyse_cpu"] + found["incidents_cpu"] + found["digest_cpu"], 2)
    highest = max(value for name, value in found.items() if name.endswith("_mb"))
    return {**found, "findings": len(report.findings), "peak_mb": highest}


def processor() -> float:
    """Return the processor time of this process and its children, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(*sys.argv[1:])
