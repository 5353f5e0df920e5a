"""A million invented mentions of ninety days, with incidents, for `benchmarks.query`."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa

from benchmarks.day.filler import BATCH, DAY, Filler
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store
from vocwatch.store import schema as s
from vocwatch.store.engine import upsert

DAYS = 90
SOURCES = tuple(f"site{number}" for number in range(8))
INCIDENTS_A_DAY = 4
MEMBERS = 40
LEVELS = "红橙黄蓝"


class QueryFiller(Filler):
    """Writes the ninety days before DAY; the same calls give the same rows."""

    def __init__(self, settings: Settings, store: Store, negative: float = 0.25):
        super().__init__(settings, store, negative)
        self._sources = list(SOURCES)

    def ninety_days(self, mentions: int) -> None:
        """Write the mentions, judged, with their narrow rows as every writer leaves them, and incidents of each day."""
        each = mentions // DAYS
        for number in range(DAYS):
            day = DAY - dt.timedelta(days=DAYS - number)
            first = number * each + 1
            for start in range(first, first + each, BATCH):
                self._mentions(day, range(start, min(start + BATCH, first + each)), True)
            self._incidents(day, number, first, each)

    def _incidents(self, day: dt.date, number: int, first: int, each: int) -> None:
        rows, days, members = [], [], []
        for place in range(INCIDENTS_A_DAY):
            key = f"INC-{number:03d}-{place}"
            rows.append(dict(
                id=key, brand="b", product=f"SKU-{place}", topic=self._topics[place], title=key, shop=None, owner="o", first_day=day,
                last_day=day, first_seen_at=self._at(day, 1), recurs_of=None,
            ))
            days.append(dict(
                incident_id=key, day=day, level=LEVELS[place], state="新增", score=50.0, parts={}, why=[], authors=MEMBERS,
                mentions=MEMBERS, sessions=0, expected=None, p_value=None, formula="f", watched=False,
            ))
            members += [
                dict(incident_id=key, text_kind="mention", ref_id=ref, day=day, cluster=ref)
                for ref in range(first + place, first + each, max(1, each // MEMBERS))
            ]
        with self._store.begin() as connection:
            connection.execute(s.incidents.insert(), rows)
            connection.execute(s.incident_days.insert(), days)
            put(connection, s.incident_members, members, ["incident_id", "text_kind", "ref_id"])

    def _write(self, connection: Connection, table: sa.Table, rows: list[dict[str, Any]], key: list[str]) -> None:
        put(connection, table, rows, key)


def put(connection: Connection, table: sa.Table, rows: list[dict[str, Any]], key: list[str]) -> None:
    """Write rows that are not there yet, on PostgreSQL by COPY."""
    if connection.dialect.name == "sqlite":
        upsert(connection, table, rows, key)
        return
    names = list(rows[0])
    quoted = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([_plain(row[name]) for name in names])


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
