"""Groups of mentions, sessions and incident days, with shares and the change against the period before."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from reports.desk.blind import Sight, sight
from reports.desk.handle import Desk
from vocwatch.clock import business_date
from vocwatch.store import Connection
from vocwatch.store.desk import counts as store_counts
from vocwatch.store.desk import events, inside, rows
from vocwatch.store.desk.question import Question

OF_MENTIONS = store_counts.GROUPS
OF_SESSIONS = ("day", "week", "month", "path", "reason", "topic", "major", "product", "shop", "sentiment", "severity")
OF_INCIDENTS = ("day", "week", "month", "topic", "major", "product", "level", "state", "shop")
TIMES = ("day", "week", "month")
_PARAMS = {
    "topic": "topic", "major": "topic", "product": "product", "source": "source", "sentiment": "sentiment", "level": "level",
    "shop": "shop", "voice": "voice", "watch": "watch", "red_line": "red_line", "path": "path", "state": "state",
}
Row = dict[str, Any]


def numbers(subject: str, change: bool) -> tuple[str, ...]:
    """The number columns of a subject's groups."""
    own = {
        "mentions": ("mentions", "authors", "negative", "rate"), "topics": ("mentions", "authors", "rate"),
        "sessions": ("sessions", "customers", "rate"), "incidents": ("incidents", "days"),
    }[subject]
    return (*own, *(("before", "change") if change else ()))


def asked(subject: str, question: Question) -> Question:
    """The question that a subject really asks: topics are those of the own brand, unless it says otherwise."""
    return replace(question, brand=True) if subject in ("topics", "trends") and question.brand is None else question


def counts(desk: Desk, connection: Connection, subject: str, question: Question, group: Sequence[str]) -> list[Row]:
    """Return the groups, those of time in their order, others largest first."""
    question = asked(subject, question)
    if subject == "sessions":
        found = _sessions(desk, connection, question, group)
    elif subject == "incidents":
        found = _incidents(desk, connection, question, group)
    else:
        found = _mentions(desk, connection, subject, question, group)
    main = numbers(subject, False)[0]
    if tuple(group) == ("day",) and question.since and subject != "incidents":
        found = _every_day(desk, connection, subject, question, found)
    for row in found:
        row["link"] = link(question, group, row)
    times = [name for name in group if name in TIMES]
    return sorted(found, key=lambda row: (
        *(row[name] for name in times), -(row[main] or 0), *(str(row[name]) for name in group if name not in times)
    ))


def _mentions(desk: Desk, connection: Connection, subject: str, question: Question, group: Sequence[str]) -> list[Row]:
    scope = desk.scope(connection, question)
    counted = store_counts.grouped(connection, scope, group)
    if subject == "topics":
        whole = rows.count(connection, desk.scope(connection, replace(question, topics=())))
        return [
            {**dict(zip(group, c.values, strict=True)), "mentions": c.mentions, "authors": c.authors, "rate": share(c.mentions, whole)}
            for c in counted
        ]
    return [
        {**dict(zip(group, c.values, strict=True)), "mentions": c.mentions, "authors": c.authors, "negative": c.negative,
         "rate": share(c.negative, c.mentions)}
        for c in counted
    ]


def share(part: int, whole: int) -> float | None:
    """Return part ÷ whole, None of nothing."""
    return part / whole if whole else None


def _sessions(desk: Desk, connection: Connection, question: Question, group: Sequence[str]) -> list[Row]:
    zone = desk.settings.app.zone
    number: dict[tuple[Any, ...], int] = defaultdict(int)
    people: dict[tuple[Any, ...], set[Any]] = defaultdict(set)
    total = 0
    for row in inside.listed(connection, desk.plain_scope(question), "time"):
        total += 1
        for values in _cross([_values(name, row, business_date(row["started_at"], zone), question) for name in group]):
            number[values] += 1
            people[values].add(row["customer"] or row["session"])
    return [
        {**dict(zip(group, values, strict=True)), "sessions": count, "customers": len(people[values]), "rate": share(count, total)}
        for values, count in number.items()
    ]


