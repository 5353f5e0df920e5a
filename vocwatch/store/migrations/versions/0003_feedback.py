"""What people say of findings, and which judgements a person should look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId, UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("assessments", sa.Column("review", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.create_table(
        "feedback",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("subject_kind", sa.String(8), nullable=False),
        sa.Column("subject_id", sa.String(40), nullable=False),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("label", sa.String(8)),
        sa.Column("topics", sa.JSON),
        sa.Column("note", sa.Text),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("text_sha", sa.String(64)),
        sa.Column("model_version", sa.String(80)),
        sa.Column("judged", sa.JSON, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.UniqueConstraint("subject_kind", "subject_id", "who", "verdict", name="uq_feedback_subject_kind"),
    )
    op.create_index("ix_feedback_at", "feedback", ["at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_feedback_at", "feedback")
    op.drop_table("feedback")
    op.drop_column("assessments", "review")
