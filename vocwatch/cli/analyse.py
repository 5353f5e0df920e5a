"""`vocwatch analyse`: judges what is in the store."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sentiment.refine import RefineReport
from sentiment.run import Pace, analyse
from vocwatch.cli.context import Context, JsonOption, print_json, say
from vocwatch.clock import day_window
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("analyse")(analyse_command)


def analyse_command(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="换了模型或主题后重新判定：从最近的判起，随时可停，再跑接着判；判完之前旧判定照用")] = False,
    since: Annotated[str, typer.Option(help="只重判这天以后发布的（配合 --rebuild），如 2026-11-01")] = "",
    rate: Annotated[float | None, typer.Option(min=0.1, help="每秒最多重判多少条（配合 --rebuild），给别的活留余地")] = None,
    engine: Annotated[str, typer.Option(help="auto、snownlp、rules")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Judge whatever is new; with --rebuild, the past again."""
    state: Context = context.obj
    if (since or rate) and not rebuild:
        raise Stop(Exit.USAGE, tr("--since 和 --rate 要和 --rebuild 一起用", "--since and --rate need --rebuild"))
    start = day_window(state.date(since), state.settings.app.zone)[0] if since else None
    progress = _Progress()
    try:
        report = analyse(
            state.settings, state.store, rebuild=rebuild, engine=engine, on_progress=progress.show,
            pace=Pace(start, rate),
        )
    except KeyboardInterrupt:
        raise Stop(Exit.INCOMPLETE, tr(
            f"已停在第 {progress.done} 条：判完的都已保存，其余仍是旧判定。再跑同一条命令会接着判",
            f"Stopped after {progress.done}: what is judged is saved, the rest keeps its old judgement. Run it again to go on",
        )) from None
    if as_json:
        print_json({"assessed": report.assessed, "refused": report.refused, "left": report.left,
                    "model_version": report.model_version, "problem": report.problem,
                    "llm": report.refined.stats() if report.refined else None})
    else:
        say(tr(f"判定 {report.assessed} 条，拒判 {report.refused} 条，模型 {report.model_version}",
               f"{report.assessed} judged, {report.refused} refused, model {report.model_version}"))
        if report.refined:
            say(_refined(report.refined))
    if report.problem:
        say(report.problem)


class _Progress:
    """Says how far the judging is, how fast it goes and how long it will take."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.done = 0

    def show(self, done: int, left: int) -> None:
        """Print one line."""
        self.done = done
        spent = time.monotonic() - self._began
        rate = done / spent if spent > 0 else 0.0
        pace = tr(f"（每秒 {rate:.0f} 条，约需 {_span(left / rate)}）", f" ({rate:.0f}/s, about {_span(left / rate)} left)") if rate and left else ""
        say(tr(f"已判定 {done} 条，还剩 {left} 条{pace}", f"{done} judged, {left} left{pace}"))


def _span(seconds: float) -> str:
    if seconds < 100:
        return tr(f"{seconds:.0f} 秒", f"{seconds:.0f} s")
    minutes = round(seconds / 60)
    if minutes < 100:
        return tr(f"{minutes} 分钟", f"{minutes} min")
    return tr(f"{minutes / 60:.1f} 小时", f"{minutes / 60:.1f} h")


def _refined(report: RefineReport) -> str:
    dropped = tr("、", ", ").join(f"{reason} {count}" for reason, count in report.dropped.most_common())
    stopped = tr(f"；已停止请求：{report.stopped}", f"; stopped: {report.stopped}") if report.stopped else ""
    return tr(
        f"大模型 {report.model} 复读 {report.sent} 条：一致 {report.agreed}，改判 {report.changed}，"
        f"其余维持本地判定（{dropped or '无'}）{stopped}",
        f"{report.model} read {report.sent} again: {report.agreed} agreed, {report.changed} changed; "
        f"the local judgement stands for the rest ({dropped or 'none'}){stopped}",
    )
