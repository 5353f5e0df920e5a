"""The fast movers of a date with what they name: addresses, sessions, the incident they went into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.hourly import Mover, movers_of
from reports.say import word
from reports.texts import Reader
from vocwatch.settings import Settings
from vocwatch.store import Connection, facts, incidents


@dataclass(frozen=True)
class Rising:
    """`seen` independent voices within the hours of `window`, where `expected` were to be expected (p: `p_value`).

    `told_at` is when it was first told that day; `incident` the one of the same product and topic that the day lists.
    """

    told_at: dt.datetime
    window: tuple[dt.datetime, dt.datetime]
    hours: int
    product: str | None
    product_name: str
    topic: str
    seen: int
    expected: float
    p_value: float
    incident: str | None
    mention_urls: tuple[str, ...]
    session_ids: tuple[str, ...]

    def title(self, lang: str) -> str:
        """“暖杯 产品质量/漏水”."""
        return f"{word(self.product_name, lang)} {self.topic}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "told_at": self.told_at.isoformat(timespec="seconds"),
            "window": {"from": self.window[0].isoformat(timespec="seconds"), "to": self.window[1].isoformat(timespec="seconds")},
            "product": self.product,
            "product_name": self.product_name,
            "topic": self.topic,
            "hours": self.hours,
            "seen": self.seen,
            "expected": self.expected,
            "p_value": self.p_value,
            "incident": self.incident,
            "mention_urls": list(self.mention_urls),
            "session_ids": list(self.session_ids),
        }


def read_rising(settings: Settings, connection: Connection, date: dt.date) -> tuple[Rising, ...]:
    """Return what rose fast on a date, oldest first."""
    found = movers_of(connection, date)
    if not found:
        return ()
    listed = {(row["product"], row["topic"]): row["id"] for row in incidents.incident_list(connection, date)}
    names = Reader(settings).display
    return tuple(_named(mover, connection, names, listed) for mover in found)


def _named(
    mover: Mover, connection: Connection, names: Mapping[str, str], listed: Mapping[tuple[str | None, str], str]
) -> Rising:
    urls = facts.mention_urls(connection, list(mover.mention_ids))
    native = facts.native_sessions(connection, list(mover.session_ids))
    return Rising(
        told_at=dt.datetime.fromisoformat(mover.told_at),
        window=mover.window,
        hours=mover.hours,
        product=mover.product,
        product_name=names.get(mover.product, mover.product) if mover.product else "品牌整体",
        topic=mover.topic,
        seen=mover.seen,
        expected=mover.expected,
        p_value=mover.p,
        incident=listed.get(mover.cell),
        mention_urls=tuple(dict.fromkeys(urls[key] for key in mover.mention_ids if key in urls)),
        session_ids=tuple(dict.fromkeys(native[key] for key in mover.session_ids if key in native)),
    )
