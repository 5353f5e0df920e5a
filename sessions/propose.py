"""Proposing a mapping for an export that no shipped one fits: from the names of its columns and what stands in them."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz

from sessions.headers import SEARCHED_ROWS, PathFinder, fit_row, header_key
from sessions.problems import ImportRefused, RowProblem
from sessions.tables import Table, open_tables
from sessions.transcript import People, parse_transcript
from sessions.values import Cell, flag_of, moment_of, number_of, seconds_of, text_of, word_of
from vocwatch.lang import tr
from vocwatch.masking import mask_with_report
from vocwatch.models import Path as QcPath
from vocwatch.settings import SessionMap, Settings
from vocwatch.settings.session_maps import TOTALS, Target, Transcript

SAMPLE = 200  # rows that are looked at
_ALIKE = 74  # of 100, from which on a name is taken for a known one
_ROLE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("买家", "顾客", "客户", "访客", "用户", "消费者", "会员", "buyer", "customer", "client", "visitor", "user", "consumer", "guest", "end-user", "lead", "contact"), "customer"),
    **dict.fromkeys(("客服", "商家", "卖家", "坐席", "店铺", "小二", "staff", "agent", "seller", "merchant", "admin", "operator", "service", "kefu"), "agent"),
    **dict.fromkeys(("系统", "机器人", "智能客服", "system", "bot", "robot"), "system"),
}
_KEYS: Mapping[str, tuple[str, ...]] = {
    "role_key": ("role", "sender_type", "sendertype", "fromtype", "author.role", "author.type", "from", "type", "who", "direction", "角色"),
    "text_key": ("text", "content", "message", "body", "plain_body", "msg", "said", "内容", "消息"),
    "name_key": ("nick", "name", "nickname", "author.name", "sender", "sender.name", "from", "昵称"),
    "time_key": ("time", "created_at", "at", "timestamp", "sent_at", "createtime", "时间"),
}


@dataclass(frozen=True)
class Placed:
    """One column of the file: the field it is taken for, or None; and why."""

    column: str
    target: Target | None
    why: str


@dataclass(frozen=True)
class Proposal:
    """A mapping for a file, what each column was taken for, and what a person has to settle."""

    mapping: dict[str, Any]
    placed: tuple[Placed, ...]
    open: tuple[str, ...]
    sheet: str | None = None


@dataclass
class _Column:
    index: int
    name: str
    cells: list[Cell] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        return [word for word in map(word_of, self.cells) if word]

    def share(self, test: Callable[[Cell], bool]) -> float:
        filled = [cell for cell in self.cells if isinstance(cell, list | dict) or word_of(cell)]
        return sum(map(test, filled)) / len(filled) if filled else 0.0


def propose(settings: Settings, path: Path, name: str) -> Proposal:
    """Propose a mapping called `name` for the sessions (or daily totals) of an export.

    Raises ImportRefused where the file cannot be read or has no table.
    """
    known = [item for item in settings.session_maps.values() if item.reviews is None]
    vocabulary = _vocabulary(known)
    best: tuple[int, Proposal] | None = None
    for table in open_tables(path, [name for item in known for name in item.records]):
        columns, header = _columns(table, vocabulary)
        if columns:
            found = _propose(settings, path, name, table, columns, header, vocabulary)
            score = sum(one.target is not None for one in found.placed)
            if best is None or score > best[0]:
                best = score, found
    if best is None:
        raise ImportRefused(tr(f"{path}: 没有找到表头和行", f"{path}: no header and rows were found"))
    return best[1]


def _vocabulary(maps: Iterable[SessionMap]) -> dict[str, dict[Target, int]]:
    """The names that the shipped mappings know: for each the fields it stands for, and how often."""
    words: dict[str, dict[Target, int]] = {}
    for item in maps:
        for target, names in item.columns.items():
            for place, word in enumerate(names):
                fields = words.setdefault(header_key(word), {})
                fields[target] = fields.get(target, 0) + max(1, 5 - place)
    return words


def _columns(table: Table, vocabulary: Mapping[str, Mapping[Target, int]]) -> tuple[list[_Column], tuple[str, ...]]:
    """The header is the row of the first twenty with the most known names, or the first wide one."""
    rows = [item[1] for item in itertools.islice(table.rows, SAMPLE) if not isinstance(item, RowProblem)]
    if len(rows) < 2:
        return [], ()

    def weight(number: int) -> tuple[int, int, int]:
        names = [header_key(cell) for cell in rows[number] if not isinstance(cell, list | dict) and text_of(cell)]
        short = sum(len(name) <= 30 for name in names)
        return sum(name in vocabulary for name in names), short, -number

    top = 0 if table.headed else max(range(min(len(rows) - 1, SEARCHED_ROWS)), key=weight)
    header = tuple(text_of(cell) for cell in rows[top])
    found = [_Column(index, title) for index, title in enumerate(header) if title]
    for row in rows[top + 1:]:
        for column in found:
            column.cells.append(row[column.index] if column.index < len(row) else None)
    return found, header


def _propose(
    settings: Settings, path: Path, name: str, table: Table, columns: Sequence[_Column], header: tuple[str, ...],
    vocabulary: Mapping[str, Mapping[Target, int]],
) -> Proposal:
    zone = settings.app.zone
    scored = sorted(
        ((score, column, target, why) for column in columns for target, score, why in _candidates(column, vocabulary, zone)),
        key=lambda item: (-item[0], item[1].index),
    )
    taken: dict[Target, str] = {}
    placed: dict[int, Placed] = {}
    for score, column, target, why in scored:
        if column.index not in placed and target not in taken and score >= 1:
            taken[target] = column.name
            placed[column.index] = Placed(column.name, target, why)
    for column in columns:
        placed.setdefault(column.index, Placed(column.name, None, _unplaced(column, taken, scored)))
    mapping, asks = _mapping(name, path, table, columns, taken, header, vocabulary, zone)
    return Proposal(mapping, tuple(placed[column.index] for column in columns), tuple(asks), table.sheet)


Candidate = tuple[Target, float, str]


def _candidates(column: _Column, vocabulary: Mapping[str, Mapping[Target, int]], zone: ZoneInfo) -> list[Candidate]:
    """Fields that a column may be: by its name, by a like name, by what stands in it. 1 and above is enough."""
    key = header_key(column.name)
    values = _by_values(column, zone)
    found: list[Candidate] = []
    for target, weight in vocabulary.get(key, {}).items():
        if _possible(target, column, zone):
            found.append((target, 3 + weight / 100 + 0.2 * (target in values), tr("列名是常见写法", "a usual name")))
    if not found:
        near = [(_likeness(key, word), word, fields) for word, fields in vocabulary.items()]
        for ratio, word, fields in sorted(near, key=lambda item: -item[0])[:5]:
            found += [
                (target, 1 + ratio / 100 + 0.2 * (target in values), tr(f"列名像“{word}”", f"the name is like “{word}”"))
                for target in fields if ratio >= _ALIKE and _possible(target, column, zone)
            ]
    found += [(target, 1.0, why) for target, why in values.items() if target not in {item[0] for item in found}]
    return found


def _likeness(name: str, word: str) -> float:
    """0 to 100; a name that another begins with (宝贝, 宝贝名称) is like it."""
    shorter, longer = sorted((name, word), key=len)
    if len(shorter) >= 2 and not shorter.isascii() and longer.startswith(shorter):
        return max(fuzz.ratio(name, word), _ALIKE + len(shorter) / len(longer))
    return fuzz.ratio(name, word)


def _possible(target: Target, column: _Column, zone: ZoneInfo) -> bool:
    """Whether the values allow what the name says; a column without values allows everything."""
    if not column.words and not column.share(lambda cell: isinstance(cell, list | dict)):
        return True
    if target in ("started_at", "ended_at", "said_at", "day"):
        return column.share(lambda cell: _is_time(cell, zone)) >= 0.8
    if target in TOTALS or target == "amount":
        return column.share(lambda cell: _reads(number_of, cell)) >= 0.8
    if target == "response_seconds":
        return column.share(lambda cell: _reads(seconds_of, cell)) >= 0.8
    if target == "sku":
        return column.share(lambda cell: not re.search("[\u4e00-\u9fff]{2}", text_of(cell))) >= 0.8
    if target == "resolved":
        return column.share(lambda cell: _reads(flag_of, cell)) >= 0.8
    return True


def _by_values(column: _Column, zone: ZoneInfo) -> dict[Target, str]:
    """Fields that the values alone are enough for."""
    found: dict[Target, str] = {}
    if column.share(_is_chat) >= 0.5:
        found["transcript"] = tr("内容是多句对话", "the cells hold a chat of several turns")
    words = column.words
    if not words:
        return found
    paths = {path.value for path in QcPath}
    if sum(word in paths for word in words) >= 0.5 * len(words):
        found["path"] = tr("取值是质检路径", "the values are quality-check paths")
    if column.share(lambda cell: _is_time(cell, zone) and bool(re.search(r"\d:\d\d", text_of(cell)))) >= 0.9:
        found["started_at"] = tr("取值是时间", "the values are moments")
    if len(set(words)) <= 8 and sum(bool(re.search("满意|好评|差评|中评", word)) for word in words) >= 0.6 * len(words):
        found["rating"] = tr("取值是满意度", "the values are ratings")
    if all(re.fullmatch(r"\d{15,22}", word) for word in words) and len(set(words)) > 0.5 * len(words):
        found["order"] = tr("取值像订单号", "the values look like order numbers")
    if (
        not found and len(words) == len(column.cells) == len(set(words))
        and all(re.fullmatch(r"[A-Za-z]{0,6}[-_]?\d[\w-]{0,40}", word, re.A) for word in words)
        and not mask_with_report("\n".join(words[:20]))[1]
    ):
        found["native_id"] = tr("每行不同，像编号", "different in each row, like an id")
    if sum(bool(re.search("旗舰店|专营店|专卖店", word)) for word in words) >= 0.6 * len(words) and not found:
        found["shop"] = tr("取值是店名", "the values are shops")
    return found


def _is_time(cell: Cell, zone: ZoneInfo) -> bool:
    try:
        moment_of(cell, zone)
    except (ValueError, OverflowError):
        return False
    return True


def _reads(read: Callable[[Cell], object], cell: Cell) -> bool:
    try:
        return read(cell) is not None
    except (ValueError, OverflowError):
        return False


def _is_chat(cell: Cell) -> bool:
    if isinstance(cell, list):
        return bool(cell) and isinstance(cell[0], dict)
    if isinstance(cell, dict):
        return any(_is_chat(value) for value in cell.values() if isinstance(value, list))
    text = text_of(cell)
    return text.startswith("[{") or (text.count("\n") >= 1 and bool(re.search("客服|买家|顾客|客户|访客|用户|\\d:\\d\\d", text)))


def _unplaced(column: _Column, taken: Mapping[Target, str], scored: Sequence[tuple[float, _Column, Target, str]]) -> str:
    """Say why a column was not placed."""
    for _, other, target, _ in scored:
        if other is column and target in taken:
            return tr(f"像 {target}，但“{taken[target]}”更像", f"like {target}, but “{taken[target]}” is liker")
    words = column.words
    if not words:
        return tr("没有值", "no values")
    kinds = mask_with_report("\n".join(words[:20]))[1]
    if kinds:
        return tr(f"列名不认识，取值像{next(iter(kinds))}；不导入最稳妥", "unknown name, and the values look personal; safest left out")
    return tr("列名不认识，取值也看不出是什么", "unknown name, and the values do not tell")


def _mapping(
    name: str, path: Path, table: Table, columns: Sequence[_Column], taken: Mapping[Target, str], header: tuple[str, ...],
    vocabulary: Mapping[str, Mapping[Target, int]], zone: ZoneInfo,
) -> tuple[dict[str, Any], list[str]]:
    """The mapping file, and what is missing in it or was guessed."""
    asks: list[str] = []
    mapping: dict[str, Any] = {
        "name": name, "title": tr(f"{path.name[:60]} 的格式", f"as {path.name[:60]}"),
        "columns": {target: [column] for target, column in taken.items()},
    }
    if "transcript" not in taken and "review" not in taken and "said" not in taken and set(taken) & set(TOTALS):
        if "started_at" in taken and "day" not in taken:
            mapping["columns"]["day"] = mapping["columns"].pop("started_at")
        return {**mapping, "required": ["day"], "totals": True}, asks
    required: list[Target] = ["native_id", "started_at", "said" if "said" in taken and "transcript" not in taken else "transcript"]
    mapping["required"] = required
    if "native_id" not in taken:
        parts = [part for part in ("order", "buyer", "agent") if part in taken]
        if parts and "started_at" in taken:
            mapping["identity"] = [parts[0], "started_at"]
        else:
            asks.append(tr("没有找到会话编号，也没有订单号（或买家）可以合成：请指定 native_id", "no session id, nor an order (or buyer) to make one of: say which column is native_id"))
    if "started_at" not in taken and "ended_at" not in taken:
        asks.append(tr("没有找到开始时间：请指定 started_at", "no starting time: say which column is started_at"))
    if not {"transcript", "review", "said"} & set(taken):
        asks.append(tr("没有找到聊天记录：请指定 transcript", "no chat: say which column is transcript"))
    spec, told = _transcript(columns, taken, zone)
    if spec:
        mapping["transcript"] = spec
    asks += told
    _paths(mapping, path, table.sheet, taken, header, vocabulary)
    return mapping, asks


def _paths(
    mapping: dict[str, Any], path: Path, sheet: str | None, taken: Mapping[Target, str], header: tuple[str, ...],
    vocabulary: Mapping[str, Mapping[Target, int]],
) -> None:
    """Without anything that names the path, the rows are judged one by one."""
    draft = SessionMap.model_validate({**mapping, "required": []})
    named = PathFinder(fit_row(draft, 0, header), sheet, path.stem).named
    if "path" not in taken and not named:
        mapping["judge"] = {}
        own = [name for name in header if name and header_key(name) not in vocabulary]
        if own:
            mapping["marks"] = own[:6]


def _transcript(
    columns: Sequence[_Column], taken: Mapping[Target, str], zone: ZoneInfo
) -> tuple[dict[str, Any], list[str]]:
    """How the chat is read: the keys of a list, or heads of lines; and who speaks."""
    if "said" in taken and "transcript" not in taken:
        roles = _roles(_words_of(columns, taken.get("speaker_role")))
        return {"style": "rows", **({"roles": roles} if roles else {})}, []
    cells = next((column.cells for column in columns if column.name == taken.get("transcript")), [])
    lists = [items for items in map(_as_list, cells) if items]
    if lists:
        return _json_spec(lists)
    buyers, agents = (_cells_of(columns, taken.get(target)) for target in ("buyer", "agent"))
    texts = [(text_of(cell), People(text_of(buyer), text_of(agent)))
             for cell, buyer, agent in zip(cells, buyers, agents, strict=False) if text_of(cell)][:50]
    heads = Transcript().model_copy(update={"more_heads": _HEADS})
    start = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    told = [parse_transcript(text, heads, people, start, zone) for text, people in texts]
    clear = sum(sure and {turn.role for turn in turns} >= {"customer", "agent"} for turns, sure in told)
    asks = []
    if texts and clear < 0.5 * len(texts):
        asks.append(tr(
            "聊天记录里多半分不清谁在说话：请在 transcript.roles 里写上角色的叫法，或在 more_heads 里写每句开头的样子",
            "most chats do not tell who speaks: write the roles' names under transcript.roles, or how a turn begins under more_heads",
        ))
    return {"more_heads": list(_HEADS)}, asks


_HEADS = (
    r"^(?P<name>\S.{0,39}?)[ \t]{0,4}[(（](?P<time>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2})?)[)）][:：]?[ \t]?(?P<text>.*)$",
    r"^(?P<name>\S.{0,39}?)[ \t]{1,4}(?P<time>\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[ T]\d{1,2}:\d{2}(?::\d{2})?)[:：]?$",
    r"^[\[【(（]?(?P<time>(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ T])?\d{1,2}:\d{2}(?::\d{2})?)[\]】)）]?[ \t]{0,4}(?P<name>[^\s:：][^:：]{0,39})[:：][ \t]?(?P<text>.*)$",
    r"^(?P<name>\S.{0,39}?)[ \t]{1,4}(?P<time>\d{1,2}:\d{2}:\d{2})$",
    r"^[【\[]?(?P<role>买家|顾客|客户|访客|用户|客服|坐席|商家|卖家|系统|机器人)[】\]]?(?:[(（](?P<name>[^)）]{1,40})[)）])?(?:[:：]|(?<=[】\]]))[ \t]?(?P<text>.*)$",
)


def _as_list(cell: Cell) -> list[dict[str, Any]]:
    import json

    value: Any = cell
    if isinstance(cell, str) and cell.lstrip().startswith("[{"):
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, dict):
        value = next((item for item in value.values() if isinstance(item, list)), [])
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _json_spec(lists: Sequence[Sequence[dict[str, Any]]]) -> tuple[dict[str, Any], list[str]]:
    from sessions.jsonfile import flatten

    turns = [flatten(turn) for items in lists[:50] for turn in items[:50]]
    keys = list(dict.fromkeys(key for turn in turns for key in turn))
    spec: dict[str, Any] = {"style": "json"}
    for option, usual in _KEYS.items():
        found = next((key for word in usual for key in keys if key.lower() == word), None)
        if option == "text_key" and found is None:
            free = [key for key in keys if key != spec.get("role_key")]
            found = max(free, key=lambda key: sum(len(turn[key]) for turn in turns if isinstance(turn.get(key), str)), default=None)
        if found is not None:
            spec[option] = found
    values = {str(turn.get(spec.get("role_key", ""))) for turn in turns} - {"None", ""}
    roles = _roles(values)
    if roles:
        spec["roles"] = roles
    unknown = sorted(values - set(roles))
    if unknown and len(values) <= 12:
        return spec, [tr(f"不知道是谁在说话：{'、'.join(unknown[:8])}。请写进 transcript.roles",
                         f"who is speaking is not clear: {', '.join(unknown[:8])}. Put them under transcript.roles")]
    return spec, []


def _cells_of(columns: Sequence[_Column], name: str | None) -> Iterable[Cell]:
    return next((column.cells for column in columns if column.name == name), itertools.repeat(None))


def _words_of(columns: Sequence[_Column], name: str | None) -> set[str]:
    return {word for column in columns if column.name == name for word in column.words}


def _roles(words: Iterable[str]) -> dict[str, str]:
    found = {}
    for word in sorted(words):
        role = _ROLE_WORDS.get(word.lower()) or next((role for known, role in _ROLE_WORDS.items() if known in word.lower()), None)
        if role and len(word) <= 20:
            found[word] = role
    return found
