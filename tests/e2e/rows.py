"""A database as plain comparable rows: no row ids, no run rows, no order."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

# What differs between two runs without meaning anything: numbers handed out in order of arrival.
IDS = {"id", "run_id", "revision_id", "mention_id", "ref_id", "session_id", "cluster", "mention_ids", "session_ids"}
SKIPPED = {"runs", "alembic_version", "sqlite_sequence", "source_state", "shots"}
WORDS = "desk_words"  # an index of its own kind; its texts stand in desk_words_of


def rows(database: Path) -> dict[str, list[str]]:
    """Return each table's rows as sorted JSON, references replaced by the natural keys that they point to."""
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    try:
        names = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        keys = _natural_keys(connection)
        return {name: _table(connection, name, keys) for name in names if name not in SKIPPED and not _of_the_index(name)}
    finally:
        connection.close()


def _of_the_index(name: str) -> bool:
    return name == WORDS or (name.startswith(f"{WORDS}_") and name != f"{WORDS}_of")


def _natural_keys(connection: sqlite3.Connection) -> dict[tuple[str, int], str]:
    keys = {("mention", r["id"]): f"{r['source']}:{r['native_id']}" for r in connection.execute("SELECT * FROM mentions")}
    keys |= {("session", r["id"]): f"{r['path']}:{r['native_id']}" for r in connection.execute("SELECT * FROM sessions")}
    keys |= {("revision", r["id"]): r["text_sha"] for r in connection.execute("SELECT * FROM revisions")}
    return keys


def _table(connection: sqlite3.Connection, name: str, keys: dict[tuple[str, int], str]) -> list[str]:
    found = []
    copies = _copies(connection, keys) if name == "traces" else {}
    for row in connection.execute(f'SELECT * FROM "{name}"'):
        plain: dict[str, Any] = {key: row[key] for key in row.keys() if key not in IDS}  # noqa: SIM118
        for column, kind in (("mention_id", "mention"), ("session_id", "session"), ("revision_id", "revision")):
            if column in row.keys() and row[column] is not None:  # noqa: SIM118
                plain[column] = keys[(kind, row[column])]
        if "ref_id" in row.keys():  # noqa: SIM118
            kind = row["text_kind"] if "text_kind" in row.keys() else "mention"  # noqa: SIM118
            plain["ref"] = keys[(kind, row["ref_id"])]
        if name.startswith("desk_") and "key" in plain:  # minutes × 2³² + mention id
            plain["key"] = [row["key"] >> 32, keys["mention", row["key"] & 0xFFFFFFFF]]
        if "cluster" in row.keys() and row["cluster"] is not None and row["text_kind"] == "mention":  # noqa: SIM118
            plain["cluster"] = keys[("mention", row["cluster"])]
        if name == "traces":
            plain["twins"] = copies.get(row["ref_id"]) if row["text_kind"] == "mention" else None
        if name == "pages":
            headers = json.loads(plain["headers"])
            plain["headers"] = {key: value for key, value in headers.items() if key != "date"}
        if name == "digests":
            plain["content"] = _digest(plain["content"])
        plain = {key: value.hex() if isinstance(value, bytes) else value for key, value in plain.items()}
        found.append(json.dumps(plain, ensure_ascii=False, sort_keys=True))
    return sorted(found)


def _copies(connection: sqlite3.Connection, keys: dict[tuple[str, int], str]) -> dict[int, list[str]]:
    """All that a mention is tied to, over whatever links: which two of a group are tied depends on who came first."""
    group: dict[int, set[int]] = {}
    for ref, twins in connection.execute("SELECT ref_id, twins FROM traces WHERE text_kind = 'mention' AND twins IS NOT NULL"):
        together = {ref, *map(int, twins.split())}
        for one in list(together):
            together |= group.get(one, set())
        group.update(dict.fromkeys(together, together))
    return {ref: sorted(keys["mention", one] for one in together) for ref, together in group.items()}


def _digest(content: str) -> dict[str, Any]:
    """The digest without how many records its last crawl read: a second crawl reads only what is new or young."""
    digest: dict[str, Any] = json.loads(content)
    for source in digest["coverage"]["sources"].values():
        del source["read"], source["expected"]
        if source["status"] == "blocked":
            del source["why"]  # the second run says that it stays away
    return digest
