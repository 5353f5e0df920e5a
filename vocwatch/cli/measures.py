"""`vocwatch measures`: satisfaction, the rates of the trade, response times, and the feedback table."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from reports.trade import feedback_table
from reports.trade import measures as trade
from reports.trade.shares import ENGLISH, reason
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.plain import safe_cell

CsvOption = Annotated[bool, typer.Option("--csv", help="输出 CSV")]
_SHOWN_DAYS = 5
_SHOWN_IDS = 20


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("measures")(measures_command)


def measures_command(
    context: typer.Context,
    since: Annotated[str, typer.Option("--from", help="从哪个业务日起")],
    until: Annotated[str, typer.Option("--to", help="到哪个业务日（含），默认昨天")] = "",
    by: Annotated[str, typer.Option(help="all、shop、owner、product、day")] = "all",
    table: Annotated[bool, typer.Option("--table", help="改列反馈表：类别 · 内容 · 频率 · 严重程度 · 满意度")] = False,
    product: Annotated[str, typer.Option(help="反馈表只看这个产品（SKU）")] = "",
    shop: Annotated[str, typer.Option(help="反馈表只看这家店")] = "",
    rows: Annotated[bool, typer.Option("--rows", help="列出每个数字背后的行：总数表的行、会话编号、提及编号")] = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Print the measures of the trade, each with its formula, counts, interval, and the days that are missing."""
    state: Context = context.obj
    first, last = window(state, since, until)
    if table:
        told = feedback_table.as_dicts(feedback_table.feedback_table(state.settings, state.store, first, last, product, shop))
        return _print_table(told, as_json, as_csv, rows)
    if product or shop:
        raise Stop(Exit.USAGE, tr("--product 和 --shop 要和 --table 一起用；分组看用 --by", "--product and --shop need --table; for groups use --by"))
    group = next((name for name in trade.BYS if name == by), None)
    if group is None:
        raise Stop(Exit.USAGE, tr(f"不能按 {by} 分，可用：{listed(trade.BYS)}", f"Cannot group by {by}; use one of {listed(trade.BYS)}"))
    found = trade.as_dict(trade.measure(state.settings, state.store, first, last, group))
    if as_json:
        print_json(found)
    elif as_csv:
        _csv(_flat(found), _COLUMNS)
    else:
        print_lines(_lines(found, rows))
        if not any(m["value"] is not None for g in found["groups"] for m in g["measures"]):
            say(tr("没有分母就没有比率：导入每日总数（config/sessions/daily-totals.yaml）或全量会话导出",
                   "No denominators, no rates: import daily totals (config/sessions/daily-totals.yaml) or an export of all sessions"))
    return None


def window(state: Context, since: str, until: str) -> tuple[Any, Any]:
    """Return the business dates of --from and --to."""
    first, last = state.date(since), state.date(until)
    if last < first:
        raise Stop(Exit.USAGE, tr(f"--to {last} 早于 --from {first}", f"--to {last} is before --from {first}"))
    return first, last


def basis_word(basis: str | None) -> str:
    """Return in words what a rate was counted from."""
    return {
        "given": tr("每日总数", "daily totals"), "counted": tr("全量会话里数出，为下限", "counted in exports, a lower bound"),
        "sessions": tr("分子是已导入的差会话", "numerator: imported bad sessions"),
        "reviews": tr("按已存的星级评价，未必是全部", "of the stored star reviews, which may not be all"),
    }.get(basis or "", "")


def _lines(found: Mapping[str, Any], rows: bool) -> Iterator[str]:
    yield tr(f"{found['since']} 至 {found['until']}", f"{found['since']} to {found['until']}")
    if silent := found["days_without_sessions"]:
        yield tr(f"没有导入会话的日子（不是 0）：{_days(silent)}", f"Days without imported sessions (not 0): {_days(silent)}")
    for group in found["groups"]:
        paths = listed(f"{name} {number}" for name, number in group["paths"].items())
        yield ""
        yield tr(f"{group['title']}：差会话 {group['sessions']} 个", f"{group['title']}: {group['sessions']} bad sessions") + (f"（{paths}）" if paths else "")
        for each in group["measures"]:
            yield "  " + _measure(each)
            if rows:
                yield from _rows(each["rows"])
        yield "  " + _response(group["response_seconds"])
        if rows and group["session_ids"]:
            yield "    " + tr("会话 ", "sessions ") + _ids(group["session_ids"])
    yield ""
    yield tr("公式", "Formulas")
    yield from (f"  {_name(name)} = {formula}" for name, formula in found["formulas"].items())


def _name(name: str) -> str:
    return tr(name, ENGLISH.get(name, name))


