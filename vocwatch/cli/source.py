"""`vocwatch source`: list, test, enable, disable, new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from crawlers.propose import Proposal, ProposeError, propose, write_source
from crawlers.runner import crawl
from crawlers.saved import read_saved
from vocwatch.cli.collect import STATUS_WORDS, JsonOption
from vocwatch.cli.context import Context, print_json, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.settings.edit import set_key
from vocwatch.store import runs

RECORD_COLUMNS = ("kind", "published_at", "author", "rating", "likes", "text", "url")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True, help="来源")
    group.command("list", help="列出来源及最近一次结果")(list_command)
    group.command("test", help="读一遍来源（或一个存下来的页面），显示会入库的记录，不入库")(test_command)
    group.command("new", help="看一个网址是什么页面，给出建议并写成来源文件")(new_command)
    group.command("enable", help="启用")(enable_command)
    group.command("disable", help="停用")(disable_command)
    app.add_typer(group, name="source")


def list_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every source with its last finished run."""
    state: Context = context.obj
    rows = []
    with state.store.read() as connection:
        for source in state.settings.sources.values():
            last = next(iter(runs.history(connection, "crawl", source.name, 1)), None)
            rows.append({
                "name": source.name, "title": source.title, "enabled": tr("启用", "on") if source.enabled else tr("停用", "off"),
                "owner": source.owner, "transport": source.transport,
                "last": last.finished_at.astimezone(state.settings.app.zone).strftime("%m-%d %H:%M") if last and last.finished_at else None,
                "status": tr(*STATUS_WORDS[last.outcome]) if last and last.outcome else tr("没跑过", "never run"),
                "records": last.stats.get("records") if last else None, "why": last.reason if last else None,
            })
    print_rows(rows, {
        "name": tr("来源", "Source"), "title": tr("站点", "Site"), "enabled": tr("开关", "Switch"), "owner": tr("负责人", "Owner"),
        "transport": tr("方式", "Transport"), "last": tr("最近一次", "Last run"), "status": tr("结果", "Result"),
        "records": tr("条", "Records"), "why": tr("原因", "Why"),
    }, as_json)


def test_command(
    context: typer.Context, name: str,
    file: Annotated[Path | None, typer.Option(help="读这个存下来的页面，不访问网络")] = None,
    step: Annotated[str, typer.Option(help="--file 是哪一步的页面：listing、detail、comments")] = "",
    url: Annotated[str, typer.Option(help="--file 原来的网址")] = "",
    limit: Annotated[int, typer.Option(min=1, help="最多读几页")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show records as they would be stored, and how full each field is; store nothing."""
    state: Context = context.obj
    source = state.source(name)
    if file is None:
        result = crawl(state.settings, state.store, [source.name], limit=limit, dry_run=True)[0]
        _show_records(result.records, result.stats.get("coverage", {}), as_json)
        say(f"{tr(*STATUS_WORDS[result.status])} {result.reason or ''}")
        return
    if not file.is_file():
        raise Stop(Exit.USAGE, tr(f"没有这个文件：{file}", f"No such file: {file}"))
    used, found = read_saved(state.settings, source, file, step=step or None, url=url or None)
    _show_records([_plain(record) for record in found.records], found.coverage, as_json)
    say(f"{used}: {found.state} {found.reason}")
    for problem in found.problems[:20]:
        say(str(problem))


def _plain(record: Any) -> dict[str, Any]:
    return asdict(record)


def _show_records(records: Sequence[dict[str, Any]], coverage: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({"records": list(records), "coverage": coverage})
        return
    print_rows(records, {key: key for key in RECORD_COLUMNS}, False)
    filled = "  ".join(f"{field} {part[0]}/{part[1]}" for field, part in sorted(coverage.items()))
    say(tr(f"{len(records)} 条；字段填充：{filled}", f"{len(records)} records; fields filled: {filled}"))


def new_command(
    context: typer.Context, name: str, url: str,
    title: Annotated[str, typer.Option(help="站点名", prompt="站点名")],
    owner: Annotated[str, typer.Option(help="负责人", prompt="谁负责这个来源")],
    basis: Annotated[str, typer.Option(help="访问依据", prompt="凭什么可以读（如：公开页面，无需登录）")],
    as_json: JsonOption = False,
) -> None:
    """Fetch once, politely; say what the page is; write config/sources/NAME.yaml, switched off until it is checked."""
    state: Context = context.obj
    if name in state.settings.sources:
        raise Stop(Exit.USAGE, tr(f"已经有来源 {name}，请换个名字", f"There is a source {name} already; choose another name"))
    try:
        proposal: Proposal = propose(state.settings, name, url, title=title, owner=owner, basis=basis)
        path = write_source(state.settings, proposal)
    except ProposeError as error:
        raise Stop(Exit(error.code), str(error)) from error
    if as_json:
        print_json({
            "file": str(path), "robots": proposal.robots, "page": proposal.kind, "coverage": proposal.coverage,
            "notes": list(proposal.notes), "records": [_plain(r) for r in proposal.records],
        })
        return
    say(tr(f"robots.txt：{proposal.robots}", f"robots.txt: {proposal.robots}"))
    say(tr(f"页面类型：{proposal.kind}，读出 {len(proposal.records)} 条：", f"Page: {proposal.kind}, {len(proposal.records)} records:"))
    print_rows([_plain(r) for r in proposal.records[:5]], {key: key for key in RECORD_COLUMNS}, False)
    filled = "  ".join(f"{field} {part[0]}/{part[1]}" for field, part in sorted(proposal.coverage.items()))
    say(tr(f"字段填充：{filled}", f"Fields filled: {filled}"))
    for note in proposal.notes:
        say(tr(f"注意：{note}", f"Note: {note}"))
    say(tr(f"已写好 {path}（未启用）。接下来：", f"Written to {path} (off). Next:"))
    say(tr(f"  vocwatch source test {name}      看会入库的记录；不对就改这个文件再试", f"  vocwatch source test {name}      look at the records; edit the file until they are right"))
    say(tr(f"  vocwatch source enable {name}    启用", f"  vocwatch source enable {name}    switch it on"))
    say(tr(f"  vocwatch crawl {name}            采集", f"  vocwatch crawl {name}            crawl"))


def enable_command(context: typer.Context, name: str) -> None:
    """Switch a source on; comments in its file stay."""
    _switch(context.obj, name, True)


def disable_command(context: typer.Context, name: str) -> None:
    """Switch a source off; it will be shown as not run, never as quiet."""
    _switch(context.obj, name, False)


def _switch(state: Context, name: str, on: bool) -> None:
    source = state.source(name)
    path = state.env.config / "sources" / f"{source.name}.yaml"
    set_key(path, "enabled", on)
    say(tr(f"{name} 已{'启用' if on else '停用'}（{path}）", f"{name} is {'on' if on else 'off'} ({path})"))
