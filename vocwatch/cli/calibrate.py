"""`vocwatch calibrate`: the risk score held against people's feedback, and a proposal in a file. Nothing is switched on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from reports import score
from reports.calibrate import MIN_PER_LEVEL, Calibration, Quality, as_dict, calibrate, values
from reports.fitting import LEVELS
from reports.trade.shares import Share
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.plain import one_line

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("calibrate")(calibrate_command)


def calibrate_command(
    context: typer.Context,
    since: Annotated[str, typer.Option("--from", help="从哪个业务日起重算，看会变什么；默认有反馈的最后 14 天")] = "",
    until: Annotated[str, typer.Option("--to", help="重算到哪个业务日（含）")] = "",
    out: Annotated[Path | None, typer.Option(help="建议写到哪个文件，默认数据目录的 calibration/ 下")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the score's weights and floors to people's feedback. Writes a proposal; what is in use stays."""
    state: Context = context.obj
    if bool(since) != bool(until):
        raise Stop(Exit.USAGE, tr("--from 和 --to 要一起写", "--from and --to go together"))
    window = (state.date(since), state.date(until)) if since else None
    if window and window[1] < window[0]:
        raise Stop(Exit.USAGE, tr(f"--to {window[1]} 早于 --from {window[0]}", f"--to {window[1]} is before --from {window[0]}"))
    found = calibrate(state.settings, state.store, window)
    path = _write(state, found, out) if found.proposed else None
    if as_json:
        print_json({**as_dict(found), "file": str(path) if path else None})
    else:
        print_lines(_lines(found))
    if path is None:
        raise Stop(Exit.INCOMPLETE, _refusal(found))
    say(tr(f"建议写在 {path}，没有启用。先试算：vocwatch replay --from D --to D --weights {path}；同意再把它抄进 config/vocwatch.yaml 的 risk 一节",
           f"The proposal is in {path}; nothing was switched on. Try it: vocwatch replay --from D --to D --weights {path}; to adopt it, copy it into `risk` of config/vocwatch.yaml"))


def _refusal(found: Calibration) -> str:
    if found.why == "no-better":
        return tr("没有提出建议：在没见过的事件上不比现用的权重好。权重不变",
                  "No proposal: on incidents it had not seen, the fit is no better than the weights in use. They stay")
    names = {
        "labels": tr("可用的反馈", "usable labels"), "incidents": tr("不同的事件", "different incidents"),
        "levels": tr(f"有 {MIN_PER_LEVEL} 条以上的等级", f"levels with at least {MIN_PER_LEVEL}"),
    }
    lacks = tr("；", "; ").join(tr(f"{names[name]} {have}，至少要 {least}", f"{names[name]}: {have}, {least} needed")
                              for name, (have, least) in found.need.items())
    return tr(f"证据不足，不拟合。{lacks}。继续反馈：vocwatch feedback INC-… 不准 --level 黄",
              f"Too little evidence for a fit. {lacks}. Go on with: vocwatch feedback INC-… 不准 --level 黄")


def _write(state: Context, found: Calibration, out: Path | None) -> Path:
    path = out or state.settings.env.data / "calibration" / f"risk-{state.now:%Y%m%d}-{(found.version or '').rpartition('+')[2]}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(proposal(found), encoding="utf-8")
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(f"写不了 {path}：{error.strerror}", f"Cannot write {path}: {error.strerror}")) from error
    return path


def proposal(found: Calibration) -> str:
    """Return the proposed `risk` section with what it rests on as comments."""
    risk, before, after = found.proposed, found.before, found.after
    if risk is None or before is None or after is None:
        raise ValueError("no proposal")
    head = [
        tr(f"风险分的建议权重，公式版本 {found.version}（现用 {score.version(found.current)}）。没有启用。",
           f"Proposed weights of the risk score, formula {found.version} (in use: {score.version(found.current)}). Not active."),
        tr(f"依据：{found.since} 至 {found.until} 的 {found.used} 条反馈、{found.incidents} 个事件；没见过的事件上，等级一致 {_percent(before.exact)} → {_percent(after.exact)}",
           f"From {found.used} labels on {found.incidents} incidents, {found.since} to {found.until}; on unseen incidents, levels agree {_percent(before.exact)} → {_percent(after.exact)}"),
        tr("试算：vocwatch replay --from D --to D --weights 本文件。启用：抄进 config/vocwatch.yaml 的 risk 一节。行尾是现值和 90% 区间",
           "Try: vocwatch replay --from D --to D --weights FILE. Adopt: copy into `risk` of config/vocwatch.yaml. After #: value in use, 90 % interval"),
    ]
    now, new = values(found.current), values(risk)

    def line(name: str, indent: str = "") -> str:
        low, high = found.ranges[name]
        return f"{indent}{name.rpartition('.')[2]}: {new[name]:g}  # {now[name]:g}；{low:g}–{high:g}"

    weights = [line(name) for name in new if "." not in name]
    floors = [line(name, "  ") for name in new if "." in name]
    rest = [f"{name}: {getattr(risk, name):g}" for name in ("reference_authors", "hold_points", "red_line_authors")]
    return "\n".join([*(f"# {text}" for text in head), *weights, "levels:", *floors, *rest]) + "\n"


