"""Commands about customer-service exports: sessions import, map, keywords."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sessions.importer import ImportRefused, ImportReport, import_file
from sessions.propose import Proposal, propose
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.cli.working import alone
from vocwatch.clock import business_date, day_window
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.settings import ConfigError, SessionMap
from vocwatch.settings.edit import write_tree
from vocwatch.settings.yamlfile import load_model
from vocwatch.store import keywords


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    sessions = typer.Typer(no_args_is_help=True)
    sessions.command("import", help="导入客服工具的导出文件")(import_command)
    sessions.command("map", help="看一份导出，提出它的列映射；--write 写进 config/sessions/")(map_command)
    sessions.command("keywords", help="内部舆情关键词：各类命中了多少会话")(keywords_command)
    app.add_typer(sessions, name="sessions")


def import_command(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="导出文件：CSV、XLSX、JSONL", exists=False)],
    format_name: Annotated[str, typer.Option("--format", help="auto，或 config/sessions/ 里的映射名")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Import exports one by one; a refused file does not stop the others."""
    state: Context = context.obj
    reports: list[ImportReport] = []
    refused: list[str] = []
    with alone(state):
        for path in files:
            try:
                reports.append(import_file(state.settings, state.store, path, format_name))
            except ImportRefused as error:
                refused.append(str(error))
    show_imports(reports, as_json)
    for message in refused:
        say(message)
    if refused:
        raise typer.Exit(Exit.USAGE if not reports else Exit.INCOMPLETE)
    if any(report.bad for report in reports):
        raise typer.Exit(Exit.INCOMPLETE)


def show_imports(reports: list[ImportReport], as_json: bool = False) -> None:
    """Print what each file brought, and each bad row with its line and reason."""
    rows = [{**asdict(report), "bad": report.bad} for report in reports]
    print_rows(rows, {
        "file": tr("文件", "File"), "format": tr("格式", "Format"), "rows": tr("行", "Rows"),
        "added": tr("新增", "Added"), "updated": tr("更新", "Updated"), "unchanged": tr("未变", "Unchanged"),
        "counted": tr("只计数的在内", "Counted"), "bad": tr("坏行", "Bad rows"),
    }, as_json)
    for report in reports:
        for problem in report.problems[:20]:
            sheet = f"{problem.sheet} " if problem.sheet else ""
            column = f"{problem.column}{tr('：', ': ')}" if problem.column else ""
            say(tr(f"{report.file} {sheet}第 {problem.line} 行 {column}{problem.reason}",
                   f"{report.file} {sheet}line {problem.line} {column}{problem.reason}"))


def map_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="一份有真实数据的导出")],
    name: Annotated[str, typer.Option(help="映射名；不写则用文件名")] = "",
    write: Annotated[bool, typer.Option("--write", help="写进 config/sessions/名字.yaml")] = False,
    as_json: JsonOption = False,
) -> None:
    """Propose a mapping from headers and values, and say what could not be placed and why."""
    state: Context = context.obj
    name = name or _slug(file.stem)
    try:
        proposal = propose(state.settings, file, name)
    except ImportRefused as error:
        raise Stop(Exit.USAGE, str(error)) from error
    if as_json:
        print_json(asdict(proposal))
    else:
        _show(proposal)
    for question in proposal.open:
        say(question)
    if write:
        path = _write(state, name, proposal.mapping)
        say(tr(f"已写入 {path}。现在可以：vocwatch sessions import {file} --format {name}",
               f"Written to {path}. Now: vocwatch sessions import {file} --format {name}"))
    if proposal.open:
        raise typer.Exit(Exit.INCOMPLETE)


def _show(proposal: Proposal) -> None:
    rows = [asdict(one) for one in proposal.placed]
    print_rows(rows, {"column": tr("列", "Column"), "target": tr("当作", "Taken for"), "why": tr("依据", "Why")}, False)
    buffer = io.StringIO()
    _yaml_lines(proposal.mapping, buffer)
    print_lines(buffer.getvalue().splitlines())


def _yaml_lines(mapping: dict[str, Any], buffer: io.StringIO) -> None:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe")
    yaml.default_flow_style = None
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(mapping, buffer)


def _slug(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._")[:40] or "my-export"


def _write(state: Context, name: str, mapping: dict[str, Any]) -> Path:
    """Write the mapping where it is not there yet, and read it back as the program will."""
    folder = state.env.config / "sessions"
    path = folder / f"{name}.yaml"
    if path.exists() or name in state.settings.session_maps:
        raise Stop(Exit.USAGE, tr(f"已有 {name} 这份映射。请用 --name 换个名字，或先删掉 {path}",
                                  f"There is a mapping {name}. Choose another with --name, or delete {path} first"))
    if not folder.is_dir():
        raise Stop(Exit.CONFIGURATION, tr(f"没有 {folder}。请把项目自带的 config/sessions/ 复制过来",
                                          f"There is no {folder}. Copy the shipped config/sessions/ there"))
    remark = "# yaml-language-server: $schema=../schema/sessions.schema.json\n" + tr(
        "# 由 vocwatch sessions map 提出，请核对后使用。\n", "# Proposed by vocwatch sessions map; check it before use.\n"
    )
    write_tree(path, mapping, remark)
    try:
        load_model(path, SessionMap, state.env.variables)
    except ConfigError as error:
        path.unlink()
        raise Stop(Exit.USAGE, tr(f"提出的映射还不完整：{error}。请照 config/sessions/ 里的文件手写",
                                  f"The proposed mapping is not complete: {error}. Write it by hand as the files in config/sessions/")) from error
    return path


def keywords_command(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=400, help="最近几天")] = 7,
    name: Annotated[str, typer.Option("--class", help="只列这一类的会话")] = "",
    as_json: JsonOption = False,
) -> None:
    """Say in how many sessions each class was found, or list those of one class."""
    state: Context = context.obj
    zone = state.settings.app.zone
    today = business_date(state.now, zone)
    since, until = day_window(today - dt.timedelta(days=days - 1), zone)[0], day_window(today, zone)[1]
    with state.store.read() as connection:
        found = keywords.keyword_sessions(connection, since, until)
    classes = [item.name for item in state.settings.keywords.classes]
    if name and name not in classes:
        raise Stop(Exit.USAGE, tr(f"没有 {name} 这一类。现有：{'、'.join(classes)}", f"No class {name}. There are: {', '.join(classes)}"))
    rows: list[dict[str, Any]]
    if name:
        rows = [
            {"session": one.native_id, "at": one.started_at.astimezone(zone).isoformat(sep=" ", timespec="minutes"), "path": one.path,
             "shop": one.shop, "owner": state.settings.owner_of(one.shop, one.sku), "words": list(one.words)}
            for one in found if one.name == name
        ]
        print_rows(rows, {"session": tr("会话", "Session"), "at": tr("时间", "Time"), "path": tr("路径", "Path"),
                          "shop": tr("店铺", "Shop"), "owner": tr("负责人", "Owner"), "words": tr("词", "Words")}, as_json)
        return
    counts = Counter(one.name for one in found)
    words = {name: Counter(word for one in found if one.name == name for word in one.words) for name in counts}
    rows = [{"class": item, "sessions": counts[item], "words": [word for word, _ in words.get(item, Counter()).most_common(5)]} for item in classes]
    print_rows(rows, {"class": tr("类别", "Class"), "sessions": tr("会话", "Sessions"), "words": tr("常见词", "Words")}, as_json)
