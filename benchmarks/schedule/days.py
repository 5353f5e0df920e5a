"""Simulated days under the schedule, with kills and outages: how often each reader got each date, which alerts were lost."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.schedule.life import DONE, MOST_CALLS, POINTS
from benchmarks.schedule.servers import Accepted, serving
from benchmarks.schedule.shared import SharedClock
from benchmarks.schedule.world import ADMIN, GROUP, READERS, SOURCES, ZONE, World, draw
from vocwatch.clock import business_date
from vocwatch.settings.delivery import MAIL
from vocwatch.store import Store, leases, open_store
from vocwatch.store.delivery_schema import outbox
from vocwatch.store.schema import alerts, digests, mentions

ROOT = Path(__file__).resolve().parents[2]
LONGEST_LIFE = 60.0  # hours of the world
SOURCE = """name: {name}
title: {name}
owner: 值班QA
access: {{basis: 模拟, robots: 允许, screenshot: false, reviewer: 值班QA, date: 2026-11-01}}
every_minutes: 600
start: ["https://{name}.example/"]
listing: {{extract: html, records: [{{kind: post, fields: {{text: p}}}}]}}
"""


@dataclass
class Figures:
    """What came of it. `own`, `told` and `copies` by (reader, date): mails of its own, dates told of in another mail,
    further copies with the same Message-ID.
    """

    days: int
    lives: int = 0
    killed: int = 0
    ended_at: Counter[str] = field(default_factory=Counter)
    own: Counter[tuple[str, dt.date]] = field(default_factory=Counter)
    told: Counter[tuple[str, dt.date]] = field(default_factory=Counter)
    copies: int = 0
    unmarked: int = 0
    dates: list[dt.date] = field(default_factory=list)
    red: int = 0
    lost: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    alerts: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    finished: bool = False
    reached: dt.datetime | None = None

    def wrong(self) -> dict[tuple[str, dt.date], int]:
        """Return the dates that a reader did not get exactly once."""
        counts = {(reader, date): self.own[reader, date] + self.told[reader, date] for reader in READERS for date in self.dates}
        return {key: count for key, count in counts.items() if count != 1}


def simulate(folder: Path, days: int, seed: int, at_most: float) -> Figures:
    """Live through the days, in at most so many seconds of real time."""
    world, accepted, figures = draw(seed, days), Accepted(), Figures(days)
    clock = SharedClock(folder / "clock", world.begin)
    began = time.monotonic()
    with serving(accepted, lambda what: world.down(what, clock.now())) as (port, robot):
        variables = prepare(folder, port, robot)
        plans = fates(random.Random(seed))
        with nursery(folder, seed, days) as parent:
            code = DONE + 1
            while code != DONE and time.monotonic() - began < at_most:
                plan = next(plans)
                if code == 0:  # the service had been stopped: this one makes up for what was missed
                    plan |= {"point": "dates merged", "at": 1}
                code = strike(parent, plan)
                figures.lives += 1
                if code in (-9, 9):
                    figures.killed += 1
                    figures.ended_at[plan["point"] if code == 9 else "any moment"] += 1
                if code not in (0, 9, -9, DONE):
                    raise SystemExit(f"a life ended with {code}: {plan}")
        store = open_store(variables["VOCWATCH_DATABASE_URL"])
        count(figures, world, store, accepted, clock.now())
        store.close()
    figures.seconds = time.monotonic() - began
    figures.refused = accepted.refused
    figures.finished = code == DONE
    return figures


def prepare(folder: Path, port: int, robot: str) -> dict[str, str]:
    """Write a configuration and the environment that points at the servers."""
    config = folder / "config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "practice" / "config", config, ignore=shutil.ignore_patterns("sources"))
    (config / "sources").mkdir()
    for name in SOURCES:
        (config / "sources" / f"{name}.yaml").write_text(SOURCE.format(name=name), encoding="utf-8")
    app = (config / "vocwatch.yaml").read_text(encoding="utf-8").split("digest:")[0]
    readers = ", ".join(f"{{email: {reader}}}" for reader in READERS)
    app += (
        f"digest:\n  recipients: [{readers}]\nalerts:\n  to: [{READERS[0]}]\n  second: [{GROUP}]\n  admins: [{ADMIN}]\n"
        f"channels:\n  - {{name: {GROUP}, kind: wecom, url_env: VOCWATCH_CHANNEL_DUTY}}\n"
        "schedule: {blind_minutes: 1440}\n"
    )
    (config / "vocwatch.yaml").write_text(app, encoding="utf-8")
    variables = {
        "VOCWATCH_HOME": str(folder), "VOCWATCH_CONFIG": str(config), "VOCWATCH_DATA": str(folder / "var"), "VOCWATCH_SECRET": "days",
        "VOCWATCH_DATABASE_URL": f"sqlite:///{folder / 'var' / 'days.sqlite3'}", "VOCWATCH_CHANNEL_DUTY": robot,
        "VOCWATCH_SMTP_HOST": "127.0.0.1", "VOCWATCH_SMTP_PORT": str(port), "VOCWATCH_SMTP_SECURITY": "none",
        "VOCWATCH_SMTP_FROM": "vocwatch@mail.example.com",
    }
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    return variables


def nursery(folder: Path, seed: int, days: int) -> subprocess.Popen[bytes]:
    """Start the process that forks the lives."""
    command = [sys.executable, "-m", "benchmarks.schedule.life", str(folder), str(seed), str(days)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def fates(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Draw how lives end: before or after each named point in turn, or by kill -9 after some hours of
    the world, if that comes first."""
    while True:
        ends = [(point, when) for point in POINTS for when in ("before", "after")]
        for point, when in chance.sample(ends, len(ends)):
            at = int(MOST_CALLS[point] ** chance.random())
            yield {"chance": chance.random(), "point": point, "when": when, "at": at, "hours": chance.uniform(0.5, LONGEST_LIFE),
                   "later": 0.2 * chance.random()}


