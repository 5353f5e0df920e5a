"""Commands of the morning: digest, alerts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from reports.digest import DigestFiles, write_digest
from reports.digest.figures import rising_line
from reports.mail import DeliveryError, send_digest
from reports.rising import read_rising
from vocwatch.browser import NoBrowser, screenshot
from vocwatch.cli.context import Context, print_json, print_lines, print_rows, say
from vocwatch.clock import business_date
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.scheduler import catch_up
from vocwatch.store import Connection, alerts

FAST_DAYS = 7
FORMATS = ("html", "text", "json", "png")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("digest")(digest_command)
    app.command("alerts")(alerts_command)


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
    since: Annotated[str, typer.Option(help="从哪个业务日起；快速升温不写则看最近 7 天")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """List raised red-line alerts and fast movers, newest first."""
    state: Context = context.obj
    first = state.date(since) if since else None
    with state.store.read() as connection:
        raised = [{"kind": "red_line", **row} for row in alerts.listed(connection, first)]
        rows = sorted([*raised, *_fast(state, connection, first)], key=lambda row: row["raised_at"], reverse=True)
    if as_json:
        print_json(rows)
        return
    fast = tr("快速升温", "fast mover")
    print_rows([{**row, "level": row["level"] or fast} for row in rows], {
        "raised_at": tr("时间", "Time"), "level": tr("等级", "Level"), "incident_id": tr("事件", "Incident"),
        "title": tr("标题", "Title"),
    }, False)


def _fast(state: Context, connection: Connection, first: dt.date | None) -> list[dict[str, Any]]:
    """What rose within hours on the days from `first` on (the last seven) up to the present."""
    today = business_date(state.now, state.settings.app.zone)
    days = (today - (first or today - dt.timedelta(days=FAST_DAYS - 1))).days
    lang = tr("zh", "en")
    return [
        {
            "kind": "fast", "raised_at": found.told_at.astimezone(dt.UTC), "level": None, "incident_id": found.incident,
            "title": f"{found.title(lang)}{tr('：', ': ')}{rising_line(found, lang)}", **found.as_dict(),
        }
        for back in range(days, -1, -1)
        for found in read_rising(state.settings, connection, today - dt.timedelta(days=back))
    ]
