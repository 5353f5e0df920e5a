"""`vocwatch query`: mentions, topics, incidents, trends, sessions and sources by combined conditions."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vocwatch.cli.context import Context, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr

if TYPE_CHECKING:
    from reports.desk.ask import Answer

_TABLE = {
    "mentions": ("published_at", "source", "sentiment", "topics", "severity", "text", "url"),
    "sessions": ("started_at", "path", "shop", "sku", "topics", "reason", "severity", "session"),
    "incidents": ("day", "level", "state", "score", "title", "product", "owner", "authors", "sessions", "incident"),
    "trends": ("topic", "mentions", "authors", "before", "change", "low", "high", "verdict"),
    "sources": ("source", "title", "status", "mentions", "negative", "days_read", "days_blind", "coverage"),
}
"""What a terminal has room for; files hold all columns."""
_LINES = {
    "mentions": "外部提及及其判定", "topics": "投诉主题：条数、独立发布者、占比", "incidents": "事件：等级、状态、分数",
    "trends": "哪些主题升了、降了：和前一段同样长的时间比", "sessions": "客服会话及其判定", "sources": "来源：条数、读全和缺读的天数",
}
_TABLE_NUMBERS = {"percent": "{:.0%}", "score": "{:.3g}"}

Many = list[str]
SinceOption = Annotated[str, typer.Option(help="从哪个业务日起，如 2026-11-01")]
UntilOption = Annotated[str, typer.Option(help="到哪个业务日为止（含）")]
TopicOption = Annotated[Many, typer.Option(help="主题：大类，或 大类/小类；可写几次，任一即可（以下各项相同）")]
SourceOption = Annotated[Many, typer.Option(help="来源名")]
ProductOption = Annotated[Many, typer.Option(help="SKU，或产品监测词 id")]
WatchOption = Annotated[Many, typer.Option(help="监测词 id：品牌、竞品、关键词都行")]
SentimentOption = Annotated[Many, typer.Option(help="negative、neutral、positive")]
SeverityOption = Annotated[str, typer.Option(help="严重度至少多少：1 到 3")]
LevelOption = Annotated[Many, typer.Option(help="所属事件的等级：红、橙、黄、蓝，或 无")]
ShopOption = Annotated[Many, typer.Option(help="店铺")]
PathOption = Annotated[Many, typer.Option(help="质检路径（会话）")]
StateOption = Annotated[Many, typer.Option(help="事件状态：新增、升级、持续、回落、复燃、待核")]
VoiceOption = Annotated[Many, typer.Option(help="谁在说：customer、media、ad、merchant …")]
RedLineOption = Annotated[Many, typer.Option(help="触到的红线")]
TextOption = Annotated[str, typer.Option("--text", "--q", help="正文或标题里有：词，或 掉色 (杯 OR 壶) NOT \"不掉色\"、漏水 NEAR/6 杯")]
BrandOption = Annotated[bool | None, typer.Option("--brand/--no-brand", help="只要说到（没说到）本品牌的")]
IncidentOption = Annotated[str, typer.Option(help="属于哪个事件")]
ClusterOption = Annotated[str, typer.Option(help="属于哪个重复簇：原帖的编号")]
ByOption = Annotated[Many, typer.Option(help="按什么分组数：day、week、month、topic、major、product、source、level …；可写几次")]
ChangeOption = Annotated[bool, typer.Option("--change", help="和前一段同样长的时间比（要有 --by 和 --since）")]
OrderOption = Annotated[str, typer.Option(help="排序：-time、time、-severity；分组时写列名，前面加 - 为从大到小")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="最多几行")]
ColumnsOption = Annotated[str, typer.Option(help="只要这些列，逗号分隔")]
FormatOption = Annotated[str, typer.Option("--format", help="table、csv、xlsx、json、jsonl、parquet")]
OutOption = Annotated[Path | None, typer.Option(help="写到文件（xlsx、parquet 必填）")]
ExplainOption = Annotated[bool, typer.Option("--explain", help="说明数的是什么、没数什么")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    for subject, line in _LINES.items():
        group.command(subject, help=line)(_command(subject))
    app.add_typer(group, name="query")


def _asking(
    context: typer.Context, since: SinceOption = "", until: UntilOption = "", topic: TopicOption = [],  # noqa: B006 - typer copies them
    source: SourceOption = [], product: ProductOption = [], watch: WatchOption = [], sentiment: SentimentOption = [],  # noqa: B006
    severity: SeverityOption = "", level: LevelOption = [], shop: ShopOption = [], path: PathOption = [], state: StateOption = [],  # noqa: B006
    voice: VoiceOption = [], red_line: RedLineOption = [], text: TextOption = "", brand: BrandOption = None,  # noqa: B006
    incident: IncidentOption = "", cluster: ClusterOption = "", by: ByOption = [], change: ChangeOption = False,  # noqa: B006
    order: OrderOption = "", limit: LimitOption = None, columns: ColumnsOption = "", format_name: FormatOption = "table",
    out: OutOption = None, explain: ExplainOption = False,
) -> None:
    """The options that all subjects share."""


def _command(subject: str) -> Callable[..., None]:
    """A command of its own for each subject, all with the same options."""

    def command(**given: Any) -> None:
        context = given.pop("context")
        _run(context.obj, subject, **given)

    command.__name__ = f"{subject}_command"
    command.__signature__ = inspect.signature(_asking, eval_str=True)  # type: ignore[attr-defined]
    return command


def _run(
    context: Context, subject: str, /, *, by: Many, change: bool, order: str, limit: int | None, columns: str, format_name: str,
    out: Path | None, explain: bool, text: str, brand: bool | None, **params: Any,
) -> None:
    from reports.desk.ask import Desk, Question, QuestionError, ask
    from reports.desk.export import MEDIA, ExportError
    from vocwatch.store.desk import rollup

    if format_name not in ("table", *MEDIA):
        known = ("table", *MEDIA)
        raise Stop(Exit.USAGE, tr(f"没有格式 {format_name}，可用：{'、'.join(known)}", f"No format {format_name}; use one of {', '.join(known)}"))
    for name in ("since", "until"):
        if params[name]:
            params[name] = context.date(params[name]).isoformat()
    asked = {**params, "q": text, "brand": "" if brand is None else "1" if brand else "0"}
    try:
        question = Question.from_params(asked)
        rollup.ready(context.store, context.settings.app.zone)
        answer = ask(Desk(context.settings, context.store), subject, question, group=by, change=change, order=order, limit=limit)
        if explain:
            _explain(answer)
        _write(answer, format_name, out, [name.strip() for name in columns.split(",") if name.strip()])
    except QuestionError as error:
        option = {"q": "text", "red_line": "red-line"}.get(error.field, error.field)
        raise Stop(Exit.USAGE, f"--{option}: {error.message}") from error
    except ExportError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(f"写不了 {out}：{error.strerror}", f"Cannot write {out}: {error.strerror}")) from error


def _explain(answer: Answer) -> None:
    say(tr(f"共 {answer.total} 行", f"{answer.total} rows"))
    for sentence in answer.counted:
        say(f"· {sentence}")


def _write(answer: Answer, format_name: str, out: Path | None, columns: Sequence[str]) -> None:
    from reports.desk import export

    if format_name == "table":
        if out is not None:
            raise Stop(Exit.USAGE, tr("写文件请用 --format csv 等格式", "To write a file, use --format csv or another"))
        wanted = () if answer.group else _TABLE[answer.subject]
        taken = export.chosen(answer, columns or wanted)
        print_rows([_shown(row, taken) for row in answer.rows], {column.key: column.title for column in taken}, False)
    elif out is not None:
        export.write(answer, format_name, out, columns)
    elif format_name in ("xlsx", "parquet"):
        raise Stop(Exit.USAGE, tr(f"{format_name} 要用 --out 写明文件", f"{format_name} needs --out FILE"))
    else:
        export.write_text(answer, format_name, sys.stdout, columns)


def _shown(row: dict[str, Any], columns: Iterable[Any]) -> dict[str, Any]:
    shown = {}
    for column in columns:
        value = row.get(column.key)
        form = _TABLE_NUMBERS.get(column.kind)
        shown[column.key] = form.format(value) if form and isinstance(value, int | float) else tr("未知", "unknown") if value is None and column.kind == "number" and "day" in row else value
    return shown
