"""Commands that judge: analyse, judge."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sentiment.judge import Judge, to_line
from sentiment.run import analyse, make_judge
from vocwatch.cli.collect import JsonOption
from vocwatch.cli.context import Context, print_json, print_lines, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.models import TextInput

BATCH = 256


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("analyse", help="判定新来的文本：情感、主题、严重度、红线、命中")(analyse_command)
    app.command("judge", help="逐条判定文件或标准输入里的文本，每条输出一行 JSON，不碰数据库")(judge_command)


def analyse_command(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="换了模型或主题后，全部重新判定")] = False,
    engine: Annotated[str, typer.Option(help="auto、snownlp、rules")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Judge whatever is new."""
    state: Context = context.obj
    report = analyse(
        state.settings, state.store, rebuild=rebuild, engine=engine,
        on_progress=lambda done, left: say(tr(f"已判定 {done} 条，还剩 {left} 条", f"{done} judged, {left} left")),
    )
    if as_json:
        print_json({"assessed": report.assessed, "refused": report.refused, "left": report.left,
                    "model_version": report.model_version})
    else:
        say(tr(f"判定 {report.assessed} 条，拒判 {report.refused} 条，模型 {report.model_version}",
               f"{report.assessed} judged, {report.refused} refused, model {report.model_version}"))


def judge_command(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="每行一条文本，或每行一个含 id、text 的 JSON；不写则读标准输入")] = None,
    engine: Annotated[str, typer.Option(help="auto、snownlp、rules")] = "auto",
) -> None:
    """Judge texts from a file or standard input."""
    state: Context = context.obj
    judge = make_judge(state.settings, engine)
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
            title = value.get("title")
            return TextInput(id=str(value.get("id", number)), body=value["text"], title=title if isinstance(title, str) else None)
    return TextInput(id=str(number), body=line)
