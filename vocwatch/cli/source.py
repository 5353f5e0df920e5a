"""`vocwatch source`: list, test, enable, disable; `new` has a module of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crawlers.runner import crawl
from crawlers.saved import as_stored, differences, read_saved
from vocwatch.cli import source_new, source_switch
from vocwatch.cli.context import STATUS_WORDS, Context, JsonOption, print_json, print_rows, say, user_name
from vocwatch.cli.health import health_command
from vocwatch.cli.source_show import REQUIRED, coverage_of, filled, show_coverage, show_records
from vocwatch.clock import business_date
from vocwatch.configuring import By, ChangeError, Configuring
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.models import SourceStatus
from vocwatch.plain import one_line
from vocwatch.reasons import spoken
from vocwatch.settings import Source
from vocwatch.settings.changes import Change
from vocwatch.settings.sources import unfilled
from vocwatch.store import runs

_STATES = {
    "ok": SourceStatus.OK, "empty": SourceStatus.EMPTY, "captcha": SourceStatus.BLOCKED, "blocked": SourceStatus.BLOCKED,
    "login": SourceStatus.BLOCKED,
}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list", help="列出来源及最近一次结果")(list_command)
    group.command("test", help="读一遍来源（或一个存下来的页面），显示会入库的记录，不入库")(test_command)
    source_new.register(group)
    group.command("health", help="各来源的状态、产量与平时相比、为什么降级、下一步")(health_command)
    group.command("enable", help="启用")(enable_command)
    group.command("disable", help="停用")(disable_command)
    source_switch.register(group)
    app.add_typer(group, name="source")


# -- list ---------------------------------------------------------------------------------------------------------


def list_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every source: switch, last run with its reason, last good run."""
    state: Context = context.obj
    rows = []
    with state.store.read() as connection:
        for source in state.settings.sources.values():
            last = next(iter(runs.history(connection, "crawl", source.name, 1)), None)
            good = next(iter(runs.history(connection, "crawl", source.name, 1, SourceStatus.OK)), None)
            rows.append({
                "name": source.name, "title": source.title, "enabled": tr("启用", "on") if source.enabled else tr("停用", "off"),
                "owner": source.owner, "transport": source.transport, "last": _moment(state, last),
                "status": tr(*STATUS_WORDS[last.outcome]) if last and last.outcome else tr("没跑过", "never run"),
                "last_good": _moment(state, good), "records": last.stats.get("records") if last else None,
                "why": spoken(last.reason if last else None) or _unfilled_note(source),
            })
    if not rows and not as_json:
        say(tr("还没有来源。用 vocwatch source new 名字 网址 加一个", "No source yet. Add one with vocwatch source new NAME URL"))
    print_rows(rows, {
        "name": tr("来源", "Source"), "title": tr("站点", "Site"), "enabled": tr("开关", "Switch"), "owner": tr("负责人", "Owner"),
        "transport": tr("方式", "Transport"), "last": tr("最近一次", "Last run"), "status": tr("结果", "Result"),
        "last_good": tr("最近正常", "Last good"), "records": tr("条", "Records"), "why": tr("原因", "Why"),
    }, as_json)


def _moment(state: Context, run: runs.Run | None) -> str | None:
    return run.finished_at.astimezone(state.settings.app.zone).strftime("%m-%d %H:%M") if run and run.finished_at else None


def _unfilled_note(source: Source) -> str | None:
    missing = listed(unfilled(source))
    return tr(f"启用前要填：{missing}", f"to fill in first: {missing}") if missing and not source.enabled else None


# -- test ---------------------------------------------------------------------------------------------------------


