"""Commands of the standing work: schedule, status."""

from __future__ import annotations

from typing import Any

import typer

from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.exits import Exit
from vocwatch.lang import listed, tr
from vocwatch.schedule import serve_schedule
from vocwatch.schedule.status import status

STATES = {
    "running": ("正在做", "running"), "waiting": ("没做过", "waiting"), "done": ("做完", "done"), "failed": ("没做成", "failed"),
    "merged": ("并入", "merged"),
}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("schedule")(schedule_command)
    app.command("status")(status_command)


def schedule_command(context: typer.Context) -> None:
    """Stay and work by the clock until interrupted."""
    state: Context = context.obj
    serve_schedule(state.settings, state.store, say)


def status_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """Say what the schedule does. Exit code 6 where no scheduler lives, or something is wrong."""
    state: Context = context.obj
    found = status(state.settings, state.store)
    alive = [one for one in found["schedulers"] if one["state"] in ("running", "stopping")]
    if as_json:
        print_json(found)
    else:
        _show(found, alive)
    if not alive or found["heartbeat"]["trouble"]:
        raise typer.Exit(Exit.INCOMPLETE)


def _show(found: dict[str, Any], alive: list[dict[str, Any]]) -> None:
    for one in found["schedulers"]:
        words = {"running": tr("在运行", "running"), "stopping": tr("正在停", "stopping"), "stopped": tr("已停", "stopped"),
                 "silent": tr("没有声息，可能已死", "silent, perhaps dead")}[one["state"]]
        print_lines([tr(f"常驻进程 {one['id']}：{words}，最近 {one['seen_at']}", f"Scheduler {one['id']}: {words}, seen {one['seen_at']}")])
        if one["problem"]:
            print_lines([tr("  配置有问题，按上一份运行：", "  keeps to the last good configuration:"), *(f"  {line}" for line in one["problem"].splitlines())])
    if not alive:
        print_lines([tr("没有常驻进程在运行：vocwatch schedule", "No scheduler is running: vocwatch schedule")])
    print_rows([{**row, "state": tr(*STATES[row["state"]])} for row in found["jobs"]], {
        "job": tr("事项", "Job"), "state": tr("状态", "State"), "next_due": tr("下次", "Next"),
        "last_ended": tr("上次做完", "Last ended"), "failures": tr("连续失败", "Failures"), "note": tr("说明", "Note"),
    }, False)
    for one in found["leases"]:
        print_lines([tr(f"租约 {one['lane']}：{one['owner']}，{one['since']} 起", f"Lease {one['lane']}: {one['owner']} since {one['since']}")])
    beat = found["heartbeat"]
    print_lines([tr(f"心跳：{beat['given_at'] or '还没有'}", f"Heartbeat: {beat['given_at'] or 'none yet'}")])
    if beat["trouble"]:
        print_lines([tr(f"异常：{beat['trouble']}", f"Trouble: {beat['trouble']}")])
    if found["outbox"]:
        print_lines([tr("发件箱：", "Outbox: ") + listed(f"{name} {number}" for name, number in found["outbox"].items())])
