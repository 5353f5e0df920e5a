"""Commands that judge: analyse, judge."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sentiment.judge import Judge, to_line
from sentiment.refine import RefineReport
from sentiment.run import Pace, analyse, make_judge
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, say
from vocwatch.clock import day_window
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.models import TextInput

BATCH = 256
_SURROGATE = re.compile("[\ud800-\udfff]")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("analyse", help="判定新来的文本：情感、主题、严重度、红线、命中")(analyse_command)
    app.command("judge", help="逐条判定文件或标准输入里的文本，每条输出一行 JSON，不碰数据库")(judge_command)


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


def judge_command(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="每行一条文本，或每行一个 JSON：id、text，可加 title、kind、rating、context、parent；不写则读标准输入")] = None,
    engine: Annotated[str, typer.Option(help="auto、snownlp、rules")] = "auto",
) -> None:
    """Judge texts from a file or standard input."""
    state: Context = context.obj
    judge = make_judge(state.settings, engine, say)
    batch: list[TextInput] = []
    for item in _texts(file):
        batch.append(item)
        if len(batch) == BATCH:
            _judge(judge, batch)
            batch = []
    _judge(judge, batch)


def _judge(judge: Judge, batch: list[TextInput]) -> None:
    print_lines(json.dumps(to_line(found), ensure_ascii=False) for found in judge.assess(batch))
    sys.stdout.flush()


def _texts(file: Path | None) -> Iterator[TextInput]:
    try:
        handle = file.open("rb") if file else sys.stdin.buffer
    except OSError as error:
        raise Stop(Exit.USAGE, tr(f"读不到 {file}：{error.strerror}", f"Cannot read {file}: {error.strerror}")) from error
    with handle:
        for number, raw in enumerate(handle, 1):
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8", "replace").rstrip("\r\n")
            if line.strip():
                yield _text(line, number)


def _text(line: str, number: int) -> TextInput:
    if line.lstrip().startswith("{"):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, dict) and isinstance(value.get("text"), str):
            return _described(value, number)
    return TextInput(id=str(number), body=line)


def _described(value: dict[str, Any], number: int) -> TextInput:
    """Read a text with what is known of it; what has the wrong type is left out."""
    title, parent, rating = (_whole(value.get(key)) for key in ("title", "parent", "rating"))
    kind, context = value.get("kind"), value.get("context")
    return TextInput(
        id=str(_whole(value.get("id", number))), body=_whole(value["text"]), title=title if isinstance(title, str) else None,
        kind=kind if isinstance(kind, str) else "post",
        rating=float(rating) if isinstance(rating, int | float) else None,
        context=tuple(_whole(entry) for entry in context if isinstance(entry, str)) if isinstance(context, list) else (),
        about_brand=value.get("about_brand") is True, parent=parent if isinstance(parent, str) else None,
    )


def _whole(value: Any) -> Any:
    """Replace lone surrogates, which JSON may hold and no output can: each by one sign, so that offsets stay."""
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value
