"""The turns of a session out of one cell of text or a JSON list."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sessions.values import Cell, moment_of, text_of
from vocwatch.settings.session_maps import Transcript

MAX_TURNS = 2000
MAX_TURN = 20_000  # characters
_MAX_HEAD = 5000  # characters; a longer line is no head
_HALF_DAY = dt.timedelta(hours=12)
_AGENT_LIKE = re.compile("客服|旗舰店|专营店|专卖店|官方|售后|售前|小二|商家")
_SYSTEM_LIKE = re.compile("系统|机器人|自动回复|平台提示|智能助理")
_TEXT_KEYS = ("text", "content", "message", "body", "plain_body", "msg", "内容", "消息")
_ROLE_KEYS = ("role", "sender_type", "author.role", "from", "type", "who", "角色")
_NAME_KEYS = ("nick", "name", "author.name", "sender", "author", "昵称")
_TIME_KEYS = ("time", "created_at", "at", "timestamp", "sent_at", "时间")


@dataclass(frozen=True)
class RawTurn:
    """One utterance as it was exported, not masked."""

    role: str
    name: str
    text: str
    at: dt.datetime | None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@dataclass(frozen=True)
class People:
    """Who takes part, as the row's own columns name them."""

    buyer: str = ""
    agent: str = ""

    def role_of(self, name: str, role: str, roles: Mapping[str, str]) -> str | None:
        """Return customer, agent or system for a speaker; None if nothing tells."""
        for word in (role.strip(), role.strip().lower()):
            if word in roles:
                return roles[word]
        if name and name == self.buyer:
            return "customer"
        if name and name == self.agent:
            return "agent"
        for word in (name, name.lower()):
            if word in roles:
                return roles[word]
        for word, known in roles.items():
            if word and not word.isascii() and word in role:
                return known
        if _SYSTEM_LIKE.search(name) or _SYSTEM_LIKE.search(role):
            return "system"
        return "agent" if _AGENT_LIKE.search(name) or _AGENT_LIKE.search(role) else None


def parse_transcript(
    cell: Cell, spec: Transcript, people: People, start: dt.datetime, zone: ZoneInfo
) -> tuple[list[RawTurn], bool]:
    """Return the turns, and whether their speakers could be told apart.

    Times without a date are placed on the day that brings them nearest to `start`. A cell in which nothing
    tells the speakers is one turn of the customer.
    """
    items: Any = cell
    if isinstance(cell, str):
        shown = text_of(cell)
        if not shown:
            return [], True
        items = _json_list(shown)
        if items is None:
            return _from_lines(shown, spec, people, start, zone)
    if isinstance(items, dict):
        items = next((value for value in items.values() if isinstance(value, list)), [items])
    if isinstance(items, list):
        return _from_list(items, spec, people, start, zone), True
    shown = text_of(items)
    return ([RawTurn("customer", "", shown[:MAX_TURN], start)], False) if shown else ([], True)


def _json_list(text: str) -> list[Any] | None:
    if not text.startswith(("[{", "[ {", "[\n")):
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None


def _from_lines(
    text: str, spec: Transcript, people: People, start: dt.datetime, zone: ZoneInfo
) -> tuple[list[RawTurn], bool]:
    patterns = [_compiled(pattern) for pattern in (spec.head, *spec.more_heads)]
    heads: list[_Head] = []
    lead: list[str] = []
    for line in map(str.rstrip, text.split("\n")):
        pattern, head = _head(line, patterns, spec, people) if len(line) <= _MAX_HEAD else (None, None)
        if pattern and head:
            # One export writes all heads alike: 客服：… inside a message is then a quotation.
            patterns = [pattern]
            heads.append(head)
        elif heads:
            heads[-1][3].append(line)
        else:
            lead.append(line)
    told = bool(heads)
    if any(line.strip() for line in lead):
        # Words before the first head: the customer's if nobody is named at all, else a notice above the chat.
        heads.insert(0, ("system" if told else "customer", "", "", lead))
    turns: list[RawTurn] = []
    near = start
    for role, name, time, lines in heads[:MAX_TURNS]:
        at = _place(time, near, zone) if time else None
        near = at or near
        said = "\n".join(lines).strip()
        if said:
            turns.append(RawTurn(role, name, said[:MAX_TURN], at))
    return turns, told


