"""The command of the morning: digest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.delivery import DeliveryError, deliver, enqueue_digest
from reports.digest import DigestFiles, write_digest
from vocwatch.browser import NoBrowser, screenshot
from vocwatch.cli.context import Context, print_lines, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.scheduler import catch_up

FORMATS = ("html", "text", "json", "png")


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("digest")(digest_command)


def digest_command(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="业务日，默认昨天")] = "",
    format_name: Annotated[str, typer.Option("--format", help="html、text、json、png；写到标准输出或 --out")] = "",
    out: Annotated[Path | None, typer.Option(help="写到哪个文件夹")] = None,
    audience: Annotated[str, typer.Option(help="读者：qa、executive")] = "qa",
    send: Annotated[bool, typer.Option("--send", help="发给收件人")] = False,
    to: Annotated[list[str] | None, typer.Option(help="只发给这些地址")] = None,
    correct: Annotated[str, typer.Option(help="更正：哪里错了；发给已收到的人，接在原邮件下面")] = "",
) -> None:
    """Write the digest; with --send, mail it to each recipient once."""
    state: Context = context.obj
    if format_name and format_name not in FORMATS:
        raise Stop(Exit.USAGE, tr(f"没有格式 {format_name}，可用：{'、'.join(FORMATS)}", f"No format {format_name}; use one of {', '.join(FORMATS)}"))
    day = state.date(date)
    catch_up(state.settings, state.store, day)
    files = write_digest(
        state.settings, state.store, day, now=state.now, audience=audience, lang=tr("zh", "en"), out=out
    )
    if format_name in ("html", "text", "json"):
        print_lines([getattr(files, format_name).read_text(encoding="utf-8")])
    elif format_name == "png":
        print_lines([str(picture(state, files, 1280))])
    else:
        show_files(files)
    if send:
        send_digest(state, files, to or [], correct)


def picture(state: Context, files: DigestFiles, width: int) -> Path:
    """Draw the digest's page as a PNG `width` pixels wide beside it. Raises Stop where no browser is found."""
    target = files.html.with_name(f"{files.html.stem}-{width}.png")
    try:
        screenshot(files.html, target, width, env=state.env)
    except NoBrowser as error:
        raise Stop(Exit.INCOMPLETE, str(error)) from error
    return target


def show_files(files: DigestFiles) -> None:
    """Say where the digest is and what it says."""
    say(files.subject)
    for path in (files.html, files.text, files.json):
        print_lines([str(path)])


def send_digest(state: Context, files: DigestFiles, to: list[str], correction: str = "") -> None:
    """Put the digest into the outbox and send what is due. Raises Stop, or ends with the delivery exit code."""
    facts = files.facts
    try:
        put = enqueue_digest(
            state.settings, state.store, facts, now=state.now, only=to or None, lang=tr("zh", "en"), correction=correction
        )
    except DeliveryError as error:
        raise Stop(Exit.DELIVERY, str(error)) from error
    tried = {(one.key, one.recipient): one for one in deliver(state.settings, state.store, now=state.now).tried if one.kind == "digest"}
    mine = [one for (_, address), one in tried.items() if address in {*put.new, *put.known}]
    sent, failed = [one for one in mine if one.state == "sent"], [one for one in mine if one.state != "sent"]
    before = len({*put.new, *put.known} - {one.recipient for one in mine})
    say(tr(f"已发 {len(sent)} 人，先前已发过或不再发 {before} 人，失败 {len(failed)} 人",
           f"Sent to {len(sent)}, had it before or given up {before}, failed {len(failed)}"))
    for one in failed:
        say(f"  {one.recipient}: {one.error}")
    if put.paused:
        say(tr(f"已退订，没有发：{listed(put.paused)}", f"Unsubscribed, not sent: {listed(put.paused)}"))
    if any(one.state == "retry" for one in failed):
        say(tr("会自动重试（vocwatch schedule），或运行 vocwatch outbox retry", "vocwatch schedule tries again, or run vocwatch outbox retry"))
    if failed:
        raise typer.Exit(Exit.DELIVERY)
