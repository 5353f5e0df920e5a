"""The table of what the configuration files said, and who changed them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table

from vocwatch.store.columns import BigId, UtcTime, metadata

config_versions = Table(
    "config_versions", metadata,
    Column("id", BigId, primary_key=True),
    Column("file", sa.String(200), nullable=False, comment="below the configuration folder: watches.yaml, sources/x.yaml"),
    Column("sha256", sa.String(64), nullable=False, comment="of the content"),
    Column("content", sa.Text, nullable=False, comment="the whole file, comments included; empty where it was deleted"),
    Column("base", sa.String(64), comment="sha256 of the content that it was made from"),
    Column("entry", sa.String(100), nullable=False, comment="which part was changed: a watch's id, a red line's name; empty for the file"),
    Column("what", sa.String(10), nullable=False, comment="edit, rollback, hand (found changed by hand)"),
    Column("note", sa.Text, nullable=False, comment="why, in words"),
    Column("who", sa.String(100), nullable=False),
    Column("channel", sa.String(12), nullable=False, comment="cli, console, hand"),
    Column("state", sa.String(10), nullable=False, comment="applied, waiting (for a second person), rejected"),
    Column("change", sa.JSON, nullable=False, comment="the change as data, to be made again when it is approved"),
    Column("decided_by", sa.String(100), comment="the second person; never who wrote it"),
    Column("decided_at", UtcTime),
    Column("at", UtcTime, nullable=False),
    Index(None, "file", "id"),
    Index(None, "state"),
    comment="Versions of configuration files: what they said from when on, and what waits for a second person",
)
