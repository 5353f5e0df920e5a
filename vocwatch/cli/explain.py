"""Commands that account for a risk: explain, replay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from reports.explain import UnknownIncident, as_dict, explain
from reports.replay import as_dict as replayed
from reports.replay import replay
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.plain import one_line
from vocwatch.settings.app import Risk
from vocwatch.settings.yamlfile import load_model

MAX_ROWS = 12


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("replay")(replay_command)
    app.command("explain")(explain_command)


def explain_command(
    context: typer.Context,
    incident: Annotated[str, typer.Argument(help="事件编号，如 INC-20261115-3fa2c1；vocwatch query incidents 能查到")],
    date: Annotated[str, typer.Option(help="业务日，默认最近上榜的那天")] = "",
    as_json: JsonOption = False,
) -> None:
    """Print every part of an incident's score with the rows behind it."""
    state: Context = context.obj
    try:
        told = as_dict(explain(state.settings, state.store, incident, state.date(date) if date else None))
    except UnknownIncident as error:
        raise Stop(Exit.USAGE, _unknown(incident, date, error)) from error
    if as_json:
        print_json(told)
    else:
        print_lines(_lines(told, {name: source.title for name, source in state.settings.sources.items()}))


def replay_command(
    context: typer.Context,
    since: Annotated[str, typer.Option("--from", help="从哪个业务日起")],
    until: Annotated[str, typer.Option("--to", help="到哪个业务日（含）")],
    weights: Annotated[Path | None, typer.Option(help="YAML，写法同 vocwatch.yaml 的 risk 一节；不写则拿现在的权重和当时的记录比")] = None,
    everything: Annotated[bool, typer.Option("--all", help="等级没变的也列出")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge past days again and show what would have changed. Reads only."""
    state: Context = context.obj
    first, last = state.date(since), state.date(until)
    if last < first:
        raise Stop(Exit.USAGE, tr(f"--to {last} 早于 --from {first}", f"--to {last} is before --from {first}"))
    risk = load_model(weights, Risk, {}) if weights else None
    told = replay(state.settings, state.store, first, last, risk)
    if as_json:
        print_json(replayed(told))
        return
    rows = [c for c in replayed(told)["changes"] if everything or c["moved"]]
    print_rows(rows, {
        "date": tr("业务日", "Day"), "level": tr("原等级", "Level"), "score": tr("原分数", "Score"),
        "new_level": tr("新等级", "New level"), "new_score": tr("新分数", "New score"), "title": tr("事件", "Incident"),
        "incident": tr("编号", "Id"),
    }, False)
    say(tr(f"{told.before} → {told.after}：{len(told.changes)} 个事件日，等级会变的 {len(told.moved)} 个。没有改动任何记录",
           f"{told.before} → {told.after}: {len(told.changes)} incident days, {len(told.moved)} with another level. Nothing was changed"))


def _unknown(incident: str, date: str, error: UnknownIncident) -> str:
    if not error.days:
        return tr(f"没有事件 {incident}。查编号：vocwatch query incidents", f"No incident {incident}. To find one: vocwatch query incidents")
    days = listed(day.isoformat() for day in error.days[-10:])
    return tr(f"{incident} 在 {date} 没有上榜。上榜的日子：{days}", f"{incident} was not listed on {date}. It was on: {days}")


def _lines(told: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    product = told["product"] or tr("品牌整体", "whole brand")
    lines = [
        f"{told['incident']}  {told['date']}  {told['level']} {told['state']}  {told['score']}",
        one_line(f"{told['title']}（{product} · {told['topic']}）", 200) + tr(f"  负责人 {told['owner']}", f"  owner {told['owner']}"),
        tr(f"公式 {told['formula']}：R = ", f"Formula {told['formula']}: R = ")
        + " + ".join(f"{p['weight']:g}·{_name(p['part'])}" for p in told["parts"]),
        _again(told["now"]),
        "",
    ]
    texts = {(t["kind"], t["id"]): t for t in told["texts"]}
    for part in told["parts"]:
        lines += _part(part, texts, titles)
    lines += ["", tr("上榜理由（当日写下）：", "Why it was listed (as written that day):")]
    lines += [f"  · {one_line(reason, 200)}" for reason in told["why"]]
    if told["baseline"]:
        days = tr("、", ", ").join(f"{b['date'][5:]} {titles.get(b['source'], b['source'])} {b['voices']}" for b in told["baseline"][-MAX_ROWS:])
        lines.append(tr(f"基线里的发声者（最近的）：{days}", f"Voices of the baseline (latest): {days}"))
    number = len(told["members"]["mentions"]), len(told["members"]["sessions"])
    lines.append(tr(f"事件至今：提及 {number[0]} 条，会话 {number[1]} 个", f"So far: {number[0]} mentions, {number[1]} sessions"))
    history = " → ".join(f"{d['date'][5:]} {d['level']}{d['score']:g} {d['state']}" for d in told["days"][-MAX_ROWS:])
    lines.append(tr(f"经过：{history}", f"Its days: {history}"))
    return lines


def _again(now: Mapping[str, Any]) -> str:
    if now["score"] is None:
        return tr("按现有数据重算：不再上榜（数据或配置后来变了）；下面的分值是当日写下的",
                  "Judged again: no longer listed (data or configuration changed since); the values below are as written")
    same = tr("与当日一致", "as written that day") if now["same"] else tr("与当日不同（数据或配置后来变了）", "differs (data or configuration changed since)")
    return tr(f"按现有数据重算：{now['score']} 分 {now['level']}，{same}。{now['rule']}", f"Judged again: {now['score']} {now['level']}, {same}. {now['rule']}")


def _part(part: Mapping[str, Any], texts: Mapping[tuple[str, int], Mapping[str, Any]], titles: Mapping[str, str]) -> list[str]:
    name, stored = _name(part["part"]), part["stored"]
    if part["value"] is None:
        return [tr(f"{name} {stored}（当日）", f"{name} {stored} (as written)")]
    changed = "" if stored == part["value"] else tr(f"（当日 {stored}）", f" ({stored} as written)")
    head = f"{name} {part['value']:g} × {part['weight']:g} = {part['points']:g}{changed}"
    rows = [("mention", ref) for ref in part["mentions"]] + [("session", ref) for ref in part["sessions"]]
    shown = [texts[key] for key in rows if key in texts][:MAX_ROWS]
    lines = [f"{head}  {_how(part)}", *(_row(text, titles) for text in shown)]
    if len(rows) > len(shown):
        lines.append(tr(f"    另有 {len(rows) - len(shown)} 条，加 --json 全部列出", f"    {len(rows) - len(shown)} more: --json lists all"))
    return lines


def _row(text: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    at = text["at"][5:16].replace("T", " ")
    words = one_line(text["excerpt"] or tr("（对方已删除，不引用）", "(deleted, not quoted)"), 40)
    if text["kind"] == "session":
        return tr(f"    会话 {text['session']}  {at}  {text['source']}  {words}", f"    session {text['session']}  {at}  {text['source']}  {words}")
    source = titles.get(text["source"], text["source"])
    evidence = tr(f"证据 {text['evidence'][:12]}", f"evidence {text['evidence'][:12]}") if text["evidence"] else tr("无证据页", "no evidence page")
    copy = tr(f"  转自 {text['copy_of']}", f"  copy of {text['copy_of']}") if text["copy_of"] else ""
    return tr(f"    提及 {text['id']}  {at}  {source}  {text['url']}  {evidence}{copy}  {words}",
              f"    mention {text['id']}  {at}  {source}  {text['url']}  {evidence}{copy}  {words}")


def _name(part: str) -> str:
    return {
        "sensitivity": tr("敏感度", "sensitivity"), "intensity": tr("强度", "intensity"),
        "evolution": tr("演变", "evolution"), "spread": tr("传播", "spread"), "attitude": tr("态度", "attitude"),
        "corroboration": tr("内外印证", "corroboration"),
    }[part]


def _how(part: Mapping[str, Any]) -> str:
    """Say in words what the value was computed from."""
    i = part["inputs"]
    if part["part"] == "sensitivity" and "red_line" in i:
        return tr(f"红线「{i['red_line']}」{i['class_sensitivity']:g} × 最有把握的一条 {i['confidence']:.2f}（共 {i['texts']} 条触线）",
                  f"red line “{i['red_line']}” {i['class_sensitivity']:g} × surest text {i['confidence']:.2f} ({i['texts']} texts)")
    if part["part"] == "sensitivity":
        return tr(f"主题敏感度 {i['topic_sensitivity']:g} × 最高严重度 {i['severity']}（2 即满；{i['texts']} 条）",
                  f"topic {i['topic_sensitivity']:g} × highest severity {i['severity']} (2 is full; {i['texts']} texts)")
    if part["part"] == "intensity":
        return tr(f"今日独立发声者 {i['voices']} 名，参照 {i['reference']} 名", f"{i['voices']} independent voices today, reference {i['reference']}")
    if part["part"] == "evolution":
        return _evolution(i)
    if part["part"] == "spread":
        if not i:
            return tr("今日没有外部提及", "nothing public today")
        return tr(f"来源权重 {i['tier']:g} × 触达 {i['reach']:g}（{i['likes']} 赞 {i['replies']} 评 {i['shares']} 转 {i['views']} 阅）",
                  f"source tier {i['tier']:g} × reach {i['reach']:g} ({i['likes']} likes, {i['replies']} replies, {i['shares']} shares, {i['views']} views)")
    if part["part"] == "attitude":
        return tr(f"今日说到它的 {i['mentions']} 条提及里 {i['negative']} 条负面，另有 {i['sessions']} 个会话；取 95% 区间下限",
                  f"{i['negative']} of {i['mentions']} mentions negative, {i['sessions']} sessions; lower end of the 95 % interval")
    return tr(f"{i['days']} 天内同因客户 {i['customers']} 名，外部发声者 {i['public_voices']} 名（3 名客户即满）",
              f"{i['customers']} customers within {i['days']} days, {i['public_voices']} public voices (3 customers are full)")


def _evolution(i: Mapping[str, Any]) -> str:
    if i["expected"] is None:
        return tr(f"今日 {i['seen']} 名；基线不足（历史不到 14 天），不计", f"{i['seen']} today; no baseline yet (under 14 days)")
    return tr(
        f"今日可与往日比的 {i['seen']} 名，预期 {i['expected']:g}，p = {i['p']:.2g}（{i['days']} 天历史里 {i['before']} 名，离散度 {i['alpha']:g}）",
        f"{i['seen']} today comparable with earlier days, {i['expected']:g} expected, p = {i['p']:.2g} ({i['before']} voices in {i['days']} days, dispersion {i['alpha']:g})",
    )
