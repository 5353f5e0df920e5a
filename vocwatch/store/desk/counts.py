"""Counting mentions in groups: by time, topic, product, source, level …"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.clock import day_window
from vocwatch.models import Level, TextKind
from vocwatch.store.desk import rollup
from vocwatch.store.desk.keep import key_of
from vocwatch.store.desk.question import NO_LEVEL
from vocwatch.store.desk.scope import Scope, between, conditions, standing, topic_is
from vocwatch.store.desk_schema import desk_mentions, desk_red_lines, desk_topics, desk_watches
from vocwatch.store.schema import incident_days, incident_members

GROUPS = (
    "day", "week", "month", "topic", "major", "product", "source", "sentiment", "severity", "level", "shop", "voice", "watch",
    "red_line", "kind",
)
_EPOCH = dt.date(1970, 1, 1).toordinal()
_DAY = 1440
_COLUMNS = ("source", "sentiment", "severity", "shop", "voice", "kind")


@dataclass(frozen=True, slots=True)
class Counted:
    """One group: its values in the order asked for, and what was counted in it. Authors: independent ones."""

    values: tuple[Any, ...]
    mentions: int
    authors: int | None
    negative: int


def grouped(connection: Connection, scope: Scope, groups: Sequence[str], *, authors: bool = True) -> list[Counted]:
    """Count the mentions by groups, in no order. Days and weeks (their Monday) are dates, months their first day.

    A mention with several topics (watches, red lines, products) counts in each. Without `authors` most questions over
    days, sources and topics are answered from the counts of days.
    """
    if not authors and rollup.serves(scope, groups):
        return _from_days(connection, scope, groups)
    if not authors and "level" in groups and rollup.serves(scope, rest := [name for name in groups if name != "level"]):
        return _by_level(connection, scope, groups, _from_days(connection, scope, rest))
    if not authors and "product" in groups:
        return _by_product(connection, scope, groups)
    if authors and tuple(groups) == ("topic",) and rollup.serves(scope, groups) and not scope.question.sources:
        return _topics(connection, scope)
    return _from_rows(connection, scope, groups, authors)


def _topics(connection: Connection, scope: Scope) -> list[Counted]:
    """Topics with their authors, from the rows of topics alone."""
    t, where = desk_topics.c, _of_topics(scope)
    bad = sa.func.count(sa.case((t.negative, 1)))
    query = sa.select(t.topic, sa.func.count(), sa.func.count(sa.distinct(t.who)), bad).where(*where).group_by(t.topic)
    return [Counted((topic,), number, authors, negative) for topic, number, authors, negative in connection.execute(query)]


def _from_days(connection: Connection, scope: Scope, groups: Sequence[str]) -> list[Counted]:
    """The counts of days, and the rows of days that are not counted yet."""
    live = rollup.uncounted(connection, scope)
    if live is None:
        return _from_rows(connection, scope, groups, False)
    cells = rollup.counted(connection, scope, groups, live)
    for day in live:
        for c in _from_rows(connection, scope.asking(since=day, until=day), groups, False):
            rollup.add(cells, c.values, c.mentions, c.negative)
    return [Counted(values, number, None, negative) for values, (number, negative) in cells.items()]


def _by_product(connection: Connection, scope: Scope, groups: Sequence[str]) -> list[Counted]:
    """Most mentions stand on a product's page: those need no look at what they name."""
    if set(groups) == {"topic", "product"} and scope.question.asked() <= {"since", "until", "topics", "brand"}:
        return _topic_products(connection, scope, groups)
    sku = desk_mentions.c.sku
    cells: rollup.Cells = {}
    for named in (False, True):
        for c in _from_rows(connection, scope, groups, False, named=named, more=(sku.is_(None) if named else sku.is_not(None),)):
            rollup.add(cells, c.values, c.mentions, c.negative)
    return [Counted(values, number, None, negative) for values, (number, negative) in cells.items()]


def _topic_products(connection: Connection, scope: Scope, groups: Sequence[str]) -> list[Counted]:
    """Topic by product from the rows of topics alone."""
    t, where = desk_topics.c, _of_topics(scope)
    named = desk_watches.alias("named")
    on = sa.and_(named.c.key == t.key, named.c.kind == "product")
    cells: rollup.Cells = {}
    for product, source, own in (
        (t.sku, desk_topics, t.sku.is_not(None)), (_mapped(scope, named), desk_topics.outerjoin(named, on), t.sku.is_(None)),
    ):
        number = sa.func.count(sa.distinct(t.key)), sa.func.count(sa.distinct(sa.case((t.negative, t.key))))
        if source is desk_topics:
            number = sa.func.count(), sa.func.count(sa.case((t.negative, 1)))
        query = sa.select(t.topic.label("g0"), product.label("g1"), *number).select_from(source).where(*where, own)
        for topic, name, mentions, negative in connection.execute(query.group_by(sa.text("g0"), sa.text("g1"))):
            rollup.add(cells, (topic, name) if groups[0] == "topic" else (name, topic), mentions, negative)
    return [Counted(values, number, None, negative) for values, (number, negative) in cells.items()]


