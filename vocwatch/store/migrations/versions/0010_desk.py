"""Narrow rows of what is judged, its topics, watches and words; the triggers that say which have to be made anew."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from vocwatch.store.columns import BigId
from vocwatch.store.desk import bi

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOVED = ("published_at", "first_seen_at", "author_key", "sku", "shop", "kind", "revision_id", "purged_at")


def upgrade() -> None:
    """Apply. The rows are filled in when the store is opened the next time, in pieces."""
    op.create_table("desk_changes", sa.Column("ref_id", BigId, primary_key=True, autoincrement=False))
    op.create_table(
        "desk_mentions",
        sa.Column("key", BigId, primary_key=True, autoincrement=False),
        sa.Column("ref_id", BigId, nullable=False),
        sa.Column("revision_id", BigId, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("who", BigId, nullable=False),
        sa.Column("sku", sa.String(100)),
        sa.Column("shop", sa.String(200)),
        sa.Column("brand", sa.Boolean, nullable=False),
        sa.Column("voice", sa.String(12), nullable=False),
        sa.Column("sentiment", sa.String(8)),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("red_line", sa.Boolean, nullable=False),
        sa.UniqueConstraint("ref_id", name="uq_desk_mentions_ref_id"),
    )
    no_sku = sa.text("sku IS NULL")
    op.create_index("ix_desk_mentions_no_sku", "desk_mentions", ["key"], sqlite_where=no_sku, postgresql_where=no_sku)
    _of_key(
        "desk_topics", sa.Column("topic", sa.String(100), primary_key=True), sa.Column("who", BigId, nullable=False),
        sa.Column("brand", sa.Boolean, nullable=False), sa.Column("negative", sa.Boolean, nullable=False),
        sa.Column("sku", sa.String(100)),
    )
    op.create_index("ix_desk_topics_topic", "desk_topics", ["topic", "key"])
    _of_key("desk_watches", sa.Column("watch", sa.String(64), primary_key=True), sa.Column("kind", sa.String(12), nullable=False))
    op.create_index("ix_desk_watches_watch", "desk_watches", ["watch", "key"])
    _of_key("desk_red_lines", sa.Column("name", sa.String(100), primary_key=True))
    _counts()
    _calendar()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in (*_words(postgresql), *_triggers(postgresql), *bi.created(op.get_bind().dialect.name)):
        op.execute(statement)
    op.execute("INSERT INTO desk_changes (ref_id) SELECT ref_id FROM assessments WHERE text_kind = 'mention'")


def _of_key(name: str, *columns: sa.Column[Any]) -> None:
    key = sa.Column("key", BigId, primary_key=True, autoincrement=False)
    op.create_table(name, key, *columns, sqlite_with_rowid=False)


def _counts() -> None:
    op.create_table("desk_dirty", sa.Column("id", BigId, primary_key=True), sa.Column("hour", sa.Integer, nullable=False))
    op.create_table("desk_zone", sa.Column("zone", sa.String(64), primary_key=True))
    op.create_table(
        "desk_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("brand", sa.Boolean, primary_key=True),
        sa.Column("voice", sa.String(12), primary_key=True),
        sa.Column("sentiment", sa.String(8), primary_key=True),
        sa.Column("mentions", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "desk_topic_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("topic", sa.String(100), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("brand", sa.Boolean, primary_key=True),
        sa.Column("mentions", sa.Integer, nullable=False),
        sa.Column("negative", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _calendar() -> None:
    op.create_table(
        "desk_calendar",
        sa.Column("first_key", BigId, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.UniqueConstraint("number", name="uq_desk_calendar_number"),
    )


def _words(postgresql: bool) -> list[str]:
    if postgresql:
        return [
            # The rows stay narrow, so that counting those that hold a word reads few of them: words lie in the side table.
            "CREATE TABLE desk_words (key BIGINT PRIMARY KEY, words TSVECTOR NOT NULL) WITH (toast_tuple_target = 128)",
            "CREATE INDEX ix_desk_words_words ON desk_words USING gin (words) WITH (fastupdate = off)",
        ]
    return [
        # Without a copy of the words: what was put in is kept, shorter, beside it, to be taken out with again.
        "CREATE VIRTUAL TABLE desk_words USING fts5(words, content='', tokenize='ascii')",
        "INSERT INTO desk_words (desk_words, rank) VALUES ('hashsize', 16777216)",  # larger pieces, fewer of them to merge
        "CREATE TABLE desk_words_of (key INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    ]


def _triggers(postgresql: bool) -> list[str]:
    noted = "INSERT INTO desk_changes (ref_id) VALUES ({}.{}) ON CONFLICT DO NOTHING"
    differs = " OR ".join(f"OLD.{name} {'IS DISTINCT FROM' if postgresql else 'IS NOT'} NEW.{name}" for name in MOVED)
    mention = "{}.text_kind = 'mention'"
    found = []
    for name, event, when, action in (
        ("judged", "INSERT ON assessments", mention.format("NEW"), noted.format("NEW", "ref_id")),
        ("judged_anew", "UPDATE ON assessments", mention.format("NEW"), noted.format("NEW", "ref_id")),
        ("erased", "DELETE ON assessments", mention.format("OLD"), noted.format("OLD", "ref_id")),
        ("moved", f"UPDATE OF {', '.join(MOVED)} ON mentions", differs, noted.format("NEW", "id")),
        ("gone", "DELETE ON mentions", "", noted.format("OLD", "id")),
    ):
        condition = f"WHEN ({when}) " if when else ""
        if postgresql:
            found.append(f"CREATE FUNCTION desk_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$")
            found.append(f"CREATE TRIGGER desk_{name} AFTER {event} FOR EACH ROW {condition}EXECUTE FUNCTION desk_{name}()")
        else:
            found.append(f"CREATE TRIGGER desk_{name} AFTER {event} {condition}BEGIN {action.replace(' ON CONFLICT DO NOTHING', '').replace('INSERT', 'INSERT OR IGNORE')}; END")
    return found


def downgrade() -> None:
    """Undo."""
    for statement in bi.dropped():
        op.execute(statement)
    postgresql = op.get_bind().dialect.name == "postgresql"
    tables = {"judged": "assessments", "judged_anew": "assessments", "erased": "assessments", "moved": "mentions", "gone": "mentions"}
    for name, table in tables.items():
        op.execute(f"DROP TRIGGER desk_{name} ON {table}" if postgresql else f"DROP TRIGGER desk_{name}")
        if postgresql:
            op.execute(f"DROP FUNCTION desk_{name}()")
    for table in ("desk_words", *(() if postgresql else ("desk_words_of",)), "desk_calendar", "desk_topic_days", "desk_days", "desk_zone",
                  "desk_dirty", "desk_red_lines", "desk_watches", "desk_topics", "desk_mentions", "desk_changes"):
        op.execute(f"DROP TABLE {table}")