def _lines(found: Calibration) -> Iterable[str]:
    reasons = {
        "no-level": tr("没说该定哪级", "no level said"), "rule": tr("等级由规则定（红线、观察、防抖）", "a rule decided the level (red line, watch, hold)"),
        "parts": tr("分项不全", "parts missing"), "gone": tr("那天的记录已不在", "that day is not stored any more"),
    }
    yield tr(f"反馈 {found.words} 条，可用 {found.used} 条，{found.incidents} 个事件",
             f"{found.words} words of feedback, {found.used} usable, on {found.incidents} incidents")
    for why, number in found.left_out.items():
        yield tr(f"  未用 {number}：{reasons[why]}", f"  {number} not used: {reasons[why]}")
    if found.by_level:
        yield tr("该定的等级\t", "Levels people gave\t") + "  ".join(f"{name} {number}" for name, number in found.by_level.items())
    if found.missed:
        yield tr(f"漏报 {found.missed} 条：没上榜的算不了分，拟合看不到它们", f"{found.missed} were missed: what was not listed has no score, and the fit cannot see it")
    if found.by_rule.whole:
        yield tr(f"规则定的等级一致 {found.by_rule.text()}：不准要改红线的词或主题，权重管不到",
                 f"Levels by rule agree {found.by_rule.text()}: mend the red line's words or topics; the weights don't reach them")
    if found.before:
        yield from _quality(tr("现用权重", "Weights in use"), found.before)
    if found.after:
        yield from _quality(tr("拟合后（每个事件都用没见过它的拟合来判）", "Fitted (each incident judged by a fit that had not seen it)"), found.after)
        yield tr(f"改对 {found.mended}，改错 {found.broken}，McNemar p={found.p_value:.3f}",
                 f"{found.mended} mended, {found.broken} broken, McNemar p={found.p_value:.3f}")
    yield from _shares(tr("查准：按主题", "Precision by topic"), found.by_topic)
    yield from _shares(tr("查准：按来源", "Precision by source"), found.by_source)
    if found.fitted:
        yield tr("分项\t现用\t拟合\t90% 区间", "Part\tin use\tfitted\t90 % interval")
        now, new = values(found.current), values(found.fitted)
        for name, (low, high) in found.ranges.items():
            yield f"{name}\t{now[name]:g}\t{new[name]:g}\t{low:g}–{high:g}"
    if found.replayed:
        moved = found.replayed.moved
        yield tr(f"按建议重算 {found.replayed.since} 至 {found.replayed.until}：{len(found.replayed.changes)} 个事件日，等级会变的 {len(moved)} 个",
                 f"Replayed {found.replayed.since} to {found.replayed.until}: {len(found.replayed.changes)} incident days, {len(moved)} with another level")
        for change in moved[:_SHOWN]:
            old, new_level = (pair[0] if pair else LEVELS[0] for pair in (change.before, change.after))
            yield f"  {change.day}  {old} → {new_level}  {one_line(change.title, 80)}  {change.incident}"


def _quality(name: str, quality: Quality) -> Iterable[str]:
    yield tr(f"{name}：一致 {quality.exact.text()}，相差一级以内 {quality.near.text()}，平均差 {quality.off:.2f} 级",
             f"{name}: exact {quality.exact.text()}, within one {quality.near.text()}, off by {quality.off:.2f} levels on average")
    yield "\t".join((tr("人\\系统", "people\\told"), *LEVELS))
    for row, counts in zip(LEVELS, quality.confusion, strict=True):
        if any(counts):
            yield "\t".join((row, *map(str, counts)))


def _shares(title: str, shares: Iterable[Share]) -> Iterable[str]:
    shown = list(shares)
    if shown:
        yield title
    yield from (f"  {each.name}\t{each.text()}" for each in shown[:_SHOWN])


def _percent(each: Share) -> str:
    return "?" if each.value is None else f"{each.value:.0%}"
