"""What customer service heard of each shop on a day, for the owners who answer for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from reports.baseline import judge_count, same_weekdays
from reports.measures import Measured
from reports.shape import ShopDay
from vocwatch.settings import Settings
from vocwatch.store.facts import ServiceSession


def shop_days(settings: Settings, m: Measured) -> tuple[ShopDay, ...]:
    """Return each configured shop's sessions of the day by path, in the configuration's order.

    Only sessions that name the shop count. Where the day's imports hold none of a shop, nobody knows whether nothing
    came in or its export is missing: there is no figure then, and such days are no baseline either.
    """
    named = {name: shop.id for shop in settings.app.shops for name in (shop.id, shop.name)}
    by_day: dict[tuple[str, date], list[ServiceSession]] = defaultdict(list)
    for session in m.sessions:
        if session.shop in named:
            by_day[named[session.shop], session.started_at.astimezone(m.zone).date()].append(session)
    found = []
    for shop in settings.app.shops:
        past = [_distinct(by_day[shop.id, day]) for day in same_weekdays(m.date) if (shop.id, day) in by_day]
        today = by_day.get((shop.id, m.date), [])
        total = _distinct(today) or None
        baseline, judgement = judge_count(total or 0, past)
        paths = Counter(path for path, _ in {(s.path, s.native_id) for s in today})
        found.append(ShopDay(
            shop.id, shop.name, shop.owner, total, baseline, judgement if total is not None else "基线不足",
            dict(sorted(paths.items(), key=lambda item: (-item[1], item[0]))),
        ))
    return tuple(found)


def _distinct(sessions: list[ServiceSession]) -> int:
    """One that came by two paths counts once."""
    return len({s.native_id for s in sessions})
