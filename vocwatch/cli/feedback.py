"""`vocwatch feedback`: what people say of findings, what others object to, and how it is settled."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from reports.calibration_meeting import Matter, as_lines, as_rows, matters
from sentiment.evaluation import CLASSES
from sentiment.training.labels import read_label
from vocwatch.cli.context import (
    Context,
    JsonOption,
    print_json,
    print_lines,
    print_rows,
    say,
    user_name,
)
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.masking import mask
from vocwatch.plain import safe_cell
from vocwatch.store import feedback, objections
from vocwatch.store.objections import ObjectionError

_CHANNEL = "cli"
_SAY = "say"
WhoOption = Annotated[str, typer.Option("--by", help="谁；默认当前系统用户")]
NoteOption = Annotated[str, typer.Option(help="备注")]
_STATES = {
    None: "", "open": ("待裁定", "open"), "upheld": ("异议成立", "upheld"), "overruled": ("维持原判", "overruled"),
    "withdrawn": ("已撤回", "withdrawn"),
}


class _Group(TyperGroup):
    """`vocwatch feedback ID 说法` is `vocwatch feedback say ID 说法`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `say` before what is no command of the group."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_SAY, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(cls=_Group, no_args_is_help=True)
    group.command(_SAY, help="对提及、会话或事件说一句：准、不准、误报、漏报、重复、已转派、已处置（say 可省）")(say_command)
    group.command("list", help="列出反馈，新的在前；编号用于 object")(list_command)
    group.command("object", help="对别人的一条反馈提异议；裁定之前它不参与学习")(object_command)
    group.command("settle", help="裁定一条异议：由反馈和异议双方以外的人来定")(settle_command)
    group.command("disputes", help="校准会清单：一周里有争议的判断；文本、JSON 或 CSV")(disputes_command)
    app.add_typer(group, name="feedback")


def say_command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="ID", help="事件编号、提及的编号或网址、会话编号")],
    verdict: Annotated[str, typer.Argument(help="准、不准、误报、漏报、重复、已转派、已处置")],
    label: Annotated[str, typer.Option(help="应该是：负、中、正")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="应该是的主题 大类/小类，可写多次")] = None,
    level: Annotated[str, typer.Option(help="事件应该定的等级：红、橙、黄、蓝、无（不该上榜）")] = "",
    date: Annotated[str, typer.Option(help="说的是事件的哪个业务日，默认最近上榜的那天")] = "",
    note: NoteOption = "",
    who: Annotated[str, typer.Option("--by", "--who", help="谁说的；默认当前系统用户")] = "",
    as_json: JsonOption = False,
) -> None:
    """Store what somebody says of a finding. It feeds `train` and `calibrate`; it changes nothing by itself."""
    state: Context = context.obj
    said = _verdict(verdict, feedback.VERDICTS)
    right, topics = _right(state, label, topic, level)
    with state.store.begin() as connection:
        found = feedback.find(connection, subject, state.date(date) if date else None)
        if (level or date) and any(each.kind != feedback.INCIDENT for each in found):
            raise Stop(Exit.USAGE, tr("--level 和 --date 只用于事件（INC-…）", "--level and --date are for incidents (INC-…)"))
        if len(found) != 1:
            kinds = Counter(each.kind for each in found)
            why = tr("没有这个提及、会话或事件", "No such mention, session or incident") if not found else tr(
                f"有 {len(found)} 个都叫这个（{dict(kinds)}），请写提及的网址或事件编号", f"{len(found)} are called so ({dict(kinds)})")
            raise Stop(Exit.USAGE, tr(f"{subject}：{why}", f"{subject}: {why}"))
        entry = feedback.Feedback(found[0], said, user_name(who), _CHANNEL, state.now, right, topics, mask(note) or None)
        feedback.save(connection, entry)
    if as_json:
        print_json({"subject_kind": found[0].kind, "subject_id": found[0].id, "verdict": said, "label": right, "who": entry.who})
        return
    learner = "calibrate" if found[0].kind == feedback.INCIDENT else "train"
    say(tr(f"已记下。攒够了用 vocwatch {learner} 学进去；现在的判定不变", f"Noted. `vocwatch {learner}` learns from it; judgements stay as they are"))


def list_command(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="最多几条")] = 1000,
    as_json: JsonOption = False,
) -> None:
    """List the feedback there is."""
    state: Context = context.obj
    with state.store.read() as connection:
        rows = feedback.rows(connection, limit)
    if as_json:
        print_json(rows)
        return
    shown = [{**row, "objection": tr(*words) if (words := _STATES[row["objection"]]) else ""} for row in rows]
    print_rows(shown, {
        "id": tr("编号", "Id"), "at": tr("时间", "At"), "subject_kind": tr("对象", "Kind"), "subject_id": "ID",
        "verdict": tr("说法", "Verdict"), "label": tr("应该是", "Right label"), "note": tr("备注", "Note"),
        "who": tr("谁", "Who"), "objection": tr("异议", "Objection"),
    }, False)


