"""`vocwatch judge`: judges texts from a file; needs the configuration alone, no store."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sentiment.judge import Judge, to_line
from sentiment.ready import make_judge
from vocwatch.cli.context import Context, print_lines, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.models import TextInput
from vocwatch.settings import load_settings

BATCH = 256
_SURROGATE = re.compile("[\ud800-\udfff]")


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("judge")(judge_command)


def judge_command(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="每行一条文本，或每行一个 JSON：id、text，可加 title、kind、rating、context、parent；不写则读标准输入")] = None,
    engine: Annotated[str, typer.Option(help="auto、snownlp、rules")] = "auto",
) -> None:
    """Judge texts from a file or standard input."""
    state: Context = context.obj
    judge = make_judge(load_settings(state.env, judging=True), engine, say)
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
