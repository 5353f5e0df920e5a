"""`vocwatch compare`: did a measure work? Before and after a date, with an honest interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from reports.trade.change import MIN_AFTER, MIN_BEFORE, MIN_VOICES, as_dict, compare
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines
from vocwatch.clock import business_date
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("compare")(compare_command)


def compare_command(
    context: typer.Context,
    topic: Annotated[str, typer.Option(help="主题：大类，或 大类/小类")],
    on: Annotated[str, typer.Option(help="措施生效的业务日；当天两边都不算")],
    product: Annotated[str, typer.Option(help="只看这个产品（SKU）；不写则全品牌")] = "",
    days: Annotated[int, typer.Option(min=14, max=182, help="前后各看多少天")] = 28,
    rows: Annotated[bool, typer.Option("--rows", help="列出计入的提及和会话编号")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare independent voices before and after a date on the days that were read."""
    state: Context = context.obj
    date, today = state.date(on), business_date(state.now, state.settings.app.zone)
    names = {n for group in state.settings.topics.topics for n in (group.name, *(f"{group.name}/{leaf.name}" for leaf in group.leaves))}
    if topic not in names:
        raise Stop(Exit.USAGE, tr(f"没有这个主题：{topic}。写大类，或 大类/小类", f"No such topic: {topic}. Write a group, or group/leaf"))
    if date >= today:
        raise Stop(Exit.USAGE, tr(f"{date} 还没过完，没有之后可比", f"{date} is not over: there is no after to compare"))
    found = as_dict(compare(state.settings, state.store, topic, date, today=today, product=product or None, days=days))
    if as_json:
        print_json(found)
    else:
        print_lines(_lines(found, rows, {name: source.title for name, source in state.settings.sources.items()}))


def _lines(found: Mapping[str, Any], rows: bool, titles: Mapping[str, str]) -> Iterator[str]:
    ratio = found["ratio"]
    yield f"{found['topic']}  {found['product'] or tr('全品牌', 'whole brand')}  {found['on']}"
    yield tr("结论\t", "Verdict\t") + verdict(found)
    yield tr(f"之前 {'–'.join(found['before'])}：独立发声者 {ratio['before']}，可用 {ratio['channel_days_before']:g} 个来源日",
             f"Before {' to '.join(found['before'])}: {ratio['before']} independent voices on {ratio['channel_days_before']:g} channel-days")
    yield tr(f"之后 {'–'.join(found['after'])}：独立发声者 {ratio['after']}，可用 {ratio['channel_days_after']:g} 个来源日",
             f"After {' to '.join(found['after'])}: {ratio['after']} independent voices on {ratio['channel_days_after']:g} channel-days")
    yield tr("每日发声率之比（后 ÷ 前）\t", "Rate ratio (after ÷ before)\t") + _ratio(ratio) + (
        "" if ratio["p"] is None else f"  p={ratio['p']:g}  φ={ratio['dispersion']:g}")
    against = found["against_others"]
    if against["value"] is not None:
        yield tr(f"同期其他投诉 {found['others']['before']} → {found['others']['after']}，扣除后\t",
                 f"Other complaints meanwhile {found['others']['before']} → {found['others']['after']}; net of them\t") + _ratio(against)
    if found["usual"]:
        yield tr("和没有事件的日子比\t", "Against the days without an incident\t") + _ratio(found["usual"])
    for each in found["channels"]:
        name = tr("客服会话", "service sessions") if each["name"] == "sessions" else titles.get(each["name"], each["name"])
        yield tr(f"  {name}：{each['days_before']} 天 {each['voices_before']} 名 → {each['days_after']} 天 {each['voices_after']} 名",
                 f"  {name}: {each['voices_before']} in {each['days_before']} days → {each['voices_after']} in {each['days_after']} days")
    for caution in found["cautions"]:
        yield tr("注意：", "Caution: ") + _caution(caution, found)
    if rows:
        yield tr("提及 ", "mentions ") + listed(str(ref) for ref in found["rows"]["mentions"])
        yield tr("会话 ", "sessions ") + listed(found["rows"]["sessions"])


def verdict(found: Mapping[str, Any]) -> str:
    """Return the verdict in words."""
    ratio = found["ratio"]
    if found["verdict"] == "too-little":
        return tr("证据不足：", "Too little evidence: ") + listed(_lack(name, ratio) for name in found["why"])
    if found["verdict"] == "unclear":
        if "others" in found["why"]:
            return tr("证据不足：同期其他投诉也这样变了，看不出是措施的作用", "Unclear: other complaints changed alike, so it may not be the measure")
        return tr("证据不足：区间包含 1，变好变坏都可能", "Unclear: the interval holds 1, it may be either way")
    if found["verdict"] == "same":
        return tr("没有明显变化", "No marked change")
    if found["verdict"] == "fell":
        return tr(f"明显减少：至少少了 {1 - ratio['high']:.0%}", f"Fell: by {1 - ratio['high']:.0%} at least")
    return tr(f"明显增加：至少多了 {ratio['low'] - 1:.0%}", f"Rose: by {ratio['low'] - 1:.0%} at least")


def _lack(name: str, ratio: Mapping[str, Any]) -> str:
    return {
        "voices": tr(f"前后合计只有 {ratio['before'] + ratio['after']} 名发声者（至少 {MIN_VOICES}）",
                     f"only {ratio['before'] + ratio['after']} voices in all ({MIN_VOICES} needed)"),
        "days-before": tr(f"之前可用不到 {MIN_BEFORE} 天", f"under {MIN_BEFORE} usable days before"),
        "days-after": tr(f"之后可用不到 {MIN_AFTER} 天", f"under {MIN_AFTER} usable days after"),
    }[name]


def _caution(name: str, found: Mapping[str, Any]) -> str:
    if name == "campaign":
        names = listed(dict.fromkeys(each["name"] for each in found["campaigns"]))
        return tr(f"窗口里有大促（{names}），按当天的总声量折算过", f"campaigns in the window ({names}); their days count by their volume")
    if name == "unread":
        return tr("有来源漏读的日子，两边都没算", "days on which a source was not read count on neither side") + (
            tr(f"；{listed(found['not_compared'])} 有一边没读到，没有比", f"; {listed(found['not_compared'])} was not read on one side and is left out")
            if found["not_compared"] else "")
    return {
        "peak": tr("措施前一周正在高峰，没有措施也会回落一些", "the week before was a peak: some of the fall would have come by itself"),
        "weekdays": tr("之后不足两周，星期几的影响没有抹平", "under two weeks after: weekdays are not evened out"),
    }[name]


def _ratio(told: Mapping[str, Any]) -> str:
    if told["low"] is None and told["value"] is None:
        return tr("没有可比的", "nothing to compare")
    value = "?" if told["value"] is None else f"×{told['value']:.2f}"
    high = "∞" if told["high"] is None else f"{told['high']:.2f}"
    return f"{value} [{told['low']:.2f}, {high}]"
