"""`vocwatch query`: what is in the store, as a table, CSV, XLSX, JSON or JSON lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import xlsxwriter

from vocwatch.cli.context import Context, print_json, print_rows
from vocwatch.clock import day_window
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.plain import safe_cell
from vocwatch.store import queries

FORMATS = ("table", "csv", "xlsx", "json", "jsonl")
FormatOption = Annotated[str, typer.Option("--format", help="table、csv、xlsx、json、jsonl")]
OutOption = Annotated[Path | None, typer.Option(help="写到文件（xlsx 必填）")]
SinceOption = Annotated[str, typer.Option(help="从哪天起，如 2026-11-01")]
UntilOption = Annotated[str, typer.Option(help="到哪天为止（含）")]
TopicOption = Annotated[str, typer.Option(help="主题：大类，或 大类/小类")]
ProductOption = Annotated[str, typer.Option(help="SKU，或产品监测词 id")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("mentions", help="外部提及及其判定")(mentions_command)
    group.command("topics", help="投诉主题：条数与独立发布者")(topics_command)
    group.command("incidents", help="事件：等级、状态、分数")(incidents_command)
    app.add_typer(group, name="query")


def mentions_command(
    context: typer.Context, since: SinceOption = "", until: UntilOption = "", topic: TopicOption = "",
    source: Annotated[str, typer.Option(help="来源名")] = "", product: ProductOption = "",
    sentiment: Annotated[str, typer.Option(help="negative、neutral、positive")] = "",
    text: Annotated[str, typer.Option(help="正文或标题里含有")] = "",
    brand: Annotated[bool, typer.Option("--brand", help="只要说到本品牌的")] = False,
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    format_name: FormatOption = "table", out: OutOption = None,
) -> None:
    """List mentions; JSON lines carry every field, tables the main ones."""
    state: Context = context.obj
    wanted = queries.Filter(
        **_days(state, since, until), topic=topic, source=source, product=product, sentiment=sentiment,
        text=text, brand_only=brand, limit=limit,
    )
    with state.store.read() as connection:
        write(map(_told, queries.mention_rows(connection, wanted)), {
            "published_at": tr("发布时间", "Published"), "source": tr("来源", "Source"),
            "sentiment": tr("情感", "Sentiment"), "topics": tr("主题", "Topics"), "severity": tr("严重度", "Severity"),
            "text": tr("正文", "Text"), "url": tr("链接", "URL"),
        }, format_name, out)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """What the shop itself says praises and blames nothing: its answers would count as so many neutral customers."""
    return {**row, "sentiment": None, "score": None, "topics": None} if row["voice"] == "merchant" else row


def topics_command(
    context: typer.Context, since: SinceOption = "", until: UntilOption = "", topic: TopicOption = "",
    source: Annotated[str, typer.Option(help="来源名")] = "", product: ProductOption = "",
    format_name: FormatOption = "table", out: OutOption = None,
) -> None:
    """Count complaints about the brand by topic."""
    state: Context = context.obj
    wanted = queries.Filter(**_days(state, since, until), topic=topic, source=source, product=product)
    with state.store.read() as connection:
        write(queries.topic_rows(connection, wanted), {
            "topic": tr("主题", "Topic"), "mentions": tr("条数", "Mentions"),
            "authors": tr("独立发布者", "Independent authors"),
        }, format_name, out)


def incidents_command(
    context: typer.Context, since: SinceOption = "", until: UntilOption = "", topic: TopicOption = "",
    product: ProductOption = "", level: Annotated[str, typer.Option(help="红、橙、黄、蓝")] = "",
    format_name: FormatOption = "table", out: OutOption = None,
) -> None:
    """List incident days."""
    state: Context = context.obj
    with state.store.read() as connection:
        rows = queries.incident_rows(
            connection, state.date(since) if since else None, state.date(until) if until else None, level, product, topic
        )
    write(rows, {
        "day": tr("业务日", "Day"), "level": tr("等级", "Level"), "state": tr("状态", "State"), "score": tr("分数", "Score"),
        "title": tr("事件", "Incident"), "product": tr("产品", "Product"), "owner": tr("负责人", "Owner"),
        "authors": tr("独立发布者", "Authors"), "sessions": tr("会话", "Sessions"), "incident": tr("编号", "Id"),
    }, format_name, out)


def _days(state: Context, since: str, until: str) -> dict[str, Any]:
    zone = state.settings.app.zone
    return {
        "since": day_window(state.date(since), zone)[0] if since else None,
        "until": day_window(state.date(until), zone)[1] if until else None,
    }


def write(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], format_name: str, out: Path | None) -> None:
    """Write rows in the wanted format to `out` or standard output; rows are streamed except for tables and JSON."""
    if format_name not in FORMATS:
        raise Stop(Exit.USAGE, tr(f"没有格式 {format_name}，可用：{'、'.join(FORMATS)}", f"No format {format_name}; use one of {', '.join(FORMATS)}"))
    if format_name == "xlsx":
        if out is None:
            raise Stop(Exit.USAGE, tr("xlsx 要用 --out 写明文件", "xlsx needs --out FILE"))
        _xlsx(rows, columns, out)
    elif out is not None:
        with out.open("w", encoding="utf-8-sig" if format_name == "csv" else "utf-8", newline="") as file:
            _text(rows, columns, format_name, file)
    elif format_name == "table":
        print_rows(list(rows), columns, False)
    elif format_name == "json":
        print_json(list(rows))
    else:
        _text(rows, columns, format_name, sys.stdout)


def _text(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], format_name: str, file: Any) -> None:
    if format_name == "json":
        file.write(json.dumps(list(rows), ensure_ascii=False, indent=1, default=str) + "\n")
    elif format_name == "jsonl":
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    else:
        writer = csv.writer(file, delimiter="," if format_name == "csv" else "\t")
        writer.writerow(columns.values())
        for row in rows:
            writer.writerow([safe_cell(_flat(row.get(key))) for key in columns])


def _flat(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tr("、", ", ").join(str(item) for item in value)
    return value if isinstance(value, int | float | str) or value is None else str(value)


def _xlsx(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], out: Path) -> None:
    with xlsxwriter.Workbook(str(out), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for number, title in enumerate(columns.values()):
            sheet.write_string(0, number, title)
        for line, row in enumerate(rows, 1):
            for number, key in enumerate(columns):
                value = _flat(row.get(key))
                if isinstance(value, int | float) and not isinstance(value, bool):
                    sheet.write_number(line, number, value)
                elif value is not None:
                    sheet.write_string(line, number, str(safe_cell(str(value)))[:32767])


