"""A question: conditions that all hold. Its parameters are the address of every view of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vocwatch.lang import listed, tr
from vocwatch.models import IncidentState, Level, Path, Sentiment
from vocwatch.plain import one_line
from vocwatch.settings.grammar import GrammarError, Node, parse, words_of
from vocwatch.store.desk import words

TO_CHECK = "待核"
"""The state of what is only to be checked: a red line of one voice, a rise that may be chance."""
VOICES = ("customer", "media", "ad", "lottery", "resale", "recruit", "merchant", "other", "refused")
NO_LEVEL = "无"
"""The level of a mention that belongs to no incident."""
MAX_VALUES = 200
MAX_LENGTH = 200
MAX_DAYS = 3_700
_LEVELS = (*(level.value for level in Level), NO_LEVEL)
_STATES = (*(state.value for state in IncidentState), TO_CHECK)
_CHOICES = {
    "sentiment": tuple(s.value for s in Sentiment), "level": _LEVELS, "state": _STATES, "voice": VOICES,
    "path": tuple(path.value for path in Path),
}
_LISTS = {
    "topic": "topics", "source": "sources", "product": "products", "watch": "watches", "sentiment": "sentiments",
    "level": "levels", "shop": "shops", "path": "paths", "state": "states", "voice": "voices", "red_line": "red_lines",
}
PARAMS = ("since", "until", *_LISTS, "severity", "q", "brand", "incident", "cluster")
"""The names of all parameters, as addresses, command line and API write them."""
_YES, _NO = {"1", "true", "yes", "是"}, {"0", "false", "no", "否"}

Params = Mapping[str, Sequence[str] | str]


class QuestionError(ValueError):
    """A condition that can't be read; `field` is the parameter, `message` says what to write instead."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Question:
    """Conditions that all hold; of several values of one condition any does. Defaults: any.

    since, until: business dates, both included. topics: 大类 or 大类/小类. products: SKU or product watch id.
    watches: any watch id. severity: at least. levels: 红橙黄蓝 of an incident that a mention belongs to as that
    stands now, 无 of none. states: of incident days; 待核 those to be checked. paths: 质检路径. text: the language of
    vocwatch/settings/grammar.py. brand: speaks of the own brand, or not. cluster: id of the mention that others copy.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    topics: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()
    severity: int = 0
    levels: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    red_lines: tuple[str, ...] = ()
    text: str = ""
    brand: bool | None = None
    incident: str = ""
    cluster: int | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise QuestionError("since", tr(
                f"{self.since} 晚于 until {self.until}，两个日期请对调", f"{self.since} is after until {self.until}; swap them",
            ))
        if self.text:
            self.expression()

    @classmethod
    def from_params(cls, params: Params) -> Question:
        """Return the question that parameters ask; those that are unknown or empty don't count. Raises QuestionError."""
        found: dict[str, Any] = {
            "since": _date("since", _one(params, "since")), "until": _date("until", _one(params, "until")),
            **{field: _many(params, name) for name, field in _LISTS.items()},
            "severity": _number("severity", _one(params, "severity"), 3) or 0, "text": _one(params, "q"),
            "brand": _flag("brand", _one(params, "brand")), "incident": _short("incident", _one(params, "incident")),
            "cluster": _number("cluster", _one(params, "cluster"), 2**63 - 1),
        }
        return cls(**found)

    def to_params(self) -> list[tuple[str, str]]:
        """Return the parameters that `from_params` reads this question from, in a fixed order."""
        return list(self._params())

    def _params(self) -> Iterator[tuple[str, str]]:
        for name in ("since", "until"):
            if day := getattr(self, name):
                yield name, day.isoformat()
        for name, field in _LISTS.items():
            for value in getattr(self, field):
                yield name, value
        if self.severity:
            yield "severity", str(self.severity)
        if self.text:
            yield "q", self.text
        if self.brand is not None:
            yield "brand", "1" if self.brand else "0"
        if self.incident:
            yield "incident", self.incident
        if self.cluster is not None:
            yield "cluster", str(self.cluster)

    def asked(self) -> frozenset[str]:
        """Return the names of the conditions that there are."""
        set_ = {name for name in self.__slots__ if getattr(self, name) not in (None, (), "", 0)}
        return frozenset(set_ | {name for name in ("brand", "cluster") if getattr(self, name) is not None})

    def expression(self) -> Node | None:
        """Return the meaning of `text`, None where there is none. Raises QuestionError."""
        if not self.text.strip():
            return None
        try:
            node = parse(self.text)
        except GrammarError as error:
            raise QuestionError("q", tr(
                f"搜索词看不懂：{error}。例：掉色 (杯 OR 壶) NOT \"不掉色\"", f"The search cannot be read: {error}. Example: 掉色 (杯 OR 壶) NOT \"不掉色\"",
            )) from error
        unfit = [word for word in _every_word(node) if not words.searchable(word)]
        if unfit:
            shown = listed(f"“{one_line(word, 20)}”" for word in unfit[:3])
            raise QuestionError("q", tr(
                f"{shown} 里没有可以搜索的字。标点和符号不进索引，请写文字或数字",
                f"{shown}: nothing to search for. Punctuation is not indexed; write letters, digits or characters",
            ))
        return node


