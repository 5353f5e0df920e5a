"""Denominators: how many sessions, orders, returns a day had in all.

`given` came from an export of daily totals; `counted` was counted in an export of all sessions, and is a lower bound
where that export did not hold the whole day. A day without a row is unknown, never 0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.engine import upsert
from vocwatch.store.schema import totals

WHATS = (
    "sessions", "orders", "returns", "quality_returns", "reviews", "bad_reviews", "rated", "satisfied", "fair", "unsatisfied",
    "resolved", "answered",
)
ALL_SHOPS = ""
Basis = Literal["given", "counted"]


@dataclass(frozen=True, slots=True)
class Total:
    """One count of one business date; `shop` empty for all shops together."""

    day: dt.date
    shop: str
    what: str
    value: int
    basis: Basis


def save(connection: Connection, rows: Sequence[Total], run_id: int, now: dt.datetime) -> int:
    """Store totals; returns how many were new or changed.

    A given total replaces any other. A counted one never replaces a given one, and only a smaller counted one: a
    second export may hold but a part of the day.
    """
    if not rows:
        return 0
    known = _known(connection, {row.day for row in rows})
    fresh = {(row.day, row.shop, row.what): row for row in rows if _replaces(row, known.get((row.day, row.shop, row.what)))}
    values = [{**asdict(row), "run_id": run_id, "imported_at": now} for row in fresh.values()]
    upsert(
        connection, totals, values, key=("day", "shop", "what"), update=("value", "basis", "run_id", "imported_at")
    )
    return len(values)


def _replaces(row: Total, before: Total | None) -> bool:
    if before is None:
        return True
    if row.basis == "given":
        return (before.basis, before.value) != ("given", row.value)
    return before.basis == "counted" and row.value > before.value


def _known(connection: Connection, days: Iterable[dt.date]) -> dict[tuple[dt.date, str, str], Total]:
    wanted = sorted(days)
    query = sa.select(totals).where(totals.c.day >= wanted[0], totals.c.day <= wanted[-1])
    return {(row.day, row.shop, row.what): _total(row) for row in connection.execute(query)}


def load(connection: Connection, since: dt.date, until: dt.date) -> list[Total]:
    """Return all totals of the dates [since, until)."""
    query = sa.select(totals).where(totals.c.day >= since, totals.c.day < until)
    return [_total(row) for row in connection.execute(query.order_by(totals.c.day, totals.c.shop, totals.c.what))]


def of(rows: Iterable[Total], what: str, days: Iterable[dt.date], shop: str | None = None) -> tuple[int | None, Basis | None]:
    """Return the sum of one count over days and its weakest basis; (None, None) where any of the days is unknown.

    For all shops (`shop` None) a day's own total counts, else the sum of its shops.
    """
    by_day: dict[dt.date, dict[str, Total]] = {}
    for row in rows:
        if row.what == what:
            by_day.setdefault(row.day, {})[row.shop] = row
    value = 0
    basis: Basis | None = None
    for day in days:
        found = by_day.get(day, {})
        if shop is not None:
            used = [found[shop]] if shop in found else []
        else:
            used = [found[ALL_SHOPS]] if ALL_SHOPS in found else list(found.values())
        if not used:
            return None, None
        value += sum(row.value for row in used)
        basis = "counted" if basis == "counted" or any(row.basis == "counted" for row in used) else "given"
    return (value, basis) if basis else (None, None)


def _total(row: Any) -> Total:
    return Total(row.day, row.shop, row.what, row.value, row.basis)
