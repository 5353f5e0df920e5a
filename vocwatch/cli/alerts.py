"""Commands about red-line alerts: list, acknowledge, silence."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from typing import Annotated, Any

import typer

from reports.alerting import judge
from reports.digest.figures import rising_line
from reports.rising import read_rising
from vocwatch.cli.context import Context, JsonOption, print_json, print_rows, say, user_name
from vocwatch.clock import business_date, parse_moment
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.models import Level
from vocwatch.store import Connection, alarms, alerts

FAST_DAYS = 7
LONGEST_SILENCE = dt.timedelta(days=30)
_SPAN = re.compile(r"(\d{1,4})\s*(m|h|d|分钟|小时|天)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "分钟": "minutes", "小时": "hours", "天": "days"}
_HELD = {
    "": ("", ""), "已报": ("已报", "told"), "已确认": ("已确认", "acknowledged"), "已回落": ("已回落", "falling"),
    "静音": ("静音中", "silenced"), "夜间": ("夜间不打扰，早上报", "waits for the morning"),
    "归入": ("归入同类红色预警", "told with a red one of its kind"), "刚报过，稍后更新": ("刚报过，稍后更新", "told just now"),
}
SinceOption = Annotated[str, typer.Option(help="从哪个业务日起；快速升温不写则看最近 7 天")]
WhoOption = Annotated[str, typer.Option("--by", help="谁；默认当前系统用户")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(alerts_command)
    group.command("list", help="已触发的红线预警和快速升温，以及每条报没报、为什么没报")(list_command)
    group.command("ack", help="确认一个事件的预警：不再重复报，升级时再报")(ack_command)
    group.command("silence", help="静音一个事件、主题或商品：要写原因和期限；日报照常列出")(silence_command)
    group.command("silences", help="列出静音；--end 编号 提前结束")(silences_command)
    app.add_typer(group, name="alerts")


def alerts_command(context: typer.Context, since: SinceOption = "", as_json: JsonOption = False) -> None:
    """List, where no other command is given."""
    if context.invoked_subcommand is None:
        list_command(context, since, as_json)


def list_command(context: typer.Context, since: SinceOption = "", as_json: JsonOption = False) -> None:
    """List raised red-line alerts and fast movers, newest first, and what was said of each."""
    state: Context = context.obj
    first = state.date(since) if since else None
    with state.store.read() as connection:
        raised = [{"kind": "red_line", **row} for row in alerts.listed(connection, first)]
        _add_what_was_said(state, connection, raised)
        rows = sorted([*raised, *_fast(state, connection, first)], key=lambda row: row["raised_at"], reverse=True)
    if as_json:
        print_json(rows)
        return
    fast = tr("快速升温", "fast mover")
    shown = [{**row, "level": row["level"] or fast, "held": tr(*_HELD[row.get("held", "")])} for row in rows]
    print_rows(shown, {
        "raised_at": tr("时间", "Time"), "level": tr("等级", "Level"), "incident_id": tr("事件", "Incident"),
        "title": tr("标题", "Title"), "told_at": tr("最近一次报", "Told last"), "held": tr("状态", "State"),
        "acked_by": tr("确认人", "Acknowledged by"),
    }, False)


def _add_what_was_said(state: Context, connection: Connection, rows: list[dict[str, Any]]) -> None:
    judged = {one.alarm.incident: one for one in judge(state.settings, connection, state.now)}
    told = alarms.all_told(connection, sorted({row["incident_id"] for row in rows}))
    for row in rows:
        found, said = judged.get(row["incident_id"]), told.get(row["incident_id"])
        row |= {
            "told_at": said.told_at if said else None, "rounds": said.round if said else 0,
            "acked_by": said.acked_by if said else None, "acked_at": said.acked_at if said else None,
            "held": found.why_not if found else "", "due": found.say if found else None,
            "silence": found.silence.id if found and found.silence else None,
            "under": found.under.incident if found and found.under else None,
        }


def _fast(state: Context, connection: Connection, first: dt.date | None) -> list[dict[str, Any]]:
    """What rose within hours on the days from `first` on (the last seven) up to the present."""
    today = business_date(state.now, state.settings.app.zone)
    days = (today - (first or today - dt.timedelta(days=FAST_DAYS - 1))).days
    lang = tr("zh", "en")
    return [
        {
            "kind": "fast", "raised_at": found.told_at.astimezone(dt.UTC), "level": None, "incident_id": found.incident,
            "title": f"{found.title(lang)}{tr('：', ': ')}{rising_line(found, lang)}", **found.as_dict(),
        }
        for back in range(days, -1, -1)
        for found in read_rising(state.settings, connection, today - dt.timedelta(days=back))
    ]


def ack_command(
    context: typer.Context,
    incident: Annotated[str, typer.Argument(help="事件编号")],
    who: WhoOption = "",
    note: Annotated[str, typer.Option(help="备注，如已联系谁")] = "",
    as_json: JsonOption = False,
) -> None:
    """Acknowledge an alarm."""
    state: Context = context.obj
    with state.store.begin(durable=True) as connection:
        done = alarms.acknowledge(connection, incident, who=user_name(who), now=state.now, note=note)
        told = alarms.all_told(connection, [incident]).get(incident)
    if not done or told is None:
        raise Stop(Exit.USAGE, tr(f"没有报过事件 {incident} 的预警。现有的：vocwatch alerts list",
                                  f"No alert was sent of {incident}. See vocwatch alerts list"))
    if as_json:
        print_json({"incident": incident, **asdict(told)})
        return
    say(tr(f"{incident} 已由 {told.acked_by} 确认；升级时会再报", f"{incident} acknowledged by {told.acked_by}; told again if it gets worse"))


def silence_command(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="原因（必填）")],
    until: Annotated[str, typer.Option(help="多久或到何时：2h、1d，或 2026-11-16T18:00；至多 30 天")],
    incident: Annotated[str | None, typer.Option(help="事件编号")] = None,
    topic: Annotated[str | None, typer.Option(help="主题：产品质量，或 产品质量/掉漆")] = None,
    product: Annotated[str | None, typer.Option(help="SKU")] = None,
    level: Annotated[str, typer.Option(help="最高静音到哪一级：红 橙 黄 蓝；更高的照报。默认：事件为它现在的等级，其他为橙")] = "",
    who: WhoOption = "",
    as_json: JsonOption = False,
) -> None:
    """Keep something from being told for a while."""
    state: Context = context.obj
    expires = _until(state, until)
    if level and level not in set(Level):
        raise Stop(Exit.USAGE, tr(f"没有等级 {level}，应为 红 橙 黄 蓝", f"No level {level}; use 红 橙 黄 蓝"))
    with state.store.begin(durable=True) as connection:
        try:
            number = alarms.silence(
                connection, reason=reason, who=user_name(who), level=level or _level(state, connection, incident),
                now=state.now, expires_at=expires, incident=incident, topic=topic, product=product,
            )
        except ValueError as error:
            raise Stop(Exit.USAGE, str(error)) from error
        (made,) = [one for one in alarms.all_silences(connection, state.now) if one.id == number]
    if as_json:
        print_json(asdict(made))
        return
    at = expires.astimezone(state.settings.app.zone)
    say(tr(f"静音 {number}：到 {at:%Y-%m-%d %H:%M}，{made.level}色及以下不报；日报照常列出",
           f"Silence {number}: until {at:%Y-%m-%d %H:%M}, up to {made.level}; the digest lists it all the same"))


def _level(state: Context, connection: Connection, incident: str | None) -> str:
    if incident is None:
        return Level.ORANGE.value
    found = [one.alarm.level for one in judge(state.settings, connection, state.now) if one.alarm.incident == incident]
    if not found:
        raise Stop(Exit.USAGE, tr(f"没有事件 {incident} 的预警。现有的：vocwatch alerts list", f"No alert of {incident}. See vocwatch alerts list"))
    return found[0]


def _until(state: Context, text: str) -> dt.datetime:
    span = _SPAN.fullmatch(text.strip())
    try:
        expires = state.now + dt.timedelta(**{_UNITS[span[2]]: int(span[1])}) if span else parse_moment(text, state.settings.app.zone)
    except ValueError as error:
        raise Stop(Exit.USAGE, tr(f"期限看不懂：{text}。请写成 2h、1d 或 2026-11-16T18:00", f"Not an end: {text}. Write 2h, 1d or 2026-11-16T18:00")) from error
    if expires > state.now + LONGEST_SILENCE:
        raise Stop(Exit.USAGE, tr("静音至多 30 天；长期不想报的，请改 config/topics.yaml 的红线", "A silence lasts 30 days at most; for good, change the red lines in config/topics.yaml"))
    return expires


def silences_command(
    context: typer.Context,
    end: Annotated[int | None, typer.Option(help="提前结束这个编号的静音")] = None,
    everything: Annotated[bool, typer.Option("--all", help="连过期的一起列")] = False,
    as_json: JsonOption = False,
) -> None:
    """List silences, or end one."""
    state: Context = context.obj
    with state.store.begin(durable=True) as connection:
        if end is not None and not alarms.end_silence(connection, end, state.now):
            raise Stop(Exit.USAGE, tr(f"没有生效中的静音 {end}", f"No silence {end} holds"))
        rows = [asdict(one) for one in alarms.all_silences(connection, None if everything else state.now)]
    print_rows(rows, {
        "id": tr("编号", "Id"), "incident_id": tr("事件", "Incident"), "topic": tr("主题", "Topic"), "product": "SKU",
        "level": tr("最高等级", "Up to"), "reason": tr("原因", "Reason"), "who": tr("谁", "By"),
        "expires_at": tr("到期", "Expires"), "ended_at": tr("提前结束", "Ended"),
    }, as_json)
