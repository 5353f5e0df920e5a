"""`vocwatch purge` and `vocwatch forget`: removing what is past its time, or what somebody asks to be removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, say
from vocwatch.clock import business_date
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.pseudonym import load_pseudonyms
from vocwatch.scheduler import Busy, only_one
from vocwatch.settings import Refusals, refusals
from vocwatch.store import forget as deletion
from vocwatch.store import retention

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="只说会清除什么，不动任何东西")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("purge")(purge_command)
    app.command("forget")(forget_command)


def purge_command(context: typer.Context, dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Remove what is past its time by `retention`; every removal leaves a row in `erasures`."""
    state: Context = context.obj
    with _alone(state, dry_run):
        report = retention.purge(state.settings, state.store, state.now, dry_run=dry_run)
    counts = asdict(report)
    if as_json:
        print_json({"dry_run": dry_run, **counts})
        return
    words = {
        "pages": tr("原始页面", "raw pages"), "held": tr("原始页面（因日报、事件、预警保留）", "raw pages held for a digest, incident or alert"),
        "texts": tr("过期正文", "texts past their time"), "deleted": tr("原站已删除的正文", "texts deleted on their site"),
        "shots": tr("截图", "screenshots"), "quotes": tr("日报里的引文", "quotes in digests"),
        "bodies": tr("证据文件", "evidence files"), "orphans": tr("无主文件", "files without a row"),
        "samples": tr("样页文件", "sample files"), "audit": tr("审计文件", "audit files"),
        "letters": tr("发件箱里的旧信", "old messages in the outbox"),
    }
    print_lines(f"{counts[name]}\t{word}" for name, word in words.items() if counts[name])
    if not report.total:
        say(tr("没有要清除的", "Nothing to remove"))
    elif dry_run:
        say(tr("以上是会清除的，还没有动", "The above would go; nothing was touched"))


def forget_command(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="网址；以 /* 结尾表示其下全部")] = "",
    author: Annotated[str, typer.Option(help="发布者代号（vocwatch evidence 里有）")] = "",
    native_id: Annotated[str, typer.Option("--id", help="原站编号，配合 --source")] = "",
    author_name: Annotated[str, typer.Option(help="发布者的公开名字，配合 --source；只用来算代号，不保存")] = "",
    source: Annotated[str, typer.Option(help="来源名")] = "",
    reason: Annotated[str, typer.Option(help="谁、为什么要求")] = "",
    dry_run: DryRunOption = False, as_json: JsonOption = False,
) -> None:
    """Put it on the refusal list and delete what is stored of it; doing so twice changes nothing more."""
    state: Context = context.obj
    kind, entry = _entry(state, url, author, native_id, author_name, source)
    day = business_date(state.now, state.settings.app.zone)
    full = {**entry, "reason": one_line(reason, 200).replace("${", "$ {"), "date": day}
    try:
        asked = Refusals.model_validate({kind: [full]})
    except ValidationError as error:
        raise Stop(Exit.USAGE, tr("；", "; ").join(str(fault["msg"]).removeprefix("Value error, ") for fault in error.errors())) from error
    path = state.env.config / refusals.FILE
    added = False
    with _alone(state, dry_run):
        if not dry_run:
            try:
                added = refusals.append(path, kind, full)
            except OSError as error:
                raise Stop(Exit.CONFIGURATION, tr(f"写不了 {path}：{error.strerror}", f"Cannot write {path}: {error.strerror}")) from error
        report = deletion.forget(state.settings, state.store, asked, state.now, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "added": added, "list": str(path), "entry": full, **asdict(report)})
        return
    if not dry_run:
        say(tr(f"{'已写进' if added else '已经在'}名单 {path}", f"{'Added to' if added else 'Already on'} the list {path}"))
    print_lines(f"{count}\t{name}" for name, count in sorted(report.rows.items()))
    for count, word in (
        (report.pages, tr(f"原始页面记录（其中 {report.shared} 份页面也是别的提及的证据）", f"raw pages ({report.shared} of them evidence of other mentions too)")),
        (report.bodies, tr("证据文件", "evidence files")), (report.samples, tr("样页文件", "sample files")),
        (report.quotes, tr("日报里的引文", "quotes in digests")),
    ):
        if count:
            print_lines([f"{count}\t{word}"])
    say(tr("以上是会删除的，还没有动", "The above would go; nothing was touched") if dry_run else tr(
        "已发出的邮件、另存的导出和此前的备份不在其内，请自行处理",
        "Mails already sent, exports saved elsewhere and earlier backups are not covered: see to them yourself"))


def _entry(
    state: Context, url: str, author: str, native_id: str, author_name: str, source: str
) -> tuple[str, dict[str, Any]]:
    if sum(map(bool, (url, author, native_id, author_name))) != 1:
        raise Stop(Exit.USAGE, tr("--url、--author、--id、--author-name 写且只写一个", "Give exactly one of --url, --author, --id, --author-name"))
    if url:
        return "urls", {"url": url.strip().replace("${", "%24{")}
    if author:
        return "authors", {"author": author.strip()}
    if not source:
        raise Stop(Exit.USAGE, tr("--id 和 --author-name 要配 --source 来源名", "--id and --author-name need --source NAME"))
    if native_id:
        return "ids", {"source": source, "id": native_id}
    key = load_pseudonyms(state.env).of(state.source(source).name, author_name)
    if key is None:
        raise Stop(Exit.USAGE, tr("--author-name 是空的", "--author-name is empty"))
    return "authors", {"author": key}


@contextmanager
def _alone(state: Context, dry_run: bool) -> Iterator[None]:
    """Hold the work lock: a crawl writes a page's file before its row, and would lose it to a sweep."""
    if dry_run:
        yield
        return
    try:
        with only_one(state.settings):
            yield
    except Busy as busy:
        raise Stop(Exit.STORAGE, str(busy)) from busy
