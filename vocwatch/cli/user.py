"""`vocwatch user`: who may use the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from vocwatch.cli.context import Context, JsonOption, print_rows, say, user_name
from vocwatch.clock import day_window
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.store import Connection
from vocwatch.store.access import lockout, log, users
from vocwatch.store.access.users import UserError

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="登录名")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="从标准输入读密码，不提问")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("add", help="加一个人：reader 看，analyst 还能反馈和导出，editor 还能改监测词和来源，admin 还能管人和设置")(add_command)
    group.command("list", help="列出所有人")(list_command)
    group.command("role", help="换角色；马上生效")(role_command)
    group.command("password", help="换密码；此人已有的登录全部失效")(password_command)
    group.command("disable", help="停用：马上退出，令牌也失效；记录保留")(disable_command)
    group.command("enable", help="恢复停用的人")(enable_command)
    group.command("unlock", help="清掉输错密码的记录，让大家马上能再试")(unlock_command)
    group.command("log", help="操作记录：谁登录、看过敏感内容、导出、改过什么；--verify 校验链")(log_command)
    app.add_typer(group, name="user")


@contextmanager
def changing(state: Context, what: str, subject: str) -> Iterator[Connection]:
    """Open a transaction that is logged; what can't be done ends the command with one message."""
    from reports.web.access.people import log_key

    try:
        with state.store.begin(durable=True) as connection:
            yield connection
            log.add(connection, user_name(), "cli", what, subject, state.now, log_key(state.env))
    except UserError as error:
        raise Stop(Exit.USAGE, str(error)) from error


def add_command(
    context: typer.Context, name: NameArgument,
    role: Annotated[str, typer.Option(help="reader、analyst、editor、admin")] = "reader",
    from_stdin: StdinOption = False,
    oidc: Annotated[str, typer.Option("--oidc", metavar="SUBJECT", help="只用公司账号登录：提供方那边的 sub，不设密码")] = "",
) -> None:
    """Add a person."""
    state: Context = context.obj
    subject = f"{state.settings.app.console.oidc.issuer} {oidc}" if oidc else None
    if oidc and not state.settings.app.console.oidc.issuer:
        raise Stop(Exit.CONFIGURATION, tr("还没有配置 console.oidc.issuer", "console.oidc.issuer is not configured"))
    try:
        plain = users.checked_name(name)
        users.checked_role(role)
        with state.store.read() as connection:
            if users.find(connection, plain) is not None:
                raise UserError(tr(f"已经有人叫 {plain}", f"There is a {plain} already"))
    except UserError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    password = None if oidc else _password(plain, from_stdin)
    with changing(state, "change user", f"{plain}: {role}") as connection:
        users.add(connection, plain, role, password=password, now=state.now, subject=subject)
    say(tr(f"已加：{plain}（{role}）", f"Added: {plain} ({role})"))


def list_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List everybody."""
    state: Context = context.obj
    with state.store.read() as connection:
        found = users.everybody(connection)
    rows = [
        {"name": one.name, "role": one.role, "state": "on" if one.enabled else "off", "via": "oidc" if one.password is None else "password",
         "last_login": one.last_login_at.astimezone(state.settings.app.zone).strftime("%Y-%m-%d %H:%M") if one.last_login_at else None}
        for one in found
    ]
    print_rows(rows, {
        "name": tr("名字", "Name"), "role": tr("角色", "Role"), "state": tr("状态", "State"), "via": tr("登录方式", "By"),
        "last_login": tr("上次登录", "Last login"),
    }, as_json)


def role_command(context: typer.Context, name: NameArgument, role: Annotated[str, typer.Argument(help="reader、analyst、editor、admin")]) -> None:
    """Change somebody's role."""
    state: Context = context.obj
    with changing(state, "change user", f"{name}: {role}") as connection:
        users.set_role(connection, users.named(connection, name), role, state.now)
    say(tr(f"{name} 现在是 {role}", f"{name} is {role} now"))


