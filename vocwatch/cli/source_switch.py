"""`vocwatch source stop-all` and `resume-all`: the global kill switch."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlers import stop
from vocwatch.cli.context import Context, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr


def register(group: typer.Typer) -> None:
    """Add this module's commands to `vocwatch source`."""
    group.command("stop-all", help="总开关：所有来源立即停止采集，正在跑的也停")(stop_all_command)
    group.command("resume-all", help="总开关：恢复采集")(resume_all_command)


def stop_all_command(
    context: typer.Context, reason: Annotated[str, typer.Option(help="为什么停，会写进每个来源的结果")],
) -> None:
    """Throw the global kill switch: no source sends another request, crawls under way included."""
    state: Context = context.obj
    try:
        path = stop.stop_all(state.settings, reason)
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(
            f"写不了停止文件：{error}。也可在 vocwatch.yaml 写 crawler.stopped: true",
            f"Cannot write the stop file: {error}. Or set crawler.stopped: true in vocwatch.yaml")) from error
    say(tr(f"已全部停止（{path}）。恢复：vocwatch source resume-all",
           f"Everything is stopped ({path}). To resume: vocwatch source resume-all"))


def resume_all_command(context: typer.Context) -> None:
    """Release the global kill switch."""
    state: Context = context.obj
    try:
        was = stop.resume_all(state.settings)
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(f"删不了停止文件：{error}", f"Cannot remove the stop file: {error}")) from error
    left = stop.stopped(state.settings)
    if left is not None:
        raise Stop(Exit.CONFIGURATION, tr(f"仍然停着：{left}。请改回 false", f"Still stopped: {left}. Set it to false"))
    say(tr("已恢复采集", "Crawling is on again") if was else tr("本来就没有停", "Nothing was stopped"))
