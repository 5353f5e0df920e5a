"""The tables of the schedule: what is due, who does it, and which schedulers there are."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Table

from vocwatch.store.columns import UtcTime, metadata

due_work = Table(
    "due_work", metadata,
    Column("job", sa.String(120), primary_key=True, comment="crawl:SOURCE, judge, deliver, digest:DATE, …"),
    Column("lane", sa.String(120), nullable=False, comment="the lease it is done under: jobs of one lane never run together"),
    Column("due_at", UtcTime, index=True, comment="its next slot; null: never again"),
    Column("asked", sa.Integer, nullable=False, comment="raised by whoever wants it done sooner than its slot"),
    Column("attempts", sa.Integer, nullable=False, comment="how often its present slot was begun"),
    Column("failures", sa.Integer, nullable=False, comment="slots in a row that ended in an error"),
    Column("done", sa.BigInteger, nullable=False, comment="slots that were done"),
    Column("slot_at", UtcTime, comment="the slot that was begun last"),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("outcome", sa.String(12), comment="done, failed; of a digest also merged"),
    Column("note", sa.Text, comment="why it failed; into which date a digest was merged"),
    comment="What the schedule has to do, and when: each slot is done by one scheduler, once",
)

leases = Table(
    "leases", metadata,
    Column("name", sa.String(120), primary_key=True, comment="a lane"),
    Column("owner", sa.String(80), comment="scheduler that holds it; null: free"),
    Column("fence", sa.BigInteger, nullable=False, comment="counts the owners; who comes with an older number is refused"),
    Column("beat", sa.BigInteger, nullable=False, comment="raised while the owner lives; no clock is compared with another"),
    Column("job", sa.String(120), comment="what it was taken for"),
    Column("since", UtcTime, comment="when it was taken, by the owner's clock; for people"),
    comment="Who may work in a lane of the schedule",
)

schedulers = Table(
    "schedulers", metadata,
    Column("id", sa.String(80), primary_key=True, comment="host:process:chance"),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False, comment="its last sign of life"),
    Column("state", sa.String(10), nullable=False, comment="running, stopping, stopped"),
    Column("problem", sa.Text, comment="why it keeps to an older configuration; null: it has the newest"),
    comment="Schedulers of this database",
)
