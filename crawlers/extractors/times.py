"""Chinese and English times as sites print them, to aware UTC.

`parse_time` reads absolute, year-less, relative and epoch forms. Year-less dates that would lie in the
future belong to the year before. The precision is what the text really says: second, minute, hour or day; a
span of months or years ("3个月前") gives an approximate moment with the precision "none".
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

Found = tuple[dt.datetime | None, str]
NOTHING: Found = (None, "none")
_SKEW = dt.timedelta(minutes=10)  # two clocks differ; a year does not pass for that
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_WEEKDAYS = {char: number for number, char in enumerate("一二三四五六日")} | {"天": 6}
_AFTERNOON = ("下午", "傍晚", "晚上", "晚间", "夜里", "夜间", "pm", "p.m.")

_CLOCK = re.compile(
    r"(凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|晚间|夜里|夜间|深夜|半夜|am|pm)?\s*"
    r"(?<!\d)(\d{1,2})\s*(?::\s*(\d{1,2})(?!\d)(?::(\d{1,2})(?!\d)(?:\.\d{1,9})?)?|[点时](?!间)\s*(?:(\d{1,2})\s*分?(?:\s*(\d{1,2})\s*秒)?|(半))?)"
    r"\s*([ap]\.?m\.?)?",
    re.I,
)
_OFFSET = re.compile(r"(?:(z|utc|gmt)(?![a-z]))?\s*(?:([+-])(\d{1,2}):?(\d{2})?)?", re.I)
_ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d{2})-(\d{2})[t ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(z|[+-]\d{2}:?\d{2})",
    re.I,
)
# A lunar day beside a solar one repeats it; alone it names no day that could be told without a calendar.
_LUNAR = re.compile(
    r"(?:农历|阴历|旧历|夏历)\s*(?:[\d〇零一二三四五六七八九]{4}年|[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年)?\s*"
    r"闰?[\d正冬腊一二三四五六七八九十]{1,3}月\s*(?:初|廿|卅)?[\d一二三四五六七八九十]{0,3}[日号]?"
)
_USUAL = re.compile(  # 2026-11-03, 2026-11-03 12:05, 2026-11-03T12:05:09+08:00
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?:(Z)|([+-])(\d\d):?(\d\d))?)?", re.ASCII
)
_YMD = re.compile(r"(?<!\d)(\d{4})\s*([-/.年])\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)\s*[日号]?t?")
_SHORT_YEAR = re.compile(r"(?<![\d-])(\d{2})-(\d{1,2})-(\d{1,2})(?![\d-])")
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)")
_MONTH_NAME = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY_MONTH = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH_NAME},?(?:\s+(\d{{4}}))?(?!\d)")
_MONTH_DAY = re.compile(
    rf"(?<![a-z]){_MONTH_NAME}\s+(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,?\s+(\d{{4}})(?!\d))?"
)
_TRAILING_YEAR = re.compile(r"(?<!\d)(\d{4})\s*$")
_YEAR_MONTH = re.compile(r"((?:19|20)\d{2})\s?[-/.年]\s?(\d{1,2})\s?月?")
_RELATIVE_YEAR = re.compile(r"(去年|今年|前年)\s*(\d{1,2})[月./-](\d{1,2})(?!\d)[日号]?")
_MD_CHINESE = re.compile(r"(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})(?!\d)\s*[日号]?")
_MD = re.compile(r"(?<![\d.:/-])(\d{1,2})[-/](\d{1,2})(?![\d/-]|\.\d)")
_DAY_WORD = re.compile(r"(大前天|前天|前日|昨天|昨日|昨晚|今天|今日|今早|今晚|today|yesterday)")
_DAY_SHIFT = {"大前天": 3, "前天": 2, "前日": 2, "昨天": 1, "昨日": 1, "昨晚": 1, "yesterday": 1}
_AGO = re.compile(
    r"(\d{1,6}|[零〇一二两三四五六七八九十百]{1,5}|半|an?\b|one\b)\s*(?:多)?\s*个?\s*(半)?\s*"
    r"(秒钟?|分钟?|小时|钟头|天|日|周|星期|礼拜|月|年|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)\s*(?:之?前|以前|ago)"
)
_TERSE = re.compile(r"(\d{1,4})\s*(s|m|h|d|w|mo|y)(?:\s*ago)?")
_WEEKDAY = re.compile(r"(上上|上|本|这)?\s*(?:个)?(?:周|星期|礼拜)([一二三四五六日天])")
_NOW = re.compile(r"刚刚|刚才|方才|just now|moments? ago|现在")
_UNITS: dict[str, tuple[float, str]] = {
    "秒": (1, "second"),
    "sec": (1, "second"),
    "s": (1, "second"),
    "分": (60, "minute"),
    "min": (60, "minute"),
    "m": (60, "minute"),
    "小时": (3600, "hour"),
    "钟头": (3600, "hour"),
    "hour": (3600, "hour"),
    "hr": (3600, "hour"),
    "h": (3600, "hour"),
    "天": (86400, "day"),
    "日": (86400, "day"),
    "day": (86400, "day"),
    "d": (86400, "day"),
    "周": (604800, "day"),
    "星期": (604800, "day"),
    "礼拜": (604800, "day"),
    "week": (604800, "day"),
    "w": (604800, "day"),
    "月": (2629800, "none"),
    "month": (2629800, "none"),
    "mo": (2629800, "none"),
    "年": (31557600, "none"),
    "year": (31557600, "none"),
    "y": (31557600, "none"),
}


def parse_time(text: object, now: dt.datetime, zone: ZoneInfo) -> Found:
    """Return (moment in UTC, precision), or (None, "none") for what is no time or an impossible one.

    `now` is the moment the page was read and `zone` the site's; both are only used where the text leaves
    something open. The result may lie after `now`: judging that is the caller's.
    """
    if isinstance(text, bool) or text is None:
        return NOTHING
    if isinstance(text, (int, float)):
        return _epoch(float(text))
    if usual := _USUAL.fullmatch(str(text)):
        return _usual(usual, zone)
    plain = unicodedata.normalize("NFKC", str(text)[:300]).replace("\u200b", "").strip().lower()
    plain = " ".join((_LUNAR.sub(" ", plain) if "历" in plain else plain).split())[:200]
    if not plain:
        return NOTHING
    if re.fullmatch(r"\d{9,19}(?:\.\d{1,9})?", plain):
        return _digits(plain, zone)
    local = now.astimezone(zone)
    for read in _READERS:
        try:
            found = read(plain, local, zone)
        except (ValueError, OverflowError):
            return NOTHING
        if found is not None:
            return found
    return NOTHING


def _usual(match: re.Match[str], zone: ZoneInfo) -> Found:
    """The form that most pages use, read without asking all the readers."""
    year, month, day, hour, minute, second, zulu, sign, hours, minutes = match.groups()
    try:
        own: dt.tzinfo = dt.UTC if zulu else zone
        if sign:
            shift = dt.timedelta(hours=int(hours), minutes=int(minutes))
            own = dt.timezone(-shift if sign == "-" else shift)
        moment = dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=own
        )
        return moment.astimezone(dt.UTC), "second" if second else "minute" if hour else "day"
    except (ValueError, OverflowError):
        return NOTHING


def _epoch(seconds: float) -> Found:
    for scale in (1, 1e3, 1e6, 1e9):
        if 6e8 <= seconds / scale <= 4.2e9:
            return dt.datetime.fromtimestamp(int(seconds // scale), dt.UTC), "second"
    return NOTHING


def _digits(plain: str, zone: ZoneInfo) -> Found:
    """Epoch, or the packed 20251230123000."""
    if len(plain) in (12, 14) and plain[:2] in ("19", "20"):
        form = "%Y%m%d%H%M%S" if len(plain) == 14 else "%Y%m%d%H%M"
        try:
            moment = dt.datetime.strptime(plain, form).replace(tzinfo=zone)
            return moment.astimezone(dt.UTC), "second" if len(plain) == 14 else "minute"
        except ValueError:
            pass
    return _epoch(float(plain))


def _build(date: dt.date, rest: str, zone: ZoneInfo) -> Found:
    """Join a date with the clock time (and offset) that `rest` holds, if any."""
    clock = _clock(rest)
    if clock is None:
        return dt.datetime.combine(date, dt.time(), tzinfo=zone).astimezone(dt.UTC), "day"
    time, precision, end = clock
    return dt.datetime.combine(date, time, tzinfo=_offset(rest[end:]) or zone).astimezone(dt.UTC), precision


def _clock(rest: str) -> tuple[dt.time, str, int] | None:
    match = _CLOCK.search(rest)
    if match is None:
        return None
    word, hour_text, minute, second, minute_cn, second_cn, half, suffix = match.groups()
    hour = int(hour_text)
    word = word or (suffix or "").replace(".", "")
    if (word in _AFTERNOON and hour < 12) or (word == "中午" and hour < 4):
        hour += 12
    elif word in ("am", "凌晨", "半夜", "深夜") and hour == 12:
        hour = 0
    minute = minute or minute_cn or ("30" if half else None)
    second = second or second_cn
    precision = "second" if second else "minute" if minute else "hour"
    return dt.time(hour, int(minute or 0), int(second or 0)), precision, match.end()


def _offset(rest: str) -> dt.tzinfo | None:
    match = _OFFSET.match(rest.strip())
    if match is None or not (match.group(1) or match.group(2)):
        return None
    shift = dt.timedelta(hours=int(match.group(3) or 0), minutes=int(match.group(4) or 0))
    return dt.timezone(-shift if match.group(2) == "-" else shift)


def _iso(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _ISO.search(plain)
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    moment = dt.datetime(
        year, month, day, hour, minute, int(match.group(6) or 0), tzinfo=_offset(match.group(7))
    )
    return moment.astimezone(dt.UTC), "second" if match.group(6) else "minute"


def _mail_date(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    if not re.match(r"(?:[a-z]{3,9},\s*)?\d{1,2}[ -][a-z]{3}[a-z]*[ -]\d{2,4}\s+\d{1,2}:\d{2}", plain):
        return None
    moment = parsedate_to_datetime(plain)
    if moment.tzinfo is None:  # "-0000" is UTC by RFC 5322; without any zone it is the site's own time
        moment = moment.replace(tzinfo=dt.UTC if plain.endswith("-0000") else zone)
    return moment.astimezone(dt.UTC), "second" if re.search(r"\d:\d\d:\d\d", plain) else "minute"


def _year_month_day(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _YMD.search(plain)
    if match is None:
        compact = re.fullmatch(r"((?:19|20)\d{2})(\d{2})(\d{2})", plain)
        if compact is None:
            return None
        return _build(dt.date(*(int(part) for part in compact.groups())), "", zone)
    date = dt.date(int(match.group(1)), int(match.group(3)), int(match.group(4)))
    return _build(date, plain[match.end() :], zone)


def _year_month(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    """A month of a year is no date: its first day stands for it, with the precision "none"."""
    match = _YEAR_MONTH.fullmatch(plain)
    if match is None:
        return None
    return _build(dt.date(int(match.group(1)), int(match.group(2)), 1), "", zone)[0], "none"


def _slashed(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _SLASHED.search(plain)
    if match is None:
        short = _SHORT_YEAR.search(plain)
        if short is None:
            return None
        year, month, day = (int(part) for part in short.groups())
        return _build(dt.date(2000 + year, month, day), plain[short.end() :], zone)
    first, second, year = (int(part) for part in match.groups())
    if first <= 12 and second <= 12 and first != second:
        return NOTHING  # 3/4/2026 is a day in March or in April: nobody knows
    month, day = (first, second) if first <= 12 else (second, first)
    return _build(dt.date(year, month, day), plain[match.end() :], zone)


def _english(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    if match := _DAY_MONTH.search(plain):
        day, month, year = int(match.group(1)), _MONTHS[match.group(2)], match.group(3)
    elif match := _MONTH_DAY.search(plain):
        day, month, year = int(match.group(2)), _MONTHS[match.group(1)], match.group(3)
    else:
        return None
    rest = plain[match.end() :]
    if year is None and (tail := _TRAILING_YEAR.search(rest)):  # Fri Jun 14 20:39:20 +0800 2019
        year, rest = tail.group(1), rest[: tail.start()]
    if year is None:
        return _without_year(month, day, rest or plain[: match.start()], local, zone)
    return _build(dt.date(int(year), month, day), rest, zone)


def _relative(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    if match := _AGO.search(plain):
        amount, half, unit = match.groups()
        seconds, precision = _unit(unit)
        number = _number(amount) + (0.5 if half else 0)
        if amount == "半" and precision == "day":
            precision = "hour"
        elif amount == "半" and precision == "hour":
            precision = "minute"
    elif match := _TERSE.fullmatch(plain):
        seconds, precision = _UNITS[match.group(2)]
        number = float(match.group(1))
    elif _NOW.search(plain):
        return local.astimezone(dt.UTC), "minute"
    else:
        return None
    moment = local - dt.timedelta(seconds=seconds * number)
    if (
        precision in ("day", "none") and float(number).is_integer()
    ):  # half a day names an hour, whole days name a day
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.astimezone(dt.UTC).replace(microsecond=0), precision


def _unit(word: str) -> tuple[float, str]:
    for key in (
        word,
        word.rstrip("s"),
        word[:1],
        "minute"[:3] if word.startswith("min") else "",
        "sec" if word.startswith("sec") else "",
    ):
        if key in _UNITS:
            return _UNITS[key]
    return _UNITS["天"]


def _number(text: str) -> float:
    if text.isdigit():
        return float(text)
    if text == "半":
        return 0.5
    if text in ("a", "an", "one"):
        return 1.0
    total, current = 0, 0
    for char in text:
        if char in "十百":
            total += (current or 1) * (10 if char == "十" else 100)
            current = 0
        else:
            current = _DIGITS[char]
    return float(total + current)


def _day_word(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _DAY_WORD.search(plain)
    if match is None:
        return None
    date = local.date() - dt.timedelta(days=_DAY_SHIFT.get(match.group(1), 0))
    rest = ("晚上" if match.group(1) in ("昨晚", "今晚") else "") + plain[match.end() :]
    return _build(date, rest, zone)


def _named_year(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _RELATIVE_YEAR.search(plain)
    if match is None:
        return None
    year = local.year - {"去年": 1, "今年": 0, "前年": 2}[match.group(1)]
    return _build(dt.date(year, int(match.group(2)), int(match.group(3))), plain[match.end() :], zone)


def _month_day(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _MD_CHINESE.search(plain) or _MD.search(plain)
    if match is None:
        return None
    return _without_year(int(match.group(1)), int(match.group(2)), plain[match.end() :], local, zone)


def _without_year(month: int, day: int, rest: str, local: dt.datetime, zone: ZoneInfo) -> Found:
    """The latest such day that is not in the future; 02-29 goes back to a leap year."""
    for year in range(local.year, local.year - 9, -1):
        try:
            date = dt.date(year, month, day)
        except ValueError:
            if (month, day) != (2, 29):
                raise
            continue
        found = _build(date, rest, zone)
        if found[0] is not None and found[0] <= local + _SKEW:
            return found
    return NOTHING


def _weekday(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    match = _WEEKDAY.search(plain)
    if match is None:
        return None
    wanted, monday = _WEEKDAYS[match.group(2)], local.date() - dt.timedelta(days=local.weekday())
    date = monday + dt.timedelta(days=wanted)
    if match.group(1) in ("上", "上上"):
        date -= dt.timedelta(weeks=len(match.group(1)))
    elif date > local.date():
        date -= dt.timedelta(weeks=1)
    return _build(date, plain[match.end() :], zone)


def _time_only(plain: str, local: dt.datetime, zone: ZoneInfo) -> Found | None:
    clock = _clock(plain)
    if clock is None:
        return None
    found = _build(local.date(), plain, zone)
    if found[0] is not None and found[0] > local + _SKEW:
        return _build(local.date() - dt.timedelta(days=1), plain, zone)
    return found


_READERS: tuple[Callable[[str, dt.datetime, ZoneInfo], Found | None], ...] = (
    _iso,
    _mail_date,
    _year_month_day,
    _year_month,
    _slashed,
    _named_year,
    _relative,
    _day_word,
    _english,
    _month_day,
    _weekday,
    _time_only,
)
