"""Asking: one question, one subject, rows or groups of them; the same for console, command line, API and exports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

from reports.desk import groups as grouping
from reports.desk.blind import remarks
from reports.desk.columns import GROUPS, NUMBERS, ROWS, Column
from reports.desk.details import incident_detail, mention_detail, session_detail
from reports.desk.groups import OF_INCIDENTS, OF_MENTIONS, OF_SESSIONS
from reports.desk.handle import Desk
from reports.desk.sources import coverage_calendar, source_rows
from reports.desk.trends import trend_rows
from reports.desk.views import Heat, Line, Series, facets, heat, series
from vocwatch.lang import listed, tr
from vocwatch.plain import one_line
from vocwatch.store import Connection
from vocwatch.store.desk import events, inside, outline, rows
from vocwatch.store.desk.question import Question, QuestionError

__all__ = [
    "SUBJECTS", "Answer", "Column", "Desk", "Heat", "Line", "Question", "QuestionError", "Series", "ask", "coverage_calendar",
    "facets", "heat", "incident_detail", "mention_detail", "period_before", "series", "session_detail",
]
SUBJECTS = {
    "mentions": OF_MENTIONS, "topics": OF_MENTIONS, "incidents": OF_INCIDENTS, "trends": (), "sessions": OF_SESSIONS, "sources": (),
}
"""What can be asked for, and by what each can be grouped."""
MAX_GROUPS = 3
_NOT_FOR = {
    "mentions": ("paths",), "topics": ("paths",), "trends": ("paths",), "incidents": ("paths",),
    "sessions": ("sources", "voices", "brand", "cluster"), "sources": ("paths", "incident", "cluster"),
}
_PARAM = {"paths": "path", "sources": "source", "voices": "voice"}


@dataclass(frozen=True)
class Answer:
    """What was found. `rows` are read while they are gone through, and once only; `total` counts them without limit.

    Grouped rows hold their group's values under the groups' names, and their `link`: the parameters of the question
    whose rows they count.
    """

    subject: str
    question: Question
    group: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: Iterable[dict[str, Any]]
    total: int
    _told: Callable[[], tuple[str, ...]] = field(repr=False, compare=False)

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """Sentences that say what was counted and what was not."""
        return self._told()


def ask(
    desk: Desk, subject: str, question: Question, *, group: Sequence[str] = (), change: bool = False, order: str = "",
    limit: int | None = None, offset: int = 0,
) -> Answer:
    """Answer a question. Raises QuestionError where it can't be answered as it is asked.

    `change` adds the period of equal length before to groups; it needs `since`. `order`: -time (default), time or
    -severity for rows; for groups the name of a column, with - in front for the largest first.
    """
    if subject not in SUBJECTS:
        raise QuestionError("subject", tr(f"没有 {one_line(subject, 30)}，可用：{listed(SUBJECTS)}", f"no {one_line(subject, 30)}; use one of {listed(SUBJECTS)}"))
    if subject == "topics":
        group = tuple(dict.fromkeys((*(() if {"topic", "major"} & set(group) else ("topic",)), *group)))
    _check(subject, group, limit, offset)
    if change and not group:
        raise QuestionError("change", tr("和上期比较要先分组，例：--by topic", "a comparison needs groups, as --by topic"))
    if subject in ("trends", "sources"):
        found = trend_rows(desk, question) if subject == "trends" else source_rows(desk, question)
        return _answer(desk, subject, question, (), ROWS[subject], _sorted(found, order, ROWS[subject]), limit, offset)
    if not group:
        return _listed(desk, subject, question, order, limit, offset)
    counted = _counts(desk, subject, question, tuple(group), change)
    columns = tuple(GROUPS[name] for name in group) + tuple(NUMBERS[name] for name in grouping.numbers(subject, change))
    return _answer(desk, subject, question, tuple(group), columns, _sorted(counted, order, columns), limit, offset)


def period_before(question: Question, today: dt.date) -> Question:
    """Return the same question of the period of equal length just before. Raises QuestionError without `since`."""
    if question.since is None:
        raise QuestionError("since", tr("和上期比较要写起始日期 since", "a comparison needs the first day, since"))
    until = question.until or max(question.since, today)
    length = (until - question.since).days + 1
    return replace(question, since=question.since - dt.timedelta(days=length), until=question.since - dt.timedelta(days=1))


def _check(subject: str, group: Sequence[str], limit: int | None, offset: int) -> None:
    allowed = SUBJECTS[subject]
    for name in group:
        if name not in allowed:
            raise QuestionError("by", tr(
                f"{subject} 不能按 {one_line(name, 30)} 分组，可用：{listed(allowed) or '（不能分组）'}",
                f"{subject} cannot be grouped by {one_line(name, 30)}; use {listed(allowed) or 'no group'}",
            ))
    if len(set(group)) < len(group) or len(group) > MAX_GROUPS:
        raise QuestionError("by", tr(f"最多 {MAX_GROUPS} 个不同的分组", f"at most {MAX_GROUPS} different groups"))
    if (limit is not None and limit < 0) or offset < 0:
        raise QuestionError("limit", tr("limit 和 offset 不能是负数", "limit and offset must not be negative"))


def _counts(desk: Desk, subject: str, question: Question, group: tuple[str, ...], change: bool) -> list[dict[str, Any]]:
    with desk.read() as connection:
        found = grouping.counts(desk, connection, subject, question, group)
        if change:
            earlier = period_before(question, desk.today)
            if {"day", "week", "month"} & set(group):
                raise QuestionError("change", tr("按时间分组时不能再比上期", "groups of time cannot be compared with the period before"))
            before = grouping.counts(desk, connection, subject, earlier, group)
            grouping.compare(desk, connection, subject, found, before, group, question, earlier)
    return found


def _listed(desk: Desk, subject: str, question: Question, order: str, limit: int | None, offset: int) -> Answer:
    if subject == "incidents":
        with desk.read() as connection:
            found = events.incident_days_of(connection, desk.plain_scope(question))
        return _answer(desk, subject, question, (), ROWS[subject], _sorted(found, order, ROWS[subject]), limit, offset)
    if order and order not in rows.ORDERS:
        raise QuestionError("order", tr(f"没有这种排序，可用：{listed(rows.ORDERS)}", f"no such order; use {listed(rows.ORDERS)}"))
    with desk.read() as connection:
        scope = desk.plain_scope(question) if subject == "sessions" else desk.scope(connection, question)
        total = (inside if subject == "sessions" else rows).count(connection, scope)

    def read() -> Iterator[dict[str, Any]]:
        listing = inside.listed if subject == "sessions" else rows.mention_rows
        with desk.read(limited=False) as connection, closing(listing(connection, scope, order or "-time", limit, offset)) as found:  # type: ignore[type-var]
            yield from found

    return Answer(subject, question, (), ROWS[subject], read(), total, lambda: _told(desk, subject, question))


def _answer(
    desk: Desk, subject: str, question: Question, group: tuple[str, ...], columns: tuple[Column, ...],
    found: list[dict[str, Any]], limit: int | None, offset: int,
) -> Answer:
    end = None if limit is None else offset + limit
    return Answer(
        subject, question, group, columns, list(islice(found, offset, end)), len(found), lambda: _told(desk, subject, question)
    )


def _sorted(found: list[dict[str, Any]], order: str, columns: Sequence[Column]) -> list[dict[str, Any]]:
    if not order:
        return found
    name = order.removeprefix("-")
    if name not in {column.key for column in columns}:
        known = listed(column.key for column in columns)
        raise QuestionError("order", tr(f"没有列 {one_line(name, 30)}，可用：{known}", f"no column {one_line(name, 30)}; use {known}"))
    filled = [row for row in found if row.get(name) is not None]
    filled.sort(key=lambda row: (isinstance(row[name], str), row[name]) if not isinstance(row[name], list | tuple) else (True, str(row[name])),
                reverse=order.startswith("-"))
    return filled + [row for row in found if row.get(name) is None]


# -- what was counted -----------------------------------------------------------------------------------------


def _told(desk: Desk, subject: str, question: Question) -> tuple[str, ...]:
    told = [_WHAT[subject]()]
    unused = [name for name in _NOT_FOR[subject] if getattr(question, name) not in ((), "", None)]
    if unused:
        names = listed(_PARAM.get(name, name) for name in unused)
        told.append(tr(f"条件 {names} 对它没有意义，没有用上", f"the conditions {names} mean nothing for it and were not used"))
    if subject == "sessions":
        return tuple(told)
    with desk.read() as connection:
        told += _of_mentions(desk, connection, subject, question)
    return tuple(told)


def _of_mentions(desk: Desk, connection: Connection, subject: str, question: Question) -> list[str]:
    told = []
    if subject in ("mentions", "topics", "trends"):
        told.append(tr(
            "店家自己的回复没有情感和主题，只在不限情感和主题时计入；拒判的文本发声者为 refused",
            "the shop's own replies have neither sentiment nor topics; texts that could not be judged have the voice refused",
        ))
    if question.levels and subject != "incidents":
        told.append(tr("等级是所属事件最近一日的等级，不是发帖当日的", "a level is that of the incident's last day, not of the day of the post"))
    if waiting := outline.unjudged(connection):
        told.append(tr(f"另有 {waiting} 条已入库、还没有判定，不在其中（vocwatch analyse）", f"{waiting} stored mentions are not judged yet and not counted (vocwatch analyse)"))
    return told + remarks(desk, connection, question)


_WHAT: dict[str, Callable[[], str]] = {
    "mentions": lambda: tr(
        "数的是已判定的外部提及，按发布时间（页面没写的按首次读到）归到业务日；每条提及只数最新版本",
        "judged public mentions, on the business date they were published (first seen, where the page gives none); newest text only",
    ),
    "topics": lambda: tr(
        "数的是说到本品牌的提及（brand=0 改数其他的）；一条提及有几个主题就各数一次，所以各行之和可能大于总数；占比的分母是同样条件下、不限主题的提及",
        "mentions of the own brand (others with brand=0); a mention counts under each of its topics; the share is of all such mentions, whatever their topic",
    ),
    "trends": lambda: tr(
        "说到本品牌的提及按主题，和前一段同样长的时间比；区间按两段都读全的来源和日子算，并计入日与日的起伏",
        "mentions of the own brand by topic against the period of equal length before; the interval uses sources and days read in both and allows for scatter",
    ),
    "incidents": lambda: tr(
        "数的是事件在各业务日的记录；只待核实的（一个人的红线、可能是偶然的上升）不算，state=待核 才列",
        "incidents on each business date; what is only to be checked is left out unless state=待核",
    ),
    "sessions": lambda: tr(
        "数的是已导入的客服会话，按开始时间归到业务日；搜索词只看顾客说的话和评价",
        "imported customer-service sessions, on the business date they began; words are looked for in what the customer says",
    ),
    "sources": lambda: tr(
        "每个来源在这些日子里的提及和完整度；缺读的日子是未知，不是 0", "each source's mentions and coverage within the days; days missed are unknown, not 0",
    ),
}
