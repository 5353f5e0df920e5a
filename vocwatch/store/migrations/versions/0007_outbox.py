"""The outbox takes the place of the list of deliveries; what was said of alarms, and silences."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId, UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _outbox()
    _others()
    _carry_over()
    op.drop_table("deliveries")


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("dated_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("unknown", sa.Integer, nullable=False),
        sa.Column("next_try_at", UtcTime, nullable=False),
        sa.Column("lease_until", UtcTime),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("on_wire", sa.Boolean, nullable=False),
        sa.Column("possibly_twice", sa.Boolean, nullable=False),
        sa.Column("fault", sa.String(12)),
        sa.Column("error", sa.Text),
        sa.Column("fallback", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("sent_at", UtcTime),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("kind", "key", "channel", "recipient", name="uq_outbox_kind"),
    )
    op.create_index("ix_outbox_state", "outbox", ["state", "next_try_at"])


def _others() -> None:
    op.create_table(
        "buckets",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("filled_at", UtcTime, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("blocked_until", UtcTime),
        sa.PrimaryKeyConstraint("name", name="pk_buckets"),
    )
    op.create_table(
        "pauses",
        sa.Column("id", BigId, nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("list", sa.String(60), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("until", UtcTime),
        sa.PrimaryKeyConstraint("id", name="pk_pauses"),
        sa.UniqueConstraint("recipient", "list", name="uq_pauses_recipient"),
    )
    op.create_table(
        "alarms",
        sa.Column("incident_id", sa.String(40), nullable=False),
        sa.Column("level", sa.String(2), nullable=False),
        sa.Column("state", sa.String(4), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("first_told_at", UtcTime, nullable=False),
        sa.Column("told_at", UtcTime, nullable=False),
        sa.Column("lower_since", UtcTime),
        sa.Column("acked_at", UtcTime),
        sa.Column("acked_by", sa.String(100)),
        sa.Column("acked_level", sa.String(2)),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("incident_id", name="pk_alarms"),
    )
    op.create_table(
        "silences",
        sa.Column("id", BigId, nullable=False),
        sa.Column("incident_id", sa.String(40)),
        sa.Column("topic", sa.String(100)),
        sa.Column("product", sa.String(100)),
        sa.Column("level", sa.String(2), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )


def _carry_over() -> None:
    """Who was sent a digest must not be sent it again. What failed had kept no message; it is composed anew.

    A claim whose end nobody wrote down may have arrived: it is not sent again by itself.
    """
    connection = op.get_bind()
    old = sa.Table("deliveries", sa.MetaData(), autoload_with=connection)
    new = sa.Table("outbox", sa.MetaData(), autoload_with=connection)
    for row in connection.execute(old.select().where(old.c.state.in_(("sent", "claimed")))).all():
        at = row.updated_at if isinstance(row.updated_at, dt.datetime) else dt.datetime.fromisoformat(row.updated_at)
        sent = row.state == "sent"
        connection.execute(new.insert().values(
            kind="digest", key=f"{row.day}/{row.audience}", channel="smtp", recipient=row.recipient,
            message_id=row.message_id, subject="", body=b"", dated_at=at, expires_at=at, state="sent" if sent else "dead",
            priority=2, attempts=1, unknown=0 if sent else 1, next_try_at=at, token=1, on_wire=not sent,
            possibly_twice=not sent, fault=None if sent else "unknown",
            error=None if sent else "升级时正在发送，是否送达不明", fallback=False, created_at=at,
            sent_at=at if sent else None, updated_at=at,
        ))


def downgrade() -> None:
    """Undo. What was delivered is not carried back."""
    op.create_table(
        "deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("audience", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("day", "audience", "recipient", name="uq_deliveries_day"),
    )
    for name in ("silences", "alarms", "pauses", "buckets", "outbox"):
        op.drop_table(name)
