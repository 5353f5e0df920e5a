"""Commands of the morning: digest, alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.digest import DigestFiles, write_digest
from reports.mail import DeliveryError, send_digest
from vocwatch.browser import NoBrowser, screenshot
from vocwatch.cli.context import Context, print_json, print_lines, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.scheduler import catch_up
from vocwatch.store import incidents

FORMATS = ("html", "text", "json", "png")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("digest", help="写出某个业务日的日报")(digest_command)
    app.command("alerts", help="已触发的红线预警")(alerts_command)


def digest_command(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="业务日，默认昨天")] = "",
    format_name: Annotated[str, typer.Option("--format", help="html、text、json、png；写到标准输出或 --out")] = "",
    out: Annotated[Path | None, typer.Option(help="写到哪个文件夹")] = None,
    audience: Annotated[str, typer.Option(help="读者：qa、executive")] = "qa",
    send: Annotated[bool, typer.Option("--send", help="发给收件人")] = False,
    to: Annotated[list[str] | None, typer.Option(help="只发给这些地址")] = None,
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
        deliver(state, files, to or [])


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


def deliver(state: Context, files: DigestFiles, to: list[str]) -> None:
    """Mail the digest to those who have not had it. Raises Stop with the delivery exit code."""
    try:
        report = send_digest(state.settings, state.store, files.facts, now=state.now, only=to or None, lang=tr("zh", "en"))
    except DeliveryError as error:
        raise Stop(Exit.DELIVERY, str(error)) from error
    say(tr(f"已发 {len(report.sent)} 人，先前已发过 {len(report.skipped)} 人，失败 {len(report.failed)} 人",
           f"Sent to {len(report.sent)}, already had it {len(report.skipped)}, failed {len(report.failed)}"))
    for address, reason in report.failed.items():
        say(f"  {address}: {reason}")
    if report.failed:
        raise typer.Exit(Exit.DELIVERY)


def alerts_command(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="从哪个业务日起")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """List raised red-line alerts, newest first."""
    state: Context = context.obj
    with state.store.read() as connection:
        rows = incidents.alert_list(connection, state.date(since) if since else None)
    if as_json:
        print_json(rows)
        return
    print_rows(rows, {"raised_at": tr("时间", "Time"), "level": tr("等级", "Level"), "incident_id": tr("事件", "Incident"),
                      "title": tr("标题", "Title")}, False)
