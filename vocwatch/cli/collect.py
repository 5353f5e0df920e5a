"""Commands that gather: crawl, run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawlers.runner import CrawlResult, crawl
from sessions.folder import exports_in
from vocwatch.cli.context import STATUS_WORDS, Context, JsonOption, print_rows, say
from vocwatch.cli.digest import send_digest, show_files
from vocwatch.cli.sessions import show_imports
from vocwatch.cli.working import alone
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.models import SourceStatus
from vocwatch.reasons import spoken
from vocwatch.scheduler import crawl_line, cycle


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("crawl")(crawl_command)
    app.command("run")(run_command)


def crawl_command(
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(help="来源名")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="每个来源最多读几页")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示会存什么，不入库")] = False,
    as_json: JsonOption = False,
) -> None:
    """Crawl now and say how each source ended."""
    state: Context = context.obj
    for name in sources or []:
        state.source(name)
    if not state.settings.sources:
        raise Stop(Exit.CONFIGURATION, _no_source(state))
    with alone(state):
        results = crawl(state.settings, state.store, sources or None, limit=limit, dry_run=dry_run, on_progress=lambda name, counts: say(crawl_line(name, counts)))
    show_results(results, as_json)
    statuses = {result.status for result in results}
    if statuses and statuses <= {SourceStatus.BLOCKED}:
        raise typer.Exit(Exit.BLOCKED)
    if statuses - {SourceStatus.OK, SourceStatus.EMPTY}:
        raise typer.Exit(Exit.INCOMPLETE)


def _no_source(state: Context) -> str:
    folder = state.env.config / "sources"
    return tr(
        f"还没有来源。把 config/sources/catalogue/ 里需要的文件复制到 {folder}，或运行 vocwatch source new 名字 网址",
        f"No source yet. Copy one from config/sources/catalogue/ to {folder}, or run vocwatch source new NAME URL",
    )


def show_results(results: list[CrawlResult], as_json: bool) -> None:
    """Print one row per source: how it ended, why, and what came of it."""
    rows = [
        {
            "source": result.source, "status": result.status.value,
            "state": tr(*STATUS_WORDS[result.status]), "pages": result.stats.get("pages", 0),
            "records": result.stats.get("records", 0), "new": result.stats.get("new", 0), "reason": spoken(result.reason) or None,
        }
        for result in results
    ]
    print_rows(rows, {
        "source": tr("来源", "Source"), "state": tr("状态", "State"), "pages": tr("页", "Pages"),
        "records": tr("条", "Records"), "new": tr("新增", "New"), "reason": tr("原因", "Reason"),
    }, as_json)


def run_command(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="业务日，默认昨天")] = "",
    source: Annotated[list[str] | None, typer.Option(help="只采集这些来源")] = None,
    sessions: Annotated[list[Path] | None, typer.Option(help="一并导入的导出文件或文件夹")] = None,
    out: Annotated[Path | None, typer.Option(help="日报写到哪个文件夹")] = None,
    send: Annotated[bool, typer.Option("--send", help="写好后发给 config 里的收件人")] = False,
    engine: Annotated[str, typer.Option(help="情感引擎：auto、snownlp、rules")] = "auto",
) -> None:
    """Run one full cycle for a business date."""
    state: Context = context.obj
    day = state.date(date)
    with alone(state):
        report = cycle(
            state.settings, state.store, day, sources=source, exports=_exports(state, sessions or []),
            engine=engine, lang=tr("zh", "en"), out=out, progress=say,
        )
    show_results(report.crawled, False)
    show_imports(report.imported)
    assert report.digest is not None
    show_files(report.digest)
    if send:
        send_digest(state, report.digest, [])
    if not report.crawled:
        say(_no_source(state))
    if report.refused or not report.crawled or any(r.status not in (SourceStatus.OK, SourceStatus.EMPTY) for r in report.crawled):
        raise typer.Exit(Exit.INCOMPLETE)


def _exports(state: Context, given: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += exports_in(path)
        elif path.exists():
            found.append(path)
        else:
            raise Stop(Exit.USAGE, tr(f"没有这个文件或文件夹：{path}", f"No such file or folder: {path}"))
    return found
