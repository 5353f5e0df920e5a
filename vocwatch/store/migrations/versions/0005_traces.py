"""Traces of judged texts, the words of each day, and the triggers that say which have to be made anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOVED = {  # what of a text's own row its trace is made of; the words come with a new judgement
    "mention": ("published_at", "first_seen_at", "author_key", "parent", "sku", "product", "purged_at"),
    "session": ("started_at", "buyer_key", "sku", "product"),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "changes",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("text_kind", sa.String(8), nullable=False),
        sa.Column("ref_id", BigId, nullable=False),
    )
    op.create_table(
        "traces",
        sa.Column("text_kind", sa.String(8), primary_key=True),
        sa.Column("ref_id", BigId, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("made_with", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("counted", sa.Boolean, nullable=False),
        sa.Column("negative", sa.Boolean, nullable=False),
        sa.Column("complains", sa.Boolean, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("native_id", sa.String(300)),
        sa.Column("parent", sa.String(300)),
        sa.Column("author", sa.String(32)),
        sa.Column("product", sa.String(200)),
        sa.Column("topics", sa.Text),
        sa.Column("signature", sa.LargeBinary),
        sa.Column("clauses", sa.LargeBinary),
        sa.Column("twins", sa.Text),
    )
    op.create_index("ix_traces_day", "traces", ["day", "made_with", "complains", "counted", "channel", "negative"])
    op.create_table(
        "day_words",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("made_with", sa.Integer, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
    )
    for statement in _triggers(op.get_bind().dialect.name):
        op.execute(statement)
    op.execute("INSERT INTO changes (text_kind, ref_id) SELECT text_kind, ref_id FROM assessments ORDER BY id")


def _triggers(dialect: str) -> list[str]:
    noted = "INSERT INTO changes (text_kind, ref_id)"
    judged = f"{noted} VALUES (NEW.text_kind, NEW.ref_id)"
    emptied = ", ".join(f"{name} = NULL" for name in ("native_id", "parent", "author", "product", "topics", "signature", "clauses"))
    no = "0" if dialect == "sqlite" else "FALSE"
    # Nothing of it is left but by whom its copies are tied together, until they are tied anew.
    erased = (
        f"UPDATE traces SET counted = {no}, complains = {no}, {emptied} "  # noqa: S608 - constants
        f"WHERE text_kind = OLD.text_kind AND ref_id = OLD.ref_id; "
        f"{noted} VALUES (OLD.text_kind, OLD.ref_id)"
    )
    found = [
        _trigger(dialect, "judged", "INSERT ON assessments", "", judged),
        _trigger(dialect, "judged_anew", "UPDATE ON assessments", "", judged),
        _trigger(dialect, "erased", "DELETE ON assessments", "", erased),
    ]
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    for kind, columns in MOVED.items():
        event = f"UPDATE OF {', '.join(columns)} ON {kind}s"
        when = " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in columns)
        found.append(_trigger(dialect, f"moved_{kind}", event, when, f"{noted} VALUES ('{kind}', NEW.id)"))
    return [statement for statements in found for statement in statements]


def _trigger(dialect: str, name: str, event: str, when: str, action: str) -> list[str]:
    condition = f"WHEN ({when}) " if when else ""
    if dialect == "sqlite":
        return [f"CREATE TRIGGER trace_{name} AFTER {event} {condition}BEGIN {action}; END"]
    return [
        f"CREATE FUNCTION trace_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$",
        f"CREATE TRIGGER trace_{name} AFTER {event} FOR EACH ROW {condition}EXECUTE FUNCTION trace_{name}()",
    ]


def downgrade() -> None:
    """Undo."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    tables = {"judged": "assessments", "judged_anew": "assessments", "erased": "assessments",
              "moved_mention": "mentions", "moved_session": "sessions"}
    for name, table in tables.items():
        op.execute(f"DROP TRIGGER trace_{name} ON {table}" if postgresql else f"DROP TRIGGER trace_{name}")
        if postgresql:
            op.execute(f"DROP FUNCTION trace_{name}()")
    op.drop_index("ix_traces_day", "traces")
    for table in ("day_words", "traces"):
        op.drop_table(table)
    op.drop_table("changes")
