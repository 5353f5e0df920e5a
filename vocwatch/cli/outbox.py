"""Commands about what is sent: list, send now, try again, resume."""

from __future__ import annotations

from typing import Annotated

import typer

from reports.delivery import deliver
from vocwatch.cli.context import Context, JsonOption, print_json, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.store import outbox, pauses

STATES = {
    "waiting": ("待发", "waiting"), "claimed": ("正在发", "being sent"), "retry": ("稍后重试", "to be tried again"),
    "sent": ("已发", "sent"), "dead": ("不再发", "given up"), "paused": ("已退订", "unsubscribed"),
}
_KINDS = {"digest": ("日报", "digest"), "alert": ("预警", "alert"), "notice": ("通知", "notice")}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list", help="发件箱：每封给谁、到哪一步、为什么没发出去")(list_command)
    group.command("send", help="把到时间的都发出去（vocwatch schedule 会自己做）")(send_command)
    group.command("retry", help="立刻再试：没发出去的和放弃了的，或只试这些编号")(retry_command)
    group.command("resume", help="恢复退订的收件人")(resume_command)
    app.add_typer(group, name="outbox")


def list_command(
    context: typer.Context,
    state_name: Annotated[str, typer.Option("--state", help="只看这种：waiting、retry、sent、dead、paused；不写则看没发出去的")] = "",
    kind: Annotated[str, typer.Option(help="只看：digest、alert、notice")] = "",
    everything: Annotated[bool, typer.Option("--all", help="连已发的一起列")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最多几行")] = 200,
    as_json: JsonOption = False,
) -> None:
    """List the outbox, newest first."""
    state: Context = context.obj
    if state_name and state_name not in STATES:
        raise Stop(Exit.USAGE, tr(f"没有状态 {state_name}，可用：{'、'.join(STATES)}", f"No state {state_name}; use one of {', '.join(STATES)}"))
    if kind and kind not in _KINDS:
        raise Stop(Exit.USAGE, tr(f"没有类别 {kind}，可用：{'、'.join(_KINDS)}", f"No kind {kind}; use one of {', '.join(_KINDS)}"))
    states = (state_name,) if state_name else tuple(STATES) if everything else tuple(name for name in STATES if name != "sent")
    with state.store.read() as connection:
        rows = outbox.listed(connection, kind=kind or None, states=states, limit=limit)
    if as_json:
        print_json(rows)
        return
    twice = tr("，可能重复", ", possibly twice")
    print_rows(
        [{**row, "kind": tr(*_KINDS[row["kind"]]), "state": tr(*STATES[row["state"]]) + (twice if row["possibly_twice"] else "")}
         for row in rows],
        {"id": tr("编号", "Id"), "kind": tr("类别", "Kind"), "subject": tr("内容", "Subject"), "channel": tr("渠道", "Channel"),
         "recipient": tr("收件人", "Recipient"), "state": tr("状态", "State"), "attempts": tr("试过几次", "Tries"),
         "next_try_at": tr("下次", "Next try"), "error": tr("原因", "Why")}, False,
    )


def send_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """Send what is due."""
    state: Context = context.obj
    show(state, as_json)


def retry_command(
    context: typer.Context,
    ids: Annotated[list[int] | None, typer.Argument(help="编号；不写则全部")] = None,
    as_json: JsonOption = False,
) -> None:
    """Try again now. What was possibly sent already is sent again with the same Message-ID and a remark."""
    state: Context = context.obj
    with state.store.begin(durable=True) as connection:
        rows = outbox.revive(connection, state.now, ids or ())
    if ids and len(rows) < len(set(ids)):
        missing = sorted(set(ids) - {row["id"] for row in rows})
        say(tr(f"这些编号不能重发（已发出、被取代，或没有）：{missing}", f"These can't be sent again (sent, replaced, or unknown): {missing}"))
    show(state, as_json)


def show(state: Context, as_json: bool = False) -> None:
    """Send what is due and say how it went; exit code 7 where something failed."""
    report = deliver(state.settings, state.store, now=state.now)
    failed = [one for one in report.tried if one.state != "sent"]
    if as_json:
        print_json({"sent": len(report.of("sent")), "retry": len(report.of("retry")), "dead": len(report.of("dead")),
                    "held": report.held, "tried": [one.__dict__ for one in report.tried]})
    else:
        say(tr(f"发出 {len(report.of('sent'))}，稍后重试 {len(report.of('retry'))}，放弃 {len(report.of('dead'))}，等限速 {report.held}",
               f"Sent {len(report.of('sent'))}, to be tried again {len(report.of('retry'))}, given up {len(report.of('dead'))}, held by limits {report.held}"))
        for one in failed:
            say(f"  {one.recipient}: {one.error}")
    if failed:
        raise typer.Exit(Exit.DELIVERY)


def resume_command(
    context: typer.Context,
    recipient: Annotated[str, typer.Argument(help="邮箱地址")],
    which: Annotated[str, typer.Argument(metavar="LIST", help="digest/qa、digest/executive、alert……")],
) -> None:
    """Take an unsubscription back."""
    state: Context = context.obj
    with state.store.begin() as connection:
        done = pauses.resume(connection, recipient, which)
    if not done:
        raise Stop(Exit.USAGE, tr(f"{recipient} 没有退订 {which}", f"{recipient} has not unsubscribed from {which}"))
    say(tr(f"已恢复：{which} 会再发给 {recipient}", f"Resumed: {recipient} gets {which} again"))
