"""`vocwatch watch history`, `diff`, `rollback`, `approve`, `reject`: what the configuration said, and who changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say, user_name
from vocwatch.configuring import WAITING, By, ChangeError, Configuring
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.store.versions import Version

Number = Annotated[int, typer.Argument(help="版本号，见 vocwatch watch history")]
Who = Annotated[str, typer.Option(help="谁做的；不写按系统用户名")]
Note = Annotated[str, typer.Option(help="为什么")]
STATES = {"applied": ("已生效", "applied"), WAITING: ("等人同意", "waiting"), "rejected": ("已驳回", "rejected")}


def register(group: typer.Typer) -> None:
    """Add the commands to `vocwatch watch`."""
    group.command("history", help="监测词和其他配置文件的版本：谁在什么时候改了什么")(history_command)
    group.command("diff", help="一个版本改了哪几行；写两个版本号就两两比较")(diff_command)
    group.command("rollback", help="退回到某个版本（记作新版本，不丢历史）")(rollback_command)
    group.command("approve", help="同意一处等着的红线改动；不能是提交的人自己")(approve_command)
    group.command("reject", help="驳回一处等着的红线改动")(reject_command)


def history_command(
    context: typer.Context,
    watch_id: Annotated[str, typer.Argument(help="监测词 id；不写列出全部")] = "",
    file: Annotated[str, typer.Option(help="配置目录下的文件，如 vocwatch.yaml、sources/forum.yaml；不写为全部")] = "",
    most: Annotated[int, typer.Option(min=1, max=500, help="最多列几个")] = 30,
    as_json: JsonOption = False,
) -> None:
    """List versions of configuration files, newest first."""
    state: Context = context.obj
    found = _configuring(state).history(file, f"watch:{watch_id}" if watch_id else "", limit=most)
    rows = [_row(state, version) for version in found]
    print_rows(rows, {
        "version": tr("版本", "Version"), "at": tr("时间", "Time"), "file": tr("文件", "File"), "entry": tr("哪一条", "Entry"),
        "who": tr("谁", "Who"), "state": tr("状态", "State"), "second": tr("第二个人", "Second person"), "note": tr("说明", "Note"),
    }, as_json)
    if not rows and not as_json:
        say(tr("还没有记录。以后每次改动都会记下", "Nothing is noted yet; every change will be"))


def _row(state: Context, version: Version) -> dict[str, object]:
    at = version.at.astimezone(state.settings.app.zone)
    return {
        "version": version.id, "at": f"{at:%Y-%m-%d %H:%M}", "file": version.file, "entry": version.entry.partition(":")[2],
        "who": version.who, "state": tr(*STATES[version.state]), "second": version.decided_by, "note": version.note,
    }


def diff_command(
    context: typer.Context, version: Number,
    other: Annotated[int | None, typer.Argument(help="和哪个版本比；不写和它之前的那个比")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the lines that a version changed."""
    try:
        lines = _configuring(context.obj).diff(version, other)
    except ChangeError as error:
        raise _stop(error) from error
    if as_json:
        print_json(lines)
    else:
        print_lines(lines)


def rollback_command(context: typer.Context, version: Number, who: Who = "", note: Note = "") -> None:
    """Make a file say again what it said in a version; where red lines differ it waits for a second person."""
    state: Context = context.obj
    try:
        made = _configuring(state).rollback(version, By(user_name(who), "cli", state.now, note))
    except ChangeError as error:
        raise _stop(error) from error
    tell(made)


def approve_command(context: typer.Context, version: Number, who: Who = "") -> None:
    """Agree to a change of a red line; it is made then."""
    state: Context = context.obj
    try:
        made = _configuring(state).approve(version, By(user_name(who), "cli", state.now))
    except ChangeError as error:
        raise _stop(error) from error
    tell(made)


def reject_command(context: typer.Context, version: Number, who: Who = "", note: Note = "") -> None:
    """Turn a waiting change down."""
    state: Context = context.obj
    try:
        _configuring(state).reject(version, By(user_name(who), "cli", state.now, note))
    except ChangeError as error:
        raise _stop(error) from error
    say(tr(f"版本 {version} 已驳回，文件没有动", f"Version {version} is rejected, the file stays as it is"))


def tell(version: Version) -> None:
    """Say what became of a change."""
    if version.state == WAITING:
        say(tr(f"涉及红线，记作版本 {version.id}，等另一个人同意：vocwatch watch approve {version.id}。同意之前按原来的运行",
               f"It concerns a red line: version {version.id} waits for another person: vocwatch watch approve {version.id}"))
    else:
        say(tr(f"已写入 {version.file}（版本 {version.id}）。旧文本要重判：vocwatch analyse --rebuild",
               f"Written to {version.file} (version {version.id}). To judge old texts again: vocwatch analyse --rebuild"))


def _configuring(state: Context) -> Configuring:
    return Configuring(state.env, state.store)


def _stop(error: ChangeError) -> Stop:
    code = {"unwritable": Exit.STORAGE, "invalid": Exit.CONFIGURATION}.get(error.kind, Exit.USAGE)
    return Stop(code, "\n".join(error.problems))
