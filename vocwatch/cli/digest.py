"""The command of the morning: digest."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from reports.delivery import DeliveryError, deliver, enqueue_digest
from reports.digest import DigestFiles, Reader, write_digest
from reports.digest.sheet import digest_sheet
from reports.digest.views import OWNER
from vocwatch.browser import NoBrowser, print_pdf, screenshot
from vocwatch.cli.context import Context, print_lines, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.scheduler import catch_up

FORMATS = ("html", "text", "json", "xlsx", "png", "pdf")
ENDINGS = {"html": ".html", "text": ".txt", "json": ".json", "xlsx": ".xlsx", "png": ".png", "pdf": ".pdf"}
PICTURE_WIDTH = 1280


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("digest")(digest_command)


def digest_command(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="业务日，默认昨天")] = "",
    format_name: Annotated[str, typer.Option("--format", help="html、text、json 写到标准输出，xlsx、png、pdf 写成文件；或写到 --out")] = "",
    out: Annotated[Path | None, typer.Option(help="写到哪个文件夹；配 --format 时也可以是一个文件名")] = None,
    audience: Annotated[str, typer.Option(help="读者：qa、executive（到重点风险为止）、owner（只含 --owner 负责的事件）")] = "qa",
    owner: Annotated[str, typer.Option(help="店铺负责人，配 --audience owner")] = "",
    privacy: Annotated[bool, typer.Option("--privacy", help="增强隐私：不含顾客原话和帖子链接")] = False,
    send: Annotated[bool, typer.Option("--send", help="发给收件人")] = False,
    to: Annotated[list[str] | None, typer.Option(help="只发给这些地址")] = None,
    correct: Annotated[str, typer.Option(help="更正：哪里错了；发给已收到的人，接在原邮件下面")] = "",
) -> None:
    """Write the digest; with --send, mail it to each recipient once."""
    state: Context = context.obj
    _refuse(format_name, audience, owner, send)
    day = state.date(date)
    catch_up(state.settings, state.store, day)
    reader = Reader(tr("zh", "en"), owner, privacy)
    one_file = bool(format_name) and out is not None and out.suffix.lower() == ENDINGS[format_name]
    files = write_digest(
        state.settings, state.store, day, now=state.now, audience=audience, lang=reader.lang, reader=reader,
        out=None if one_file else out,
    )
    if one_file and out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made(state, files, format_name, reader.lang), out)
        print_lines([str(out)])
    elif format_name in ("html", "text", "json"):
        print_lines([getattr(files, format_name).read_text(encoding="utf-8")])
    elif format_name:
        print_lines([str(made(state, files, format_name, reader.lang))])
    else:
        show_files(files)
    if send:
        send_digest(state, files, to or [], correct, reader)


def _refuse(format_name: str, audience: str, owner: str, send: bool) -> None:
    """Refuse what can't be meant. Raises Stop."""
    if format_name and format_name not in FORMATS:
        raise Stop(Exit.USAGE, tr(f"没有格式 {format_name}，可用：{'、'.join(FORMATS)}", f"No format {format_name}; use one of {', '.join(FORMATS)}"))
    if owner and audience != OWNER:
        raise Stop(Exit.USAGE, tr("--owner 要和 --audience owner 一起用", "--owner needs --audience owner"))
    if audience == OWNER and not owner and not send:
        raise Stop(Exit.USAGE, tr("--audience owner 要写明 --owner 姓名（config/vocwatch.yaml 的 shops）",
                                  "--audience owner needs --owner NAME (shops in config/vocwatch.yaml)"))


def made(state: Context, files: DigestFiles, format_name: str, lang: str) -> Path:
    """Return the file of a format, made beside the page where it is not there yet. Raises Stop where no browser is found."""
    if format_name in ("html", "text", "json"):
        found: Path = getattr(files, format_name)
        return found
    if format_name == "xlsx":
        target = files.html.with_suffix(".xlsx")
        target.write_bytes(digest_sheet(files.shown, lang)[1])
        return target
    if format_name == "png":
        return picture(state, files, PICTURE_WIDTH)
    try:
        return print_pdf(files.html, files.html.with_suffix(".pdf"), env=state.env)
    except NoBrowser as error:
        raise Stop(Exit.INCOMPLETE, str(error)) from error


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


def send_digest(state: Context, files: DigestFiles, to: list[str], correction: str = "", reader: Reader | None = None) -> None:
    """Put the digest into the outbox and send what is due. Raises Stop, or ends with the delivery exit code."""
    facts = files.facts
    try:
        put = enqueue_digest(
            state.settings, state.store, facts, now=state.now, only=to or None, lang=tr("zh", "en"), correction=correction,
            reader=reader,
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