def _every_word(node: Node) -> Iterator[str]:
    from vocwatch.settings.grammar import Both, Either, Not

    if isinstance(node, Not):
        yield from _every_word(node.item)
    elif isinstance(node, Both | Either):
        for item in node.items:
            yield from _every_word(item)
    else:
        yield from words_of(node)


def _values(params: Params, name: str) -> list[str]:
    value = params.get(name, ())
    values = [value] if isinstance(value, str) else list(value)
    return [clean for text in values if (clean := str(text).replace("\0", "").encode("utf-8", "ignore").decode().strip())]


def _one(params: Params, name: str) -> str:
    values = _values(params, name)
    if len(set(values)) > 1:
        raise QuestionError(name, tr("只能写一个值", "takes one value only"))
    return values[0] if values else ""


def _many(params: Params, name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(_values(params, name)))
    if len(values) > MAX_VALUES:
        raise QuestionError(name, tr(f"写了 {len(values)} 个值，最多 {MAX_VALUES} 个", f"{len(values)} values, at most {MAX_VALUES}"))
    for value in values:
        _short(name, value)
        if name in _CHOICES and value not in _CHOICES[name]:
            raise QuestionError(name, tr(
                f"没有 {one_line(value, 40)}，可用：{listed(_CHOICES[name])}", f"no {one_line(value, 40)}; use one of {listed(_CHOICES[name])}",
            ))
    return values


def _short(name: str, value: str) -> str:
    if len(value) > MAX_LENGTH:
        raise QuestionError(name, tr(f"太长（{len(value)} 个字），最多 {MAX_LENGTH} 个", f"too long ({len(value)} characters), at most {MAX_LENGTH}"))
    return value




def _date(name: str, value: str) -> dt.date | None:
    if not value:
        return None
    try:
        day = dt.date.fromisoformat(value)
    except ValueError as error:
        raise QuestionError(name, tr(f"日期看不懂：{one_line(value, 30)}。请写成 2026-11-15", f"Not a date: {one_line(value, 30)}. Write 2026-11-15")) from error
    if not 1970 <= day.year <= 2200:
        raise QuestionError(name, tr(f"年份不对：{value}。请写 1970 到 2200 年之间的日期", f"{value}: the year must lie between 1970 and 2200"))
    return day


def _number(name: str, value: str, most: int) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 19 and int(value) <= most):
        raise QuestionError(name, tr(f"要写 0 到 {most} 的整数，而不是 {one_line(value, 30)}", f"write a whole number from 0 to {most}, not {one_line(value, 30)}"))
    return int(value)


def _flag(name: str, value: str) -> bool | None:
    if not value:
        return None
    if value.lower() in _YES | _NO:
        return value.lower() in _YES
    raise QuestionError(name, tr(f"要写 1 或 0，而不是 {one_line(value, 30)}", f"write 1 or 0, not {one_line(value, 30)}"))