def _measure(each: Mapping[str, Any]) -> str:
    counts = "" if each["part"] is None and each["whole"] is None else f" {_number(each['part'])}/{_number(each['whole'])}"
    if each["value"] is None:
        told = f"{_name(each['name'])}\t—\t{reason(each['why'] or '')}{counts}"
    else:
        told = f"{_name(each['name'])}\t{each['value']:.1%}\t[{each['low']:.1%}, {each['high']:.1%}]{counts}\t{basis_word(each['basis'])}"
    if each["value"] is not None and each["missing_days"]:
        told += tr(f"；{len(each['missing_days'])} 天缺数未计：{_days(each['missing_days'])}",
                   f"; {len(each['missing_days'])} days lack a count and are left out: {_days(each['missing_days'])}")
    if each["clashing_days"]:
        told += tr(f"；分子大于分母未计：{_days(each['clashing_days'])}", f"; counts contradict each other on {_days(each['clashing_days'])}")
    return told


def _response(told: Mapping[str, Any]) -> str:
    name = tr("响应时间（差会话）", "Response time (bad sessions)")
    if not told["known"]:
        return f"{name}\t—\t" + tr("导出里没有这一列", "the exports have no such column")
    return f"{name}\t" + tr(
        f"中位 {told['median']:.0f} 秒，P90 {told['p90']:.0f} 秒，平均 {told['mean']:.0f} 秒\t{told['known']}/{told['of']} 个会话有记录",
        f"median {told['median']:.0f} s, P90 {told['p90']:.0f} s, mean {told['mean']:.0f} s\tknown of {told['known']}/{told['of']} sessions",
    )


def _rows(rows: Mapping[str, Any]) -> Iterator[str]:
    for total in rows["totals"]:
        yield f"    {total['day']}  {total['shop'] or tr('全部店铺', 'all shops')}  {total['what']} {total['value']} ({total['basis']})"
    if rows["sessions"]:
        yield "    " + tr("会话 ", "sessions ") + _ids(rows["sessions"])
    if rows["mentions"]:
        yield "    " + tr("提及 ", "mentions ") + _ids(rows["mentions"])


def _ids(ids: Sequence[Any]) -> str:
    more = len(ids) - _SHOWN_IDS
    return listed(str(each) for each in ids[:_SHOWN_IDS]) + (tr(f" 等 {len(ids)} 个（全部见 --json）", f" … {len(ids)} in all (see --json)") if more > 0 else "")


def _days(days: Sequence[str]) -> str:
    shown = listed(day[5:] for day in days[:_SHOWN_DAYS])
    return shown + (tr(f" 等 {len(days)} 天", f" … {len(days)} days") if len(days) > _SHOWN_DAYS else "")


def _number(value: Any) -> str:
    return "?" if value is None else str(value)


_COLUMNS = ("group", "measure", "value", "low", "high", "part", "whole", "basis", "days", "missing_days", "why")


def _flat(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for group in found["groups"]:
        for each in group["measures"]:
            yield {**each, "group": group["title"], "measure": each["name"], "missing_days": " ".join(each["missing_days"])}
        told = group["response_seconds"]
        for name in ("median", "p90", "mean"):
            yield {"group": group["title"], "measure": f"response_seconds.{name}", "value": told[name], "part": told["known"], "whole": told["of"]}


def _csv(rows: Iterator[dict[str, Any]], columns: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(row.get(name)) for name in columns])


def _print_table(told: list[dict[str, Any]], as_json: bool, as_csv: bool, rows: bool) -> None:
    if as_json:
        return print_json(told)
    flat = [
        {
            **row, "shared": f"{row['share']:.1%}", "severity_word": f"{row['severity']:.1f}（{severity_word(row['severity'])}）",
            "happy": "" if row["satisfaction"]["value"] is None else f"{row['satisfaction']['value']:.0%}",
            "rows": " ".join([*(f"#{ref}" for ref in row["mention_ids"]), *row["session_ids"]]),
        }
        for row in told
    ]
    columns = {
        "category": tr("类别", "Category"), "content": tr("内容", "Content"), "voices": tr("频率（独立发声者）", "Voices"),
        "texts": tr("条数", "Texts"), "shared": tr("占比", "Share"), "severity_word": tr("严重程度", "Severity"),
        "happy": tr("满意度", "Satisfaction"), "quote": tr("典型原话", "Typical words"), **({"rows": tr("依据", "Rows")} if rows else {}),
    }
    if as_csv:
        _csv(iter(flat), list(columns))
    else:
        print_rows(flat, columns, False)
        if not flat:
            say(tr("这段时间没有投诉主题", "No complaints by topic in these days"))
    return None


def severity_word(mean: float) -> str:
    """Return a mean severity (0 to 3) in words."""
    return tr("重", "grave") if mean >= 2.5 else tr("中", "clear") if mean >= 1.5 else tr("轻", "slight")
