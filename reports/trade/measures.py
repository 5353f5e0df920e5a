"""The measures of the trade over a window of days, for all or by shop, owner, product or day; each with its rows.

The counts of a day are those of the digest (`reports.rates.Counts`): totals given or counted, else imported sessions.
A day on which one of the two counts is unknown leaves the rate and is named; it is never a day of zero. Where there
are no totals at all, satisfaction and 差评率 are told of the stored reviews with stars instead, and said to be so.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from reports.rates import KINDS, Counts, Kind
from reports.trade.shares import (
    CSI_FORMULAS,
    FORMULAS,
    Share,
    Spread,
    client_satisfaction,
    csi,
    share,
    spread,
)
from vocwatch.clock import business_date, day_window
from vocwatch.lang import tr
from vocwatch.ratings import FAIR, SATISFIED, UNSATISFIED, grade
from vocwatch.settings import Settings
from vocwatch.store import Store, facts, totals, trade
from vocwatch.store.facts import ServiceSession
from vocwatch.store.totals import ALL_SHOPS, Total
from vocwatch.store.trade import StarReview

By = Literal["all", "shop", "owner", "product", "day"]
BYS: tuple[By, ...] = ("all", "shop", "owner", "product", "day")
ALL = "全部"
NONE = "（未注明）"
BAD_STARS = 3  # fewer than these are a bad review
_WHATS = {SATISFIED: "satisfied", FAIR: "fair", UNSATISFIED: "unsatisfied", None: ""}
_AGAINST = {"满意-一般满意": "fair", "满意-不满意": "unsatisfied", "满意": ""}


@dataclass(frozen=True)
class Measure:
    """One rate of one group, and what it was counted from.

    `basis`: given, counted (a lower bound), sessions (the numerator is the imported bad sessions), reviews (stored
    reviews with stars), or empty without a value. `days` are those counted, `missing` those on which a count is
    unknown, `clashing` those on which the numerator was larger than the denominator.
    """

    share: Share
    basis: str
    days: tuple[dt.date, ...]
    missing: tuple[dt.date, ...]
    clashing: tuple[dt.date, ...] = ()
    totals: tuple[Total, ...] = ()
    session_ids: tuple[str, ...] = ()
    mention_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class GroupMeasures:
    """All measures of one group. `sessions` are distinct bad sessions; `response` is told of those alone."""

    key: str
    title: str
    measures: tuple[Measure, ...]
    sessions: int
    paths: Mapping[str, int]
    response: Spread
    session_ids: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """The measures of the business dates [since, until]; `csi` names its formula, `silent` are the days of which no session was imported."""

    since: dt.date
    until: dt.date
    by: By
    csi: str
    groups: tuple[GroupMeasures, ...]
    silent: tuple[dt.date, ...]


@dataclass
class _Group:
    sessions: list[ServiceSession] = field(default_factory=list)
    reviews: list[StarReview] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)


def measure(settings: Settings, store: Store, since: dt.date, until: dt.date, by: By = "all") -> Window:
    """Return the measures of [since, until] by group, the group with most bad sessions first (days in order). Reads only."""
    zone = settings.app.zone
    start, end = day_window(since, zone)[0], day_window(until, zone)[1]
    with store.read() as connection:
        sessions = facts.service_sessions(connection, start, end)
        reviews = list(trade.star_reviews(connection, start, end))
        known = totals.load(connection, since, until + dt.timedelta(days=1))
    days = [since + dt.timedelta(days=n) for n in range((until - since).days + 1)]
    heard = {business_date(s.started_at, zone) for s in sessions}
    groups = _grouped(settings, by, sessions, reviews, known)
    formula = settings.app.csi
    told = [
        _measures(key, _title(settings, by, key), groups[key], _days_of(by, key, days), heard, zone, formula) for key in groups
    ]
    order: Callable[[GroupMeasures], Any] = (lambda g: g.key) if by == "day" else (lambda g: (-g.sessions, g.key))
    return Window(since, until, by, formula, tuple(sorted(told, key=order)), tuple(d for d in days if d not in heard))


def _grouped(
    settings: Settings, by: By, sessions: Iterable[ServiceSession], reviews: Iterable[StarReview], known: Iterable[Total]
) -> dict[str, _Group]:
    groups: dict[str, _Group] = defaultdict(_Group)
    zone = settings.app.zone
    if by == "all":
        groups[ALL] = _Group()
    for session in sessions:
        groups[_key(settings, by, session.shop, session.sku or session.product, business_date(session.started_at, zone))].sessions.append(session)
    for review in reviews:
        groups[_key(settings, by, review.shop, review.sku, business_date(review.at, zone))].reviews.append(review)
    for row in known:
        if by in ("all", "day") or (row.shop != ALL_SHOPS and by != "product"):
            groups[_key(settings, by, row.shop, None, row.day)].totals.append(row)
    return dict(groups)


def _key(settings: Settings, by: By, shop: str | None, product: str | None, day: dt.date) -> str:
    if by == "all":
        return ALL
    if by == "day":
        return day.isoformat()
    if by == "owner":
        return settings.owner_of(shop, product)
    if by == "product":
        return product or NONE
    return next((s.name for s in settings.app.shops if shop in (s.id, s.name)), shop or NONE)


def _title(settings: Settings, by: By, key: str) -> str:
    if by != "product":
        return key
    return next((w.name for w in settings.watches.watches if w.kind == "product" and key in (w.sku, w.id)), key)


def _days_of(by: By, key: str, days: Sequence[dt.date]) -> list[dt.date]:
    return [dt.date.fromisoformat(key)] if by == "day" else list(days)


def _measures(
    key: str, title: str, group: _Group, days: Sequence[dt.date], heard: set[dt.date], zone: ZoneInfo,
    formula: str,
) -> GroupMeasures:
    # A day on which sessions were imported, but none of this group: none, not unknown.
    paths: dict[dt.date, dict[str, set[str]]] = {day: {"": set()} for day in heard}
    for session in group.sessions:
        paths[business_date(session.started_at, zone)].setdefault(session.path, set()).add(session.native_id)
    counts = Counts(group.totals, paths)
    found = [_satisfaction(counts, days, group.reviews), _csi(counts, days, group.reviews, formula)]
    found += [_rate(counts, kind, days, group.reviews) for kind in KINDS if kind.name != "非满意率"]
    once = {session.native_id: session for session in group.sessions}
    seconds = [s.response_seconds for s in once.values() if s.response_seconds is not None]
    number = Counter(path for path, _ in {(s.path, s.native_id) for s in group.sessions})
    return GroupMeasures(
        key, title, tuple(found), len(once), dict(sorted(number.items(), key=lambda item: (-item[1], item[0]))),
        spread(seconds, len(once)), tuple(sorted(once)),
    )


@dataclass(frozen=True)
class _Sum:
    """Several counts added up over the days on which all of them are known."""

    values: tuple[int, ...]
    basis: str
    days: tuple[dt.date, ...]
    missing: tuple[dt.date, ...]
    clashing: tuple[dt.date, ...]
    rows: tuple[Total, ...]
    session_ids: tuple[str, ...]


def _sum(counts: Counts, kinds: Sequence[Kind], days: Iterable[dt.date]) -> _Sum:
    """Add up the numerators of `kinds` and, last, the denominator that they share."""
    values = [0] * (len(kinds) + 1)
    used: list[dt.date] = []
    missing: list[dt.date] = []
    clashing: list[dt.date] = []
    rows: list[Total] = []
    ids: set[str] = set()
    for day in days:
        found = [*(counts.numerator(day, kind) for kind in kinds), counts.denominator(day, kinds[0].under)]
        own = [each for each in found if each is not None]
        if len(own) < len(found):
            missing.append(day)
        elif sum(each.value for each in own[:-1]) > own[-1].value:
            clashing.append(day)
        else:
            used.append(day)
            values = [value + each.value for value, each in zip(values, own, strict=True)]
            rows += [row for each in own for row in each.rows]
            ids |= {name for each in own for name in each.session_ids}
    basis = "sessions" if ids else "counted" if any(row.basis == "counted" for row in rows) else "given"
    return _Sum(tuple(values), basis if used else "", tuple(used), tuple(missing), tuple(clashing), tuple(rows), tuple(sorted(ids)))


def _measure(told: Share, added: _Sum) -> Measure:
    return Measure(told, added.basis, added.days, added.missing, added.clashing, added.rows, added.session_ids)


def _rate(counts: Counts, kind: Kind, days: Sequence[dt.date], reviews: Sequence[StarReview]) -> Measure:
    added = _sum(counts, (kind,), days)
    if added.days:
        return _measure(share(kind.name, *added.values), added)
    if kind.name == "差评率" and reviews and not added.clashing:
        bad = sum(review.stars < BAD_STARS for review in reviews)
        return _by_reviews(share(kind.name, bad, len(reviews)), reviews, days)
    return _measure(_nothing(kind, counts, days, added), added)


def _nothing(kind: Kind, counts: Counts, days: Sequence[dt.date], added: _Sum) -> Share:
    """Why there is no rate, with the numerator where that at least is known."""
    if added.clashing:
        return Share(kind.name, None, None, None, why="contradiction")
    over = [found.value for day in days if (found := counts.numerator(day, kind)) is not None]
    return share(kind.name, sum(over) if over else None, None)


def _satisfaction(counts: Counts, days: Sequence[dt.date], reviews: Sequence[StarReview]) -> Measure:
    added = _sum(counts, (Kind("客户满意度", "unsatisfied", "rated"),), days)
    if added.days:
        unsatisfied, rated = added.values
        return _measure(client_satisfaction(rated, unsatisfied), added)
    if reviews:
        bad = sum(grade(None, review.stars) == UNSATISFIED for review in reviews)
        return _by_reviews(client_satisfaction(len(reviews), bad), reviews, days)
    return _measure(client_satisfaction(None, None), added)


def _csi(counts: Counts, days: Sequence[dt.date], reviews: Sequence[StarReview], formula: str) -> Measure:
    against = _AGAINST[formula]
    added = _sum(counts, [Kind("CSI", what, "rated") for what in ("satisfied", against) if what], days)
    if added.days:
        satisfied, *rest, rated = added.values
        return _measure(csi(satisfied, rest[0] if rest else 0, rated), added)
    if reviews:
        number = Counter(_WHATS[grade(None, review.stars)] for review in reviews)
        return _by_reviews(csi(number["satisfied"], number[against] if against else 0, len(reviews)), reviews, days)
    return _measure(csi(None, None, None), added)


def _by_reviews(told: Share, reviews: Sequence[StarReview], days: Sequence[dt.date]) -> Measure:
    return Measure(told, "reviews", tuple(days), (), mention_ids=tuple(review.ref_id for review in reviews))


def as_dict(window: Window) -> dict[str, Any]:
    """Return the window as JSON; every number with the rows it was counted from."""
    return {
        "since": window.since.isoformat(), "until": window.until.isoformat(), "by": window.by,
        "formulas": {name: tr(*pair) for name, pair in {"CSI": CSI_FORMULAS[window.csi], **FORMULAS}.items()},
        "days_without_sessions": [day.isoformat() for day in window.silent],
        "groups": [
            {
                "key": group.key, "title": group.title, "sessions": group.sessions, "paths": dict(group.paths),
                "session_ids": list(group.session_ids),
                "response_seconds": {"known": group.response.known, "of": group.response.of, "median": group.response.median,
                                     "p90": group.response.p90, "mean": group.response.mean},
                "measures": [_told(each) for each in group.measures],
            }
            for group in window.groups
        ],
    }


def _told(each: Measure) -> dict[str, Any]:
    return {
        **each.share.as_dict(), "basis": each.basis or None, "days": len(each.days),
        "missing_days": [day.isoformat() for day in each.missing], "clashing_days": [day.isoformat() for day in each.clashing],
        "rows": {
            "totals": [{"day": t.day.isoformat(), "shop": t.shop, "what": t.what, "value": t.value, "basis": t.basis} for t in each.totals],
            "sessions": list(each.session_ids), "mentions": list(each.mention_ids),
        },
    }
