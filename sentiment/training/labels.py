"""A team's own labels from a file: CSV or JSON lines with a text and a label, stars, or topics."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE
from sentiment.training.own import OwnText

MOST_BYTES = 64 * 2**20
_FIELD = 1 << 20
_MOST_PROBLEMS = 20
_TEXT = ("text", "正文", "文本", "内容", "评论", "评价", "评论内容", "评价内容", "content", "comment", "review")
_LABEL = ("label", "标签", "情感", "情感标签", "标注", "sentiment", "polarity")
_STARS = ("stars", "星级", "评分", "rating", "score", "星")
_TOPICS = ("topics", "topic", "主题", "问题主题")
_CLASSES = {
    NEGATIVE: ("负", "负面", "负向", "差评", "消极", "negative", "neg", "-1", "−1"),
    NEUTRAL: ("中", "中性", "中评", "中立", "neutral", "neu", "0"),
    POSITIVE: ("正", "正面", "正向", "好评", "积极", "positive", "pos", "1", "+1"),
}
_BY_WORD = {word: label for label, words in _CLASSES.items() for word in words}


class LabelsError(Exception):
    """A file holds nothing to learn from; the message says what it lacks."""


@dataclass
class Labels:
    """What a file gave: texts, lines left out by reason, and the first few problems with their line."""

    texts: list[OwnText] = field(default_factory=list)
    left_out: int = 0
    problems: list[str] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        """Count a line that can't be used."""
        self.left_out += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"第 {line} 行：{why}")


def read_label(value: Any) -> int | None:
    """Return the class of 负/中/正, negative/neutral/positive or −1/0/1; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return _BY_WORD.get(str(value).strip().lower())


def stars_label(stars: float) -> int | None:
    """Return the weak class of stars 1 to 5: 1–2 negative, 3 neutral, 5 positive; None for 4 and in between."""
    if 1 <= stars <= 2:
        return NEGATIVE
    if stars == 3:
        return NEUTRAL
    return POSITIVE if 4.75 <= stars <= 5 else None


def parse(data: bytes, name: str, topics: Collection[str]) -> Labels:
    """Read a file's bytes; `topics` are the names there are. Raises LabelsError when nothing in it can be used."""
    if len(data) > MOST_BYTES:
        raise LabelsError(f"{name}：超过 {MOST_BYTES >> 20} MB，请拆成几份")
    text = _decode(data)
    found = Labels()
    rows = _json_lines(text, found) if text.lstrip()[:1] in ("{", "[") else _csv_rows(text, name)
    for number, row in rows:
        _take(number, row, topics, found)
    if not found.texts:
        why = f"，例如{found.problems[0]}" if found.problems else ""
        raise LabelsError(f"{name}：没有可用的标注{why}。每行要有正文，加上 label（负/中/正）、stars（1–5）或 topics")
    return found


def _decode(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _json_lines(text: str, found: Labels) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            found.refuse(number, "不是一个 JSON 对象")


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;|", key=first.count)
    csv.field_size_limit(_FIELD)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        head = [cell.strip().lower() for cell in next(reader, [])]
        if not any(cell in _TEXT for cell in head):
            raise LabelsError(f"{name}：第一行要写列名，其中有一列叫 text 或 正文；现在是：{'、'.join(head)[:80]}")
        for row in reader:
            if any(row):
                yield reader.line_num, dict(zip(head, row, strict=False))
    except csv.Error as error:
        raise LabelsError(f"{name}：CSV 第 {reader.line_num} 行读不了（{error}）") from None


def _take(number: int, row: Mapping[str, Any], known: Collection[str], found: Labels) -> None:
    fields = {str(key).strip().lower(): value for key, value in row.items()}
    text = _first(fields, _TEXT)
    if not isinstance(text, str) or not text.strip():
        return found.refuse(number, "没有正文")
    given, stars = _first(fields, _LABEL), _first(fields, _STARS)
    label, weak = read_label(given), False
    if given not in (None, "") and label is None:
        return found.refuse(number, f"看不懂标签：{str(given)[:20]}")
    if label is None and stars not in (None, ""):
        try:
            label, weak = stars_label(float(str(stars))), True
        except ValueError:
            return found.refuse(number, f"看不懂星级：{str(stars)[:20]}")
    topics = _topics(_first(fields, _TOPICS), number, known, found)
    if label is None and topics is None:
        return found.refuse(number, "没有可用的标签（四星不算好评也不算差评）")
    found.texts.append(OwnText(text.replace("\0", ""), label, topics, weak))
    return None


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _topics(value: Any, number: int, known: Collection[str], found: Labels) -> tuple[str, ...] | None:
    """Return the topics of a cell; None where it has none. Names that config/topics.yaml lacks are left out, and told."""
    if value is None:
        return None
    if isinstance(value, str):
        for sign in "；;，,|\n":
            value = value.replace(sign, "、")
        value = value.split("、")
    if not isinstance(value, list):
        return None
    names = [str(name).strip() for name in value if str(name).strip()]
    for name in names:
        if name not in known and len(found.problems) < _MOST_PROBLEMS:
            found.problems.append(f"第 {number} 行：没有这个主题：{name[:40]}")
    kept = tuple(dict.fromkeys(name for name in names if name in known))
    return kept if kept or not names else None
