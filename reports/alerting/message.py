"""An alert in at most five lines: level, what, where, how many, what to press."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports.digest.text import posted
from reports.links import link
from vocwatch.lang import tr
from vocwatch.models import Level
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.store.alarms import Standing

LINK_DAYS = 7
MAX_LINES = 5
_SAYS = {"new": ("", ""), "worse": ("升级", "worse"), "calmer": ("缓和", "calmer"), "again": ("未确认，再报", "not acknowledged yet")}
_LEVELS = {"红": "red", "橙": "orange", "黄": "yellow", "蓝": "blue"}
_STATES = {"新增": "new", "升级": "escalated", "持续": "ongoing", "回落": "falling", "复燃": "recurred"}
# What chat programs read as markup or a mention, as its full-width twin.
_INERT = str.maketrans({"<": "＜", ">": "＞", "@": "＠", "[": "［", "]": "］", "`": "＇", "*": "＊"})


def inert(text: object, limit: int = 60) -> str:
    """Return text on one line that no chat or mail program takes for markup, a mention or a link."""
    return one_line(text, limit).translate(_INERT).replace("://", "：／／")


def alert_subject(settings: Settings, alarm: Standing, say: str) -> str:
    """Return the subject of an alert mail."""
    return f"{_head(alarm, say)}{inert(settings.app.brand.name, 40)} {inert(alarm.title)}"


def alert_lines(
    settings: Settings, alarm: Standing, say: str, under: Sequence[Standing], sources: Sequence[tuple[str, int]],
    first: dt.datetime | None, *, now: dt.datetime,
) -> list[str]:
    """Return the alert as it is sent, five lines at most. `under` are lesser alarms that it stands for."""
    product = _product(settings, alarm)
    where = inert(alarm.topic) + (f" · {product}" if product else "") + (f" · {inert(alarm.shop, 40)}" if alarm.shop else "")
    lines = [
        f"{_head(alarm, say)}{inert(settings.app.brand.name, 40)} {inert(alarm.title)}",
        tr(f"{where}，负责 {inert(alarm.owner, 30)}", f"{where}, {inert(alarm.owner, 30)} answers for it"),
        _voices(settings, alarm, under, sources, first),
    ]
    expires = now + dt.timedelta(days=LINK_DAYS)
    address = link(settings.env, "alert", {"incident": alarm.incident}, expires=expires)
    if address:
        lines.append(tr(f"查看、确认、静音：{address}", f"Look, acknowledge, silence: {address}"))
    else:
        lines.append(tr(
            f"查看：vocwatch explain {alarm.incident}　确认：vocwatch alerts ack {alarm.incident}",
            f"Look: vocwatch explain {alarm.incident}  Acknowledge: vocwatch alerts ack {alarm.incident}",
        ))
    if say == "again" and alarm.told:
        since = alarm.told.first_told_at.astimezone(settings.app.zone)
        hours = settings.app.alerts.repeat_hours
        lines.append(tr(
            f"{since:%m-%d %H:%M} 首次预警，还没有人确认；确认前每 {hours:g} 小时再报",
            f"First told {since:%m-%d %H:%M}, nobody has acknowledged it; told every {hours:g} h until then",
        ))
    return lines[:MAX_LINES]


def _head(alarm: Standing, say: str) -> str:
    word = tr(*_SAYS[say])
    if say == "calmer" and alarm.told and alarm.told.level != alarm.level:
        word = tr(f"由{alarm.told.level}降级", f"was {_LEVELS[alarm.told.level]}")
    state = word or tr(alarm.state, _STATES[alarm.state])
    level = Level(alarm.level)
    return tr(f"【{level.value}色预警{level.roman}·{state}】", f"[{_LEVELS[alarm.level]} alert {level.roman}, {state}] ")


def _product(settings: Settings, alarm: Standing) -> str:
    if alarm.product is None:
        return ""
    names = [watch.name for watch in settings.watches.watches if watch.sku == alarm.product]
    return inert(names[0] if names else alarm.product, 40)


def _voices(
    settings: Settings, alarm: Standing, under: Sequence[Standing], sources: Sequence[tuple[str, int]],
    first: dt.datetime | None,
) -> str:
    mentions, sessions = len(alarm.mention_ids), len(alarm.session_ids)
    names = [settings.sources[name].title or name if name in settings.sources else name for name, _ in sources[:3]]
    places = tr("、", ", ").join(inert(name, 20) for name in names)
    said = tr(f"今日独立发声者 {alarm.authors} 名", f"{alarm.authors} independent voices today")
    said += tr(f"；外部 {mentions} 条", f"; {mentions} public") + (f"（{places}）" if places else "")
    if sessions:
        said += tr(f"，客服 {sessions} 个会话", f", {sessions} service sessions")
    if first:
        at = posted(first.astimezone(settings.app.zone))
        said += tr(f"，最早 {at}", f", first {at}")
    if under:
        said += tr(f"；同类另有 {len(under)} 件一并列入", f"; {len(under)} lesser of the kind included")
    return said
