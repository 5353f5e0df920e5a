"""The inner ear: keyword classes of sessions, daily totals, the watched import folder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId, UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sessions", sa.Column("keywords", sa.String(16)))
    op.create_table(
        "session_keywords",
        sa.Column(
            "session_id", BigId,
            sa.ForeignKey("sessions.id", name="fk_session_keywords_session_id", ondelete="CASCADE"), primary_key=True,
        ),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("start", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("word", sa.String(80), nullable=False),
    )
    op.create_table(
        "totals",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("shop", sa.String(200), primary_key=True),
        sa.Column("what", sa.String(20), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("basis", sa.String(8), nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("imported_at", UtcTime, nullable=False),
    )
    op.create_table(
        "import_files",
        sa.Column("path", sa.String(500), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("run_id", BigId),
    )
    op.create_index("ix_import_files_sha256", "import_files", ["sha256"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_import_files_sha256", "import_files")
    for table in ("import_files", "totals", "session_keywords"):
        op.drop_table(table)
    op.drop_column("sessions", "keywords")
