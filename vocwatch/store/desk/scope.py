"""A question as the database understands it: conditions over the narrow rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.clock import day_window
from vocwatch.models import TextKind
from vocwatch.settings.grammar import Node
from vocwatch.store.desk import words
from vocwatch.store.desk.keep import key_of
from vocwatch.store.desk.question import NO_LEVEL, Question
from vocwatch.store.desk_schema import desk_mentions, desk_red_lines, desk_topics, desk_watches
from vocwatch.store.schema import incident_days, incident_members, incidents, revisions

FETCH = 2_000
MAX_LOOKED = 200_000
"""Texts that are read for one NEAR at the utmost."""


class TooBroadError(ValueError):
    """An expression with NEAR whose words alone stand in too many texts to look at; carries their number."""

    def __init__(self, number: int):
        super().__init__(str(number))
        self.number = number


@dataclass(frozen=True, slots=True)
class Scope:
    """A question with what it needs of the settings: the zone, and all names of the products that it asks for.

    `skus` and `product_watches` stand for `question.products`; `own` are products by watch id (SKU of each). `found`
    are the keys that satisfy a text with NEAR.
    """

    question: Question
    zone: ZoneInfo
    skus: tuple[str, ...] = ()
    product_watches: tuple[str, ...] = ()
    own: tuple[tuple[str, str], ...] = ()
    found: tuple[int, ...] | None = None

    def keys(self) -> tuple[int | None, int | None]:
        """The half-open range of keys of the question's days."""
        q = self.question
        since = key_of(day_window(q.since, self.zone)[0]) if q.since else None
        until = key_of(day_window(q.until, self.zone)[1]) if q.until else None
        return since, until

    def moments(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The half-open span of the question's days, in UTC."""
        q = self.question
        return (
            day_window(q.since, self.zone)[0] if q.since else None,
            day_window(q.until, self.zone)[1] if q.until else None,
        )

    def asking(self, **changed: object) -> Scope:
        """The same with other conditions."""
        return replace(self, question=replace(self.question, **changed))  # type: ignore[arg-type]


def between(key: sa.ColumnElement[int], scope: Scope) -> list[sa.ColumnElement[bool]]:
    """The key lies in the question's days."""
    since, until = scope.keys()
    return [*([key >= since] if since is not None else []), *([key < until] if until is not None else [])]


def conditions(connection: Connection, scope: Scope) -> list[sa.ColumnElement[bool]]:
    """Return what the question asks of rows of `desk_mentions`."""
    q, d = scope.question, desk_mentions.c
    found = between(d.key, scope)
    for column, values in ((d.source, q.sources), (d.sentiment, q.sentiments), (d.shop, q.shops), (d.voice, q.voices)):
        if values:
            found.append(column.in_(values))
    if q.severity:
        found.append(d.severity >= q.severity)
    if q.brand is not None:
        found.append(d.brand if q.brand else sa.not_(d.brand))
    if q.topics:
        found.append(d.key.in_(sa.select(desk_topics.c.key).where(topic_is(desk_topics.c.topic, q.topics), *between(desk_topics.c.key, scope))))
    if q.watches:
        found.append(d.key.in_(_matched(scope, q.watches)))
    if q.products:
        found.append(sa.or_(d.sku.in_(scope.skus), d.key.in_(_matched(scope, scope.product_watches))))
    if q.red_lines:
        r = desk_red_lines.c
        found.append(d.key.in_(sa.select(r.key).where(r.name.in_(q.red_lines), *between(r.key, scope))))
    found += [d.ref_id.in_(members) if is_in else d.ref_id.not_in(members) for members, is_in in memberships(scope, TextKind.MENTION)]
    if q.cluster is not None:
        m = incident_members.c
        copies = sa.select(m.ref_id).where(m.text_kind == TextKind.MENTION.value, m.cluster == q.cluster)
        found.append(sa.or_(d.ref_id == q.cluster, d.ref_id.in_(copies)))
    return [*found, *_text(connection, scope)]


def topic_is(column: sa.ColumnElement[str], topics: Sequence[str]) -> sa.ColumnElement[bool]:
    """The topic is one of these, or lies below one."""
    return sa.or_(*(column == topic if "/" in topic else column.startswith(f"{topic}/", autoescape=True) for topic in topics))


def _matched(scope: Scope, watches: Sequence[str]) -> sa.Select[tuple[int]]:
    w = desk_watches.c
    return sa.select(w.key).where(w.watch.in_(watches), *between(w.key, scope))


def memberships(scope: Scope, kind: TextKind) -> list[tuple[sa.Select[tuple[int]], bool]]:
    """Return selects of row ids that belong (or must not belong) to the incidents asked for, as those stand now."""
    q = scope.question
    m = incident_members.c
    found: list[tuple[sa.Select[tuple[int]], bool]] = []
    if q.incident:
        found.append((sa.select(m.ref_id).where(m.text_kind == kind.value, m.incident_id == q.incident), True))
    if q.levels:
        wanted = [level for level in q.levels if level != NO_LEVEL]
        if NO_LEVEL not in q.levels:
            found.append((standing(kind).where(incident_days.c.level.in_(wanted)), True))
        else:
            found.append((standing(kind).where(incident_days.c.level.not_in(wanted)), False))
    if q.states:
        found.append((standing(kind).where(incident_days.c.state.in_(q.states)), True))
    return found


def standing(kind: TextKind, *columns: sa.ColumnElement[str]) -> sa.Select[tuple[int]]:
    """Select the row ids (and more columns) of texts of incidents as they were judged on their last day."""
    m, d = incident_members, incident_days
    return (
        sa.select(m.c.ref_id, *columns)
        .join(incidents, incidents.c.id == m.c.incident_id)
        .join(d, sa.and_(d.c.incident_id == incidents.c.id, d.c.day == incidents.c.last_day))
        .where(m.c.text_kind == kind.value, sa.not_(d.c.watched))
    )


# -- text -----------------------------------------------------------------------------------------------------


def _text(connection: Connection, scope: Scope) -> list[sa.ColumnElement[bool]]:
    node = scope.question.expression()
    if node is None:
        return []
    d = desk_mentions.c
    if scope.found is not None:
        return [d.key.in_(_listed(connection, scope.found))]
    return [words.matching(connection.dialect.name, node, d.key)] if words.exact(node) else []


def settled(connection: Connection, scope: Scope) -> Scope:
    """Return the scope with the texts of a NEAR looked at; the same scope where there is none. Raises TooBroadError."""
    node = scope.question.expression()
    if node is None or words.exact(node) or scope.found is not None:
        return scope
    return replace(scope, found=tuple(_near(connection, scope, node)))


def _near(connection: Connection, scope: Scope, node: Node) -> list[int]:
    wider = words.prefilter(node)
    where = conditions(connection, scope)
    if wider is not None:
        where.append(words.matching(connection.dialect.name, wider, desk_mentions.c.key))
    number = connection.execute(sa.select(sa.func.count()).select_from(desk_mentions).where(*where)).scalar_one()
    if number > MAX_LOOKED:
        raise TooBroadError(number)
    d = desk_mentions.c
    query = sa.select(d.key, revisions.c.title, revisions.c.text).join(revisions, revisions.c.id == d.revision_id).where(*where)
    found = []
    for key, title, text in connection.execute(query.execution_options(yield_per=FETCH)):
        if words.holds(node, words.fold(f"{title}\n{text}" if title else text)):
            found.append(key)
    return found


def _listed(connection: Connection, keys: Sequence[int]) -> sa.Select[tuple[int]]:
    """The keys as a select, whatever their number."""
    if connection.dialect.name == "sqlite":
        each = sa.func.json_each("[" + ",".join(map(str, keys)) + "]").table_valued("value")
        return sa.select(each.c.value)
    return sa.select(sa.func.unnest(sa.cast(list(keys), sa.ARRAY(sa.BigInteger))))
