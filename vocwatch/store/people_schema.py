"""The tables of what people do about findings: objections to each other's words, and cases."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table

from vocwatch.store.columns import BigId, UtcTime, metadata

objections = Table(
    "objections", metadata,
    Column("id", BigId, primary_key=True),
    Column("feedback_id", BigId, sa.ForeignKey("feedback.id", ondelete="CASCADE"), nullable=False,
           comment="the word that is objected to"),
    Column("reason", sa.Text, nullable=False, comment="masked of personal data"),
    Column("who", sa.String(100), nullable=False, comment="who objects; never who gave the word"),
    Column("at", UtcTime, nullable=False, index=True),
    Column("state", sa.String(10), nullable=False, comment="open, upheld, overruled, withdrawn"),
    Column("settled_by", sa.String(100), comment="neither who gave the word nor who objects"),
    Column("settled_at", UtcTime),
    Column("note", sa.Text, comment="why it was settled so; masked"),
    Column("ruling_id", BigId, comment="the word of feedback that stands since"),
    Index("uq_objections_open", "feedback_id", unique=True, sqlite_where=sa.text("state = 'open'"),
          postgresql_where=sa.text("state = 'open'")),
    comment="Words of feedback that somebody contests, and how a second person settled it; open ones teach nothing",
)

cases = Table(
    "cases", metadata,
    Column("id", BigId, primary_key=True),
    Column("subject_kind", sa.String(8), nullable=False, comment="incident, mention"),
    Column("subject_id", sa.String(40), nullable=False),
    Column("title", sa.String(200), nullable=False, comment="what it was about when it was opened"),
    Column("state", sa.String(6), nullable=False, comment="open, closed"),
    Column("owner", sa.String(100), comment="to whom it is assigned"),
    Column("due_on", sa.Date, comment="business date by whose end it is to be done"),
    Column("outcome", sa.String(4), comment="改评, 补偿, 下架, 澄清, 误报"),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Index("uq_cases_open", "subject_kind", "subject_id", unique=True, sqlite_where=sa.text("state = 'open'"),
          postgresql_where=sa.text("state = 'open'")),
    Index(None, "state", "due_on"),
    comment="What somebody takes care of: an incident or a mention, until it has an outcome",
)

case_events = Table(
    "case_events", metadata,
    Column("id", BigId, primary_key=True),
    Column("case_id", BigId, sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("what", sa.String(10), nullable=False, comment="opened, assigned, due, comment, closed"),
    Column("value", sa.String(100), comment="to whom, until when, with which outcome"),
    Column("note", sa.Text, comment="masked of personal data"),
    Column("who", sa.String(100), nullable=False),
    Column("channel", sa.String(12), nullable=False, comment="cli, mail, console"),
    Column("at", UtcTime, nullable=False),
    comment="History of cases: rows are only ever added",
)
