"""Cells to values: text, ids, times, numbers. Everything in a cell is data, never a formula or markup."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from zoneinfo import ZoneInfo

from vocwatch.lang import tr

Cell = object  # str, int, float, bool, a datetime type, None, or a list or dict out of JSON

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")
_BREAKS = re.compile("\r\n?|\u2028|\u2029")
_SHEET_ERRORS = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")
_BLANK = frozenset(("-", "--", "—", "/", "无", "空", "null", "NULL", "None", "N/A", "n/a"))
_WRAPPED = re.compile(r'=?"(.*)"', re.DOTALL)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d{2}")
# A spreadsheet keeps 15 significant digits of a number.
_EXACT_BELOW = 10**15


class LostDigits(ValueError):
    """A long number was stored as a number and lost its last digits."""


def text_of(cell: Cell) -> str:
    """Return the cell as clean text: no control characters, breaks as \\n, no blanks around it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if math.isfinite(cell) and cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    text = _BREAKS.sub("\n", str(cell))
    text = _CONTROL.sub("", text).strip()
    return "" if text.startswith("#") and _SHEET_ERRORS.fullmatch(text) else text


def word_of(cell: Cell) -> str:
    """Return a short value, with the placeholders for "nothing" (-, 无, null …) taken as nothing."""
    text = text_of(cell)
    return "" if text in _BLANK else text


def id_of(cell: Cell) -> str:
    """Return an identifier as text. Raises LostDigits when a spreadsheet rounded it."""
    if isinstance(cell, float) and abs(cell) >= _EXACT_BELOW:
        raise LostDigits
    text = word_of(cell)
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped.group(1).strip()  # ="123…" and "123…" are how exports keep digits
    text = text.removeprefix("'").strip()
    if _SCIENTIFIC.fullmatch(text):
        raise LostDigits
    return text


