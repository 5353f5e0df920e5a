"""`vocwatch serve`: the console's pages."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from typing import Annotated

import typer

from vocwatch.cli.context import Context, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr

PORT = 8411
DEMO = "demo"


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("serve")(serve_command)


def serve_command(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="在哪个地址上听；默认只听本机，外面用反向代理（HTTPS）转进来")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 由系统挑一个")] = PORT,
) -> None:
    """Serve the console, and the pages behind the links of mails, until it is told to stop."""
    state: Context = context.obj
    from reports.web import serve
    from vocwatch.cli.desk_tools import DeskTools
    from vocwatch.store.desk import rollup

    settings, store = state.settings, state.store
    if not _loopback(host):
        say(tr(f"注意：{host} 不只是本机，密码和内容会明文经过网络。请在前面放一个 HTTPS 反向代理",
               f"Mind: {host} is more than this machine, and passwords and pages would cross the network in the clear. Put an HTTPS proxy before it"))
    if not settings.env.console_url and not state.demo:
        say(tr("还没有设置 VOCWATCH_CONSOLE_URL：邮件里暂时没有链接，只写命令",
               "VOCWATCH_CONSOLE_URL is not set: mails hold no links yet, only commands"))
    if state.demo:
        _demo_user(state)
    rollup.ready(store, settings.app.zone)  # else pages would count rows until the first judging
    try:
        serve(settings, store, host, port, lambda address, first: _ready(settings.env.console_url, address, first), DeskTools)
    except OSError as error:
        raise Stop(Exit.USAGE, tr(
            f"{host}:{port} 听不了：{error.strerror}。换一个 --port，或先停掉占用它的程序",
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port",
        )) from error


def _demo_user(state: Context) -> None:
    """Let whoever started it look around the demonstration: a user of its own, with a password of this start."""
    from reports.web.access import passwords
    from vocwatch.store.access import users

    password = secrets.token_urlsafe(9)
    hashed = passwords.hashed(password)
    with state.store.begin(durable=True) as connection:
        known = users.find(connection, DEMO)
        if known is None:
            users.add(connection, DEMO, "admin", password=hashed, now=state.now)
        else:
            users.set_password(connection, known, hashed, state.now)
    say(tr(f"演示用的登录名：{DEMO}　密码：{password}（每次启动换一个）", f"Log in as {DEMO} with the password {password} (another at each start)"))


def _ready(known: str, address: str, first: str) -> None:
    say(tr(f"网页在 {address}，Ctrl-C 停止", f"Serving at {address}, Ctrl-C stops"))
    if first:
        say(tr(f"还没有用户。十分钟内打开这条一次性链接，建管理员、做初次设置：{known or address}{first}",
               f"There is nobody yet. Open this link within ten minutes to make the administrator and set up: {known or address}{first}"))


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