def strike(parent: subprocess.Popen[bytes], plan: dict[str, Any]) -> int:
    """Let one life be lived; returns how it ended."""
    assert parent.stdin is not None and parent.stdout is not None
    parent.stdin.write(json.dumps(plan).encode() + b"\n")
    parent.stdin.flush()
    return int(json.loads(parent.stdout.readline())["code"])


def count(figures: Figures, world: World, store: Store, accepted: Accepted, now: dt.datetime) -> None:
    """Hold what the servers accepted against what there was to tell by now."""
    with store.read() as connection:
        rows = connection.execute(sa.select(outbox)).all()
        sealed = set(connection.execute(sa.select(digests.c.day).where(digests.c.sent_at.is_not(None))).scalars())
        dates = leases.jobs(connection, leases.DIGEST)
        merged = {date: leases.merged_into(connection, date) for date in sealed}
        told = connection.execute(sa.select(alerts)).all()
        stored = {row.native_id: row for row in connection.execute(sa.select(mentions))}
    figures.dates = sorted(dt.date.fromisoformat(row.job.partition(":")[2]) for row in dates if row.due_at is None)
    figures.reached = now
    count_mails(figures, {row.message_id: row for row in rows}, merged, accepted)
    arrived = accepted_alerts(rows, accepted)
    figures.alerts = sum(map(len, arrived.values()))
    planted = [post for post in world.posts if post.red and post.at < now]
    figures.red = len(planted)
    for post in planted:
        mine = stored.get(post.native_id)
        when = [
            at for alert in told if mine is not None and mine.id in alert.mention_ids
            for at in arrived.get(alert.incident_id, []) if at >= mine.first_seen_at
        ]
        if mine is None or not when:
            figures.lost.append(f"{post.native_id} {business_date(post.at, ZONE)} {post.text}")
        else:
            figures.waits.append((min(when) - mine.first_seen_at).total_seconds() / 60)


def count_mails(
    figures: Figures, by_id: Mapping[str, Any], merged: Mapping[dt.date, list[dt.date]], accepted: Accepted
) -> None:
    """Count each reader's digests, the dates that a mail tells of beside its own, and copies."""
    seen = Counter((reader, message_id) for reader, message_id, _ in accepted.mails)
    words = {(reader, message_id): text for reader, message_id, text in accepted.mails}
    for (reader, message_id), times in seen.items():
        row = by_id[message_id]
        if times > 1:
            figures.copies += times - 1
            figures.unmarked += not row.possibly_twice
        if row.kind == "digest":
            date = dt.date.fromisoformat(row.key.partition("/")[0])
            figures.own[reader, date] += 1
            for older in merged.get(date, []):
                figures.told[reader, older] += f"补发 {older:%m-%d}" in words[reader, message_id]


def accepted_alerts(rows: Sequence[Any], accepted: Accepted) -> dict[str, list[dt.datetime]]:
    """Return by incident when its messages were accepted: marked as sent, and seen by the mail server or the robot."""
    mails = {(reader, message_id) for reader, message_id, _ in accepted.mails}
    texts = "\n".join(str(json.loads(text)["text"]["content"]) for text in accepted.texts)
    arrived: dict[str, list[dt.datetime]] = defaultdict(list)
    for row in rows:
        incident = row.key.rpartition("/")[0]
        there = (row.recipient, row.message_id) in mails if row.channel == MAIL else incident in texts
        if row.kind == "alert" and row.sent_at is not None and there:
            arrived[incident].append(row.sent_at)
    return arrived


def report(figures: Figures) -> str:
    """Return the figures as Markdown."""
    lines = ["| reader | dates | mails of their own | told of in the next mail | not exactly once |", "|---|---:|---:|---:|---:|"]
    for reader in READERS:
        own = sum(figures.own[reader, date] for date in figures.dates)
        told = sum(figures.told[reader, date] for date in figures.dates)
        wrong = sum(who == reader for who, _ in figures.wrong())
        lines.append(f"| {reader} | {len(figures.dates)} | {own} | {told} | {wrong} |")
    waits = sorted(figures.waits)
    lines += [
        "", f"{figures.days} days in {figures.seconds:.0f} s, {figures.lives} lives, {figures.killed} of them killed "
        f"(at {len(figures.ended_at) - ('any moment' in figures.ended_at)} of {len(POINTS)} named points, and {figures.ended_at['any moment']} at any moment); "
        f"turned away by the mail server {figures.refused['smtp']} times, by the robot {figures.refused['robot']} times",
        f"red lines {figures.red}, alert messages accepted {figures.alerts}, alerts lost {len(figures.lost)}",
        f"copies with the same Message-ID {figures.copies}, of them not marked 可能重复 {figures.unmarked}",
    ]
    if waits:
        lines.append(f"from the crawl that read it to acceptance: median {waits[len(waits) // 2]:.1f} min, longest {waits[-1]:.1f} min")
    lines += [] if figures.finished else [f"NOT FINISHED in the time given: {figures.reached:%Y-%m-%d %H:%M} UTC was reached"]
    lines += [f"LOST {line}" for line in figures.lost]
    lines += [f"WRONG {reader} {date}: {number}" for (reader, date), number in figures.wrong().items()]
    return "\n".join(lines)