def _incidents(desk: Desk, connection: Connection, question: Question, group: Sequence[str]) -> list[Row]:
    number: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    days: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in events.incident_days_of(connection, desk.plain_scope(question)):
        for values in _cross([_values(name, row, row["day"], question) for name in group]):
            number[values].add(row["incident"])
            days[values] += 1
    return [
        {**dict(zip(group, values, strict=True)), "incidents": len(own), "days": days[values]} for values, own in number.items()
    ]


def _values(name: str, row: Row, day: dt.date, question: Question) -> list[Any]:
    """The groups of one kind that a row stands in."""
    if name == "day":
        return [day]
    if name == "week":
        return [day - dt.timedelta(days=day.weekday())]
    if name == "month":
        return [day.replace(day=1)]
    if name in ("topic", "major"):
        topics = row["topics"] if "topics" in row else [row["topic"]]
        wanted = [t for t in topics if not question.topics or any(t == w or t.startswith(f"{w}/") for w in question.topics)]
        return list(dict.fromkeys(wanted if name == "topic" else [t.partition("/")[0] for t in wanted]))
    if name == "product":
        return [row.get("sku") or row.get("product")]
    return [row[name]]


def _cross(parts: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [()]
    for part in parts:
        found = [(*values, value) for values in found for value in part]
    return found


def _every_day(desk: Desk, connection: Connection, subject: str, question: Question, found: list[Row]) -> list[Row]:
    """Add the days without a row: 0 where all was read, unknown where it was not."""
    assert question.since is not None
    until = min(question.until or desk.today, desk.today)
    seen = sight(desk, connection, question.since, until, question.sources) if subject != "sessions" else None
    known = {row["day"] for row in found}
    for number in range(max(0, (until - question.since).days + 1)):
        day = question.since + dt.timedelta(days=number)
        if day not in known:
            nothing = None if seen is None or seen.unread(day) or day >= desk.today else 0
            found.append({"day": day, **dict.fromkeys(numbers(subject, False), nothing), "rate": None})
    return found


def link(question: Question, group: Sequence[str], row: Row) -> list[tuple[str, str]] | None:
    """Return the parameters of the question whose rows a group counts; None where no parameter can say it."""
    changed: dict[str, Any] = {}
    params = [pair for pair in question.to_params() if pair[0] not in {_PARAMS.get(name) for name in group}]
    for name in group:
        value = row[name]
        if name in TIMES:
            since, until = _span(name, value)
            changed["since"] = max(since, question.since or since).isoformat()
            changed["until"] = min(until, question.until or until).isoformat()
        elif name in _PARAMS and value is not None:
            params.append((_PARAMS[name], str(value)))
        else:
            return None
    return [pair for pair in params if pair[0] not in changed] + list(changed.items())


def _span(name: str, first: dt.date) -> tuple[dt.date, dt.date]:
    if name == "week":
        return first, first + dt.timedelta(days=6)
    if name == "month":
        return first, (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    return first, first


def compare(
    desk: Desk, connection: Connection, subject: str, found: list[Row], before: list[Row], group: Sequence[str],
    question: Question, earlier: Question,
) -> None:
    """Add what was counted in the period before, and the change; groups that are no more are added with 0.

    A change is None against nothing, and where a source that the rows come from was not read in one of the periods.
    """
    key: Callable[[Row], tuple[Any, ...]] = lambda row: tuple(row[name] for name in group)  # noqa: E731
    then = {key(row): row for row in before}
    main = numbers(subject, False)[0]
    gone = [row for place, row in then.items() if place not in {key(r) for r in found}]
    for row in gone:
        again = {**row, **dict.fromkeys(numbers(subject, False), 0), "rate": None}
        found.append({**again, "link": link(asked(subject, question), group, again)})
    dark = _unread(desk, connection, subject, question, earlier)
    for row in found:
        old = then.get(key(row), {}).get(main, 0)
        row["before"] = old
        blind = dark if "source" not in group else dark & {row["source"]}
        row["change"] = None if blind or not old else (row[main] - old) / old


def _unread(desk: Desk, connection: Connection, subject: str, question: Question, earlier: Question) -> set[str]:
    """Sources that were not read at all in one of the periods."""
    if subject in ("sessions", "incidents") or earlier.since is None or question.since is None:
        return set()
    views: list[Sight] = [
        sight(desk, connection, q.since or dt.date.min, q.until or desk.today, question.sources) for q in (earlier, question)
    ]
    return {name for view in views for name, days in view.read.items() if view.days and not days}