def object_command(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="反馈的编号，见 vocwatch feedback list")],
    reason: Annotated[str, typer.Option(help="理由（必填）")],
    who: WhoOption = "",
    as_json: JsonOption = False,
) -> None:
    """Object to somebody else's word."""
    state: Context = context.obj
    name = user_name(who)
    try:
        with state.store.begin(durable=True) as connection:
            made = objections.raise_one(connection, number, name, mask(reason), state.now)
    except ObjectionError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    if as_json:
        print_json({"objection": made, "feedback": number, "who": name, "state": objections.OPEN})
        return
    say(tr(f"异议 {made} 已记下；裁定之前这条反馈不参与学习", f"Objection {made} noted; until it is settled nothing is learned from that word"))


def settle_command(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="异议的编号，见 vocwatch feedback disputes")],
    verdict: Annotated[str, typer.Argument(help="裁定：准、不准、误报、漏报、重复")] = "",
    label: Annotated[str, typer.Option(help="应该是：负、中、正")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="应该是的主题 大类/小类，可写多次")] = None,
    level: Annotated[str, typer.Option(help="事件应该定的等级：红、橙、黄、蓝、无")] = "",
    note: NoteOption = "",
    take_back: Annotated[bool, typer.Option("--withdraw", help="撤回自己提的异议")] = False,
    who: WhoOption = "",
    as_json: JsonOption = False,
) -> None:
    """Settle an objection, or take it back."""
    state: Context = context.obj
    name = user_name(who)
    try:
        with state.store.begin(durable=True) as connection:
            if take_back:
                objections.withdraw(connection, number, name, state.now, mask(note))
                ended = objections.WITHDRAWN
            else:
                right, topics = _right(state, label, topic, level)
                said = _verdict(verdict, feedback.SPOKEN)
                ended = objections.settle(
                    connection, number, said, name, state.now, note=mask(note), label=right, topics=topics
                )
    except ObjectionError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    if as_json:
        print_json({"objection": number, "state": ended, "settled_by": name})
        return
    say(tr(f"异议 {number}：{_STATES[ended][0]}", f"Objection {number}: {_STATES[ended][1]}"))


def disputes_command(
    context: typer.Context,
    until: Annotated[str, typer.Option("--to", help="这一周到哪个业务日为止，默认昨天；today 为今天")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="输出 CSV（带 BOM，表格软件可直接打开）")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what the calibration meeting of a week has to look at."""
    state: Context = context.obj
    last = state.date(until)
    found = matters(state.settings, state.store, last)
    if as_json:
        print_json([matter.as_dict() for matter in found])
    elif as_csv:
        _write_csv(found)
    else:
        print_lines(as_lines(found, last))


def _write_csv(found: list[Matter]) -> None:
    rows = as_rows(found)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([[safe_cell(value) for value in row] for row in rows])
    sys.stdout.write("\ufeff" + text.getvalue())


def _verdict(word: str, known: tuple[str, ...]) -> str:
    found = feedback.CODES.get(word, word)
    if found not in known:
        english = [code for code, verdict in feedback.CODES.items() if verdict in known]
        raise Stop(Exit.USAGE, tr(f"没有说法“{word}”，可以是：{'、'.join(known)}", f"No verdict {word}; use one of {', '.join(english)}"))
    return found


def _right(
    state: Context, label: str, topic: list[str] | None, level: str
) -> tuple[str | None, tuple[str, ...] | None]:
    """Return what would have been right, checked: a sentiment or a level, and topics."""
    number = read_label(label) if label else None
    if label and number is None:
        raise Stop(Exit.USAGE, tr(f"看不懂 --label {label}，请写 负、中 或 正", f"Not a label: {label}. Write negative, neutral or positive"))
    leaves = {f"{group.name}/{leaf.name}" for group in state.settings.topics.topics for leaf in group.leaves}
    if unknown := [name for name in topic or () if name not in leaves]:
        raise Stop(Exit.USAGE, tr(f"没有这个主题：{'、'.join(unknown)}", f"No such topic: {', '.join(unknown)}"))
    if level and level not in feedback.LEVELS:
        raise Stop(Exit.USAGE, tr(f"没有等级 {level}，可写：{'、'.join(feedback.LEVELS)}", f"No level {level}; write one of {', '.join(feedback.LEVELS)}"))
    return level or (None if number is None else CLASSES[number].value), tuple(topic) if topic else None