def test_command(
    context: typer.Context, name: str,
    file: Annotated[Path | None, typer.Option(help="读这个存下来的页面，不访问网络")] = None,
    step: Annotated[str, typer.Option(help="--file 是哪一步的页面：listing、detail、comments")] = "",
    url: Annotated[str, typer.Option(help="--file 原来的网址")] = "",
    against: Annotated[Path | None, typer.Option(help="与保存的预期结果（.expected.json 或所在目录）比较，不访问网络")] = None,
    limit: Annotated[int, typer.Option(min=1, help="最多读几页")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show records as they would be stored, and how full each field is; store nothing."""
    state: Context = context.obj
    source = state.source(name)
    for path in (file, against):
        if path is not None and not path.exists():
            raise Stop(Exit.USAGE, tr(f"没有这个文件：{path}", f"No such file: {path}"))
    if against is not None:
        _compare(state, source, against, as_json)
        return
    began = time.monotonic()
    found = _from_file(state, source, file, step, url) if file is not None else _from_site(state, source, limit)
    _show(state, found, time.monotonic() - began, as_json)
    if found["status"] is SourceStatus.BLOCKED:
        raise typer.Exit(Exit.BLOCKED)
    lacking = [field for field in REQUIRED if 2 * filled(found["records"], field) < len(found["records"])]
    if lacking:
        say(tr(f"多数记录缺 {'、'.join(lacking)}。请改来源文件里这几个字段的写法再试",
               f"Most records lack {', '.join(lacking)}. Edit these fields in the source file and try again"))
    if lacking or not (found["records"] or found["status"] is SourceStatus.EMPTY):
        raise typer.Exit(Exit.INCOMPLETE)


def _from_site(state: Context, source: Source, limit: int) -> dict[str, Any]:
    result = crawl(state.settings, state.store, [source.name], limit=limit, dry_run=True)[0]
    stats = result.stats
    failed = [f"{kind}{tr('：', ': ')}{spoken(stats.get('samples', {}).get(kind))}" for kind in stats.get("errors", {})]
    problems = [tr(f"{what}（{count} 条）", f"{spoken(what)} ({count})") for what, count in stats.get("problems", {}).items()]
    return {
        "status": result.status, "reason": spoken(result.reason), "records": list(result.records),
        "pages": stats.get("pages", 0), "links": stats.get("listed", 0), "next_page": bool(stats.get("following")),
        "problems": [*problems, *failed],
    }


def _from_file(state: Context, source: Source, file: Path, step: str, url: str) -> dict[str, Any]:
    used, found = read_saved(state.settings, source, file, step=step or None, url=url or None)
    return {
        "status": _STATES.get(found.state, SourceStatus.DEGRADED), "reason": f"{used}: {found.state} {spoken(found.reason)}".strip(),
        "records": as_stored(state.settings, source, found.records), "pages": 1, "links": len(found.links),
        "next_page": found.next_url or False, "problems": [
            tr(f"第 {problem.index + 1} 条 {problem.field}：{problem.reason} {problem.value}",
               f"record {problem.index + 1} {problem.field}: {spoken(problem.reason)} {problem.value}") for problem in found.problems
        ],
    }


def _show(state: Context, found: Mapping[str, Any], seconds: float, as_json: bool) -> None:
    records, zone = found["records"], state.settings.app.zone
    coverage = coverage_of(records, zone)
    if as_json:
        print_json({**found, "seconds": round(seconds, 1), "coverage": coverage})
        return
    show_records(records, zone)
    show_coverage(coverage)
    following = tr("有", "yes") if found["next_page"] else tr("没有", "none")
    say(tr(f"{len(records)} 条记录，{found['pages']} 个页面，{found['links']} 个链接，下一页：{following}，用时 {seconds:.1f} 秒。没有入库",
           f"{len(records)} records, {found['pages']} pages, {found['links']} links, next page: {following}, {seconds:.1f} s. Nothing stored"))
    say(f"{tr(*STATUS_WORDS[found['status']])} {found['reason']}".strip())
    for problem in found["problems"][:20]:
        say(tr(f"问题：{problem}", f"Problem: {problem}"))


def _compare(state: Context, source: Source, against: Path, as_json: bool) -> None:
    cases, lines = differences(state.settings, source, against)
    if as_json:
        print_json({"pages": cases, "differences": lines})
    for line in lines[:50]:
        say(line)
    if lines:
        raise Stop(Exit.INCOMPLETE, tr(f"{cases} 个页面，{len(lines)} 处与预期不同（左边是现在读到的）", f"{cases} pages, {len(lines)} differences (left: as read now)"))
    say(tr(f"{cases} 个页面，与预期一致", f"{cases} pages, all as expected"))


# -- switches -----------------------------------------------------------------------------------------------------


def enable_command(
    context: typer.Context, name: str,
    yes: Annotated[bool, typer.Option("--yes", help="还有待填的也启用，要写 --reason")] = False,
    reason: Annotated[str, typer.Option(help="为什么不等填好；记在来源文件里")] = "",
) -> None:
    """Switch a source on; comments in its file stay. Refuses while owner or access still say 待填."""
    state: Context = context.obj
    missing = unfilled(state.source(name))
    path = state.env.config / "sources" / f"{name}.yaml"
    if missing and not (yes and reason.strip()):
        raise Stop(Exit.USAGE, tr(
            f"{path} 里还没填：{'、'.join(missing)}。填好再启用；非启用不可就加 --yes --reason 原因，原因会记在文件里",
            f"Still to be filled in in {path}: {', '.join(missing)}. Fill them in, or add --yes --reason WHY, which is noted in the file",
        ))
    note = f"{business_date(state.now, state.settings.app.zone)} 未填齐就启用：{one_line(reason, 200)}" if missing else ""
    _switch(state, name, True, reason, note)


def disable_command(
    context: typer.Context, name: str, reason: Annotated[str, typer.Option(help="为什么停；记进版本")] = "",
) -> None:
    """Switch a source off; it will be shown as not run, never as quiet."""
    _switch(context.obj, name, False, reason)


def _switch(state: Context, name: str, on: bool, reason: str, remark: str = "") -> None:
    file = f"sources/{state.source(name).name}.yaml"
    configuring, change = Configuring(state.env, state.store), Change("keys", values={"enabled": on}, remark=remark)
    try:
        configuring.change(file, change, By(user_name(), "cli", state.now, reason), configuring.mark(file, change))
    except ChangeError as error:
        if error.kind != "same":
            raise Stop(Exit.STORAGE if error.kind == "unwritable" else Exit.CONFIGURATION, str(error)) from error
    path = configuring.path(file)
    say(tr(f"{name} 已{'启用' if on else '停用'}（{path}）", f"{name} is {'on' if on else 'off'} ({path})"))
