"""Versions of the configuration files; judgements are found by when they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId, UtcTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "config_versions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("base", sa.String(64)),
        sa.Column("entry", sa.String(100), nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("change", sa.JSON, nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_at", UtcTime),
        sa.Column("at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_config_versions"),
    )
    op.create_index("ix_config_versions_file", "config_versions", ["file", "id"])
    op.create_index("ix_config_versions_state", "config_versions", ["state"])
    op.create_index("ix_assessments_assessed_at", "assessments", ["assessed_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_assessments_assessed_at", "assessments")
    op.drop_table("config_versions")
