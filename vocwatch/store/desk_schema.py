"""The tables that questions are answered from: narrow copies of what is judged, in the order of time.

They are made from the other tables alone and can be made anew at any time. The words of the texts stand beside them in
`desk_words`, which each database keeps in its own way (see vocwatch/store/desk/words.py).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table

from vocwatch.store.columns import BigId, metadata

desk_changes = Table(
    "desk_changes", metadata,
    Column("ref_id", BigId, primary_key=True, autoincrement=False, comment="mention id"),
    comment="Mentions whose narrow rows have to be made anew before the transaction ends; written by triggers",
)

desk_mentions = Table(
    "desk_mentions", metadata,
    Column("key", BigId, primary_key=True, autoincrement=False,
           comment="minutes since 1970 when it was published (first seen, where unknown) × 2³² + mention id"),
    Column("ref_id", BigId, nullable=False, unique=True, comment="mention id"),
    Column("revision_id", BigId, nullable=False, comment="the text that is searched; 0 once it was erased"),
    Column("source", sa.String(64), nullable=False),
    Column("kind", sa.String(12), nullable=False),
    Column("who", BigId, nullable=False, comment="hash of source and author; of a text without author one of its own"),
    Column("sku", sa.String(100)),
    Column("shop", sa.String(200)),
    Column("brand", sa.Boolean, nullable=False, comment="speaks of the own brand"),
    Column("voice", sa.String(12), nullable=False, comment="as in assessments; refused where no judgement was possible"),
    Column("sentiment", sa.String(8), comment="null for the shop's own words"),
    Column("severity", sa.Integer, nullable=False),
    Column("red_line", sa.Boolean, nullable=False, comment="touches a red line"),
    Index("ix_desk_mentions_no_sku", "key", sqlite_where=sa.text("sku IS NULL"), postgresql_where=sa.text("sku IS NULL")),
    comment="One narrow row for each judged mention, in the order of time",
)

desk_topics = Table(
    "desk_topics", metadata,
    Column("key", BigId, primary_key=True, autoincrement=False),
    Column("topic", sa.String(100), primary_key=True),
    Column("who", BigId, nullable=False, comment="as in desk_mentions"),
    Column("brand", sa.Boolean, nullable=False, comment="as in desk_mentions"),
    Column("negative", sa.Boolean, nullable=False),
    Column("sku", sa.String(100), comment="as in desk_mentions"),
    Index(None, "topic", "key"),
    comment="The topics of each judged mention",
    sqlite_with_rowid=False,
)

desk_watches = Table(
    "desk_watches", metadata,
    Column("key", BigId, primary_key=True, autoincrement=False),
    Column("watch", sa.String(64), primary_key=True),
    Column("kind", sa.String(12), nullable=False, comment="brand, product, competitor, keyword"),
    Index(None, "watch", "key"),
    comment="The watches that each judged mention matched",
    sqlite_with_rowid=False,
)

desk_red_lines = Table(
    "desk_red_lines", metadata,
    Column("key", BigId, primary_key=True, autoincrement=False),
    Column("name", sa.String(100), primary_key=True),
    comment="The red lines that each judged mention touches",
    sqlite_with_rowid=False,
)

desk_dirty = Table(
    "desk_dirty", metadata,
    Column("id", BigId, primary_key=True),
    Column("hour", sa.Integer, nullable=False, comment="hours since 1970, UTC"),
    comment="Hours of which a mention has changed since the counts of their days were made",
)

desk_zone = Table(
    "desk_zone", metadata,
    Column("zone", sa.String(64), primary_key=True, comment="as in config/vocwatch.yaml"),
    comment="The zone whose business dates the counts of days are made for; without a row there are none yet",
)

desk_days = Table(
    "desk_days", metadata,
    Column("day", sa.Integer, primary_key=True, autoincrement=False, comment="business date as a number: 0001-01-01 is 1"),
    Column("source", sa.String(64), primary_key=True),
    Column("brand", sa.Boolean, primary_key=True),
    Column("voice", sa.String(12), primary_key=True),
    Column("sentiment", sa.String(8), primary_key=True, comment="empty for none"),
    Column("mentions", sa.Integer, nullable=False),
    comment="Mentions of each day, counted; days that are noted in desk_dirty are counted from their rows instead",
    sqlite_with_rowid=False,
)

desk_topic_days = Table(
    "desk_topic_days", metadata,
    Column("day", sa.Integer, primary_key=True, autoincrement=False, comment="business date as a number: 0001-01-01 is 1"),
    Column("topic", sa.String(100), primary_key=True),
    Column("source", sa.String(64), primary_key=True),
    Column("brand", sa.Boolean, primary_key=True),
    Column("mentions", sa.Integer, nullable=False),
    Column("negative", sa.Integer, nullable=False),
    comment="Mentions of each day and topic, counted; as desk_days",
    sqlite_with_rowid=False,
)

desk_calendar = Table(
    "desk_calendar", metadata,
    Column("first_key", BigId, primary_key=True, autoincrement=False, comment="the first key of the day in desk_mentions"),
    Column("day", sa.Date, nullable=False, comment="business date"),
    Column("number", sa.Integer, nullable=False, unique=True, comment="the same as a number: 0001-01-01 is 1"),
    comment="Where each business date begins, for the views",
)
