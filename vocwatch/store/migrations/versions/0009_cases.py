"""Objections to feedback and how they were settled; cases with their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId, UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "objections",
        sa.Column("id", BigId, nullable=False),
        sa.Column("feedback_id", BigId, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("settled_by", sa.String(100)),
        sa.Column("settled_at", UtcTime),
        sa.Column("note", sa.Text),
        sa.Column("ruling_id", BigId),
        sa.PrimaryKeyConstraint("id", name="pk_objections"),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], name="fk_objections_feedback_id", ondelete="CASCADE"),
    )
    op.create_index("ix_objections_at", "objections", ["at"])
    op.create_index(
        "uq_objections_open", "objections", ["feedback_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "cases",
        sa.Column("id", BigId, nullable=False),
        sa.Column("subject_kind", sa.String(8), nullable=False),
        sa.Column("subject_id", sa.String(40), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("owner", sa.String(100)),
        sa.Column("due_on", sa.Date),
        sa.Column("outcome", sa.String(4)),
        sa.Column("opened_at", UtcTime, nullable=False),
        sa.Column("closed_at", UtcTime),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
    )
    op.create_index(
        "uq_cases_open", "cases", ["subject_kind", "subject_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_cases_state", "cases", ["state", "due_on"])
    op.create_table(
        "case_events",
        sa.Column("id", BigId, nullable=False),
        sa.Column("case_id", BigId, nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("value", sa.String(100)),
        sa.Column("note", sa.Text),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_events"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_events_case_id", ondelete="CASCADE"),
    )
    op.create_index("ix_case_events_case_id", "case_events", ["case_id"])


def downgrade() -> None:
    """Undo."""
    for name in ("case_events", "cases", "objections"):
        op.drop_table(name)
