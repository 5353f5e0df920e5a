"""What the crawl remembers: re-readings, engagement, two-step deletions, screenshots, erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId, UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("source_state", sa.Column("blocks", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("pages", sa.Column("seen_at", UtcTime))
    op.create_index("ix_pages_seen_at", "pages", ["seen_at"])
    op.execute("UPDATE pages SET seen_at = fetched_at")
    op.add_column("visits", sa.Column("changed_at", UtcTime))
    op.add_column("visits", sa.Column("missing_since", UtcTime))
    op.add_column("mentions", sa.Column("missing_since", UtcTime))
    op.add_column("mentions", sa.Column("purged_at", UtcTime))
    op.add_column("mentions", sa.Column("order_key", sa.String(32)))
    # Until now one look was enough: what was marked then counts as seen missing, and is looked at again.
    op.execute("UPDATE mentions SET missing_since = gone_at, gone_at = NULL WHERE gone_at IS NOT NULL")
    _engagement()
    _shots()
    _erasures()


def _engagement() -> None:
    op.create_table(
        "engagement",
        sa.Column("mention_id", BigId, sa.ForeignKey("mentions.id", name="fk_engagement_mention_id", ondelete="CASCADE"),
                  primary_key=True),
        sa.Column("seen_at", UtcTime, primary_key=True),
        *(sa.Column(name, sa.BigInteger) for name in ("likes", "replies", "shares", "views")),
    )


def _shots() -> None:
    op.create_table(
        "shots",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("mention_id", BigId, sa.ForeignKey("mentions.id", name="fk_shots_mention_id", ondelete="CASCADE"),
                  nullable=False),
        sa.Column("revision_id", BigId, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("taken_at", UtcTime, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.UniqueConstraint("mention_id", "revision_id", name="uq_shots_mention_id"),
    )


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("why", sa.String(20), nullable=False),
        sa.Column("source", sa.String(64)),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("erasures", "shots", "engagement"):
        op.drop_table(table)
    for table, columns in (
        ("mentions", ("order_key", "purged_at", "missing_since")), ("visits", ("missing_since", "changed_at")),
        ("source_state", ("blocks",)),
    ):
        for column in columns:
            op.drop_column(table, column)
    op.drop_index("ix_pages_seen_at", "pages")
    op.drop_column("pages", "seen_at")