def password_command(context: typer.Context, name: NameArgument, from_stdin: StdinOption = False) -> None:
    """Give somebody another password."""
    state: Context = context.obj
    with state.store.read() as connection:
        try:
            user = users.named(connection, name)
        except UserError as error:
            raise Stop(Exit.USAGE, str(error)) from error
    password = _password(user.name, from_stdin)
    with changing(state, "change user", f"{user.name}: password") as connection:
        users.set_password(connection, user, password, state.now)
    say(tr(f"{user.name} 的密码已换，请重新登录", f"{user.name} has another password; log in anew"))


def disable_command(context: typer.Context, name: NameArgument) -> None:
    """Shut somebody out."""
    _switch(context.obj, name, False)
    say(tr(f"{name} 已停用", f"{name} is shut out"))


def enable_command(context: typer.Context, name: NameArgument) -> None:
    """Let somebody in again."""
    _switch(context.obj, name, True)
    say(tr(f"{name} 已恢复", f"{name} is let in again"))


def unlock_command(context: typer.Context) -> None:
    """Forget failed attempts."""
    state: Context = context.obj
    with changing(state, "change user", "unlock") as connection:
        lockout.clear(connection)
    say(tr("已清掉，可以再试", "Cleared: everybody can try again"))


def log_command(
    context: typer.Context,
    who: Annotated[str, typer.Option(help="只看此人")] = "",
    what: Annotated[str, typer.Option(help="只看这种：login、view、export、change user …")] = "",
    since: Annotated[str, typer.Option(help="从这个业务日起：2026-11-15")] = "",
    limit: Annotated[int, typer.Option(min=1, help="最多几条，新的在前")] = 200,
    verify: Annotated[bool, typer.Option("--verify", help="重算整条校验链；被改动、删除或插入过就报错")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the log, or verify its chain."""
    state: Context = context.obj
    from reports.web.access.people import log_key

    if verify:
        with state.store.read() as connection:
            checked = log.verify(connection, log_key(state.env))
        if checked.broken is not None:
            raise Stop(Exit.STORAGE, tr(
                f"校验链断在第 {checked.broken.id} 条：记录被改动、删除或插入过，请立即查明",
                f"The chain breaks at entry {checked.broken.id}: it was changed, removed or put in. Find out at once"))
        say(tr(f"{checked.rows} 条，校验链完整", f"{checked.rows} entries, the chain holds"))
        return
    start = day_window(state.date(since), state.settings.app.zone)[0] if since else None
    with state.store.read() as connection:
        found = log.entries(connection, who=who, what=what, since=start, limit=limit)
    rows = [
        {"at": one.at.astimezone(state.settings.app.zone).isoformat(" ", "seconds"), "who": one.who, "via": one.via, "what": one.what, "subject": one.subject}
        for one in found
    ]
    print_rows(rows, {
        "at": tr("时间", "Time"), "who": tr("谁", "Who"), "via": tr("方式", "By"), "what": tr("做了什么", "What"), "subject": tr("对象", "Of what"),
    }, as_json)


def _switch(state: Context, name: str, enabled: bool) -> None:
    with changing(state, "change user", f"{name}: {'on' if enabled else 'off'}") as connection:
        users.set_enabled(connection, users.named(connection, name), enabled, state.now)


def _password(name: str, from_stdin: bool) -> str:
    from reports.web.access import passwords

    try:
        if from_stdin:
            given = sys.stdin.readline().rstrip("\r\n")
        else:
            given = typer.prompt(tr("密码", "Password"), hide_input=True, confirmation_prompt=tr("再输一次", "Again"), err=True)
        return passwords.hashed(passwords.checked(given, name))
    except UserError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    except typer.Abort:
        raise Stop(Exit.USAGE, tr("没有输入密码，什么也没有改", "No password was given; nothing was changed")) from None