_TIME = re.compile(
    r"(?P<y>\d{4})(?:[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?|(?P<m2>\d{2})(?P<d2>\d{2}))"
    r"(?:[ T]*(?P<half>上午|下午|凌晨|早上|中午|晚上|[AaPp][Mm])?[ ]*(?P<H>\d{1,2})[:时点](?P<M>\d{1,2})分?"
    r"(?::?(?P<S>\d{1,2})秒?(?:[.,]\d+)?)?[ ]*(?P<half2>[AaPp][Mm])?"
    r"|[ T]?(?P<packed>\d{6}))?[ ]*(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_SERIAL_START = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day zero has no zone
_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def moment_of(cell: Cell, zone: ZoneInfo) -> dt.datetime:
    """Return the cell's moment in UTC; one without an offset is read in `zone`.

    Reads the dates spreadsheets and tools write, ISO 8601, spreadsheet serials, and epoch seconds or
    milliseconds. Raises ValueError with the reason.
    """
    if isinstance(cell, dt.datetime):
        moment = cell
    elif isinstance(cell, dt.date):
        moment = dt.datetime.combine(cell, dt.time())  # the zone is put on below
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        moment = _from_number(float(cell))
    else:
        moment = _from_text(text_of(cell))
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    if moment < _EARLIEST:
        raise ValueError(tr(f"时间早于 2000 年：{text_of(cell)[:40]}", f"a time before 2000: {text_of(cell)[:40]}"))
    return moment


def _from_number(number: float) -> dt.datetime:
    if 20_000 <= number < 80_000:
        return _SERIAL_START + dt.timedelta(seconds=round(number * 86400))
    if 10**9 <= number < 10**10:
        return dt.datetime.fromtimestamp(number, dt.UTC)
    if 10**12 <= number < 10**13:
        return dt.datetime.fromtimestamp(number / 1000, dt.UTC)
    raise ValueError(tr(f"读不出时间：{number:g}", f"not a time: {number:g}"))


def _from_text(text: str) -> dt.datetime:
    shown = unicodedata.normalize("NFKC", text).strip()
    if re.fullmatch(r"\d{10}(?:\d{3})?", shown):
        return _from_number(float(shown))
    match = _TIME.fullmatch(shown)
    if not match:
        raise ValueError(tr(f"读不出时间：{text[:40] or '（空）'}", f"not a time: {text[:40] or '(empty)'}"))
    part = match.groupdict()
    hour, minute, second = int(part["H"] or 0), int(part["M"] or 0), int(part["S"] or 0)
    if part["packed"]:
        hour, minute, second = (int(part["packed"][i:i + 2]) for i in (0, 2, 4))
    half = (part["half"] or part["half2"] or "").lower()
    if half in ("下午", "晚上", "pm") and hour < 12:
        hour += 12
    elif half in ("上午", "凌晨", "am") and hour == 12:
        hour = 0
    try:
        moment = dt.datetime(  # noqa: DTZ001 - the caller puts the zone on
            int(part["y"]), int(part["m"] or part["m2"]), int(part["d"] or part["d2"]), hour, minute, second
        )
    except ValueError as error:
        raise ValueError(tr(f"没有这个时间：{text[:40]}", f"no such time: {text[:40]}")) from error
    if part["zone"]:
        return moment.replace(tzinfo=dt.datetime.strptime(part["zone"].replace(":", ""), "%z").tzinfo)
    return moment


_NUMBER = re.compile(r"[¥￥$]?\s*(-?\d[\d,]*(?:\.\d+)?)\s*(?:元|块|分|星|秒|s|CNY|RMB)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})")
_SPOKEN = re.compile(
    r"(?:(\d+)\s*(?:小时|时|h))?\s*(?:(\d+)\s*(?:分钟|分|m(?:in)?))?\s*(?:(\d+(?:\.\d+)?)\s*(?:秒钟?|s))?"
)


def number_of(cell: Cell) -> float | None:
    """Return an amount or count; None for nothing. Raises ValueError with the reason."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if not math.isfinite(cell):
            raise ValueError(tr("不是数字", "not a number"))
        return float(cell)
    text = unicodedata.normalize("NFKC", word_of(cell))
    if not text:
        return None
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ValueError(tr(f"应为数字，现在是：{text[:40]}", f"expected a number, found: {text[:40]}"))
    return float(match.group(1).replace(",", ""))


def seconds_of(cell: Cell) -> float | None:
    """Return a duration in seconds: a number, 00:01:20, or 1分20秒; None for nothing. Raises ValueError."""
    if isinstance(cell, dt.timedelta):
        return cell.total_seconds()
    if isinstance(cell, dt.time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second
    text = unicodedata.normalize("NFKC", word_of(cell))
    if match := _CLOCK.fullmatch(text):
        return int(match.group(1) or 0) * 3600 + int(match.group(2)) * 60 + int(match.group(3))
    if text and (match := _SPOKEN.fullmatch(text)):
        hours, minutes, seconds = (float(group or 0) for group in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    return number_of(cell)


_UNITS = ((re.compile("毫秒|millisecond|[(（_]ms"), 0.001), (re.compile("分钟?|minute|[(（_]min"), 60.0),
          (re.compile("小时|hour"), 3600.0))


def unit_seconds(name: str) -> float:
    """Return what one unit of a column with this name is in seconds: 首次响应(分钟), reply time in minutes."""
    return next((seconds for pattern, seconds in _UNITS if pattern.search(name)), 1.0)


_YES = re.compile("是|(?:已|一次性)?解决|true|yes|y|1|√|solved|closed|resolved")
_NO = re.compile("否|[未没]解决|未完结|false|no|n|0|×|open|pending|new")


def flag_of(cell: Cell) -> bool | None:
    """Return yes or no; None for nothing. Raises ValueError with the reason."""
    text = word_of(cell).lower()
    if not text:
        return None
    if _YES.fullmatch(text):
        return True
    if _NO.fullmatch(text):
        return False
    raise ValueError(tr(f"应为 是 或 否，现在是：{text[:40]}", f"expected yes or no, found: {text[:40]}"))


_STARS = re.compile(r"([0-5](?:\.\d)?)\s*(?:星|分|颗星|/\s*5)?")


def stars_of(rating: str) -> float | None:
    """Return 0 to 5 stars if the rating says stars (3, 3星, ★★★☆☆), else None."""
    rating = unicodedata.normalize("NFKC", rating)
    if rating and set(rating) <= {"★", "☆"}:
        return float(rating.count("★"))
    match = _STARS.fullmatch(rating)
    return float(match.group(1)) if match else None