def _of_topics(scope: Scope) -> list[sa.ColumnElement[bool]]:
    """What a question of days, topics and brand asks of the rows of topics."""
    q, t = scope.question, desk_topics.c
    where = between(t.key, scope)
    if q.brand is not None:
        where.append(t.brand if q.brand else sa.not_(t.brand))
    return [*where, *([topic_is(t.topic, q.topics)] if q.topics else [])]


def _by_level(connection: Connection, scope: Scope, groups: Sequence[str], whole: Sequence[Counted]) -> list[Counted]:
    """Few mentions belong to an incident: those are looked up, the others are what is left of all."""
    place = groups.index("level")
    found = [c for c in _from_rows(connection, scope, groups, False, inner=True) if c.values[place] != NO_LEVEL]
    left = {c.values: [c.mentions, c.negative] for c in whole}
    for c in found:
        rollup.add(left, tuple(v for n, v in enumerate(c.values) if n != place), -c.mentions, -c.negative)
    rest = [
        Counted((*values[:place], NO_LEVEL, *values[place:]), number, None, negative)
        for values, (number, negative) in left.items() if number
    ]
    return [*found, *rest]


def _from_rows(
    connection: Connection, scope: Scope, groups: Sequence[str], authors: bool, *, inner: bool = False,
    named: bool = True, more: Sequence[sa.ColumnElement[bool]] = (),
) -> list[Counted]:
    """Count the narrow rows themselves, those that are `more`; with `inner` those of incidents alone, not `named` with the
    product of their page alone.
    """
    d = desk_mentions.c
    built = [_group(connection, scope, name) if named or name != "product" else _on_page(scope) for name in groups]
    source: sa.FromClause = desk_mentions
    for group in built:
        for table, on in group.joins:
            source = source.outerjoin(table, on) if group.outer and not inner else source.join(table, on)
    many = any(group.many for group in built)
    number = sa.func.count(sa.distinct(d.key)) if many else sa.func.count()
    negative = sa.func.count(sa.distinct(sa.case((d.sentiment == "negative", d.key)))) if many else sa.func.count(
        sa.case((d.sentiment == "negative", 1)))
    who = sa.func.count(sa.distinct(d.who)) if authors else sa.null()
    keys = [group.value.label(f"g{place}") for place, group in enumerate(built)]
    query = sa.select(*keys, number, who, negative).select_from(source).where(
        *conditions(connection, scope), *more, *(c for group in built for c in group.where)
    )
    if keys:
        query = query.group_by(*(sa.text(f"g{place}") for place in range(len(keys))))
    return [
        Counted(tuple(group.read(value) for group, value in zip(built, row[:-3], strict=True)), row[-3], row[-2], row[-1])
        for row in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class _Group:
    value: sa.ColumnElement[Any]
    joins: tuple[tuple[sa.FromClause, sa.ColumnElement[bool]], ...] = ()
    where: tuple[sa.ColumnElement[bool], ...] = ()
    many: bool = False
    outer: bool = False
    date: bool = False

    def read(self, value: Any) -> Any:
        return dt.date.fromordinal(int(value)) if self.date and value is not None else value


def _group(connection: Connection, scope: Scope, name: str) -> _Group:
    d, q = desk_mentions.c, scope.question
    if name in _COLUMNS:
        return _Group(d[name])
    if name in ("day", "week"):
        day = day_number(connection, scope)
        return _Group(day if name == "day" else day - (day - 1) % 7, date=True)
    if name == "month":
        return _Group(_month(connection, scope), date=True)
    if name in ("topic", "major"):
        t = desk_topics.c
        wanted = (*between(t.key, scope), *((topic_is(t.topic, q.topics),) if q.topics else ()))
        value = t.topic if name == "topic" else _before_slash(connection, t.topic)
        return _Group(value, ((desk_topics, t.key == d.key),), wanted, many=name == "major")
    if name == "watch":
        w = desk_watches.c
        return _Group(w.watch, ((desk_watches, w.key == d.key),), (*between(w.key, scope), *((w.watch.in_(q.watches),) if q.watches else ())))
    if name == "red_line":
        r = desk_red_lines.c
        return _Group(r.name, ((desk_red_lines, r.key == d.key),), (r.name.in_(q.red_lines),) if q.red_lines else ())
    if name == "product":
        return _product(scope)
    if name == "level":
        return _level(scope)
    raise KeyError(name)


def _on_page(scope: Scope) -> _Group:
    """The page's own SKU."""
    sku = desk_mentions.c.sku
    return _Group(sku, where=(sku.in_(scope.skus),) if scope.question.products else ())


def _product(scope: Scope) -> _Group:
    """The page's own SKU, else those of the product watches that the text names."""
    d = desk_mentions.c
    named = desk_watches.alias("named")
    value = _mapped(scope, named)
    on = sa.and_(named.c.key == d.key, named.c.kind == "product", d.sku.is_(None))
    product: sa.ColumnElement[Any] = sa.func.coalesce(d.sku, value)
    asked = (sa.or_(d.sku.in_(scope.skus), named.c.watch.in_(scope.product_watches)),) if scope.question.products else ()
    return _Group(product, ((named, on),), asked, many=True, outer=True)


def _mapped(scope: Scope, named: sa.FromClause) -> sa.ColumnElement[Any]:
    """The SKU that a product watch stands for."""
    return sa.case(dict(scope.own), value=named.c.watch, else_=named.c.watch) if scope.own else named.c.watch


def _level(scope: Scope) -> _Group:
    """The most serious level of the incidents that a mention belongs to."""
    order = {level.value: level.rank for level in Level}
    rank = sa.func.min(sa.case(order, value=incident_days.c.level)).label("rank")
    members = standing(TextKind.MENTION, rank)
    if scope.question.since:  # nothing joins an incident before the day it was published
        members = members.where(incident_members.c.day >= scope.question.since)
    ranked = members.group_by(sa.text("1")).subquery("ranked")
    value = sa.case({rank: level for level, rank in order.items()}, value=ranked.c.rank, else_=NO_LEVEL)
    return _Group(value, ((ranked, ranked.c.ref_id == desk_mentions.c.ref_id),), outer=True)


def day_number(connection: Connection, scope: Scope) -> sa.ColumnElement[int]:
    """The business date of a row as a number, 0001-01-01 being 1."""
    d = desk_mentions.c
    minute = d.key.op("/")(1 << 32)  # >> takes other types on PostgreSQL
    spans = _offsets(connection, scope)
    offset: Any = spans[0][1]
    if len(spans) > 1:
        offset = sa.case(*((d.key < until, value) for until, value in spans[:-1] if until is not None), else_=spans[-1][1])
    return sa.cast((minute + offset), sa.BigInteger).op("/")(_DAY).op("+")(_EPOCH)


def _offsets(connection: Connection, scope: Scope) -> list[tuple[int | None, int]]:
    """The minutes that the zone is ahead of UTC, as (until this key, minutes); the last one is open."""
    first, last = _days(connection, scope)
    found: list[tuple[int | None, int]] = []
    day, ahead = first, _ahead(day_window(first, scope.zone)[0], scope)
    while day <= last:
        start, end = day_window(day, scope.zone)
        if (then := _ahead(end, scope)) != ahead:
            moment = next(
                at for minute in range(int((end - start).total_seconds() // 60) + 1)
                if _ahead(at := start + dt.timedelta(minutes=minute), scope) == then
            )
            found.append((key_of(moment), ahead))
            ahead = then
        day += dt.timedelta(days=1)
    return [*found, (None, ahead)]


def _ahead(moment: dt.datetime, scope: Scope) -> int:
    return int((moment.astimezone(scope.zone).utcoffset() or dt.timedelta()).total_seconds() // 60)


def _days(connection: Connection, scope: Scope) -> tuple[dt.date, dt.date]:
    """The days that the question can speak of."""
    q, d = scope.question, desk_mentions.c
    since, until = q.since, q.until
    if since is None or until is None:
        low, high = connection.execute(sa.select(sa.func.min(d.key), sa.func.max(d.key))).one()
        since = since or _day_of(low, scope) or until or dt.date(1970, 1, 1)
        until = until or max(since, _day_of(high, scope) or since)
    return since, until


def _day_of(key: int | None, scope: Scope) -> dt.date | None:
    if key is None:
        return None
    return dt.datetime.fromtimestamp((key >> 32) * 60, dt.UTC).astimezone(scope.zone).date()


def _month(connection: Connection, scope: Scope) -> sa.ColumnElement[Any]:
    first, last = _days(connection, scope)
    month = first.replace(day=1)
    cases: list[tuple[sa.ColumnElement[bool], int]] = []
    while month <= last:
        following = (month + dt.timedelta(days=32)).replace(day=1)
        cases.append((desk_mentions.c.key < key_of(day_window(following, scope.zone)[0]), month.toordinal()))
        month = following
    return sa.case(*cases)


def _before_slash(connection: Connection, topic: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    if connection.dialect.name == "sqlite":
        return sa.func.substr(topic, 1, sa.func.instr(topic, "/") - 1)
    return sa.func.split_part(topic, "/", 1)
