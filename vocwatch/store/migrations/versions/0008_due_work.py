"""What is due, who does it, and digests that stay as they were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Digests that somebody has got stay as they are from now on."""
    op.create_table(
        "due_work",
        sa.Column("job", sa.String(120), primary_key=True),
        sa.Column("lane", sa.String(120), nullable=False),
        sa.Column("due_at", UtcTime),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("slot_at", UtcTime),
        sa.Column("started_at", UtcTime),
        sa.Column("ended_at", UtcTime),
        sa.Column("outcome", sa.String(12)),
        sa.Column("note", sa.Text),
    )
    op.create_index("ix_due_work_due_at", "due_work", ["due_at"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("owner", sa.String(80)),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("job", sa.String(120)),
        sa.Column("since", UtcTime),
    )
    op.create_table(
        "schedulers",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("problem", sa.Text),
    )
    op.add_column("digests", sa.Column("sent_at", UtcTime))
    sent = "SELECT 1 FROM outbox WHERE outbox.kind = 'digest' AND outbox.key = digests.day || '/' || digests.audience"
    op.execute(sa.text(f"UPDATE digests SET sent_at = generated_at WHERE EXISTS ({sent})"))  # noqa: S608 - no values in it
