"""`vocwatch token`: keys of programs that use the JSON API."""

from __future__ import annotations

from typing import Annotated

import typer

from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.cli.user import changing
from vocwatch.lang import tr
from vocwatch.store.access import tokens, users


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("new", help="新建令牌；只显示这一次")(new_command)
    group.command("list", help="列出令牌：谁的、给谁用、到哪天、上次使用")(list_command)
    group.command("revoke", help="作废一个令牌；马上生效")(revoke_command)
    app.add_typer(group, name="token")


def new_command(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="给谁用，如：BI 看板")],
    owner: Annotated[str, typer.Option("--for", help="算在谁名下：权限不超过此人，此人停用令牌也失效")],
    role: Annotated[str, typer.Option(help="reader、analyst、editor、admin")] = "reader",
    days: Annotated[int, typer.Option(help="有效几天，最多 366")] = 90,
    as_json: JsonOption = False,
) -> None:
    """Make a token."""
    state: Context = context.obj
    with changing(state, "change token", f"{owner}: {label} ({role})") as connection:
        number, secret = tokens.new(connection, users.named(connection, owner), label, role, state.now, days)
    if as_json:
        print_json({"number": number, "token": secret})
        return
    say(tr(f"令牌 {number}，只显示这一次，请求头写 Authorization: Bearer 令牌：", f"Token {number}, shown this once; send it as Authorization: Bearer TOKEN:"))
    print_lines([secret])


def list_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List all tokens; they themselves can't be read again."""
    state: Context = context.obj
    with state.store.read() as connection:
        found = tokens.listed(connection)
    zone = state.settings.app.zone
    rows = [
        {"number": one.id, "label": one.label, "owner": one.name, "role": one.role, "expires": f"{one.expires_at.astimezone(zone):%Y-%m-%d}",
         "used": f"{one.used_at.astimezone(zone):%Y-%m-%d %H:00}" if one.used_at else None,
         "state": "revoked" if one.revoked_at else "expired" if one.expires_at <= state.now else "good"}
        for one in found
    ]
    print_rows(rows, {
        "number": tr("编号", "Number"), "label": tr("用途", "For what"), "owner": tr("谁的", "Whose"), "role": tr("角色", "Role"),
        "expires": tr("到期", "Until"), "used": tr("上次使用", "Last use"), "state": tr("状态", "State"),
    }, as_json)


def revoke_command(context: typer.Context, number: Annotated[int, typer.Argument(help="编号，见 vocwatch token list")]) -> None:
    """Make a token void."""
    state: Context = context.obj
    with changing(state, "change token", f"{number}: revoked") as connection:
        tokens.revoke(connection, number, state.now)
    say(tr(f"令牌 {number} 已作废", f"Token {number} is void"))