_Head = tuple[str, str, str, list[str]]  # role, name, time, the words on the same line


def _head(
    line: str, patterns: Sequence[re.Pattern[str]], spec: Transcript, people: People
) -> tuple[re.Pattern[str] | None, _Head | None]:
    """Return the pattern and the head if the line begins an utterance."""
    for pattern in patterns:
        match = pattern.match(line)
        if not match:
            continue
        groups = match.groupdict()
        name, role = (groups.get("name") or "").strip(), (groups.get("role") or "").strip()
        time = (groups.get("time") or "").strip()
        who = people.role_of(name, role, spec.roles)
        # 真的很差（无语） looks like a head, too: without a known speaker only a time makes it one.
        if who or time:
            said = groups.get("text")
            return pattern, (who or "customer", name, time, [said] if said else [])
    return None, None


def _place(time: str, near: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return the moment of a head's time: itself if it has a date, else on the day nearest to `near`."""
    if re.match(r"\d{4}", time):
        try:
            return moment_of(time, zone)
        except ValueError:
            return None
    parts = [int(part) for part in re.findall(r"\d+", time)]
    hour, minute, second = (*parts, 0, 0, 0)[:3]
    try:
        clock = dt.time(hour, minute, second)
    except ValueError:
        return None
    local = near.astimezone(zone)
    moment = dt.datetime.combine(local.date(), clock, tzinfo=zone)
    if moment - local > _HALF_DAY:
        moment -= dt.timedelta(days=1)
    elif local - moment > _HALF_DAY:
        moment += dt.timedelta(days=1)
    return moment.astimezone(dt.UTC)


def _from_list(
    items: Sequence[Any], spec: Transcript, people: People, start: dt.datetime, zone: ZoneInfo
) -> list[RawTurn]:
    turns: list[RawTurn] = []
    near = start
    for entry in items[:MAX_TURNS]:
        item = {"text": entry} if isinstance(entry, str) else entry
        if not isinstance(item, dict):
            continue
        said = _first(item, spec.text_key, _TEXT_KEYS)
        said = plain_html(said) if spec.html else said
        if not said:
            continue
        name = _first(item, spec.name_key, _NAME_KEYS)
        role = people.role_of(name, _first(item, spec.role_key, _ROLE_KEYS), spec.roles) or "customer"
        at = _json_time(item, spec.time_key, near, zone)
        near = at or near
        turns.append(RawTurn(role, name, said[:MAX_TURN], at))
    return turns


_BREAK_TAGS = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"<!?/?[A-Za-z-][^<>]{0,2000}>")


def plain_html(text: str) -> str:
    """Return the words of a small piece of HTML."""
    return html.unescape(_TAG.sub("", _BREAK_TAGS.sub("\n", text))).strip()


def _dig(item: Mapping[str, Any], dotted: str) -> Any:
    value: Any = item
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _first(item: Mapping[str, Any], key: str, others: Sequence[str]) -> str:
    """Return the text under the mapping's key, or under one of the usual ones."""
    for name in (key, *others):
        value = _dig(item, name)
        if value is not None and not isinstance(value, dict | list) and text_of(value):
            return text_of(value)
    return ""


def _json_time(item: Mapping[str, Any], key: str, near: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    for name in (key, *_TIME_KEYS):
        value = _dig(item, name)
        if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?", value.strip()):
            return _place(value.strip(), near, zone)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            try:
                return moment_of(value, zone)
            except ValueError:
                continue
    return None
